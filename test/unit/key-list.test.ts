/** Key lists, which one agreement covers by their digest: what is none is no list of anything. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { keyListBytes, readKeyList } from "../../src/ceremony/key-list.ts";
import { utf8 } from "../../src/lib/encoding.ts";

const root = { spki: "b".repeat(64), label: "root-g1", ckaId: "01" };
const leaf = { spki: "a".repeat(64), label: "leaf-g1", ckaId: "02", count: 7 };

test("a list is the same bytes in any order, and is read with all its members", () => {
  const bytes = keyListBytes([root, leaf]);
  assert.deepEqual(keyListBytes([leaf, root]), bytes);
  assert.deepEqual(
    [...(readKeyList(bytes) ?? [])],
    [
      [leaf.spki, leaf],
      [root.spki, root],
    ],
  );
});

const NONE: Readonly<Record<string, Uint8Array>> = {
  "bytes that are not UTF-8": Uint8Array.of(0x5b, 0xff, 0x5d),
  "text that is no JSON": utf8("[{]"),
  "an object": utf8("{}"),
  "a list of texts": utf8('["root-g1"]'),
  "a list of nothing": utf8("[null]"),
  ...Object.fromEntries(
    Object.keys(root).flatMap((name) => [
      [`an item without ${name}`, utf8(JSON.stringify([leaf, { ...root, [name]: undefined }]))],
      [`an item whose ${name} is a number`, utf8(JSON.stringify([leaf, { ...root, [name]: 7 }]))],
    ]),
  ),
};

for (const [what, bytes] of Object.entries(NONE)) {
  test(`${what}: no key list`, () => {
    assert.equal(readKeyList(bytes), undefined);
  });
}
