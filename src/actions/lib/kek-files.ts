/**
 * The files of a KEK: one envelope for each token that opens it, and kek.json, which names them. The
 * ledger holds their digests; what does not match is refused before any token sees it.
 */

import type { Room } from "../../ceremony/action.ts";
import { isComplete } from "../../ceremony/copies-query.ts";
import { kekName, type EnvelopeCustody, type KekCustody } from "../../ceremony/custody-copies.ts";
import { composeKekFile, envelopeName, kekFolder } from "../../backups/kek-file.ts";
import { sha256Hex } from "../../lib/encoding.ts";
import { KeyriteError } from "../../lib/errors.ts";
import { NEWEST } from "./chosen-backup.ts";
import { transportSpki } from "./transports.ts";

export const KEK_FILE = "kek.json";
/** OAEP under RSA-4096 has 512 bytes. */
const LONGEST_ENVELOPE = 1024;

type Described = Pick<KekCustody, "kek" | "generation" | "mode" | "checkValue"> & {
  readonly envelopes: readonly EnvelopeCustody[];
};

/**
 * The bytes of kek.json, from what the ledger says or is about to say.
 * @param spkis public halves that the ledger does not hold, as of another site's token.
 */
export function kekFileOf(
  room: Room,
  kek: Described,
  spkis?: ReadonlyMap<string, Uint8Array>,
): Uint8Array {
  return composeKekFile({
    kek: kek.kek,
    generation: kek.generation,
    mode: kek.mode,
    checkValue: kek.checkValue,
    envelopes: kek.envelopes.map(({ token, spki, oaep, sha256 }) => ({
      token,
      spki: spkis?.get(spki) ?? transportSpki(room, spki),
      sha256: spki,
      oaep,
      envelope: sha256,
    })),
  });
}

/** Names of the files that a KEK with these envelopes has. */
export function kekFileNames(tokens: readonly string[]): readonly string[] {
  return [...tokens.map(envelopeName), KEK_FILE];
}

/** Whether a KEK has a file of this name at the site; one that cannot be read is there too. */
export function isThere(room: Room, kek: string, name: string): Promise<boolean> {
  return room.files.readKekFile(kek, name).then(
    () => true,
    (error: unknown) => !(error instanceof KeyriteError && error.code === "site.missing"),
  );
}

/**
 * Keeps the files of another site's KEK at this one, so that later tokens get it from here; what is there
 * already, as after a crash, stays.
 */
export async function keepFiles(
  room: Room,
  kek: KekCustody,
  from: EnvelopeSource | undefined,
): Promise<void> {
  const envelopes = [...kek.envelopes.values()];
  const files = await Promise.all(
    envelopes.map(async (envelope) => ({
      name: envelopeName(envelope.token),
      bytes: await readEnvelope(room, kek, envelope, from),
    })),
  );
  files.push({ name: KEK_FILE, bytes: kekFileOf(room, { ...kek, envelopes }) });
  for (const { name, bytes } of files) {
    if (await isThere(room, kekName(kek), name)) continue;
    await room.files.writeKekFile(kekName(kek), name, bytes);
  }
}

/** Where an envelope is read from: the site's own folder, or a backup in a vault. */
export interface EnvelopeSource {
  readonly vault: string;
  /** Its id, or `newest`: the newest under this KEK in that vault. */
  readonly backup: string;
}

function sourceBackup(
  { custody }: Room,
  kek: Pick<KekCustody, "kek" | "generation">,
  { vault, backup }: EnvelopeSource,
): string {
  if (backup !== NEWEST) return backup;
  const newest = [...custody.backups.values()]
    .reverse()
    .find((one) => isComplete(one) && kekName(one) === kekName(kek) && one.vaults.includes(vault));
  if (newest !== undefined) return newest.backup;
  throw new KeyriteError(
    "script.refused",
    `no backup under KEK ${kekName(kek)} lies in vault ${vault}`,
    { hints: ["`keyrite status` lists every backup and its vaults"] },
  );
}

/**
 * An envelope, compared with the digest in the ledger.
 * @param from a backup in a vault; the site's own folder when absent.
 * @throws KeyriteError ledger.backup-damaged when it is not the recorded one; no token has seen it then
 */
export async function readEnvelope(
  room: Room,
  kek: Pick<KekCustody, "kek" | "generation">,
  envelope: EnvelopeCustody,
  from?: EnvelopeSource,
): Promise<Uint8Array> {
  const name = envelopeName(envelope.token);
  const source =
    from === undefined ? undefined : { vault: from.vault, backup: sourceBackup(room, kek, from) };
  const bytes =
    source === undefined
      ? await room.files.readKekFile(kekName(kek), name)
      : await (
          await room.vaults.open(source.vault, source.backup)
        ).read(`${kekFolder(kek)}/${name}`, LONGEST_ENVELOPE);
  if (sha256Hex(bytes) === envelope.sha256) return bytes;
  const where =
    source === undefined ? "at the site" : `in backup ${source.backup}, vault ${source.vault}`;
  throw new KeyriteError(
    "ledger.backup-damaged",
    `the envelope of KEK ${kekName(kek)} for token ${envelope.token} ${where} is not the one on record`,
    {
      hints: [
        "no token has seen it; use a copy from another backup, and call the auditor",
        `its SHA-256 must be ${envelope.sha256}`,
      ],
    },
  );
}
