/**
 * The last look at a certificate before it becomes a file: it must be what the room agreed to, read
 * the same by two decoders, and verify under the one key it is about.
 */

import { createPublicKey, type KeyObject, verify, X509Certificate } from "node:crypto";
import { equalBytes, hex } from "../lib/encoding.ts";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import { hashOf } from "./algorithms.ts";
import { secondReadCertificate, secondReadTbs } from "./second-reader.ts";
import { type CertificateView, readCertificate, readTbs, type SignedCertificate } from "./view.ts";

export interface Expected {
  /** DER of the TBSCertificate that was agreed to. */
  readonly tbs: Uint8Array;
  /** DER SubjectPublicKeyInfo of the signing key, from where it was recorded. */
  readonly spki: Uint8Array;
}

/**
 * Judges a self-signed certificate against what was agreed; returns when nothing is wrong with it.
 * @throws KeyriteError hsm.bad-output, naming what differs.
 */
export function checkCertificate(der: Uint8Array, expected: Expected): void {
  const read = reading("first", () => readCertificate(der));
  const again = reading("second", () => secondReadCertificate(der));
  const differing = differences(comparable(read), comparable(again));
  if (differing.length > 0) wrong(`two decoders read it differently: ${differing.join(", ")}`);
  if (!equalBytes(read.tbs, expected.tbs)) {
    const fields = differences(
      read.view,
      reading("first", () => readTbs(expected.tbs)),
    );
    wrong(`its signed part is not the agreed one: ${fields.join(", ") || "bytes differ"}`);
  }
  if (read.view.key.spki !== hex(expected.spki)) wrong("it is about another key");
  if (differences(read.algorithm, read.view.signature).length > 0) {
    wrong("it names two different signature algorithms (RFC 5280 §4.1.1.2)");
  }
  checkSignature(der, read, expected.spki);
}

/**
 * What to-be-signed bytes say, after both decoders read the same in them.
 * @throws KeyriteError hsm.bad-output when they differ or cannot read it.
 */
export function readTwice(tbs: Uint8Array): CertificateView {
  const view = reading("first", () => readTbs(tbs));
  const again = reading("second", () => secondReadTbs(tbs));
  const differing = differences(view, again);
  if (differing.length > 0) wrong(`two decoders read it differently: ${differing.join(", ")}`);
  return view;
}

function checkSignature(der: Uint8Array, read: SignedCertificate, spki: Uint8Array): void {
  const { scheme } = read.algorithm;
  if (scheme === null) wrong("its signature algorithm is not one we issue");
  const key = reading("node:crypto", () =>
    createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" }),
  );
  if (!verifies(hashOf(scheme), read, key)) wrong("its signature does not verify under the key");
  // OpenSSL's own X.509 code: a third reading, of the file as others will meet it.
  const certificate = reading("node:crypto", () => new X509Certificate(der));
  if (!equalBytes(new Uint8Array(certificate.raw), der)) wrong("OpenSSL reads other bytes in it");
  if (!certificate.verify(key) || !certificate.checkIssued(certificate)) {
    wrong("OpenSSL does not take it for a self-signed certificate of the key");
  }
}

function verifies(hash: string | null, read: SignedCertificate, key: KeyObject): boolean {
  try {
    return verify(hash, read.tbs, { key, dsaEncoding: "der" }, read.signature);
  } catch {
    // A scheme of another key type throws instead of returning false.
    return false;
  }
}

function comparable(read: SignedCertificate): object {
  return { ...read, tbs: hex(read.tbs), signature: hex(read.signature) };
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
    wrong(`the ${who} decoder refuses it: ${messageOf(error)}`, error);
  }
}

function wrong(what: string, cause?: unknown): never {
  throw new KeyriteError("hsm.bad-output", `the certificate is not written: ${what}`, { cause });
}
