/** What a report page computes with: hashes and signatures in plain JavaScript agree with OpenSSL, strictly. */

import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { describe, test } from "node:test";
import fc from "fast-check";
import { fromBase64, fromHex, hex } from "../../src/report/in-page/bytes.ts";
import { chooseCrypto, PLAIN, type Subtle } from "../../src/report/in-page/crypto.ts";
import { verifyEd25519 } from "../../src/report/in-page/ed25519.ts";
import { sha256, sha512 } from "../../src/report/in-page/sha2.ts";
import { verifySignature } from "../../src/lib/ed25519.ts";
import { webCrypto } from "../support/report-page.ts";

const bytesOf = (text: string): Uint8Array => fromHex(text) ?? new Uint8Array();

test("SHA-256 and SHA-512 are those of OpenSSL, at every length around their blocks", () => {
  const property = fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
    assert.equal(hex(sha256(bytes)), createHash("sha256").update(bytes).digest("hex"));
    assert.equal(hex(sha512(bytes)), createHash("sha512").update(bytes).digest("hex"));
  });
  fc.assert(property, { numRuns: 60 });
  for (const length of [0, 55, 56, 63, 64, 111, 112, 127, 128, 129]) {
    const bytes = new Uint8Array(length).fill(0xa5);
    assert.equal(hex(sha256(bytes)), createHash("sha256").update(bytes).digest("hex"));
    assert.equal(hex(sha512(bytes)), createHash("sha512").update(bytes).digest("hex"));
  }
});

describe("Ed25519 in plain JavaScript", () => {
  // RFC 8032 §7.1, test 3.
  const key = bytesOf("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
  const message = bytesOf("af82");
  const signature = bytesOf(
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  );

  test("verifies the vector of RFC 8032", () => {
    assert.ok(verifyEd25519(key, message, signature));
  });

  test("agrees with OpenSSL on fresh signatures, and refuses every changed bit it is shown", () => {
    const pair = generateKeyPairSync("ed25519");
    const spki = pair.publicKey.export({ format: "der", type: "spki" });
    const publicKey = new Uint8Array(spki.subarray(12));
    const text = new TextEncoder().encode("one person's decision about one step");
    const good = new Uint8Array(sign(null, text, pair.privateKey));
    assert.ok(verifyEd25519(publicKey, text, good));
    for (const bit of [0, 7, 100, 255, 256, 300, 400, 511]) {
      const bad = Uint8Array.from(good);
      bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.equal(verifyEd25519(publicKey, text, bad), false, `bit ${bit}`);
    }
    assert.equal(verifyEd25519(publicKey, text.slice(1), good), false);
  });

  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const tooLarge = (bytes: Uint8Array): Uint8Array => {
    let s = BigInt(`0x${hex(bytes.slice(32).toReversed())}`) + order;
    const out = Uint8Array.from(bytes);
    for (let i = 32; i < 64; i += 1) {
      out[i] = Number(s & 0xffn);
      s >>= 8n;
    }
    return out;
  };

  const refused: Readonly<Record<string, readonly [Uint8Array, Uint8Array]>> = {
    "S not below the group order": [key, tooLarge(signature)],
    "a key of small order": [bytesOf(`01${"00".repeat(31)}`), signature],
    "a second encoding of a key": [bytesOf(`ee${"ff".repeat(30)}7f`), signature],
    "a key that is no point": [bytesOf(`02${"00".repeat(31)}`), signature],
    "a short key": [key.slice(1), signature],
    "a short signature": [key, signature.slice(1)],
  };
  for (const [what, [badKey, badSignature]] of Object.entries(refused)) {
    test(`C13: refuses ${what}, as OpenSSL under our rules does, and as the browser's may not`, async () => {
      assert.equal(verifyEd25519(badKey, message, badSignature), false);
      assert.equal(verifySignature(badKey, message, badSignature), false);
      assert.equal(await (await webCrypto()).verify(badKey, message, badSignature), false);
    });
  }
});

describe("what a browser lacks", () => {
  const nothing = (): Promise<never> => Promise.reject(new Error("not supported"));
  const real = globalThis.crypto.subtle as unknown as Subtle;

  test("no WebCrypto at all: the page computes by itself", async () => {
    assert.equal(await chooseCrypto(undefined), PLAIN);
  });

  test("no Ed25519: hashes by the browser, signatures by the page", async () => {
    const subtle: Subtle = {
      digest: (...args) => real.digest(...args),
      importKey: nothing,
      verify: nothing,
    };
    const { hashes, signatures } = await chooseCrypto(subtle);
    assert.deepEqual([hashes, signatures], ["browser", "page"]);
  });

  test("a hash that is wrong is not used", async () => {
    const subtle: Subtle = {
      digest: () => Promise.resolve(new ArrayBuffer(32)),
      importKey: nothing,
      verify: nothing,
    };
    const { hashes, sha256: digest } = await chooseCrypto(subtle);
    assert.equal(hashes, "page");
    assert.equal(hex(await digest(new Uint8Array(0))), hex(sha256(new Uint8Array(0))));
  });
});

test("base64 and hex have one form each", () => {
  for (const text of ["QQ", "QR==", "QQ==\n", " QQ==", "Q-==", "é"]) {
    assert.equal(fromBase64(text), undefined, text);
  }
  for (const text of ["0", "0G", "AB", " 00"]) assert.equal(fromHex(text), undefined, text);
});
