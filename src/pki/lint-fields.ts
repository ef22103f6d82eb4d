/** Rules on version, serial number, validity and signature of self-signed roots. */

import { isDeepStrictEqual } from "node:util";
import type { Lint } from "./lint-rule.ts";
import { ROOT_PROFILE } from "./profile.ts";
import type { CertificateView, TimeView } from "./view.ts";

const DAY_MS = 86_400_000;
const LEAST_SERIAL_BYTES = 8;
/** Eight random bytes have fewer different values than this about once in 10^10 serials. */
const LEAST_DIFFERENT_BYTES = 4;

export const ROOT_FIELD_LINTS: readonly Lint[] = [
  {
    rule: "version-3",
    severity: "error",
    source: "RFC 5280 §4.1.2.1",
    check: ({ version }) => (version === 3 ? undefined : `the version is ${version}, not 3`),
  },
  {
    rule: "serial-positive",
    severity: "error",
    source: "RFC 5280 §4.1.2.2",
    check: ({ serial }) =>
      /^[89a-f]/.test(serial) || /^0*$/.test(serial)
        ? "the serial number is not positive"
        : undefined,
  },
  {
    rule: "serial-size",
    severity: "error",
    source: "RFC 5280 §4.1.2.2; BR 7.1.2.1",
    // Counted with a padding byte: BR wants it below 2^159, which is what 20 octets can hold.
    check: ({ serial }) =>
      serial.length > 40
        ? `the serial number has ${serial.length / 2} octets, more than 20`
        : undefined,
  },
  {
    rule: "serial-entropy",
    severity: "error",
    source: "BR 7.1.2.1",
    check: serialEntropy,
  },
  {
    rule: "validity-order",
    severity: "error",
    source: "RFC 5280 §4.1.2.5",
    check: ({ notBefore, notAfter }) =>
      notAfter.time < notBefore.time ? "the certificate ends before it begins" : undefined,
  },
  {
    rule: "validity-encoding",
    severity: "error",
    source: "RFC 5280 §4.1.2.5",
    check: ({ notBefore, notAfter }) => timeForm(notBefore) ?? timeForm(notAfter),
  },
  {
    rule: "validity-longest",
    severity: "error",
    source: "BR 7.1.2.1.1",
    check: validityLongestProblem,
  },
  {
    rule: "validity-shortest",
    severity: "warning",
    source: "BR 7.1.2.1.1",
    check: validityShortestProblem,
  },
  {
    rule: "self-issued",
    severity: "error",
    source: "BR 7.1.2.1",
    check: ({ issuer, subject }) =>
      isDeepStrictEqual(issuer, subject)
        ? undefined
        : "issuer and subject of a root are not the same",
  },
];

function validityLongestProblem(view: CertificateView): string | undefined {
  const days = validityDays(view);
  const { most } = ROOT_PROFILE.days;
  return days > most ? `the validity of ${days} days is more than ${most}` : undefined;
}

function validityShortestProblem(view: CertificateView): string | undefined {
  const days = validityDays(view);
  const { usualLeast } = ROOT_PROFILE.days;
  return days < usualLeast ? `the validity of ${days} days is less than ${usualLeast}` : undefined;
}

function serialEntropy({ serial }: CertificateView): string | undefined {
  const bytes = serial.replace(/^00/, "").match(/../g) ?? [];
  if (bytes.length < LEAST_SERIAL_BYTES) {
    return `the serial number has ${bytes.length} octets, too few for 64 random bits`;
  }
  const different = new Set(bytes).size;
  return different < LEAST_DIFFERENT_BYTES ? "the serial number does not look random" : undefined;
}

/** UTCTime through 2049 and GeneralizedTime from 2050 on: both MUST. */
function timeForm({ time, form }: TimeView): string | undefined {
  const wanted = time < "2050" ? "utc" : "generalized";
  return form === wanted ? undefined : `the time ${time} is encoded as ${form}, not ${wanted} time`;
}

/** Days of validity, the last second included; part days as fractions. */
function validityDays({ notBefore, notAfter }: CertificateView): number {
  return (Date.parse(notAfter.time) + 1000 - Date.parse(notBefore.time)) / DAY_MS;
}
