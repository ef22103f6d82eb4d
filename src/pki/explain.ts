/** A certificate in plain words, line by line: what the room reads before it agrees. */

import { isDeepStrictEqual } from "node:util";
import { groupedHex, visible } from "../lib/encoding.ts";
import { schemeInWords } from "./algorithms.ts";
import type { ExtensionView, KeyUsageName } from "./extensions.ts";
import type { KeyView } from "./keys.ts";
import type { DistinguishedName } from "./names.ts";
import type { CertificateView, TimeView } from "./view.ts";

/** Columns of the longest line; the room's terminal and the paper both hold it. */
const WIDTH = 96;
const LABEL = 20;
/** Hex groups of four in a line: 32 bytes make two lines. */
const GROUPS = 8;

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
    ...field("signature", [
      signature.scheme === null
        ? `unknown algorithm ${signature.oid}, parameters ${signature.parameters ?? "absent"}`
        : schemeInWords(signature.scheme),
    ]),
    ...field("format", [`X.509 version ${view.version}`]),
  ];
}

function field(label: string, lines: readonly string[]): readonly string[] {
  const wrapped = lines.flatMap((line) => wrap(line, WIDTH - LABEL));
  return wrapped.map((line, index) => (index === 0 ? label : "").padEnd(LABEL) + line);
}

const ATTRIBUTE_WORDS: Readonly<Record<string, string>> = {
  DC: "domain component",
  C: "country",
  ST: "state or province",
  L: "locality",
  O: "organisation",
  OU: "organisational unit",
  CN: "common name",
  serialNumber: "serial number",
  organizationIdentifier: "organisation id",
};
const ATTRIBUTE_COLUMN = 20;

/** Most specific attribute first, as people say a name. */
function nameLines(name: DistinguishedName): readonly string[] {
  if (name.length === 0) return ["empty"];
  return [...name].reverse().flatMap((rdn) =>
    rdn.map(({ type, form, value }) => {
      const words = ATTRIBUTE_WORDS[type] ?? type;
      return (
        words.padEnd(ATTRIBUTE_COLUMN) + (form === "other" ? `bytes ${value}` : visible(value))
      );
    }),
  );
}

const MONTHS = [
  ...["January", "February", "March", "April", "May", "June", "July"],
  ...["August", "September", "October", "November", "December"],
];

function timeInWords({ time }: TimeView): string {
  const date = new Date(time);
  const month = MONTHS[date.getUTCMonth()] ?? "";
  const clock = time.slice(11, 19);
  return `${date.getUTCDate()} ${month} ${date.getUTCFullYear()}, ${clock} UTC`;
}

const DAY_MS = 86_400_000;

function durationInWords({ notBefore, notAfter }: CertificateView): string {
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

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function keyInWords(key: KeyView): string {
  switch (key.kind) {
    case "rsa":
      return `RSA, ${key.bits} bits, exponent ${BigInt(`0x${key.exponent}`).toString()}`;
    case "ec":
      return `elliptic curve ${key.curve.toUpperCase()} (ECDSA)`;
    case "ed25519":
      return "elliptic curve Ed25519";
  }
}

const USAGE_WORDS: Readonly<Record<KeyUsageName, string>> = {
  digitalSignature: "other data (digitalSignature)",
  nonRepudiation: "non-repudiation",
  keyEncipherment: "encrypting keys",
  dataEncipherment: "encrypting data",
  keyAgreement: "key agreement",
  keyCertSign: "signing certificates",
  cRLSign: "signing revocation lists",
  encipherOnly: "encrypting only",
  decipherOnly: "decrypting only",
};

function extensionLines(
  extension: ExtensionView,
  all: readonly ExtensionView[],
): readonly string[] {
  const critical = extension.critical ? "(critical)" : "(not critical)";
  switch (extension.kind) {
    case "basic-constraints":
      return field("is a CA", [`${caInWords(extension)} ${critical}`]);
    case "key-usage": {
      const words = extension.usages.map((usage) => USAGE_WORDS[usage]).join(", ");
      return field("key is used for", [`${words || "nothing"}; nothing else ${critical}`]);
    }
    case "subject-key-id":
      return field("subject key id", [`${groupedHex(extension.keyId)} ${critical}`]);
    case "authority-key-id": {
      const own = all.some(
        (other) => other.kind === "subject-key-id" && other.keyId === extension.keyId,
      );
      const id = own ? "the same as the subject key id" : groupedHex(extension.keyId);
      return field("issuer key id", [`${id} ${critical}`]);
    }
    case "other": {
      const lines = [`${extension.oid} ${critical}, bytes:`, ...hexLines(extension.value)];
      return field("unknown extension", lines);
    }
  }
}

function caInWords({
  ca,
  pathLength,
}: {
  readonly ca: boolean;
  readonly pathLength: number | null;
}): string {
  if (!ca) return "no";
  return pathLength === null
    ? "yes, with any number of CA levels below it"
    : `yes, with at most ${count(pathLength, "CA level")} below it`;
}

function hexLines(digits: string): readonly string[] {
  const groups = groupedHex(digits).split(" ");
  const lines = Math.ceil(groups.length / GROUPS);
  return Array.from({ length: lines }, (_, line) =>
    groups.slice(line * GROUPS, (line + 1) * GROUPS).join(" "),
  );
}

/** Cuts a line at `columns`; East Asian and other wide characters count as two. */
function wrap(line: string, columns: number): readonly string[] {
  const lines: string[] = [""];
  let used = 0;
  for (const char of line) {
    const wide = (char.codePointAt(0) ?? 0) >= 0x1100 ? 2 : 1;
    if (used + wide > columns) {
      lines.push("");
      used = 0;
    }
    lines[lines.length - 1] = `${lines.at(-1) ?? ""}${char}`;
    used += wide;
  }
  return lines;
}
