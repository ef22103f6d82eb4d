/**
 * The part of the fold about steps: which agreements of an entry count, what begins, and which facts of
 * a completion, or of an item of a batch, have authority.
 */

import type { Entry } from "../ledger/entry.ts";
import type { Card } from "../people/card.ts";
import type { Expected } from "./authority.ts";
import type { CeremonyTrack } from "./ceremony-track.ts";
import type { Attending, Custody } from "./custody.ts";
import { whyNotEnrolled } from "./custody-people.ts";
import type { Fact } from "./facts.ts";
import { whyRunOut } from "./people-dates.ts";
import type { HistoryFinding, HistorySources } from "./history.ts";
import { batchStep, isOfBatch, strayFromItem } from "./item-authority.ts";
import {
  authorityProblem,
  expectedOf,
  isSettling,
  judgeEntry,
  peopleProblem,
  readBegun,
  readFacts,
  readSettling,
  type BegunStep,
  type OpenedStep,
} from "./step-authority.ts";

/** What the fold of steps asks of the fold around it. */
export interface StepFolding {
  readonly sources: HistorySources;
  readonly track: CeremonyTrack;
  readonly custody: () => Custody;
  readonly clockGap: () => boolean;
  /** Longest life of an agreement under the policy as it stands. */
  readonly minutes: () => number;
  readonly find: (entry: Entry, code: HistoryFinding["code"], text: string) => void;
  readonly card: (sha256: string) => Card | undefined;
  /**
   * Takes facts that have authority; `agreed` when people agreed to the entry's step. Says whether
   * custody took every one of them.
   */
  readonly apply: (entry: Entry, facts: readonly Fact[], agreed: boolean) => boolean;
}

/** The people whose agreements counted in one entry. */
export interface Judged {
  readonly seq: number;
  readonly agreed: readonly Attending[];
}

export class StepFold {
  readonly #around: StepFolding;
  #judged: Judged = { seq: -1, agreed: [] };

  constructor(around: StepFolding) {
    this.#around = around;
  }

  get judged(): Judged {
    return this.#judged;
  }

  /** Takes `step.begun`: of a step, or of a group of its batch. */
  begin(entry: Entry): void {
    if (isOfBatch(entry)) {
      this.#intend(entry);
      return;
    }
    const { track, find } = this.#around;
    const step = track.toBegin(entry);
    if (typeof step === "string") {
      find(entry, "order", step);
      return;
    }
    const begun = isSettling(step.purpose)
      ? this.#settling(entry, step)
      : this.#performing(entry, step);
    if (typeof begun === "string") find(entry, "authority", begun);
    else track.beginStep(entry, begun);
  }

  /** Takes `step.completed`: of a step, or of an item of its batch. */
  complete(entry: Entry): void {
    if (isOfBatch(entry)) {
      this.#endItem(entry, true);
      return;
    }
    const { track, find } = this.#around;
    const opened = track.step;
    if (opened?.begun == null || entry.step !== opened.step.id) {
      const why = opened?.step.id === entry.step ? opened.notBegun : undefined;
      const text = "it completes a step that was not begun";
      find(entry, "authority", why === undefined ? text : `it is given no authority: ${why}`);
      return;
    }
    const { step, begun } = opened;
    if (begun.decision === "undo") {
      find(entry, "authority", "it completes a step that people agreed to undo");
      return;
    }
    track.endStep(entry, "completed");
    const facts = this.#authorised(entry, step, begun);
    if (facts === undefined) return;
    const missing = this.#leftOut(step, begun, facts);
    if (missing !== undefined) {
      find(entry, "authority", `it is given no authority: it leaves out ${missing}`);
      return;
    }
    this.#around.apply(entry, facts, begun.agreed.length > 0);
  }

