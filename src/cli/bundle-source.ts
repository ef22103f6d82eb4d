/**
 * A bundle as it came: a folder or a .tar. Nothing in it is trusted: names are plain, files are regular, and
 * nothing is written outside a folder of our own.
 */

import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KeyriteError } from "../lib/errors.ts";
import { isPlainPath, readTar, type TarMember } from "../lib/tar.ts";
import { LEDGER, MANIFEST, MOST_FILES } from "../report/bundle-manifest.ts";

/** Every name in a .tar begins so: unpacked by hand, it makes one folder. */
export const TAR_FOLDER = "bundle/";
const CHUNK = 1 << 20;
const DEEPEST = 8;

/** The files of a bundle, by path. */
export interface BundleSource {
  readonly sizes: ReadonlyMap<string, number>;
  /** Seconds since 1970 that every file of a .tar bears; undefined for a folder. */
  readonly time: number | undefined;
  /** SHA-256 of a file in hex. */
  digest(path: string): string;
  /** The bytes of a file of at most `most` bytes. */
  read(path: string, most: number): Uint8Array;
  /** The ledger as a file that can be opened; it must be in the bundle. */
  ledger(): string;
  close(): void;
}

/**
 * The bundle at a place, or undefined when what lies there is none: a ledger or the folder of a site.
 * @throws KeyriteError ledger.damaged for one that is refused as a whole
 */
export function openBundle(place: string): BundleSource | undefined {
  const status = lstatSync(place, { throwIfNoEntry: false });
  if (status?.isDirectory() === true) {
    return existsSync(join(place, MANIFEST)) ? folderSource(place) : undefined;
  }
  if (status?.isFile() !== true || !isTar(place)) return undefined;
  return tarSource(place);
}

function isTar(path: string): boolean {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const block = Buffer.alloc(512);
    const length = readSync(file, block, 0, 512, 0);
    return (
      block.toString("latin1", 257, 262) === "ustar" || (length < 512 && path.endsWith(".tar"))
    );
  } finally {
    closeSync(file);
  }
}

function folderSource(root: string): BundleSource {
  const sizes = new Map<string, number>();
  const walk = (below: string, depth: number): void => {
    if (depth > DEEPEST) throw refused(`${below} lies too deep`);
    for (const name of readdirSync(join(root, below)).sort()) {
      const path = below === "" ? name : `${below}/${name}`;
      if (!isPlainPath(path)) throw refused(`${path} is no plain name`);
      const status = lstatSync(join(root, path));
      if (status.isDirectory()) walk(path, depth + 1);
      else if (!status.isFile()) throw refused(`${path} is neither a file nor a folder`);
      else sizes.set(path, status.size);
      if (sizes.size > MOST_FILES + 1) throw refused(`it holds more than ${MOST_FILES} files`);
    }
  };
  walk("", 0);
  const within = <T>(path: string, act: (file: number, size: number) => T): T => {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const file = openSync(join(root, path), flags);
    try {
      return act(file, fstatSync(file).size);
    } finally {
      closeSync(file);
    }
  };
  return {
    sizes,
    time: undefined,
    digest: (path) => within(path, (file, size) => digestOf(file, 0, size)),
    read: (path, most) => within(path, (file, size) => bytesOf(file, path, { at: 0, size }, most)),
    ledger: () => join(root, LEDGER),
    close: () => undefined,
  };
}

function tarSource(path: string): BundleSource {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  let own: string | undefined;
  const close = (): void => {
    closeSync(file);
    if (own !== undefined) rmSync(own, { recursive: true, force: true });
  };
  let members: ReadonlyMap<string, TarMember>;
  try {
    members = tarMembers(file);
  } catch (error) {
    close();
    throw error;
  }
  const member = (name: string): TarMember => {
    const found = members.get(name);
    if (found === undefined) throw refused(`it holds no ${name}`);
    return found;
  };
  return {
    sizes: new Map([...members].map(([name, { size }]) => [name, size])),
    time: members.get(MANIFEST)?.time,
    digest: (name) => digestOf(file, member(name).at, member(name).size),
    read: (name, most) => bytesOf(file, name, member(name), most),
    ledger: () => {
      own ??= mkdtempSync(join(tmpdir(), "keyrite-bundle-"));
      const target = join(own, LEDGER);
      if (!existsSync(target)) unpack(file, member(LEDGER), target);
      return target;
    },
    close,
  };
}

function tarMembers(file: number): ReadonlyMap<string, TarMember> {
  const { size } = fstatSync(file);
  const found = readTar(size, (at, length) => readAt(file, at, length), MOST_FILES + 1);
  if (typeof found === "string") throw refused(found);
  const odd = found.find(({ name }) => !name.startsWith(TAR_FOLDER));
  if (odd !== undefined) throw refused(`${odd.name} does not lie below ${TAR_FOLDER}`);
  const members = new Map(found.map((one) => [one.name.slice(TAR_FOLDER.length), one]));
  const disorder = whyNotInOrder([...members]);
  if (disorder !== undefined) throw refused(disorder);
  return members;
}

// One bundle is one archive: whoever compares two of them by digest must not be told of two.
function whyNotInOrder(members: readonly (readonly [string, TarMember])[]): string | undefined {
  const [first, ...others] = members;
  if (first?.[0] !== MANIFEST) return `it does not begin with ${MANIFEST}`;
  let before = "";
  for (const [name, { time }] of others) {
    if (name < before) return `${name} does not stand where its name belongs`;
    if (time !== first[1].time) return `${name} bears another time than ${MANIFEST}`;
    before = name;
  }
  return undefined;
}

function readAt(file: number, at: number, length: number): Uint8Array {
  const buffer = Buffer.alloc(length);
  let got = 0;
  while (got < length) {
    const count = readSync(file, buffer, got, length - got, at + got);
    if (count === 0) break;
    got += count;
  }
  return buffer.subarray(0, got);
}

function* chunks(file: number, at: number, size: number): Generator<Uint8Array> {
  for (let done = 0; done < size; done += CHUNK) {
    yield readAt(file, at + done, Math.min(CHUNK, size - done));
  }
}

function digestOf(file: number, at: number, size: number): string {
  const hash = createHash("sha256");
  for (const chunk of chunks(file, at, size)) hash.update(chunk);
  return hash.digest("hex");
}

function bytesOf(
  file: number,
  name: string,
  { at, size }: Pick<TarMember, "at" | "size">,
  most: number,
): Uint8Array {
  if (size > most) throw refused(`${name} is longer than ${most} bytes`);
  return readAt(file, at, size);
}

function unpack(file: number, { at, size }: TarMember, target: string): void {
  const out = openSync(target, "wx", 0o600);
  try {
    for (const chunk of chunks(file, at, size)) {
      for (let done = 0; done < chunk.length;) done += writeSync(out, chunk, done);
    }
  } finally {
    closeSync(out);
  }
}

function refused(problem: string): KeyriteError {
  return new KeyriteError("ledger.damaged", `the bundle is refused: ${problem}`, {
    hints: ["ask for the bundle again: one that was carried whole has nothing else in it"],
  });
}
