/**
 * The fold over the ledger's entries that decides which facts have authority. The verifier and the
 * engine use the same fold, so nothing counts for one that does not count for the other.
 */

import type { Entry } from "../ledger/entry.ts";
import { amendedPlan } from "./amendment.ts";
import { attachedCard, attachedPolicy, readAttached } from "./attached.ts";
import type { Expected } from "./authority.ts";
import { noteActivation } from "./ceremony-record.ts";
import { AlikePlans } from "./alike-plans.ts";
import { CeremonyTrack } from "./ceremony-track.ts";
import { ClockWatch } from "./clock-watch.ts";
import { owedBeforeClose } from "./conditions-copies.ts";
import { CustodyFold, emptyCustody } from "./custody.ts";
import { custodyDigest } from "./custody-json.ts";
import type { Fact } from "./facts.ts";
import { foundingFacts } from "./founding.ts";
import { isCosigned, mayCosign } from "./heads.ts";
import { LedgerActs } from "./ledger-acts.ts";
import type { CeremonyRecord, History, HistoryFinding, HistorySources } from "./history.ts";
import { readAttachedPlan } from "./plan-document.ts";
import type { Policy } from "./policy.ts";
import { againstPolicy } from "./policy-facts.ts";
import { integerOf, stringOf } from "./record.ts";
import { decisionProblem, type OpenedStep, type StepPurpose } from "./step-authority.ts";
import { StepFold, type Judged } from "./step-fold.ts";

export class HistoryFold {
  readonly #sources: HistorySources;
  readonly #fold: CustodyFold;
  readonly #findings: HistoryFinding[] = [];
  readonly #track: CeremonyTrack;
  readonly #clock = new ClockWatch();
  readonly #acts = new LedgerActs();
  readonly #steps: StepFold;
  readonly #plans = new AlikePlans();
  #policy: Policy | null = null;
  #size = 0;
  #lastTime: string | null = null;
  #cosigned = 0;

