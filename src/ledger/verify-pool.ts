/**
 * Verifies a large ledger on several threads: parts of it are judged side by side and joined in order here,
 * where whoever asked visits every entry. Whatever is not sound is left to the walk on one thread, which names it.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { withKnownGood } from "../lib/ed25519.ts";
import { hex } from "../lib/encoding.ts";
import { formatVerifierKey, type VerifierKey } from "../lib/note.ts";
import type { Database } from "./database.ts";
import type { Entry } from "./entry.ts";
import { completeNodes, Frontier, leafHash } from "./merkle.ts";
import type { JudgedPart } from "./verify-part.ts";
import type { Visit } from "./verify-tree.ts";
import type { PartAnswer, PartOrder, WorkerStart } from "./verify-worker.ts";

/** Entries of a part: some half a mebibyte. */
const PART = 512;
/** Parts that a thread may be ahead of what is joined; each holds its texts in memory. */
const AHEAD = 3;

export interface PoolOptions {
  readonly path: string;
  readonly origin: string;
  readonly key: VerifierKey | undefined;
  readonly people: readonly VerifierKey[];
  readonly workers: number;
  readonly visit: Visit | undefined;
  /** Hears how many entries are done. */
  readonly progress: ((done: number, total: number) => void) | undefined;
}

export interface PoolVerdict {
  readonly size: number;
  readonly root: string;
  readonly note: string;
}

/**
 * Verifies entries, nodes and checkpoints of a ledger whose file, schema and origin are judged already, and
 * that no writer can change meanwhile. Throws what `visit` throws.
 * @returns undefined when something is not as it should be: entries may have been visited then.
 */
export async function verifyInPool(
  db: Database,
  options: PoolOptions,
): Promise<PoolVerdict | undefined> {
  const size = lastKey(db, "entries", "seq") + 1;
  const ends = size > 0 && lastKey(db, "nodes", "pos") === completeNodes(size) - 1;
  if (!ends || lastKey(db, "checkpoints", "size") !== size) return undefined;
  const pool = new Pool(options, size);
  try {
    return await pool.run();
  } finally {
    await pool.end();
  }
}

function lastKey(db: Database, table: string, key: string): number {
  return Number(db.prepare(`SELECT coalesce(max(${key}), -1) FROM ${table}`).pluck().get());
}

class Pool {
  readonly #options: PoolOptions;
  readonly #size: number;
  readonly #threads: Worker[] = [];
  readonly #waiting = new Map<number, JudgedPart>();
  readonly #joiner: Joiner;
  #ordered = 0;
  #settle: ((sound: boolean) => void) | undefined;
  #fail: ((error: unknown) => void) | undefined;

  constructor(options: PoolOptions, size: number) {
    this.#options = options;
    this.#size = size;
    this.#joiner = new Joiner(options, size);
  }

