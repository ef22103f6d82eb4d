/**
 * The gate: nothing begins before the people a step calls for have agreed to it, each by opening
 * their own identity in this step. What they sign binds plan, step, subject, head and nonce.
 */

import type { OperatorConsole } from "../console/console.ts";
import type { Clock } from "../lib/clock.ts";
import { timestamp } from "../lib/clock.ts";
import { KeyriteError } from "../lib/errors.ts";
import { formatNote } from "../lib/note.ts";
import { formatAgreement } from "../people/agreement.ts";
import type { Participant } from "./action.ts";
import type { Expected } from "./authority.ts";
import type { PeopleInStep } from "./people-in-step.ts";

/** An agreement with the moment it was signed, on the monotonic clock. */
export interface FreshAgreement {
  readonly person: Participant;
  readonly note: string;
  readonly signedAt: number;
}

export interface GateParts {
  readonly console: OperatorConsole;
  readonly clock: Clock;
  readonly people: PeopleInStep;
  readonly step: string;
  readonly minutes: number;
  /** The question that each person answers with yes or no. */
  readonly question: string;
}

/**
 * Asks each person in turn and signs for those who agree.
 * @throws KeyriteError people.declined, people.authentication-failed, people.same-person
 */
export async function collectAgreements(
  parts: GateParts,
  people: readonly Participant[],
  expected: Expected,
  onOpen?: (person: Participant) => Promise<void>,
): Promise<readonly FreshAgreement[]> {
  const agreements: FreshAgreement[] = [];
  parts.people.wait(() => staleOne(agreements, parts.clock, parts.minutes) !== undefined);
  try {
    for (const person of people) {
      agreements.push(await collectOne(parts, person, expected));
      await onOpen?.(person);
    }
    return agreements;
  } finally {
    parts.people.wait(undefined);
  }
}

async function collectOne(
  parts: GateParts,
  person: Participant,
  expected: Expected,
): Promise<FreshAgreement> {
  const { console, clock, people, step, minutes, question } = parts;
  const to = { person: person.person, name: person.card.name };
  const ask = { step, id: "agree", to, text: question };
  if (!(await people.answering(() => console.agree(ask)))) {
    throw new KeyriteError("people.declined", `${person.person} declined step ${step}`, {
      hints: ["nothing was done; the refusal is recorded"],
    });
  }
  const { signer } = await people.identify(person);
  const text = formatAgreement({
    ...expected,
    person: person.person,
    role: person.role,
    expires: timestamp(clock.now() + minutes * 60_000),
  });
  return {
    person,
    note: formatNote(text, [signer.signNote(text)]),
    signedAt: clock.monotonic(),
  };
}

/**
 * Refuses agreements that are too old at the moment of acting, by the clock that nobody can set.
 * @throws KeyriteError people.agreement-invalid
 */
export function requireFresh(
  agreements: readonly FreshAgreement[],
  clock: Clock,
  minutes: number,
): void {
  const stale = staleOne(agreements, clock, minutes);
  if (stale === undefined) return;
  throw new KeyriteError(
    "people.agreement-invalid",
    `the agreement of ${stale.person.person} is older than ${minutes} minutes`,
    { hints: ["agree to the step again"] },
  );
}

function staleOne(
  agreements: readonly FreshAgreement[],
  clock: Clock,
  minutes: number,
): FreshAgreement | undefined {
  return agreements.find((a) => clock.monotonic() - a.signedAt > minutes * 60_000);
}
