/**
 * Takes in a certificate that another CA issued for a key of this site: it must be about a key in
 * custody, and, when the issuer's certificate is given too, be signed by it.
 */

import { defineAction, type Room } from "../ceremony/action.ts";
import { fileIsFree } from "../ceremony/conditions.ts";
import { digestLines } from "../ceremony/spoken.ts";
import { digest, label, line } from "../ceremony/words.ts";
import { fromHex, sha256Hex, visible } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";
import { formatDn } from "../pki/names.ts";
import type { CertificateView, SignedCertificate } from "../pki/view.ts";
import { isCa, keptFile } from "./lib/issuing.ts";
import { lintImported } from "./lib/import-lints.ts";
import { attempt } from "./lib/issuing-examine.ts";
import {
  certificateKind,
  leftLines,
  lookAtOutputs,
  outputNames,
  writeOutputs,
  type Left,
  type OutFile,
} from "./lib/outputs.ts";

const params = () =>
  z.strictObject({
    /** The certificate: a parameter of type `file`. */
    certificate: digest,
    /** Its issuer's certificate, likewise. */
    issuer: digest.optional(),
    file: label,
  });
type Params = z.infer<ReturnType<typeof params>>;

interface Plate extends JsonObject {
  /** SHA-256 of the DER. */
  readonly sha256: string;
  readonly spki: string;
  readonly issuerName: string;
  readonly subject: string;
  readonly serial: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly ca: boolean;
}
interface ToImport extends Plate {
  /** Whether its signature was verified under the issuer's certificate that was given. */
  readonly verified: boolean;
  readonly differences: readonly string[];
  /** What the lints found: nothing of it can be changed here, so the room decides. */
  readonly warnings: readonly string[];
}
interface Imported extends ToImport {
  readonly files: readonly OutFile[];
}

export const importCertificate = defineAction<Params, ToImport, Imported>({
  name: "import-certificate",
  control: "dual",
  params,
  facts: ["certificate.imported"],
  instruction: (p) =>
    `Take in, as ${p.file}, the certificate with the file digest ${p.certificate}, which another CA issued for a key of this site.`,
  requires: (p) => [fileIsFree(p.file)],
  examine: async (p, _, documents) => {
    const { readOutsideCertificate } = await import("../pki/outside.ts");
    const flaws = [];
    for (const [param, sha256] of [
      ["certificate", p.certificate],
      ["issuer", p.issuer],
    ] as const) {
      const bytes = sha256 === undefined ? undefined : documents.attachment(sha256);
      if (bytes === undefined) continue;
      const read = await attempt(param, async () => {
        await Promise.resolve();
        return readOutsideCertificate(bytes);
      });
      if ("flaws" in read) flaws.push(...read.flaws);
    }
    return flaws;
  },
  forecast: (p) => ({
    sha256: sha256Hex(`planned\n${p.file}`),
    spki: "0".repeat(64),
    issuerName: "planned",
    subject: "planned",
    serial: "00",
    notBefore: "planned",
    notAfter: "planned",
    ca: true,
    verified: false,
    differences: [],
    warnings: [],
    files: [{ file: `${p.file}.der`, sha256: "0".repeat(64) }],
  }),
  establishes: (p, imported) => {
    const { sha256, spki, issuerName, verified, subject, serial, files } = imported;
    const { notBefore, notAfter, ca } = imported;
    return [
      {
        kind: "certificate.imported",
        ...{ sha256, spki, issuerName, verified, subject, serial, notBefore, notAfter, ca },
        ...{ file: p.file, files: [...files] },
      },
    ];
  },
  admits: (p, intent, fact) =>
    fact.kind === "certificate.imported" &&
    fact.sha256 === intent.sha256 &&
    fact.spki === intent.spki &&
    fact.issuerName === intent.issuerName &&
    fact.verified === intent.verified &&
    intent.verified === (p.issuer !== undefined) &&
    fact.subject === intent.subject &&
    fact.serial === intent.serial &&
    fact.notBefore === intent.notBefore &&
    fact.notAfter === intent.notAfter &&
    fact.ca === intent.ca &&
    fact.file === p.file &&
    fact.files.map(({ file }) => file).join() === outputNames(certificateKind([]), p.file).join(),
  async subject(p, room) {
    const { explain } = await import("../pki/explain.ts");
    const { read, der } = await outside(room, p.certificate);
    const { view } = read;
    const key = room.custody.keys.get(view.key.spkiSha256);
    if (key === undefined) {
      throw new KeyriteError("script.refused", "the certificate is about no key of this site", {
        hints: [`its key has SPKI SHA-256 ${view.key.spkiSha256}`, "keyrite status lists the keys"],
      });
    }
    const sha256 = sha256Hex(der);
    if (room.custody.certificates.has(sha256)) {
      throw new KeyriteError("script.refused", "the certificate is in custody already");
    }
    const above = await requireIssuedBy(room, read, p.issuer);
    const verified = above !== undefined;
    const differences = requestDifferences(room, view);
    const warnings = await lintImported(read, above);
    const data = { ...plateOf(view, sha256), verified, differences, warnings };
    return {
      data,
      shown: [
        `This certificate is about key ${key.label} of this site and says, in plain words:`,
        ...explain(view),
        ...(verified
          ? ["Its signature verifies under the issuer's certificate that was given."]
          : [
              "WARNING: nobody has verified who signed this certificate: its issuer's was not given.",
              "WARNING: the record says so for good, and so does keyrite status.",
            ]),
        ...differences,
        ...(warnings.length === 0
          ? ["It was linted whole: no finding."]
          : warnings.map((warning) => `WARNING: ${warning}`)),
        ...digestLines("Certificate, SHA-256", sha256),
      ],
    };
  },
  async run(p, room, { subject, settled }) {
    const kind = await kindFor(room, p);
    if (settled !== null) await keptFile(room, kind, p, settled as Left);
    const { der } = await outside(room, p.certificate);
    if (sha256Hex(der) !== subject.sha256) {
      throw new KeyriteError("people.agreement-invalid", "the certificate is not the agreed one");
    }
    room.attach(kind.mediaType, der);
    return { ...subject, files: await writeOutputs(room, kind, p.file, der) };
  },
  async settle(p, room, { intent }) {
    const kind = await kindFor(room, p);
    const { der } = await outside(room, p.certificate);
    const left = await lookAtOutputs(room, kind, p.file, {
      agreed: (found) => {
        if (sha256Hex(found) !== intent.sha256) throw new Error("another certificate");
      },
      whole: (found) => {
        if (found.length < der.length) throw new Error("a part of it");
      },
    });
    const choices = left.foreign.length === 0 ? (["finish"] as const) : [];
    return { shown: leftLines(kind, left), data: left, choices };
  },
});

