/** Examples for the rules on fields, names and keys: each breaks the one rule that it names. */

import { broken, type Broken, type Change, DOUBLED, GOOD, ISSUERS, KEYS } from "./broken-cases.ts";
import {
  keyId,
  named,
  rdn,
  serialFor,
  signBytes,
  signed,
  signer,
  subjectKeyId,
} from "./broken-certificate.ts";
import {
  bits,
  type Bytes,
  int,
  oid,
  parts as partsOf,
  seq,
  set,
  time,
  tlv,
  utf8String,
} from "./der.ts";
import {
  closePrimes,
  modulusOf,
  OFF_CURVE,
  rocaModulus,
  rsaSpki,
  SMALL_FACTOR,
} from "./weak-keys.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";

const { root } = GOOD;
const usual = KEYS.rsa.spki;
const withKey = (spki: Bytes): Change => ({
  spki,
  ext: { subject: subjectKeyId(keyId(spki)) },
});

const FIELDS: readonly Broken[] = [
  broken("version-3", "root", /version is 2, not 3/, { version: int("01") }),
  broken("serial-positive", "root", /not positive/, { serial: int(`8${"5a".repeat(9)}1`) }),
  broken("serial-positive", "root", /not positive/, { serial: int("00") }),
  broken("serial-size", "root", /21 octets/, {
    serial: int(`009a${serialFor("long").subarray(3).toString("hex")}`),
  }),
  broken("serial-entropy", "root", /7 octets, too few/, { serial: int("0080112233445566") }),
  broken("serial-entropy", "root", /does not look random/, { serial: int("41".repeat(20)) }),
  broken(
    "serial-once",
    "subordinate",
    /used this serial number/,
    {},
    { context: { usedSerials: new Set([serialFor("issuing").subarray(2).toString("hex")]) } },
  ),
  broken(
    "signature-same",
    "root",
    /outside the signed part/,
    {},
    { file: (tbs, by) => seq(tbs, KEYS.issuing.algorithm, bits(signBytes(by, tbs))) },
  ),
  broken(
    "signature-algorithm",
    "subordinate",
    /p-384 key signs with ECDSA with SHA-384/,
    { algorithm: KEYS.issuing.algorithm },
    { file: (tbs, by) => signed(tbs, by, KEYS.issuing.algorithm) },
  ),
  broken("issuer-name", "root", /are not the same/, { issuer: named("Root G2") }),
  broken("issuer-name", "subordinate", /byte for byte/, {
    issuer: seq(
      rdn("C", "DE"),
      set(seq(oid("2.5.4.10"), tlv(0x13, Buffer.from("Example")))),
      rdn("CN", "Root G1"),
    ),
  }),
  broken("subject-own", "subordinate", /name of its issuer/, { subject: root.subject }),
  broken("issuer-ca", "subordinate", /is not a CA/, {}, { context: { issuer: ISSUERS.noCa } }),
  broken(
    "issuer-ca",
    "subordinate",
    /not for signing/,
    {},
    { context: { issuer: ISSUERS.noSigner } },
  ),
  broken("validity-order", "ocsp-responder", /ends before it begins/, {
    notAfter: time("2026-11-23T23:59:59Z"),
  }),
  broken("validity-encoding", "root", /encoded as generalized, not utc/, {
    notBefore: time("2026-11-24T00:00:00Z", "generalized"),
  }),
  broken("validity-longest", "root", /is more than 9132/, {
    notAfter: time("2051-11-26T00:00:00Z"),
  }),
  broken("validity-shortest", "root", /is less than 2922/, {
    notAfter: time("2034-11-22T23:59:58Z"),
  }),
  broken("validity-nests", "subordinate", /valid longer than its issuer/, {
    notAfter: time("2046-11-24T00:00:00Z"),
  }),
  broken("validity-nests", "subordinate", /valid before its issuer/, {
    notBefore: time("2026-11-23T23:59:59Z"),
  }),
  broken("validity-backdated", "root", /backdated by more than a day/, {
    notBefore: time("2026-11-23T08:59:59Z"),
  }),
  broken("validity-backdated", "subordinate", /begins after it is signed/, {
    notBefore: time("2026-11-24T09:00:01Z"),
  }),
];

