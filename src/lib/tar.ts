/**
 * Archives in one form of POSIX ustar: regular files only, plain names, one owner, one time, one mode. What is
 * read must have exactly that form, so a name can never lead out of the archive, and nothing hides in a header.
 */

import { fromUtf8, utf8 } from "./encoding.ts";

const BLOCK = 512;
/** The most that the octal field of a size can say. */
const LONGEST_FILE = 0o77777777777;

/** Relative, with plain parts of which none begins with a dot; at most 100 characters, as the field has. */
const NAME = /^(?=.{1,100}$)[A-Za-z0-9][A-Za-z0-9._~-]*(?:\/[A-Za-z0-9][A-Za-z0-9._~-]*)*$/;

/** Whether a path may stand in an archive or a bundle. */
export function isPlainPath(path: string): boolean {
  return NAME.test(path) && !path.includes("..");
}

/**
 * The header of a file.
 * @param size in bytes
 * @param time seconds since 1970
 * @throws RangeError for a name or size that does not fit
 */
export function tarHeader(name: string, size: number, time: number): Uint8Array {
  if (!isPlainPath(name)) throw new RangeError(`"${name}" cannot name a file in an archive`);
  if (size > LONGEST_FILE) throw new RangeError(`${name} is too long for an archive`);
  const header = new Uint8Array(BLOCK);
  const put = (at: number, text: string): void => {
    header.set(utf8(text), at);
  };
  put(0, name);
  put(100, "0000644\0");
  put(108, "0000000\0");
  put(116, "0000000\0");
  put(124, `${octal(size, 11)}\0`);
  put(136, `${octal(time, 11)}\0`);
  put(148, "        ");
  put(156, "0");
  put(257, "ustar\x0000");
  put(265, "root");
  put(297, "root");
  put(329, "0000000\0");
  put(337, "0000000\0");
  const sum = header.reduce((all, byte) => all + byte, 0);
  put(148, `${octal(sum, 6)}\0 `);
  return header;
}

function octal(value: number, width: number): string {
  return value.toString(8).padStart(width, "0");
}

/** Zeros that fill the last block of a file. */
export function tarPadding(size: number): Uint8Array {
  return new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK);
}

/** What stands after the last file. */
export const TAR_END: Uint8Array = new Uint8Array(2 * BLOCK);

export interface TarMember {
  readonly name: string;
  /** Where its bytes begin, and how many they are. */
  readonly at: number;
  readonly size: number;
  /** Seconds since 1970. */
  readonly time: number;
}

/**
 * The members of an archive in the one form that `tarHeader` writes.
 * @param read bytes at an offset; fewer than asked for only at the end
 * @param most members
 * @returns the members in order, or what is wrong with it
 */
export function readTar(
  length: number,
  read: (at: number, length: number) => Uint8Array,
  most: number,
): readonly TarMember[] | string {
  const members: TarMember[] = [];
  const names = new Set<string>();
  let at = 0;
  for (;;) {
    const block = read(at, BLOCK);
    if (block.length < BLOCK) return `it ends in the middle of a header, at byte ${at}`;
    if (block.every((byte) => byte === 0)) break;
    const found = readHeader(block);
    if (typeof found === "string") return `the header at byte ${at} ${found}`;
    const { name, size, time } = found;
    if (names.has(name)) return `${name} is in it twice`;
    if (members.length >= most) return `it holds more than ${most} files`;
    names.add(name);
    members.push({ name, size, time, at: at + BLOCK });
    const padding = tarPadding(size);
    const end = at + BLOCK + size;
    if (!isZero(read(end, padding.length), padding.length)) return `${name} ends in the middle`;
    at = end + padding.length;
  }
  if (at + TAR_END.length !== length || !isZero(read(at, TAR_END.length), TAR_END.length)) {
    return `something follows its end, at byte ${at}`;
  }
  return members;
}

function isZero(bytes: Uint8Array, length: number): boolean {
  return bytes.length === length && bytes.every((byte) => byte === 0);
}

function readHeader(block: Uint8Array): Omit<TarMember, "at"> | string {
  const end = block.indexOf(0);
  let name: string;
  try {
    name = fromUtf8(block.subarray(0, Math.min(end, 100)));
  } catch {
    return "has a name that is not UTF-8";
  }
  if (!isPlainPath(name)) return "has no plain name";
  const size = number(block.subarray(124, 135));
  const time = number(block.subarray(136, 147));
  if (size === undefined || time === undefined) return "has a malformed size or time";
  // Links, devices, owners, modes, long names and extensions all show as another byte somewhere.
  const ours = tarHeader(name, size, time);
  if (!ours.every((byte, i) => byte === block[i])) return "is not of the form that bundles have";
  return { name, size, time };
}

function number(field: Uint8Array): number | undefined {
  const text = Buffer.from(field).toString("latin1");
  return /^[0-7]{11}$/.test(text) ? parseInt(text, 8) : undefined;
}
