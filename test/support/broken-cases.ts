/**
 * Good certificates, one for each role, and what a test needs to break one part of one of them. Nothing is
 * wrong with the good ones under the strictest rules.
 */

import type { CertificateContext, CertificateRole } from "../../src/pki/lint-rule.ts";
import { type CertificateView, readTbs } from "../../src/pki/view.ts";
import {
  type CertificateParts,
  constraints,
  keyUsage,
  permittedOrganisation,
  named,
  PURPOSE,
  purposes,
  responderParts,
  rootParts,
  serialFor,
  signed,
  type Signer,
  signer,
  subordinateParts,
  tbsOf,
} from "./broken-certificate.ts";
import { bool, type Bytes, int } from "./der.ts";

export const KEYS = {
  root: signer("p-384"),
  issuing: signer("p-256"),
  other: signer("p-256"),
  rsa: signer("rsa"),
  ed25519: signer("ed25519"),
} as const;

export const GOOD: Readonly<Record<CertificateRole, CertificateParts>> = {
  root: rootParts(KEYS.root),
  subordinate: subordinateParts(KEYS.issuing, KEYS.root),
  cross: {
    ...subordinateParts(KEYS.issuing, KEYS.root),
    subject: named("Old Root"),
    serial: serialFor("cross"),
  },
  "ocsp-responder": responderParts(KEYS.other, KEYS.root),
};

const rootView = readTbs(tbsOf(GOOD.root));

/** The strictest context a good certificate of a role passes. */
export function contextOf(role: CertificateRole): CertificateContext {
  const nowMs = Date.parse("2026-11-24T09:00:00Z");
  const issuer = role === "root" ? null : rootView;
  return { role, trust: "tls", issuer, nowMs };
}

export type Change = Omit<Partial<CertificateParts>, "extensions"> & {
  /** Extensions that are replaced, added, or (null) left out. */
  readonly ext?: Readonly<Record<string, Bytes | null>>;
};

export interface Broken {
  readonly rule: string;
  readonly role: CertificateRole;
  readonly change: Change;
  /** What the message must say. */
  readonly why: RegExp;
  readonly context?: Partial<CertificateContext>;
  /** The whole file, where breaking a part of the signed one is not enough. */
  readonly file?: (tbs: Bytes, by: Signer) => Bytes;
}

/** A case of the tables. */
export function broken(
  rule: string,
  role: CertificateRole,
  why: RegExp,
  change: Change,
  more: Pick<Broken, "context" | "file"> = {},
): Broken {
  return { rule, role, why, change, ...more };
}

/** The certificate of a case in DER, signed by the key of the root. */
export function brokenFile({ role, change, file = signed }: Broken): Bytes {
  return file(tbsOf(changed(GOOD[role], change)), KEYS.root);
}

export function changed(
  good: CertificateParts,
  { ext: changes = {}, ...fields }: Change,
): CertificateParts {
  const extensions = Object.fromEntries(
    Object.entries({ ...good.extensions, ...changes }).filter(
      (entry): entry is [string, Bytes] => entry[1] !== null,
    ),
  );
  return { ...good, ...fields, extensions };
}

const issuerWith = (ext: Change["ext"]): CertificateView =>
  readTbs(tbsOf(changed(GOOD.root, ext === undefined ? {} : { ext })));

/** Issuers that differ from the good root in one part. */
export const ISSUERS = {
  noCa: issuerWith({ constraints: constraints() }),
  noListSigner: issuerWith({ usage: keyUsage("000001") }),
  noSigner: issuerWith({ usage: keyUsage("0000001") }),
  lastLevel: issuerWith({ constraints: constraints(bool(true), int("00")) }),
  oneLevel: issuerWith({ constraints: constraints(bool(true), int("01")) }),
  othersOnly: issuerWith({ names: permittedOrganisation("Other") }),
  serversOnly: issuerWith({ purposes: purposes(PURPOSE.server) }),
} as const;

/** The certificate that the good cross-certificate doubles. */
export const DOUBLED = readTbs(
  tbsOf({ ...rootParts(KEYS.issuing), subject: named("Old Root"), issuer: named("Old Root") }),
);
