/** Completion, in a real bash: what is offered is what the commands take. */

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { CEREMONIES, keyrite } from "../support/rehearsed-site.ts";
import { readdirSync } from "node:fs";

const SCRIPT = keyrite(["completion", "bash"]).stdout;

/** What bash offers after these words, the last of them unfinished. */
function offered(...words: readonly string[]): readonly string[] {
  const ask = [
    SCRIPT,
    'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _keyrite; printf "%s\\n" "${COMPREPLY[@]}"',
  ].join("\n");
  const out = execFileSync("bash", ["-c", ask, "bash", "keyrite", ...words], {
    encoding: "utf8",
    cwd: CEREMONIES,
  });
  return out.split("\n").filter((word) => word !== "");
}

describe("bash", () => {
  test("offers every command that help lists, and only these", () => {
    const help = keyrite(["--help"]).stdout;
    const listed = [...help.matchAll(/^ {2}([a-z][a-z-]*) /gm)].map(([, name]) => name ?? "");
    const names = offered("").filter((word) => !word.startsWith("-"));
    assert.ok(names.length > 8);
    assert.deepEqual(names.toSorted(), listed.filter((name) => name !== "help").toSorted());
  });

  test("offers subcommands and their options", () => {
    assert.deepEqual(offered("identity", "s"), ["show"]);
    assert.ok(offered("identity", "new", "--").includes("--person"));
    assert.ok(!offered("identity", "show", "--").includes("--person"));
  });

  test("offers shipped ceremonies where a script is named, and nowhere else", () => {
    const shipped = readdirSync(CEREMONIES).filter((name) => !name.includes("."));
    for (const name of shipped) assert.ok(offered("run", "").includes(name), name);
    assert.ok(!offered("status", "").includes(shipped[0] ?? ""));
  });

  test("offers folders and files where a value is one, and nothing for a bare value", () => {
    assert.ok(offered("status", "--site", "").includes("generate-root-ca"));
    assert.ok(!offered("status", "--site", "").includes("policy.yaml"));
    assert.ok(offered("init", "--policy", "po").includes("policy.yaml"));
    assert.deepEqual(offered("init", "--origin", ""), []);
  });
});

test("fish and zsh get a script that names every command; another shell is refused", () => {
  for (const shell of ["zsh", "fish"]) {
    const { stdout, code } = keyrite(["completion", shell]);
    assert.equal(code, 0);
    for (const name of offered("")) assert.ok(stdout.includes(name.replace(/^--/, "")), name);
  }
  const parsed = spawnSync("bash", ["-n"], { input: SCRIPT });
  assert.equal(parsed.status, 0, parsed.stderr.toString());
  const ran = keyrite(["completion", "powershell"]);
  assert.equal(ran.code, 2);
  assert.match(ran.stderr, /there is no completion for powershell/);
});
