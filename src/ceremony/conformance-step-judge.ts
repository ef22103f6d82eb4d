/**
 * The steps of one ceremony under judgement, entry by entry: opened, begun, completed, failed, refused. What
 * the fold has taken is followed; what is out of the script's order is a violation.
 */

import type { Entry } from "../ledger/entry.ts";
import type { JsonObject } from "../lib/json.ts";
import { reactivates } from "./ceremony-record.ts";
import type { About, Found } from "./conformance-lists.ts";
import {
  CeremonySteps,
  itemsAgreed,
  whyEnded,
  withExpiry,
  type Moment,
  type StepState,
} from "./conformance-steps.ts";
import type { HistoryFold } from "./history-fold.ts";
import type { CeremonyRecord, HistoryFinding } from "./history.ts";
import type { Vocabulary } from "./action.ts";
import { isOfBatch } from "./item-authority.ts";
import { integerOf, stringOf } from "./record.ts";
import { isSettling, type OpenedStep } from "./step-authority.ts";

export class StepJudge {
  readonly steps: CeremonySteps;
  readonly #record: CeremonyRecord;
  readonly #found: Found;
  /** What `step.opened` opened last, while it has no outcome. */
  #pending: OpenedStep | null = null;

  constructor(record: CeremonyRecord, document: JsonObject, vocabulary: Vocabulary, found: Found) {
    this.#record = record;
    this.#found = found;
    this.steps = new CeremonySteps(record.plan, document, vocabulary);
  }

  /** What was open without an outcome; from here on nothing is: people have decided, or it is over. */
  letGo(): OpenedStep | null {
    const pending = this.#pending;
    this.#pending = null;
    return pending;
  }

  /** Which step an entry is about. */
  about({ step }: Pick<Entry, "step">): About {
    return { step, n: this.steps.get(step)?.planned.n ?? null };
  }

  /** Takes `step.opened`, right after the fold. */
  open(entry: Entry, fold: HistoryFold): void {
    const { step: opened } = fold;
    if (opened?.seq !== entry.seq) return;
    const before = this.#pending;
    this.#pending = opened;
    const step = this.steps.get(opened.step.id);
    if (step === undefined) return;
    const about = this.about(entry);
    if (stringOf(entry.data, "step") !== opened.step.sha256) {
      this.#found.violation("plan", entry.seq, about, "it states another digest of the step");
    }
    if (opened.purpose === "abandon" || opened.purpose === "resume") return;
    if (before !== null && !isSettling(opened.purpose)) {
      const { n, id } = before.step;
      const text = `step ${n} (${id}), opened at entry ${before.seq}, was left without an outcome`;
      this.#found.violation("order", entry.seq, about, text);
    }
    if (opened.purpose !== "step") return;
    const again = reactivates(this.#record, opened.step.id);
    for (const { code, text } of this.steps.open(step, momentOf(entry), again)) {
      this.#found.violation(code, entry.seq, about, text);
    }
    if (!again || step.attempts < 2) return;
    const text = `step ${about.n ?? 0} was performed anew after the interruption`;
    this.#found.exception("reactivation", entry, about, text, { deviates: false });
  }

  /** Takes `step.begun`: of a step, of a decision about one, or of a group. */
  begin(entry: Entry, fold: HistoryFold): void {
    const step = this.steps.get(entry.step);
    const begun = fold.step?.begun;
    if (step === undefined || begun == null) return;
    if (isOfBatch(entry)) {
      step.items ??= { completed: 0, failed: 0, expected: null };
      return;
    }
    if (begun.seq !== entry.seq) return;
    step.begun = momentOf(entry);
    step.outcome = "in doubt";
    step.people = withExpiry(begun.agreed, entry.agreements);
    step.batch = begun.items;
    const expected = itemsAgreed(entry);
    if (expected !== null) {
      step.items = { completed: begun.items.done.size, failed: 0, expected };
    }
    if (begun.decision === "agree") return;
    const [kind, what] =
      begun.decision === "finish"
        ? (["finished", "to finish"] as const)
        : (["undone", "to undo"] as const);
    const text = `two people decided ${what} what step ${step.planned.n} had left`;
    this.#found.exception(kind, entry, this.about(entry), text, { people: begun.agreed });
  }

  /** Takes a `step.completed` that the fold has believed. */
  complete(entry: Entry): void {
    const step = this.steps.get(entry.step);
    if (step === undefined) return;
    for (const { kind } of entry.facts) step.facts.add(kind);
    if (isOfBatch(entry)) {
      if (step.items !== null) step.items.completed += 1;
      return;
    }
    this.#pending = null;
    step.outcome = "completed";
    step.ended = momentOf(entry);
    step.code = null;
    if (step.control === "none") this.#statement(entry, step);
    this.#wholeBatch(entry, step);
    for (const fact of entry.facts) {
      if (fact.kind !== "deviation.recorded") continue;
      const text = `${stringOf(fact, "rule") ?? ""}: ${stringOf(fact, "reason") ?? ""}`;
      this.#found.exception("deviation", entry, this.about(entry), text, { people: step.people });
    }
  }

  /** A statement has no signature of its own: who made it must have been there, in the role it needs. */
  #statement(entry: Entry, step: StepState): void {
    const { by, n } = step.planned;
    const { attending } = this.#record;
    const actors = entry.actors.filter(({ person, role }) =>
      attending.some((one) => one.person === person && one.role === role),
    );
    step.people = actors.map(({ person, role }) => ({ person, role, expires: null }));
    const roles: readonly string[] = by === "everyone" ? attending.map(({ role }) => role) : by;
    const short = roles.find(
      (role) =>
        actors.filter((one) => one.role === role).length < roles.filter((r) => r === role).length,
    );
    if (short === undefined && actors.length === entry.actors.length) return;
    const text = `step ${n} is stated by ${names(entry.actors)}; it needs ${roles.join(", ")} of the roll call`;
    this.#found.violation("roles", entry.seq, this.about(entry), text);
  }

