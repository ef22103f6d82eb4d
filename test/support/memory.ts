/** Looks for bytes in the memory of a running program (Linux). */

import { closeSync, openSync, readFileSync, readSync } from "node:fs";

/** Whether any writable memory of the process holds the text, as UTF-8 or as UTF-16. */
export function memoryHolds(pid: number, text: string): boolean {
  const needles = [Buffer.from(text, "utf8"), Buffer.from(text, "utf16le")];
  const maps = readFileSync(`/proc/${pid}/maps`, "utf8").split("\n");
  const memory = openSync(`/proc/${pid}/mem`, "r");
  try {
    return maps.some((line) => {
      const region = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line);
      if (region === null) return false;
      const start = parseInt(region[1] ?? "", 16);
      const bytes = readRegion(memory, start, parseInt(region[2] ?? "", 16) - start);
      return needles.some((needle) => bytes.includes(needle));
    });
  } finally {
    closeSync(memory);
  }
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
