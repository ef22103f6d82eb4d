/** Changes of a ledger that somebody who knows it would make, each with what a verifier must say of it. */

import type Sqlite from "better-sqlite3";
import { stringOf } from "../../src/ceremony/record.ts";
import { decodeEntry, encodeEntry, type Entry } from "../../src/ledger/entry.ts";
import { leafHash } from "../../src/ledger/merkle.ts";
import type { SigningKey } from "../../src/lib/ed25519.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";

export interface AimedAt {
  readonly db: Sqlite.Database;
  readonly entries: readonly Entry[];
  /** The ledger's own key: whoever owns the host has it. */
  readonly key: SigningKey;
  readonly origin: string;
}

export interface Aimed {
  readonly name: string;
  readonly change: (at: AimedAt) => void;
  /** The finding or violation that names it, as `code seq: text`. */
  readonly says: RegExp;
  /** What only a head held outside shows: without one it passes. */
  readonly onlyWithHead?: true;
}

function setBody(db: Sqlite.Database, seq: number, body: string | Buffer): void {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  db.prepare("UPDATE entries SET body = CAST(? AS TEXT) WHERE seq = ?").run(bytes, seq);
}

/** The last entry of a type. */
export const lastOf = (entries: readonly Entry[], type: Entry["type"]): Entry => {
  const found = entries.findLast((entry) => entry.type === type);
  if (found === undefined) throw new Error(`there is no ${type}`);
  return found;
};

const middle = (entries: readonly Entry[]): number => Math.floor(entries.length / 2);

/** The digest that the last opening cites under this name. */
export const cited = (entries: readonly Entry[], name: string): string =>
  stringOf(lastOf(entries, "ceremony.opened").data, name) ?? "";

function setAttachment({ db, entries }: AimedAt, name: string, bytes: string): void {
  const sql = "UPDATE attachments SET bytes = ? WHERE sha256 = ?";
  db.prepare(sql).run(Buffer.from(bytes), cited(entries, name));
}

function bodyOf({ db }: AimedAt, seq: number): string {
  return db.prepare("SELECT body FROM entries WHERE seq = ?").pluck().get(seq) as string;
}

function withBody(at: AimedAt, seq: number, change: (body: string) => string | Buffer): void {
  setBody(at.db, seq, change(bodyOf(at, seq)));
}

/** C14: one table is changed, the others are as they were. */
const ROWS: readonly Aimed[] = [
  {
    name: "another description, still an entry",
    change: (at) => {
      const seq = middle(at.entries);
      withBody(at, seq, (body) => encodeEntry({ ...decodeEntry(body), description: "x" }));
    },
    says: /^entry\.altered \d+/,
  },
  {
    name: "another description, and its leaf hash",
    change: (at) => {
      const seq = middle(at.entries);
      const old = leafHash(bodyOf(at, seq));
      withBody(at, seq, (body) => encodeEntry({ ...decodeEntry(body), description: "x" }));
      const sql = "UPDATE nodes SET hash = ? WHERE hash = ?";
      at.db.prepare(sql).run(leafHash(bodyOf(at, seq)), old);
    },
    says: /^checkpoint\.root \d+/,
  },
  {
    name: "a space in the JSON",
    change: (at) => {
      withBody(at, 5, (body) => body.replace(",", ", "));
    },
    says: /^entry\.damaged 5/,
  },
  {
    name: "a member twice",
    change: (at) => {
      withBody(at, 5, (body) => body.replace('{"actors"', '{"actors":[],"actors"'));
    },
    says: /^entry\.damaged 5/,
  },
  {
    name: "a byte that is not UTF-8",
    change: (at) => {
      withBody(at, 5, (body) =>
        Buffer.concat([
          Buffer.from(body).subarray(0, -9),
          Buffer.of(0xff),
          Buffer.from(body).subarray(-8),
        ]),
      );
    },
    says: /^entry\.damaged 5/,
  },
  {
    name: "a NUL behind the entry",
    change: (at) => {
      withBody(at, 5, (body) => `${body}\0`);
    },
    says: /^entry\.damaged 5/,
  },
  {
    name: "an entry deleted near the end",
    change: ({ db, entries }) => {
      db.prepare("DELETE FROM entries WHERE seq = ?").run(entries.length - 2);
    },
    says: /^entry\.missing \d+/,
  },
  {
    name: "two entries swapped",
    change: (at) => {
      const [a, b] = [bodyOf(at, 7), bodyOf(at, 8)];
      setBody(at.db, 7, b);
      setBody(at.db, 8, a);
    },
    says: /^entry\.misplaced 7/,
  },
  {
    name: "an entry repeated in the place of another",
    change: (at) => {
      setBody(at.db, 8, bodyOf(at, 7));
    },
    says: /^entry\.misplaced 8/,
  },
  {
    name: "the last entry deleted",
    change: ({ db, entries }) => {
      db.prepare("DELETE FROM entries WHERE seq = ?").run(entries.length - 1);
    },
    says: /^entry\.missing \d+/,
  },
  {
    name: "an entry appended without a checkpoint",
    change: (at) => {
      const { db, entries } = at;
      const seq = entries.length;
      const body = encodeEntry({ ...lastOf(entries, "ceremony.closed"), seq });
      db.prepare("INSERT INTO entries (seq, body) VALUES (?, ?)").run(seq, body);
    },
    says: /^checkpoint\.missing \d+/,
  },
  {
    name: "the newest checkpoint deleted",
    change: ({ db, entries }) => {
      db.prepare("DELETE FROM checkpoints WHERE size = ?").run(entries.length);
    },
    says: /^checkpoint\.missing \d+/,
  },
  {
    name: "a checkpoint in the middle deleted, which nobody cosigned",
    change: ({ db }) => {
      db.prepare("DELETE FROM checkpoints WHERE size = 7").run();
    },
    says: /^checkpoint\.missing 6/,
  },
  {
    name: "a checkpoint of another key",
    change: ({ db, entries, origin }) => {
      const note = db
        .prepare("SELECT note FROM checkpoints WHERE size = 3")
        .pluck()
        .get() as string;
      const forged = note.replace(/ (\S{8})\S{4}(\S+)\n$/, " $1AAAA$2\n");
      db.prepare("UPDATE checkpoints SET note = ? WHERE size = 3").run(forged);
      if (forged === note || entries.length < 3) throw new Error(origin);
    },
    says: /^checkpoint\.(signature|malformed) 2/,
  },
  {
    name: "another origin in the file",
    change: ({ db }) => {
      db.prepare("UPDATE ledger SET origin = 'example.org/other/test'").run();
    },
    says: /^(origin\.differs|entry\.origin|checkpoint\.)/,
  },
  {
    name: "a tree node changed",
    change: ({ db }) => {
      db.prepare("UPDATE nodes SET hash = zeroblob(32) WHERE pos = 9").run();
    },
    says: /^node\.differs \d+/,
  },
  {
    name: "a cosignature taken away",
    change: ({ db, entries }) => {
      const sql = "DELETE FROM cosignatures WHERE size = ? AND line LIKE '%/people/eve %'";
      db.prepare(sql).run(entries.length);
    },
    says: /eve \(internal-witness\) attended, did not cosign the head/,
  },
  {
    name: "a cosignature of one head under another",
    change: ({ db, entries }) => {
      const lines = "SELECT line FROM cosignatures WHERE size < ? LIMIT 1";
      const line = db.prepare(lines).pluck().get(entries.length);
      db.prepare("INSERT INTO cosignatures (size, line) VALUES (?, ?)").run(entries.length, line);
    },
    says: /^cosignature \d+ the cosignature of \w+ on size \d+ does not verify/,
  },
];

