/**
 * The command line with one more action: it takes thousands of keys, which a bare loop put on a token, into
 * custody. Generating them in a ceremony would take hours.
 */

import { readFileSync } from "node:fs";
import { defineAction, type Action } from "../../src/ceremony/action.ts";
import { tokenIsActive } from "../../src/ceremony/conditions.ts";
import type { Fact } from "../../src/ceremony/facts.ts";
import { label } from "../../src/ceremony/words.ts";
import { ACTIONS } from "../../src/actions/index.ts";
import { main } from "../../src/cli/main.ts";
import { fromHex, sha256Hex } from "../../src/lib/encoding.ts";
import { z } from "../../src/lib/schema.ts";

/** Keys as the file that KEYRITE_TEST_KEYS names lists them. */
export interface MadeKey {
  readonly label: string;
  readonly ckaId: string;
  readonly spki: string;
}

const params = () => z.strictObject({ token: label });

const takeKeys: Action = defineAction<{ token: string }, Record<string, never>, { keys: number }>({
  name: "take-keys",
  control: "dual",
  params,
  facts: ["key.generated"],
  instruction: (p) => `Take the keys on token ${p.token} into custody.`,
  requires: (p) => [tokenIsActive(p.token)],
  forecast: () => ({ keys: 1 }),
  establishes: (p, { keys }) =>
    Array.from({ length: keys }, (_, at) => {
      const spki = sha256Hex(`planned ${at}`);
      return generated(p.token, spki, { label: `planned-${at}`, ckaId: spki.slice(0, 32) });
    }),
  run(p, room, { batch }) {
    const keys = JSON.parse(
      readFileSync(process.env["KEYRITE_TEST_KEYS"] ?? "", "utf8"),
    ) as MadeKey[];
    for (let start = 0; start < keys.length; start += 100) {
      const group = keys.slice(start, start + 100).map((key) => {
        const spki = room.attach("application/pkix-spki", fromHex(key.spki) ?? new Uint8Array());
        return { item: spki, ckaId: key.ckaId, key };
      });
      batch.intend(group.map(({ item, ckaId }) => ({ item, ckaId })));
      batch.record(
        group.map(({ item, key }) => {
          return { item, evidence: {}, facts: [generated(p.token, item, key)] };
        }),
      );
    }
    return Promise.resolve({ keys: 0 });
  },
});

function generated(token: string, spki: string, key: Omit<MadeKey, "spki">): Fact {
  const base = { kind: "key.generated", spki, token, label: key.label, ckaId: key.ckaId } as const;
  return { ...base, algorithm: "p-256", purpose: "ca-signing", backup: "wrap" };
}

(ACTIONS as Action[]).push(takeKeys);
process.exitCode = await main(process.argv.slice(2));
