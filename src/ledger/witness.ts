/**
 * Asking for a cosignature by file: the request body of C2SP tlog-witness (v1.0.0 `add-checkpoint`),
 * carried on a medium instead of over a network, and the rule by which it may be answered.
 */

import { base64, equalBytes, fromBase64 } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import {
  checkSignature,
  parseNote,
  parseSignatureLine,
  verifyNote,
  type VerifierKey,
} from "../lib/note.ts";
import { parseCheckpoint, type Checkpoint } from "./checkpoint.ts";
import { EMPTY_ROOT, verifyConsistency } from "./merkle.ts";

export interface WitnessRequest {
  /** Size of the largest head that the cosigner has seen; 0 for none. */
  readonly old: number;
  /** Consistency proof from `old` to the checkpoint (RFC 6962 §2.1.2). */
  readonly hashes: readonly Uint8Array[];
  /** The checkpoint note, signed by the ledger. */
  readonly checkpoint: string;
}

/** tlog-witness: a tree of 2^63 leaves needs no more. */
const MOST_HASHES = 63;
const MOST_LINES = 100;
export const LONGEST_REQUEST = 1 << 20;

/** The body of a request. */
export function formatRequest({ old, hashes, checkpoint }: WitnessRequest): string {
  const lines = [`old ${old}`, ...hashes.map((hash) => base64(hash))];
  return `${lines.join("\n")}\n\n${checkpoint}`;
}

/**
 * Reads a request; nothing is verified yet.
 * @throws KeyriteError ledger.damaged naming the line
 */
export function parseRequest(text: string): WitnessRequest {
  if (text.length > LONGEST_REQUEST)
    throw damaged(`it is longer than ${LONGEST_REQUEST} characters`);
  const end = text.indexOf("\n\n");
  if (end < 0) throw damaged("it has no blank line before the checkpoint");
  const [first = "", ...lines] = text.slice(0, end).split("\n");
  const old = Number(/^old (0|[1-9][0-9]{0,15})$/.exec(first)?.[1]);
  if (!Number.isSafeInteger(old)) throw damaged('its first line is not "old" and a size');
  if (lines.length > MOST_HASHES) throw damaged(`it has more than ${MOST_HASHES} hashes`);
  const hashes = lines.map((line) => {
    const hash = fromBase64(line);
    if (hash?.length !== 32) throw damaged("a line of its consistency proof is no SHA-256 hash");
    return hash;
  });
  const checkpoint = text.slice(end + 2);
  parseCheckpoint(parseNote(checkpoint).text);
  return { old, hashes, checkpoint };
}

/**
 * The checkpoint of a request that extends what its reader has seen of the ledger. Refusals are those
 * of tlog-witness: a wrong signature (403), `old` other than what was seen (409), a smaller tree (400),
 * a proof that does not lead from one root to the other (422).
 * @param seen the reader's own head of this ledger, undefined when this is the first.
 * @param key the ledger's verifier key, which the reader trusts.
 * @throws KeyriteError ledger.damaged, ledger.not-trusted, ledger.forked
 */
export function judgeRequest(
  request: WitnessRequest,
  seen: Checkpoint | undefined,
  key: VerifierKey,
): Checkpoint {
  const note = parseNote(request.checkpoint);
  const checkpoint = parseCheckpoint(note.text);
  if (checkpoint.origin !== key.name || !verifyNote(note, [key]).includes(key)) {
    throw new KeyriteError(
      "ledger.not-trusted",
      `the checkpoint of ${checkpoint.origin} is not signed by the ledger key of ${key.name}`,
      { hints: ["compare the trust file with the signed genesis sheet of that site"] },
    );
  }
  const size = seen?.size ?? 0;
  if (request.old !== size) {
    throw new KeyriteError(
      "ledger.not-trusted",
      `the request starts from size ${request.old}, the head you carry has size ${size}`,
      { hints: [`ask the site for one from there: keyrite cosign request --old ${size}`] },
    );
  }
  if (checkpoint.size < size) {
    throw new KeyriteError(
      "ledger.forked",
      `the ledger of ${key.name} has ${checkpoint.size} entries, your head has ${size}: entry ${checkpoint.size} is the first missing one`,
      { hints: ["stop: entries were cut off, or this is an old copy; do not sign"] },
    );
  }
  if (!leadsOn(request, seen, checkpoint)) {
    throw new KeyriteError(
      "ledger.forked",
      `the ledger of ${key.name} does not extend your head of size ${size}: entries before it were changed`,
      { hints: ["stop: keep your head and this request, and tell the auditor"] },
    );
  }
  return checkpoint;
}

function leadsOn(
  { hashes }: WitnessRequest,
  seen: Checkpoint | undefined,
  { size, root }: Checkpoint,
): boolean {
  if (size === 0) return hashes.length === 0 && equalBytes(root, EMPTY_ROOT);
  if (seen === undefined || seen.size === 0) return hashes.length === 0;
  if (seen.size === size) return hashes.length === 0 && equalBytes(root, seen.root);
  return verifyConsistency(seen.size, size, seen.root, root, hashes);
}

/** A cosignature that was found to be of a known cosigner, on a checkpoint of the ledger. */
export interface AcceptedCosignature {
  readonly size: number;
  readonly name: string;
  readonly line: string;
}

/**
 * Judges the lines of an answer: each is by one of the keys, on a checkpoint of the ledger.
 * @param checkpoints of the ledger, by size, in the order in which they are tried.
 * @throws KeyriteError ledger.damaged for a malformed answer; ledger.not-trusted naming the line
 */
export function judgeAnswer(
  answer: string,
  checkpoints: () => Iterable<{ readonly size: number; readonly note: string }>,
  keys: readonly VerifierKey[],
): readonly AcceptedCosignature[] {
  const lines = answer.split("\n");
  if (lines.pop() !== "" || lines.length === 0 || lines.length > MOST_LINES) {
    throw damaged(`it is not 1 to ${MOST_LINES} cosignature lines`);
  }
  return lines.map((text) => {
    const line = parseSignatureLine(text);
    const key = keys.find(({ name, keyId }) => name === line.name && keyId === line.keyId);
    if (key === undefined) {
      throw new KeyriteError("ledger.not-trusted", `nobody known here cosigns as ${line.name}`, {
        hints: ["somebody who is not on the roster: give their verifier key with --key"],
      });
    }
    for (const { size, note } of checkpoints()) {
      if (checkSignature(parseNote(note).text, line, key))
        return { size, name: key.name, line: text };
    }
    throw new KeyriteError(
      "ledger.not-trusted",
      `the line of ${line.name} is on no checkpoint of this ledger`,
      { hints: ["it may be the answer to another site's request"] },
    );
  });
}

function damaged(problem: string): KeyriteError {
  return new KeyriteError("ledger.damaged", `the file is refused: ${problem}`);
}
