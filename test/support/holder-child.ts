/** A process that opens a ledger for writing when it is told to, and says what came of it: one of several. */

import { LedgerStore } from "../../src/ledger/store.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { draft, ledgerKey, testClock } from "./ledger-fixture.ts";

/** What a process is told: to open this ledger, append to it and keep it open; or to let it go. */
export type Told = { readonly path: string } | "release";

export interface Said {
  readonly pid: number;
  readonly won: boolean;
  /** Of the refusal. */
  readonly message: string;
}

let held: LedgerStore | undefined;

function attempt(told: Told): Said {
  if (told === "release") {
    held?.close();
    held = undefined;
    return { pid: process.pid, won: false, message: "" };
  }
  const clock = testClock();
  clock.time += 3_600_000;
  const holder = { pid: process.pid, host: "ceremony-1" };
  try {
    held = LedgerStore.open(told.path, { write: { clock, key: ledgerKey, holder, reserve: true } });
  } catch (error) {
    if (!(error instanceof KeyriteError) || error.code !== "site.locked") throw error;
    return { pid: process.pid, won: false, message: error.message };
  }
  held.append([draft(`by ${process.pid}`)]);
  return { pid: process.pid, won: true, message: "" };
}

process.on("message", (told) => process.send?.(attempt(told as Told)));
process.send?.("ready");
