/**
 * A ledger that is verified in parts, by several threads: what the walk on one thread finds wrong, the parts never
 * take for sound; and of a sound one both say the same.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import Sqlite from "better-sqlite3";
import { openBeside } from "../../src/ledger/database.ts";
import { formatCheckpoint, signCheckpoint } from "../../src/ledger/checkpoint.ts";
import type { Entry } from "../../src/ledger/entry.ts";
import { LedgerStore } from "../../src/ledger/store.ts";
import { Joiner, sizeOfAll, type JoinedVerdict } from "../../src/ledger/verify-join.ts";
import { judgePart } from "../../src/ledger/verify-part.ts";
import { verifyLedger, type Visit } from "../../src/ledger/verify.ts";
import { completeNodes, leafHash, Frontier } from "../../src/ledger/merkle.ts";
import { hex, sha256Hex } from "../../src/lib/encoding.ts";
import { cosignatureLine } from "../../src/lib/note.ts";
import { Dice, KINDS, mutate } from "../support/random-mutations.ts";
import {
  draft,
  ledgerKey,
  ledgerVerifier,
  ORIGIN,
  tampered,
  tempDir,
  testClock,
} from "../support/ledger-fixture.ts";

const SIZE = 150;
/** Entries of a part: no part but the first begins with a whole tree. */
const PART = 37;
const folder = tempDir({ after });
const path = join(folder, "ledger.db");

LedgerStore.create(path, ORIGIN);
const clock = testClock();
const store = LedgerStore.open(path, { write: { clock, key: ledgerKey } });
while (store.size < SIZE) {
  clock.time += 1000;
  const opened = draft(`step ${store.size}`, { type: "step.opened", facts: [] });
  store.append([opened, draft("naïve 🔑 – token"), draft("plain")]);
}
store.close();
const besides = new Sqlite(path);
const bytes = Buffer.from("an attachment");
const add = "INSERT INTO attachments VALUES (?, 'text/plain', ?)";
besides.prepare(add).run(sha256Hex(bytes), bytes);
const signed = formatCheckpoint({ origin: ORIGIN, size: SIZE, root: new Uint8Array(32) });
const line = cosignatureLine(signed, "example.org/ana", 1_795_424_400, ledgerKey);
besides.prepare("INSERT INTO cosignatures VALUES (?, ?)").run(SIZE, line);
besides.close();
const original = Uint8Array.from(readFileSync(path));

/** Everything that somebody who visits hears. */
type Heard = readonly (readonly [Entry, number, string])[];

/** What the parts say together, as the threads and the one that joins them would; undefined for not sound. */
function inParts(file: string): { verdict: JoinedVerdict; heard: Heard } | undefined {
  const db = openBeside(file);
  try {
    const total = sizeOfAll(db);
    if (total === undefined) return undefined;
    const heard: [Entry, number, string][] = [];
    const visit: Visit = (entry, seq, root) => heard.push([entry, seq, hex(root())]);
    const joiner = new Joiner({ origin: ORIGIN, visit, progress: undefined }, total);
    const options = { origin: ORIGIN, key: ledgerVerifier, people: [] };
    let room: ArrayBuffer | undefined;
    for (let from = 0; from < total; from += PART) {
      const part = judgePart(db, options, { from, to: Math.min(from + PART, total) }, room);
      if (part === undefined || !joiner.join(part)) return undefined;
      room = part.texts.buffer;
    }
    const verdict = joiner.verdict();
    return verdict === undefined ? undefined : { verdict, heard };
  } finally {
    db.close();
  }
}

function alone(file: string): {
  found: readonly string[];
  size: number;
  root: string;
  note: string;
  heard: Heard;
} {
  const heard: [Entry, number, string][] = [];
  const visit: Visit = (entry, seq, root) => heard.push([entry, seq, hex(root())]);
  const { findings, size, root, note } = verifyLedger(file, {
    key: ledgerVerifier,
    origin: ORIGIN,
    visit,
  });
  return { found: findings.map(({ code }) => code), size, root, note, heard };
}

