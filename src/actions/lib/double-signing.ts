/**
 * Signing twice: first under a throw-away software key of the same type, linted whole; then, when people
 * have agreed to the very bytes, by the token, compared and linted again before a file is written.
 */

import type { Room } from "../../ceremony/action.ts";
import type { NamedKey } from "../../ceremony/key-choice.ts";
import type { SignatureScheme } from "../../lib/algorithms.ts";
import { fromBase64, sha256Hex, visible } from "../../lib/encoding.ts";
import { KeyriteError } from "../../lib/errors.ts";

/** What a lint found, as the lint tables of pki/ give it. */
export interface Lint {
  readonly rule: string;
  readonly severity: "error" | "warning";
  readonly source: string;
  readonly message: string;
}

/** A kind of document that consists of bytes to be signed, an algorithm and a signature. */
export interface Form {
  readonly what: string;
  readonly assemble: (
    tbs: Uint8Array,
    scheme: SignatureScheme,
    signature: Uint8Array,
  ) => Uint8Array;
  /** Reads it by two decoders, compares it with the agreed bytes and verifies its signature. @throws KeyriteError hsm.bad-output */
  readonly check: (der: Uint8Array, expected: { tbs: Uint8Array; spki: Uint8Array }) => void;
  /** Judges the whole document. */
  readonly lint: (der: Uint8Array) => readonly Lint[];
}

/**
 * Issues the document under a throw-away key and lints it.
 * @returns it, and the warnings, to be shown before people agree
 * @throws KeyriteError script.refused with every error of the lints, hsm.bad-output
 */
export async function rehearse(
  form: Form,
  tbs: Uint8Array,
  scheme: SignatureScheme,
  { algorithm }: Pick<NamedKey, "algorithm">,
): Promise<{ readonly der: Uint8Array; readonly warnings: readonly string[] }> {
  const { throwAwayKey } = await import("../../pki/throw-away.ts");
  const key = await throwAwayKey(algorithm);
  const der = form.assemble(tbs, scheme, key.sign(scheme, tbs));
  form.check(der, { tbs, spki: key.spki });
  return { der, warnings: lintOrRefuse(form, der) };
}

export interface Agreed {
  readonly token: string;
  readonly key: NamedKey;
  /** DER SubjectPublicKeyInfo of it. */
  readonly spki: Uint8Array;
  readonly scheme: SignatureScheme;
  readonly tbs: Uint8Array;
  /** SHA-256 of the bytes, as it stands in the agreements. */
  readonly sha256: string;
}

/** Whether the bytes that an intent carries have the digest that was read aloud and agreed to. */
export function hasAgreedBytes(intent: { readonly tbs: string; readonly sha256: string }): boolean {
  const tbs = fromBase64(intent.tbs);
  return tbs !== undefined && sha256Hex(tbs) === intent.sha256;
}

/**
 * Has the token sign what was agreed to, and judges what came back.
 * @throws KeyriteError people.agreement-invalid, hsm.*, script.refused
 */
export async function signAgreed(room: Room, form: Form, agreed: Agreed): Promise<Uint8Array> {
  const { token, key, spki, scheme, tbs } = agreed;
  // Compared right before the call, and what is signed is this very array.
  requireDigest(agreed);
  const request = { spki, ckaId: key.ckaId, scheme, message: tbs };
  const [signature] = await room.tokens.session(token).signAll([request]);
  if (signature === undefined) throw new Error("a signature is missing");
  requireDigest(agreed);
  const der = form.assemble(tbs, scheme, signature);
  requireAgreed(form, der, agreed);
  return der;
}

/**
 * The last look before a file is written, also at a file that an interrupted step has written.
 * @throws KeyriteError people.agreement-invalid, hsm.bad-output, script.refused
 */
export function requireAgreed(
  form: Form,
  der: Uint8Array,
  { tbs, sha256, spki }: Pick<Agreed, "tbs" | "sha256" | "spki">,
): void {
  requireDigest({ tbs, sha256 });
  form.check(der, { tbs, spki });
  lintOrRefuse(form, der);
}

function requireDigest({ tbs, sha256 }: Pick<Agreed, "tbs" | "sha256">): void {
  if (sha256Hex(tbs) === sha256) return;
  throw new KeyriteError("people.agreement-invalid", "the bytes to sign are not those agreed to");
}

/** Warnings of the lint table; errors of it stop the step. */
function lintOrRefuse(form: Form, der: Uint8Array): readonly string[] {
  const findings = form.lint(der);
  const errors = findings.filter(({ severity }) => severity === "error");
  if (errors.length > 0) {
    throw new KeyriteError("script.refused", `the ${form.what} breaks rules of its profile`, {
      hints: errors.map(said),
    });
  }
  return findings.map(said);
}

/** A finding as one line. */
export function said({ rule, source, message }: Lint): string {
  return `${rule} (${source}): ${visible(message)}`;
}
