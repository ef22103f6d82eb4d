/**
 * One of everything that we issue, under shipped profiles and today's date: what other people's tools are
 * asked to judge.
 */

import { randomBytes } from "node:crypto";
import type { KeyAlgorithm, SignatureScheme } from "../../src/lib/algorithms.ts";
import { buildCertificate, type BuildRequest } from "../../src/pki/build.ts";
import { assembleCertificate } from "../../src/pki/certificate.ts";
import { checkCertificate, checkCrl, checkCsr } from "../../src/pki/check.ts";
import { assembleCrl, buildCrl } from "../../src/pki/crl.ts";
import { assembleCsr, buildCsr } from "../../src/pki/csr.ts";
import { parseDn } from "../../src/pki/names.ts";
import { certsOnly } from "../../src/pki/pkcs7.ts";
import { serialFrom } from "../../src/pki/profile.ts";
import type { Profile } from "../../src/pki/profile-file.ts";
import { throwAwayKey } from "../../src/pki/throw-away.ts";
import { type CertificateView, readCertificate } from "../../src/pki/view.ts";
import { profileNamed, URLS } from "./pki-issue.ts";

/** A key that signs, in software or in a token. */
export interface SigningKey {
  readonly spki: Uint8Array;
  readonly sign: (scheme: SignatureScheme, message: Uint8Array) => Promise<Uint8Array>;
}

export async function softwareKey(algorithm: KeyAlgorithm): Promise<SigningKey> {
  const key = await throwAwayKey(algorithm);
  return { spki: key.spki, sign: (scheme, message) => Promise.resolve(key.sign(scheme, message)) };
}

export interface Variant {
  readonly name: string;
  readonly algorithm: KeyAlgorithm;
  readonly pss: boolean;
  /** Whose rules: those of TLS, or of a private hierarchy. */
  readonly trust: "tls" | "private";
}

const variant = (algorithm: KeyAlgorithm, trust: Variant["trust"], pss = false): Variant => ({
  name: `${algorithm}${pss ? " PSS" : ""}`,
  ...{ algorithm, pss, trust },
});

/** Every kind of key and signature that we issue with. */
export const VARIANTS: readonly Variant[] = [
  variant("rsa-3072", "tls"),
  variant("rsa-3072", "private", true),
  variant("rsa-4096", "tls"),
  variant("rsa-4096", "private", true),
  variant("p-256", "tls"),
  variant("p-384", "tls"),
  variant("p-521", "tls"),
  variant("ed25519", "private"),
];

/** What a set holds, DER each. */
export interface IssuedSet {
  readonly root: Uint8Array;
  readonly subordinate: Uint8Array;
  readonly cross: Uint8Array;
  readonly responder: Uint8Array;
  readonly crl: Uint8Array;
  readonly csr: Uint8Array;
  readonly bundle: Uint8Array;
}

/** Issues a whole set: everything is signed by `root`, the request by `subject`. */
export async function issueSet(
  { algorithm, pss, trust }: Variant,
  root: SigningKey,
  subject: SigningKey,
): Promise<IssuedSet> {
  const nowMs = Date.now() - 60_000;
  const made = new Maker(root);
  const own = profiles(trust, pss);
  const common = { nowMs, validity: {} };
  const name = `CN=Root ${algorithm},O=Example,C=DE`;
  const below = { ...common, spki: subject.spki };
  const rootDer = await made.certificate((serial) => ({
    ...{ kind: "root", serial, ...common, profile: own.root },
    ...{ spki: root.spki, subject: parseDn(name) },
  }));
  const issuer = readCertificate(rootDer).view;
  const subordinate = await made.certificate((serial) => ({
    ...{ kind: "subordinate", serial, ...below, issuer, profile: own.subordinate },
    ...{
      subject: parseDn(`CN=Issuing ${algorithm},O=Example,C=DE`),
      urls: urlsFor(own.subordinate),
    },
  }));
  const revoked = readCertificate(subordinate).view.serial;
  return {
    root: rootDer,
    subordinate,
    cross: await crossOf(made, issuer, { own, subject, nowMs }),
    responder: await made.certificate((serial) => ({
      ...{ kind: "subordinate", serial, ...below, issuer, profile: own.responder },
      subject: parseDn(`CN=OCSP ${algorithm},O=Example,C=DE`),
    })),
    crl: await made.crl(
      issuer,
      revoked.replace(/..$/, (last) => (last === "00" ? "01" : "00")),
    ),
    csr: await csrOf(subject, algorithm, pss),
    bundle: certsOnly([subordinate, rootDer]),
  };
}

