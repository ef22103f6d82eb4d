/** Wrapped keys in a file, for processes that work on the same ones. */

import { readFileSync, writeFileSync } from "node:fs";
import type { UnwrapItem } from "../../src/hsm/backup.ts";
import { fromHex, hex } from "../../src/lib/encoding.ts";

type Told = Omit<UnwrapItem, "spki" | "blob"> & { readonly spki: string; readonly blob: string };

export function writeItems(file: string, items: readonly UnwrapItem[]): void {
  const told = items.map((item): Told => {
    return { ...item, spki: hex(item.spki), blob: hex(item.blob) };
  });
  writeFileSync(file, JSON.stringify(told));
}

export function readItems(file: string): readonly UnwrapItem[] {
  return (JSON.parse(readFileSync(file, "utf8")) as readonly Told[]).map((item) => {
    return { ...item, spki: bytes(item.spki), blob: bytes(item.blob) };
  });
}

function bytes(text: string): Uint8Array {
  return fromHex(text) ?? new Uint8Array(0);
}
