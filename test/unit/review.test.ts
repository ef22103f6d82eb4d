/** Rules that a reviewer looked for: roles kept apart, hostile records on a screen, what is excluded. */

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { ONLOOKERS } from "../../src/ceremony/words.ts";
import { parseParam } from "../../src/ceremony/script.ts";
import { readPolicy, separationProblem } from "../../src/ceremony/policy.ts";
import { draft } from "../../src/ceremony/record.ts";
import { LedgerStore } from "../../src/ledger/store.ts";
import { signingKeyFromSeed } from "../../src/lib/ed25519.ts";
import { fromHex, groupedHex, sha256Hex } from "../../src/lib/encoding.ts";
import {
  CEREMONIES,
  initOptions,
  ORIGIN,
  refused,
  siteAt,
  succeeded,
  type RehearsedSite,
} from "../support/rehearsed-site.ts";

describe("roles that the policy keeps apart", () => {
  const policy = readPolicy(readFileSync(join(CEREMONIES, "policy.yaml")), "policy.yaml");

  test("Q09: nobody holds two of one list, or another beside one that stands alone", () => {
    assert.match(separationProblem(policy, ["custodian", "internal-witness"]) ?? "", /apart/);
    assert.match(separationProblem(policy, ["auditor", "recorder"]) ?? "", /no other role/);
    assert.equal(separationProblem(policy, ["auditor"]), undefined);
    assert.equal(separationProblem(policy, ["custodian", "security-officer"]), undefined);
    assert.equal(separationProblem(null, ONLOOKERS), undefined);
  });

  test("Q09: a founder who would hold two is refused before anything is made", () => {
    const site = siteAt("made");
    const options = initOptions(site).map((option) =>
      option.endsWith("=custodian") ? `${option},internal-witness` : option,
    );
    const ran = site.keyrite(["init", "--site", join(site.folder, "other"), ...options]);
    refused(ran, "people.role-not-held", "ben: the policy keeps");
  });
});

describe("parameters from the command line", () => {
  const text = { type: "text", about: "anything" } as const;
  for (const [name, value] of [
    ["a letter in two code points", "cafe\u0301"],
    ["a letter that does not show", "a\u3164b"],
    ["text that turns its direction", "a\u202eb"],
    ["a replacement character", "a\ufffdb"],
    ["two lines", "a\nb"],
  ] as const) {
    test(`I04: ${name} is refused before it could break a record`, () => {
      assert.equal(parseParam(text, value).ok, false);
    });
  }
});

describe("verify", () => {
  test("I04: a ceremony id that acts on terminals is shown as text, by verify and by status", () => {
    const site = siteAt("founded");
    append(site, "\u001b[2Jall is well\u202e");
    for (const command of ["verify", "status"]) {
      const { stdout, stderr } = site.keyrite([command]);
      assert.match(stdout + stderr, /\\u\{1b\}\[2Jall is well\\u\{202e\}/);
      assert.doesNotMatch(stdout + stderr, /[\u001b\u202e]/);
    }
  });

  test("an older head excludes less, and a test site is named as one", () => {
    const older = siteAt("prepared");
    const site = siteAt("generated");
    const head = (from: RehearsedSite): string =>
      join(from.medium("ana"), "heads", `${ORIGIN.replaceAll("/", "~")}.note`);
    const newest = succeeded(site.keyrite(["verify", "--head", head(site)])).stdout;
    assert.doesNotMatch(newest, /cut off/);
    assert.match(newest, /^TEST – not a production site$/m);
    const { stdout } = succeeded(site.keyrite(["verify", "--head", head(older)]));
    assert.match(stdout, /Not excluded: that entries after \d+ were replaced or cut off/);
    assert.match(stdout, /Integrity: CONSISTENT WITH ITS OWN GENESIS \(not anchored\)/);
  });
});

test("the paper script names the policy in force, not that of the genesis", () => {
  const site = siteAt("founded");
  const before = readFileSync(site.file("policy.yaml"), "utf8");
  writeFileSync(site.file("policy.next.yaml"), before.replace("minutes: 10", "minutes: 9"));
  succeeded(site.rehearse("change-policy"));
  const adopted = sha256Hex(readFileSync(site.file("policy.yaml")));
  const { stdout } = succeeded(site.keyrite(["paper", "record-deviation"]));
  assert.ok(stdout.includes(groupedHex(adopted)));
});

/** An entry that the owner of the ledger's key appends behind everybody's back. */
function append(site: RehearsedSite, ceremony: string): void {
  const seed = fromHex(readFileSync(site.file("ledger.key"), "utf8").trim());
  assert.ok(seed);
  const ledger = LedgerStore.open(site.file("ledger.db"), {
    write: {
      clock: { now: () => Date.now(), monotonic: () => 0 },
      key: signingKeyFromSeed(seed),
    },
  });
  try {
    ledger.append([draft({ type: "ceremony.opened", ceremony, description: "none" })]);
  } finally {
    ledger.close();
  }
}