/** Q12: what was approved is swapped for something else. */
const INPUTS: readonly Aimed[] = [
  {
    name: "other bytes of the script",
    change: (at) => {
      setAttachment(at, "script", "keyrite: script/v1\n");
    },
    says: /^attachment\.differs/,
  },
  {
    name: "another script under its own digest",
    change: (at) => {
      const other = "keyrite: script/v1\n";
      const sql = "UPDATE attachments SET bytes = ?, sha256 = ? WHERE sha256 = ?";
      at.db.prepare(sql).run(Buffer.from(other), sha256Hex(other), cited(at.entries, "script"));
    },
    says: /^attachment\.missing \d+/,
  },
  {
    name: "the plan taken away",
    change: (at) => {
      at.db.prepare("DELETE FROM attachments WHERE sha256 = ?").run(cited(at.entries, "plan"));
    },
    says: /^attachment(\.missing)? \d+/,
  },
  {
    name: "the policy that was adopted taken away",
    change: (at) => {
      at.db.prepare("DELETE FROM attachments WHERE sha256 = ?").run(cited(at.entries, "policy"));
    },
    says: /^attachment\.missing 0/,
  },
  {
    name: "what was on the screen taken away",
    change: (at) => {
      const { transcript } = lastOf(at.entries, "ceremony.closed").data;
      at.db.prepare("DELETE FROM attachments WHERE sha256 = ?").run(transcript);
    },
    says: /^attachment\.missing \d+/,
  },
  {
    name: "the genesis taken away",
    change: (at) => {
      const { genesis } = at.entries[0]?.data ?? {};
      at.db.prepare("DELETE FROM attachments WHERE sha256 = ?").run(genesis);
    },
    says: /^genesis/,
  },
  {
    name: "the script passed off as another kind of document",
    change: (at) => {
      const sql = "UPDATE attachments SET mediaType = 'application/json' WHERE sha256 = ?";
      at.db.prepare(sql).run(cited(at.entries, "script"));
    },
    says: /^attachment\.type \d+/,
  },
];

/** Changes of rows (C14) and of what people approved (Q12). */
export const AIMED: readonly Aimed[] = [
  ...ROWS.map((one) => ({ ...one, name: `C14: ${one.name}` })),
  ...INPUTS.map((one) => ({ ...one, name: `Q12: ${one.name}` })),
];
