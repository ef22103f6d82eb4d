/** Archives: the one form that is written, and everything else refused. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { concat, utf8 } from "../../src/lib/encoding.ts";
import { isPlainPath, readTar, TAR_END, tarHeader, tarPadding } from "../../src/lib/tar.ts";

const file = (name: string, text: string): Uint8Array =>
  concat(tarHeader(name, utf8(text).length, 1_000_000), utf8(text), tarPadding(utf8(text).length));
const archive = concat(
  file("bundle/a.txt", "first"),
  file("bundle/b/c.json", "x".repeat(600)),
  TAR_END,
);

function read(bytes: Uint8Array, most = 10): ReturnType<typeof readTar> {
  return readTar(bytes.length, (at, length) => bytes.subarray(at, at + length), most);
}

/** Why an archive is refused; empty when it is not. */
function why(bytes: Uint8Array, most?: number): string {
  const found = read(bytes, most);
  return typeof found === "string" ? found : "";
}

test("an archive reads back", () => {
  const members = read(archive);
  assert.ok(typeof members !== "string");
  assert.deepEqual(
    members.map(({ name, size }) => [name, size]),
    [
      ["bundle/a.txt", 5],
      ["bundle/b/c.json", 600],
    ],
  );
  const [first] = members;
  assert.equal(Buffer.from(archive.subarray(first?.at, (first?.at ?? 0) + 5)).toString(), "first");
});

test("C18: names that lead elsewhere are neither written nor read", () => {
  const names = [
    "",
    "/etc/passwd",
    "../x",
    "a/../b",
    "a//b",
    "a/",
    ".x",
    "a/.x",
    "a\\b",
    "a b",
    "ä",
    "x".repeat(101),
    "a/..b",
    "C:x",
  ];
  for (const name of names) {
    assert.equal(isPlainPath(name), false, name);
    assert.throws(() => tarHeader(name, 1, 0), RangeError, name);
    const bytes = Uint8Array.from(archive);
    bytes.fill(0, 0, 100);
    bytes.set(utf8(name).subarray(0, 100));
    const sum = bytes
      .subarray(0, 512)
      .reduce((all, b, i) => all + (i >= 148 && i < 156 ? 32 : b), 0);
    bytes.set(utf8(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
    // A hundred characters of a longer name are a name of their own.
    if (name.length <= 100) assert.equal(typeof read(bytes), "string", name);
  }
});

test("C18: links, devices, owners, modes, long names and extensions are refused", () => {
  const fields: readonly (readonly [at: number, text: string])[] = [
    [156, "1"],
    [156, "2"],
    [156, "3"],
    [156, "5"],
    [156, "x"],
    [156, "L"],
    [156, "\0"],
    [100, "0004755"],
    [108, "0001750"],
    [157, "target"],
    [257, "ustar  "],
    [265, "mallory"],
    [329, "0000001"],
    [345, "prefix"],
    [500, "padding"],
  ];
  for (const [at, text] of fields) {
    const bytes = Uint8Array.from(archive);
    bytes.set(utf8(text), at);
    const sum = bytes
      .subarray(0, 512)
      .reduce((all, b, i) => all + (i >= 148 && i < 156 ? 32 : b), 0);
    bytes.set(utf8(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
    assert.match(why(bytes), /header at byte 0/, `${at} ${JSON.stringify(text)}`);
  }
});

test("C18: every truncation, and anything behind the end, is refused", () => {
  for (let length = 0; length < archive.length; length += 1) {
    assert.equal(typeof read(archive.subarray(0, length)), "string", `${length} bytes`);
  }
  assert.match(why(concat(archive, Uint8Array.of(0))), /follows its end/);
  assert.match(why(concat(archive, archive)), /follows its end/);
});

test("C18: every changed byte of a header or of padding is refused; content is the manifest's", () => {
  const content = (at: number): boolean => (at >= 512 && at < 517) || (at >= 1536 && at < 2136);
  for (let at = 0; at < archive.length; at += 1) {
    if (content(at)) continue;
    const bytes = Uint8Array.from(archive);
    bytes[at] = (bytes[at] ?? 0) ^ 0x04;
    const found = read(bytes);
    if (typeof found === "string") continue;
    // A changed name, size or time would need a checksum that fits as well.
    assert.fail(`byte ${at} was changed and read as ${JSON.stringify(found)}`);
  }
});

test("C18: a name twice, and too many files, are refused", () => {
  const twice = concat(file("bundle/a", "1"), file("bundle/a", "2"), TAR_END);
  assert.match(why(twice), /in it twice/);
  assert.match(why(archive, 1), /more than 1 files/);
});
