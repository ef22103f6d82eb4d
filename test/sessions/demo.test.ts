/** The demo as a newcomer runs it: no questions, every command shown, everything kept in one folder. */

import assert from "node:assert/strict";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { keyrite, newFolder, refused, succeeded } from "../support/rehearsed-site.ts";

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    statSync(join(folder, name)).isFile(),
  );
}

test("the whole story: commands, certificate, verdict, the head in words, and what to try next", () => {
  const out = join(newFolder(), "made", "by", "the", "demo");
  const { stdout } = succeeded(keyrite(["demo", "--out", out]));
  const files = filesBelow(out);
  const ledgers = files.filter((name) => name.endsWith("ledger.db"));
  assert.equal(ledgers.length, 1);
  assert.equal(files.filter((name) => name.endsWith(".pem")).length, 1);
  assert.equal(files.filter((name) => /-journal$|\.holder$/.test(name)).length, 0);

  const commands = stdout.split("\n").filter((line) => line.startsWith("$ "));
  for (const words of [
    "identity new",
    "init",
    "check",
    "run establish-site",
    "run generate-root-ca",
  ]) {
    assert.ok(
      commands.some((line) => line.startsWith(`$ keyrite ${words} `)),
      words,
    );
  }
  assert.ok(commands.some((line) => line.startsWith("$ openssl verify -x509_strict")));
  const end = stdout.slice(stdout.lastIndexOf("$ openssl x509"));
  assert.match(end, /Subject: .*CN ?= ?Demo Root G1/);
  assert.match(end, /^Head.*:$/m);
  assert.match(end, /^ {4}([A-Za-z]+ ){7}[A-Za-z]+$/m);
  assert.match(end, /^Integrity: CONSISTENT$/m);
  assert.match(end, /^Verdict: CONFORMS$/m);
  const order = ["Subject:", "Verdict:", "Try next:"].map((text) => end.indexOf(text));
  assert.deepEqual(
    order,
    [...order].sort((a, b) => a - b),
  );
  assert.ok(!order.includes(-1));

  // What it shows can be repeated by hand, from where it was started.
  const [last] = commands.filter((line) => line.startsWith("$ keyrite verify"));
  const words = (last ?? "").replaceAll("'", "").split(" ").slice(2);
  assert.match(succeeded(keyrite(words)).stdout, /^Verdict: CONFORMS$/m);

  const again = keyrite(["demo", "--out", out]);
  refused(again, "site.exists", "is not an empty folder");
  assert.deepEqual(filesBelow(out), files);
});

test("shipped ceremonies by name, each with all that must come before it", () => {
  const out = join(newFolder(), "demo");
  const names = ["enroll-person", "change-policy", "record-deviation"];
  const { stdout } = succeeded(keyrite(["demo", ...names, "--out", out]));
  for (const name of ["establish-site", ...names]) {
    assert.equal(stdout.split(`$ keyrite run ${name} `).length, 2, name);
  }
  assert.doesNotMatch(stdout, /run generate-root-ca/);
});

test("a folder that holds anything, or a ceremony that does not ship, is refused", () => {
  const out = newFolder();
  mkdirSync(join(out, "sub"));
  refused(keyrite(["demo", "--out", out]), "site.exists");
  const file = join(newFolder(), "file");
  writeFileSync(file, "");
  refused(keyrite(["demo", "--out", file]), "site.exists", "not an empty folder");
  const typo = join(newFolder(), "demo");
  refused(keyrite(["demo", "generate-rot-ca", "--out", typo]), "usage.bad-option", "shipped:");
});
