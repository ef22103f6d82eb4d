/** ChaCha20-Poly1305: the vector of RFC 8439, and every way a sealed text can be refused. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { open, seal } from "../../src/lib/chacha.ts";
import { fromHex, hex, utf8 } from "../../src/lib/encoding.ts";

function bytes(text: string): Uint8Array {
  return fromHex(text) ?? assert.fail(text);
}

const KEY = bytes("1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0");
const NONCE = bytes("000000000102030405060708");
const TEXT = utf8("Internet-Drafts are draft documents valid for a maximum of six months");

describe("ChaCha20-Poly1305", () => {
  // RFC 8439 §2.3.2: the key stream does not depend on our splitting into pieces.
  test("what is sealed opens, at every length around the size of a piece", () => {
    for (let length = 0; length <= TEXT.length; length++) {
      const sealed = seal(KEY, NONCE, TEXT.subarray(0, length));
      assert.equal(sealed.length, length + 16);
      assert.deepEqual(open(KEY, NONCE, sealed), Uint8Array.from(TEXT.subarray(0, length)));
    }
  });

  test("the first block is the key stream of RFC 8439 §2.4.2", () => {
    const key = bytes("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    const nonce = bytes("000000000000004a00000000");
    const sunscreen =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the " +
      "future, sunscreen would be it.";
    const sealed = seal(key, nonce, utf8(sunscreen));
    assert.equal(
      hex(sealed.subarray(0, 32)),
      "6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0b",
    );
  });

  test("every changed byte, a cut and another key or nonce are refused", () => {
    const sealed = seal(KEY, NONCE, TEXT);
    for (let at = 0; at < sealed.length; at++) {
      const altered = sealed.map((byte, i) => (i === at ? byte ^ 1 : byte));
      assert.equal(open(KEY, NONCE, altered), undefined, `byte ${at}`);
    }
    assert.equal(open(KEY, NONCE, sealed.subarray(0, -1)), undefined);
    assert.equal(open(KEY.toReversed(), NONCE, sealed), undefined);
    assert.equal(open(KEY, NONCE.toReversed(), sealed), undefined);
    assert.throws(() => open(KEY, NONCE, sealed.subarray(0, 15)), RangeError);
  });
});
