/**
 * C14, C15, Q11, Q12: what somebody who knows the ledger would change in it, its key included. Every one is
 * named; what only a head held outside shows is shown by one, and said to be open without.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import Sqlite from "better-sqlite3";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { headGiven } from "../../src/cli/heads-given.ts";
import { judgeLedger, type Judged } from "../../src/cli/judge.ts";
import { readTrust } from "../../src/cli/verify.ts";
import { overallVerdict } from "../../src/cli/verify-json.ts";
import { signingKeyFromSeed } from "../../src/lib/ed25519.ts";
import { fromHex } from "../../src/lib/encoding.ts";
import { AIMED } from "../support/aimed-mutations.ts";
import { REWRITTEN } from "../support/aimed-rewrites.ts";
import { HOSTILE_SCHEMAS } from "../support/aimed-schemas.ts";
import { figure } from "../support/fault-run.ts";
import { ORIGIN, ROOT, siteAt } from "../support/rehearsed-site.ts";

const ALL = [...AIMED, ...REWRITTEN.map((one) => ({ ...one, name: `Q11: ${one.name}` }))];
const site = siteAt("generated");
const entries = site.entries();
const key = signingKeyFromSeed(
  fromHex(readFileSync(site.file("ledger.key"), "utf8").trim()) ?? assert.fail("no key"),
);
const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "keyrite-aimed-"));
after(() => {
  rmSync(folder, { recursive: true });
});

/** Judged with the trust file, and with the head of a medium or without. */
async function judged(
  path: string,
  heads: readonly string[] = [site.medium("ana")],
): Promise<Judged> {
  const trust = readTrust({ trust: site.file("trust.txt") });
  return judgeLedger(path, { trust, heads: heads.map(headGiven), workers: 0 });
}

/** What each file came to: whether something is broken by itself, and whether the head shows it. */
const ours = new Map<string, { readonly alone: boolean; readonly headed: boolean }>();

/** Whether a rule is broken; what is out of its course and on record is none. */
function isBroken(verdict: Judged): boolean {
  return verdict.findings.length > 0 || overallVerdict(verdict) === "DOES NOT CONFORM";
}

/** All that is named, as `code seq text`. */
function naming({ findings, conformance }: Judged): readonly string[] {
  const all = conformance === null ? [] : [conformance, ...conformance.ceremonies];
  return [
    ...findings.map(({ code, seq, text }) => `${code} ${seq ?? "-"} ${text}`),
    ...all.flatMap(({ violations }) =>
      violations.map(({ code, seq, text }) => `${code} ${seq ?? "-"} ${text}`),
    ),
    ...all.flatMap(({ exceptions }) => exceptions.map(({ text }) => text)),
  ];
}

const fileOf = (name: string): string => `${name.replaceAll(/[^a-z0-9]+/gi, "-")}.db`;

function changed(name: string, change: (db: Sqlite.Database) => void): string {
  const path = join(folder, fileOf(name));
  copyFileSync(site.file("ledger.db"), path);
  const db = new Sqlite(path);
  change(db);
  db.close();
  return path;
}

/** The tables without their guards, which stand again afterwards. */
function unguarded(db: Sqlite.Database, act: () => void): void {
  const sql = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'";
  const triggers = db.prepare(sql).all() as { name: string; sql: string }[];
  db.transaction(() => {
    for (const { name } of triggers) db.exec(`DROP TRIGGER ${name}`);
    act();
    for (const one of triggers) db.exec(one.sql);
  })();
}

test("the untouched ledger conforms, and so does a copy made the way the changed ones are", async () => {
  const path = changed("untouched", (db) => {
    unguarded(db, () => undefined);
  });
  const verdict = await judged(path);
  assert.deepEqual(naming(verdict), []);
  assert.equal(overallVerdict(verdict), "CONFORMS");
  ours.set(fileOf("untouched"), { alone: false, headed: false });
  assert.ok(ALL.length + HOSTILE_SCHEMAS.length >= 40);
});

for (const { name, change, says, onlyWithHead } of ALL) {
  test(name, async () => {
    const path = changed(name, (db) => {
      unguarded(db, () => {
        change({ db, entries, key, origin: ORIGIN });
      });
    });
    const verdict = await judged(path);
    const named = naming(verdict);
    assert.ok(
      named.some((one) => says.test(one)),
      JSON.stringify([verdict.verdict, named.slice(0, 8)]),
    );
    assert.notEqual(overallVerdict(verdict), "CONFORMS");
    const alone = await judged(path, []);
    ours.set(fileOf(name), { alone: isBroken(alone), headed: isBroken(verdict) });
    assert.ok(!overallVerdict(alone).startsWith("CONFORMS"), "without a head nothing conforms");
    if (onlyWithHead === undefined) return;
    const hidden = naming(alone).every((one) => !says.test(one));
    assert.ok(hidden, "a head is what shows it");
  });
}

for (const [name, sql] of HOSTILE_SCHEMAS) {
  test(`C15: ${name}`, async () => {
    const path = changed(name, (db) => {
      db.unsafeMode(true);
      db.exec(sql);
    });
    const { verdict, findings } = await judged(path);
    assert.equal(verdict, "DAMAGED");
    ours.set(fileOf(name), { alone: true, headed: true });
    assert.match(findings[0]?.code ?? "", /^(schema\.differs|file\.unreadable)$/);
  });
}

interface Theirs {
  readonly findings: readonly unknown[];
  readonly outside: readonly unknown[];
}

test("C14, C15, Q11, Q12: the second verifier finds every one of them as well, with the head or without", () => {
  const program = join(ROOT, "test", "support", "second-verifier.py");
  const head = join(site.medium("ana"), "heads", `${ORIGIN.replaceAll("/", "~")}.note`);
  const words = [program, join(ROOT, "docs", "verify.py"), folder, site.file("trust.txt"), head];
  const python = spawnSync("python3", words, { encoding: "utf8", maxBuffer: 1 << 28 });
  assert.equal(python.status, 0, python.stderr);
  const { judged: theirs } = JSON.parse(python.stdout) as { judged: Record<string, Theirs> };
  assert.deepEqual(Object.keys(theirs).sort(), [...ours.keys()].sort());
  const apart = Object.entries(theirs).filter(([name, { findings, outside }]) => {
    const alone = findings.length > 0;
    const known = ours.get(name);
    return known?.alone !== alone || known.headed !== (alone || outside.length > 0);
  });
  const [tried, disagreed] = [ours.size - 1, apart.length];
  figure("C14", "aimed changes of a ledger, two verifiers", { tried, disagreed });
  assert.deepEqual(apart, []);
});
