/**
 * A drill goes on after a failure, so each of its failures must leave nothing behind: every call that changes a token,
 * reported as failed behind its work or before it, with the device gone from then on, or with the module ended. When
 * the drill is closed, at once or gone on with, the tokens hold what they held before it.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Tally, type Life } from "../support/crash-life.ts";
import { walk, type Whole } from "../support/crash-walk.ts";
import { figure, sampled } from "../support/fault-run.ts";
import type { ShimAction } from "../support/shim.ts";

const CHANGE =
  /^C_(CreateObject|CopyObject|DestroyObject|SetAttributeValue|GenerateKey|GenerateKeyPair|UnwrapKey|DeriveKey)$/;
const ACTIONS: readonly ShimAction[] = ["after:0x30", "before:0x30", "gone", "crash-after"];
const AT_A_TIME = 3;

function lives({ calls }: Whole): readonly Life[] {
  const acts = calls.filter((name) => CHANGE.test(name));
  assert.ok(acts.length > 20, acts.join(" "));
  return acts.flatMap((_, index) =>
    ACTIONS.map((action): Life => {
      const first = { at: "call", name: "acts", nth: index + 1, action } as const;
      return { first, again: [], prefer: ["undo", "finish"] };
    }),
  );
}

test("C03 H02 H16: a restore drill that fails at any act on a token leaves nothing behind", async () => {
  const tally = new Tally();
  await walk(["restore-drill"], async (whole) => {
    // An odd number of parts, so that a sample holds each kind of failure.
    const left = [...sampled(lives(whole), 9)];
    const lane = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        await tally.live(whole, next);
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, lane));
  });
  figure("C03", "acts of a restore drill that fail, one by one", tally.counts("faults"));
  assert.deepEqual(tally.failures, []);
});
