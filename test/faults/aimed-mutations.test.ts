/**
 * C14, C15, Q11, Q12: what somebody who knows the ledger would change in it, its key included. Every one is
 * named; what only a head held outside shows is shown by one, and said to be open without.
 */

import assert from "node:assert/strict";
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
import { AIMED, HOSTILE_SCHEMAS } from "../support/aimed-mutations.ts";
import { REWRITTEN } from "../support/aimed-rewrites.ts";
import { ORIGIN, siteAt } from "../support/rehearsed-site.ts";

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

function changed(name: string, change: (db: Sqlite.Database) => void): string {
  const path = join(folder, `${name.replaceAll(/[^a-z0-9]+/gi, "-")}.db`);
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
    assert.match(findings[0]?.code ?? "", /^(schema\.differs|file\.unreadable)$/);
  });
}
