/**
 * Proof of possession: a founder, or somebody enrolled later, signs a genesis digest with their
 * signing key and shows that they opened a challenge sealed to their age key.
 * Format: docs/formats/agreement.md.
 */

import { encryptTo, x25519Recipient } from "../lib/age.ts";
import type { Random } from "../lib/clock.ts";
import { concat, sha256Hex, utf8 } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { isPersonId, type Assurance, type Card } from "./card.ts";
import { checkSoleSignature, isDigest, isOrigin, NoteReader } from "./note-text.ts";
import type { Opener } from "./signer.ts";

export const GENESIS = "keyrite/genesis/v1";

export interface GenesisStatement {
  readonly origin: string;
  readonly assurance: Assurance;
  /** SHA-256 of genesis.json, 64 lower-case hex. */
  readonly genesis: string;
  readonly person: string;
  /** SHA-256 of the challenge that was sealed to the person's recipient, 64 lower-case hex. */
  readonly challenge: string;
}

/**
 * The text that is signed.
 * @throws KeyriteError people.agreement-invalid when a value does not fit its grammar
 */
export function formatGenesisText(statement: GenesisStatement): string {
  const text = [
    GENESIS,
    `origin ${statement.origin}`,
    `assurance ${statement.assurance}`,
    `genesis ${statement.genesis}`,
    `person ${statement.person}`,
    `challenge ${statement.challenge}`,
    "",
  ].join("\n");
  parseGenesisText(text);
  return text;
}

/**
 * Reads the text: every line once, in order.
 * @throws KeyriteError people.agreement-invalid
 */
export function parseGenesisText(text: string): GenesisStatement {
  const lines = new NoteReader(text, GENESIS, invalid);
  const statement = {
    origin: lines.value("origin", isOrigin),
    assurance: readAssurance(lines.value("assurance", (v) => /^(production|test)$/.test(v))),
    genesis: lines.value("genesis", isDigest),
    person: lines.value("person", isPersonId),
    challenge: lines.value("challenge", isDigest),
  };
  lines.end();
  return statement;
}

/**
 * The statement in a note with exactly one signature, by the card's signing key.
 * @throws KeyriteError people.agreement-invalid
 */
export function checkGenesisNote(note: string, card: Card): GenesisStatement {
  const statement = parseGenesisText(checkSoleSignature(note, card, invalid));
  if (statement.person !== card.person) {
    throw invalid(`it names ${statement.person} but ${card.person} signed it`);
  }
  if (statement.assurance !== card.assurance) {
    throw invalid(`it says ${statement.assurance}, the card of ${card.person} ${card.assurance}`);
  }
  return statement;
}

// Opened plaintexts must begin so: an opener shall not hand out the digest of a share or a PIN.
const CHALLENGE = utf8("keyrite/challenge/v1\n");

/** A fresh challenge sealed to a recipient, and the digest that only its opener can state. */
export async function sealChallenge(
  recipient: string,
  random: Random,
): Promise<{ readonly file: Uint8Array; readonly digest: string }> {
  const challenge = concat(CHALLENGE, random.bytes(32));
  return {
    file: await encryptTo([x25519Recipient(recipient)], challenge),
    digest: sha256Hex(challenge),
  };
}

/**
 * The digest of an opened challenge.
 * @throws KeyriteError people.authentication-failed, usage.bad-file as `Opener.open`;
 * people.agreement-invalid when the file holds something else
 */
export async function answerChallenge(opener: Opener, file: Uint8Array): Promise<string> {
  const secret = await opener.open(file);
  try {
    return secret.use((bytes) => {
      const isChallenge = CHALLENGE.every((byte, i) => bytes[i] === byte);
      if (!isChallenge || bytes.length !== CHALLENGE.length + 32) {
        throw invalid("the sealed file is not a challenge");
      }
      return sha256Hex(bytes);
    });
  } finally {
    secret.wipe();
  }
}

function readAssurance(text: string): Assurance {
  return text === "production" ? "production" : "test";
}

function invalid(problem: string): KeyriteError {
  return new KeyriteError(
    "people.agreement-invalid",
    `the genesis statement is refused: ${problem}`,
  );
}
