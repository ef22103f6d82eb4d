/**
 * The ledger of a site in one SQLite file: entries appended in one durable transaction each time,
 * with the tree nodes they complete and a signed checkpoint.
 */

import type { Clock } from "../lib/clock.ts";
import type { SigningKey } from "../lib/ed25519.ts";
import { KeyriteError } from "../lib/errors.ts";
import { parseSignatureLine } from "../lib/note.ts";
import { isOrigin, signCheckpoint } from "./checkpoint.ts";
import {
  createDatabase,
  hasUnfinishedWrite,
  openForReading,
  openForWriting,
  removeJournal,
  schemaDifference,
  sqliteCode,
  type Database,
} from "./database.ts";
import { completeEntry, encodeEntry, type EntryDraft } from "./entry.ts";
import { removeHolder, writeHolder, type Holder } from "./holder.ts";
import * as merkle from "./merkle.ts";
import { insertAttachment, insertEntry, type Attachment } from "./insert.ts";
import { noRoom, onlyEnds, Reserve } from "./reserve.ts";
import { Rows, type Cosignature, type StoredAttachment, type StoredCheckpoint } from "./rows.ts";
import { readTail, timeAfter, type Tail } from "./tail.ts";
import { isFull, notDurable } from "./write-errors.ts";

export type { Attachment } from "./insert.ts";
export type { Cosignature, StoredAttachment, StoredCheckpoint } from "./rows.ts";

export interface Appended {
  /** Index of the first entry of this transaction. */
  readonly firstSeq: number;
  /** The exact texts of the entries, as they stand in the file. */
  readonly texts: readonly string[];
  /** Entries in the ledger now. */
  readonly size: number;
  /** The checkpoint of that size, signed by the ledger's key. */
  readonly note: string;
}

export interface Writing {
  readonly clock: Clock;
  /** The ledger's key: it signs order, never authority. */
  readonly key: SigningKey;
  /** Who to name to others who find the ledger locked. */
  readonly holder?: Holder;
  /** Keeps room on the disk for the records that end what was begun. */
  readonly reserve?: boolean;
}

/**
 * An open ledger. Opened without `write` it only reads. Reading methods return what the file says:
 * `verifyLedger` is what makes that worth believing.
 */
export class LedgerStore {
  readonly path: string;
  readonly origin: string;
  /** Whether a write that a killed process had not finished was rolled back when this was opened. */
  readonly rolledBack: boolean;
  readonly #db: Database;
  readonly #rows: Rows;
  readonly #writing: Writing | undefined;
  #tail: Tail;
  #failure: KeyriteError | undefined;
  #reserve: Reserve | undefined;

  private constructor(
    path: string,
    db: Database,
    writing: Writing | undefined,
    rolledBack: boolean,
  ) {
    const difference = schemaDifference(db);
    if (difference !== undefined) throw damaged(`the schema of ${path} differs: ${difference}`);
    this.path = path;
    this.rolledBack = rolledBack;
    this.#db = db;
    this.#writing = writing;
    this.#rows = new Rows(db);
    this.#tail = readTail(this.#rows, writing?.key.publicKey);
    this.origin = this.#tail.origin;
  }

  /**
   * Makes an empty ledger; opens nothing and replaces nothing.
   * @throws KeyriteError site.exists, site.permissions, halted.not-durable, or usage.refused for an
   * origin that cannot name a ledger.
   */
  static create(path: string, origin: string): void {
    if (!isOrigin(origin)) {
      throw new KeyriteError("usage.refused", `"${origin}" cannot name a ledger`, {
        hints: ["use a domain and a site without spaces or plus signs, as in example.org/dc1"],
      });
    }
    createDatabase(path, origin);
  }

  /**
   * Opens an existing ledger, rolling back what a killed process left unfinished.
   * @throws KeyriteError ledger.missing, ledger.damaged, site.permissions, site.locked naming the holder.
   */
  static open(path: string, options: { readonly write?: Writing } = {}): LedgerStore {
    const { write } = options;
    const unfinished = hasUnfinishedWrite(path);
    const db = write === undefined ? openForReading(path, { recover: true }) : openForWriting(path);
    try {
      const store = new LedgerStore(path, db, write, unfinished);
      if (write?.holder !== undefined) writeHolder(path, write.holder, write.clock.now());
      if (write?.reserve === true) store.#reserve = Reserve.take(path);
      return store;
    } catch (error) {
      db.close();
      if (sqliteCode(error) === undefined) throw error;
      throw damaged(`${path} cannot be read as a ledger`, error);
    }
  }

  /** Number of entries. */
  get size(): number {
    return this.#tail.frontier.size;
  }

  /** Root hash of all entries. */
  root(): Uint8Array {
    return this.#tail.frontier.root();
  }

