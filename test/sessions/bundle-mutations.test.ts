/** Bundles changed at random: every change that alters a byte is named, and none makes the check fail. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { KeyriteError } from "../../src/lib/errors.ts";
import { checkListing } from "../../src/cli/bundle-check.ts";
import { openBundle } from "../../src/cli/bundle-source.ts";
import { madeBundle } from "../support/bundles.ts";
import { newFolder } from "../support/rehearsed-site.ts";

const COUNT = Number(process.env["LONG_TEST_MUTATIONS"] ?? 1500);

/** Numbers that look random and are the same in every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const bytes = readFileSync(madeBundle().tar);
const random = numbers(20261124);
const folder = newFolder();
const path = join(folder, "changed.tar");

const CHANGES: readonly (readonly [name: string, change: () => Uint8Array])[] = [
  ["a bit", () => flipped(random(bytes.length), 1 << random(8))],
  ["a byte", () => flipped(random(bytes.length), 1 + random(255))],
  ["the end cut off", () => bytes.subarray(0, random(bytes.length))],
  [
    "a block gone",
    () => {
      const at = random(bytes.length / 512) * 512;
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 512)]);
    },
  ],
  [
    "a block twice",
    () => {
      const at = random(bytes.length / 512) * 512;
      return Buffer.concat([bytes.subarray(0, at + 512), bytes.subarray(at)]);
    },
  ],
  [
    "two blocks exchanged",
    () => {
      const copy = Buffer.from(bytes);
      const [a, b] = [random(bytes.length / 512) * 512, random(bytes.length / 512) * 512];
      copy.set(bytes.subarray(a, a + 512), b);
      copy.set(bytes.subarray(b, b + 512), a);
      return copy;
    },
  ],
  [
    "bytes inserted",
    () => {
      const at = random(bytes.length);
      return Buffer.concat([
        bytes.subarray(0, at),
        Buffer.alloc(1 + random(600), 7),
        bytes.subarray(at),
      ]);
    },
  ],
];

function flipped(at: number, mask: number): Uint8Array {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ mask;
  return copy;
}

/** What is said against a bundle; empty when nothing is. */
function complaint(): string {
  try {
    const source = openBundle(path);
    if (source === undefined) return "it is no bundle";
    try {
      return checkListing(source).findings[0]?.text ?? "";
    } finally {
      source.close();
    }
  } catch (error) {
    assert.ok(error instanceof KeyriteError && error.code === "ledger.damaged", String(error));
    return error.message;
  }
}

test(`C18: ${COUNT} random changes of a .tar are each refused with a reason, and write nothing`, () => {
  writeFileSync(path, bytes);
  assert.equal(complaint(), "");
  const manifestEnd =
    512 + Math.ceil(readFileSync(join(madeBundle().folder, "bundle.json")).length / 512) * 512;
  let inManifest = 0;
  for (let i = 0; i < COUNT; i += 1) {
    const [name = "", change] = CHANGES[i % CHANGES.length] ?? [];
    const changed = change?.() ?? bytes;
    if (Buffer.compare(changed, bytes) === 0) continue;
    writeFileSync(path, changed);
    const said = complaint();
    if (said !== "") continue;
    // The manifest names every file but itself: what it states of the ledger is compared later.
    const at = changed.findIndex((byte, where) => byte !== bytes[where]);
    assert.ok(at >= 512 && at < manifestEnd, `${name} at ${at} was not noticed`);
    inManifest += 1;
  }
  assert.ok(inManifest <= COUNT / 50, `${inManifest} changes of the manifest alone`);
  assert.deepEqual(readdirSync(folder), ["changed.tar"]);
});
