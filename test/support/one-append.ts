/** A program that appends one entry to the ledger that it is told, and is killed, or not, meanwhile. */

import { LedgerStore } from "../../src/ledger/store.ts";
import { draft, ledgerKey, testClock } from "./ledger-fixture.ts";

const clock = testClock();
clock.time += 3_600_000;
const store = LedgerStore.open(process.argv[2] ?? "", { write: { clock, key: ledgerKey } });
store.append([draft("three")]);
store.close();
