/**
 * What an opened identity can do. Two interfaces, because signing and opening may one day live in
 * different places (a smart card signs, a file opens), and because few callers need both.
 */

import { decryptWith, x25519Identity } from "../lib/age.ts";
import type { SigningKey } from "../lib/ed25519.ts";
import { fromBase64 } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { cosignatureLine, signatureLine } from "../lib/note.ts";
import type { Secret } from "../lib/secret.ts";
import { AGREEMENT, parseAgreement } from "./agreement.ts";
import { BACKUP, parseBackupText } from "./backup-note.ts";
import type { Card } from "./card.ts";
import { GENESIS, parseGenesisText } from "./genesis-note.ts";
import { isOrigin } from "./note-text.ts";

/** Signs for one person, and only texts whose meaning is fixed. */
export interface Signer {
  readonly card: Card;
  /**
   * The signature line (without newline) over a note text of the closed list agreement, genesis,
   * backup.
   * @throws KeyriteError people.agreement-invalid for any other text, or one in another's name
   */
  signNote(text: string): string;
  /**
   * The cosignature line (without newline) over a checkpoint's text, at a time in seconds since 1970.
   * @throws KeyriteError people.agreement-invalid unless the text is a well-formed checkpoint
   */
  cosign(checkpointText: string, unixSeconds: number): string;
}

/** Opens what was sealed to one person. */
export interface Opener {
  readonly card: Card;
  /**
   * The content of an age file; the caller wipes it.
   * @throws KeyriteError people.authentication-failed when the file is not sealed to this person,
   * usage.bad-file when it is damaged
   */
  open(file: Uint8Array): Promise<Secret>;
}

/** A signer over a key that `key` lends until it is gone. */
export function makeSigner(card: Card, key: () => SigningKey): Signer {
  return {
    card,
    signNote(text) {
      const problem = whyNoteRefused(text, card.person);
      if (problem !== undefined) throw refused(card, problem);
      return signatureLine(text, card.keyName, key());
    },
    cosign(checkpointText, unixSeconds) {
      const problem = whyCheckpointRefused(checkpointText);
      if (problem !== undefined) throw refused(card, problem);
      return cosignatureLine(checkpointText, card.keyName, unixSeconds, key());
    },
  };
}

/** An opener over 32 secret bytes that it borrows. */
export function makeOpener(card: Card, secretKey: Secret): Opener {
  return { card, open: async (file) => decryptWith([x25519Identity(secretKey)], file) };
}

/**
 * Why a person's key must not sign a text. A key that signed arbitrary texts could be led to sign
 * a checkpoint or somebody else's agreement; so the kinds are a closed list, and where the text
 * names a person it must be the signer.
 */
function whyNoteRefused(text: string, person: string): string | undefined {
  const [kind = ""] = text.split("\n", 1);
  switch (kind) {
    case AGREEMENT:
      return whyOtherPerson(parseAgreement(text).person, person);
    case GENESIS:
      return whyOtherPerson(parseGenesisText(text).person, person);
    case BACKUP:
      // It names no person: whose digest of which backup this is, its closed form says.
      parseBackupText(text);
      return undefined;
    default:
      return "the text is not an agreement, a genesis or a backup statement";
  }
}

function whyOtherPerson(named: string, person: string): string | undefined {
  return named === person ? undefined : `the text speaks for ${named}`;
}

/** C2SP tlog-checkpoint without extension lines: origin, size, root. */
function whyCheckpointRefused(text: string): string | undefined {
  const [origin = "", size = "", root = "", ...rest] = text.split("\n");
  if (rest.length !== 1 || rest[0] !== "") return "a checkpoint has exactly three lines";
  if (!isOrigin(origin)) return "the first line of the checkpoint is not the origin of a ledger";
  if (!/^(0|[1-9][0-9]*)$/.test(size) || !Number.isSafeInteger(Number(size))) {
    return "the size in the checkpoint is malformed";
  }
  if (fromBase64(root)?.length !== 32) return "the root in the checkpoint is malformed";
  return undefined;
}

function refused(card: Card, problem: string): KeyriteError {
  return new KeyriteError(
    "people.agreement-invalid",
    `the key of ${card.person} does not sign this: ${problem}`,
  );
}
