/** A run of Keyrite with everything recorded that it asks of the disk, in order: see disk-recorder.c. */

import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { compiled } from "./compiled.ts";
import { newFolder } from "./rehearsed-site.ts";

/** In the order of the numbers in the record; `none` is no operation. */
const KINDS = [
  "none",
  "create",
  "write",
  "truncate",
  "sync",
  "rename",
  "unlink",
  "mkdir",
  "rmdir",
  "says",
  "unknown",
] as const;

/** One call that changed a file or folder, or what the run said in between. */
export interface DiskCall {
  readonly kind: (typeof KINDS)[number];
  /** Below the recorded folder; the word itself for `says`. */
  readonly path: string;
  /** The new name of `rename`. */
  readonly other: string;
  /** Where a write begins, what a file is cut to. */
  readonly number: number;
  readonly bytes: Buffer;
}

/** Lengths and operation: five words of 32 bits, padded, and a number of 64. */
const HEAD = 24;

let library: string | undefined;

/** Records what a command asks of the disk below a folder; the command gets the environment given to it. */
export function recordDisk(
  folder: string,
  command: (env: NodeJS.ProcessEnv) => void,
): readonly DiskCall[] {
  library ??= compiled("disk-recorder");
  const record = join(newFolder(), "record");
  command({
    LD_PRELOAD: library,
    KEYRITE_RECORD: record,
    KEYRITE_RECORD_UNDER: folder,
    NODE_OPTIONS: `--import=${join(import.meta.dirname, "says-committed.mjs")}`,
  });
  const whole = existsSync(record) ? readFileSync(record) : Buffer.alloc(0);
  rmSync(record, { force: true });
  const calls: DiskCall[] = [];
  for (let at = 0; at < whole.length; at += whole.readUInt32LE(at)) {
    calls.push(readCall(whole.subarray(at, at + whole.readUInt32LE(at)), folder));
  }
  return calls;
}

function readCall(call: Buffer, folder: string): DiskCall {
  const [path, other] = [call.readUInt32LE(8), call.readUInt32LE(12)];
  const below = (text: string): string => (text === folder ? "" : text.replace(`${folder}/`, ""));
  return {
    kind: KINDS[call.readUInt32LE(4)] ?? "unknown",
    path: below(call.toString("utf8", HEAD, HEAD + path)),
    other: below(call.toString("utf8", HEAD + path, HEAD + path + other)),
    number: Number(call.readBigInt64LE(16)),
    bytes: call.subarray(HEAD + path + other),
  };
}
