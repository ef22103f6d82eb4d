/**
 * C2SP tlog-tiles of a ledger: hash tiles of 256 and bundles of the entries themselves, as files that any
 * static web server can offer and any tile reader can check. One pass over the entries makes all of them.
 */

import { concat, utf8 } from "../lib/encoding.ts";
import { LONGEST_ENTRY } from "./canonical.ts";
import { leafHash, nodeHash } from "./merkle.ts";

/** Hashes in a full tile, and entries in a full bundle. */
export const TILE_WIDTH = 256;

export interface TileFile {
  /** Such as `tile/0/x001/234.p/5`. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/**
 * The path of a tile (tlog-tiles, "Merkle tree"): groups of three digits, all but the last behind an `x`; a
 * partial tile says its width.
 * @param level of hashes, or `entries` for a bundle
 */
export function tilePath(level: number | "entries", index: number, width = TILE_WIDTH): string {
  const groups: string[] = [];
  for (let rest = index, last = true; last || rest > 0; rest = Math.floor(rest / 1000)) {
    groups.unshift(`${last ? "" : "x"}${String(rest % 1000).padStart(3, "0")}`);
    last = false;
  }
  const partial = width === TILE_WIDTH ? "" : `.p/${width}`;
  return `tile/${level}/${groups.join("/")}${partial}`;
}

/** All tiles and entry bundles of the tree over these entries, each when its last hash is known. */
export function* tileFiles(entries: Iterable<string>): Generator<TileFile> {
  const levels: Level[] = [];
  let bundle: Uint8Array[] = [];
  let bundles = 0;
  for (const text of entries) {
    bundle.push(record(text));
    if (bundle.length === TILE_WIDTH) {
      yield { path: tilePath("entries", bundles), bytes: concat(...bundle) };
      bundle = [];
      bundles += 1;
    }
    yield* grown(levels, 0, leafHash(text));
  }
  if (bundle.length > 0) {
    yield { path: tilePath("entries", bundles, bundle.length), bytes: concat(...bundle) };
  }
  for (const [level, { hashes, full }] of levels.entries()) {
    if (hashes.length === 0) continue;
    yield { path: tilePath(level, full, hashes.length), bytes: concat(...hashes) };
  }
}

/** The hashes of the tile that is being filled, and how many full ones came before it. */
interface Level {
  hashes: Uint8Array[];
  full: number;
}

function* grown(levels: Level[], at: number, hash: Uint8Array): Generator<TileFile> {
  const level = (levels[at] ??= { hashes: [], full: 0 });
  level.hashes.push(hash);
  if (level.hashes.length < TILE_WIDTH) return;
  const { hashes, full } = level;
  yield { path: tilePath(at, full), bytes: concat(...hashes) };
  level.hashes = [];
  level.full += 1;
  // A hash of the level above is the root of a full tile of this one.
  yield* grown(levels, at + 1, rootOfFull(hashes));
}

function rootOfFull(hashes: readonly Uint8Array[]): Uint8Array {
  let row = hashes;
  while (row.length > 1) {
    row = row.flatMap((left, i) => {
      const right = row[i + 1];
      return i % 2 === 0 && right !== undefined ? [nodeHash(left, right)] : [];
    });
  }
  const [root] = row;
  if (root === undefined) throw new Error("a tile without hashes has no root");
  return root;
}

/** An entry in a bundle: its length as two bytes, big-endian, and its bytes. */
function record(text: string): Uint8Array {
  const bytes = utf8(text);
  if (bytes.length > LONGEST_ENTRY)
    throw new RangeError("an entry is longer than a bundle can say");
  return concat(Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes);
}
