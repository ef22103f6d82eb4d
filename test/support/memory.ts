/** Looks for bytes in the memory of a running program (Linux). */

import { closeSync, openSync, readFileSync, readSync } from "node:fs";

/** Whether any writable memory of the process holds the text, as UTF-8 or as UTF-16. */
export function memoryHolds(pid: number, text: string): boolean {
  return memoryHits(pid, [Buffer.from(text, "utf8"), Buffer.from(text, "utf16le")]).some(
    (hits) => hits > 0,
  );
}

/** How often the writable memory of the process holds each needle. */
export function memoryHits(pid: number, needles: readonly Uint8Array[]): readonly number[] {
  const hits = needles.map(() => 0);
  for (const bytes of writableMemory(pid)) {
    needles.forEach((needle, i) => {
      hits[i] = (hits[i] ?? 0) + count(bytes, needle);
    });
  }
  return hits;
}

/** The writable memory of a process, region by region. */
export function* writableMemory(pid: number): Generator<Buffer> {
  const maps = readFileSync(`/proc/${pid}/maps`, "utf8").split("\n");
  const memory = openSync(`/proc/${pid}/mem`, "r");
  try {
    for (const line of maps) {
      const region = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line);
      if (region === null) continue;
      const start = parseInt(region[1] ?? "", 16);
      yield readRegion(memory, start, parseInt(region[2] ?? "", 16) - start);
    }
  } finally {
    closeSync(memory);
  }
}

function count(bytes: Buffer, needle: Uint8Array): number {
  let found = 0;
  for (let at = bytes.indexOf(needle); at !== -1; at = bytes.indexOf(needle, at + 1)) found += 1;
  return found;
}

/** What can be read; a region may vanish or be a hole. */
function readRegion(memory: number, start: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  try {
    return bytes.subarray(0, readSync(memory, bytes, 0, length, start));
  } catch {
    return bytes.subarray(0, 0);
  }
}
