/**
 * The fold over the ledger's entries that decides which facts have authority. The verifier and the
 * engine use the same fold, so nothing counts for one that does not count for the other.
 */

import type { Entry } from "../ledger/entry.ts";
import { parseTimestamp } from "../lib/clock.ts";
import { fromUtf8, hex } from "../lib/encoding.ts";
import { parseCard, type Card } from "../people/card.ts";
import type { Vocabulary } from "./action.ts";
import { missingFrom, type Expected } from "./authority.ts";
import { CustodyFold, emptyCustody, type Attending } from "./custody.ts";
import type { Fact } from "./facts.ts";
import { foundingFacts } from "./founding.ts";
import type { Genesis } from "./genesis.ts";
import { countCosigners, type CosignatureSource } from "./heads.ts";
import type { CeremonyRecord, History, HistoryFinding } from "./history.ts";
import { readPlanDocument, type RecordedStep } from "./plan-document.ts";
import { readPolicy, type Policy } from "./policy.ts";
import { integerOf, stringOf } from "./record.ts";
import {
  authorityProblem,
  expectedOf,
  holdsRole,
  judgeEntry,
  readBegun,
  readFacts,
  type OpenedStep,
} from "./step-authority.ts";

/** Longest silence of the clock before its attestation must come first: 30 days (DESIGN: store). */
export const CLOCK_GAP_MS = 30 * 24 * 3600 * 1000;

export interface HistorySources {
  readonly genesis: Genesis;
  readonly vocabulary: Vocabulary;
  readonly attachment: (sha256: string) => Uint8Array | undefined;
  readonly cosignatures: CosignatureSource;
}

export class HistoryFold {
  readonly #sources: HistorySources;
  readonly #fold: CustodyFold;
  readonly #findings: HistoryFinding[] = [];
  readonly #ceremonies: CeremonyRecord[] = [];
  readonly #nonces = new Set<string>();
  #policy: Policy | null = null;
  #open: CeremonyRecord | null = null;
  #opened: OpenedStep | null = null;
  #size = 0;
  #lastTime: string | null = null;
  #cosigned = 0;
  #clockGap = false;

  constructor(sources: HistorySources) {
    this.#sources = sources;
    this.#fold = new CustodyFold(emptyCustody(sources.genesis));
  }

  get history(): History {
    return {
      size: this.#size,
      lastTime: this.#lastTime,
      custody: this.#fold.custody,
      policy: this.#policy,
      ceremonies: this.#ceremonies,
      open: this.#open,
      cosigned: this.#cosigned,
      clockGap: this.#clockGap,
      findings: this.#findings,
    };
  }

  /** Takes the next entry; `root` yields the tree's root right after it. */
  take(entry: Entry, root: () => Uint8Array): void {
    this.#watchClock(entry);
    this.#size = entry.seq + 1;
    this.#lastTime = entry.time;
    const bearsFacts = entry.type === "step.completed" || entry.type === "ledger.created";
    // An entry without agreements carries no facts: whoever owns the host can append noise only.
    if (!bearsFacts && entry.facts.length > 0) {
      this.#find(entry, "authority", `${entry.type} claims facts, which it cannot establish`);
    }
    this.#dispatch(entry, root);
  }

  #dispatch(entry: Entry, root: () => Uint8Array): void {
    switch (entry.type) {
      case "ledger.created": {
        this.#found(entry);
        return;
      }
      case "ceremony.opened": {
        this.#openCeremony(entry);
        return;
      }
      case "step.opened": {
        this.#openStep(entry, root);
        return;
      }
      case "step.begun": {
        this.#begin(entry);
        return;
      }
      case "step.completed": {
        this.#complete(entry);
        return;
      }
      case "step.failed": {
        this.#endStep(entry, "failed");
        return;
      }
      case "step.refused": {
        this.#endStep(entry, "refused");
        return;
      }
      case "ceremony.closed": {
        this.#close(entry);
        return;
      }
      case "ceremony.abandoned": {
        this.#abandon(entry);
        return;
      }
      case "tail.adopted":
        this.#decided(entry, `adopt ${integerOf(entry.data, "to") ?? 0}`);
        return;
      case "deviation.recorded":
        if (this.#open !== null) this.#open.deviations += 1;
        return;
      case "auth.failed":
      case "plan.amended":
      case "clock.attested":
        return;
    }
  }

