/** Measuring restores and backups of many keys: every side of every round begins with a token of its own. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { UnwrapItem } from "../../src/hsm/backup.ts";
import type { Side } from "../harness.ts";
import { restoreOurs } from "./desk.ts";
import { writeItems } from "./item-file.ts";
import { inThisProcess, onToken, type BenchToken } from "./softhsm.ts";

const BARE = join(import.meta.dirname, "bare-child.ts");

/** Where a measurement happens: the token may lie in memory, ledger and vault are always on disk. */
export interface Places {
  readonly token: string;
  readonly disk: string;
}

/** Milliseconds that `work` takes on a new token, without the time for making it. */
export function onNewToken(
  { token, disk }: Places,
  work: (folder: string, token: BenchToken) => unknown,
): Side {
  return () => onToken(token, async (made) => inFolder(disk, (folder) => work(folder, made))());
}

/** Milliseconds that `work` takes, in a new folder below `place` that is removed afterwards. */
export function inFolder(place: string, work: (folder: string) => unknown): Side {
  return async () => {
    const folder = mkdtempSync(join(place, "round-"));
    try {
      const begun = performance.now();
      await work(folder);
      return performance.now() - begun;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
}

export function ours(places: Places, items: readonly UnwrapItem[], lanes = 1): Side {
  return onNewToken(places, (folder, token) => restoreOurs(folder, token, items, lanes));
}

/** The bare loop on a new token, in a new process as ours is. */
export function bare(places: Places, items: readonly UnwrapItem[]): Side {
  return async () => {
    const folder = mkdtempSync(join(places.disk, "bare-"));
    const [place, file] = [join(folder, "token.json"), join(folder, "items.json")];
    try {
      writeItems(file, items);
      const serial = await onToken(
        places.token,
        ({ session, ...token }) => {
          writeFileSync(place, JSON.stringify(token));
          return Promise.resolve(session.info.serial);
        },
        inThisProcess,
        true,
      );
      const words = ["--import", "tsx", BARE, place, serial, file];
      return Number(execFileSync(process.execPath, words, { encoding: "utf8" }));
    } finally {
      const made = JSON.parse(readFileSync(place, "utf8")) as BenchToken;
      rmSync(made.tokenDir, { recursive: true, force: true });
      rmSync(folder, { recursive: true, force: true });
    }
  };
}

/** One value of a side, each as time per key. */
export function perKey(side: Side, keys: number): Side {
  return async () => (await side()) / keys;
}