  async run(): Promise<PoolVerdict | undefined> {
    const { path, origin, key, people } = this.#options;
    const start: WorkerStart = {
      path,
      origin,
      key: key === undefined ? null : formatVerifierKey(key),
      people: people.map(formatVerifierKey),
    };
    const ended = new Promise<boolean>((resolve, reject) => {
      this.#settle = resolve;
      this.#fail = reject;
    });
    for (let count = 0; count < this.#options.workers; count += 1) this.#begin(start);
    return (await ended) ? this.#joiner.verdict() : undefined;
  }

  async end(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }

  #begin(workerData: WorkerStart): void {
    const thread = new Worker(program(), { workerData, resourceLimits: LIMITS });
    this.#threads.push(thread);
    thread.on("message", (answer: PartAnswer) => {
      this.#take(thread, answer);
    });
    // A thread that cannot work leaves the work to this one.
    thread.on("error", () => this.#settle?.(false));
    thread.on("exit", () => this.#settle?.(false));
    for (let ahead = 0; ahead < AHEAD; ahead += 1) this.#order(thread);
  }

  #order(thread: Worker): void {
    const from = this.#ordered;
    if (from >= this.#size) return;
    const to = Math.min(from + PART, this.#size);
    this.#ordered = to;
    const order: PartOrder = { from, to };
    thread.postMessage(order);
  }

  #take(thread: Worker, answer: PartAnswer): void {
    try {
      if (answer === null) {
        this.#settle?.(false);
        return;
      }
      this.#waiting.set(answer.from, answer);
      this.#owners.set(answer.from, thread);
      for (;;) {
        const next = this.#waiting.get(this.#joiner.size);
        if (next === undefined) break;
        this.#waiting.delete(next.from);
        if (!this.#joiner.join(next)) {
          this.#settle?.(false);
          return;
        }
        const owner = this.#owners.get(next.from);
        this.#owners.delete(next.from);
        if (owner !== undefined) this.#order(owner);
      }
      if (this.#joiner.size === this.#size) this.#settle?.(true);
    } catch (error) {
      this.#fail?.(error);
    }
  }

  readonly #owners = new Map<number, Worker>();
}

/** A thread needs little: a part, and what SQLite keeps of the file. */
const LIMITS = { maxYoungGenerationSizeMb: 16, maxOldGenerationSizeMb: 256 };

/** The program of a thread: beside the bundle, or beside this file. */
function program(): string {
  const bundled = join(import.meta.dirname, "verify-worker.cjs");
  return existsSync(bundled) ? bundled : join(import.meta.dirname, "verify-worker.ts");
}

/** Joins judged parts in order: compares what each was judged with and visits its entries. */
class Joiner {
  readonly #options: PoolOptions;
  readonly #total: number;
  #tree = new Uint8Array(0);
  #lastTime = "";
  #covered = 0;
  #note = "";
  size = 0;

  constructor(options: PoolOptions, total: number) {
    this.#options = options;
    this.#total = total;
  }

  /** Takes the next part; false when it does not follow on those before it. */
  join(part: JudgedPart): boolean {
    const follows = Buffer.compare(part.before, this.#tree) === 0;
    if (!follows || part.firstTime < this.#lastTime) return false;
    withKnownGood(new Set(part.good), () => {
      this.#visit(part);
    });
    this.size += part.bodies.length;
    this.#tree = part.after.slice();
    this.#lastTime = part.lastTime;
    if (part.covered > 0) [this.#covered, this.#note] = [part.covered, part.note];
    this.#options.progress?.(this.size, this.#total);
    return true;
  }

  /** What all parts say together; undefined when no checkpoint covers the last entry. */
  verdict(): PoolVerdict | undefined {
    if (this.#covered !== this.size) return undefined;
    const root = Frontier.of(this.size, hashes(this.#tree)).root();
    return { size: this.size, root: hex(root), note: this.#note };
  }

  #visit(part: JudgedPart): void {
    const { visit } = this.#options;
    if (visit === undefined) return;
    let opening = 0;
    for (const [place, body] of part.bodies.entries()) {
      // The very text that was found to be an entry in canonical form.
      const entry = JSON.parse(body) as Entry;
      const seq = part.from + place;
      if (part.rootsAt[opening] === place) {
        const root = part.roots.slice(opening * 32, opening * 32 + 32);
        opening += 1;
        visit(entry, seq, () => root);
      } else visit(entry, seq, () => rootAfter(part, place));
    }
  }
}

/** The root right after an entry of a part, for which nobody usually asks. */
function rootAfter(part: JudgedPart, place: number): Uint8Array {
  const tree = Frontier.of(part.from, hashes(part.before));
  for (const body of part.bodies.slice(0, place + 1)) tree.append(leafHash(body));
  return tree.root();
}

function hashes(bytes: Uint8Array): readonly Uint8Array[] {
  return Array.from({ length: bytes.length / 32 }, (_, place) =>
    bytes.slice(place * 32, place * 32 + 32),
  );
}