  // Whoever owns the host could otherwise say that somebody was revoked, and leave them on the roster.
  #leftOut(
    step: OpenedStep["step"],
    { intent, items }: BegunStep,
    facts: readonly Fact[],
  ): string | undefined {
    const action = this.#around.sources.vocabulary.get(step.action);
    const owed = action?.owed(step.with, intent) ?? [];
    return owed.find((kind) => {
      const needed = owed.filter((one) => one === kind).length;
      return facts.filter((fact) => fact.kind === kind).length + items.borne(kind) < needed;
    });
  }

  /** Takes `step.failed`: of a step, or of an item of its batch. */
  fail(entry: Entry): void {
    if (isOfBatch(entry)) this.#endItem(entry, false);
    else this.#around.track.endStep(entry, "failed");
  }

  /** The agreements of an entry that count under a plan; every other one is a finding. */
  judge(
    entry: Entry,
    decision: Expected["decision"],
    plan = this.#around.track.open?.plan,
  ): readonly Attending[] {
    const { track, find, custody, minutes } = this.#around;
    const { step } = track;
    if (step === null || plan === undefined) {
      if (entry.agreements.length > 0) find(entry, "authority", "no step is open");
      return [];
    }
    const expected = expectedOf(step, plan, entry.ceremony ?? "", custody(), decision);
    const result = judgeEntry(entry, expected, minutes(), (person) => this.#cardOf(entry, person));
    for (const problem of result.problems) find(entry, "authority", problem);
    this.#judged = { seq: entry.seq, agreed: result.agreed };
    return result.agreed;
  }

  /** The card by which somebody is known at an entry, or why their word does not count there. */
  #cardOf(entry: Entry, person: string): Card | string {
    const now = this.#around.custody();
    const enrolled = now.people.get(person);
    if (enrolled !== undefined) {
      return whyRunOut(enrolled, entry.time, now.requiredDates) ?? enrolled.card;
    }
    const candidate = now.former.has(person) ? undefined : this.#candidate(entry, person);
    return candidate ?? whyNotEnrolled(now, person);
  }

  #candidate(entry: Entry, person: string): Card | undefined {
    const { track, card } = this.#around;
    const { step } = track;
    const begun = step === null ? "no step is open" : readBegun(entry, step, []);
    if (typeof begun === "string" || begun.candidate?.person !== person) return undefined;
    return card(begun.candidate.card);
  }

  // Whoever owns the host could otherwise begin a step as they like, and have people finish or undo it after an
  // interruption as what they had agreed to. Who is on a roll is known when it is completed.
  #performing(entry: Entry, opened: OpenedStep): BegunStep | string {
    const { sources, custody } = this.#around;
    const begun = readBegun(entry, opened, this.judge(entry, "agree"));
    const action = sources.vocabulary.get(opened.step.action);
    if (typeof begun === "string" || action === undefined) return begun;
    if (action.control === "everyone") return begun;
    const now = custody();
    const problem = peopleProblem(action, opened.step, begun, now.attending, now);
    if (problem !== undefined) opened.notBegun = problem;
    return problem ?? begun;
  }

  // An undo bears no facts that would be judged later: whether enough people agreed is judged here.
  #settling(entry: Entry, opened: OpenedStep): BegunStep | string {
    const { track, sources, custody } = this.#around;
    const doubt = track.unsettled;
    const action = sources.vocabulary.get(opened.step.action);
    if (!isSettling(opened.purpose) || doubt === undefined || action === undefined) {
      return "it settles a step that is not in doubt";
    }
    const agreed = this.judge(entry, opened.purpose);
    const begun = readSettling(entry, opened, agreed, doubt, track.itemsToBegin());
    if (typeof begun === "string") return begun;
    const now = custody();
    return peopleProblem(action, opened.step, begun, now.attending, now) ?? begun;
  }

  #intend(entry: Entry): void {
    const { track, find } = this.#around;
    const found = batchStep(entry, track.step);
    if (typeof found === "string") {
      find(entry, "authority", found);
      return;
    }
    const { group, items } = entry.data;
    const problem = found.begun.items.intend(entry.seq, group, items);
    if (problem !== undefined) find(entry, "authority", problem);
  }

  #endItem(entry: Entry, completed: boolean): void {
    const { track, find, apply } = this.#around;
    const found = batchStep(entry, track.step);
    if (typeof found === "string") {
      find(entry, "authority", found);
      return;
    }
    const { opened, begun } = found;
    const intended = begun.items.awaited(entry.data["group"], entry.data["item"]);
    if (typeof intended === "string") {
      find(entry, "authority", intended);
      return;
    }
    let kinds: readonly string[] = [];
    if (completed) {
      const facts = this.#authorised(entry, opened.step, begun);
      if (facts === undefined) return;
      // Said to be done without saying what: whoever goes on would leave the item as it is.
      const action = this.#around.sources.vocabulary.get(opened.step.action);
      const bare = facts.length === 0 && action?.facts.length !== 0;
      const stray = bare ? "it bears no fact" : strayFromItem(intended, facts);
      if (stray !== undefined) {
        find(entry, "authority", `it is given no authority: ${stray}`);
        return;
      }
      // What contradicts custody is not done: whoever goes on has to look at the token first.
      if (!apply(entry, facts, false)) return;
      kinds = facts.map(({ kind }) => kind);
    }
    begun.items.end(intended.item, completed, kinds);
  }

  /** The facts of an entry when all of them have authority; otherwise a finding. */
  #authorised(
    entry: Entry,
    step: OpenedStep["step"],
    begun: BegunStep,
  ): readonly Fact[] | undefined {
    const { sources, track, custody, clockGap, find } = this.#around;
    const facts = readFacts(entry);
    if (typeof facts === "string") {
      find(entry, "authority", `a fact is malformed: ${facts}`);
      return undefined;
    }
    const problem = authorityProblem(step, begun, facts, {
      at: entry.time,
      custody: custody(),
      vocabulary: sources.vocabulary,
      clockGap: clockGap(),
      bindings: track.open?.plan?.bindings ?? null,
      profiles: track.open?.plan?.profiles ?? {},
      attachment: sources.attachment,
    });
    if (problem === undefined) return facts;
    find(entry, "authority", `it is given no authority: ${problem}`);
    return undefined;
  }
}
