/**
 * The fold over the ledger's entries that decides which facts have authority. The verifier and the
 * engine use the same fold, so nothing counts for one that does not count for the other.
 */

import type { Entry } from "../ledger/entry.ts";
import { parseCard, type Card } from "../people/card.ts";
import { readAttached } from "./attached.ts";
import type { Expected } from "./authority.ts";
import { CeremonyTrack } from "./ceremony-track.ts";
import { ClockWatch } from "./clock-watch.ts";
import { custodyDigest, CustodyFold, emptyCustody, type Attending } from "./custody.ts";
import type { Fact } from "./facts.ts";
import { foundingFacts } from "./founding.ts";
import { countCosigners } from "./heads.ts";
import type { History, HistoryFinding, HistorySources } from "./history.ts";
import { readAttachedPlan } from "./plan-document.ts";
import { readPolicy, separationProblem, type Policy } from "./policy.ts";
import { integerOf, stringOf } from "./record.ts";
import {
  authorityProblem,
  decisionProblem,
  expectedOf,
  judgeEntry,
  readBegun,
  readFacts,
  type StepPurpose,
} from "./step-authority.ts";

export class HistoryFold {
  readonly #sources: HistorySources;
  readonly #fold: CustodyFold;
  readonly #findings: HistoryFinding[] = [];
  readonly #track = new CeremonyTrack();
  readonly #clock = new ClockWatch();
  #policy: Policy | null = null;
  #size = 0;
  #lastTime: string | null = null;
  #cosigned = 0;

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
      ceremonies: this.#track.ceremonies,
      open: this.#track.open,
      cosigned: this.#cosigned,
      explained: this.#track.explained,
      clockGap: this.#clock.gap,
      findings: this.#findings,
    };
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
        this.#begin(entry);
        break;
      case "step.completed":
        this.#complete(entry);
        break;
      case "step.failed":
      case "step.refused":
        this.#track.endStep(entry, entry.type === "step.failed" ? "failed" : "refused");
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
      case "auth.failed":
      case "plan.amended":
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
    const plan = readAttached(this.#sources, digest, readAttachedPlan);
    if (plan === undefined) this.#find(entry, "attachment", "the plan it cites is missing");
    this.#fold.endCeremony();
    this.#track.begin(entry, plan);
  }

  #begin(entry: Entry): void {
    const { vocabulary } = this.#sources;
    const step = this.#track.toBegin(entry, (name) => vocabulary.get(name)?.control === "everyone");
    if (typeof step === "string") {
      this.#find(entry, "order", step);
      return;
    }
    const begun = readBegun(entry, step, this.#judge(entry, "agree"));
    if (typeof begun === "string") this.#find(entry, "authority", begun);
    else this.#track.beginStep(entry, begun);
  }

  /** The agreements of an entry that count; every other one is a finding. */
  #judge(entry: Entry, decision: Expected["decision"]): readonly Attending[] {
    const { custody } = this.#fold;
    const { step, open } = this.#track;
    if (step === null || open?.plan === undefined) {
      if (entry.agreements.length > 0) this.#find(entry, "authority", "no step is open");
      return [];
    }
    const expected = expectedOf(step, open.plan, entry.ceremony ?? "", custody, decision);
    const minutes = this.#policy?.agreement.minutes ?? 0;
    const result = judgeEntry(entry, expected, minutes, (person) => this.#cardOf(entry, person));
    for (const problem of result.problems) this.#find(entry, "authority", problem);
    return result.agreed;
  }

  #cardOf(entry: Entry, person: string): Card | undefined {
    const enrolled = this.#fold.custody.people.get(person);
    const { step } = this.#track;
    if (enrolled !== undefined || step === null) return enrolled?.card;
    const begun = readBegun(entry, step, []);
    if (typeof begun === "string" || begun.candidate?.person !== person) return undefined;
    return this.#attachedCard(begun.candidate.card);
  }

  #complete(entry: Entry): void {
    const opened = this.#track.step;
    if (opened?.begun == null || entry.step !== opened.step.id) {
      this.#find(entry, "authority", "it completes a step that was not begun");
      return;
    }
    const { step, begun } = opened;
    this.#track.endStep(entry, "completed");
    const facts = readFacts(entry);
    if (typeof facts === "string") {
      this.#find(entry, "authority", `a fact is malformed: ${facts}`);
      return;
    }
    const context = {
      custody: this.#fold.custody,
      vocabulary: this.#sources.vocabulary,
      clockGap: this.#clock.gap,
      bindings: this.#track.open?.plan?.bindings ?? null,
    };
    const problem = authorityProblem(step, begun, facts, context);
    if (problem !== undefined) {
      this.#find(entry, "authority", `it is given no authority: ${problem}`);
      return;
    }
    if (begun.agreed.length > 0) this.#clock.agreed(entry);
    for (const fact of facts) this.#apply(entry, fact, entry.ceremony ?? "");
  }

  #apply(entry: Entry, fact: Fact, ceremony: string): void {
    const policy = fact.kind === "policy.adopted" ? this.#attachedPolicy(fact.sha256) : undefined;
    const problem =
      fact.kind === "policy.adopted" && policy === undefined
        ? "the policy is not attached or not valid"
        : (separationProblem(this.#policy, fact.kind === "person.enrolled" ? fact.roles : []) ??
          this.#fold.apply(fact, ceremony, (sha256) => this.#attachedCard(sha256)));
    if (problem !== undefined) {
      this.#find(entry, "custody", `${fact.kind} is not taken: ${problem}`);
      return;
    }
    if (policy !== undefined) this.#policy = policy;
    if (fact.kind === "clock.attested") this.#clock.attested();
    const { open } = this.#track;
    if (open === null) return;
    if (fact.kind === "deviation.recorded") open.deviations += 1;
    if (fact.kind === "people.present") open.attending = fact.attending;
  }

  #attachedCard(sha256: string): Card | undefined {
    return readAttached(this.#sources, sha256, parseCard);
  }

  #attachedPolicy(sha256: string): Policy | undefined {
    if (this.#sources.policy?.sha256 === sha256) return this.#sources.policy;
    return readAttached(this.#sources, sha256, (bytes) => readPolicy(bytes, "policy.yaml"));
  }

  /** Whether two or more people took this decision about what they were shown; otherwise a finding. */
  #decided(entry: Entry, purpose: StepPurpose, decision: Expected["decision"]): boolean {
    const { step } = this.#track;
    const agreed = this.#judge(entry, decision);
    const problem = decisionProblem(entry, step, purpose, agreed, this.#fold.custody);
    if (problem !== undefined) this.#find(entry, "authority", problem);
    else this.#track.endDecision();
    return problem === undefined;
  }

  #adoptTail(entry: Entry): void {
    const to = integerOf(entry.data, "to") ?? 0;
    if (this.#track.tail?.to !== to) {
      this.#find(entry, "order", "it adopts entries that nobody has to adopt");
    } else if (this.#decided(entry, "adopt", `adopt ${to}`)) this.#track.adoptTail();
  }

  #close(entry: Entry): void {
    if (this.#track.open?.doubt !== null || this.#track.tail !== null) {
      this.#find(entry, "order", "it closes a ceremony that cannot be closed");
      return;
    }
    if (stringOf(entry.data, "custody") !== custodyDigest(this.#fold.custody)) {
      this.#find(entry, "custody", "the custody it states is not what the entries establish");
    }
    this.#end(entry, "closed");
  }

  #abandon(entry: Entry): void {
    // Before anything was begun nobody has to agree to giving up; afterwards two people do.
    if (this.#track.acted && !this.#decided(entry, "abandon", "abandon")) return;
    this.#end(entry, "abandoned");
  }

  #end(entry: Entry, state: "closed" | "abandoned"): void {
    this.#track.end(entry, state);
    this.#fold.endCeremony();
    this.recountCosigners();
  }

  /** Counts the cosignatures on the present head: after a ceremony ended, and after they were made. */
  recountCosigners(): void {
    const people = this.#fold.custody.people.values();
    if (countCosigners(this.#size, people, this.#sources.cosignatures) >= 2) {
      this.#cosigned = this.#size;
      this.#track.explain(this.#size);
    }
  }
}