test("of a sound ledger the parts say what the walk says, and every entry is visited with its root", () => {
  const { found, heard, ...verdict } = alone(path);
  assert.deepEqual(found, []);
  assert.deepEqual(inParts(path), { verdict, heard });
  assert.equal(heard.length, SIZE);
  assert.equal(verdict.size, SIZE);
});

const db = (change: (db: Sqlite.Database) => void): string => tampered(path, change);
const sql =
  (text: string, ...values: readonly unknown[]) =>
  (ledger: Sqlite.Database): void => {
    assert.ok(ledger.prepare(text).run(...values).changes > 0, text);
  };

/** Entries and nodes written anew from other bodies, under the checkpoints as they are signed. */
function rewritten(change: (body: string, seq: number) => string) {
  return (ledger: Sqlite.Database): void => {
    const bodies = ledger
      .prepare("SELECT body FROM entries ORDER BY seq")
      .pluck()
      .all() as string[];
    const tree = new Frontier();
    const [setBody, setNode] = [
      ledger.prepare("UPDATE entries SET body = ? WHERE seq = ?"),
      ledger.prepare("UPDATE nodes SET hash = ? WHERE pos = ?"),
    ];
    for (const [seq, body] of bodies.entries()) {
      const other = change(body, seq);
      setBody.run(other, seq);
      for (const [level, hash] of tree.append(leafHash(other)).entries()) {
        setNode.run(Buffer.from(hash), completeNodes(seq) + level);
      }
    }
  };
}

const AIMED: Readonly<Record<string, (ledger: Sqlite.Database) => void>> = {
  "a text changed": sql("UPDATE entries SET body = replace(body, 'plain', 'plane') WHERE seq = 80"),
  "bytes that are no UTF-8": sql(
    "UPDATE entries SET body = CAST(x'f09f98' AS TEXT) WHERE seq = 80",
  ),
  "an entry gone": sql("DELETE FROM entries WHERE seq = 40"),
  "an entry before the first": sql("INSERT INTO entries VALUES (-1, 'x')"),
  "an entry far before the first": sql("INSERT INTO entries VALUES (?, 'x')", -(2n ** 63n)),
  "a leaf changed": sql("UPDATE nodes SET hash = zeroblob(32) WHERE pos = ?", completeNodes(60)),
  "a parent changed": sql(
    "UPDATE nodes SET hash = zeroblob(32) WHERE pos = ?",
    completeNodes(63) + 3,
  ),
  "a hash too long": sql("UPDATE nodes SET hash = zeroblob(33) WHERE pos = ?", completeNodes(60)),
  "a node gone": sql("DELETE FROM nodes WHERE pos = ?", completeNodes(60)),
  "a node before the first": sql("INSERT INTO nodes VALUES (-5, zeroblob(32))"),
  "two neighbours that share their 64 bytes otherwise": (ledger) => {
    const select = ledger
      .prepare("SELECT hash FROM nodes WHERE pos IN (8, 9) ORDER BY pos")
      .pluck();
    const both = Buffer.concat(select.all() as Buffer[]);
    sql("UPDATE nodes SET hash = ? WHERE pos = 8", both.subarray(0, 31))(ledger);
    sql("UPDATE nodes SET hash = ? WHERE pos = 9", both.subarray(31))(ledger);
  },
  "a checkpoint before the first": sql("INSERT INTO checkpoints VALUES (0, 'x')"),
  "a checkpoint on a size of its own": sql("INSERT INTO checkpoints VALUES (61, 'x')"),
  "a checkpoint of another size": sql(
    "UPDATE checkpoints SET note = (SELECT note FROM checkpoints WHERE size = 60) WHERE size = 63",
  ),
  "a checkpoint unsigned": sql("UPDATE checkpoints SET note = substr(note, 1, 40) WHERE size = 63"),
  "the newest checkpoint gone": sql("DELETE FROM checkpoints WHERE size = ?", SIZE),
  "a tree of other entries": rewritten((body, seq) =>
    seq === 70 ? body.replace("naïve", "naive") : body,
  ),
};

