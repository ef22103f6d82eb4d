/**
 * Fingerprints of transport keys: whoever owns the key behind one can open what is sealed to it, so two
 * people compare the words aloud, each by name, before anything is sealed.
 */

import type { Participant, Room } from "../../ceremony/action.ts";
import { digestLines } from "../../ceremony/spoken.ts";
import { visible } from "../../lib/encoding.ts";
import { KeyriteError } from "../../lib/errors.ts";

export interface Fingerprint {
  /** What it belongs to, e.g. "transport key of token beta". */
  readonly of: string;
  /** SHA-256 of the SubjectPublicKeyInfo. */
  readonly spki: string;
  /** What the words are compared with, e.g. "the words written down when the key was made". */
  readonly against: string;
}

/**
 * Shows each fingerprint as words and has the first two performers confirm it.
 * @returns the two people
 * @throws KeyriteError people.declined when either of them says that the words differ
 */
export async function confirmFingerprints(
  room: Room,
  fingerprints: readonly Fingerprint[],
): Promise<readonly string[]> {
  const [reader, listener] = room.people.performers;
  if (reader === undefined || listener === undefined) throw new Error("a dual step for one person");
  for (const fingerprint of fingerprints) {
    for (const line of digestLines(capital(`${fingerprint.of}, SHA-256`), fingerprint.spki)) {
      room.console.tell(line);
    }
    room.console.tell(
      `${visible(reader.card.name)} reads these words aloud; ${visible(listener.card.name)} compares them with ${fingerprint.against}.`,
    );
    for (const person of [reader, listener]) await confirm(room, person, fingerprint);
  }
  return [reader.person, listener.person];
}

async function confirm(room: Room, who: Participant, { of }: Fingerprint): Promise<void> {
  const answer = await room.console.ask({
    id: "fingerprint-heard",
    to: { person: who.person, name: who.card.name },
    text: `do all words of the ${of} agree? Type yes or no`,
    check: (text) => (text === "yes" || text === "no" ? undefined : "type yes or no"),
  });
  if (answer === "yes") return;
  throw new KeyriteError(
    "people.declined",
    `${who.person} did not confirm the fingerprint of the ${of}`,
    { hints: ["find out which of the two is wrong before anything is sealed to that key"] },
  );
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
