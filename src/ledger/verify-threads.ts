/**
 * Verifies a large ledger on several threads. What they find sound is sound by the very same walk; all else is
 * walked over once more on one thread, which finds out what is wrong.
 */

import type { VerifierKey } from "../lib/note.ts";
import { Findings } from "./findings.ts";
import { SMALL_CACHE } from "./database.ts";
import type { LedgerStore } from "./store.ts";
import { verifyInPool } from "./verify-pool.ts";
import {
  readOrigin,
  verifyBesides,
  verifyDatabase,
  verifyStructure,
  type LedgerVerdict,
  type VerifyOptions,
  type Visit,
} from "./verify.ts";

/** How a ledger is verified on several threads. */
export interface ThreadOptions extends Omit<VerifyOptions, "visit" | "signatures"> {
  /**
   * Begins a walk over all entries. It is called once more when a first walk ended early: whoever visits
   * begins anew then, too.
   */
  readonly begin: () => Visit;
  /** Threads besides this one; with none of them, this one does all the work. */
  readonly workers: number;
  /** Keys of people: their signatures under agreements are verified on those threads, too. */
  readonly people: readonly VerifierKey[];
  /** Hears how many entries are done, of how many. */
  readonly progress?: (done: number, total: number) => void;
}

/**
 * Verifies an open ledger as `verifyLedger` does, every signature of a checkpoint included, but a large one on
 * several threads. Nobody can write to the file meanwhile.
 */
export async function verifyLedgerInThreads(
  ledger: LedgerStore,
  options: ThreadOptions,
): Promise<LedgerVerdict> {
  const { database: db } = ledger;
  const { begin, workers, progress } = options;
  const alone = (): LedgerVerdict => {
    const visit = begin();
    const total = ledger.size;
    return verifyDatabase(db, {
      ...options,
      visit: (entry, seq, root) => {
        visit(entry, seq, root);
        progress?.(seq + 1, total);
      },
    });
  };
  if (workers < 1) return alone();
  // As on the other threads (`openBeside`): looking at the structure reads every page once.
  db.pragma(`cache_size = ${SMALL_CACHE}`);
  db.exec("BEGIN");
  try {
    return (await verifyShared(ledger, options)) ?? alone();
  } finally {
    db.exec("COMMIT");
  }
}

async function verifyShared(
  { database: db, path }: LedgerStore,
  options: ThreadOptions,
): Promise<LedgerVerdict | undefined> {
  const findings = new Findings();
  const origin = readOrigin(db, findings);
  if (origin === undefined || (options.origin ?? origin) !== origin) return undefined;
  const { key, people, workers, progress } = options;
  const shared = { path, origin, key, people, workers, progress };
  const pool = verifyInPool(db, { ...shared, visit: options.begin() });
  // The threads are at work already while this one looks at the structure.
  verifyStructure(db, findings);
  const tree = await pool;
  if (tree === undefined || findings.all.length > 0) return undefined;
  return verifyBesides(db, findings, origin, tree);
}