  #wholeBatch(entry: Entry, step: StepState): void {
    const { batch, items } = step;
    step.batch = null;
    if (items === null) return;
    const open = batch?.group?.items.length ?? 0;
    const { completed, failed, expected } = items;
    const short = expected !== null && completed + failed < expected;
    if (open === 0 && !short) return;
    const text = short
      ? `step ${step.planned.n} is said to be done with ${completed} of ${expected} items`
      : `step ${step.planned.n} is said to be done, but ${open} of its items have no outcome`;
    this.#found.violation("batch", entry.seq, this.about(entry), text);
  }

  /** Takes a `step.failed` that the fold has taken. */
  fail(entry: Entry): void {
    const step = this.steps.get(entry.step);
    if (step === undefined) return;
    const about = this.about(entry);
    if (isOfBatch(entry)) {
      if (step.items !== null) step.items.failed += 1;
      const item = stringOf(entry.data, "item") ?? "";
      this.#found.exception("item-failure", entry, about, `item ${item}: ${whyEnded(entry)}`);
      return;
    }
    if (this.#pending?.step.id !== entry.step) return;
    this.#pending = null;
    step.outcome = "failed";
    step.ended = momentOf(entry);
    const code = stringOf(entry.data, "code") ?? null;
    // Why it had failed still holds when what it left is taken back.
    if (code !== "halted.undone") step.code = code;
    else step.code ??= code;
    step.batch = null;
    const text = `step ${step.planned.n} failed: ${whyEnded(entry)}`;
    this.#found.exception("failure", entry, about, text, { people: step.people });
  }

  /** Takes `step.refused`. */
  refuse(entry: Entry, fresh: readonly HistoryFinding[]): void {
    const step = this.steps.get(entry.step);
    const about = this.about(entry);
    if (step === undefined) {
      const text = "it refuses a step that the plan does not have";
      if (fresh.length === 0) this.#found.violation("extra-step", entry.seq, about, text);
      return;
    }
    const pending = this.#pending?.step.id === entry.step ? this.#pending : null;
    const { n } = step.planned;
    const again = reactivates(this.#record, step.planned.id);
    const over = step.outcome === "completed" && pending === null && !again;
    if (pending?.begun != null || over) {
      // Nothing but an outcome or a decision of people ends what has begun.
      const text = `step ${n} is refused after it had ${over ? "been completed" : "begun"}`;
      this.#found.violation("order", entry.seq, about, text);
      return;
    }
    if (pending !== null) this.#pending = null;
    if (pending !== null && pending.purpose !== "step") {
      const text = `a decision to ${pending.purpose} was not taken: ${whyEnded(entry)}`;
      this.#found.exception("refusal", entry, about, text);
      return;
    }
    // Nothing came of looking after an earlier attempt: what that had come to still stands.
    if (pending === null && MAY_STAND.includes(step.outcome)) {
      this.#found.exception("refusal", entry, about, `step ${n} was refused: ${whyEnded(entry)}`);
      return;
    }
    const skipped = entry.data["code"] === "halted.step-skipped";
    const stray = skipped ? this.steps.whyNotSkipped(step) : undefined;
    if (stray !== undefined) this.#found.violation("missing-step", entry.seq, about, stray);
    step.outcome = skipped ? "skipped" : "refused";
    step.ended = momentOf(entry);
    step.code = stringOf(entry.data, "code") ?? null;
    const text = `step ${n} was ${skipped ? "left out" : "refused"}: ${whyEnded(entry)}`;
    this.#found.exception(skipped ? "skipped" : "refusal", entry, about, text);
  }
}

const MAY_STAND: readonly StepState["outcome"][] = ["completed", "failed", "in doubt"];

// The entry itself would be kept in memory for as long as the ceremony is remembered.
function momentOf({ seq, time }: Entry): Moment {
  return { seq, time };
}

/** `ana (custodian), eve (auditor)` */
export function names(
  people: readonly { readonly person: string; readonly role: string }[],
): string {
  if (people.length === 0) return "nobody";
  return people.map(({ person, role }) => `${person} (${role})`).join(", ");
}

/** An identity that was not opened, in words. */
export function lockedOut({ data }: Entry): string {
  const who = stringOf(data, "person") ?? "somebody";
  const attempt = integerOf(data, "attempt") ?? 0;
  return `${who} could not open their identity (attempt ${attempt}, ${stringOf(data, "code") ?? "no code"})`;
}
