/**
 * What a ceremony signed, judged at its close against all that was signed before: chains, names, validity,
 * numbers, revocations. A breach is said aloud and recorded; what is signed cannot be unsigned by stopping.
 */

import type { JsonObject } from "../lib/json.ts";
import type { Custody } from "./custody.ts";

export interface ClosingHierarchy extends JsonObject {
  readonly verdict: "CONSISTENT" | "INCONSISTENT";
  /** Certificates, CRLs and requests that were compared. */
  readonly parts: number;
  /** One sentence each, errors first: files by their names in the outbox. */
  readonly findings: readonly string[];
}

/** Every pair is compared: of a larger hierarchy what this ceremony made, and what stands above it. */
const MOST_PARTS = 300;
const MOST_FINDINGS = 50;

interface Signed {
  readonly sha256: string;
  readonly file: string;
  readonly ceremony: string;
  readonly issuer: string | null;
}

/** The judgement, or null for a ceremony that signed neither certificate nor CRL nor request. */
export async function closingHierarchy(
  custody: Custody,
  ceremony: string,
  nowMs: number,
  attachment: (sha256: string) => Uint8Array | undefined,
): Promise<ClosingHierarchy | null> {
  const all = signedIn(custody);
  if (all.every((one) => one.ceremony !== ceremony)) return null;
  const { judgeHierarchy, readPkiFile } = await import("../pki/hierarchy.ts");
  const chosen = all.length <= MOST_PARTS ? all : nearest(all, ceremony);
  const files = chosen.flatMap(({ sha256, file }) => {
    const der = attachment(sha256);
    return der === undefined ? [] : readPkiFile(der, file);
  });
  // Whose rules each certificate keeps its profile has said; here only whether they fit together.
  const { verdict, findings } = judgeHierarchy(files, { nowMs, trust: "private" });
  const said = findings.map((one) => `${one.files.join(", ")}: ${one.message} (${one.source})`);
  return { verdict, parts: files.length, findings: said.slice(0, MOST_FINDINGS) };
}

function signedIn({ certificates, crls, requests }: Custody): readonly Signed[] {
  const certs = [...certificates.values()].map((one) => ({
    ...{ sha256: one.sha256, file: one.file, ceremony: one.ceremony },
    issuer: one.source === "issued" ? one.issuer : null,
  }));
  const others = [...crls.values(), ...requests.values()].map((one) => ({
    ...{ sha256: one.sha256, file: one.file, ceremony: one.ceremony },
    issuer: null,
  }));
  return [...certs, ...others];
}

function nearest(all: readonly Signed[], ceremony: string): readonly Signed[] {
  const by = new Map(all.map((one) => [one.sha256, one]));
  const chosen = new Map<string, Signed>();
  for (const made of all.filter((one) => one.ceremony === ceremony)) {
    for (let one: Signed | undefined = made; one !== undefined && !chosen.has(one.sha256);) {
      chosen.set(one.sha256, one);
      one = one.issuer === null ? undefined : by.get(one.issuer);
    }
  }
  return [...chosen.values()].slice(0, MOST_PARTS);
}
