/** `keyrite doctor`: what its lines say. Whole runs of it: sessions/json and sessions/bad-script. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ledgerSaid } from "../../src/cli/doctor.ts";

test("C14: entries that verify and are not believed are warned of, never passed over", () => {
  const all = "7 entries verify; clock and policy agree with them";
  assert.equal(ledgerSaid({ size: 7, findings: [] }), all);
  const text = "entry 4: nobody agreed to it";
  const finding = { code: "authority", seq: 4, text } as const;
  assert.deepEqual(ledgerSaid({ size: 7, findings: [finding] }), {
    text: "7 entries verify, 1 of them not believed: entry 4: nobody agreed to it",
    hints: ["keyrite verify says of each what came of it"],
  });
});
