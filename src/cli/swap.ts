/** Where this machine swaps memory to in the clear: secrets in pages that nobody locked may be written there. */

import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";

/** Reads a small file of the system; undefined when there is none. */
type Look = (path: string) => string | undefined;

const lookAtSystem: Look = (path) => (existsSync(path) ? readFileSync(path, "utf8") : undefined);

/**
 * Swap devices and files that are not known to be encrypted (Linux): dm-crypt devices are, and memory that is
 * compressed in memory does not leave it, unless it was given a device to write to.
 */
export function openSwap(look: Look = lookAtSystem): readonly string[] {
  const [, ...lines] = (look("/proc/swaps") ?? "").split("\n");
  const places = lines.map((line) => line.split(/\s/)[0] ?? "").filter((place) => place !== "");
  return places.filter((place) => {
    const device = basename(place);
    if (/^zram\d+$/.test(device)) return writesBack(look, device);
    return look(`/sys/block/${device}/dm/uuid`)?.startsWith("CRYPT-") !== true;
  });
}

/** Whether a compressed device writes what it holds to another one; without that ability it has no such file. */
function writesBack(look: Look, device: string): boolean {
  const backing = look(`/sys/block/${device}/backing_dev`)?.trim() ?? "none";
  return backing !== "none";
}

/** A kernel that cannot swap has no list of swap either; where nothing of a kernel is to be seen, nothing is known. */
function cannotTell(look: Look): boolean {
  return look("/proc/swaps") === undefined && look("/proc/meminfo") === undefined;
}

/** One sentence for whoever is about to type a secret, or undefined when nothing is swapped in the clear. */
export function swapWarning(look: Look = lookAtSystem): string | undefined {
  if (cannotTell(look)) {
    return "whether memory is swapped in the clear cannot be told on this system: there is no /proc/swaps";
  }
  const places = openSwap(look);
  if (places.length === 0) return undefined;
  return `swap is on and not known to be encrypted: ${places.join(", ")}. Secrets may be written there: swapoff -a`;
}
