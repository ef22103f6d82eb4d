/** PEM (RFC 7468), strict: one block, one label, nothing before or behind it. */

import { base64, fromBase64, visible } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";

export type PemLabel = "CERTIFICATE" | "PUBLIC KEY" | "CERTIFICATE REQUEST" | "X509 CRL" | "PKCS7";

/** PEM of DER bytes (RFC 7468): lines of 64 characters, one newline at the end. */
export function pem(der: Uint8Array, label: PemLabel): string {
  const lines = base64(der).match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

const SEQUENCE = 0x30;

/**
 * DER out of a file that holds it bare or in one PEM block of that label; `what` names it in messages.
 * Line ends may be CRLF: the bytes come from outside, and base64 is one spelling either way.
 * @throws KeyriteError usage.bad-file for anything else, or more than `limit` bytes.
 */
export function derFrom(
  bytes: Uint8Array,
  labels: readonly string[],
  what: string,
  limit: number,
): Uint8Array {
  if (bytes.length === 0) bad(`${what} is empty`);
  if (bytes.length > limit) bad(`${what} is larger than ${limit / 1024} KiB`);
  if (bytes[0] === SEQUENCE) return bytes;
  const text = Buffer.from(bytes).toString("latin1").replaceAll("\r\n", "\n");
  const match = /^-----BEGIN ([A-Z0-9 ]{1,40})-----\n([A-Za-z0-9+/=\n]*)-----END \1-----\n?$/.exec(
    text,
  );
  if (match === null) bad(`${what} is neither DER nor one block of PEM`);
  const label = match[1] ?? "";
  if (!labels.includes(label)) {
    bad(`${what} holds a block "${visible(label)}", not "${labels[0] ?? ""}"`);
  }
  const der = fromBase64((match[2] ?? "").replaceAll("\n", ""));
  if (der === undefined || der.length === 0) bad(`${what} is not base64 inside its PEM block`);
  return der;
}

/** DER out of a file with one block of a label, at most 1 MiB. @throws KeyriteError usage.bad-file */
export function fromPem(bytes: Uint8Array, label: PemLabel): Uint8Array {
  return derFrom(bytes, [label], "the file", 1024 * 1024);
}

function bad(message: string): never {
  throw new KeyriteError("usage.bad-file", message);
}
