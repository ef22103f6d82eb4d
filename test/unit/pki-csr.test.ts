import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { KEY_ALGORITHMS } from "../../src/lib/algorithms.ts";
import { utf8 } from "../../src/lib/encoding.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { assembleCsr, buildCsr } from "../../src/pki/csr.ts";
import { readCsr } from "../../src/pki/csr-read.ts";
import { context, element, integer, oid, sequence, TAG } from "../../src/pki/der.ts";
import type { ExtensionView } from "../../src/pki/extensions.ts";
import { formatDn, parseDn } from "../../src/pki/names.ts";
import { pem } from "../../src/pki/pem.ts";
import { softKey, type SoftKey } from "../support/pki.ts";
import { signBytes } from "../support/pki-issue.ts";

const NAME = parseDn("CN=Outside CA,O=Example,C=DE");
const WISHES: readonly ExtensionView[] = [
  { kind: "basic-constraints", critical: true, ca: true, pathLength: 0 },
  { kind: "key-usage", critical: true, usages: ["keyCertSign", "cRLSign"] },
];

for (const algorithm of KEY_ALGORITHMS) {
  test(`a request by a ${algorithm} key is read back and verifies with openssl`, () => {
    const key = softKey(algorithm);
    const { tbs, scheme } = buildCsr({ subject: NAME, spki: key.spki, extensions: WISHES });
    const der = assembleCsr(tbs, scheme, signBytes(key, scheme, tbs));
    const read = readCsr(der);
    assert.equal(formatDn(read.view.subject), formatDn(NAME));
    assert.deepEqual(read.view.extensions, WISHES);
    assert.deepEqual(read.view.attributes, []);
    assert.deepEqual(readCsr(utf8(pem(der, "CERTIFICATE REQUEST"))).view, read.view);
    const input = pem(der, "CERTIFICATE REQUEST");
    const said = execFileSync("sh", ["-c", "openssl req -verify -noout -text 2>&1"], { input });
    assert.match(said.toString(), /verify OK/);
    assert.match(said.toString(), /CA:TRUE, pathlen:0/);
  });
}

test("a request without wishes has an empty list of attributes, and PSS is an own choice", () => {
  const key = softKey("rsa-3072");
  const { tbs, view } = buildCsr({ subject: NAME, spki: key.spki, scheme: "rsa-pss-sha256" });
  assert.deepEqual([view.extensions, view.attributes], [[], []]);
  assert.equal(Buffer.from(tbs.subarray(-2)).toString("hex"), "a000");
  const signature = signBytes(key, "rsa-pss-sha256", tbs);
  assert.equal(
    readCsr(assembleCsr(tbs, "rsa-pss-sha256", signature)).algorithm.scheme,
    "rsa-pss-sha256",
  );
});

test("a request that openssl made is read", () => {
  const command =
    "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null " +
    "-subj '/C=DE/O=Example/CN=By openssl' -addext basicConstraints=critical,CA:TRUE " +
    "-addext subjectAltName=DNS:a.example,IP:192.0.2.1 2>/dev/null";
  const { view } = readCsr(new Uint8Array(execFileSync("sh", ["-c", command])));
  assert.equal(formatDn(view.subject), "CN=By openssl,O=Example,C=DE");
  assert.deepEqual(
    view.extensions.map(({ kind }) => kind),
    ["basic-constraints", "subject-alt-name"],
  );
});

test("a scheme that does not fit the key is refused", () => {
  const { spki } = softKey("p-256");
  const build = (): unknown => buildCsr({ subject: NAME, spki, scheme: "ecdsa-sha384" });
  assert.throws(
    build,
    (error) => error instanceof KeyriteError && error.code === "hsm.not-supported",
  );
});

const KEY = softKey("p-256");
const GOOD = buildCsr({ subject: NAME, spki: KEY.spki, extensions: WISHES });
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const fromHexText = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));

/** A request over any signed part, honestly signed. */
function signed(tbs: Uint8Array, key: SoftKey = KEY): Uint8Array {
  return assembleCsr(tbs, GOOD.scheme, signBytes(key, GOOD.scheme, tbs));
}

const NAME_DER = sequence(rdn(0x0c, "Outside"));
const SPKI = KEY.spki;

function rdn(tag: number, value: string): Uint8Array {
  const text = new Uint8Array(Buffer.from(value, "utf8"));
  return element(TAG.SET, sequence(oid("2.5.4.3"), element(tag, text)));
}

