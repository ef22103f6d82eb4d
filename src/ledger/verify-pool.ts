/**
 * Verifies a large ledger on several threads: parts of it are judged side by side and joined in order here,
 * where whoever asked visits every entry. Whatever is not sound is left to the walk on one thread, which names it.
 */

import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { formatVerifierKey, type VerifierKey } from "../lib/note.ts";
import type { Database } from "./database.ts";
import { Joiner, sizeOfAll, type JoinedVerdict, type JoinOptions } from "./verify-join.ts";
import type { JudgedPart } from "./verify-part.ts";
import type { PartAnswer, PartOrder, WorkerStart } from "./verify-worker.ts";

/** Entries of a part: some half a mebibyte. */
const PART = 512;
/** Parts that a thread may be ahead of what is joined; each holds its texts in memory. */
const AHEAD = 3;

export interface PoolOptions extends JoinOptions {
  readonly path: string;
  readonly key: VerifierKey | undefined;
  readonly people: readonly VerifierKey[];
  readonly workers: number;
}

/**
 * Verifies entries, nodes and checkpoints of a ledger whose file, schema and origin are judged already, and
 * that no writer can change meanwhile. Throws what `visit` throws.
 * @returns undefined when something is not as it should be: entries may have been visited then.
 */
export async function verifyInPool(
  db: Database,
  options: PoolOptions,
): Promise<JoinedVerdict | undefined> {
  const size = sizeOfAll(db);
  if (size === undefined) return undefined;
  const pool = new Pool(options, size);
  try {
    return await pool.run();
  } finally {
    await pool.end();
  }
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

  async run(): Promise<JoinedVerdict | undefined> {
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
    const thread = new Worker(PROGRAM, { workerData, resourceLimits: LIMITS });
    this.#threads.push(thread);
    thread.on("message", (answer: PartAnswer) => {
      this.#take(thread, answer);
    });
    // A thread that cannot work leaves the work to this one.
    thread.on("error", () => this.#settle?.(false));
    thread.on("exit", () => this.#settle?.(false));
    for (let ahead = 0; ahead < AHEAD; ahead += 1) this.#order(thread);
  }

  #order(thread: Worker, room?: ArrayBuffer): void {
    const from = this.#ordered;
    if (from >= this.#size) return;
    const to = Math.min(from + PART, this.#size);
    this.#ordered = to;
    const order: PartOrder = { from, to, room };
    thread.postMessage(order, room === undefined ? [] : [room]);
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
        if (owner !== undefined) this.#order(owner, next.texts.buffer);
      }
      if (this.#joiner.size === this.#size) this.#settle?.(true);
    } catch (error) {
      this.#fail?.(error);
    }
  }

  readonly #owners = new Map<number, Worker>();
}

/** A thread keeps nothing between two parts. */
const LIMITS = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 256 };

/** The program of a thread stands beside the bundle. Where there is none, all the work is done on one thread. */
const PROGRAM = join(import.meta.dirname, "verify-worker.cjs");
