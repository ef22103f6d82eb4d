/**
 * The last look at what was signed before it becomes a file: it must be what the room agreed to, read
 * the same by two decoders, and verify under the one key it was signed by.
 */

import { createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { equalBytes, hex } from "../lib/encoding.ts";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import type { AlgorithmView } from "./algorithms.ts";
import { readCrl, type SignedCrl } from "./crl-read.ts";
import { readCsr, readCsrInfo } from "./csr-read.ts";
import type { CsrView } from "./csr.ts";
import { type SecondCrl, secondReadCrl } from "./second-crl.ts";
import { secondReadCsr, secondReadCsrInfo } from "./second-csr.ts";
import { secondReadCertificate, secondReadTbs } from "./second-reader.ts";
import { verifySignature } from "./signature.ts";
import { type CertificateView, readCertificate, readTbs } from "./view.ts";

export interface Expected {
  /** DER of the signed part that was agreed to. */
  readonly tbs: Uint8Array;
  /** DER SubjectPublicKeyInfo of the signing key, from where it was recorded. */
  readonly spki: Uint8Array;
}

/** What two decoders give of anything signed. */
interface Signed {
  readonly tbs: Uint8Array;
  readonly algorithm: AlgorithmView;
  readonly signature: Uint8Array;
}

/**
 * Judges a certificate against what was agreed; returns when nothing is wrong with it.
 * @throws KeyriteError hsm.bad-output, naming what differs.
 */
export function checkCertificate(der: Uint8Array, expected: Expected): void {
  const read = reading("first", () => readCertificate(der));
  const again = reading("second", () => secondReadCertificate(der));
  sameReading({ ...comparable(read), view: read.view }, { ...comparable(again), view: again.view });
  sameAsAgreed(read, expected, () => {
    const agreed = reading("first", () => readTbs(expected.tbs));
    return differences(read.view, agreed);
  });
  sameAlgorithms(read.algorithm, read.view.signature);
  const key = signedBy(read, expected);
  // OpenSSL's own X.509 code: a third reading, of the file as others will meet it.
  const certificate = reading("node:crypto", () => new X509Certificate(der));
  if (!equalBytes(new Uint8Array(certificate.raw), der)) wrong("OpenSSL reads other bytes in it");
  if (!certificate.verify(key)) wrong("OpenSSL does not take its signature for the key's");
  const { issuer, subject, key: about } = read.view;
  const isSelfSigned = isDeepStrictEqual(issuer, subject) && about.spki === hex(expected.spki);
  if (isSelfSigned && !certificate.checkIssued(certificate)) {
    wrong("OpenSSL does not take it for a self-signed certificate");
  }
}

/** The same for a certificate request, which its own key has signed. @throws KeyriteError hsm.bad-output */
export function checkCsr(der: Uint8Array, expected: Expected): void {
  const again = reading("second", () => secondReadCsr(der));
  sameAsAgreed(again, expected, () => {
    const agreed = reading("second", () => secondReadCsrInfo(expected.tbs));
    return differences(again.view, agreed);
  });
  readCsrTwice(expected.tbs);
  signedBy(again, expected);
  // Under a throw-away key a request is not signed by the key that it is about.
  if (again.view.key.spki !== hex(expected.spki)) return;
  const read = reading("first", () => readCsr(der));
  sameReading({ ...comparable(read), view: read.view }, { ...comparable(again), view: again.view });
}

/** The same for a revocation list, entry by entry. @throws KeyriteError hsm.bad-output */
export function checkCrl(der: Uint8Array, expected: Expected): void {
  const read = reading("first", () => readCrl(der));
  const again = reading("second", () => secondReadCrl(der));
  const head = (crl: SignedCrl | SecondCrl): object => ({ ...comparable(crl), header: crl.header });
  sameReading(head(read), head(again));
  reading("second", () => {
    sameEntries(read.entries(), again.entries());
  });
  sameAsAgreed(read, expected, () => []);
  sameAlgorithms(read.algorithm, read.header.signature);
  signedBy(read, expected);
}

/**
 * What to-be-signed bytes say, after both decoders read the same in them.
 * @throws KeyriteError hsm.bad-output when they differ or cannot read it.
 */
export function readTwice(tbs: Uint8Array): CertificateView {
  const view = reading("first", () => readTbs(tbs));
  sameReading(
    view,
    reading("second", () => secondReadTbs(tbs)),
  );
  return view;
}

/** The same of a CertificationRequestInfo. @throws KeyriteError hsm.bad-output */
export function readCsrTwice(tbs: Uint8Array): CsrView {
  const view = reading("first", () => readCsrInfo(tbs));
  sameReading(
    view,
    reading("second", () => secondReadCsrInfo(tbs)),
  );
  return view;
}

/** @throws Error, or a KeyriteError hsm.bad-output, at the first entry that two decoders read differently. */
function sameEntries(first: Iterable<object>, second: Iterable<object>): void {
  const others = second[Symbol.iterator]();
  let number = 0;
  for (const entry of first) {
    number++;
    const other = others.next();
    if (other.done !== true && isDeepStrictEqual(entry, other.value)) continue;
    const differing = differences(entry, other.done === true ? undefined : other.value);
    if (differing.length > 0) {
      wrong(`two decoders read entry ${number} differently: ${differing.join(", ")}`);
    }
  }
  if (others.next().done !== true) wrong(`the second decoder finds more than ${number} entries`);
}

function sameReading(first: unknown, second: unknown): void {
  const differing = differences(first, second);
  if (differing.length > 0) wrong(`two decoders read it differently: ${differing.join(", ")}`);
}

function sameAsAgreed(
  { tbs }: Signed,
  expected: Expected,
  differing: () => readonly string[],
): void {
  if (equalBytes(tbs, expected.tbs)) return;
  wrong(`its signed part is not the agreed one: ${differing().join(", ") || "bytes differ"}`);
}

function sameAlgorithms(outside: AlgorithmView, inside: AlgorithmView): void {
  if (differences(outside, inside).length === 0) return;
  wrong("it names two different signature algorithms (RFC 5280 §4.1.1.2, §5.1.1.2)");
}

/** @returns the key that has signed it. */
function signedBy({ algorithm, tbs, signature }: Signed, { spki }: Expected): KeyObject {
  const { scheme } = algorithm;
  if (scheme === null) wrong("its signature algorithm is not one we issue");
  const key = reading("node:crypto", () =>
    createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" }),
  );
  if (!verifySignature(scheme, key, tbs, signature)) {
    wrong("its signature does not verify under the key");
  }
  return key;
}

function comparable({ tbs, algorithm, signature }: Signed): object {
  return { tbs: hex(tbs), algorithm, signature: hex(signature) };
}

/** Paths (`subject.0.0.value`) at which two plain values differ. */
export function differences(a: unknown, b: unknown, path = ""): readonly string[] {
  if (Object.is(a, b)) return [];
  if (!isRecord(a) || !isRecord(b)) return [path === "" ? "everything" : path];
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
  return names.flatMap((name) => differences(a[name], b[name], path ? `${path}.${name}` : name));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function reading<T>(who: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof KeyriteError && error.code === "hsm.bad-output") throw error;
    wrong(`the ${who} decoder refuses it: ${messageOf(error)}`, error);
  }
}

function wrong(what: string, cause?: unknown): never {
  throw new KeyriteError("hsm.bad-output", `the file is not written: ${what}`, { cause });
}
