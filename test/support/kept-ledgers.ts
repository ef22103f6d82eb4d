/** Ledgers that tests leave behind for another verifier to judge, each with what ours found in it. */

import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

let kept = 0;

/** The folder to leave them in; undefined in an ordinary run, which keeps none. */
const folder = process.env["KEPT_LEDGERS"];

/** Keeps a closed ledger; `findings` as `index code: text`. */
export function keepLedger(path: string, findings: readonly string[]): void {
  if (folder === undefined) return;
  kept += 1;
  const name = join(folder, `${process.pid}-${kept}`);
  copyFileSync(path, `${name}.db`);
  writeFileSync(`${name}.json`, JSON.stringify({ test: process.argv[1], findings }));
}
