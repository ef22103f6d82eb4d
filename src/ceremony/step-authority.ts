/**
 * Authority of one step: what its agreements had to say, which of them count, and whether they bear
 * the facts its completion claims.
 */

import type { Entry } from "../ledger/entry.ts";
import { parseTimestamp } from "../lib/clock.ts";
import { digestOf } from "../lib/encoding.ts";
import { isJsonObject, type JsonObject } from "../lib/json.ts";
import type { Card } from "../people/card.ts";
import type { Action, Vocabulary } from "./action.ts";
import { judgeAgreement, missingFrom, type Expected } from "./authority.ts";
import type { Attending, Custody } from "./custody.ts";
import { citedFrom } from "./cited.ts";
import { impostorAmong } from "./custody-people.ts";
import { parseFact, type Fact } from "./facts.ts";
import type { StepInDoubt } from "./history.ts";
import { runOutAmong } from "./people-dates.ts";
import type { RecordedPlan, RecordedStep } from "./plan-document.ts";
import { stringOf } from "./record.ts";
import { StepItems } from "./step-items.ts";
import { ONLOOKERS } from "./words.ts";

/** What a step is opened for: to be performed, or to decide something about the ceremony. */
export const STEP_PURPOSES = ["step", "adopt", "abandon", "resume", "finish", "undo"] as const;
export type StepPurpose = (typeof STEP_PURPOSES)[number];

/** What becomes of a step that was interrupted or failed. */
export type Settling = "finish" | "undo";

export function isSettling(purpose: StepPurpose | undefined): purpose is Settling {
  return purpose === "finish" || purpose === "undo";
}

/** A step that is open: what `step.opened` and, later, `step.begun` said. */
export interface OpenedStep {
  readonly seq: number;
  /** Ledger size and root right after `step.opened`. */
  readonly size: number;
  readonly root: string;
  readonly nonce: string;
  readonly step: RecordedStep;
  readonly purpose: StepPurpose;
  /** Digest of what run time added, or null. */
  readonly subject: string | null;
  /** The lines the room read. */
  readonly shown: readonly string[];
  begun: BegunStep | null;
  /** Why those who agreed did not suffice to begin it. */
  notBegun?: string;
}

export interface BegunStep {
  readonly seq: number;
  /** What people agreed to: the step, or the end of an earlier attempt at it. */
  readonly decision: "agree" | Settling;
  readonly items: StepItems;
  /** Made by the first facts that are judged: a batch has thousands. */
  admits: ((fact: Fact) => boolean) | null;
  readonly agreed: readonly Attending[];
  /** The subject's data: what was agreed to. */
  readonly intent: JsonObject;
  readonly candidate: { readonly person: string; readonly card: string } | null;
}

/** Digest of what run time added to the plan: its data and the lines that showed it. */
export function subjectDigest(data: JsonObject, shown: readonly string[]): string {
  return digestOf({ data, shown: [...shown] });
}

/** What agreements on the open step must say. */
export function expectedOf(
  opened: Pick<OpenedStep, "step" | "subject" | "size" | "root" | "nonce">,
  plan: RecordedPlan,
  ceremony: string,
  custody: Custody,
  decision: Expected["decision"],
): Expected {
  return {
    origin: custody.origin,
    ceremony,
    decision,
    plan: plan.sha256,
    step: { n: opened.step.n, digest: opened.step.sha256 },
    subject: opened.subject,
    policy: custody.policy ?? "",
    software: plan.software,
    opened: { size: opened.size, root: opened.root },
    nonce: opened.nonce,
  };
}

/** The agreements of an entry that count, and what is wrong with each of the others. */
export function judgeEntry(
  entry: Entry,
  expected: Expected,
  minutes: number,
  cardOf: (person: string) => Card | string,
): { readonly agreed: readonly Attending[]; readonly problems: readonly string[] } {
  const window = { at: parseTimestamp(entry.time) ?? Infinity, minutes };
  const agreed: Attending[] = [];
  const problems: string[] = [];
  for (const note of entry.agreements) {
    const judged = judgeAgreement(note, expected, window, cardOf);
    if (judged.ok) agreed.push({ person: judged.person, role: judged.role });
    else problems.push(judged.problem);
  }
  return { agreed, problems };
}

