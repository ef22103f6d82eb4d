/**
 * The folder of proofs that goes with a backup, or comes from another site: its genesis, a checkpoint
 * that people cosigned, and tlog-proofs of single entries under it. Format: docs/formats/backup.md.
 */

import { fromUtf8, utf8 } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import type { VaultFile, VaultFolder } from "./action.ts";

export interface ProofFiles {
  readonly genesis: Uint8Array;
  /** The checkpoint with the ledger's signature and every cosignature. */
  readonly checkpoint: string;
  /** Texts of the tlog-proofs, each with its entry inside. */
  readonly proofs: readonly string[];
  /** Cards of people who were enrolled later than the genesis. */
  readonly cards: readonly Uint8Array[];
}

const MEBIBYTE = 1 << 20;
const LONGEST_PROOF = 1_200_000;
const LONGEST_CARD = 16_384;
// A signer's enrolment takes three entries; a site of hundreds of people stays below this.
const MOST_FILES = 2000;

const PROOF = /^(0|[1-9][0-9]{0,15})\.tlog-proof$/;
const CARD = /^[0-9a-f]{64}\.card\.json$/;

/** Name of the proof of an entry. */
export function proofName(seq: number): string {
  return `${seq}.tlog-proof`;
}

/** Name of a card's file. */
export function cardName(sha256: string): string {
  return `${sha256}.card.json`;
}

/**
 * Reads a folder of proofs; files of other names are left alone.
 * @param below where in the folder they lie: `proofs` in a backup, nothing in a peer's folder.
 * @throws KeyriteError ledger.backup-damaged when one is missing, too long or not text
 */
export async function readProofs(folder: VaultFolder, below = "proofs"): Promise<ProofFiles> {
  const prefix = below === "" ? "" : `${below}/`;
  const names = (await folder.list())
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length));
  if (names.length > MOST_FILES) throw refused(`it holds more than ${MOST_FILES} proofs`);
  const read = (name: string, most: number): Promise<Uint8Array> =>
    folder.read(`${prefix}${name}`, most);
  const proofs: string[] = [];
  const cards: Uint8Array[] = [];
  for (const name of names) {
    if (PROOF.test(name)) proofs.push(text(name, await read(name, LONGEST_PROOF)));
    if (CARD.test(name)) cards.push(await read(name, LONGEST_CARD));
  }
  for (const name of ["genesis.json", "checkpoint"]) {
    if (!names.includes(name)) throw refused(`there is no ${prefix}${name}`);
  }
  const genesis = await read("genesis.json", MEBIBYTE);
  const checkpoint = text("checkpoint", await read("checkpoint", MEBIBYTE));
  return { genesis, checkpoint, proofs, cards };
}

/** Proofs by index of the entry, and cards by digest. */
export interface NumberedProofs extends Pick<ProofFiles, "genesis" | "checkpoint"> {
  readonly proofs: ReadonlyMap<number, string>;
  readonly cards: ReadonlyMap<string, Uint8Array>;
}

/** The files of a backup's folder of proofs, in the order in which they are written. */
export function proofFiles(parts: NumberedProofs): readonly VaultFile[] {
  return [
    { name: "genesis.json", bytes: parts.genesis },
    { name: "checkpoint", bytes: utf8(parts.checkpoint) },
    ...[...parts.proofs].map(([seq, proof]) => ({ name: proofName(seq), bytes: utf8(proof) })),
    ...[...parts.cards].map(([sha256, bytes]) => ({ name: cardName(sha256), bytes })),
  ].map(({ name, bytes }) => ({ name: `proofs/${name}`, bytes }));
}

function text(name: string, bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes);
  } catch (cause) {
    throw refused(`${name} is not UTF-8`, cause);
  }
}

function refused(problem: string, cause?: unknown): KeyriteError {
  return new KeyriteError("ledger.backup-damaged", `the proofs are refused: ${problem}`, {
    hints: ["at the other site, keyrite backup prove BACKUP writes them anew"],
    cause,
  });
}
