/** The layers hold, and a breach of each rule would be seen. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { breaches, type Sources } from "./architecture/rules.ts";

const ROOT = join(import.meta.dirname, "..");

function readSources(): Sources {
  const paths = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => `src/${path}`);
  return new Map(paths.map((path) => [path, readFileSync(join(ROOT, path), "utf8")]));
}

test("the sources keep the rules of the layers", () => {
  const sources = readSources();
  assert.ok(sources.size > 10, "the sources were found");
  assert.deepEqual(breaches(sources), []);
});

test("test, bench, bin and measure files stay under 300 lines too", () => {
  const long = ["test", "bench", "bin", "measure"].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
      .filter((path) => /\.(ts|js|mjs)$/.test(path) && !path.startsWith("node_modules"))
      .filter((path) => readFileSync(join(ROOT, folder, path), "utf8").split("\n").length > 301)
      .map((path) => `${folder}/${path}`),
  );
  assert.deepEqual(long, []);
});

/** Each plants one file (path, text) and names what must be said about it. */
const PLANTED: readonly (readonly [path: string, text: string, breach: string])[] = [
  ["src/lib/x.ts", 'import "../ledger/note.ts";', "src/lib/x.ts (lib) imports src/ledger/note.ts"],
  [
    "src/hsm/x.ts",
    'import "../ledger/y.ts";',
    "src/hsm/x.ts (hsm) imports src/ledger/y.ts (ledger)",
  ],
  [
    "src/people/x.ts",
    'import type { Y } from "../shares/y.ts";',
    "imports src/shares/y.ts (shares)",
  ],
  ["src/pki/x.ts", 'export * from "../hsm/token.ts";', "imports src/hsm/token.ts (hsm)"],
  [
    "src/shares/x.ts",
    'type T = import("../hsm/token.ts").Token;',
    "imports src/hsm/token.ts (hsm)",
  ],
  [
    "src/ledger/x.ts",
    'export const y = () => import("../people/y.ts");',
    "src/people/y.ts (people)",
  ],
  ["src/backups/x.ts", 'import "../people/y.ts";', "(backups) imports src/people/y.ts (people)"],
  ["src/console/x.ts", 'import "../ceremony/run.ts";', "imports src/ceremony/run.ts (ceremony)"],
  ["src/ceremony/x.ts", 'import "../actions/index.ts";', "imports src/actions/index.ts (actions)"],
  ["src/ceremony/x.ts", 'import "../report/paper.ts";', "imports src/report/paper.ts (report)"],
  ["src/report/x.ts", 'import "../actions/index.ts";', "imports src/actions/index.ts (actions)"],
  ["src/actions/x.ts", 'import "../report/paper.ts";', "imports src/report/paper.ts (report)"],
  ["src/actions/x.ts", 'import "../cli/main.ts";', "imports src/cli/main.ts (cli)"],
  ["src/actions/x.ts", 'import { rm } from "node:fs/promises";', "imports node:fs/promises"],
  ["src/actions/x.ts", 'import { spawn } from "node:child_process";', "imports node:child_process"],
  [
    "src/actions/x.ts",
    'import { env } from "node:process";',
    "is an action and imports node:process",
  ],
  ["src/actions/x.ts", 'import inquirer from "inquirer";', "is an action and imports inquirer"],
  ["src/actions/x.ts", 'import "../hsm/pkcs11-session.ts";', "imports src/hsm/pkcs11-session.ts"],
  ["src/actions/x.ts", 'import "../hsm/pins.ts";', "is an action and imports src/hsm/pins.ts"],
  ["src/actions/x.ts", 'import "../console/terminal.ts";', "imports src/console/terminal.ts"],
  ["src/actions/x.ts", 'import "../console/scripted.ts";', "imports src/console/scripted.ts"],
  [
    "src/actions/x.ts",
    'import "../console/secret-reader.ts";',
    "imports src/console/secret-reader.ts",
  ],
  [
    "src/actions/x.ts",
    'import type { S } from "../ledger/store.ts";',
    "imports src/ledger/store.ts",
  ],
  ["src/actions/x.ts", "export const x = 1;", "src/actions/x.ts is not in src/actions/index.ts"],
  ["src/lib/x.ts", 'import { Command } from "commander";', "src/lib/x.ts imports commander"],
  [
    "src/pki/x.ts",
    'import ansi from "chalk/ansi";',
    "chalk is imported by src/lib/style.ts and src/pki/x.ts",
  ],
  ["src/lib/x.ts", "export const x = process.env.HOME;", "src/lib/x.ts uses process.env"],
  ["src/lib/x.ts", "globalThis.process.exit(1);", "src/lib/x.ts uses process.exit"],
  ["src/lib/x.ts", 'import { env } from "node:process";', "src/lib/x.ts imports node:process"],
  ["src/lib/x.ts", "export const x = Date.now;", "src/lib/x.ts uses Date.now"],
  ["src/lib/x.ts", "export const x = Math.random();", "src/lib/x.ts uses Math.random"],
  ["src/lib/x.ts", "export const x = new Date();", "src/lib/x.ts uses new Date()"],
  ["src/lib/x.ts", "console.log(1);", "src/lib/x.ts uses console.log"],
  [
    "src/lib/x.ts",
    "export const x = (y: string) => import(y);",
    "src/lib/x.ts imports a computed name",
  ],
  ["src/lib/x.ts", "\n".repeat(301), "src/lib/x.ts has 301 lines"],
  ["src/watch/x.ts", "export const x = 1;", "src/watch/x.ts lies in no layer"],
];

const CLEAN: readonly (readonly [path: string, text: string])[] = [
  ["src/lib/style.ts", 'import { Chalk } from "chalk";'],
  ["src/actions/index.ts", ""],
];

for (const [path, text, breach] of PLANTED) {
  test(`a planted breach is named: ${path}: ${text.trim().slice(0, 60)}`, () => {
    const clean = new Map(CLEAN);
    assert.deepEqual(breaches(clean), []);
    const found = breaches(clean.set(path, text));
    assert.ok(
      found.some((sentence) => sentence.includes(breach)),
      found.join("\n"),
    );
  });
}

test("what is allowed is not objected to", () => {
  const sources = new Map([
    ["src/cli/x.ts", 'import { Command } from "commander"; process.exit(Date.now() + new Date());'],
    [
      "src/cli/y.ts",
      'import { Option } from "commander"; console.log(process.env, Math.random());',
    ],
    ["src/actions/index.ts", 'import { x } from "./x.ts";'],
    ["src/actions/x.ts", 'import type { Session } from "../hsm/token.ts";'],
    ["src/actions/lib/help.ts", 'import "../../ceremony/action.ts";'],
    ["src/ceremony/x.ts", "export const f = (console: Console) => { console.warn(1); };"],
    ["src/lib/x.ts", "// Date.now() is not for us\nexport const x = new Date(0);"],
    ["src/lib/y.ts", `export const y = "process.env";${"\n".repeat(300)}`],
  ]);
  assert.deepEqual(breaches(sources), []);
});