async function kindFor(
  room: Room,
  { issuer }: Params,
): Promise<ReturnType<typeof certificateKind>> {
  return certificateKind(issuer === undefined ? [] : [(await outside(room, issuer)).der]);
}

async function outside(
  room: Room,
  sha256: string,
): Promise<{ readonly read: SignedCertificate; readonly der: Uint8Array }> {
  const bytes = room.attachment(sha256);
  if (bytes === undefined) {
    throw new KeyriteError("ledger.damaged", `the file ${sha256} is not attached`);
  }
  const { readOutsideCertificate } = await import("../pki/outside.ts");
  const { assembleCertificate } = await import("../pki/certificate.ts");
  const read = readOutsideCertificate(bytes);
  if (read.algorithm.scheme === null) {
    throw new KeyriteError(
      "usage.bad-file",
      "the certificate is signed in a way Keyrite does not know",
    );
  }
  // The file may be PEM: its DER is put together again from parts that were proved canonical.
  const der = assembleCertificate(read.tbs, read.algorithm.scheme, read.signature);
  return { read, der };
}

async function requireIssuedBy(
  room: Room,
  { tbs, view, algorithm, signature }: SignedCertificate,
  issuer: string | undefined,
): Promise<CertificateView | undefined> {
  if (issuer === undefined) return undefined;
  const { verifySignature } = await import("../pki/signature.ts");
  const above = (await outside(room, issuer)).read.view;
  const spki = fromHex(above.key.spki);
  const named = formatDn(above.subject) === formatDn(view.issuer);
  const { scheme } = algorithm;
  const verifies =
    scheme !== null && spki !== undefined && verifySignature(scheme, spki, tbs, signature);
  if (named && isCa(above) && verifies) return above;
  throw new KeyriteError(
    "script.refused",
    "the certificate was not issued under the given issuer's",
    {
      hints: [
        `it names the issuer ${visible(formatDn(view.issuer))}`,
        `the given one is ${visible(formatDn(above.subject))}`,
      ],
    },
  );
}

/** What differs from the requests of the key that left this site. */
function requestDifferences({ custody }: Room, view: CertificateView): readonly string[] {
  const requests = [...custody.requests.values()].filter(
    ({ spki }) => spki === view.key.spkiSha256,
  );
  if (requests.length === 0) return ["No request of this key was made here."];
  const subject = formatDn(view.subject);
  if (requests.some((one) => one.subject === subject)) return [];
  return [`No request of this key asked for the name ${visible(subject)}.`];
}

function plateOf(view: CertificateView, sha256: string): Plate {
  const plate = {
    sha256,
    spki: view.key.spkiSha256,
    issuerName: formatDn(view.issuer),
    subject: formatDn(view.subject),
    serial: view.serial,
    notBefore: view.notBefore.time,
    notAfter: view.notAfter.time,
    ca: isCa(view),
  };
  for (const name of [plate.issuerName, plate.subject]) {
    if (line.safeParse(name).success) continue;
    throw new KeyriteError(
      "script.refused",
      "a name in the certificate does not fit into the record",
    );
  }
  return plate;
}
