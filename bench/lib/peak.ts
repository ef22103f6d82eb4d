/**
 * A process of its own that backs up or restores keys, or restores them by the bare loop, and prints the most
 * memory it held in bytes, and the most that the module's process held beside it.
 */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { UnwrapItem } from "../../src/hsm/backup.ts";
import { fromHex, hex } from "../../src/lib/encoding.ts";
import { BareKeys } from "./bare-keys.ts";
import { inFolder } from "./copies.ts";
import { backUpOurs, restoreOurs } from "./desk.ts";
import { inThisProcess, onToken, reopened, type BenchToken } from "./softhsm.ts";
import { wrappedKeys } from "./wrapped-keys.ts";

const KIBIBYTE = 1024;

/** What the process that makes the token tells the others. */
interface Made {
  readonly token: Omit<BenchToken, "session"> & { readonly serial: string };
  readonly items: readonly (Omit<UnwrapItem, "spki" | "blob"> & {
    readonly spki: string;
    readonly blob: string;
  })[];
}

/** Makes a token for others to use, filled for a backup, and lets it lie. */
async function make(filled: boolean, count: number, memory: string, file: string): Promise<void> {
  const items = wrappedKeys(count);
  await onToken(
    memory,
    (token) => {
      if (filled) new BareKeys(token).fill(items);
      const { session, ...rest } = token;
      const made: Made = {
        token: { ...rest, serial: session.info.serial },
        items: items.map((item) => ({ ...item, spki: hex(item.spki), blob: hex(item.blob) })),
      };
      writeFileSync(file, JSON.stringify(made));
      return Promise.resolve();
    },
    inThisProcess,
    true,
  );
}

async function main(what = "", file = "", disk = ""): Promise<void> {
  const { token, items: told } = JSON.parse(readFileSync(file, "utf8")) as Made;
  const items = told.map(({ spki, blob, ...rest }): UnwrapItem => {
    return { ...rest, spki: bytes(spki), blob: bytes(blob) };
  });
  let beside = 0;
  const work = async (opened: BenchToken): Promise<void> => {
    await inFolder(disk, async (folder) => {
      if (what === "bare") new BareKeys(opened).restore(items);
      else if (what === "backup") await backUpOurs(folder, opened, items);
      else await restoreOurs(folder, opened, items, 1);
    })();
    beside = childrenPeak();
  };
  if (what === "bare") await reopened(token, token.serial, work, inThisProcess);
  else await reopened(token, token.serial, work);
  process.stdout.write(`${process.resourceUsage().maxRSS * KIBIBYTE} ${beside}\n`);
}

function bytes(text: string): Uint8Array {
  return fromHex(text) ?? new Uint8Array(0);
}

/** The most memory that processes of this one held, in bytes. */
function childrenPeak(): number {
  let sum = 0;
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const status = readFileSync(join("/proc", name, "status"), "utf8");
      if (Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]) !== process.pid) continue;
      sum += Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0) * KIBIBYTE;
    } catch {
      // Gone while we looked.
    }
  }
  return sum;
}

const [what = "", ...words] = process.argv.slice(2);
if (what === "make" || what === "fill") {
  const [count = "", memory = "", file = ""] = words;
  await make(what === "fill", Number(count), memory, file);
} else {
  await main(what, ...words);
}
