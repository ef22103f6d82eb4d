/** Tiles and entry bundles: paths as the specification spells them, and trees of many sizes read back. */

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { signCheckpoint } from "../../src/ledger/checkpoint.ts";
import { treeHash } from "../../src/ledger/merkle.ts";
import { tileFiles, tilePath } from "../../src/ledger/tiles.ts";
import { ledgerKey, ledgerVerifier, ORIGIN } from "../support/ledger-fixture.ts";
import { formatVerifierKey } from "../../src/lib/note.ts";
import { pathOf, readLog } from "../support/tile-reader.ts";

const folder = mkdtempSync(join(tmpdir(), "keyrite-tiles-"));
after(() => {
  rmSync(folder, { recursive: true });
});
const vkey = formatVerifierKey(ledgerVerifier);
const entry = (i: number): string => `entry ${i} ${"ü".repeat(i % 7)}`;

/** Writes the log of so many entries as files. */
function written(size: number): { readonly root: string; readonly paths: readonly string[] } {
  const root = join(folder, String(size));
  const entries = Array.from({ length: size }, (_, i) => entry(i));
  const paths: string[] = [];
  for (const { path, bytes } of tileFiles(entries)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), bytes, { flag: "wx" });
    paths.push(path);
  }
  mkdirSync(root, { recursive: true });
  const checkpoint = { origin: ORIGIN, size, root: treeHash(entries) };
  writeFileSync(join(root, "checkpoint"), signCheckpoint(checkpoint, ledgerKey));
  return { root, paths };
}

test("paths are those of the specification", () => {
  assert.equal(tilePath(0, 0, 5), "tile/0/000.p/5");
  assert.equal(tilePath(3, 1234067), "tile/3/x001/x234/067");
  assert.equal(tilePath("entries", 999), "tile/entries/999");
  assert.equal(tilePath("entries", 1000, 1), "tile/entries/x001/000.p/1");
  for (const index of [0, 7, 255, 999, 1000, 123456, 1234067, 999999999]) {
    assert.equal(tilePath(1, index), pathOf(1, index, 256));
  }
});

for (const size of [0, 1, 2, 255, 256, 257, 511, 512, 513, 1000]) {
  test(`an independent reader takes the tiles of ${size} entries, and each file is needed`, () => {
    const { root, paths } = written(size);
    const log = readLog(root, vkey);
    assert.equal(log.size, size);
    assert.deepEqual(
      log.entries,
      Array.from({ length: size }, (_, i) => entry(i)),
    );
    for (const path of paths) {
      const bytes = readFileSync(join(root, path));
      rmSync(join(root, path));
      assert.throws(() => readLog(root, vkey), /missing/, path);
      writeFileSync(join(root, path), bytes);
    }
  });
}

test("65,537 entries make a third level", () => {
  const levels = new Set<string>();
  const entries = Array.from({ length: 65_537 }, () => "x");
  for (const { path } of tileFiles(entries)) levels.add(path.split("/")[1] ?? "");
  assert.deepEqual([...levels].sort(), ["0", "1", "2", "entries"]);
});

test("C18: a changed tile, entry or checkpoint is refused by the independent reader", () => {
  const { root } = written(300);
  const refuse = (path: string, at: number): void => {
    const bytes = readFileSync(join(root, path));
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    writeFileSync(join(root, path), changed);
    assert.throws(() => readLog(root, vkey), path);
    writeFileSync(join(root, path), bytes);
  };
  refuse("tile/0/000", 0);
  refuse("tile/0/001.p/44", 43 * 32);
  refuse("tile/1/000.p/1", 31);
  refuse("tile/entries/000", 2);
  refuse("tile/entries/001.p/44", 5);
  assert.equal(readLog(root, vkey).size, 300);
});

test("an entry is written behind its length of two bytes, and none that is longer than they can say", () => {
  const bundle = (text: string): Uint8Array =>
    [...tileFiles([text])].find(({ path }) => path === "tile/entries/000.p/1")?.bytes ??
    assert.fail("there is no bundle");
  for (const length of [0, 1, 255, 256, 65_535]) {
    const text = "x".repeat(length);
    const expected = Buffer.concat([Buffer.of(length >> 8, length & 0xff), Buffer.from(text)]);
    assert.deepEqual(Buffer.from(bundle(text)), expected);
  }
  assert.throws(() => bundle("x".repeat(65_536)), {
    name: "RangeError",
    message: "an entry is longer than a bundle can say",
  });
});

test("a hash of a level is the root of a full tile of the one below", () => {
  const entries = Array.from({ length: 513 }, (_, i) => entry(i));
  const tiles = new Map(
    [...tileFiles(entries)].map(({ path, bytes }) => [path, Buffer.from(bytes)]),
  );
  assert.deepEqual([...tiles.keys()].sort(), [
    "tile/0/000",
    "tile/0/001",
    "tile/0/002.p/1",
    "tile/1/000.p/2",
    "tile/entries/000",
    "tile/entries/001",
    "tile/entries/002.p/1",
  ]);
  const roots = [entries.slice(0, 256), entries.slice(256, 512)].map(treeHash);
  assert.deepEqual(tiles.get("tile/1/000.p/2"), Buffer.concat(roots));
  assert.deepEqual(tiles.get("tile/0/002.p/1"), Buffer.from(treeHash(entries.slice(512))));
});
