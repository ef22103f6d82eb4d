/**
 * Files in the outbox: DER and PEM, and with a certificate its chain. Nothing is overwritten; what an
 * interrupted step has left there is judged, and taken over or removed when people agree to it.
 */

import type { Room } from "../../ceremony/action.ts";
import { equalBytes, sha256Hex, utf8 } from "../../lib/encoding.ts";
import type { JsonObject } from "../../lib/json.ts";

export interface OutFile extends JsonObject {
  readonly file: string;
  readonly sha256: string;
}

/** What is written beside the DER, by its ending, from the DER. */
export interface Kind {
  readonly what: string;
  readonly mediaType: string;
  readonly endings: readonly string[];
  /** The content of a file by its ending. */
  readonly contents: (der: Uint8Array, ending: string) => Promise<Uint8Array>;
}

export const REQUEST: Kind = {
  what: "request",
  mediaType: "application/pkcs10",
  endings: ["csr.der", "csr"],
  contents: (der, ending) => inPem(der, ending === "csr" ? "CERTIFICATE REQUEST" : undefined),
};

export const CRL: Kind = {
  what: "CRL",
  mediaType: "application/pkix-crl",
  endings: ["crl", "crl.pem"],
  contents: (der, ending) => inPem(der, ending === "crl.pem" ? "X509 CRL" : undefined),
};

/** @param chain certificates above it, its issuer's first */
export function certificateKind(chain: readonly Uint8Array[]): Kind {
  return {
    what: "certificate",
    mediaType: "application/pkix-cert",
    endings: ["der", "pem", "p7b"],
    async contents(der, ending) {
      if (ending !== "p7b") return inPem(der, ending === "pem" ? "CERTIFICATE" : undefined);
      const { certsOnly } = await import("../../pki/pkcs7.ts");
      return inPem(certsOnly([der, ...chain]), "PKCS7");
    },
  };
}

type PemLabel = "CERTIFICATE" | "CERTIFICATE REQUEST" | "X509 CRL" | "PKCS7";

async function inPem(der: Uint8Array, label: PemLabel | undefined): Promise<Uint8Array> {
  if (label === undefined) return der;
  const { pem } = await import("../../pki/pem.ts");
  return utf8(pem(der, label));
}

/** Names of the files of a kind. */
export function outputNames({ endings }: Pick<Kind, "endings">, file: string): readonly string[] {
  return endings.map((ending) => `${file}.${ending}`);
}

/** Writes every file of the kind once; what is there already, byte for byte, is left as it is. */
export async function writeOutputs(
  room: Room,
  kind: Kind,
  file: string,
  der: Uint8Array,
): Promise<readonly OutFile[]> {
  const written: OutFile[] = [];
  for (const ending of kind.endings) {
    const name = `${file}.${ending}`;
    const bytes = await kind.contents(der, ending);
    written.push({ file: name, sha256: await writeOrKeep(room, name, bytes) });
  }
  const names = written.map((one) => one.file).join(", ");
  room.console.tell(
    `The ${kind.what} is verified and written to outbox/${room.ceremony}: ${names}.`,
  );
  return written;
}

// A step that is finished after an interruption finds what it has written; only the same is kept.
async function writeOrKeep(room: Room, name: string, bytes: Uint8Array): Promise<string> {
  const present = await room.outbox.readIfThere(name);
  if (present === undefined || !equalBytes(present, bytes)) {
    return room.outbox.writeOnce(name, bytes);
  }
  return sha256Hex(present);
}

/** What an interrupted step has left in the outbox. */
export interface Left extends JsonObject {
  /** Name of the DER file when it is whole and what was agreed to, so that nothing is signed again. */
  readonly kept: string | null;
  /** Files that were not written to their end. */
  readonly torn: readonly string[];
  /** Files that are whole and that this step cannot have written: nobody removes them unseen. */
  readonly foreign: readonly string[];
}

/**
 * Looks at the outbox after an interruption and changes nothing.
 * @param judge throws when DER is not whole or not what was agreed to; `whole` tells the first alone
 */
export async function lookAtOutputs(
  room: Room,
  kind: Kind,
  file: string,
  judge: { readonly agreed: (der: Uint8Array) => void; readonly whole: (der: Uint8Array) => void },
): Promise<Left> {
  const [first = "", ...rest] = kind.endings;
  const name = `${file}.${first}`;
  const der = await room.outbox.readIfThere(name);
  const kept = der !== undefined && passes(judge.agreed, der) ? der : undefined;
  const torn: string[] = [];
  const foreign: string[] = [];
  if (der !== undefined && kept === undefined) {
    (passes(judge.whole, der) ? foreign : torn).push(name);
  }
  for (const ending of rest) {
    const other = `${file}.${ending}`;
    const present = await room.outbox.readIfThere(other);
    if (present === undefined) continue;
    const wanted = kept === undefined ? undefined : await kind.contents(kept, ending);
    if (wanted !== undefined && equalBytes(present, wanted)) continue;
    // Written after the DER and out of it alone: what is no beginning of it is somebody else's.
    const begun = wanted !== undefined && startsWith(wanted, present);
    (begun ? torn : foreign).push(other);
  }
  return { kept: kept === undefined ? null : name, torn, foreign };
}

/** As `lookAtOutputs`, for one file whose bytes are known. */
export async function lookAtFile(room: Room, name: string, agreed: Uint8Array): Promise<Left> {
  const present = await room.outbox.readIfThere(name);
  if (present === undefined) return { kept: null, torn: [], foreign: [] };
  if (equalBytes(present, agreed)) return { kept: name, torn: [], foreign: [] };
  return startsWith(agreed, present)
    ? { kept: null, torn: [name], foreign: [] }
    : { kept: null, torn: [], foreign: [name] };
}

function startsWith(whole: Uint8Array, part: Uint8Array): boolean {
  return part.length < whole.length && equalBytes(whole.subarray(0, part.length), part);
}

function passes(judge: (der: Uint8Array) => void, der: Uint8Array): boolean {
  try {
    judge(der);
    return true;
  } catch {
    // Whatever is wrong with it, it is not that.
    return false;
  }
}

/** Removes what people have agreed to be torn files of their step. */
export async function removeTorn(room: Room, { torn }: Left): Promise<void> {
  for (const name of torn) await room.outbox.remove(name);
}

/** What the room reads about files beside what was signed: each is whole, torn, or somebody else's. */
export function fileLines({ kept, torn, foreign }: Left): readonly string[] {
  return [
    ...(kept === null ? [] : [`${kept} is whole and is what was agreed to.`]),
    ...torn.map(
      (name) => `${name} was not written to its end; finishing removes it and writes it anew.`,
    ),
    ...foreign.map(
      (name) =>
        `${name} is whole and not what was agreed to: this step did not write it. Look at it.`,
    ),
  ];
}

/** What the room reads about it. */
export function leftLines(
  kind: Pick<Kind, "what">,
  { kept, torn, foreign }: Left,
): readonly string[] {
  return [
    kept === null
      ? `No whole ${kind.what} is in the outbox. It may have been signed all the same: whoever finishes the step signs the same agreed bytes again.`
      : `${kept} is whole and is what was agreed to: nothing is signed again.`,
    ...fileLines({ kept: null, torn, foreign }),
  ];
}