interface Parts {
  readonly version?: Uint8Array;
  readonly name?: Uint8Array;
  readonly spki?: Uint8Array;
  readonly attributes?: readonly Uint8Array[];
  readonly more?: readonly Uint8Array[];
}

function info({ version, name, spki, attributes = [], more = [] }: Parts): Uint8Array {
  const list = element(context(0, true), ...attributes);
  return sequence(version ?? integer(0n), name ?? NAME_DER, spki ?? SPKI, list, ...more);
}

const REQUEST = "1.2.840.113549.1.9.14";
function wishes(...extensions: readonly Uint8Array[]): Uint8Array {
  return sequence(oid(REQUEST), element(TAG.SET, sequence(...extensions)));
}
const CA_TRUE = sequence(
  oid("2.5.29.19"),
  element(TAG.BOOLEAN, Uint8Array.of(0xff)),
  element(TAG.OCTET_STRING, fromHexText("30030101ff")),
);
const PASSWORD = sequence(
  oid("1.2.840.113549.1.9.7"),
  element(TAG.SET, element(0x0c, utf8("secret"))),
);

function rsaSpki(modulus: bigint, exponent: bigint): Uint8Array {
  const algorithm = sequence(oid("1.2.840.113549.1.1.1"), element(TAG.NULL));
  const key = sequence(integer(modulus), integer(exponent));
  return sequence(algorithm, element(TAG.BIT_STRING, Uint8Array.of(0), key));
}
const offCurve = fromHexText(hexOf(SPKI).slice(0, -2) + (hexOf(SPKI).endsWith("00") ? "01" : "00"));
const smallOrder = fromHexText(`302a300506032b6570032100${"01".padEnd(64, "0")}`);
const der = signed(GOOD.tbs);
const flipped = (at: number): Uint8Array => {
  const copy = Uint8Array.from(der);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
};
const nested = (levels: number): Uint8Array => {
  let inner: Uint8Array = integer(1n);
  for (let level = 0; level < levels; level++) inner = sequence(inner);
  return inner;
};

