/** A status that was kept is the fold's, word for word, or it is not taken. */

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import Sqlite from "better-sqlite3";
import { certificatesStatus } from "../../src/ceremony/certificate-status.ts";
import { concerns } from "../../src/ceremony/concerns.ts";
import { keyStatuses } from "../../src/ceremony/key-status.ts";
import type { StatusHistory } from "../../src/ceremony/status-history.ts";
import { openSite, type OpenSite } from "../../src/cli/site.ts";
import { keepStatus, keptStatus } from "../../src/cli/status-cache.ts";
import { statusLines } from "../../src/cli/status-lines.ts";
import { signingKeyFromSeed } from "../../src/lib/ed25519.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { LedgerStore } from "../../src/ledger/store.ts";
import { siteAt, succeeded, type RehearsedSite } from "../support/rehearsed-site.ts";

const NOW = Date.parse("2031-01-01T00:00:00Z");
/** However small the ledger. */
const ANY = 1;

function keyOf(site: RehearsedSite): ReturnType<typeof signingKeyFromSeed> {
  return signingKeyFromSeed(
    Buffer.from(readFileSync(site.file("ledger.key"), "utf8").trim(), "hex"),
  );
}

/** Folds the site, keeps its status as a ceremony would that has just closed, and hands both over. */
function kept(
  site: RehearsedSite,
  key = keyOf(site),
  change: (history: OpenSite["history"]) => OpenSite["history"] = (history) => history,
): OpenSite {
  const open = openSite(site.site, { write: false });
  open.ledger.close();
  withLedger(site, (ledger) => {
    keepStatus(open, ledger, change(open.history), key, ANY);
  });
  return open;
}

function withLedger<T>(site: RehearsedSite, body: (ledger: LedgerStore) => T): T {
  const ledger = LedgerStore.open(site.file("ledger.db"));
  try {
    return body(ledger);
  } finally {
    ledger.close();
  }
}

function taken(site: RehearsedSite, open: OpenSite): StatusHistory | undefined {
  return withLedger(site, (ledger) => keptStatus(open, ledger, ANY));
}

function said(history: StatusHistory, { genesis, policy }: OpenSite): readonly string[] {
  const keys = keyStatuses(history.custody, policy, NOW);
  const certificates = certificatesStatus(history.custody, NOW);
  const view = { keys, certificates, concerns: concerns(history, keys, certificates), all: true };
  return statusLines({ history, genesis, ledger: { root: () => new Uint8Array(32) } }, view);
}

/** A site with keys, copies, certificates and an abandoned ceremony on record. */
const rich = siteAt("prepared");
succeeded(rich.rehearse("generate-root-ca"));

test("it says what the fold says, word for word", () => {
  const open = kept(rich);
  const history = taken(rich, open) ?? assert.fail("the kept status is taken");
  assert.deepEqual(said(history, open), said(open.history, open));
  assert.ok(said(history, open).length > 40);
});

test("C14: a kept status with another byte anywhere is not taken, or says the same", () => {
  const site = siteAt("founded");
  const open = kept(site);
  const file = site.file("status.cache");
  const honest = readFileSync(file);
  const lines = said(taken(site, open) ?? assert.fail(), open);
  for (let at = 0; at < honest.length; at += 7) {
    const bent = Uint8Array.from(honest);
    bent[at] = (bent[at] ?? 0) ^ 1;
    writeFileSync(file, bent);
    const history = taken(site, open);
    if (history !== undefined) assert.deepEqual(said(history, open), lines, `byte ${at}`);
  }
  for (const length of [0, 1, 100, honest.length - 1]) {
    writeFileSync(file, honest.subarray(0, length));
    assert.equal(taken(site, open), undefined, `${length} bytes`);
  }
});

test("who holds the ledger's key cannot have it show another custody", () => {
  const site = siteAt("founded");
  const people = new Map<string, never>();
  const open = kept(site, keyOf(site), (history) => {
    return { ...history, custody: { ...history.custody, people } };
  });
  assert.equal(taken(site, open), undefined);
});

test("who lacks the ledger's key cannot make one", () => {
  const site = siteAt("founded");
  const open = kept(site, signingKeyFromSeed(new Uint8Array(32).fill(9)));
  assert.equal(taken(site, open), undefined);
});

test("C17: a kept status of an earlier head is not taken, before or after the next ceremony", () => {
  const site = siteAt("founded");
  const open = kept(site);
  const declined = site.rehearse("initialize-token", (answers) => {
    answers.agree = { initialize: ["ana"] };
  });
  assert.notEqual(declined.code, 0);
  assert.equal(taken(site, open), undefined, "a ceremony is open");
  const later = siteAt("founded");
  const before = kept(later);
  succeeded(later.rehearse("initialize-token"));
  assert.equal(taken(later, before), undefined, "a ceremony has closed since");
});

test("without the cosignatures on the close, or with another last entry, it is not taken", () => {
  for (const spoil of [
    "DELETE FROM cosignatures",
    "UPDATE entries SET body = replace(body, 'ceremony.closed', 'ceremony.opened')",
    "UPDATE checkpoints SET note = replace(note, '\u2014', '-')",
  ]) {
    const site = siteAt("founded");
    const open = kept(site);
    assert.ok(taken(site, open), spoil);
    const db = new Sqlite(site.file("ledger.db"));
    for (const trigger of db
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
      .pluck()
      .all()) {
      db.exec(`DROP TRIGGER "${String(trigger)}"`);
    }
    assert.ok(db.prepare(spoil).run().changes > 0, spoil);
    db.close();
    let history: StatusHistory | undefined;
    try {
      history = taken(site, open);
    } catch (error) {
      assert.ok(error instanceof KeyriteError && error.code === "ledger.damaged", String(error));
      continue;
    }
    assert.equal(history, undefined, spoil);
  }
});

test("a small ledger is folded whole, whatever lies beside it", () => {
  const site = siteAt("founded");
  const open = kept(site);
  assert.equal(
    withLedger(site, (ledger) => keptStatus(open, ledger)),
    undefined,
  );
  succeeded(site.keyrite(["status", "--no-cache"]));
});