/** The old root that gets a second issuer is of the subject's key. */
async function crossOf(
  made: Maker,
  issuer: CertificateView,
  about: { own: Profiles; subject: SigningKey; nowMs: number },
): Promise<Uint8Array> {
  const { own, subject, nowMs } = about;
  const old = await new Maker(subject).certificate((serial) => ({
    ...{ kind: "root", serial, nowMs, validity: {}, profile: own.root, spki: subject.spki },
    subject: parseDn("CN=Old Root,O=Example,C=DE"),
  }));
  return made.certificate((serial) => ({
    ...{ kind: "cross", serial, nowMs, validity: {}, profile: own.cross, issuer },
    ...{ existing: readCertificate(old).view, urls: urlsFor(own.cross) },
  }));
}

async function csrOf(key: SigningKey, algorithm: KeyAlgorithm, pss: boolean): Promise<Uint8Array> {
  const hash = algorithm === "rsa-4096" ? "sha384" : "sha256";
  const { tbs, scheme } = buildCsr({
    subject: parseDn(`CN=Request ${algorithm},O=Example,C=DE`),
    spki: key.spki,
    ...(pss ? { scheme: `rsa-pss-${hash}` as const } : {}),
  });
  const der = assembleCsr(tbs, scheme, await key.sign(scheme, tbs));
  checkCsr(der, { tbs, spki: key.spki });
  return der;
}

interface Profiles {
  readonly root: Profile;
  readonly subordinate: Profile;
  readonly cross: Profile;
  readonly responder: Profile;
}

function profiles(trust: Variant["trust"], pss: boolean): Profiles {
  const padding = pss ? { rsaPadding: "pss" } : {};
  const all = "[rsa-3072, rsa-4096, p-256, p-384, p-521, ed25519]";
  const own = trust === "tls" ? {} : { rules: "private", keys: all };
  return {
    root: profileNamed(trust === "tls" ? "tls-root" : "private-root", padding),
    subordinate: profileNamed(`${trust}-subordinate`, padding),
    cross: profileNamed("cross-certificate", { ...own, ...padding }),
    responder: profileNamed("ocsp-responder", { ...own, ...padding }),
  };
}

function urlsFor({ crlDistributionPoints, authorityInfoAccess }: Profile) {
  const { crl = [], caIssuers = [] } = URLS;
  return {
    ...(crlDistributionPoints === "asked" ? { crl } : {}),
    ...(authorityInfoAccess.caIssuers === "asked" ? { caIssuers } : {}),
  };
}

/** Builds, has signed, assembles and judges as a ceremony does. */
class Maker {
  readonly #key: SigningKey;

  constructor(key: SigningKey) {
    this.#key = key;
  }

  async certificate(request: (serial: Uint8Array) => BuildRequest): Promise<Uint8Array> {
    const { tbs, scheme } = buildCertificate(request(serialFrom(new Uint8Array(randomBytes(20)))));
    const der = assembleCertificate(tbs, scheme, await this.#key.sign(scheme, tbs));
    checkCertificate(der, { tbs, spki: this.#key.spki });
    return der;
  }

  async crl(issuer: CertificateView, serial: string): Promise<Uint8Array> {
    const thisUpdateMs = Date.now() - 30_000;
    const revokedAt = new Date(thisUpdateMs).toISOString().replace(/\.\d+/, "");
    const { scheme: wanted } = issuer.signature;
    const { tbs, scheme } = buildCrl({
      ...{ issuer, number: 1n, thisUpdateMs, nextUpdateMs: thisUpdateMs + 180 * 86_400_000 },
      entries: [{ serial, revokedAt, reason: "cessationOfOperation" }],
      ...(wanted === null ? {} : { scheme: wanted }),
    });
    const der = assembleCrl(tbs, scheme, await this.#key.sign(scheme, tbs));
    checkCrl(der, { tbs, spki: this.#key.spki });
    return der;
  }
}
