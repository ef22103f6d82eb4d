/**
 * People in one step: whose medium is here, whose identity is open. Every identity is opened with its
 * passphrase in the step that needs it and wiped at its end, so one person at the keyboard can never
 * answer for two.
 */

import type { OperatorConsole } from "../console/console.ts";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import { freeKeyObjects, type Secret } from "../lib/secret.ts";
import { cardDigest } from "../people/card.ts";
import { openIdentity, type OpenedIdentity } from "../people/identity.ts";
import type { Medium } from "../people/medium.ts";
import type { Participant, PeopleRoom } from "./action.ts";
import type { Recorder } from "./recorder.ts";

/** Wrong passphrases in a row before the step is refused; each costs a KDF and is recorded. */
const MOST_ATTEMPTS = 5;

/** How often it is looked, while somebody is waited for, whether they have been gone for too long. */
const LOOK_MS = 1000;

export interface PeopleInStepParts {
  readonly console: OperatorConsole;
  /** Where failed attempts are recorded. */
  readonly recorder: Pick<Recorder, "append">;
  readonly ceremony: string;
  readonly step: string;
  readonly medium: (person: string, name: string) => Promise<Medium>;
  readonly attending: readonly Participant[];
  readonly performers: readonly Participant[];
}

export class PeopleInStep implements PeopleRoom {
  readonly attending: readonly Participant[];
  readonly performers: readonly Participant[];
  readonly #parts: PeopleInStepParts;
  readonly #open = new Map<string, OpenedIdentity>();
  readonly #brought: Secret[] = [];
  #isTooLate: (() => boolean) | undefined;

  constructor(parts: PeopleInStepParts) {
    this.#parts = parts;
    this.attending = parts.attending;
    this.performers = parts.performers;
  }

  medium(person: string, name: string): Promise<Medium> {
    return this.#parts.medium(person, name);
  }

  async open(participant: Participant): Promise<OpenedIdentity["opener"]> {
    return (await this.identify(participant)).opener;
  }

  async sign(participant: Participant, text: string): Promise<string> {
    return (await this.identify(participant)).signer.signNote(text);
  }

  /** The whole opened identity, for the engine: it signs agreements and cosigns. */
  async identify(participant: Participant): Promise<OpenedIdentity> {
    const known = this.#open.get(participant.person);
    if (known !== undefined) return known;
    const medium = await this.medium(participant.person, participant.card.name);
    this.#checkMedium(participant, medium);
    const opened = await this.#ask(participant, medium.readIdentity());
    this.#open.set(participant.person, opened);
    return opened;
  }

  /** Takes over a secret that somebody brought to this step. */
  bring(secret: Secret): void {
    this.#brought.push(secret);
  }

  /** Says when what people opened and brought must not wait for others any longer; undefined is never. */
  wait(isTooLate: (() => boolean) | undefined): void {
    this.#isTooLate = isTooLate;
  }

  /**
   * Waits for somebody's answer. If they do not come back in time, what the others opened and brought is wiped
   * meanwhile: a machine left alone holds no shares.
   */
  async answering<T>(ask: () => Promise<T>): Promise<T> {
    const look = setInterval(() => {
      if (this.#isTooLate?.() === true) this.end();
    }, LOOK_MS);
    try {
      return await ask();
    } finally {
      clearInterval(look);
    }
  }

  /** Wipes every identity that was opened in this step, and every secret that was brought. */
  end(): void {
    const opened = this.#open.size > 0;
    for (const identity of this.#open.values()) identity.wipe();
    this.#open.clear();
    for (const secret of this.#brought) secret.wipe();
    if (opened) freeKeyObjects();
  }

  // A medium of somebody else, or of a replaced identity, is refused before any passphrase is asked.
  #checkMedium(participant: Participant, medium: Medium): void {
    const card = medium.readCard();
    if (card.person !== participant.person) {
      throw new KeyriteError(
        "people.same-person",
        `the medium given for ${participant.person} is that of ${card.person}`,
        { hints: [`insert the medium of ${participant.card.name}`] },
      );
    }
    if (cardDigest(card) !== cardDigest(participant.card)) {
      throw new KeyriteError(
        "people.authentication-failed",
        `the identity on the medium of ${participant.person} is not the one on the roster`,
        { hints: ["an identity that was made anew must be enrolled in a ceremony first"] },
      );
    }
  }

  async #ask(participant: Participant, sealed: Uint8Array): Promise<OpenedIdentity> {
    const { console, step } = this.#parts;
    const to = { person: participant.person, name: participant.card.name };
    for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
      const question = {
        step,
        id: "passphrase",
        to,
        purpose: "identity",
        text: "your passphrase",
      } as const;
      const passphrase = await this.answering(() => console.askSecret(question));
      try {
        return await openIdentity(sealed, passphrase, participant.card);
      } catch (error) {
        if (!(error instanceof KeyriteError)) throw error;
        this.#recordFailure(participant, attempt, error);
        const left = MOST_ATTEMPTS - attempt;
        console.warn(`${messageOf(error)} (${left} ${left === 1 ? "attempt" : "attempts"} left)`);
      } finally {
        passphrase.wipe();
      }
    }
    throw new KeyriteError(
      "people.authentication-failed",
      `${participant.person} could not open their identity in ${MOST_ATTEMPTS} attempts`,
      { hints: ["each person types their own passphrase; nobody can answer for another"] },
    );
  }

  #recordFailure(participant: Participant, attempt: number, error: KeyriteError): void {
    const { recorder, ceremony, step } = this.#parts;
    recorder.append({
      type: "auth.failed",
      outcome: "failure",
      ceremony,
      step,
      actors: [{ person: participant.person, role: participant.role, part: "performed" }],
      description: `An attempt to open the identity of ${participant.person} failed.`,
      data: { person: participant.person, attempt, code: error.code },
    });
  }
}