  /**
   * Appends entries, the attachments they cite and one signed checkpoint: all of it durable when
   * this returns, or none of it. All entries of one call bear the same time.
   * On a full disk, entries that only end something are written to the room that was reserved for them.
   * @throws KeyriteError site.clock when the clock is behind the last entry; internal.bug for a draft
   * that is no entry; site.disk when the disk is full and something would be begun; halted.not-durable
   * when the disk failed, and then for every later call too.
   */
  append(drafts: readonly EntryDraft[], attachments: readonly Attachment[] = []): Appended {
    const { clock, key } = this.#writer();
    if (drafts.length === 0) throw new KeyriteError("internal.bug", "there is no entry to append");
    const firstSeq = this.size;
    const time = timeAfter(this.#tail, clock);
    const texts = drafts.map((draft, i) =>
      encodeEntry(completeEntry(draft, { origin: this.origin, seq: firstSeq + i, time })),
    );
    const { frontier, note } = this.#write(onlyEnds(drafts), () => {
      this.#checkUnmoved();
      const frontier = this.#tail.frontier.copy();
      for (const text of texts) insertEntry(this.#rows, frontier, text);
      for (const attachment of attachments) insertAttachment(this.#rows, attachment);
      const { size } = frontier;
      const note = signCheckpoint({ origin: this.origin, size, root: frontier.root() }, key);
      this.#rows.insertCheckpoint(size, note);
      return { frontier, note };
    });
    this.#tail = { origin: this.origin, frontier, note, time };
    return { firstSeq, texts, size: frontier.size, note };
  }

  /**
   * Keeps cosignature lines of the checkpoint of `size`, outside the tree; known lines are skipped.
   * Whose they are, and whether they verify, the caller has judged.
   * @throws KeyriteError ledger.damaged for a malformed line or a size without checkpoint;
   * halted.not-durable as `append`.
   */
  addCosignatures(size: number, lines: readonly string[]): void {
    this.#writer();
    if (this.checkpoint(size) === undefined)
      throw damaged(`there is no checkpoint of size ${size}`);
    for (const line of lines) {
      if (parseSignatureLine(line).payload.length !== 72) throw damaged("a line is no cosignature");
    }
    this.#write(true, () => {
      const known = new Set(this.cosignatures(size).map(({ line }) => line));
      for (const line of new Set(lines)) {
        if (!known.has(line)) this.#rows.insertCosignature(size, line);
      }
    });
  }

  /** The exact text of an entry, or undefined beyond the end. */
  entry(seq: number): string | undefined {
    return this.#rows.entry(seq);
  }

  /** The exact texts of all entries from an index on; read to the end before writing again. */
  entries(from = 0): Iterable<string> {
    return this.#rows.entries(from);
  }

  /** An attachment by its SHA-256 in lower-case hex. */
  attachment(sha256: string): StoredAttachment | undefined {
    return this.#rows.attachment(sha256);
  }

  attachments(): Iterable<StoredAttachment> {
    return this.#rows.attachments();
  }

  /** The signed checkpoint of a size, or the newest one. */
  checkpoint(size?: number): string | undefined {
    return size === undefined ? this.#tail.note : this.#rows.checkpoint(size);
  }

  /** All checkpoints, oldest first. */
  checkpoints(): Iterable<StoredCheckpoint> {
    return this.#rows.checkpoints();
  }

  /** Cosignature lines of one checkpoint, or of all. */
  cosignatures(size?: number): readonly Cosignature[] {
    return this.#rows.cosignatures(size);
  }

  /**
   * Root hash of the first `size` entries, from stored nodes.
   * @throws RangeError when the ledger is shorter.
   */
  rootAt(size: number): Uint8Array {
    this.#checkSize(size);
    return merkle.rootOf(size, (level, index) => this.#rows.node(level, index));
  }

  /** RFC 6962 inclusion proof of an entry in the tree of `size`. @throws RangeError. */
  inclusionProof(seq: number, size: number): readonly Uint8Array[] {
    this.#checkSize(size);
    return merkle.inclusionProof(seq, size, (level, index) => this.#rows.node(level, index));
  }

  /** RFC 6962 consistency proof between two sizes. @throws RangeError. */
  consistencyProof(from: number, to: number): readonly Uint8Array[] {
    this.#checkSize(to);
    return merkle.consistencyProof(from, to, (level, index) => this.#rows.node(level, index));
  }

  /** For the verifier alone: the file behind this store. */
  get database(): Database {
    return this.#db;
  }

  /** Releases the file; a clean close of a writer leaves no journal and no holder note behind. */
  close(): void {
    if (!this.#db.open) return;
    if (this.#writing?.holder !== undefined) removeHolder(this.path);
    try {
      if (this.#writing !== undefined && this.#failure === undefined) removeJournal(this.#db);
    } catch (error) {
      // On a disk that takes nothing the empty journal stays: it is no harm, and no news beside what stopped us.
      if (sqliteCode(error) === undefined) throw error;
    } finally {
      this.#db.close();
      this.#reserve?.end();
    }
  }

  #writer(): Writing {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#writing === undefined) {
      throw new KeyriteError("internal.bug", "the ledger was opened for reading");
    }
    return this.#writing;
  }

  /** @param ends whether this may take the reserve: something was begun, and its end is to be recorded */
  #write<T>(ends: boolean, body: () => T): T {
    if (!ends) this.#reserve?.requireUnreleased();
    try {
      return this.#db.transaction(body).immediate();
    } catch (error) {
      if (this.#reserve === undefined || !isFull(this.path, error)) throw this.#failed(error);
      if (!ends) throw noRoom(this.path, error);
      if (!this.#reserve.release()) throw this.#failed(error);
      return this.#write(ends, body);
    }
  }

  #failed(error: unknown): unknown {
    const moved = error instanceof KeyriteError && error.code === "ledger.damaged";
    if (!moved && sqliteCode(error) === undefined) return error;
    // What a failed write left on the disk is unknown, and a second fsync would lie about it.
    this.#failure = moved ? error : notDurable(this.path, error);
    return this.#failure;
  }

  #checkUnmoved(): void {
    const newest = this.#rows.newestCheckpoint();
    if (newest?.note !== this.#tail.note || this.#rows.size() !== this.size) {
      throw damaged(`the ledger ${this.path} was changed by somebody else while it was open`);
    }
  }

  #checkSize(size: number): void {
    if (!(size <= this.size)) throw new RangeError(`the ledger has fewer than ${size} entries`);
  }
}

function damaged(message: string, cause?: unknown): KeyriteError {
  return new KeyriteError("ledger.damaged", message, { cause });
}
