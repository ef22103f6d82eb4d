/**
 * The limit of verifying a ledger: two threads that read every entry, parse it, hash it into the tree and verify
 * the same signatures, in a plain loop. It judges nothing but signatures. A program of its own.
 */

import { createPublicKey, hash, verify, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import Sqlite from "better-sqlite3";

interface Task {
  readonly site: string;
  readonly from: number;
  readonly to: number;
}

interface Count {
  readonly entries: number;
  readonly signatures: number;
}

const pair = Buffer.alloc(65);
pair[0] = 1;

function bareHalf({ site, from, to }: Task): Count {
  const db = new Sqlite(join(site, "ledger.db"), { readonly: true });
  const keys = readKeys(site);
  const roots: Buffer[] = [];
  let [entries, signatures] = [0, 0];
  const check = (note: string): void => {
    const split = note.lastIndexOf("\n\n");
    const [, name = "", encoded = ""] = note.slice(split + 2, -1).split(" ");
    const signature = Buffer.from(encoded, "base64").subarray(4);
    const key = keys.get(name);
    if (key === undefined || !verify(null, Buffer.from(note.slice(0, split + 1)), key, signature)) {
      throw new Error(`the signature of ${name} is wrong`);
    }
    signatures += 1;
  };
  const bodies = db.prepare("SELECT body FROM entries WHERE seq >= ? AND seq < ? ORDER BY seq");
  for (const body of bodies.pluck().iterate(from, to) as IterableIterator<string>) {
    const { agreements, type } = JSON.parse(body) as { agreements: string[]; type: string };
    grow(roots, entries, Buffer.from(hash("sha256", Buffer.from(`\0${body}`), "binary"), "latin1"));
    entries += 1;
    if (type !== "ledger.created" || from > 0) for (const note of agreements) check(note);
  }
  const notes = db.prepare("SELECT note FROM checkpoints WHERE size > ? AND size <= ?");
  for (const note of notes.pluck().iterate(from, to) as IterableIterator<string>) check(note);
  signatures += bareCosignatures(db, keys, { from, to });
  return { entries, signatures };
}

function grow(roots: Buffer[], size: number, leaf: Buffer): void {
  let node = leaf;
  for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) {
    roots.pop()?.copy(pair, 1);
    node.copy(pair, 33);
    node = Buffer.from(hash("sha256", pair, "binary"), "latin1");
  }
  roots.push(node);
}

function bareCosignatures(
  db: Sqlite.Database,
  keys: ReadonlyMap<string, KeyObject>,
  { from, to }: Pick<Task, "from" | "to">,
): number {
  const rows = db
    .prepare(
      "SELECT note, line FROM cosignatures JOIN checkpoints USING (size) WHERE size > ? AND size <= ?",
    )
    .raw()
    .all(from, to) as readonly (readonly [string, string])[];
  for (const [note, line] of rows) {
    const [, name = "", encoded = ""] = line.split(" ");
    const payload = Buffer.from(encoded, "base64").subarray(4);
    const text = note.slice(0, note.lastIndexOf("\n\n") + 1);
    const message = `cosignature/v1\ntime ${payload.readBigUInt64BE(0)}\n${text}`;
    const key = keys.get(name);
    if (key === undefined || !verify(null, Buffer.from(message), key, payload.subarray(8))) {
      throw new Error(`the cosignature of ${name} is wrong`);
    }
  }
  return rows.length;
}

function readKeys(site: string): ReadonlyMap<string, KeyObject> {
  const genesis = JSON.parse(readFileSync(join(site, "genesis.json"), "utf8")) as {
    readonly ledgerKey: string;
    readonly founders: readonly { readonly card: { readonly signing: string } }[];
  };
  const texts = [genesis.ledgerKey, ...genesis.founders.map(({ card }) => card.signing)];
  return new Map(
    texts.map((text) => {
      const [name = "", , ...key] = text.split("+");
      const x = Buffer.from(key.join("+"), "base64").subarray(1).toString("base64url");
      return [name, createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" })];
    }),
  );
}

async function main(site: string): Promise<void> {
  const db = new Sqlite(join(site, "ledger.db"), { readonly: true });
  const size = Number(db.prepare("SELECT max(seq) + 1 FROM entries").pluck().get());
  const half = Math.floor(size / 2);
  const counts = await Promise.all(
    [
      { site, from: 0, to: half },
      { site, from: half, to: size },
    ].map(
      (task) =>
        new Promise<Count>((resolve, reject) => {
          const thread = new Worker(import.meta.filename, { workerData: task });
          thread.on("message", resolve).on("error", reject);
        }),
    ),
  );
  const sum = (of: keyof Count): number => counts.reduce((all, count) => all + count[of], 0);
  process.stdout.write(`${sum("entries")} entries, ${sum("signatures")} signatures\n`);
}

if (isMainThread) await main(process.argv[2] ?? "");
else parentPort?.postMessage(bareHalf(workerData as Task));
