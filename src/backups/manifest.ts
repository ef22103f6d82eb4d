/**
 * `backup.json`: what lies in a backup, key by key, and what opens it. Its digest stands in the ledger
 * and under two operators' signatures. Format: docs/formats/backup.md.
 */

import { KEY_ALGORITHMS, type KeyAlgorithm } from "../lib/algorithms.ts";
import { parseTimestamp } from "../lib/clock.ts";
import { base64, fromBase64, sha256Hex, utf8 } from "../lib/encoding.ts";
import { canonicalJson, type JsonObject } from "../lib/json.ts";
import { isKeyName } from "../lib/note.ts";
import { z } from "../lib/schema.ts";
import { readCanonical } from "./canonical.ts";
import { damaged } from "./refusal.ts";
import { hasSpkiForm } from "./spki.ts";
import {
  base64Text,
  checkValue,
  digest,
  generation,
  hexId,
  KEK_MODES,
  label,
  plateText,
  slug,
  WRAP_FORMATS,
  type KekMode,
  type WrapFormat,
} from "./words.ts";

/** What is read at most: 50,000 RSA keys need less. */
export interface ManifestLimits {
  readonly bytes: number;
  readonly keys: number;
}
export const MANIFEST_LIMITS: ManifestLimits = { bytes: 64 << 20, keys: 50_000 };

/** Bytes of a wrapped key: RSA-4096 as PKCS#8 has about 2,400. */
export const LONGEST_BLOB = 16_384;

/** Attributes by CKA_* name, as they stand in evidence: flags, numbers, names of constants, hex. */
export type AttributeSet = Readonly<Record<string, boolean | number | string>>;

/** What both halves of a key must be when they are restored. */
export interface AttributeTemplate {
  readonly private: AttributeSet;
  readonly public: AttributeSet;
}

export interface BackedUpKey {
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  /** Its SHA-256: the name of the key everywhere. */
  readonly sha256: string;
  readonly label: string;
  readonly ckaId: string;
  readonly algorithm: KeyAlgorithm;
  readonly purpose: "ca-signing";
  /** Index in `templates`. */
  readonly template: number;
  readonly format: WrapFormat;
  readonly blob: { readonly sha256: string; readonly bytes: number };
}

export interface Manifest {
  readonly backup: string;
  readonly origin: string;
  readonly ceremony: string;
  readonly assurance: "production" | "test";
  /** RFC 3339 UTC with milliseconds. */
  readonly time: string;
  readonly kek: {
    readonly name: string;
    readonly generation: number;
    readonly mode: KekMode;
    readonly checkValue: string;
    readonly hasExistedOutsideAnHsm: boolean;
  };
  /** The token the keys were wrapped on. */
  readonly source: {
    readonly name: string;
    readonly serial: string;
    readonly manufacturer: string;
    readonly model: string;
    readonly profile: string;
  };
  readonly templates: readonly AttributeTemplate[];
  /** Sorted by `sha256`. */
  readonly keys: readonly BackedUpKey[];
}

const attributes = z.record(
  z.string().regex(/^CKA_[A-Z0-9_]{1,40}$/, "must be the name of an attribute"),
  z.union([z.boolean(), z.int(), z.string().max(2048)]),
);

const keySchema = z.strictObject({
  spki: base64Text,
  sha256: digest,
  label,
  ckaId: hexId,
  algorithm: z.enum(KEY_ALGORITHMS),
  purpose: z.enum(["ca-signing"]),
  template: z.int().min(0),
  format: z.enum(WRAP_FORMATS),
  blob: z.strictObject({ sha256: digest, bytes: z.int().min(16).max(LONGEST_BLOB) }),
});

const schema = z.strictObject({
  keyrite: z.literal("backup/v1"),
  backup: label,
  origin: z.string().max(200).refine(isKeyName, "must be the origin of a ledger"),
  ceremony: z.string().regex(/^[0-9]{8}-[a-z][a-z0-9-]*-[a-z2-7]{4}$/, "must be a ceremony's id"),
  assurance: z.enum(["production", "test"]),
  time: z.string().refine((text) => parseTimestamp(text) !== undefined, "must be a time in UTC"),
  kek: z.strictObject({
    name: slug,
    generation,
    mode: z.enum(KEK_MODES),
    checkValue,
    hasExistedOutsideAnHsm: z.boolean(),
  }),
  source: z.strictObject({
    name: label,
    serial: plateText,
    manufacturer: plateText,
    model: plateText,
    profile: label,
  }),
  templates: z
    .array(z.strictObject({ private: attributes, public: attributes }))
    .min(1)
    .max(256),
  keys: z.array(keySchema).min(1),
});

