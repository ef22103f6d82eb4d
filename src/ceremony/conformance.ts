/**
 * Conformance: whether every ceremony was performed as its approved script says. It runs beside the fold as
 * a stream; what has authority the fold judges, and what it finds stands here unchanged. Memory is
 * bounded by ceremonies and their steps.
 */

import type { Entry } from "../ledger/entry.ts";
import { CeremonyJudge } from "./conformance-ceremony.ts";
import { Found, NO_STEP } from "./conformance-lists.ts";
import { judgeOpening } from "./conformance-opening.ts";
import type { ConformanceEnding, ConformanceReport } from "./conformance-report.ts";
import { lockedOut } from "./conformance-step-judge.ts";
import { planDocumentOf, ScriptChecker } from "./conformance-script.ts";
import { concludeReport } from "./conformance-verdict.ts";
import type { HistoryFold } from "./history-fold.ts";
import type { HistoryFinding, HistorySources } from "./history.ts";
import type { Policy } from "./policy.ts";
import { stringOf } from "./record.ts";
import type { Tail } from "./standing.ts";
import type { Role } from "./words.ts";

export type {
  CeremonyConformance,
  ConformanceEnding,
  ConformanceReport,
  ConformanceVerdict,
  Exception,
  Missing,
  RoleConformance,
  StepConformance,
  StepPerson,
  Violation,
} from "./conformance-report.ts";

export interface ConformanceSources extends HistorySources {
  /** Digest of the build that judges: a plan of this very build must be worded like it. */
  readonly build?: string;
}

export class Conformance {
  readonly #fold: HistoryFold;
  readonly #sources: ConformanceSources;
  readonly #scripts: ScriptChecker;
  readonly #outside = new Found();
  readonly #ceremonies: CeremonyJudge[] = [];
  /** What the fold refused of no ceremony, until somebody adopts it. */
  #strays: HistoryFinding[] = [];
  readonly #adopted = new Set<number>();
  #open: CeremonyJudge | null = null;
  /** What the open ceremony found unexplained: nothing else is read out, and so nothing else is adopted. */
  #tail: Tail | null = null;
  #seen = 0;

  constructor(fold: HistoryFold, sources: ConformanceSources) {
    this.#fold = fold;
    this.#sources = sources;
    this.#scripts = new ScriptChecker(sources, sources.vocabulary);
  }

  /** Takes the entry that the fold has taken right before; every entry once, in order. */
  take(entry: Entry): void {
    const { findings, open } = this.#fold;
    const fresh = findings.slice(this.#seen);
    this.#seen = findings.length;
    if (open !== null && open.openedSeq === entry.seq) {
      this.#begin(entry, fresh);
      return;
    }
    const judge = this.#open;
    if (judge?.record.id !== entry.ceremony) {
      this.#stray(entry, fresh);
      return;
    }
    judge.take(entry, fresh, this.#fold);
    if (entry.type === "tail.adopted" && fresh.length === 0) this.#adopt(entry, this.#tail);
    if (judge.record.state !== "open") this.#open = null;
  }

  #begin(entry: Entry, fresh: readonly HistoryFinding[]): void {
    const { history } = this.#fold;
    const { open: record } = history;
    if (record === null) return;
    const found = new Found();
    const document = planDocumentOf(this.#sources, record.plan?.sha256 ?? "") ?? {};
    const { cosignatures, build } = this.#sources;
    const scripts = this.#scripts;
    const { attachment } = this.#sources;
    const context = { history, record, document, scripts, cosignatures, attachment, build };
    const asWritten = judgeOpening(entry, context, found);
    const sources = this.#sources;
    const judge = new CeremonyJudge({
      record,
      opening: entry,
      document,
      sources,
      asWritten,
      witnesses: witnessesOf(history.policy, stringOf(entry.data, "caClass")),
      found,
    });
    judge.take(entry, fresh, this.#fold);
    this.#ceremonies.push(judge);
    this.#open = judge;
    this.#tail = history.tail;
  }

  #stray(entry: Entry, fresh: readonly HistoryFinding[]): void {
    this.#strays.push(...fresh);
    const founding = entry.type === "auth.failed" && this.#ceremonies.length === 0;
    if (!founding) return;
    const text = lockedOut(entry);
    const about = { step: entry.step, n: null };
    this.#outside.exception("authentication", entry, about, text, { deviates: false });
  }

  // The room has read the lines of the tail, and what of it nobody believes, and took it on record.
  #adopt(entry: Entry, tail: Tail | null): void {
    const adopted = this.#strays.filter(
      ({ seq }) => tail !== null && seq >= tail.from && seq < tail.to,
    );
    this.#strays = this.#strays.filter((one) => !adopted.includes(one));
    for (const { seq, text } of adopted) {
      this.#adopted.add(seq);
      const moment = { seq, time: entry.time };
      const said = `${text}; it was adopted unbelieved at entry ${entry.seq}`;
      this.#outside.exception("tail", moment, NO_STEP, said, { people: this.#fold.judged.agreed });
    }
  }

  /** Whether what the fold refused at this entry was adopted, unbelieved, by a later roll call. */
  isAdopted(seq: number): boolean {
    return this.#adopted.has(seq);
  }

  /** What is said of everything taken so far. */
  report(ending: ConformanceEnding): ConformanceReport {
    const { history } = this.#fold;
    return concludeReport({
      history,
      ending,
      outside: this.#outside,
      strays: this.#strays,
      ceremonies: this.#ceremonies,
    });
  }
}

function witnessesOf(policy: Policy | null, caClass: string | undefined): readonly Role[] {
  const wanted = Object.entries(policy?.witnesses ?? {});
  return wanted.find(([name]) => name === caClass)?.[1] ?? [];
}