  constructor(sources: HistorySources) {
    this.#sources = sources;
    this.#track = new CeremonyTrack(sources.vocabulary);
    this.#fold = new CustodyFold(emptyCustody(sources.genesis));
    this.#steps = new StepFold({
      sources,
      track: this.#track,
      custody: () => this.#fold.custody,
      clockGap: () => this.#clock.gap,
      minutes: () => this.#policy?.agreement.minutes ?? 0,
      find: this.#find.bind(this),
      card: (sha256) => attachedCard(sources, sha256),
      apply: (entry, facts, agreed) => {
        if (agreed) this.#clock.agreed(entry);
        const taken = facts.map((fact) => this.#apply(entry, fact, entry.ceremony ?? ""));
        return taken.every(Boolean);
      },
    });
  }

  get history(): History {
    return {
      size: this.#size,
      lastTime: this.#lastTime,
      custody: this.#fold.custody,
      acts: this.#acts,
      policy: this.#policy,
      ceremonies: this.#track.ceremonies,
      open: this.#track.open,
      cosigned: this.#cosigned,
      explained: this.#track.explained,
      tail: this.#track.tail,
      clockGap: this.#clock.gap,
      findings: this.#findings,
    };
  }

  /** The ceremony that is open after the newest entry. */
  get open(): CeremonyRecord | null {
    return this.#track.open;
  }

  /** The step that is open after the newest entry. */
  get step(): OpenedStep | null {
    return this.#track.step;
  }

  get findings(): readonly HistoryFinding[] {
    return this.#findings;
  }

  /** Whose agreements counted in the newest entry that was judged for any. */
  get judged(): Judged {
    return this.#steps.judged;
  }

  /** Takes the next entry; `root` yields the tree's root right after it. */
  take(entry: Entry, root: () => Uint8Array): void {
    this.#clock.take(entry);
    this.#size = entry.seq + 1;
    this.#lastTime = entry.time;
    const bearsFacts = ["step.completed", "ledger.created"].includes(entry.type);
    // An entry without agreements carries no facts: whoever owns the host can append noise only.
    if (!bearsFacts && entry.facts.length > 0) {
      this.#find(entry, "authority", `${entry.type} claims facts, which it cannot establish`);
    }
    if (!this.#track.belongs(entry)) {
      const code = entry.facts.length > 0 ? "authority" : "order";
      this.#find(entry, code, "it belongs to no ceremony that is open");
      return;
    }
    this.#acts.take(entry);
    this.#dispatch(entry, root);
  }

  #dispatch(entry: Entry, root: () => Uint8Array): void {
    switch (entry.type) {
      case "ledger.created":
        this.#found(entry);
        break;
      case "ceremony.opened":
        this.#openCeremony(entry);
        break;
      case "step.opened":
        if (!this.#track.openStep(entry, root)) {
          this.#find(entry, "order", "it opens no step of the plan");
        }
        break;
      case "step.begun":
        this.#steps.begin(entry);
        break;
      case "step.completed":
        this.#steps.complete(entry);
        break;
      case "step.failed":
        this.#steps.fail(entry);
        break;
      case "step.refused":
        this.#track.endStep(entry, "refused");
        break;
      case "ceremony.closed":
        this.#close(entry);
        break;
      case "ceremony.abandoned":
        this.#abandon(entry);
        break;
      case "tail.adopted":
        this.#adoptTail(entry);
        break;
      case "deviation.recorded":
        if (this.#track.open !== null) this.#track.open.deviations += 1;
        break;
      case "plan.amended":
        this.#resume(entry);
        break;
      case "auth.failed":
      case "clock.attested":
        break;
    }
  }

  #find(entry: Entry, code: HistoryFinding["code"], text: string): void {
    this.#findings.push({ code, seq: entry.seq, text: `entry ${entry.seq}: ${text}` });
  }

  #found(entry: Entry): void {
    const result = foundingFacts(entry, this.#sources.genesis, this.#sources.attachment);
    if (typeof result === "string") {
      this.#find(entry, "authority", `the founding is void: ${result}`);
      return;
    }
    this.#track.found(entry);
    this.#clock.agreed(entry);
    for (const fact of result) this.#apply(entry, fact, "founding");
  }

  #openCeremony(entry: Entry): void {
    const problem = this.#track.whyNotBegun(entry);
    if (problem !== undefined) {
      // Whoever owns the host could otherwise end a ceremony, and its doubt, by opening another.
      this.#find(entry, "order", problem);
      return;
    }
    const digest = stringOf(entry.data, "plan") ?? "";
    const plan = this.#plans.shared(readAttached(this.#sources, digest, readAttachedPlan));
    if (plan === undefined) this.#find(entry, "attachment", "the plan it cites is missing");
    this.#fold.beginCeremony();
    this.#track.begin(entry, plan);
  }

  #apply(entry: Entry, fact: Fact, ceremony: string): boolean {
    const policy =
      fact.kind === "policy.adopted" ? attachedPolicy(this.#sources, fact.sha256) : undefined;
    const problem =
      fact.kind === "policy.adopted" && policy === undefined
        ? "the policy is not attached or not valid"
        : (againstPolicy(this.#policy, fact, this.#fold.custody.assurance) ??
          this.#fold.apply(fact, {
            ceremony,
            at: entry.time,
            policy,
            card: (sha256) => attachedCard(this.#sources, sha256),
            document: this.#sources.attachment,
          }));
    if (problem !== undefined) {
      this.#find(entry, "custody", `${fact.kind} is not taken: ${problem}`);
      return false;
    }
    if (policy !== undefined) this.#policy = policy;
    this.#acts.fact(fact);
    if (fact.kind === "clock.attested") this.#clock.attested();
    const { open } = this.#track;
    if (open !== null) {
      if (fact.kind === "deviation.recorded") open.deviations += 1;
      if (fact.kind === "people.present") open.attending = fact.attending;
      noteActivation(open, entry.step, fact);
    }
    return true;
  }

  /** Whether two or more people took this decision about what they were shown; otherwise a finding. */
  #decided(
    entry: Entry,
    purpose: StepPurpose,
    decision: Expected["decision"],
    plan = this.#track.open?.plan,
  ): boolean {
    const { step } = this.#track;
    const agreed = this.#steps.judge(entry, decision, plan);
    const problem = decisionProblem(entry, step, purpose, agreed, this.#fold.custody);
    if (problem !== undefined) this.#find(entry, "authority", problem);
    else this.#track.endDecision();
    return problem === undefined;
  }

  #adoptTail(entry: Entry): void {
    const { tail } = this.#track;
    const to = integerOf(entry.data, "to") ?? 0;
    if (tail?.to !== to || entry.data["from"] !== tail.from) {
      this.#find(entry, "order", "it adopts entries that nobody has to adopt");
    } else if (this.#decided(entry, "adopt", `adopt ${to}`)) this.#track.adoptTail();
  }

  /** After an interruption two people of the roll call go on, on the machine that they agreed to. */
  #resume(entry: Entry): void {
    const plan = amendedPlan(this.#track.open?.plan, entry);
    if (plan === undefined) {
      this.#find(entry, "order", "it does not say with what software, bindings and modules");
      return;
    }
    if (!this.#decided(entry, "resume", "agree", plan)) return;
    this.#track.resume(plan, this.#clock.gap);
    this.#fold.loseSessions();
  }

  #close(entry: Entry): void {
    if (this.#track.open?.doubt !== null || this.#track.tail !== null) {
      this.#find(entry, "order", "it closes a ceremony that cannot be closed");
      return;
    }
    const [owed] = owedBeforeClose(this.#fold.custody);
    if (owed !== undefined) {
      const what = `key ${owed.label} on token ${owed.token} is extractable`;
      this.#find(
        entry,
        "custody",
        `it closes a ceremony although ${what} and no deviation allows it`,
      );
    }
    if (stringOf(entry.data, "custody") !== custodyDigest(this.#fold.custody)) {
      this.#find(entry, "custody", "the custody it states is not what the entries establish");
    }
    this.#end(entry, "closed");
  }

  #abandon(entry: Entry): void {
    // Before anything was begun nobody has to agree to giving up; afterwards two people do.
    if (this.#track.acted && !this.#decided(entry, "abandon", "abandon")) return;
    this.#fold.unprove(this.#track.givenUp);
    this.#end(entry, "abandoned");
  }

  #end(entry: Entry, state: "closed" | "abandoned"): void {
    this.#track.end(entry, state);
    this.#fold.endCeremony();
    this.recountCosigners();
  }

  /** Counts the cosignatures on the present head: after a ceremony ended, and after they were made. */
  recountCosigners(): void {
    const people = mayCosign(this.history, this.#lastTime ?? "");
    if (isCosigned(this.#size, people, this.#sources.cosignatures)) {
      this.#cosigned = this.#size;
      this.#track.explain(this.#size);
    }
  }
}