const HOSTILE: readonly (readonly [what: string, bytes: Uint8Array, why: RegExp])[] = [
  ["nothing", new Uint8Array(), /empty/],
  ["more than 64 KiB", new Uint8Array(65_537).fill(0x30), /larger than 64 KiB/],
  ["text", utf8("hello"), /neither DER nor/],
  ["a certificate's PEM", utf8(pem(der, "CERTIFICATE")), /block "CERTIFICATE"/],
  ["two blocks", utf8(pem(der, "CERTIFICATE REQUEST").repeat(2)), /neither DER nor one block/],
  [
    "broken base64",
    utf8("-----BEGIN CERTIFICATE REQUEST-----\nAAA\n-----END CERTIFICATE REQUEST-----\n"),
    /not base64/,
  ],
  ["bytes behind it", Uint8Array.of(...der, 0), /bytes follow/],
  ["a cut end", der.subarray(0, -1), /ends after|cannot be decoded/],
  ["an indefinite length", Uint8Array.of(0x30, 0x80, ...der.subarray(4), 0, 0), /indefinite/],
  [
    "a length that is not the shortest",
    Uint8Array.of(0x30, 0x83, 0, ...der.subarray(2)),
    /shortest|ends after|long/,
  ],
  ["nesting without end", nested(2000), /deeper/],
  ["nesting at the edge", nested(30), /deeper/],
  ["a tag of several bytes", sequence(fromHexText("1f810100")), /tag of several bytes/],
  ["a signature of other bytes", flipped(der.length - 3), /does not verify|cannot be decoded/],
  ["a name changed behind the signature", flipped(30), /./],
  ["another's signature", signed(GOOD.tbs, softKey("p-256")), /does not verify under its own key/],
  [
    "SHA-1 named as its algorithm",
    sequence(
      GOOD.tbs,
      sequence(oid("1.2.840.10045.4.1")),
      element(TAG.BIT_STRING, Uint8Array.of(0, 1)),
    ),
    /do not use/,
  ],
  [
    "a signature of part bytes",
    sequence(
      GOOD.tbs,
      sequence(oid("1.2.840.10045.4.3.2")),
      element(TAG.BIT_STRING, Uint8Array.of(1, 2)),
    ),
    /whole bytes/,
  ],
  ["four parts", sequence(GOOD.tbs, GOOD.tbs, GOOD.tbs, GOOD.tbs), /more than three parts/],
  ["version 2", signed(info({ version: integer(1n) })), /version/],
  ["no attributes field", signed(sequence(integer(0n), NAME_DER, SPKI)), /missing/],
  ["a fifth member", signed(info({ more: [integer(1n)] })), /more than four/],
  [
    "attributes out of order",
    signed(info({ attributes: [wishes(CA_TRUE), PASSWORD] })),
    /order of DER/,
  ],
  [
    "an attribute twice",
    signed(info({ attributes: [PASSWORD, PASSWORD] })),
    /attribute 1\.2\.840\.113549\.1\.9\.7 twice/,
  ],
  [
    "an attribute without value",
    signed(info({ attributes: [sequence(oid(REQUEST), element(TAG.SET))] })),
    /malformed/,
  ],
  [
    "an extension twice",
    signed(info({ attributes: [wishes(CA_TRUE, CA_TRUE)] })),
    /extension 2\.5\.29\.19 twice/,
  ],
  [
    "two lists of extensions",
    signed(
      info({
        attributes: [
          sequence(oid(REQUEST), element(TAG.SET, sequence(CA_TRUE), sequence(CA_TRUE))),
        ],
      }),
    ),
    /bytes follow/,
  ],
  [
    "NUL in a name",
    signed(info({ name: sequence(rdn(0x0c, "good.example\0.evil")) })),
    /do not show: CN=good\.example\\u\{0\}\.evil/,
  ],
  [
    "an escape sequence in a name",
    signed(info({ name: sequence(rdn(0x0c, "\u001b[2J")) })),
    /\\u\{1b\}\[2J/,
  ],
  [
    "a name that runs backwards",
    signed(info({ name: sequence(rdn(0x0c, "a\u202eb")) })),
    /\\u\{202e\}/,
  ],
  [
    "broken UTF-8 in a name",
    signed(
      info({
        name: sequence(
          element(TAG.SET, sequence(oid("2.5.4.3"), element(0x0c, Uint8Array.of(0xc3, 0x28)))),
        ),
      }),
    ),
    /canonical|decoded|not show/,
  ],
  ["RSA with exponent 1", about(rsaSpki((1n << 3071n) + 1n, 1n)), /exponent/],
  ["RSA of 1024 bits", about(rsaSpki((1n << 1023n) + 1n, 65537n)), /key of this size/],
  ["RSA of 100,000 bits", about(rsaSpki((1n << 99_999n) + 1n, 65537n)), /key of this size/],
  ["RSA with a small factor", about(rsaSpki(3n * ((1n << 3070n) + 1n), 65537n)), /divisible by/],
  ["a point off its curve", about(offCurve), /not a valid one/],
  [
    "a compressed point",
    about(
      fromHexText("3039301306072a8648ce3d020106082a8648ce3d030107032200" + "02".padEnd(66, "1")),
    ),
    /uncompressed/,
  ],
  ["an Ed25519 point of small order", about(smallOrder), /small order/],
  [
    "a key of an unknown kind",
    about(sequence(sequence(oid("1.2.3")), element(TAG.BIT_STRING, Uint8Array.of(0)))),
    /unknown algorithm/,
  ],
];

/** A request about any key; nobody can have signed it with that one. */
function about(spki: Uint8Array): Uint8Array {
  return signed(info({ spki }));
}

for (const [what, bytes, why] of HOSTILE) {
  test(`${what} is refused`, () => {
    assert.throws(
      () => readCsr(bytes),
      (error) => {
        assert.ok(error instanceof KeyriteError, String(error));
        assert.equal(error.code, "usage.bad-file");
        assert.match(error.message, why);
        // What the room reads can hold nothing that moves its cursor.
        assert.doesNotMatch(error.message, /[\p{Cc}\p{Cf}]/u);
        return true;
      },
    );
  });
}

test("every changed bit of a request is refused, and none escapes as another error", () => {
  for (let at = 0; at < der.length; at++) {
    const mutant = flipped(at);
    assert.throws(
      () => readCsr(mutant),
      (error) => error instanceof KeyriteError && error.code === "usage.bad-file",
      `byte ${at}`,
    );
  }
});

test("an attribute that is none of ours is carried as bytes", () => {
  const { view } = readCsr(signed(info({ attributes: [PASSWORD, wishes(CA_TRUE)] })));
  assert.deepEqual(
    view.attributes.map((found) => found.oid),
    ["1.2.840.113549.1.9.7"],
  );
  assert.equal(view.extensions.length, 1);
});
