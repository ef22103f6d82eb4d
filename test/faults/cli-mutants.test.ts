/**
 * I01: mutants by the real command. Each is refused with an exit code that says who acts next and words for them, or is
 * accepted as what it is; never a bug, a stack trace or a raw control character.
 */

import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { madeBundle } from "../support/bundles.ts";
import { figure, SEED, sized } from "../support/fault-run.ts";
import { OF_BYTES, OF_TEXT, type Changes } from "../support/file-mutants.ts";
import { mutantOf } from "../support/mutant-sweep.ts";
import { CEREMONIES, newFolder, siteAt, type Ran } from "../support/rehearsed-site.ts";

const site = siteAt("generated");
const place = newFolder();
const read = (path: string): Uint8Array => Uint8Array.from(readFileSync(path));

const [backup = ""] = readdirSync(site.vault("onsite"));
const vault = join(place, "backup");
cpSync(join(site.vault("onsite"), backup), vault, { recursive: true });
const [blob = ""] = readdirSync(join(vault, "keys"));
const names = readdirSync(CEREMONIES).filter((name) => !name.includes(".") && name !== "profiles");

interface Kind {
  readonly originals: Readonly<Record<string, Uint8Array>>;
  readonly changes: Changes;
  /** Puts the mutant where the command finds it, runs it and puts things back. */
  readonly run: (bytes: Uint8Array, name: string) => Ran;
  /** Exit codes that this kind may have: 0 only where a mutant can be a good file of its own. */
  readonly exits: readonly number[];
}

function inPlace(path: string, bytes: Uint8Array, command: readonly string[]): Ran {
  const before = read(path);
  writeFileSync(path, bytes);
  try {
    return site.keyrite(command);
  } finally {
    writeFileSync(path, before);
  }
}

const KINDS: readonly Kind[] = [
  {
    originals: Object.fromEntries(
      names.map((name) => [name, read(join(CEREMONIES, name, "script.yaml"))]),
    ),
    changes: { ...OF_TEXT, ...OF_BYTES },
    run: (bytes) => {
      const path = join(place, "script.yaml");
      writeFileSync(path, bytes);
      return site.keyrite(["check", path]);
    },
    exits: [0, 2, 3],
  },
  {
    originals: { "site.yaml": read(site.file("site.yaml")) },
    changes: { ...OF_TEXT, ...OF_BYTES },
    run: (bytes) => inPlace(site.file("site.yaml"), bytes, ["status"]),
    exits: [0, 2, 3],
  },
  {
    originals: { "policy.yaml": read(site.file("policy.yaml")) },
    changes: { ...OF_TEXT, ...OF_BYTES },
    // Whatever it says: by its digest it is not the policy that the ledger adopted.
    run: (bytes) => inPlace(site.file("policy.yaml"), bytes, ["status"]),
    exits: [3, 6],
  },
  {
    originals: { "bundle.tar": read(madeBundle().tar) },
    changes: OF_BYTES,
    run: (bytes) => {
      const path = join(place, "bundle.tar");
      writeFileSync(path, bytes);
      return site.keyrite(["verify", path, "--trust", site.file("trust.txt")]);
    },
    exits: [2, 6],
  },
  {
    originals: Object.fromEntries(
      ["backup.json", "backup.note", `keys/${blob}`].map((name) => [name, read(join(vault, name))]),
    ),
    changes: { ...OF_TEXT, ...OF_BYTES },
    run: (bytes, name) => {
      const trust = ["--trust", site.file("trust.txt")];
      return inPlace(join(vault, name), bytes, ["backup", "verify", vault, ...trust]);
    },
    exits: [2, 6],
  },
];

/** What is wrong with an answer, or undefined. */
function whyBad(
  { code, signal, stdout, stderr }: Ran,
  exits: readonly number[],
): string | undefined {
  if (signal !== null) return `ended by ${signal}`;
  if (code === null || !exits.includes(code)) return `exit ${String(code)}: ${stderr}`;
  if (/^\s+at .*:\d+:\d+\)?$/m.test(stderr)) return `a stack trace: ${stderr}`;
  const raw = (stdout + stderr).match(/[\p{Cc}\p{Cf}]/gu)?.find((one) => one !== "\n");
  if (raw !== undefined) return `a raw ${JSON.stringify(raw)}`;
  const words = stderr.startsWith("keyrite: ") && / {2}\([a-z]+\.[a-z-]+, exit \d+\)/.test(stderr);
  return code === 0 || words ? undefined : `no refusal in words: ${stderr}`;
}

test("I01: mutants by the command line are refused in words, or are good files", () => {
  const count = sized(25, 2000);
  const counts = { mutants: count, refused: 0, accepted: 0, uncaught: 0 };
  const bad: string[] = [];
  for (let i = 0; i < count; i += 1) {
    const kind = KINDS[i % KINDS.length];
    assert.ok(kind !== undefined);
    const { bytes, about } = mutantOf(kind, i);
    const ran = kind.run(bytes, about.slice(0, about.indexOf(": ")));
    const why = whyBad(ran, kind.exits);
    if (why !== undefined) {
      counts.uncaught += 1;
      bad.push(`mutant ${i} of seed ${SEED}, ${about}: ${why.slice(0, 400)}`);
    } else counts[ran.code === 0 ? "accepted" : "refused"] += 1;
  }
  figure("I01", "mutants by the command line", counts);
  assert.equal(bad.length, 0, bad.slice(0, 4).join("\n"));
  assert.ok(counts.refused > count / 2);
});

const HUGE: Readonly<Record<string, (path: string) => void>> = {
  "a gibibyte": (path) => {
    writeFileSync(path, "a: 1\n");
    truncateSync(path, 2 ** 30);
  },
  "a key of a mebibyte": (path) => {
    writeFileSync(path, `${"k".repeat(1 << 20)}: 1\n`);
  },
  "a key of 200 KiB": (path) => {
    writeFileSync(path, `${"k".repeat(200 << 10)}: 1\n`);
  },
  "200,000 brackets": (path) => {
    writeFileSync(path, "[".repeat(200_000));
  },
  "200,000 dashes": (path) => {
    writeFileSync(path, "- ".repeat(100_000));
  },
  "a bomb of aliases": (path) => {
    const level = (n: number): string => `a${n}: &a${n} [${`*a${n - 1},`.repeat(9)}]`;
    writeFileSync(
      path,
      ["a0: &a0 x", ...Array.from({ length: 40 }, (_, n) => level(n + 1))].join("\n"),
    );
  },
  "100,000 doubled keys": (path) => {
    writeFileSync(path, "a: 1\n".repeat(50_000));
  },
};

for (const [what, make] of Object.entries(HUGE)) {
  test(`I01: ${what} for a script is refused in words`, () => {
    const path = join(place, "huge.yaml");
    make(path);
    const ran = site.keyrite(["check", path]);
    assert.equal(whyBad(ran, [2, 3]), undefined);
    assert.ok(ran.stderr.length < 20_000, "an error that can be read");
  });
}