const NAMES: readonly Broken[] = [
  broken("subject-empty", "ocsp-responder", /is empty/, { subject: seq() }),
  broken("subject-structure", "subordinate", /stands twice/, {
    subject: seq(rdn("C", "DE"), rdn("O", "Example"), rdn("CN", "A"), rdn("CN", "A")),
  }),
  broken("subject-structure", "subordinate", /several attributes/, {
    subject: seq(set(...[rdn("C", "DE"), rdn("O", "Example")].flatMap(partsOf)), rdn("CN", "E1")),
  }),
  broken("subject-values", "subordinate", /CN holds an invisible/, { subject: named("a\u202eb") }),
  broken("subject-values", "subordinate", /CN holds an invisible or control/, {
    subject: named("a\u0000b"),
  }),
  broken("subject-values", "subordinate", /C is encoded as utf8, not printable/, {
    subject: seq(set(seq(oid("2.5.4.6"), utf8String("DE"))), rdn("O", "Example"), rdn("CN", "E1")),
  }),
  broken("subject-values", "subordinate", /unknown attribute 1\.2\.3/, {
    subject: seq(...partsOf(named("E1")), set(seq(oid("1.2.3"), utf8String("x")))),
  }),
  broken("subject-order", "subordinate", /not in the order/, {
    subject: seq(rdn("O", "Example"), rdn("C", "DE"), rdn("CN", "E1")),
  }),
  broken("subject-attributes", "subordinate", /has no C, O/, { subject: seq(rdn("CN", "E1")) }),
  broken("subject-attributes", "subordinate", /holds OU/, {
    subject: seq(rdn("C", "DE"), rdn("O", "Example"), rdn("OU", "PKI"), rdn("CN", "E1")),
  }),
  broken("subject-unusual", "subordinate", /holds serialNumber/, {
    subject: seq(...partsOf(named("E1")), rdn("serialNumber", "7")),
  }),
  broken(
    "cross-subject",
    "cross",
    /byte for byte that of the certificate/,
    { subject: named("Another Root") },
    { context: { existing: DOUBLED } },
  ),
];

const KEY_CASES: readonly Broken[] = [
  broken("key-algorithm", "subordinate", /not used here/, withKey(signer("rsa", 2048).spki)),
  broken(
    "key-public-trust",
    "subordinate",
    /not accepted in public trust/,
    withKey(KEYS.ed25519.spki),
  ),
  broken("key-valid", "subordinate", /not a valid one/, withKey(OFF_CURVE)),
  broken(
    "key-foreign",
    "subordinate",
    /known as another's/,
    {},
    { context: { custodyKeys: new Set([sha256Hex(KEYS.issuing.spki)]) } },
  ),
  broken("key-issuers", "subordinate", /issuer's own/, withKey(KEYS.root.spki)),
  broken(
    "cross-key",
    "cross",
    /not that of the certificate/,
    { spki: usual },
    { context: { existing: DOUBLED } },
  ),
  broken("rsa-exponent", "subordinate", /exponent is not/, withKey(rsaSpki(modulusOf(usual), 3n))),
  broken("rsa-exponent", "subordinate", /exponent is not/, withKey(rsaSpki(modulusOf(usual), 1n))),
  broken("rsa-small-factor", "subordinate", /divisible by/, withKey(rsaSpki(SMALL_FACTOR))),
  broken("rsa-close-primes", "subordinate", /too close/, withKey(rsaSpki(closePrimes))),
  broken("rsa-roca", "subordinate", /ROCA/, withKey(rsaSpki(rocaModulus()))),
];

export const BROKEN_FIELDS: readonly Broken[] = [...FIELDS, ...NAMES, ...KEY_CASES];
