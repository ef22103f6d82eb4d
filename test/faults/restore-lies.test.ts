/**
 * H06, H19: a token that lies while a key comes back: every attribute of both halves, the signature that proves the
 * key, and the key itself. What differs from the record is no restored key, and nothing of it stays on the token.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { recordedKey } from "../../src/hsm/recorded-key.ts";
import { restoreTemplates } from "../../src/hsm/restore-templates.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { unwrapped, wrappable, wrapOne } from "../support/backup-rig.ts";
import { figure } from "../support/fault-run.ts";
import { caOnly, flipped, withLost, type Lost } from "../support/lost-key.ts";

const ALGORITHMS = ["p-256", "p-384", "p-521", "ed25519"] as const;

const LIES: readonly ((value: Uint8Array) => Uint8Array | undefined)[] = [
  flipped,
  (value) => value.map((byte, index) => (index === value.length - 1 ? byte ^ 1 : byte)),
  (value) => value.subarray(1),
  (value) => Uint8Array.of(...value, 0),
  () => undefined,
];

test("H06 H19: what comes back with another attribute, signature or key is not restored", async () => {
  const counts = {
    attributes: 0,
    signatures: 0,
    keys: 0,
    caught: 0,
    passed: 0,
    left: 0,
    restored: 0,
  };
  const through: string[] = [];
  /** One restore, under the lie that is set now. */
  const attempt = async (state: Lost, what: string): Promise<void> => {
    let isCaught: boolean;
    try {
      const [one] = await unwrapped(state, [state.lost], { as: "token" });
      isCaught = one?.status === "problem";
    } catch (error) {
      if (!(error instanceof KeyriteError)) throw error;
      isCaught = true;
    }
    counts[isCaught ? "caught" : "passed"] += 1;
    if (!isCaught) through.push(what);
    state.rig.faults.attribute = state.rig.faults.signature = state.rig.faults.blob = undefined;
    const left = await caOnly(state);
    counts.left += left;
    if (left > 0) through.push(`${what}: ${left} left`);
  };
  for (const algorithm of ALGORITHMS) {
    await withLost(
      async (state) => {
        // Found out beforehand: the probe is not what is tried here.
        await state.session.wireFormats();
        const key = recordedKey(state.lost.spki, algorithm);
        const templates = restoreTemplates({ label: "root", ckaId: state.lost.ckaId }, key, true);
        for (const [half, entries] of [
          ["private", templates.privateKey],
          ["public", templates.publicKey],
        ] as const) {
          for (const { name } of entries.filter((one) => one.name !== "CLASS")) {
            for (const [index, answer] of LIES.entries()) {
              state.rig.faults.attribute = { half, name, answer };
              counts.attributes += 1;
              await attempt(state, `${algorithm} ${half} ${name} ${index}`);
            }
          }
        }
        for (const [index, lie] of LIES.entries()) {
          state.rig.faults.signature = (value) => lie(value) ?? new Uint8Array(0);
          counts.signatures += 1;
          await attempt(state, `${algorithm} signature ${index}`);
        }
        for (const other of ALGORITHMS) {
          const made = await state.session.generateKeyPair(wrappable(other, `other-${other}`));
          const { blob } = await wrapOne(state, made);
          state.rig.faults.blob = () => blob;
          counts.keys += 1;
          await attempt(state, `${algorithm}, another key of ${other}`);
        }
        const [honest] = await unwrapped(state, [state.lost], { as: "token" });
        if (honest?.status === "ok") counts.restored += 1;
      },
      {},
      algorithm,
    );
  }
  figure("H19", "restored keys with another attribute, signature or value", counts);
  assert.deepEqual(through, []);
  assert.deepEqual([counts.passed, counts.left, counts.restored], [0, 0, ALGORITHMS.length]);
});
