/** Policies: what is well-formed, what is filled in, and every rule that contradicts another. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { readPolicy, type Policy } from "../../src/ceremony/policy.ts";
import { utf8 } from "../../src/lib/encoding.ts";
import { KeyriteError } from "../../src/lib/errors.ts";

const SETS =
  "activation: { threshold: 2, holders: 3 }, security-officer: { threshold: 3, holders: 5 }";

function policy(lines = "", sets = ""): Policy {
  const text = `keyrite: policy/v1
shareSets: { ${sets.startsWith(",") || sets === "" ? SETS : ""}${sets} }
agreement: { minutes: 10 }
algorithms: [p-256]
kdf: { logN: 12 }
hsms: [ { manufacturer: "SoftHSM project" } ]
${lines}
`;
  return readPolicy(utf8(text), "policy.yaml");
}

test("what is left out is the careful choice", () => {
  const { kek, copies, drills, shareSets } = policy();
  assert.deepEqual(kek, { escrow: "forbidden" });
  assert.deepEqual(copies, { tokens: 2, offSite: 1 });
  assert.deepEqual(drills, { maxAgeDays: 90 });
  assert.equal(shareSets.kek, undefined);
});

test("what is given is what is read", () => {
  const lines = `kek: { escrow: allowed, cps: "CPS:6.2.4" }
copies: { tokens: 3, offSite: 0 }
drills: { maxAgeDays: 30, rtoMinutes: 240, rpoDays: 31 }`;
  const { kek, copies, drills, shareSets } = policy(lines, ", kek: { threshold: 3, holders: 4 }");
  assert.deepEqual(kek, { escrow: "allowed", cps: "CPS:6.2.4" });
  assert.deepEqual(copies, { tokens: 3, offSite: 0 });
  assert.deepEqual(drills, { maxAgeDays: 30, rtoMinutes: 240, rpoDays: 31 });
  assert.deepEqual(shareSets.kek, { threshold: 3, holders: 4 });
});

const REFUSED: Readonly<Record<string, readonly [lines: string, sets: string, says: RegExp]>> = {
  "escrow without a place in the CPS": [
    "kek: { escrow: allowed }",
    "",
    /kek\.escrow: allowed needs kek\.cps, the place in the CPS that allows it/,
  ],
  "escrow that is neither": ['kek: { escrow: "no" }', "", /"no" is not one of forbidden, allowed/],
  "an empty place in the CPS": [
    'kek: { escrow: allowed, cps: "" }',
    "",
    /policy\.yaml:7:.*at least 1 character/,
  ],
  "a KEK split more thinly than a PIN": [
    "",
    ", kek: { threshold: 1, holders: 3 }",
    /policy\.yaml:2:/,
  ],
  "a KEK opened by fewer people than a token": [
    "",
    "activation: { threshold: 3, holders: 3 }, security-officer: { threshold: 3, holders: 5 }, kek: { threshold: 2, holders: 5 }",
    /the kek threshold must not be below the activation threshold/,
  ],
  "a KEK with more shares needed than made": [
    "",
    ", kek: { threshold: 4, holders: 3 }",
    /threshold must not exceed holders/,
  ],
  "no copy on any token": ["copies: { tokens: 0, offSite: 0 }", "", /policy\.yaml:7:/],
  "copies that are half a rule": ["copies: { tokens: 2 }", "", /policy\.yaml:7:.*offSite/],
  "less than no copy off site": ["copies: { tokens: 1, offSite: -1 }", "", /policy\.yaml:7:/],
  "drills of no age": ["drills: { rtoMinutes: 5 }", "", /policy\.yaml:7:.*maxAgeDays/],
  "drills that take no time": ["drills: { maxAgeDays: 9, rtoMinutes: 0 }", "", /policy\.yaml:7:/],
  "drills of half days": ["drills: { maxAgeDays: 9, rpoDays: 1.5 }", "", /policy\.yaml:7:/],
  "a misspelt rule": ["drills: { maxAgeDays: 9, rpoDay: 1 }", "", /did you mean "rpoDays"\?/],
};

for (const [what, [lines, sets, says]] of Object.entries(REFUSED)) {
  test(`a policy is refused: ${what}`, () => {
    assert.throws(
      () => policy(lines, sets),
      (error) => {
        assert.ok(error instanceof KeyriteError);
        assert.equal(error.code.split(".")[0], "script");
        assert.match([error.message, ...error.hints].join("\n"), says);
        return true;
      },
    );
  });
}
