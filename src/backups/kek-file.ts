/**
 * `kek.json`: which transport key opens which envelope of a KEK. It lies beside the envelopes, at the
 * site and in every backup. Format: docs/formats/backup.md.
 */

import { base64, fromBase64, sha256Hex, utf8 } from "../lib/encoding.ts";
import { canonicalJson, type JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";
import { readCanonical } from "./canonical.ts";
import { damaged } from "./refusal.ts";
import { hasSpkiForm } from "./spki.ts";
import {
  base64Text,
  checkValue,
  digest,
  generation,
  KEK_MODES,
  label,
  slug,
  type KekMode,
} from "./words.ts";

export interface KekEnvelope {
  readonly token: string;
  /** DER SubjectPublicKeyInfo of the transport key. */
  readonly spki: Uint8Array;
  /** SHA-256 of `spki`. */
  readonly sha256: string;
  readonly oaep: "sha1" | "sha256";
  /** SHA-256 of the envelope's bytes. */
  readonly envelope: string;
}

export interface KekFile {
  readonly kek: string;
  readonly generation: number;
  readonly mode: KekMode;
  readonly checkValue: string;
  /** Sorted by token; an escrowed KEK may have none. */
  readonly envelopes: readonly KekEnvelope[];
}

const MOST_BYTES = 1 << 20;

const schema = z.strictObject({
  keyrite: z.literal("kek/v1"),
  kek: slug,
  generation,
  mode: z.enum(KEK_MODES),
  checkValue,
  envelopes: z
    .array(
      z.strictObject({
        token: label,
        spki: base64Text,
        sha256: digest,
        oaep: z.enum(["sha1", "sha256"]),
        envelope: digest,
      }),
    )
    .max(100),
});

/** Name of an envelope's file, beside kek.json. */
export function envelopeName(token: string): string {
  return `${token}.envelope`;
}

/** Folder of a KEK's files in a backup: `kek/<kek>.g<generation>`. */
export function kekFolder({ kek, generation: g }: Pick<KekFile, "kek" | "generation">): string {
  return `kek/${kek}.g${g}`;
}

/**
 * The bytes of kek.json; envelopes may come in any order.
 * @throws KeyriteError ledger.backup-damaged for anything `parseKekFile` would refuse
 */
export function composeKekFile(file: KekFile): Uint8Array {
  const envelopes = file.envelopes
    .toSorted((a, b) => (a.token < b.token ? -1 : 1))
    .map((one) => ({ ...one, spki: base64(one.spki) }));
  const document: JsonObject = { keyrite: "kek/v1", ...file, envelopes };
  const bytes = utf8(canonicalJson(document));
  parseKekFile(bytes);
  return bytes;
}

/** Reads kek.json, strictly. @throws KeyriteError ledger.backup-damaged naming what is wrong */
export function parseKekFile(bytes: Uint8Array): KekFile {
  const raw = readCanonical(bytes, "kek.json", MOST_BYTES, schema);
  const { kek, generation: g, mode } = raw;
  let before = "";
  const envelopes = raw.envelopes.map((one): KekEnvelope => {
    if (one.token <= before) throw bad("its envelopes are not sorted by token, each token once");
    before = one.token;
    const spki = fromBase64(one.spki);
    if (spki === undefined || !isTransport(spki)) {
      throw bad(`the transport key of ${one.token} is no RSA key`);
    }
    if (sha256Hex(spki) !== one.sha256) {
      throw bad(`the digest of the transport key of ${one.token} is not its own`);
    }
    return { ...one, spki };
  });
  if (mode === "hsm-to-hsm" && envelopes.length === 0) throw bad("it names no envelope");
  return { kek, generation: g, mode, checkValue: raw.checkValue, envelopes };
}

/** Why bytes are not the envelope that kek.json names, or undefined. */
export function verifyEnvelope(entry: KekEnvelope, bytes: Uint8Array): string | undefined {
  return sha256Hex(bytes) === entry.envelope
    ? undefined
    : `${envelopeName(entry.token)} is not the envelope that kek.json names`;
}

function isTransport(spki: Uint8Array): boolean {
  return hasSpkiForm(spki, "rsa-3072") || hasSpkiForm(spki, "rsa-4096");
}

function bad(problem: string): ReturnType<typeof damaged> {
  return damaged(`kek.json is refused: ${problem}`);
}