for (const [name, change] of Object.entries(AIMED)) {
  test(`C14: ${name} – the parts do not take it for sound`, () => {
    const file = db(change);
    assert.ok(alone(file).found.length > 0, "the walk finds it");
    assert.equal(inParts(file), undefined);
  });
}

/** Every checkpoint signed for the entries as they now are: what only whoever has the ledger's key can do. */
function resign(ledger: Sqlite.Database): void {
  const tree = new Frontier();
  const set = ledger.prepare("UPDATE checkpoints SET note = ? WHERE size = ?");
  const bodies = ledger.prepare("SELECT body FROM entries ORDER BY seq").pluck().all() as string[];
  for (const body of bodies) {
    tree.append(leafHash(body));
    const checkpoint = { origin: ORIGIN, size: tree.size, root: tree.root() };
    set.run(signCheckpoint(checkpoint, ledgerKey), tree.size);
  }
}

/** What a tree of valid entries, signed anew by whoever has the ledger's key, can still get wrong. */
const RESIGNED: Readonly<Record<string, (body: string, seq: number) => string>> = {
  "a time that goes back, at the beginning of a part": (body, seq) =>
    seq === 2 * PART ? body.replace(/"time":"[^"]*"/, '"time":"2020-01-01T00:00:00.000Z"') : body,
  "an entry of another ledger": (body, seq) =>
    seq === 75 ? body.replace(ORIGIN, "example.org/dc1/other") : body,
  "an entry with another index": (body, seq) =>
    seq === 75 ? body.replace('"seq":75', '"seq":76') : body,
  "an entry that is not in canonical form": (body, seq) =>
    seq === 75 ? body.replace('"seq":75', '"seq": 75') : body,
  "a text that is no entry": (body, seq) => (seq === 75 ? "{}" : body),
  "a text that is no JSON, with agreements": (body, seq) => (seq === 75 ? `x ${body}` : body),
};

for (const [name, change] of Object.entries(RESIGNED)) {
  test(`C14: ${name}, signed anew – the parts do not take it for sound`, () => {
    const file = db((ledger) => {
      rewritten(change)(ledger);
      resign(ledger);
    });
    const { found } = alone(file);
    assert.ok(found.length > 0 && found.every((code) => code.startsWith("entry.")), found.join());
    assert.equal(inParts(file), undefined);
  });
}

test("C14: of random changes the parts take none for sound that the walk finds, and judge the others like it", () => {
  const copy = join(folder, "mutant.db");
  const dice = new Dice(20_261_130);
  let [sound, unsound] = [0, 0];
  for (let count = 0; count < 250; count += 1) {
    const kind = dice.pick(KINDS);
    const what = mutate(original, copy, kind, dice);
    const { found, heard, ...verdict } = alone(copy);
    const parts = joinedOrRefused(copy);
    const isRows = found.some((code) => /^(?:entry|node|checkpoint)\./.test(code));
    if (isRows && !found.some((code) => BESIDES.includes(code))) {
      unsound += 1;
      if (parts !== undefined) assert.fail(`${kind} ${what}: ${found.join()}`);
    }
    if (found.length > 0) continue;
    sound += 1;
    assert.deepEqual(parts, { verdict, heard }, `${kind} ${what}`);
  }
  assert.ok(sound >= 25 && unsound >= 60, `${sound} sound, ${unsound} not`);
});

/** What is looked at before the parts are, or beside them. */
const BESIDES = ["file.unreadable", "schema.differs", "origin.differs"];

/** As `inParts`; undefined too for a file that SQLite does not read to its end. */
function joinedOrRefused(file: string): ReturnType<typeof inParts> {
  try {
    return inParts(file);
  } catch {
    return undefined;
  }
}
