/** Ledgers that tests leave behind for another verifier to judge, each with what ours found in it. */

import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runningTest } from "./program.ts";

let kept = 0;

/** Files whose ledgers the other verifier judges. */
const JUDGED = /\/(authority|conformance)-[^/]*$/;

/** The folder to leave them in; undefined when nobody will judge them. */
const folder = JUDGED.test(runningTest()) ? process.env["KEPT_LEDGERS"] : undefined;

/** Keeps a closed ledger; `findings` as `index code: text`. */
export function keepLedger(path: string, findings: readonly string[]): void {
  if (folder === undefined) return;
  kept += 1;
  const name = join(folder, `${process.pid}-${kept}`);
  copyFileSync(path, `${name}.db`);
  writeFileSync(`${name}.json`, JSON.stringify({ test: runningTest(), findings }));
}
