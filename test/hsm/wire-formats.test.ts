/** Wire formats and recorded keys in software: published vectors, and what must not be taken. */

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import {
  openInSoftware,
  WIRE_FORMATS,
  withoutTrailingZeros,
  wrapInSoftware,
} from "../../src/hsm/aes-wrap.ts";
import { checkValueInSoftware } from "../../src/hsm/check-value.ts";
import { recordedKey } from "../../src/hsm/recorded-key.ts";
import { settleStorage } from "../../src/hsm/storage.ts";
import { concat, hex } from "../../src/lib/encoding.ts";
import { refused } from "../support/hsm-asserts.ts";
import { temporaryFolder } from "../support/rig.ts";

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));
const KEY = bytes("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
const IV = new Uint8Array(16);

describe("wire formats", () => {
  test("rfc3394 is the vector of RFC 3394 §4.6", () => {
    const data = bytes("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f");
    const blob = wrapInSoftware("rfc3394", KEY, data, IV);
    assert.equal(
      hex(blob),
      "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21",
    );
    assert.deepEqual(openInSoftware("rfc3394", KEY, blob), data);
  });

  for (const length of [9, 15, 16, 32, 138]) {
    test(`each format gives ${length} bytes back under its own name`, () => {
      const data = new Uint8Array(length).fill(0x30);
      for (const format of WIRE_FORMATS) {
        const blob = wrapInSoftware(format, KEY, data, IV);
        const opened = openInSoftware(format, KEY, blob);
        assert.equal(hex(opened?.subarray(0, length) ?? IV), hex(data), format);
        const other = Uint8Array.from(KEY, (byte) => byte ^ 1);
        if (format !== "aes-cbc-pad") {
          assert.equal(openInSoftware(format, other, blob), undefined);
        }
      }
    });
  }

  test("only zeros, and fewer than eight, may follow the DER", () => {
    const der = bytes("3003020105");
    assert.deepEqual(withoutTrailingZeros(concat(der, new Uint8Array(7))), der);
    assert.equal(withoutTrailingZeros(concat(der, new Uint8Array(8))), undefined);
    assert.equal(withoutTrailingZeros(concat(der, Uint8Array.of(1))), undefined);
    assert.equal(withoutTrailingZeros(der.subarray(0, 4)), undefined);
    assert.equal(withoutTrailingZeros(bytes("0203010000")), undefined);
    assert.equal(withoutTrailingZeros(new Uint8Array(0)), undefined);
  });

  test("a check value is what its definition says", () => {
    // SHA-256 of the RFC 3394 wrap of 00…1f under a KEK of zeros, by openssl enc -id-aes256-wrap.
    assert.equal(checkValueInSoftware(new Uint8Array(32)), CHECK_VALUE_OF_ZEROS);
  });
});

const CHECK_VALUE_OF_ZEROS = "f83847ff75b1a73e";

describe("a recorded key", () => {
  const pairs = {
    "rsa-3072": generateKeyPairSync("rsa", { modulusLength: 3072 }),
    "p-256": generateKeyPairSync("ec", { namedCurve: "P-256" }),
    "p-384": generateKeyPairSync("ec", { namedCurve: "P-384" }),
    "p-521": generateKeyPairSync("ec", { namedCurve: "P-521" }),
    ed25519: generateKeyPairSync("ed25519"),
  } as const;
  for (const [algorithm, { publicKey }] of Object.entries(pairs)) {
    const spki = concat(publicKey.export({ format: "der", type: "spki" }));
    test(`${algorithm} is known by its bytes`, () => {
      const key = recordedKey(spki);
      assert.equal(key.algorithm, algorithm);
      assert.ok(key.publicKey.equals(publicKey));
    });

    test(`${algorithm} with anything else about it is refused`, () => {
      const wrong = [
        concat(spki, Uint8Array.of(0)),
        spki.subarray(0, spki.length - 1),
        concat(Uint8Array.of(0x31), spki.subarray(1)),
        spki.map((byte, index) => (index === 6 ? byte ^ 1 : byte)),
        new Uint8Array(0),
      ];
      for (const bad of wrong) assert.throws(() => recordedKey(bad), /recorded public key/);
      assert.throws(() => recordedKey(spki, "rsa-4096"), /no rsa-4096 key/);
    });
  }

  test("a modulus of another length, and a point off the curve, are refused", () => {
    const short = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey;
    const spki = concat(short.export({ format: "der", type: "spki" }));
    assert.throws(() => recordedKey(spki), /recorded public key/);
    const point = concat(pairs["p-256"].publicKey.export({ format: "der", type: "spki" }));
    const off = point.map((byte, index) => (index === 90 ? byte ^ 1 : byte));
    assert.throws(() => recordedKey(off), /recorded public key/);
  });
});

describe("storage", () => {
  const folder = temporaryFolder();
  after(() => {
    rmSync(folder, { recursive: true });
  });

  test("an empty object file is a lost object", async () => {
    mkdirSync(join(folder, "token"));
    writeFileSync(join(folder, "token", "a.object"), "content");
    writeFileSync(join(folder, "token", "a.lock"), "");
    await settleStorage(folder);
    writeFileSync(join(folder, "token", "b.object"), "");
    await refused(settleStorage(folder), { code: "hsm.bad-output", says: /b\.object is empty/ });
  });

  test("a folder that is gone is named", async () => {
    await refused(settleStorage(join(folder, "gone")), { code: "site.disk", says: /gone/ });
  });
});
