/** C19: a ledger of every version of the format that was ever released verifies, for ever. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { SCHEMA_VERSION } from "../../src/ledger/schema.ts";
import { keyrite, newFolder, refused, succeeded } from "../support/rehearsed-site.ts";

const RELEASED = join(import.meta.dirname, "..", "released");
const versions = readdirSync(RELEASED).filter((name) => name.startsWith("v"));

/** The ledger of a version in a folder of its own, and the options that anchor it. */
function unpacked(version: string): {
  readonly ledger: string;
  readonly anchors: readonly string[];
} {
  const ledger = join(newFolder(), "ledger.db");
  writeFileSync(ledger, gunzipSync(readFileSync(join(RELEASED, version, "ledger.db.gz"))));
  const [trust, head] = ["trust.txt", "head.note"].map((name) => join(RELEASED, version, name));
  return { ledger, anchors: ["--trust", trust ?? "", "--head", head ?? ""] };
}

test("C19: the present version has a ledger among them", () => {
  assert.ok(versions.includes(`v${SCHEMA_VERSION}`));
});

for (const version of versions) {
  test(`C19: the ledger of format ${version} opens, verifies and conforms, and is not written to`, () => {
    const { ledger, anchors } = unpacked(version);
    const before = readFileSync(ledger);
    const { stdout } = succeeded(keyrite(["verify", ledger, ...anchors]));
    assert.match(stdout, /^Verdict: CONFORMS/m);
    assert.doesNotMatch(stdout, /CANNOT TELL|VIOLATION/);
    assert.deepEqual(readFileSync(ledger), before);
  });

  test(`C19: the ledger of format ${version} with one byte altered does not`, () => {
    const { ledger, anchors } = unpacked(version);
    const altered = readFileSync(ledger);
    const at = altered.indexOf('"type":"ceremony.closed"') + 9;
    altered[at] = (altered[at] ?? 0) ^ 1;
    writeFileSync(ledger, altered);
    refused(keyrite(["verify", ledger, ...anchors]), "ledger.damaged");
  });
}
