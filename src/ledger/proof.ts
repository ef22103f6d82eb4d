/**
 * C2SP tlog-proof: one text that shows one entry to be in a ledger whose head people cosigned. It is
 * checked without the ledger, with nothing but keys. Format: docs/formats/proof.md.
 */

import { base64, fromBase64, fromUtf8 } from "../lib/encoding.ts";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import { parseNote, verifyNote, type VerifierKey } from "../lib/note.ts";
import { parseCheckpoint, type Checkpoint } from "./checkpoint.ts";
import { decodeEntry, type Entry } from "./entry.ts";
import { LONGEST_ENTRY } from "./canonical.ts";
import { leafHash, verifyInclusion } from "./merkle.ts";

const FIRST_LINE = "c2sp.org/tlog-proof@v1";
// Twice the depth of a tree of 2^53 entries would be absurd; the bound keeps hostile ones short.
const MOST_HASHES = 63;
const LONGEST_PROOF = 1_200_000;

export interface TlogProof {
  /** Opaque to the format; ours carries the exact bytes of the entry. */
  readonly extra: Uint8Array | undefined;
  readonly index: number;
  /** From the leaf's sibling up. */
  readonly hashes: readonly Uint8Array[];
  /** The signed checkpoint with all its cosignatures, verbatim. */
  readonly checkpoint: string;
}

/** The text of a proof. @throws KeyriteError ledger.damaged for what `parseProof` would refuse */
export function formatProof(proof: TlogProof): string {
  const text = [
    FIRST_LINE,
    ...(proof.extra === undefined ? [] : [`extra ${base64(proof.extra)}`]),
    `index ${proof.index}`,
    ...proof.hashes.map(base64),
    "",
    proof.checkpoint,
  ].join("\n");
  parseProof(text);
  return text;
}

/**
 * Reads a proof; nothing is verified yet.
 * @throws KeyriteError ledger.damaged naming the line
 */
export function parseProof(text: string): TlogProof {
  if (text.length > LONGEST_PROOF) throw damaged(`it is longer than ${LONGEST_PROOF} characters`);
  const end = text.indexOf("\n\n");
  if (end < 0) throw damaged("it has no blank line before the checkpoint");
  const lines = text.slice(0, end).split("\n");
  if (lines.shift() !== FIRST_LINE) throw damaged(`its first line is not ${FIRST_LINE}`);
  const extra = lines[0]?.startsWith("extra ") === true ? readExtra(lines.shift()) : undefined;
  const index = readIndex(lines.shift());
  if (lines.length > MOST_HASHES) throw damaged(`it has more than ${MOST_HASHES} hashes`);
  const hashes = lines.map((line) => {
    const hash = fromBase64(line);
    if (hash?.length !== 32) throw damaged("a line of the inclusion proof is no SHA-256 hash");
    return hash;
  });
  const checkpoint = text.slice(end + 2);
  parseCheckpoint(parseNote(checkpoint).text);
  return { extra, index, hashes, checkpoint };
}

function readExtra(line = ""): Uint8Array {
  const bytes = fromBase64(line.slice("extra ".length));
  if (bytes === undefined) throw damaged("the extra data is not base64");
  return bytes;
}

function readIndex(line = ""): number {
  const [, digits] = /^index (0|[1-9][0-9]{0,15})$/.exec(line) ?? [];
  const index = Number(digits);
  if (!Number.isSafeInteger(index)) throw damaged("its index line is malformed");
  return index;
}

/** What a proof shows once it is verified. */
export interface Proven {
  readonly entry: Entry;
  readonly checkpoint: Checkpoint;
  /** Of the given keys, those that signed the checkpoint. */
  readonly signers: readonly VerifierKey[];
}

/**
 * Verifies a proof that carries its entry: the checkpoint is signed by the ledger's key, the entry's hash
 * leads to its root, and the entry says that it stands there. Who of the cosigners is enough is for the
 * caller to judge.
 * @param key the ledger's verifier key; its name is the origin.
 * @param cosigners keys whose cosignatures count; a wrong one under a known name makes the proof void.
 * @throws KeyriteError ledger.damaged, ledger.not-trusted
 */
export function verifyProof(
  text: string,
  key: VerifierKey,
  cosigners: readonly VerifierKey[] = [],
): Proven {
  const proof = parseProof(text);
  const { checkpoint, signers } = verifyCosigned(proof.checkpoint, key, cosigners);
  if (proof.extra === undefined) throw damaged("it does not carry its entry");
  if (proof.extra.length > LONGEST_ENTRY) throw damaged("its entry is longer than an entry can be");
  const { index, hashes } = proof;
  if (!verifyInclusion(leafHash(proof.extra), index, checkpoint.size, hashes, checkpoint.root)) {
    throw damaged(`it does not lead from its entry to the root of size ${checkpoint.size}`);
  }
  const entry = decodeEntry(textOf(proof.extra));
  if (entry.seq !== index || entry.origin !== key.name) {
    throw damaged("its entry says that it stands elsewhere");
  }
  return { entry, checkpoint, signers };
}

/**
 * A checkpoint that the ledger's key signed, and those of the given keys that cosigned it.
 * @throws KeyriteError ledger.damaged, ledger.not-trusted
 */
export function verifyCosigned(
  note: string,
  key: VerifierKey,
  cosigners: readonly VerifierKey[],
): { readonly checkpoint: Checkpoint; readonly signers: readonly VerifierKey[] } {
  const parsed = parseNote(note);
  const checkpoint = parseCheckpoint(parsed.text);
  const signed = verifyNote(parsed, [key, ...cosigners]);
  if (checkpoint.origin !== key.name || !signed.includes(key)) {
    throw new KeyriteError(
      "ledger.not-trusted",
      `the checkpoint of ${checkpoint.origin} is not signed by the ledger key of ${key.name}`,
    );
  }
  return { checkpoint, signers: signed.filter((signer) => signer !== key) };
}

function textOf(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes);
  } catch (error) {
    throw damaged(`its entry is not UTF-8: ${messageOf(error)}`);
  }
}

function damaged(problem: string): KeyriteError {
  return new KeyriteError("ledger.damaged", `the proof is refused: ${problem}`);
}
