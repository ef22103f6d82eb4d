/**
 * A ledger file written anew from the rows of another. The same rows always give the same bytes: pages that
 * a ceremony freed, and the order in which attachments came, leave no trace.
 */

import { closeSync, fsyncSync, openSync } from "node:fs";
import { KeyriteError } from "../lib/errors.ts";
import { createDatabase, openForWriting, removeJournal } from "./database.ts";
import { insertEntry } from "./insert.ts";
import { Frontier } from "./merkle.ts";
import { Rows } from "./rows.ts";
import type { LedgerStore } from "./store.ts";

/**
 * Writes a copy of a verified ledger to a new file.
 * @throws KeyriteError site.exists, site.permissions, halted.not-durable; ledger.damaged when entries are not
 * covered by a checkpoint, which a verified ledger's always are
 */
export function copyLedger(from: LedgerStore, path: string): void {
  createDatabase(path, from.origin);
  const db = openForWriting(path);
  try {
    // Durable once, at the end: a copy that a crash cut short is made again.
    db.pragma("synchronous = OFF");
    db.transaction(() => {
      copyRows(from, new Rows(db));
    })();
    removeJournal(db);
  } finally {
    db.close();
  }
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function copyRows(from: LedgerStore, to: Rows): void {
  const frontier = new Frontier();
  const entries = from.entries()[Symbol.iterator]();
  for (const { size, note } of from.checkpoints()) {
    while (frontier.size < size) {
      const next = entries.next();
      if (next.done === true) throw uncovered(frontier.size);
      insertEntry(to, frontier, next.value);
    }
    to.insertCheckpoint(size, note);
  }
  if (entries.next().done !== true) throw uncovered(frontier.size);
  for (const { sha256, mediaType, bytes } of from.attachments()) {
    to.insertAttachment(sha256, mediaType, bytes);
  }
  for (const { size, line } of from.cosignatures()) to.insertCosignature(size, line);
}

function uncovered(seq: number): KeyriteError {
  return new KeyriteError("ledger.damaged", `entries and checkpoints part at entry ${seq}`);
}
