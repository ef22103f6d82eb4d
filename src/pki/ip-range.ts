/** IP addresses and ranges as certificates hold them, in one spelling each. */

import { fromHex, hex } from "../lib/encoding.ts";

/** `192.0.2.0/24`, `2001:db8::/32` with all groups written: octets of an address, and of a mask if any. */
export function ipInWords(octets: string): string {
  const all = Array.from(fromHex(octets) ?? []);
  const size = all.length < 16 ? 4 : 16;
  const address = dottedOrGroups(all.slice(0, size));
  if (all.length === size) return address;
  const bits = all
    .slice(size)
    .map((octet) => octet.toString(2).padStart(8, "0"))
    .join("");
  const ones = bits.includes("0") ? bits.indexOf("0") : bits.length;
  const mask = bits.includes("1", ones) ? dottedOrGroups(all.slice(size)) : String(ones);
  return `${address}/${mask}`;
}

function dottedOrGroups(octets: readonly number[]): string {
  if (octets.length === 4) return octets.join(".");
  const groups = Array.from({ length: 8 }, (_, at) =>
    (((octets[2 * at] ?? 0) << 8) | (octets[2 * at + 1] ?? 0)).toString(16),
  );
  return groups.join(":");
}

/** Octets in hex of `192.0.2.0/24` or `2001:db8:0:0:0:0:0:0/32`; undefined for anything else. */
export function ipRange(text: string): string | undefined {
  const match = /^([0-9a-f.:]+)\/(0|[1-9]\d{0,2})$/.exec(text);
  const address = match?.[1] ?? "";
  const length = Number(match?.[2] ?? Number.NaN);
  const octets = address.includes(":") ? groupOctets(address) : dottedOctets(address);
  if (octets === undefined || !(length <= octets.length * 8)) return undefined;
  const mask = octets.map((_, at) => (0xff00 >> Math.min(8, Math.max(0, length - 8 * at))) & 0xff);
  // An address with bits outside its mask is two readings of one constraint.
  if (octets.some((octet, at) => (octet & ~(mask[at] ?? 0) & 0xff) !== 0)) return undefined;
  return hex(Uint8Array.from([...octets, ...mask]));
}

function dottedOctets(text: string): readonly number[] | undefined {
  const parts = text.split(".");
  const good = parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part));
  const octets = parts.map(Number);
  return good && octets.every((octet) => octet <= 255) ? octets : undefined;
}

function groupOctets(text: string): readonly number[] | undefined {
  const groups = text.split(":");
  if (groups.length !== 8 || !groups.every((group) => /^(0|[1-9a-f][0-9a-f]{0,3})$/.test(group))) {
    return undefined;
  }
  return groups.flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff]);
}
