/** Typed rows of a ledger file, with every statement prepared once. */

import { KeyriteError } from "../lib/errors.ts";
import { isMediaType } from "./media-types.ts";
import { nodePosition } from "./merkle.ts";
import type { Database, Statement } from "./database.ts";

export interface StoredAttachment {
  /** Lower-case hex of the SHA-256 of the bytes. */
  readonly sha256: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

export interface StoredCheckpoint {
  readonly size: number;
  readonly note: string;
}

export interface Cosignature {
  /** Size of the checkpoint that was cosigned. */
  readonly size: number;
  /** The signature line, without its newline. */
  readonly line: string;
}

/** Reads and writes rows; knows the schema's columns and nothing of what they mean. */
export class Rows {
  readonly #db: Database;
  readonly #prepared = new Map<string, Statement<unknown>>();

  constructor(db: Database) {
    this.#db = db;
  }

  origin(): string {
    return asText(this.#value("SELECT origin FROM ledger"), "the origin");
  }

  size(): number {
    return Number(this.#value("SELECT coalesce(max(seq) + 1, 0) FROM entries"));
  }

  entry(seq: number): string | undefined {
    const body = this.#value("SELECT body FROM entries WHERE seq = ?", seq);
    return body === undefined ? undefined : asText(body, `entry ${seq}`);
  }

  // A statement of its own each time: two readers may walk the entries at once.
  *entries(from: number): Generator<string> {
    const all = this.#db.prepare("SELECT body FROM entries WHERE seq >= ? ORDER BY seq").pluck();
    for (const body of all.iterate(from)) yield asText(body, "an entry");
  }

  /** Every entry with its index, which need not be where it stands when the file is damaged. */
  *numberedEntries(): Generator<{ readonly seq: number; readonly body: string }> {
    const all = this.#db.prepare("SELECT seq, body FROM entries ORDER BY seq");
    for (const row of all.iterate()) {
      const { seq, body } = row as { readonly seq: number; readonly body: unknown };
      yield { seq, body: asText(body, `entry ${seq}`) };
    }
  }

  insertEntry(seq: number, body: string): void {
    this.#run("INSERT INTO entries (seq, body) VALUES (?, ?)", seq, body);
  }

  /** @throws KeyriteError ledger.damaged when the node is missing or no hash. */
  node(level: number, index: number): Uint8Array {
    const pos = nodePosition(level, index);
    const hash = this.#value("SELECT hash FROM nodes WHERE pos = ?", pos);
    if (hash instanceof Uint8Array && hash.length === 32) return hash;
    throw new KeyriteError("ledger.damaged", `tree node ${pos} is missing`);
  }

  insertNode(pos: number, hash: Uint8Array): void {
    this.#run("INSERT INTO nodes (pos, hash) VALUES (?, ?)", pos, hash);
  }

  checkpoint(size: number): string | undefined {
    const note = this.#value("SELECT note FROM checkpoints WHERE size = ?", size);
    return note === undefined ? undefined : asText(note, `checkpoint ${size}`);
  }

  newestCheckpoint(): StoredCheckpoint | undefined {
    const sql = "SELECT size, note FROM checkpoints ORDER BY size DESC LIMIT 1";
    return this.#statement(sql).get() as StoredCheckpoint | undefined;
  }

  /** How many checkpoints have a size from `from` to `to`, both included. */
  checkpointCount(from: number, to: number): number {
    const sql = "SELECT count(*) FROM checkpoints WHERE size >= ? AND size <= ?";
    return Number(this.#value(sql, from, to));
  }

  *checkpoints(): Generator<StoredCheckpoint> {
    const all = this.#db.prepare("SELECT size, note FROM checkpoints ORDER BY size");
    yield* all.iterate() as IterableIterator<StoredCheckpoint>;
  }

  insertCheckpoint(size: number, note: string): void {
    this.#run("INSERT INTO checkpoints (size, note) VALUES (?, ?)", size, note);
  }

  hasAttachment(sha256: string): boolean {
    return this.#value("SELECT 1 FROM attachments WHERE sha256 = ?", sha256) !== undefined;
  }

  attachment(sha256: string): StoredAttachment | undefined {
    const sql = "SELECT sha256, mediaType, bytes FROM attachments WHERE sha256 = ?";
    return this.#statement(sql).get(sha256) as StoredAttachment | undefined;
  }

  *attachments(): Generator<StoredAttachment> {
    const all = this.#db.prepare(
      "SELECT sha256, mediaType, bytes FROM attachments ORDER BY sha256",
    );
    yield* all.iterate() as IterableIterator<StoredAttachment>;
  }

  /** Attachments of a media type that have at most so many bytes. */
  shortAttachments(mediaType: string, most: number): readonly Uint8Array[] {
    const sql = "SELECT bytes FROM attachments WHERE mediaType = ? AND length(bytes) <= ?";
    const found: readonly unknown[] = this.#db.prepare(sql).pluck().all(mediaType, most);
    return found.filter((bytes) => bytes instanceof Uint8Array);
  }

  /** @throws KeyriteError internal.bug for a media type that verifiers would refuse. */
  insertAttachment(sha256: string, mediaType: string, bytes: Uint8Array): void {
    if (!isMediaType(mediaType)) {
      throw new KeyriteError("internal.bug", `no attachment has the media type ${mediaType}`, {
        hints: ["add it to the closed list of media types and to docs/formats/ledger.md"],
      });
    }
    const sql = "INSERT INTO attachments (sha256, mediaType, bytes) VALUES (?, ?, ?)";
    this.#run(sql, sha256, mediaType, bytes);
  }

  cosignatures(size?: number): readonly Cosignature[] {
    const sql =
      "SELECT size, line FROM cosignatures WHERE ? IS NULL OR size = ? ORDER BY size, line";
    return this.#statement(sql).all(size ?? null, size ?? null) as readonly Cosignature[];
  }

  insertCosignature(size: number, line: string): void {
    this.#run("INSERT INTO cosignatures (size, line) VALUES (?, ?)", size, line);
  }

  #value(sql: string, ...parameters: readonly unknown[]): unknown {
    const row = this.#statement(sql, true).get(...parameters);
    return row;
  }

  #run(sql: string, ...parameters: readonly unknown[]): void {
    this.#statement(sql).run(...parameters);
  }

  #statement(sql: string, pluck = false): Statement<unknown> {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const made: Statement<unknown> = this.#db.prepare(sql);
    if (pluck) made.pluck();
    this.#prepared.set(sql, made);
    return made;
  }
}

function asText(value: unknown, what: string): string {
  if (typeof value === "string") return value;
  throw new KeyriteError("ledger.damaged", `${what} is not text`);
}
