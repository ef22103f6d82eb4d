/** Requests that somebody made to do harm: each is refused in words, and nothing of it reaches a screen raw. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { KeyriteError } from "../../src/lib/errors.ts";
import { readCsr } from "../../src/pki/csr-read.ts";
import { secondReadCsr } from "../../src/pki/second-csr.ts";
import { KEYS } from "../support/broken-cases.ts";
import { ext, named, rdn, signBytes, signed, type Signer } from "../support/broken-certificate.ts";
import { csrTbs, GOOD_CSR, type CsrParts } from "../support/broken-lists.ts";
import {
  bits,
  bool,
  type Bytes,
  ctx,
  hexBytes,
  int,
  oid,
  seq,
  set,
  tlv,
  utf8String,
} from "../support/der.ts";
import {
  closePrimes,
  modulusOf,
  OFF_CURVE,
  rocaModulus,
  rsaSpki,
  SMALL_FACTOR,
} from "../support/weak-keys.ts";

const REQUESTED = "1.2.840.113549.1.9.14";
const isCa = ext("2.5.29.19", true, seq(bool(true)));
const request = (change: Partial<CsrParts>, by: Signer = KEYS.issuing): Bytes =>
  signed(csrTbs({ ...GOOD_CSR, ...change }), by);
const asks = (...extensions: readonly Bytes[]): Bytes =>
  seq(oid(REQUESTED), set(seq(...extensions)));
const good = request({});
const n = modulusOf(KEYS.rsa.spki);
const weak = (spki: Bytes): Bytes => request({ spki }, KEYS.rsa);
const nested = (depth: number): Bytes => (depth === 0 ? seq() : seq(nested(depth - 1)));

const HOSTILE: Readonly<Record<string, readonly [Uint8Array, RegExp]>> = {
  "an empty file": [Buffer.alloc(0), /is empty/],
  text: [Buffer.from("hello"), /neither DER nor one block of PEM/],
  "two PEM blocks": [Buffer.from(`${pem(good)}${pem(good)}`), /neither DER nor one block/],
  "a private key": [
    Buffer.from(pem(good).replaceAll("CERTIFICATE REQUEST", "PRIVATE KEY")),
    /holds a block/,
  ],
  "a certificate": [signed(seq(ctx(0, int("02"))), KEYS.root), /version of the request/],
  "bytes after it": [Buffer.concat([good, Buffer.of(0)]), /bytes follow|cannot be decoded/],
  "an indefinite length": [
    Buffer.concat([Buffer.of(0x30, 0x80), good.subarray(4), Buffer.of(0, 0)]),
    /indefinite/,
  ],
  "a length of gigabytes": [
    Buffer.concat([Buffer.of(0x30, 0x84, 0x7f, 0xff, 0xff, 0xff), good]),
    /ends after what holds it/,
  ],
  "65 KiB": [request({ subject: named("x".repeat(66_000)) }), /larger than 64 KiB/],
  "a hundred levels": [
    request({ attributes: [seq(oid("1.2.3"), set(nested(100)))] }),
    /deeper than 24/,
  ],
  "version 2": [request({ version: int("01") }), /version of the request/],
  "another's signature": [request({}, KEYS.other), /does not verify/],
  "no signature": [
    seq(csrTbs(GOOD_CSR), KEYS.issuing.algorithm, bits(Buffer.of())),
    /does not verify/,
  ],
  "an algorithm of another key": [
    seq(csrTbs(GOOD_CSR), KEYS.rsa.algorithm, bits(signBytes(KEYS.issuing, csrTbs(GOOD_CSR)))),
    /does not verify/,
  ],
  "SHA-1": [
    seq(
      csrTbs(GOOD_CSR),
      seq(oid("1.2.840.10045.4.1")),
      bits(signBytes(KEYS.issuing, csrTbs(GOOD_CSR))),
    ),
    /do not use/,
  ],
  "NUL in a name": [
    request({ subject: named("good.example\u0000.evil.example") }),
    /do not show: CN=good\.example\\u\{0\}/,
  ],
  "an escape sequence in a name": [request({ subject: named("a\u001b[2Jb") }), /\\u\{1b\}/],
  "a name that reads backwards": [request({ subject: named("a\u202ebc") }), /\\u\{202e\}/],
  "a zero-width space in a name": [request({ subject: named("a\u200bb") }), /\\u\{200b\}/],
  "a line end in a name": [request({ subject: named("a\nb") }), /\\u\{a\}/],
  "a name that is not UTF-8": [
    request({ subject: seq(set(seq(oid("2.5.4.3"), tlv(0x0c, Buffer.of(0xc3, 0x28))))) }),
    /canonical DER|UTF-8|cannot be decoded/,
  ],
  "an extension twice": [
    request({ attributes: [asks(isCa, isCa)] }),
    /asks for the extension 2\.5\.29\.19 twice/,
  ],
  "an attribute twice": [request({ attributes: [asks(isCa), asks(isCa)] }), /attribute .* twice/],
  "two sets of extensions": [
    request({ attributes: [seq(oid(REQUESTED), set(seq(isCa), seq(isCa)))] }),
    /cannot be decoded/,
  ],
  "attributes in another order": [
    request({ attributes: [asks(isCa), seq(oid("1.2.3"), set(utf8String("x")))] }),
    /order of DER/,
  ],
  "RSA with e = 1": [weak(rsaSpki(n, 1n)), /rsa-exponent/],
  "RSA with e = 3": [weak(rsaSpki(n, 3n)), /rsa-exponent/],
  "RSA with an even e": [weak(rsaSpki(n, 65_538n)), /rsa-exponent|key-valid/],
  "RSA of 512 bits": [weak(rsaSpki(2n ** 511n + 111n)), /key-algorithm|key-valid/],
  "RSA of 20,000 bits": [weak(rsaSpki(2n ** 19_999n + 1n)), /key-algorithm|key-valid/],
  "RSA with a small factor": [weak(rsaSpki(SMALL_FACTOR)), /rsa-small-factor/],
  "RSA with close primes": [weak(rsaSpki(closePrimes)), /rsa-close-primes/],
  "RSA of ROCA": [weak(rsaSpki(rocaModulus())), /rsa-roca/],
  "a point off its curve": [request({ spki: OFF_CURVE }), /key-valid/],
  "the point at infinity": [
    request({
      spki: seq(seq(oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7")), bits(Buffer.of(0))),
    }),
    /uncompressed/,
  ],
  "a curve of its own": [
    request({
      spki: seq(
        seq(oid("1.2.840.10045.2.1"), seq(int("01"))),
        bits(hexBytes(`04${"11".repeat(64)}`)),
      ),
    }),
    /by name/,
  ],
  "an unknown key": [
    request({ spki: seq(seq(oid("1.2.840.10040.4.1")), bits(int("05"))) }),
    /unknown algorithm/,
  ],
  "several names in one part": [
    request({ subject: seq(set(rdn("CN", "a"), rdn("CN", "b"))) }),
    /cannot be decoded|canonical DER/,
  ],
};

function pem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return [
    "-----BEGIN CERTIFICATE REQUEST-----",
    ...lines,
    "-----END CERTIFICATE REQUEST-----",
    "",
  ].join("\n");
}

for (const [what, [bytes, why]] of Object.entries(HOSTILE)) {
  test(`H07: a request with ${what} is refused`, () => {
    assert.throws(
      () => readCsr(bytes),
      (error: unknown) => {
        assert.ok(error instanceof KeyriteError, String(error));
        assert.equal(error.code, "usage.bad-file");
        assert.match(error.message, why);
        assert.doesNotMatch(error.message, /[\p{Cc}\p{Cf}]/u);
        return true;
      },
    );
  });
}

test("the request that they are made from is taken, in DER and in PEM, and read the same twice", () => {
  const { tbs, view, algorithm, signature } = readCsr(good);
  assert.deepEqual(readCsr(Buffer.from(pem(good))).view, view);
  const again = secondReadCsr(good);
  assert.deepEqual(again.view, view);
  assert.deepEqual(Buffer.from(again.tbs), Buffer.from(tbs));
  assert.deepEqual(again.algorithm, algorithm);
  assert.deepEqual(Buffer.from(again.signature), Buffer.from(signature));
});
