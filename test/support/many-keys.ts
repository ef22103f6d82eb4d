/** Generates CA keys by the hundred in one step: only tests of batches need that. */

import { defineAction, type Action } from "../../src/ceremony/action.ts";
import { tokenIsActive } from "../../src/ceremony/conditions.ts";
import { label } from "../../src/ceremony/words.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import { z } from "../../src/lib/schema.ts";

const params = () => z.strictObject({ token: label, count: z.int().min(1) });

interface Many {
  readonly foreseen: readonly string[];
}

/** `many-0` and so on, extractable, of P-256. */
export const manyKeysAction: Action = defineAction<
  z.infer<ReturnType<typeof params>>,
  Record<string, never>,
  Many & Record<string, readonly string[]>
>({
  name: "generate-many",
  control: "dual",
  params,
  facts: ["key.generated"],
  instruction: (p) => `Generate ${p.count} keys on token ${p.token}.`,
  requires: (p) => [tokenIsActive(p.token)],
  forecast: (p) => ({ foreseen: Array.from({ length: p.count }, (_, at) => `many-${at}`) }),
  establishes: (p, { foreseen }) =>
    foreseen.map((name) => generated(p.token, name, sha256Hex(name), sha256Hex(name).slice(0, 32))),
  async run(p, room, { batch }) {
    const session = room.tokens.session(p.token);
    for (let start = 0; start < p.count; start += 100) {
      const names = Array.from(
        { length: Math.min(100, p.count - start) },
        (_, at) => `many-${start + at}`,
      );
      batch.intend(names.map((name) => ({ item: name, ckaId: idOf(name) })));
      const outcomes = [];
      for (const name of names) {
        const { spki, spkiSha256 } = await session.generateKeyPair({
          ...{ label: name, ckaId: idOf(name), algorithm: "p-256", purpose: "ca-signing" },
          extractable: true,
        });
        room.attach("application/pkix-spki", spki);
        const facts = [generated(p.token, name, spkiSha256, idOf(name))];
        outcomes.push({ item: name, evidence: {}, facts });
      }
      batch.record(outcomes);
    }
    return { foreseen: [] };
  },
});

function idOf(name: string): string {
  return sha256Hex(name).slice(0, 32);
}

function generated(token: string, name: string, spki: string, ckaId: string) {
  return {
    kind: "key.generated",
    ...{ spki, token, label: name, ckaId },
    algorithm: "p-256",
    purpose: "ca-signing",
    backup: "wrap",
  } as const;
}
