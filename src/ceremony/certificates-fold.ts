/**
 * Folds the facts about certificates and CRLs into custody: what contradicts it is not taken. A serial
 * number is used once for a key, and the numbers of its CRLs never go back.
 */

import {
  whyOtherCrl,
  whyOtherImported,
  whyOtherIssued,
  whyOtherRequest,
  type DocumentOf,
} from "./certificate-documents.ts";
import { firstOf, without } from "./copies-state.ts";
import {
  revokedBy,
  type CertificateContext,
  type CertificatesCustody,
  type Revoked,
} from "./custody-certificates.ts";
import type { KeyCopies } from "./custody-copies.ts";
import { SELF } from "./facts-certificates.ts";
import type { CertificateFact, FactOf } from "./facts.ts";

type Writable = {
  -readonly [K in keyof CertificatesCustody]: CertificatesCustody[K] extends ReadonlyMap<
    infer A,
    infer B
  >
    ? Map<A, B>
    : never;
};

export interface CertificatesState extends Writable {
  readonly keys: ReadonlyMap<string, unknown>;
  readonly copies: ReadonlyMap<string, KeyCopies>;
  /** Files of the open ceremony's outbox. */
  readonly files: Set<string>;
}

/** Copies of the maps of custody, to be written to. */
export function writableCertificates(start: CertificatesCustody): Writable {
  return {
    certificates: new Map(start.certificates),
    requests: new Map(start.requests),
    crls: new Map(start.crls),
  };
}

/** What a key has used up: derived from custody, so that each certificate is not compared with all. */
interface Used {
  readonly serials: Set<string>;
  revoked: number;
}

/** The part of custody's fold that is about certificates; it writes to the maps it is given. */
export class CertificatesFold {
  readonly #state: CertificatesState;
  readonly #used = new Map<string, Used>();

  constructor(state: CertificatesState) {
    this.#state = state;
    for (const one of state.certificates.values()) {
      if (one.source !== "issued") continue;
      const used = this.#of(one.issuerSpki);
      used.serials.add(one.serial);
      if (one.revoked !== null) used.revoked += 1;
    }
  }

  /** Takes one fact. @returns why it contradicts custody, or undefined when it was taken. */
  apply(fact: CertificateFact, context: CertificateContext): string | undefined {
    switch (fact.kind) {
      case "certificate.issued":
        return this.#issue(fact, context);
      case "certificate.imported":
        return this.#import(fact, context);
      case "csr.made":
        return this.#request(fact, context);
      case "certificate.revoked":
        return this.#revoke(fact, context);
      case "crl.issued":
        return this.#list(fact, context);
    }
  }

