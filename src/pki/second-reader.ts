/**
 * The second reading of a certificate. It repeats no line and no table of the first reader, so that
 * one wrong object identifier or one lenient decoder cannot deceive both.
 */

import { hex } from "../lib/encoding.ts";
import { encode, integer, members, need, parse, tagged, wholeBytes } from "./second-decoder.ts";
import { extensionOf } from "./second-extensions.ts";
import { algorithmOf, keyOf, MANY, nameOf, timeOf } from "./second-parts.ts";
import type { CertificateView, SignedCertificate } from "./view.ts";

/** Reads a signed certificate. @throws Error when it is not one in DER. */
export function secondReadCertificate(der: Uint8Array): SignedCertificate {
  const [tbsNode, algorithm, signature] = members(parse(der), 3, 3);
  const tbs = encode(need(tbsNode));
  return {
    tbs,
    view: secondReadTbs(tbs),
    algorithm: algorithmOf(need(algorithm)),
    signature: wholeBytes(need(signature)),
  };
}

/** Reads a version 3 TBSCertificate with extensions. @throws Error when it is not one in DER. */
export function secondReadTbs(der: Uint8Array): CertificateView {
  const parts = members(parse(der), 8, 8);
  const [version, serial, signature, issuer, validity, subject, key, extensions] = parts;
  const [notBefore, notAfter] = members(need(validity), 2, 2);
  return {
    version: parseInt(hex(integer(tagged(need(version), 0))), 16) + 1,
    serial: hex(integer(need(serial))),
    signature: algorithmOf(need(signature)),
    issuer: nameOf(need(issuer)),
    notBefore: timeOf(need(notBefore)),
    notAfter: timeOf(need(notAfter)),
    subject: nameOf(need(subject)),
    key: keyOf(need(key)),
    extensions: members(tagged(need(extensions), 3), 1, MANY).map(extensionOf),
  };
}
