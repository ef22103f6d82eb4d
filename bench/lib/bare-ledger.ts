/**
 * The bare limit of a ledger: a plain loop over better-sqlite3 that writes the same rows, as durably, with
 * the same hashes and signatures, and checks nothing.
 */

import { createHash, createPrivateKey, sign } from "node:crypto";
import Sqlite from "better-sqlite3";
import { signingKeyFromSeed } from "../../src/lib/ed25519.ts";
import { verifierKey } from "../../src/lib/note.ts";
import type { EntryDraft } from "../../src/ledger/entry.ts";
import { SCHEMA } from "../../src/ledger/schema.ts";

export const ORIGIN = "pki.example.org/bench/test";
export const SEED = new Uint8Array(32).fill(7);
export const NOW = Date.UTC(2026, 10, 23, 9);

/** What is appended again and again: of the size and shape of a step of a ceremony. */
export const DRAFT: EntryDraft = {
  type: "step.completed",
  outcome: "success",
  source: "auto",
  ceremony: "20261123-generate-root-ca-abcd",
  step: "generate",
  actors: [
    { person: "ana", role: "ceremony-administrator", part: "performed" },
    { person: "eve", role: "internal-witness", part: "witnessed" },
  ],
  description: "Generate the p-384 key root-g1 for ca-signing on token alpha.",
  policyRefs: ["BR:6.1.5", "BR:6.1.6"],
  agreements: [],
  facts: [
    {
      kind: "key.generated",
      spki: "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef",
      token: "alpha",
      label: "root-g1",
      ckaId: "00112233445566778899aabbccddeeff",
      algorithm: "p-384",
      purpose: "ca-signing",
      backup: "never",
    },
  ],
  data: { n: 8, evidence: { attributes: ["SENSITIVE", "ALWAYS_SENSITIVE"], calls: 12 } },
  refs: { opened: 31, begun: 32 },
};

const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");

export class BareLedger {
  readonly #db: Sqlite.Database;
  readonly #insert: Readonly<Record<"entry" | "node" | "checkpoint", Sqlite.Statement>>;
  readonly #key = createPrivateKey({
    key: Buffer.concat([PKCS8_HEAD, SEED]),
    format: "der",
    type: "pkcs8",
  });
  readonly #keyId = Buffer.alloc(4);
  readonly #template = template();
  /** Roots of the complete subtrees, largest first. */
  #roots: Buffer[] = [];
  #size = 0;
  #nodes = 0;

  constructor(path: string) {
    const db = new Sqlite(path);
    db.pragma("encoding = 'UTF-8'");
    db.pragma("locking_mode = EXCLUSIVE");
    db.pragma("journal_mode = TRUNCATE");
    db.pragma("synchronous = EXTRA");
    for (const [name, sql] of SCHEMA) if (!name.includes("_")) db.exec(sql);
    db.prepare("INSERT INTO ledger (id, origin) VALUES (1, ?)").run(ORIGIN);
    this.#db = db;
    this.#insert = {
      entry: db.prepare("INSERT INTO entries (seq, body) VALUES (?, ?)"),
      node: db.prepare("INSERT INTO nodes (pos, hash) VALUES (?, ?)"),
      checkpoint: db.prepare("INSERT INTO checkpoints (size, note) VALUES (?, ?)"),
    };
    const { publicKey } = signingKeyFromSeed(SEED);
    this.#keyId.writeUInt32BE(verifierKey(ORIGIN, "ed25519", publicKey).keyId);
  }

  /** One transaction of `count` entries. */
  append(count: number): void {
    this.#db.exec("BEGIN IMMEDIATE");
    for (let i = 0; i < count; i += 1) this.#entry();
    this.#checkpoint();
    this.#db.exec("COMMIT");
  }

  close(): void {
    this.#db.close();
  }

  #entry(): void {
    this.#template["seq"] = this.#size;
    this.#template["time"] = new Date(NOW).toISOString();
    const text = JSON.stringify(this.#template);
    this.#insert.entry.run(this.#size, text);
    let node = sha256(LEAF, text);
    this.#insert.node.run(this.#nodes++, node);
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2) {
      node = sha256(INNER, this.#roots.pop() ?? LEAF, node);
      this.#insert.node.run(this.#nodes++, node);
    }
    this.#roots.push(node);
    this.#size += 1;
  }

  #checkpoint(): void {
    const root = this.#roots.reduceRight((right, left) => sha256(INNER, left, right));
    const text = `${ORIGIN}\n${this.#size}\n${root.toString("base64")}\n`;
    const signature = sign(null, Buffer.from(text), this.#key);
    const line = Buffer.concat([this.#keyId, signature]).toString("base64");
    this.#insert.checkpoint.run(this.#size, `${text}\n\u2014 ${ORIGIN} ${line}\n`);
  }
}

const LEAF = Buffer.of(0);
const INNER = Buffer.of(1);

function sha256(...parts: readonly (Uint8Array | string)[]): Buffer {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** An entry with its members in canonical order, so that JSON.stringify writes its exact text. */
function template(): Record<string, unknown> {
  const { seq, time } = { seq: 0, time: "" };
  return sorted({ ...DRAFT, origin: ORIGIN, seq, time, v: 1 }) as Record<string, unknown>;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([name, member]) => [name, sorted(member)]));
}
