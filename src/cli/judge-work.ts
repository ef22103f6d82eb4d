/** What verifying a large ledger takes besides the ledger: people's keys for the threads, and a sign of life. */

import { setFlagsFromString } from "node:v8";
import type { Progress } from "../console/console.ts";
import { Page } from "../console/page.ts";
import { startProgress } from "../console/progress.ts";
import { Rows } from "../ledger/rows.ts";
import type { LedgerStore } from "../ledger/store.ts";
import type { VerifierKey } from "../lib/note.ts";
import { cardKey, parseCard } from "../people/card.ts";
import { errorStyle } from "./consoles.ts";
import { systemClock } from "./system.ts";

/** More bytes than a card has. */
const LONGEST_CARD = 2000;

/** The signing keys on all attached cards: whether their owners are on the roster is judged elsewhere. */
export function peopleKeys(ledger: LedgerStore): readonly VerifierKey[] {
  const keys: VerifierKey[] = [];
  for (const bytes of new Rows(ledger.database).shortAttachments(
    "application/json",
    LONGEST_CARD,
  )) {
    try {
      keys.push(cardKey(parseCard(bytes), "ed25519"));
    } catch {
      // No card, or one that is refused: nobody's signature is verified by it.
    }
  }
  return keys;
}

/**
 * Makes this process collect its garbage once half as much again lies about as is in use. Where there is much memory
 * V8 waits for several times as much, and verifying a million entries would take a third more of it.
 */
export function keepHeapSmall(): void {
  setFlagsFromString("--heap-growing-percent=50");
}

/** Progress on standard error, of a number of entries; silent for none. */
export function verifyProgress(entries: number): Progress {
  if (entries === 0) return { report: () => undefined, end: () => undefined };
  return startProgress({
    page: new Page(process.stderr, errorStyle()),
    text: "verifying entries",
    tty: process.stderr.isTTY,
    clock: systemClock,
  });
}
