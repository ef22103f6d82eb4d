/**
 * A process of its own in which the bare loop restores keys, and which prints the milliseconds that took: code
 * that has run before runs faster, and a ceremony is a new process every time.
 */

import { readFileSync } from "node:fs";
import { BareKeys } from "./bare-keys.ts";
import { readItems } from "./item-file.ts";
import { inThisProcess, reopened, type BenchToken } from "./softhsm.ts";

const [place = "", serial = "", file = ""] = process.argv.slice(2);
const token = JSON.parse(readFileSync(place, "utf8")) as Omit<BenchToken, "session">;
const items = readItems(file);
await reopened(
  token,
  serial,
  (opened) => {
    const keys = new BareKeys(opened);
    const begun = performance.now();
    keys.restore(items);
    process.stdout.write(`${performance.now() - begun}\n`);
    return Promise.resolve();
  },
  inThisProcess,
);
