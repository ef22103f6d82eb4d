/** Requests for certificates (PKCS#10, RFC 2986) as plain data, and building one for an outside CA. */

import { schemeFor, schemesFor, type SignatureScheme } from "../lib/algorithms.ts";
import { KeyriteError } from "../lib/errors.ts";
import { algorithmIdentifier } from "./algorithms.ts";
import { encodeDer, Extensions } from "./asn1.ts";
import { type CsrView, EXTENSION_REQUEST, readCsrInfo } from "./csr-read.ts";
import { bitString, context, element, integer, oid, sequence, TAG } from "./der.ts";
import { encodeExtension, type ExtensionView } from "./extensions.ts";
import { keyAlgorithm, readSpki } from "./keys.ts";
import { encodeName } from "./name-codec.ts";
import type { DistinguishedName } from "./names.ts";

export type { CsrView } from "./csr-read.ts";

export interface CsrRequest {
  readonly subject: DistinguishedName;
  /** DER SubjectPublicKeyInfo of the key that signs. */
  readonly spki: Uint8Array;
  readonly extensions?: readonly ExtensionView[];
  /** One that fits the key; its default without. */
  readonly scheme?: SignatureScheme;
}

export interface CsrToBeSigned {
  /** DER of the CertificationRequestInfo. */
  readonly tbs: Uint8Array;
  readonly view: CsrView;
  readonly scheme: SignatureScheme;
}

/**
 * The to-be-signed part of a request.
 * @throws KeyriteError hsm.not-supported for a key or scheme we do not sign with, usage.bad-file for a
 * malformed key.
 */
export function buildCsr({ subject, spki, extensions = [], scheme }: CsrRequest): CsrToBeSigned {
  const algorithm = keyAlgorithm(readSpki(spki));
  if (algorithm === null) {
    throw new KeyriteError("hsm.not-supported", "the key is of a size we do not sign with");
  }
  const chosen = scheme ?? schemeFor(algorithm);
  if (!schemesFor(algorithm).includes(chosen)) {
    throw new KeyriteError("hsm.not-supported", `a ${algorithm} key does not sign with ${chosen}`);
  }
  const tbs = sequence(
    integer(0n),
    encodeDer(encodeName(subject)),
    spki,
    element(context(0, true), ...requested(extensions)),
  );
  return { tbs, view: readCsrInfo(tbs), scheme: chosen };
}

function requested(extensions: readonly ExtensionView[]): readonly Uint8Array[] {
  if (extensions.length === 0) return [];
  const wanted = encodeDer(new Extensions(extensions.map(encodeExtension)));
  return [sequence(oid(EXTENSION_REQUEST), element(TAG.SET, wanted))];
}

/** The signed request in DER. It proves nothing: `readCsr` judges the result. */
export function assembleCsr(
  tbs: Uint8Array,
  scheme: SignatureScheme,
  signature: Uint8Array,
): Uint8Array {
  return sequence(tbs, encodeDer(algorithmIdentifier(scheme)), bitString(signature));
}
