/**
 * One ceremony under judgement: fed every entry right after the fold took it, it keeps what each step came
 * to, and everything out of the plain course. What the fold refused is a violation here, word for word.
 */

import type { Entry } from "../ledger/entry.ts";
import type { JsonObject } from "../lib/json.ts";
import type { CeremonyConformance, StepConformance } from "./conformance-report.ts";
import { judgeAbandonment, judgeClose, judgeRoles, type EndContext } from "./conformance-close.ts";
import type { Found } from "./conformance-lists.ts";
import { lockedOut, names, StepJudge } from "./conformance-step-judge.ts";
import { stepReport } from "./conformance-steps.ts";
import type { Attending } from "./custody.ts";
import { cosignersOf, mayCosign, type CosignatureSource } from "./heads.ts";
import { machineChanges, type Machine } from "./amendment.ts";
import type { HistoryFold } from "./history-fold.ts";
import type { CeremonyRecord, HistoryFinding, HistorySources } from "./history.ts";
import { integerOf, stringOf } from "./record.ts";

export interface CeremonyParts {
  readonly record: CeremonyRecord;
  readonly opening: Entry;
  readonly document: JsonObject;
  readonly sources: HistorySources;
  readonly asWritten: boolean | null;
  /** Roles that the policy wants at a ceremony of this class. */
  readonly witnesses: readonly string[];
  readonly found: Found;
}

export class CeremonyJudge {
  readonly record: CeremonyRecord;
  readonly #found: Found;
  readonly #steps: StepJudge;
  /** What the steps came to, once the ceremony has ended. */
  #final: readonly StepConformance[] | null = null;
  readonly #asWritten: boolean | null;
  readonly #caClass: string;
  readonly #script: string;
  readonly #witnesses: readonly string[];
  #document: JsonObject;
  readonly #cosignatures: CosignatureSource;
  /** People whose missing cosignature is explained on record. */
  readonly #excused = new Set<string>();
  #custody: CeremonyConformance["custody"] = null;
  #head: CeremonyConformance["head"] = null;
  #roles: CeremonyConformance["roles"] = [];
  /** With what it was last gone on with. */
  #machine: Machine | undefined;

  constructor(parts: CeremonyParts) {
    const { record, opening, document, sources, asWritten, witnesses, found } = parts;
    this.record = record;
    this.#machine = record.plan;
    this.#witnesses = witnesses;
    this.#found = found;
    this.#asWritten = asWritten;
    this.#caClass = stringOf(opening.data, "caClass") ?? "";
    this.#script = stringOf(opening.data, "script") ?? "";
    this.#document = document;
    this.#cosignatures = sources.cosignatures;
    this.#steps = new StepJudge(record, document, sources.vocabulary, found);
  }

  /** Takes an entry of this ceremony, and what the fold has just found about it. */
  take(entry: Entry, fresh: readonly HistoryFinding[], fold: HistoryFold): void {
    for (const finding of fresh) this.#refused(entry, finding);
    switch (entry.type) {
      case "step.opened":
        this.#steps.open(entry, fold);
        break;
      case "step.begun":
        this.#steps.begin(entry, fold);
        break;
      case "step.completed":
        if (fresh.length === 0) this.#steps.complete(entry);
        break;
      case "step.failed":
        if (fresh.length === 0) this.#steps.fail(entry);
        break;
      case "step.refused":
        this.#steps.refuse(entry, fresh);
        break;
      case "auth.failed":
        this.#authFailed(entry);
        break;
      case "deviation.recorded":
        this.#notCosigned(entry);
        break;
      case "tail.adopted":
      case "plan.amended":
        this.#decide(entry, fresh, fold);
        break;
      case "ceremony.closed":
      case "ceremony.abandoned":
        if (this.record.state !== "open") this.#ended(entry, fold);
        break;
      case "clock.attested":
        this.#found.violation("order", entry.seq, this.#steps.about(entry), "its type is not used");
        break;
      case "ceremony.opened":
      case "ledger.created":
        break;
    }
  }