/** What `step.begun` says beyond its agreements; a string is why it is not that of the open step. */
export function readBegun(
  entry: Entry,
  opened: OpenedStep,
  agreed: readonly Attending[],
  items = new StepItems(),
): BegunStep | string {
  const data = intentOf(entry);
  const agreedTo =
    opened.subject === null
      ? Object.keys(data).length === 0
      : subjectDigest(data, opened.shown) === opened.subject;
  if (!agreedTo) return "its intent is not what was shown and agreed to";
  const candidate = data["candidate"];
  const person = isJsonObject(candidate) ? stringOf(candidate, "person") : undefined;
  const card = isJsonObject(candidate) ? stringOf(candidate, "card") : undefined;
  const known = person !== undefined && card !== undefined ? { person, card } : null;
  const begun = { seq: entry.seq, decision: "agree", agreed, intent: data, items } as const;
  return { ...begun, candidate: known, admits: null };
}

function intentOf({ data }: Entry): JsonObject {
  const { intent } = data;
  return isJsonObject(intent) ? intent : {};
}

/** What a decision to finish or undo a step is about: digested with the lines that the room read. */
export function settlingData(doubt: StepInDoubt, settled: JsonObject): JsonObject {
  return { begun: doubt.begunSeq, intent: doubt.intent, settled };
}

/** As `readBegun`, for the entry with which people finish or undo an earlier attempt. */
export function readSettling(
  entry: Entry,
  opened: OpenedStep,
  agreed: readonly Attending[],
  doubt: StepInDoubt,
  items: StepItems,
): BegunStep | string {
  const { data, seq } = entry;
  if (!isSettling(opened.purpose) || data["decision"] !== opened.purpose) {
    return "the step was opened for something else";
  }
  if (data["begun"] !== doubt.begunSeq || digestOf(intentOf(entry)) !== digestOf(doubt.intent)) {
    return "it settles another attempt than the one that is in doubt";
  }
  const { settled } = data;
  const about = settlingData(doubt, isJsonObject(settled) ? settled : {});
  if (subjectDigest(about, opened.shown) !== opened.subject) {
    return "its data is not what was shown and agreed to";
  }
  const { intent } = doubt;
  return {
    seq,
    decision: opened.purpose,
    agreed,
    intent,
    items,
    candidate: null,
    admits: null,
  };
}

/** Facts of an entry, or the first malformed one. */
export function readFacts(entry: Entry): readonly Fact[] | string {
  const facts: Fact[] = [];
  for (const raw of entry.facts) {
    const fact = parseFact(raw);
    if (typeof fact === "string") return fact;
    facts.push(fact);
  }
  return facts;
}

/** Facts a roll call may establish before the clock is attested. */
const BEFORE_CLOCK: readonly Fact["kind"][] = ["people.present", "clock.attested"];

/** What is known at a completion. */
export interface StepContext {
  /** Time of its entry. */
  readonly at: string;
  readonly custody: Custody;
  readonly vocabulary: Vocabulary;
  readonly clockGap: boolean;
  /** Digest of site.yaml in the plan. */
  readonly bindings: string | null;
  /** Digests of the plan's profiles by name. */
  readonly profiles: Readonly<Record<string, string>>;
  readonly attachment: (sha256: string) => Uint8Array | undefined;
}

