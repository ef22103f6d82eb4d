/**
 * What stands inside the age files of a share set: text that a person can read with stock `age`, whose
 * last line is the secret. Format: docs/formats/share-set.md.
 */

import { fromUtf8 } from "../lib/encoding.ts";
import {
  fromHexBytes,
  hexBytes,
  joinLines,
  splitLines,
  valueAfter,
  type Line,
} from "../lib/secret-text.ts";
import { Secret } from "../lib/secret.ts";

const SHARE = "keyrite/share/v1";
const SEALED = "keyrite/sealed/v1";

/** The public lines of a share file, as written; comparing them is for whoever knows the set. */
export interface ShareNames {
  readonly set: string;
  readonly generation: string;
  readonly threshold: string;
  readonly index: string;
  readonly person: string;
}

/** The public lines of the sealed secret's file, as written. */
export interface SealedNames {
  readonly set: string;
  readonly generation: string;
  readonly purpose: string;
  readonly threshold: string;
  readonly serial: string;
  readonly label: string;
}

const SHARE_NAMES = ["set", "generation", "threshold", "index", "person"] as const;
const SEALED_NAMES = ["set", "generation", "purpose", "threshold", "serial", "label"] as const;

/** The plaintext of a share file, with the share in hex; the caller wipes it. */
export function formatShare(names: ShareNames, share: Secret): Uint8Array {
  const digits = share.use(hexBytes);
  const content = formatLines(SHARE, SHARE_NAMES, names, ["share ", digits]);
  digits.fill(0);
  return content;
}

/** A share file's plaintext, or undefined when it is anything else. */
export function parseShare(content: Secret): (ShareNames & { share: Secret }) | undefined {
  return content.use((bytes) => {
    const read = readLines(SHARE, SHARE_NAMES, "share ", bytes);
    const share = read && fromHexBytes(read.last);
    return share && { ...read.names, share: Secret.take(share) };
  });
}

/** The plaintext of the sealed secret, with the secret as it is; the caller wipes it. */
export function formatSealed(names: SealedNames, secret: Secret): Uint8Array {
  const last = lastLine(names.purpose);
  return secret.use((bytes) => formatLines(SEALED, SEALED_NAMES, names, [last, bytes]));
}

/** The sealed secret's plaintext, or undefined when it is anything else. */
export function parseSealed(content: Secret): (SealedNames & { secret: Secret }) | undefined {
  return content.use((bytes) => {
    for (const last of ["pin ", "kek "]) {
      const read = readLines(SEALED, SEALED_NAMES, last, bytes);
      if (read === undefined || lastLine(read.names.purpose) !== last) continue;
      return { ...read.names, secret: Secret.copy(read.last) };
    }
    return undefined;
  });
}

// What a person reads who opens the file without Keyrite says which of the two they hold.
function lastLine(purpose: string): string {
  return purpose === "kek" ? "kek " : "pin ";
}

function formatLines<K extends string>(
  kind: string,
  order: readonly K[],
  names: Readonly<Record<K, string>>,
  last: Line,
): Uint8Array {
  return joinLines([[kind], ...order.map((name): Line => [`${name} ${names[name]}`]), last]);
}

function readLines<K extends string>(
  kind: string,
  order: readonly K[],
  lastName: string,
  bytes: Uint8Array,
): { readonly names: Record<K, string>; readonly last: Uint8Array } | undefined {
  const lines = splitLines(bytes, order.length + 2);
  const last = valueAfter(lines?.at(-1), lastName);
  if (lines?.length !== order.length + 2 || last === undefined) return undefined;
  const values = order.map((name, i) => textOf(valueAfter(lines[i + 1], `${name} `)));
  if (textOf(lines[0]) !== kind || values.includes(undefined)) return undefined;
  const names = Object.fromEntries(order.map((name, i) => [name, values[i]]));
  return { names: names as Record<K, string>, last };
}

function textOf(line: Uint8Array | undefined): string | undefined {
  try {
    return line && fromUtf8(line);
  } catch {
    return undefined;
  }
}