  #refused(entry: Entry, { code, seq, text }: HistoryFinding): void {
    if (code === "attachment") {
      const remedy = "ask the site for the whole ledger file";
      this.#found.lacks({ code: "attachment", seq, text, remedy });
      return;
    }
    const kind = entry.type === "step.opened" ? this.#steps.steps.whyNotOpened(entry) : code;
    this.#found.violation(kind, seq, this.#steps.about(entry), text);
  }

  #authFailed(entry: Entry): void {
    const text = lockedOut(entry);
    const about = this.#steps.about(entry);
    this.#found.exception("authentication", entry, about, text, { deviates: false });
  }

  #notCosigned(entry: Entry): void {
    const people = entry.actors.map(({ person, role }) => ({ person, role }) as Attending);
    for (const { person } of people) this.#excused.add(person);
    const { data } = entry;
    const text = `${names(people)}: ${stringOf(data, "rule") ?? ""}: ${stringOf(data, "reason") ?? ""}`;
    this.#found.exception("not-cosigned", entry, this.#steps.about(entry), text, { people });
  }

  /** A tail was adopted, or people agreed to go on. */
  #decide(entry: Entry, fresh: readonly HistoryFinding[], fold: HistoryFold): void {
    if (fresh.length > 0) return;
    const pending = this.#steps.letGo();
    const about = this.#steps.about(entry);
    const people = fold.judged.seq === entry.seq ? fold.judged.agreed : [];
    if (entry.type === "tail.adopted") {
      const from = integerOf(entry.data, "from") ?? 0;
      const to = integerOf(entry.data, "to") ?? 0;
      const text = `entries ${from} to ${to - 1}, which nobody had cosigned, were read and adopted`;
      this.#found.exception("tail", entry, about, text, { people });
      return;
    }
    const { doubt, plan } = this.record;
    if (doubt !== null) {
      const text = `step ${doubt.n} (${doubt.id}) was interrupted after it had begun at entry ${doubt.begunSeq}`;
      this.#found.exception("doubt", entry, { step: doubt.id, n: doubt.n }, text);
    }
    const begun = pending?.begun == null || doubt !== null ? "" : ", after it had begun";
    const where = pending === null ? "" : ` at step ${pending.step.n}${begun}`;
    const text = `the ceremony was interrupted${where}, and gone on with`;
    this.#found.exception("resumption", entry, about, text, { people });
    const changes = this.#machine && plan ? machineChanges(this.#machine, plan) : [];
    this.#machine = plan;
    for (const change of changes) {
      const what = `people agreed to go on with ${change}`;
      this.#found.exception("amendment", entry, about, what, { people });
    }
  }

  #ended(entry: Entry, fold: HistoryFold): void {
    this.#steps.letGo();
    const { history, judged } = fold;
    const people = mayCosign(history, entry.time);
    const end: EndContext = {
      entry,
      history,
      record: this.record,
      document: this.#document,
      witnesses: this.#witnesses,
      steps: this.#steps.steps,
      excused: this.#excused,
      people: judged.seq === entry.seq ? judged.agreed : [],
      cosigners: cosignersOf(history.size, people, this.#cosignatures),
    };
    this.#head = { size: history.size, cosigners: end.cosigners };
    this.#roles = judgeRoles(end, this.#found);
    if (this.record.state === "closed") this.#custody = judgeClose(end, this.#found);
    else judgeAbandonment(end, this.#found);
    // A ledger holds hundreds of ceremonies: of one that is over, only what a report states is kept.
    this.#final = this.#steps.steps.conclude();
    this.#document = {};
  }

  /** Whether anything on record keeps it from conforming without deviations. */
  get deviates(): boolean {
    return this.#found.deviates;
  }

  /** Everything but the verdict, which also hangs on what stands beside the ledger. */
  report(): Omit<CeremonyConformance, "verdict"> {
    const { record } = this;
    return {
      id: record.id,
      title: record.title,
      caClass: this.#caClass,
      state: record.state,
      openedSeq: record.openedSeq,
      openedAt: record.openedAt,
      endedSeq: this.#head === null ? null : this.#head.size - 1,
      endedAt: record.closedAt,
      script: {
        name: record.script,
        version: record.version,
        sha256: this.#script,
        asWritten: this.#asWritten,
      },
      plan: record.plan?.sha256 ?? null,
      drill: this.#steps.steps.drill,
      attending: record.attending,
      roles: this.#roles,
      steps: this.#final ?? this.#steps.steps.all.map(stepReport),
      custody: this.#custody,
      head: this.#head,
      violations: this.#found.violations,
      exceptions: this.#found.exceptions,
      missing: this.#found.missing,
    };
  }
}
