/** Outputs that go away, and files that are something else: never a stack, never a step in doubt. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  CEREMONIES,
  FOUNDERS,
  keyrite,
  newFolder,
  refused,
  siteAt,
  succeeded,
} from "../support/rehearsed-site.ts";

const site = siteAt("founded");
const PEOPLE = ["--answers", join(CEREMONIES, "people.yaml")];

/** `sh` runs the command as `"$@"` with its outputs redirected. */
function redirected(how: string): readonly string[] {
  return ["sh", "-c", `"$@" ${how}`, "sh"];
}

test("I06: a reader that leaves early is no error of anybody", () => {
  for (const command of ["status", "verify", "doctor"]) {
    const ran = site.keyrite([command], { under: redirected("| true") });
    assert.doesNotMatch(ran.stderr, /EPIPE|Error|at /, command);
  }
});

test("I06: an output that cannot be written is a failure, said in words", () => {
  for (const words of [["status"], ["verify", "--json"], ["--help"]]) {
    const ran = site.keyrite(words, { under: redirected("> /dev/full") });
    refused(ran, "site.disk", "the output could not be written");
    assert.doesNotMatch(ran.stderr, /node:/);
  }
});

test("I06: a ceremony whose talk is no longer seen stops between two steps, on record", () => {
  const own = siteAt("prepared");
  const errors = join(own.folder, "exit");
  const under = ["sh", "-c", `{ "$@"; echo $? > ${errors}; } 2>&1 | head -n 3`, "sh"];
  own.rehearse("generate-root-ca", undefined, [], { under });
  assert.equal(readFileSync(errors, "utf8").trim(), "7");
  const { stdout } = succeeded(own.keyrite(["status", "--json"]));
  const status = JSON.parse(stdout) as { readonly inDoubt: unknown };
  assert.equal(status.inDoubt, null);
  assert.doesNotMatch(stdout, /root-g1/, "no key was made that nobody saw");
  succeeded(own.keyrite(["verify"]));
});

test("S08: what is no file, folder or descriptor of ours is refused at once, never as a bug", () => {
  const folder = newFolder();
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  const file = join(folder, "file");
  writeFileSync(file, "something else\n");
  const fay = ["--person", "fay", "--name", "Fay", "--domain", "example.org", ...PEOPLE];
  const founders = Object.keys(FOUNDERS).length;
  assert.ok(founders >= 2);
  const policy = ["--policy", join(CEREMONIES, "policy.yaml")];
  const run = ["run", "record-deviation", "--answers"];
  const commands: readonly (readonly string[])[] = [
    ["identity", "new", "--medium", file, ...fay],
    ["identity", "new", "--medium", join(file, "below"), ...fay],
    ["identity", "show", "--medium", pipe],
    ["init", "--site", join(file, "below"), "--origin", "a.org/b/test", ...policy],
    ["init", "--site", file, "--origin", "a.org/b/test", ...policy],
    ["demo", "--out", join(file, "below")],
    ["status", "--site", file],
    ["verify", pipe],
    ["verify", "/dev/zero"],
    ["verify", folder],
    ["verify", "--trust", pipe],
    ["verify", "--trust", file],
    ["verify", "--head", pipe],
    ["verify", "--head", file],
    ["verify", "--words", "lantern lantern"],
    [...run, pipe],
    [...run, folder],
    [...run, join(folder, "gone")],
    [...run, file],
    ["run", "record-deviation", ...PEOPLE, "--answers-fd", "99"],
    ["run", "record-deviation", ...PEOPLE, "--answers-fd", "2"],
    ["run", "record-deviation", ...PEOPLE, "--medium", "eve"],
    ["run", pipe, ...PEOPLE],
    ["run", "/dev/zero", ...PEOPLE],
  ];
  const size = site.entries().length;
  for (const words of commands) {
    const ran = site.keyrite(words);
    assert.equal(ran.signal, null, words.join(" "));
    assert.ok([2, 3, 4, 6].includes(ran.code ?? -1), `${words.join(" ")}\n${ran.stderr}`);
    assert.match(ran.stderr, /^ {2}hint: /m, words.join(" "));
    assert.doesNotMatch(ran.stderr, /internal/);
  }
  assert.equal(site.entries().length, size);
});

test("an error shows its stack only when asked", () => {
  const quiet = keyrite(["status", "--site", newFolder()]);
  assert.doesNotMatch(quiet.stderr, /^ {4}at /m);
  const debug = keyrite(["--debug", "status", "--site", newFolder()]);
  assert.match(debug.stderr, /^ {4}at /m);
});
