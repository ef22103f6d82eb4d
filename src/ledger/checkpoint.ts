/** C2SP checkpoints (tlog-checkpoint v1.0.0): origin, size and root of a ledger, as a signed note. */

import { base64, fromBase64 } from "../lib/encoding.ts";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import {
  checkSignature,
  formatNote,
  isKeyName,
  parseNote,
  signatureLine,
  type VerifierKey,
} from "../lib/note.ts";
import type { SigningKey } from "../lib/ed25519.ts";

export interface Checkpoint {
  readonly origin: string;
  /** Number of entries. */
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

/**
 * Whether a text can name a ledger. Being a key name as well, it may not begin like the notes that
 * people sign: a checkpoint's first line must never read as an agreement's.
 */
export function isOrigin(text: string): boolean {
  return isKeyName(text) && !/^(?:keyrite\/|cosignature\/v1)/.test(text);
}

/** The three lines that are signed: origin, decimal size, base64 root. */
export function formatCheckpoint(checkpoint: Checkpoint): string {
  return `${checkpoint.origin}\n${checkpoint.size}\n${base64(checkpoint.root)}\n`;
}

/**
 * A checkpoint from its note text. Extension lines, which the format permits, are refused: ours
 * never has any, and not every kind of cosignature would cover them.
 * @throws KeyriteError ledger.damaged when the text is anything but those three lines.
 */
export function parseCheckpoint(text: string): Checkpoint {
  const [, origin = "", size = "", root = ""] = /^([^\n]+)\n([^\n]+)\n([^\n]+)\n$/.exec(text) ?? [];
  if (!isOrigin(origin)) throw damaged("the checkpoint does not begin with an origin");
  if (!/^(?:0|[1-9][0-9]*)$/.test(size) || !Number.isSafeInteger(Number(size))) {
    throw damaged("the checkpoint's second line is no size");
  }
  const bytes = fromBase64(root);
  if (bytes?.length !== 32) throw damaged("the checkpoint's third line is no root hash");
  return { origin, size: Number(size), root: bytes };
}

export interface CheckpointJudgement {
  /** What the note says, when its signature may be believed. */
  readonly root?: Uint8Array;
  readonly fault?: {
    readonly code: "checkpoint.malformed" | "checkpoint.signature";
    /** Follows on "checkpoint N". */
    readonly text: string;
  };
}

/**
 * Judges a stored checkpoint: one signature line in the ledger's name over its origin and size, by
 * the ledger's key when that is known.
 */
export function judgeCheckpoint(
  note: string,
  expected: {
    readonly origin: string;
    readonly size: number;
    readonly key: VerifierKey | undefined;
  },
): CheckpointJudgement {
  const { origin, size, key } = expected;
  try {
    const { text, signatures } = parseNote(note);
    const checkpoint = parseCheckpoint(text);
    const [line, ...more] = signatures;
    if (checkpoint.origin !== origin || checkpoint.size !== size) {
      return malformed("states another origin or size");
    }
    if (line?.name !== origin || line.payload.length !== 64 || more.length > 0) {
      return malformed("does not bear exactly the ledger's own signature");
    }
    if (key !== undefined && !checkSignature(text, line, key)) {
      const fault = {
        code: "checkpoint.signature",
        text: "is not signed by the ledger's key",
      } as const;
      return { fault };
    }
    return { root: checkpoint.root };
  } catch (error) {
    return malformed(`is malformed: ${messageOf(error)}`);
  }
}

function malformed(text: string): CheckpointJudgement {
  return { fault: { code: "checkpoint.malformed", text } };
}

/** The checkpoint as a note signed by the ledger's key, whose name is the origin. */
export function signCheckpoint(checkpoint: Checkpoint, key: SigningKey): string {
  const text = formatCheckpoint(checkpoint);
  return formatNote(text, [signatureLine(text, checkpoint.origin, key)]);
}

function damaged(message: string): KeyriteError {
  return new KeyriteError("ledger.damaged", message);
}