  #of(issuerSpki: string): Used {
    const known = this.#used.get(issuerSpki);
    if (known !== undefined) return known;
    const fresh = { serials: new Set<string>(), revoked: 0 };
    this.#used.set(issuerSpki, fresh);
    return fresh;
  }

  #issue(
    fact: FactOf<"certificate.issued">,
    { ceremony, foreseen, document = NOTHING }: CertificateContext,
  ): string | undefined {
    const state = this.#state;
    const { serials } = this.#of(fact.issuerSpki);
    const problem = firstOf(
      whyNoKey(state, fact.issuerSpki, "the issuer's key"),
      this.#whyNotIssuer(fact),
      whyKnown(state, fact.sha256),
      foreseen !== true && serials.has(fact.serial)
        ? `the issuer's key has used the serial number ${fact.serial} already`
        : undefined,
      whyOtherIssued(fact, this.#issuerName(fact), document),
    );
    if (problem !== undefined) return problem;
    serials.add(fact.serial);
    const about = { ...without(fact), source: "issued", ceremony, revoked: null } as const;
    state.certificates.set(fact.sha256, about);
    state.files.add(fact.file);
    return undefined;
  }

  #issuerName({ issuer, subject }: FactOf<"certificate.issued">): string {
    return this.#state.certificates.get(issuer)?.subject ?? subject;
  }

  #whyNotIssuer({
    issuer,
    issuerSpki,
    spki,
  }: Pick<FactOf<"certificate.issued">, "issuer" | "issuerSpki" | "spki">): string | undefined {
    if (issuer === SELF) {
      return spki === issuerSpki ? undefined : "a certificate that is its own issuer has one key";
    }
    const above = this.#state.certificates.get(issuer);
    if (above === undefined) return `the issuer's certificate ${issuer} is not in custody`;
    if (above.spki !== issuerSpki) return "the issuer's certificate is about another key";
    if (!above.ca) return "the issuer's certificate is no CA certificate";
    return above.source === "issued" && above.revoked !== null
      ? "the issuer's certificate is revoked"
      : undefined;
  }

  #import(
    fact: FactOf<"certificate.imported">,
    { ceremony, document = NOTHING }: CertificateContext,
  ): string | undefined {
    const state = this.#state;
    const problem = firstOf(
      whyNoKey(state, fact.spki, "the certificate's key"),
      whyKnown(state, fact.sha256),
      whyOtherImported(fact, document),
    );
    if (problem !== undefined) return problem;
    state.certificates.set(fact.sha256, { ...without(fact), source: "imported", ceremony });
    state.files.add(fact.file);
    return undefined;
  }

  #request(
    fact: FactOf<"csr.made">,
    { ceremony, document = NOTHING }: CertificateContext,
  ): string | undefined {
    const state = this.#state;
    const problem = firstOf(
      whyNoKey(state, fact.spki, "the request's key"),
      state.requests.has(fact.sha256) ? "the request is in custody already" : undefined,
      whyOtherRequest(fact, document),
    );
    if (problem !== undefined) return problem;
    state.requests.set(fact.sha256, { ...without(fact), ceremony });
    state.files.add(fact.file);
    return undefined;
  }

  #revoke(
    fact: FactOf<"certificate.revoked">,
    { ceremony, foreseen }: CertificateContext,
  ): string | undefined {
    const { certificates } = this.#state;
    const { sha256, issuerSpki, serial, reason, date } = fact;
    const known = certificates.get(sha256);
    if (known?.source !== "issued") return `no certificate ${sha256} was issued here`;
    if (known.issuerSpki !== issuerSpki || (foreseen !== true && known.serial !== serial)) {
      return "the certificate has another issuer or serial number";
    }
    if (known.revoked !== null) return `certificate ${known.file} is revoked already`;
    certificates.set(sha256, { ...known, revoked: { reason, date, ceremony } });
    this.#of(issuerSpki).revoked += 1;
    return undefined;
  }

  #list(
    fact: FactOf<"crl.issued">,
    { ceremony, foreseen, document = NOTHING }: CertificateContext,
  ): string | undefined {
    const state = this.#state;
    const { issuer, issuerSpki, number, thisUpdate, nextUpdate, entries } = fact;
    const above = state.certificates.get(issuer);
    const before = state.crls.get(issuerSpki);
    const { revoked } = this.#of(issuerSpki);
    const problem = firstOf(
      whyNoKey(state, issuerSpki, "the issuer's key"),
      above?.spki === issuerSpki && above.ca
        ? undefined
        : "the issuer's certificate is not in custody, or is about another key",
      entries === revoked ? undefined : `it has ${entries} entries; ${revoked} are revoked`,
      foreseen === true ? undefined : whyNotNewer(before, { number, thisUpdate, nextUpdate }),
      whyOtherCrl(fact, document, () => revokedOf(state, issuerSpki)),
    );
    if (problem !== undefined) return problem;
    state.crls.set(issuerSpki, { ...without(fact), ceremony });
    state.files.add(fact.file);
    return undefined;
  }
}

const NOTHING: DocumentOf = () => undefined;

function revokedOf(state: CertificatesState, issuerSpki: string): ReadonlyMap<string, Revoked> {
  return new Map(revokedBy(state, issuerSpki).map(({ serial, revoked }) => [serial, revoked]));
}

type Dated = Pick<FactOf<"crl.issued">, "number" | "thisUpdate" | "nextUpdate">;

// RFC 5280 §5.2.3: numbers increase; who holds a CRL with a higher one would not take a later one.
function whyNotNewer(before: Dated | undefined, now: Dated): string | undefined {
  if (now.nextUpdate <= now.thisUpdate) return "its next update is not after its own date";
  if (before === undefined) return undefined;
  if (now.number <= before.number) {
    return `CRL number ${now.number} is not above ${before.number}, the last one of the key`;
  }
  return now.thisUpdate < before.thisUpdate ? "it is dated before the last one" : undefined;
}

function whyNoKey(
  { keys, copies }: CertificatesState,
  spki: string,
  what: string,
): string | undefined {
  if (!keys.has(spki)) return `${what} is not in custody`;
  return copies.get(spki)?.destroyed === true ? `${what} is recorded as destroyed` : undefined;
}

function whyKnown({ certificates }: CertificatesState, sha256: string): string | undefined {
  return certificates.has(sha256) ? `certificate ${sha256} is in custody already` : undefined;
}
