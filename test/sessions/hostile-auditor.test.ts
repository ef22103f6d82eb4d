/** What somebody hands an auditor so that they come to a better verdict than the ledger deserves. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { madeBundle, trustFile } from "../support/bundles.ts";
import { BIN, cleanEnvironment, keyrite, newFolder, refused } from "../support/rehearsed-site.ts";

const { folder, site } = madeBundle();
const trust = readFileSync(trustFile(), "utf8");
const [genesis = "", key = ""] = trust
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"));

/** The verdict of verifying the bundle with this trust file and a head. */
function verified(lines: readonly string[]): {
  readonly code: number | null;
  readonly text: string;
} {
  const path = join(newFolder(), "trust.txt");
  writeFileSync(path, `${lines.join("\n")}\n`);
  const { code, stdout } = keyrite([
    ...["verify", folder, "--trust", path],
    ...["--head", site.medium("ana")],
  ]);
  return { code, text: stdout };
}

test("the trust file that lies in a bundle anchors nothing, wherever it was copied to", () => {
  const copy = join(folder, "trust.txt");
  const moved = join(newFolder(), "my-trust.txt");
  writeFileSync(moved, readFileSync(copy));
  for (const path of [copy, moved]) {
    refused(keyrite(["verify", folder, "--trust", path]), "usage.bad-file", "cannot vouch");
    const python = spawnSync("python3", [join(folder, "verify.py"), folder, "--trust", path]);
    assert.equal(python.status, 1);
    assert.match(String(python.stderr), /cannot vouch/);
  }
});

test("a trust file with another key besides the ledger's is an anchor, one with only another is none", () => {
  const foreign = `${key.slice(0, -4)}AAA=`;
  const both = verified([genesis, key, foreign]);
  assert.equal(both.code, 0);
  assert.match(both.text, /^Verdict: CONFORMS$/m);
  const other = verified([genesis, foreign]);
  assert.equal(other.code, 6);
  assert.match(other.text, /NOT THE TRUSTED LEDGER/);
  assert.doesNotMatch(other.text, /^Verdict: CONFORMS/m);
});

test("a genesis digest that differs in its last digit is another ledger; two of them are no trust file", () => {
  const last = genesis.endsWith("0") ? "1" : "0";
  const near = verified([`${genesis.slice(0, -1)}${last}`, key]);
  assert.equal(near.code, 6);
  assert.match(near.text, /NOT THE TRUSTED LEDGER/);
  assert.equal(verified([genesis, `${genesis.slice(0, -1)}${last}`, key]).code, 2);
  assert.equal(verified([genesis.toUpperCase().replace("GENESIS", "genesis")]).code, 2);
});

test("I08: a bundle has the same bytes under another umask, zone, language and folder", () => {
  const out = join(newFolder(), "a folder with spaces");
  const words = [process.execPath, BIN, "export", `${out}/b`, "--site", site.site];
  const more = ["--tar", `${out}/b.tar`];
  const shell = 'umask 077; mkdir "$1"; cd /; shift; exec "$@"';
  const env = {
    ...cleanEnvironment(),
    LANG: "tr_TR.UTF-8",
    LC_ALL: "tr_TR.UTF-8",
    TZ: "Asia/Kathmandu",
  };
  const ran = spawnSync("sh", ["-c", shell, "sh", out, ...words, ...more], {
    env,
    encoding: "utf8",
  });
  assert.equal(ran.status, 0, ran.stderr);
  assert.deepEqual(readFileSync(`${out}/b.tar`), readFileSync(madeBundle().tar));
  assert.equal(spawnSync("diff", ["-r", folder, `${out}/b`], { encoding: "utf8" }).stdout, "");
});
