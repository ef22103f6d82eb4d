/**
 * D03: what published vectors say of the algorithms in use. Ours where the code is ours; of the library below, what
 * it must do for ours to be right. The forms that Wycheproof warns of are refused.
 */

import assert from "node:assert/strict";
import { createCipheriv, createDecipheriv, hkdfSync, scryptSync } from "node:crypto";
import { describe, test } from "node:test";
import { recipientOf, whyRecipientRefused } from "../../src/lib/age.ts";
import { decodeBech32 } from "../../src/lib/bech32.ts";
import { signingKeyFromSeed, verifySignature } from "../../src/lib/ed25519.ts";
import { hex, utf8 } from "../../src/lib/encoding.ts";
import { Secret } from "../../src/lib/secret.ts";
import { ecdsaToDer } from "../../src/hsm/ecdsa.ts";

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));

/** RFC 8032 §7.1: seed, public key, message, signature. */
const ED25519 = [
  [
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "",
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  ],
  [
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "72",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  ],
  [
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    "af82",
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  ],
] as const;

describe("Ed25519", () => {
  for (const [number, [seed, key, message, signature]] of ED25519.entries()) {
    test(`D03: RFC 8032 §7.1 test ${number + 1}`, () => {
      const signer = signingKeyFromSeed(bytes(seed));
      assert.equal(hex(signer.publicKey), key);
      assert.equal(hex(signer.sign(bytes(message))), signature);
      assert.ok(verifySignature(bytes(key), bytes(message), bytes(signature)));
    });
  }

  test("D03: the same signature with S grown by the order of the group is refused", () => {
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    for (const [, key, message, signature] of ED25519) {
      const s = [...bytes(signature).subarray(32)].reverse();
      const grown = BigInt(`0x${Buffer.from(s).toString("hex")}`) + order;
      const other = Buffer.from(grown.toString(16).padStart(64, "0"), "hex").reverse();
      const forged = Buffer.concat([bytes(signature).subarray(0, 32), other]);
      assert.equal(verifySignature(bytes(key), bytes(message), forged), false);
    }
  });

  test("D03: a key of small order verifies nothing, not even all zeros", () => {
    const neutral = bytes(`01${"00".repeat(31)}`);
    const signature = Buffer.concat([neutral, new Uint8Array(32)]);
    assert.equal(verifySignature(neutral, utf8("anything"), signature), false);
  });
});

describe("X25519", () => {
  /** RFC 7748 §6.1: private and public key. */
  const PAIRS = [
    [
      "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
      "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
    ],
    [
      "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
      "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
    ],
  ] as const;
  for (const [secret, key] of PAIRS) {
    test(`D03: RFC 7748 §6.1 key ${key.slice(0, 8)}`, () => {
      const recipient = recipientOf(Secret.copy(bytes(secret)));
      assert.equal(hex(decodeBech32("age", utf8(recipient)) ?? new Uint8Array()), key);
      assert.equal(whyRecipientRefused(recipient), undefined);
    });
  }
});

describe("the library below", () => {
  test("D03: AES key wrap with padding is that of RFC 5649 §6", () => {
    const kek = bytes("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8");
    const wraps = [
      [
        "c37b7e6492584340bed12207808941155068f738",
        "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a",
      ],
      ["466f7250617369", "afbeb0f07dfbf5419200f2ccb50bb24f"],
    ] as const;
    for (const [key, wrapped] of wraps) {
      const iv = bytes("a65959a6");
      const cipher = createCipheriv("id-aes192-wrap-pad", kek, iv);
      assert.equal(
        Buffer.concat([cipher.update(bytes(key)), cipher.final()]).toString("hex"),
        wrapped,
      );
      const decipher = createDecipheriv("id-aes192-wrap-pad", kek, iv);
      const opened = Buffer.concat([decipher.update(bytes(wrapped)), decipher.final()]);
      assert.equal(opened.toString("hex"), key);
    }
  });

  test("D03: ChaCha20-Poly1305 is that of RFC 8439 §2.8.2", () => {
    const key = Uint8Array.from({ length: 32 }, (_, i) => 0x80 + i);
    const cipher = createCipheriv("chacha20-poly1305", key, bytes("070000004041424344454647"), {
      authTagLength: 16,
    });
    const text =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
    cipher.setAAD(bytes("50515253c0c1c2c3c4c5c6c7"), { plaintextLength: text.length });
    const sealed = Buffer.concat([cipher.update(utf8(text)), cipher.final()]);
    assert.ok(sealed.toString("hex").startsWith("d31a8d34648e60db7b86afbc53ef7ec2"));
    assert.equal(cipher.getAuthTag().toString("hex"), "1ae10b594f09e26a7e902ecbd0600691");
  });

  test("D03: scrypt is that of RFC 7914 §12", () => {
    const key = scryptSync("password", "NaCl", 64, { N: 1024, r: 8, p: 16, maxmem: 1 << 26 });
    assert.equal(
      key.toString("hex"),
      "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640",
    );
  });

  test("D03: HKDF is that of RFC 5869 A.1", () => {
    const key = bytes("0b".repeat(22));
    const [salt, info] = [bytes("000102030405060708090a0b0c"), bytes("f0f1f2f3f4f5f6f7f8f9")];
    assert.equal(
      Buffer.from(hkdfSync("sha256", key, salt, info, 42)).toString("hex"),
      "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    );
  });
});

test("D03: an ECDSA signature of a token has one form in DER", () => {
  const der = hex(ecdsaToDer(bytes(`${"00".repeat(31)}80${"00".repeat(31)}01`)));
  assert.equal(der, "300702020080020101");
});