  #find(entry: Entry, code: HistoryFinding["code"], text: string): void {
    this.#findings.push({ code, seq: entry.seq, text: `entry ${entry.seq}: ${text}` });
  }

  #watchClock(entry: Entry): void {
    const before = this.#lastTime === null ? undefined : parseTimestamp(this.#lastTime);
    const now = parseTimestamp(entry.time);
    if (before !== undefined && now !== undefined && now - before > CLOCK_GAP_MS) {
      this.#clockGap = true;
    }
  }

  #found(entry: Entry): void {
    const result = foundingFacts(entry, this.#sources.genesis, this.#sources.attachment);
    if (typeof result === "string") {
      this.#find(entry, "authority", `the founding is void: ${result}`);
      return;
    }
    for (const fact of result) this.#apply(entry, fact, "founding");
  }

  #openCeremony(entry: Entry): void {
    if (this.#open !== null) {
      this.#find(entry, "order", `a ceremony is opened while ${this.#open.id} is open`);
      this.#open.state = "abandoned";
    }
    const planDigest = stringOf(entry.data, "plan") ?? "";
    const bytes = this.#sources.attachment(planDigest);
    const read = bytes === undefined ? undefined : readPlanDocument(fromUtf8(bytes));
    const plan = read?.sha256 === planDigest ? read : undefined;
    if (plan === undefined) this.#find(entry, "attachment", "the plan it cites is missing");
    this.#fold.endCeremony();
    this.#opened = null;
    this.#open = {
      id: entry.ceremony ?? "",
      title: stringOf(entry.data, "title") ?? "",
      script: plan?.script.name ?? "",
      version: plan?.script.version ?? "",
      openedSeq: entry.seq,
      openedAt: entry.time,
      plan,
      state: "open",
      closedAt: null,
      attending: [],
      steps: new Map(),
      deviations: 0,
      doubt: null,
    };
    this.#ceremonies.push(this.#open);
  }

  #openStep(entry: Entry, root: () => Uint8Array): void {
    const step = this.#plannedStep(entry);
    const nonce = stringOf(entry.data, "nonce");
    this.#opened = null;
    if (step === undefined || nonce === undefined || this.#nonces.has(nonce)) {
      this.#find(entry, "order", "it opens no step of the plan");
      return;
    }
    this.#nonces.add(nonce);
    const shown = entry.data["shown"];
    this.#opened = {
      seq: entry.seq,
      size: entry.seq + 1,
      root: hex(root()),
      nonce,
      step,
      subject: stringOf(entry.data, "subject") ?? null,
      shown: Array.isArray(shown) ? shown.map(String) : [],
      begun: null,
    };
    // Adopting a tail and abandoning open a step again that has already ended: its outcome stays.
    if (stringOf(entry.data, "purpose") === "step") this.#open?.steps.set(step.id, "opened");
  }

  #plannedStep(entry: Entry): RecordedStep | undefined {
    if (this.#open === null || entry.ceremony !== this.#open.id) return undefined;
    const n = integerOf(entry.data, "n");
    const step = this.#open.plan?.steps.find((s) => s.n === n);
    return step?.id === entry.step ? step : undefined;
  }

  #begin(entry: Entry): void {
    const opened = this.#opened;
    if (this.#open === null || opened?.step.id !== entry.step || opened.begun !== null) {
      this.#find(entry, "order", "it begins a step that is not open");
      return;
    }
    const begun = readBegun(entry, opened, this.#judge(entry, "agree"));
    if (typeof begun === "string") {
      this.#find(entry, "authority", begun);
      return;
    }
    opened.begun = begun;
    const { n, id, action } = opened.step;
    const { seq, time } = entry;
    this.#open.steps.set(id, "begun");
    this.#open.doubt = { n, id, action, begunSeq: seq, time, intent: begun.intent };
  }

  /** The agreements of an entry that count; every other one is a finding. */
  #judge(entry: Entry, decision: Expected["decision"]): readonly Attending[] {
    const { custody } = this.#fold;
    const plan = this.#open?.plan;
    if (this.#opened === null || plan === undefined) {
      if (entry.agreements.length > 0) this.#find(entry, "authority", "no step is open");
      return [];
    }
    const expected = expectedOf(this.#opened, plan, entry.ceremony ?? "", custody, decision);
    const minutes = this.#policy?.agreement.minutes ?? 0;
    const result = judgeEntry(entry, expected, minutes, (person) => this.#cardOf(entry, person));
    for (const problem of result.problems) this.#find(entry, "authority", problem);
    return result.agreed;
  }

  #cardOf(entry: Entry, person: string): Card | undefined {
    const enrolled = this.#fold.custody.people.get(person);
    if (enrolled !== undefined || this.#opened === null) return enrolled?.card;
    const begun = readBegun(entry, this.#opened, []);
    if (typeof begun === "string" || begun.candidate?.person !== person) return undefined;
    return this.#attachedCard(begun.candidate.card);
  }

  #complete(entry: Entry): void {
    const opened = this.#opened;
    if (opened?.begun == null || entry.step !== opened.step.id) {
      this.#find(entry, "authority", "it completes a step that was not begun");
      return;
    }
    const { step, begun } = opened;
    this.#endStep(entry, "completed");
    const facts = readFacts(entry);
    if (typeof facts === "string") {
      this.#find(entry, "authority", `a fact is malformed: ${facts}`);
      return;
    }
    const { vocabulary } = this.#sources;
    const context = { custody: this.#fold.custody, vocabulary, clockGap: this.#clockGap };
    const problem = authorityProblem(step, begun, facts, context);
    if (problem !== undefined) {
      this.#find(entry, "authority", `it is given no authority: ${problem}`);
      return;
    }
    for (const fact of facts) this.#apply(entry, fact, entry.ceremony ?? "");
  }

  #apply(entry: Entry, fact: Fact, ceremony: string): void {
    const policy = fact.kind === "policy.adopted" ? this.#attachedPolicy(fact.sha256) : undefined;
    const problem =
      fact.kind === "policy.adopted" && policy === undefined
        ? "the policy is not attached or not valid"
        : this.#fold.apply(fact, ceremony, (sha256) => this.#attachedCard(sha256));
    if (problem !== undefined) {
      this.#find(entry, "custody", `${fact.kind} is not taken: ${problem}`);
      return;
    }
    if (policy !== undefined) this.#policy = policy;
    if (fact.kind === "clock.attested") this.#clockGap = false;
    if (this.#open === null) return;
    if (fact.kind === "deviation.recorded") this.#open.deviations += 1;
    if (fact.kind === "people.present") this.#open.attending = fact.attending;
  }

  #attachedCard(sha256: string): Card | undefined {
    return this.#attached(sha256, parseCard);
  }

  #attachedPolicy(sha256: string): Policy | undefined {
    return this.#attached(sha256, (bytes) => readPolicy(bytes, "policy.yaml"));
  }

  #attached<T>(sha256: string, read: (bytes: Uint8Array) => T): T | undefined {
    const bytes = this.#sources.attachment(sha256);
    if (bytes === undefined) return undefined;
    try {
      return read(bytes);
    } catch {
      return undefined;
    }
  }

  #endStep(entry: Entry, outcome: "completed" | "failed" | "refused"): void {
    if (this.#open === null || entry.step === null || this.#opened?.step.id !== entry.step) return;
    // A refusal cannot end what has begun: only an outcome or a decision of people removes a doubt.
    if (outcome === "refused" && this.#opened.begun !== null) return;
    this.#open.steps.set(entry.step, outcome);
    if (this.#opened.begun !== null) this.#open.doubt = null;
    this.#opened = null;
  }

  /** Whether two or more people took this decision; otherwise a finding. */
  #decided(entry: Entry, decision: Expected["decision"]): boolean {
    const agreed = this.#judge(entry, decision);
    const impostor = agreed.find((a) => !holdsRole(this.#fold.custody, a));
    const problem =
      impostor === undefined
        ? missingFrom({ control: "dual", by: [], attending: agreed }, agreed)
        : `${impostor.person} does not hold the role ${impostor.role}`;
    if (problem !== undefined) this.#find(entry, "authority", problem);
    return problem === undefined;
  }

  /** The open ceremony when the entry belongs to it. */
  #openedBy(entry: Entry): CeremonyRecord | null {
    return this.#open !== null && this.#open.id === entry.ceremony ? this.#open : null;
  }

  #close(entry: Entry): void {
    const open = this.#openedBy(entry);
    if (open === null || open.doubt !== null) {
      this.#find(entry, "order", "it closes a ceremony that cannot be closed");
      return;
    }
    this.#end(open, entry, "closed");
  }

  #abandon(entry: Entry): void {
    const open = this.#openedBy(entry);
    if (open === null) {
      this.#find(entry, "order", "it abandons a ceremony that is not open");
      return;
    }
    // Before anything was begun nobody has to agree to giving up; afterwards two people do.
    const acted = [...open.steps.values()].some((s) => s !== "opened" && s !== "refused");
    if (acted && !this.#decided(entry, "abandon")) return;
    this.#end(open, entry, "abandoned");
  }

  #end(open: CeremonyRecord, entry: Entry, state: "closed" | "abandoned"): void {
    open.state = state;
    open.closedAt = entry.time;
    this.#open = null;
    this.#opened = null;
    this.#fold.endCeremony();
    this.recountCosigners();
  }

  /** Counts the cosignatures on the present head: after a ceremony ended, and after they were made. */
  recountCosigners(): void {
    const people = this.#fold.custody.people.values();
    if (countCosigners(this.#size, people, this.#sources.cosignatures) >= 2) {
      this.#cosigned = this.#size;
    }
  }
}
