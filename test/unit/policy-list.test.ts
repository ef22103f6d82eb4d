/** Which token the policy's list lets in, by manufacturer, model, firmware and the digest of its module. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readPolicy, type Policy } from "../../src/ceremony/policy.ts";
import { whyNotAllowed } from "../../src/ceremony/token-room.ts";
import type { TokenInfo } from "../../src/hsm/token.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import { CEREMONIES } from "../support/rehearsed-site.ts";

const file = join(CEREMONIES, "policy.yaml");
const shipped = readPolicy(readFileSync(file), file);
const moduleDigest = sha256Hex("the module");
const token: TokenInfo = {
  ...{ label: "alpha", serial: "0001", manufacturer: "Example HSM", model: "X", firmware: "1.2" },
  ...{ hardware: "1.0", initialized: true, userPinSet: true, pinWarnings: [], waivers: [] },
  ...{ pinLength: { min: 8, max: 64 }, profile: "generic", moduleDigest },
  ...{ algorithms: [], mechanisms: [] },
};

function allowing(rule: Partial<Policy["hsms"][number]>): Policy {
  return { ...shipped, hsms: [{ manufacturer: "Example HSM", ...rule }] };
}

const PINNED = { model: "X", firmware: "1.2", moduleDigest };

test("H15: production lets in the module with the listed digest alone, and none that is not pinned", () => {
  assert.equal(whyNotAllowed(token, allowing(PINNED), "production"), undefined);
  const other = allowing({ ...PINNED, moduleDigest: sha256Hex("a shim before it") });
  assert.match(whyNotAllowed(token, other, "production") ?? "", /not on the policy's list/);
  const unpinned = allowing({ model: "X", firmware: "1.2" });
  assert.match(whyNotAllowed(token, unpinned, "production") ?? "", /not on the policy's list/);
});

test("a test site lets in what its list names, and no other digest than it names", () => {
  assert.equal(whyNotAllowed(token, allowing({}), "test"), undefined);
  const other = allowing({ moduleDigest: sha256Hex("another") });
  assert.match(whyNotAllowed(token, other, "test") ?? "", /not on the policy's list/);
  for (const rule of [{ model: "Y" }, { firmware: "1.3" }, { manufacturer: "Other" }]) {
    assert.match(whyNotAllowed(token, allowing(rule), "test") ?? "", /not on the policy's list/);
  }
});
