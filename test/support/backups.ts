/** A backup made of known keys and blobs, its papers signed by two people: the same in every run. */

import { composeManifest, type BackedUpKey, type Manifest } from "../../src/backups/manifest.ts";
import { fromHex, sha256, sha256Hex, concat } from "../../src/lib/encoding.ts";
import { formatNote } from "../../src/lib/note.ts";
import { formatBackupText } from "../../src/people/backup-note.ts";
import { seededRandom, type TestPerson } from "./identities.ts";

const P256 = "3059301306072a8648ce3d020106082a8648ce3d03010703420004";

export interface SampleKey {
  readonly key: BackedUpKey;
  readonly blob: Uint8Array;
}

/** A key that exists in no token: its public half has the right form, its blob the right length. */
export function sampleKey(seed: string): SampleKey {
  const random = seededRandom(`key ${seed}`);
  const spki = concat(fromHex(P256) ?? new Uint8Array(), random.bytes(64));
  const blob = random.bytes(160);
  const key: BackedUpKey = {
    spki,
    sha256: sha256Hex(spki),
    label: `key-${seed}`,
    ckaId: sha256Hex(`id ${seed}`).slice(0, 32),
    algorithm: "p-256",
    purpose: "ca-signing",
    template: 0,
    format: "rfc5649",
    blob: { sha256: sha256Hex(blob), bytes: blob.length },
  };
  return { key, blob };
}

export const SAMPLE_PLACE = {
  backup: "backup-20261124-k3xq",
  origin: "pki.example.org/dc1/test",
  ceremony: "20261124-back-up-ca-keys-a2b3",
} as const;

/** A manifest of these keys. */
export function sampleManifest(keys: readonly BackedUpKey[]): Manifest {
  return {
    ...SAMPLE_PLACE,
    assurance: "test",
    time: "2026-11-24T09:30:00.000Z",
    kek: {
      name: "main",
      generation: 1,
      mode: "hsm-to-hsm",
      checkValue: sha256Hex(sha256("kek")).slice(0, 16),
      hasExistedOutsideAnHsm: false,
    },
    source: {
      name: "alpha",
      serial: "0123456789abcdef",
      manufacturer: "SoftHSM project",
      model: "SoftHSM v2",
      profile: "softhsm",
    },
    templates: [
      {
        private: { CKA_EXTRACTABLE: false, CKA_SENSITIVE: true, CKA_SIGN: true },
        public: { CKA_TOKEN: true, CKA_VERIFY: true },
      },
    ],
    keys,
  };
}

/** The note of these people over a manifest. */
export function sampleNote(manifest: Uint8Array, signers: readonly TestPerson[]): string {
  const text = formatBackupText({ ...SAMPLE_PLACE, sha256: sha256Hex(manifest) });
  return formatNote(
    text,
    signers.map(({ opened }) => opened.signer.signNote(text)),
  );
}

export interface SampleBackup {
  readonly keys: readonly SampleKey[];
  readonly manifest: Uint8Array;
  readonly note: string;
}

/** A whole backup of `count` keys. */
export function sampleBackup(count: number, signers: readonly TestPerson[]): SampleBackup {
  const keys = Array.from({ length: count }, (_, i) => sampleKey(String(i)));
  const manifest = composeManifest(sampleManifest(keys.map(({ key }) => key)));
  return { keys, manifest, note: sampleNote(manifest, signers) };
}
