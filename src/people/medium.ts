/**
 * A person's medium: the folder, usually a USB stick, that holds their identity, their shares, copies
 * of sealed secrets and the heads they carry. Everything on it is public or sealed.
 */

import { statSync } from "node:fs";
import { join } from "node:path";
import { fromUtf8, utf8 } from "../lib/encoding.ts";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import { makeFolder, readIfPresent, removeFile, replaceFile, writeNewFile } from "../lib/files.ts";
import { formatCard, parseCard, type Card } from "./card.ts";

/** Names one share set: `<id>.g<generation>` in file names. */
export interface ShareSetName {
  readonly id: string;
  readonly generation: number;
}

/** Reads answer undefined for what is not there; every failure is a KeyriteError people.medium. */
export interface Medium {
  readonly folder: string;
  /** @throws KeyriteError people.medium when there is no card, or a refused one */
  readCard(): Card;
  /** @throws KeyriteError people.medium when there is no identity */
  readIdentity(): Uint8Array;
  /** Writes a new identity; an existing one is never overwritten. */
  writeIdentity(sealed: Uint8Array, card: Card): void;
  readShare(set: ShareSetName): Uint8Array | undefined;
  writeShare(set: ShareSetName, file: Uint8Array): void;
  readSealed(set: ShareSetName): Uint8Array | undefined;
  writeSealed(set: ShareSetName, file: Uint8Array): void;
  /** Removes share and sealed secret of a set that no record claims; what is not there is no error. */
  removeShareSet(set: ShareSetName): void;
  /** The checkpoint note this person last cosigned for a ledger. */
  readHead(origin: string): string | undefined;
  /** Replaces the head: the older one is proved by the newer. */
  writeHead(origin: string, note: string): void;
}

const LONGEST = 1 << 20;

/** A lost stick shows nothing by its permissions, and FAT has none, so the mode may fail. */
const WRITE = { mode: 0o644, modeMayFail: true } as const;

/**
 * The medium in an existing folder, which need not hold anything yet.
 * @param person whose medium it should be, for the hints of errors
 * @throws KeyriteError people.medium when there is no such folder
 */
export function openMedium(folder: string, person?: string): Medium {
  const whose = person === undefined ? "the medium" : `the medium of ${person}`;
  const at = (...parts: string[]): string => join(folder, ...parts);
  const guard = <T>(act: () => T): T => guarded(whose, folder, act);
  guard(() => {
    if (!statSync(folder).isDirectory()) throw new Error("it is not a folder");
  });
  const read = (...parts: string[]): Uint8Array | undefined =>
    guard(() => readIfPresent(at(...parts), LONGEST));
  const need = (what: string, ...parts: string[]): Uint8Array =>
    read(...parts) ?? guarded(whose, folder, () => fail(`there is no ${what}`));
  const writeNew = (place: string, name: string, bytes: Uint8Array): void => {
    guard(() => {
      makeFolder(at(place), 0o755);
      writeNewFile(at(place, name), bytes, WRITE);
    });
  };
  return {
    folder,
    readCard: () => guard(() => parseCard(need("card", "keyrite", "card.json"))),
    readIdentity: () => need("identity", "keyrite", "identity.age"),
    writeIdentity(sealed, card) {
      writeNew("keyrite", "identity.age", sealed);
      writeNew("keyrite", "card.json", formatCard(card));
    },
    readShare: (set) => read("shares", `${fileName(set)}.share.age`),
    writeShare(set, file) {
      writeNew("shares", `${fileName(set)}.share.age`, file);
    },
    readSealed: (set) => read("sealed", `${fileName(set)}.age`),
    writeSealed(set, file) {
      writeNew("sealed", `${fileName(set)}.age`, file);
    },
    removeShareSet(set) {
      guard(() => {
        removeFile(at("shares", `${fileName(set)}.share.age`));
        removeFile(at("sealed", `${fileName(set)}.age`));
      });
    },
    readHead(origin) {
      const bytes = read("heads", headName(origin));
      return bytes && guard(() => fromUtf8(bytes));
    },
    writeHead(origin, note) {
      guard(() => {
        makeFolder(at("heads"), 0o755);
        replaceFile(at("heads", headName(origin)), utf8(note), WRITE);
      });
    },
  };
}

/**
 * The file name of a head: the origin with `~` for `/` and, so that no two origins share a name on any
 * file system, every other byte outside `[a-z0-9.-]` as `%` and two hex digits.
 */
export function headName(origin: string): string {
  const safe = origin
    .split("/")
    .map((part) => Array.from(utf8(part), safeByte).join(""))
    .join("~");
  return `${safe}.note`;
}

function safeByte(byte: number): string {
  const char = String.fromCharCode(byte);
  return /[a-z0-9.-]/.test(char) ? char : `%${byte.toString(16).padStart(2, "0")}`;
}

function fileName(set: ShareSetName): string {
  return `${set.id}.g${set.generation}`;
}

function fail(problem: string): never {
  throw new Error(problem);
}

function guarded<T>(whose: string, folder: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof KeyriteError && error.code === "people.medium") throw error;
    throw new KeyriteError(
      "people.medium",
      `${whose} in ${folder} cannot be used: ${messageOf(error)}`,
      {
        hints: [`is ${whose} inserted and mounted at ${folder}?`],
        cause: error,
      },
    );
  }
}
