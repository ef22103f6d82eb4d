/** A certificate in plain words, line by line: what the room reads before it agrees. */

import { isDeepStrictEqual } from "node:util";
import { extensionLines } from "./explain-extensions.ts";
import {
  algorithmInWords,
  count,
  field,
  hexLines,
  keyInWords,
  nameLines,
  timeInWords,
} from "./explain-parts.ts";
import type { CertificateView } from "./view.ts";

/**
 * Every field of a certificate, in lines of at most 96 columns. Text out of the certificate is
 * `visible`; nothing is left out, unknown extensions are shown as bytes.
 */
export function explain(view: CertificateView): readonly string[] {
  const { issuer, subject, signature } = view;
  return [
    ...field("subject", nameLines(subject)),
    ...field(
      "issuer",
      isDeepStrictEqual(issuer, subject)
        ? ["the same as the subject: the certificate signs itself"]
        : nameLines(issuer),
    ),
    ...field("serial number", hexLines(view.serial)),
    ...field("valid from", [timeInWords(view.notBefore)]),
    ...field("valid to", [`${timeInWords(view.notAfter)} (${durationInWords(view)})`]),
    ...field("public key", [keyInWords(view.key)]),
    ...field("key fingerprint", ["SHA-256 of the public key:", ...hexLines(view.key.spkiSha256)]),
    ...view.extensions.flatMap((extension) => extensionLines(extension, view.extensions)),
    ...field("signature", [algorithmInWords(signature)]),
    ...field("format", [`X.509 version ${view.version}`]),
  ];
}

const DAY_MS = 86_400_000;

export function durationInWords({ notBefore, notAfter }: CertificateView): string {
  // The last second is inside the validity.
  const end = Date.parse(notAfter.time) + 1000;
  const start = new Date(notBefore.time);
  const days = (end - start.getTime()) / DAY_MS;
  if (days <= 0) return "never valid";
  const dayWords = `${Number.isInteger(days) ? "" : "about "}${count(Math.round(days), "day")}`;
  const years = new Date(end).getUTCFullYear() - start.getUTCFullYear();
  start.setUTCFullYear(start.getUTCFullYear() + years);
  if (years > 0 && start.getTime() === end) return `${dayWords}, ${count(years, "year")}`;
  if (days < 365) return dayWords;
  return `${dayWords}, about ${(days / 365.2425).toFixed(1)} years`;
}