/** Why the completion of a begun step is given no authority, or undefined. */
export function authorityProblem(
  step: RecordedStep,
  begun: BegunStep,
  facts: readonly Fact[],
  context: StepContext,
): string | undefined {
  const { at, custody, vocabulary, clockGap } = context;
  const action = vocabulary.get(step.action);
  if (action === undefined) return `there is no action ${step.action}`;
  const stray = facts.find((fact) => !action.facts.includes(fact.kind));
  if (stray !== undefined) return `${action.name} cannot establish ${stray.kind}`;
  if (facts.length > 0 && action.control === "none") return `${action.name} establishes no facts`;
  if (clockGap && facts.some((fact) => !BEFORE_CLOCK.includes(fact.kind))) {
    return "the clock jumped more than 30 days and nobody attested it";
  }
  const roll = facts.find((fact) => fact.kind === "people.present");
  return (
    peopleProblem(action, step, begun, roll?.attending ?? custody.attending, custody) ??
    runOutAmong(custody, roll?.attending ?? [], at) ??
    otherThanAgreed(action, step, begun, facts, context) ??
    (roll === undefined || roll.bindings === context.bindings
      ? undefined
      : "the roll was called under another site.yaml than the plan's")
  );
}

/** Why the people who agreed do not suffice for a step, or undefined. */
export function peopleProblem(
  action: Action,
  step: RecordedStep,
  begun: Pick<BegunStep, "agreed" | "candidate">,
  attending: readonly Attending[],
  custody: Custody,
): string | undefined {
  const impostor = impostorAmong(custody, attending);
  if (impostor !== undefined) return impostor;
  const twice = attending.find((a) => attending.some((b) => a !== b && a.person === b.person));
  if (twice !== undefined) return `${twice.person} is on the roll twice`;
  // A candidate's proof of possession is no authority: only people on the roll count.
  const onRoll = begun.agreed.filter((a) => a.person !== begun.candidate?.person);
  const agreed = action.control === "dual" ? withoutOnlookers(onRoll) : onRoll;
  return missingFrom({ control: action.control, by: step.by, attending }, agreed);
}

// Auditors and external witnesses agree to nothing but their own attestations.
function withoutOnlookers(agreed: readonly Attending[]): readonly Attending[] {
  return agreed.filter(({ role }) => !ONLOOKERS.includes(role));
}

/** Why a decision about the ceremony is not taken by these people's agreements, or undefined. */
export function decisionProblem(
  entry: Entry,
  opened: OpenedStep | null,
  purpose: StepPurpose,
  agreed: readonly Attending[],
  custody: Custody,
): string | undefined {
  const impostor = impostorAmong(custody, agreed);
  if (impostor !== undefined) return impostor;
  // Going on is for the people of the roll call, if it was called; ending it is for whoever is there.
  const called = purpose === "resume" && custody.attending.length > 0;
  const attending = called ? custody.attending : agreed;
  const missing = missingFrom({ control: "dual", by: [], attending }, withoutOnlookers(agreed));
  if (missing !== undefined) return missing;
  if (opened?.purpose !== purpose) return "the step was opened for something else";
  if (opened.subject === subjectDigest(entry.data, opened.shown)) return undefined;
  return "its data is not what was shown and agreed to";
}

// Agreements bear the facts that were agreed to, not any fact of the right kind that the host's owner
// writes into the completion.
function otherThanAgreed(
  action: Action,
  step: RecordedStep,
  begun: BegunStep,
  facts: readonly Fact[],
  { attachment, profiles }: StepContext,
): string | undefined {
  if (begun.decision === "undo" && facts.length > 0) return "people agreed to undo the step";
  for (const fact of facts) {
    if (fact.kind === "person.enrolled") {
      const candidate = begun.candidate;
      if (candidate?.person !== fact.person || candidate.card !== fact.card) {
        return `nobody agreed to enrol ${fact.person} with this card`;
      }
      if (!begun.agreed.some((a) => a.person === fact.person)) {
        return `${fact.person} did not prove possession of their keys`;
      }
    }
    begun.admits ??= action.admitting(step.with, begun.intent, citedFrom(attachment, profiles));
    if (!begun.admits(fact)) {
      return `${fact.kind} is not what people agreed to`;
    }
  }
  return undefined;
}
