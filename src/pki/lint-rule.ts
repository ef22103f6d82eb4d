/** What a rule is, and what a certificate or request is judged against. */

import { messageOf } from "../lib/errors.ts";
import type { AlgorithmView } from "./algorithms.ts";
import type { ExtensionView } from "./extensions.ts";
import type { KeyView } from "./keys.ts";
import type { DistinguishedName } from "./names.ts";
import type { CertificateView } from "./view.ts";

/** An error stops the issuing; a warning is shown to the room and recorded. */
export type Severity = "error" | "warning";

export interface Lint<T> {
  /** Stable name of the rule, kebab-case. */
  readonly rule: string;
  readonly severity: Severity;
  /** Document and section: `RFC 5280 §4.1.2.2`, `BR 7.1.2.1.1`. */
  readonly source: string;
  /** What breaks the rule, as one sentence without a full stop, or undefined. */
  readonly check: (subject: T) => string | undefined;
}

/** What a certificate is made to be. */
export type CertificateRole = "root" | "subordinate" | "cross" | "ocsp-responder";
/** Whose rules it must keep beyond RFC 5280. */
export type Trust = "tls" | "smime" | "code-signing" | "private";

export interface CertificateContext {
  readonly role: CertificateRole;
  readonly trust: Trust;
  /** The certificate of the key that signs; null when it is its own. */
  readonly issuer: CertificateView | null;
  /** For a cross-certificate: the certificate that gets a second issuer. */
  readonly existing?: CertificateView | undefined;
  /** Time of signing; what depends on it is not judged without. */
  readonly nowMs?: number | undefined;
  /** Serial numbers, in hex, that this issuer has used. */
  readonly usedSerials?: ReadonlySet<string> | undefined;
  /** SHA-256 of SubjectPublicKeyInfos, in hex, that this certificate must not be about. */
  readonly custodyKeys?: ReadonlySet<string> | undefined;
}

export interface CertificateSubject extends CertificateContext {
  readonly view: CertificateView;
  /** The algorithm named outside the signed part; null before it is signed. */
  readonly algorithm: AlgorithmView | null;
}

/** What rules on names and keys need: certificates and requests have it alike. */
export interface KeyHolder {
  readonly view: { readonly subject: DistinguishedName; readonly key: KeyView };
  readonly trust: Trust;
  readonly role?: CertificateRole;
  readonly custodyKeys?: ReadonlySet<string> | undefined;
}

export type Kind = ExtensionView["kind"];
export type Of<K extends Kind> = Extract<ExtensionView, { readonly kind: K }>;

/** The first extension of a kind. */
export function find<K extends Kind>(
  { extensions }: { readonly extensions: readonly ExtensionView[] },
  kind: K,
): Of<K> | undefined {
  return extensions.find((extension): extension is Of<K> => extension.kind === kind);
}

/** The certificate whose key signs. */
export function issuerOf({ issuer, view }: CertificateSubject): CertificateView {
  return issuer ?? view;
}

export function isCaRole(role: CertificateRole): boolean {
  return role !== "ocsp-responder";
}

/** Why something cannot be read, or undefined. */
export function readProblem(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** How a kind of extension is called in a message. */
export function kindInWords(kind: Kind): string {
  return kind.replaceAll("-", " ");
}
