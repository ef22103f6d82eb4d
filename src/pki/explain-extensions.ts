/** Extensions in plain words. */

import { groupedHex, visible } from "../lib/encoding.ts";
import { count, field, hexLines } from "./explain-parts.ts";
import type { ExtensionView, GeneralNameView, KeyUsageName } from "./extensions.ts";
import { ipInWords } from "./ip-range.ts";
import { formatDn } from "./names.ts";

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
const PURPOSE_WORDS: Readonly<Record<string, string>> = {
  serverAuth: "TLS servers (serverAuth)",
  clientAuth: "TLS clients (clientAuth)",
  codeSigning: "signing code (codeSigning)",
  emailProtection: "e-mail (emailProtection)",
  timeStamping: "time stamps (timeStamping)",
  OCSPSigning: "answering about revocation (OCSPSigning)",
  anyExtendedKeyUsage: "any purpose (anyExtendedKeyUsage)",
};
const POLICY_WORDS: Readonly<Record<string, string>> = {
  "2.5.29.32.0": "any policy",
  "2.23.140.1.1": "TLS, extended validation",
  "2.23.140.1.2.1": "TLS, domain validated",
  "2.23.140.1.2.2": "TLS, organisation validated",
  "2.23.140.1.2.3": "TLS, individual validated",
};

/** One extension; `all` are those it stands among, undefined in a request or list. */
export function extensionLines(
  extension: ExtensionView,
  all: readonly ExtensionView[] = [],
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
    case "ext-key-usage": {
      const words = extension.purposes.map((purpose) => PURPOSE_WORDS[purpose] ?? purpose);
      return field("is good for", [...words, `and for nothing else ${critical}`]);
    }
    case "crl-number": {
      const number = BigInt(`0x${extension.number}`).toString();
      return field("list number", [`${number} ${critical}`]);
    }
    case "other": {
      const lines = [`${extension.oid} ${critical}, bytes:`, ...hexLines(extension.value)];
      return field("unknown extension", lines);
    }
    case "certificate-policies":
    case "name-constraints":
    case "authority-info-access":
    case "crl-distribution-points":
    case "subject-alt-name":
    case "ocsp-no-check":
      return listLines(extension, critical);
  }
}

type Listed = Extract<
  ExtensionView,
  {
    readonly kind:
      | "certificate-policies"
      | "name-constraints"
      | "authority-info-access"
      | "crl-distribution-points"
      | "subject-alt-name"
      | "ocsp-no-check";
  }
>;

function listLines(extension: Listed, critical: string): readonly string[] {
  switch (extension.kind) {
    case "certificate-policies": {
      const policies = extension.policies.flatMap(({ oid, cps }) => [
        POLICY_WORDS[oid] === undefined ? oid : `${oid}, ${POLICY_WORDS[oid]}`,
        ...cps.map((uri) => `  statement at ${visible(uri)}`),
      ]);
      return field("policies", marked(policies, critical));
    }
    case "name-constraints":
      return field(
        "names below it",
        marked(
          [
            ...extension.permitted.map((name) => `only ${subtreeInWords(name)}`),
            ...extension.excluded.map((name) => `never ${subtreeInWords(name)}`),
          ],
          critical,
        ),
      );
    case "authority-info-access":
      return field(
        "more about issuer",
        marked(
          [
            ...extension.access.map(({ method, uri }) => {
              const what = method === "ocsp" ? "OCSP answers at" : "its certificate at";
              return `${what} ${visible(uri)}`;
            }),
          ],
          critical,
        ),
      );
    case "crl-distribution-points":
      return field(
        "revocation list at",
        marked(
          [
            ...extension.points.flatMap((uris, at) => [
              ...(at > 0 ? ["and another list at"] : []),
              ...uris.map(visible),
            ]),
          ],
          critical,
        ),
      );
    case "subject-alt-name":
      return field("other names", marked(extension.names.map(generalNameInWords), critical));
    case "ocsp-no-check":
      return field("own revocation", [`is not to be asked for (ocsp-nocheck) ${critical}`]);
  }
}

/** The lines with the criticality behind the last one. */
function marked(lines: readonly string[], critical: string): readonly string[] {
  return lines.map((line, at) => (at === lines.length - 1 ? `${line} ${critical}` : line));
}

function caInWords({
  ca,
  pathLength,
}: {
  readonly ca: boolean;
  readonly pathLength: number | null;
}): string {
  if (!ca) return "no";
  if (pathLength === 0) return "yes, with no CA below it";
  return pathLength === null
    ? "yes, with any number of CA levels below it"
    : `yes, with at most ${count(pathLength, "CA level")} below it`;
}

function subtreeInWords(name: GeneralNameView): string {
  if (name.type === "dns") {
    return name.value === "" ? "domains at all" : `domains in ${visible(name.value)}`;
  }
  return generalNameInWords(name);
}

function generalNameInWords(name: GeneralNameView): string {
  switch (name.type) {
    case "dns":
      return `domain ${visible(name.value)}`;
    case "email":
      return `e-mail ${visible(name.value)}`;
    case "uri":
      return `address ${visible(name.value)}`;
    case "ip":
      return `IP ${ipInWords(name.value)}`;
    case "directory":
      return `name ${visible(formatDn(name.name))}`;
    case "other":
      return `bytes ${name.value}`;
  }
}
