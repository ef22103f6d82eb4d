/** A CA on a token that has revoked many certificates, and its list as the product signs it. */

import { createHash } from "node:crypto";
import type { Session } from "../../src/hsm/token.ts";
import { equalBytes } from "../../src/lib/encoding.ts";
import { assembleCertificate, buildRootTbs } from "../../src/pki/certificate.ts";
import { assembleCrl, buildCrl, type CrlEntry } from "../../src/pki/crl.ts";
import { readCrl } from "../../src/pki/crl-read.ts";
import { parseDn } from "../../src/pki/names.ts";
import { serialFrom } from "../../src/pki/profile.ts";
import { verifySignature } from "../../src/pki/signature.ts";
import { type CertificateView, readCertificate } from "../../src/pki/view.ts";
import { RANDOM } from "./softhsm.ts";

export interface CrlMaterial {
  readonly session: Session;
  readonly issuer: CertificateView;
  readonly spki: Uint8Array;
  readonly entries: readonly CrlEntry[];
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number;
}

const CKA_ID = "ca01";
const BEGIN_MS = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;

export async function crlMaterial(session: Session, count: number): Promise<CrlMaterial> {
  const key = { label: "bench-ca", ckaId: CKA_ID, algorithm: "p-256" } as const;
  const asked = { ...key, purpose: "ca-signing", extractable: false } as const;
  const { spki } = await session.generateKeyPair(asked);
  const built = buildRootTbs({
    subject: parseDn("CN=Bench Root,O=Example,C=DE"),
    spki,
    serial: serialFrom(RANDOM.bytes(20)),
    notBeforeMs: BEGIN_MS,
    days: 7305,
  });
  const request = { spki, ckaId: CKA_ID, scheme: built.scheme, message: built.tbs };
  const [signature] = await session.signAll([request]);
  if (signature === undefined) throw new Error("a signature is missing");
  const der = assembleCertificate(built.tbs, built.scheme, signature);
  return {
    session,
    issuer: readCertificate(der).view,
    spki,
    entries: Array.from({ length: count }, (_, at) => entry(at)),
    thisUpdateMs: BEGIN_MS + 100 * DAY_MS,
    nextUpdateMs: BEGIN_MS + 280 * DAY_MS,
  };
}

/** Serial numbers of 20 octets, another time for each: nothing that a cache could make cheap. */
function entry(at: number): CrlEntry {
  const digits = createHash("sha256").update(`serial ${at}`).digest("hex").slice(0, 38);
  const revokedAt = new Date(BEGIN_MS + at * 1000).toISOString().replace(".000Z", "Z");
  const made: CrlEntry = { serial: `4b${digits}`, revokedAt, reason: "superseded" };
  // Texts as they come out of the ledger, and not as pieces that were put together here.
  return JSON.parse(JSON.stringify(made)) as CrlEntry;
}

export interface SignedList {
  readonly der: Uint8Array;
  readonly tbs: Uint8Array;
  /** SHA-256 of what was signed, in hex. */
  readonly sha256: string;
}

/** Built, signed by the token and verified there in software, and assembled. */
export async function signedCrl(material: CrlMaterial): Promise<SignedList> {
  const { session, spki } = material;
  const { tbs, scheme, sha256 } = buildCrl({ ...material, number: 7n });
  const [signature] = await session.signAll([{ spki, ckaId: CKA_ID, scheme, message: tbs }]);
  if (signature === undefined) throw new Error("a signature is missing");
  return { der: assembleCrl(tbs, scheme, signature), tbs, sha256 };
}

/** @throws Error unless the list is whole and the CA's. */
export function checkList({ spki, entries }: CrlMaterial, { der, tbs }: SignedList): void {
  const read = readCrl(der);
  const { scheme } = read.algorithm;
  const good = scheme !== null && verifySignature(scheme, spki, read.tbs, read.signature);
  if (!good || !equalBytes(read.tbs, tbs) || read.count !== entries.length) {
    throw new Error("the list is not the one that was built");
  }
}