type RawKey = z.infer<typeof keySchema>;

/** Name of a wrapped key's file in the backup's folder. */
export function blobName(spkiSha256: string): string {
  return `keys/${spkiSha256}.p8wrap`;
}

/**
 * The bytes of backup.json; keys may come in any order.
 * @throws KeyriteError ledger.backup-damaged for anything `parseManifest` would refuse
 */
export function composeManifest(manifest: Manifest): Uint8Array {
  const keys = manifest.keys.toSorted((a, b) => (a.sha256 < b.sha256 ? -1 : 1));
  const document = {
    keyrite: "backup/v1",
    ...manifest,
    keys: keys.map((key) => ({ ...key, spki: base64(key.spki) })),
  } as unknown as JsonObject;
  const bytes = utf8(canonicalJson(document));
  parseManifest(bytes);
  return bytes;
}

/**
 * Reads backup.json, strictly: canonical JSON, known members only, keys sorted and each once, every
 * public key of its algorithm's form and under its own digest.
 * @throws KeyriteError ledger.backup-damaged naming what is wrong
 */
export function parseManifest(bytes: Uint8Array, limits = MANIFEST_LIMITS): Manifest {
  const raw = readCanonical(bytes, "backup.json", limits.bytes, schema);
  if (raw.keys.length > limits.keys) throw bad(`it lists more than ${limits.keys} keys`);
  const { backup, origin, ceremony, assurance, time, kek, source, templates } = raw;
  const outside = kek.mode === "escrowed";
  if (kek.hasExistedOutsideAnHsm !== outside) {
    throw bad(`a KEK of mode ${kek.mode} is said ${outside ? "never " : ""}to have left HSMs`);
  }
  const keys = raw.keys.map((key, at) => readKey(key, at, templates.length));
  requireSorted(keys);
  return { backup, origin, ceremony, assurance, time, kek, source, templates, keys };
}

function readKey(raw: RawKey, at: number, templates: number): BackedUpKey {
  const spki = fromBase64(raw.spki);
  if (spki === undefined || !hasSpkiForm(spki, raw.algorithm)) {
    throw bad(`keys.${at}: the public key is no ${raw.algorithm} key`);
  }
  if (sha256Hex(spki) !== raw.sha256) {
    throw bad(`keys.${at}: the digest is not that of the public key`);
  }
  if (raw.template >= templates) throw bad(`keys.${at}: there is no template ${raw.template}`);
  return { ...raw, spki };
}

function requireSorted(keys: readonly BackedUpKey[]): void {
  const ids = new Set<string>();
  const blobs = new Set<string>();
  let before = "";
  for (const { sha256, ckaId, blob } of keys) {
    if (sha256 === before) throw bad(`key ${sha256} is listed twice`);
    if (sha256 < before) throw bad("its keys are not sorted by their digests");
    // Two keys under one id or one file could not be told apart after a restore.
    if (ids.has(ckaId)) throw bad(`two keys have the CKA_ID ${ckaId}`);
    if (blobs.has(blob.sha256)) throw bad(`two keys name the wrapped key ${blob.sha256}`);
    before = sha256;
    ids.add(ckaId);
    blobs.add(blob.sha256);
  }
}

/**
 * Why bytes are not the wrapped key that the manifest names, or undefined: nothing else may ever be
 * handed to a token.
 */
export function verifyBlob(
  key: Pick<BackedUpKey, "sha256" | "blob">,
  bytes: Uint8Array,
): string | undefined {
  const file = blobName(key.sha256);
  if (bytes.length !== key.blob.bytes) {
    return `${file} has ${bytes.length} bytes instead of ${key.blob.bytes}`;
  }
  return sha256Hex(bytes) === key.blob.sha256
    ? undefined
    : `${file} is not the wrapped key that backup.json names`;
}

/** Distinct attribute sets, in order of appearance, and each key's place among them. */
export function shareTemplates(sets: readonly AttributeTemplate[]): {
  readonly templates: readonly AttributeTemplate[];
  readonly indexes: readonly number[];
} {
  const places = new Map<string, number>();
  const templates: AttributeTemplate[] = [];
  const indexes = sets.map((set) => {
    const name = canonicalJson({ private: set.private, public: set.public });
    const known = places.get(name);
    if (known !== undefined) return known;
    places.set(name, templates.length);
    return templates.push(set) - 1;
  });
  return { templates, indexes };
}

function bad(problem: string): ReturnType<typeof damaged> {
  return damaged(`backup.json is refused: ${problem}`);
}
