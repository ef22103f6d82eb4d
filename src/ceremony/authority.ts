/**
 * Who may say what. An agreement counts only under the roster and policy as they stood at its entry,
 * for exactly the plan, step, subject and head it names; and people are counted, never keys.
 */

import { messageOf } from "../lib/errors.ts";
import { parseTimestamp } from "../lib/clock.ts";
import { readAgreement, requireSignedBy, type Agreement } from "../people/agreement.ts";
import type { Card } from "../people/card.ts";
import type { Control } from "./action.ts";
import type { Attending } from "./custody.ts";
import type { Role } from "./words.ts";

/** What an agreement must say word for word to count. */
export type Expected = Omit<Agreement, "person" | "role" | "expires">;

export interface AgreementWindow {
  /** Time of the entry that uses the agreement, in milliseconds. */
  readonly at: number;
  /** Longest life of an agreement, in minutes, from policy. */
  readonly minutes: number;
}

export type Judgement =
  | { readonly ok: true; readonly person: string; readonly role: Role }
  | { readonly ok: false; readonly problem: string };

/**
 * Judges one agreement note. `cardOf` gives the card by which a person is known at this entry, or says why
 * their word does not count.
 * Q11: a replay fails on nonce, head or ceremony; a swap on plan, step or subject.
 */
export function judgeAgreement(
  note: string,
  expected: Expected,
  window: AgreementWindow,
  cardOf: (person: string) => Card | string,
): Judgement {
  let agreement: Agreement;
  try {
    const read = readAgreement(note);
    agreement = read.agreement;
    const card = cardOf(agreement.person);
    if (typeof card === "string") return refused(card);
    requireSignedBy(read, card);
  } catch (error) {
    return refused(messageOf(error));
  }
  const difference = firstDifference(agreement, expected);
  if (difference !== undefined) {
    return refused(`the agreement of ${agreement.person} is for another ${difference}`);
  }
  const expires = parseTimestamp(agreement.expires);
  if (expires === undefined || expires < window.at) {
    return refused(`the agreement of ${agreement.person} had expired`);
  }
  if (expires > window.at + window.minutes * 60_000) {
    return refused(`the agreement of ${agreement.person} lives longer than the policy allows`);
  }
  return { ok: true, person: agreement.person, role: agreement.role as Role };
}

function refused(problem: string): Judgement {
  return { ok: false, problem };
}

function firstDifference(actual: Agreement, expected: Expected): string | undefined {
  const { step, opened } = actual;
  const same: readonly (readonly [string, boolean])[] = [
    ["origin", actual.origin === expected.origin],
    ["ceremony", actual.ceremony === expected.ceremony],
    ["decision", actual.decision === expected.decision],
    ["plan", actual.plan === expected.plan],
    ["step", step.n === expected.step.n && step.digest === expected.step.digest],
    ["subject", actual.subject === expected.subject],
    ["policy", actual.policy === expected.policy],
    ["build of the software", actual.software === expected.software],
    [
      "head of the ledger",
      opened.size === expected.opened.size && opened.root === expected.opened.root,
    ],
    ["nonce", actual.nonce === expected.nonce],
  ];
  return same.find(([, agrees]) => !agrees)?.[0];
}

export interface Quorum {
  readonly control: Control;
  readonly by: "everyone" | readonly Role[];
  /** Who is at the roll call, in which one role. */
  readonly attending: readonly Attending[];
}

/**
 * Whether the people who agreed suffice: different people, in the roles they attend in, one for each
 * role that `by` lists.
 * @returns what is missing, or undefined.
 */
export function missingFrom(quorum: Quorum, agreed: readonly Attending[]): string | undefined {
  const people = new Set(agreed.map((a) => a.person));
  if (people.size !== agreed.length) return "one person agreed twice";
  for (const { person, role } of agreed) {
    const present = quorum.attending.find((a) => a.person === person);
    if (present === undefined) return `${person} is not at the roll call`;
    if (present.role !== role) return `${person} attends as ${present.role}, not as ${role}`;
  }
  if (quorum.control === "none") return undefined;
  const least = quorum.control === "single" ? 1 : 2;
  if (people.size < least) {
    return `${people.size} of ${least} different people agreed`;
  }
  if (quorum.by === "everyone") {
    const silent = quorum.attending.find((a) => !people.has(a.person));
    return silent === undefined ? undefined : `${silent.person} did not agree`;
  }
  const short = shortRole(quorum.by, agreed);
  return short === undefined ? undefined : `nobody agreed as ${short}`;
}

function shortRole(by: readonly Role[], agreed: readonly Attending[]): Role | undefined {
  return by.find((role) => {
    const needed = by.filter((r) => r === role).length;
    return agreed.filter((a) => a.role === role).length < needed;
  });
}
