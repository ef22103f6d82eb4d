/**
 * A ceremony written by hand, entry by entry, as the owner of the host could: in any order, with any
 * content, and with whatever agreements people can be led to sign.
 */

import {
  readAttachedPlan,
  type RecordedPlan,
  type RecordedStep,
} from "../../src/ceremony/plan-document.ts";
import type { Attending } from "../../src/ceremony/custody.ts";
import type { Plan } from "../../src/ceremony/plan.ts";
import type { DraftParts } from "../../src/ceremony/record.ts";
import type { Attached } from "../../src/ceremony/recorder.ts";
import { custodyDigest } from "../../src/ceremony/custody-json.ts";
import { expectedOf, subjectDigest } from "../../src/ceremony/step-authority.ts";
import { CANDIDATE_ROLE, type Role } from "../../src/ceremony/words.ts";
import { timestamp } from "../../src/lib/clock.ts";
import { hex, sha256, utf8 } from "../../src/lib/encoding.ts";
import { canonicalJson, type JsonObject } from "../../src/lib/json.ts";
import { formatNote, parseNote } from "../../src/lib/note.ts";
import { formatAgreement, type Agreement } from "../../src/people/agreement.ts";
import { HONEST, type HandStep } from "./hand-steps.ts";
import { ROLL } from "./stage-scripts.ts";
import type { TestPerson } from "./identities.ts";
import type { Stage } from "./stage.ts";

/** A step that was opened, and what agreements to it must say. */
export interface Opening {
  readonly step: RecordedStep;
  readonly seq: number;
  readonly data: JsonObject;
  readonly expected: ReturnType<typeof expectedOf>;
}

export interface OpeningOptions {
  readonly data?: JsonObject;
  readonly nonce?: string;
  readonly purpose?: string;
  readonly decision?: Agreement["decision"];
  readonly shown?: readonly string[];
}

export class Hand {
  readonly stage: Stage;
  readonly plan: Plan;
  readonly recorded: RecordedPlan;
  readonly ceremony: string;
  readonly #document: Uint8Array;

  /** Plans the script and opens a ceremony of it, or of a plan that nobody could have planned. */
  constructor(
    stage: Stage,
    yaml: string,
    alter = (plan: string): string => plan,
    opening: JsonObject = {},
    set: Readonly<Record<string, string>> = {},
  ) {
    this.stage = stage;
    this.plan = stage.plan(yaml, set);
    this.#document = utf8(alter(canonicalJson(this.plan.document)));
    const recorded = readAttachedPlan(this.#document);
    if (recorded === undefined) throw new Error("the altered plan is no plan");
    this.recorded = recorded;
    this.ceremony = stage.ceremonyId(this.plan.script.name);
    this.openCeremony(this.ceremony, opening);
  }

  openCeremony(ceremony: string, changes: JsonObject = {}): number {
    const { plan, recorded, stage } = this;
    const { cosigned } = stage.history;
    const { bindings } = stage.hall();
    const data = {
      title: plan.script.title,
      script: plan.script.sha256,
      caClass: plan.script.caClass,
      plan: recorded.sha256,
      bindings: bindings.sha256,
      policy: stage.history.custody.policy ?? "",
      software: { ...stage.software },
      modules: [],
      assurance: "test",
      previous: cosigned === 0 ? null : (stage.ledger.checkpoint(cosigned) ?? null),
      ...changes,
    };
    const description = "A ceremony was opened.";
    return stage.append({ type: "ceremony.opened", ceremony, description, data }, [
      { mediaType: "application/yaml", bytes: plan.script.bytes },
      { mediaType: "application/json", bytes: this.#document },
      { mediaType: "application/yaml", bytes: bindings.bytes },
    ]);
  }

  open(id: string, options: OpeningOptions = {}): Opening {
    const { stage, ceremony } = this;
    const step = this.step(id);
    const { data, shown = [] } = options;
    const nonce = options.nonce ?? hex(sha256(utf8(`nonce ${stage.ledger.size}`))).slice(0, 32);
    const subject = data === undefined ? null : subjectDigest(data, shown);
    const { n, sha256: digest } = step;
    const purpose = options.purpose ?? "step";
    const seq = this.append({
      type: "step.opened",
      outcome: "pending",
      step: id,
      data: { purpose, n, step: digest, nonce, subject, shown: [...shown] },
    });
    const opened = { seq, ...stage.recorder().head(), nonce, step, subject, shown, begun: null };
    const { custody } = stage.history;
    // Members that only newer engines ask for do not matter here: what is signed is what counts.
    const parts = opened as unknown as Parameters<typeof expectedOf>[0];
    const decision = options.decision ?? "agree";
    const expected = expectedOf(parts, this.recorded, ceremony, custody, decision);
    return { step, seq, data: data ?? {}, expected };
  }

  /** The agreement of a person, as the gate would make it but for `changes`. */
  sign(
    { expected }: Opening,
    person: string,
    role: string,
    changes: Partial<Agreement> = {},
    { opened }: Pick<TestPerson, "opened"> = this.stage.person(person),
  ): string {
    const expires = timestamp(this.stage.clock.time + 600_000);
    const text = formatAgreement({ ...expected, person, role, expires, ...changes });
    return formatNote(text, [opened.signer.signNote(text)]);
  }

  /** An agreement in the name of one person that another signed. */
  forge(opening: Opening, person: string, role: string, signer: string): string {
    const { text } = parseNote(this.sign(opening, person, role));
    const foreign = this.sign(opening, signer, role).split("\n\n")[1] ?? "";
    return `${text}\n${foreign}`;
  }

  begin(opening: Opening, notes: readonly string[], changes: Partial<DraftParts> = {}): number {
    const data = { n: opening.step.n, intent: opening.data };
    return this.append({
      type: "step.begun",
      outcome: "pending",
      step: opening.step.id,
      agreements: notes,
      data,
      ...changes,
    });
  }

  complete(
    { step }: Opening,
    facts: readonly JsonObject[],
    attached: readonly Attached[] = [],
    changes: Partial<DraftParts> = {},
  ): number {
    const data = { n: step.n, evidence: {} };
    const parts = { type: "step.completed", step: step.id, facts, data, ...changes } as const;
    return this.append(parts, attached);
  }

  /** Performs a step as honest people would; returns the indexes of its `begun` and outcome. */
  perform(id: string, changes: Partial<HandStep> = {}): { begun: number; completed: number } {
    const step = { ...HONEST[id]?.(this.stage), ...changes };
    const { data, facts = [], attached = [], who = [], signers = {}, stated = [] } = step;
    const opening = this.open(id, data === undefined ? {} : { data });
    const notes = who.map(({ person, role }) =>
      this.sign(opening, person, role, {}, signers[person]),
    );
    for (const one of attached) this.attach(one);
    const begun = this.begin(opening, notes);
    const actors = stated.map((one) => ({ ...one, part: "performed" as const }));
    return { begun, completed: this.complete(opening, facts, attached, { actors }) };
  }

  /** A roll call on which these stand, signed by `who`, whose fact names `named`. Returns the index of its outcome. */
  callRoll(attending: readonly Attending[], who = attending, named = attending): number {
    const bindings = this.stage.hall().bindings.sha256;
    const plain = (all: readonly Attending[]) => all.map((one) => ({ ...one }));
    const data = {
      attending: plain(attending),
      heads: [],
      bindings,
      bindingsChange: [],
      tail: null,
    };
    const facts = [{ kind: "people.present", attending: plain(named), bindings }];
    return this.perform("roll-call", { who, data, facts }).completed;
  }

  /** The ceremony up to and with a step, all honest. */
  static upTo(stage: Stage, yaml: string, last: string): Hand {
    const hand = new Hand(stage, yaml);
    for (const { id } of hand.recorded.steps) {
      hand.perform(id);
      if (id === last) return hand;
    }
    throw new Error(`the script has no step ${last}`);
  }

  /** Adopts entries that nobody cosigned, with the agreements of these people. */
  adoptTail(from: number, to: number, who = as("ana", "eve")): number {
    const data = { from, to };
    const opening = this.open("roll-call", { data, purpose: "adopt", decision: `adopt ${to}` });
    const agreements = who.map(({ person, role }) => this.sign(opening, person, role));
    return this.append({ type: "tail.adopted", step: "roll-call", agreements, data });
  }

  /** Closes the ceremony; these people cosign its head. */
  close(people: readonly string[] = Object.keys(ROLL)): number {
    const { stage } = this;
    const custody = custodyDigest(stage.history.custody);
    const seq = this.append({ type: "ceremony.closed", step: "close", data: { custody } });
    this.cosign(people);
    return seq;
  }

  cosign(people: readonly string[]): void {
    const { stage } = this;
    const { text } = parseNote(stage.ledger.checkpoint() ?? "");
    const seconds = Math.floor(stage.clock.time / 1000);
    const lines = people.map((name) => stage.person(name).opened.signer.cosign(text, seconds));
    stage.recorder().addCosignatures(lines);
  }

  append(parts: Omit<DraftParts, "description">, attached: readonly Attached[] = []): number {
    return this.stage.append(
      { description: "By hand.", ceremony: this.ceremony, ...parts },
      attached,
    );
  }

  /** Puts an attachment into the ledger beforehand, with an entry that says nothing. */
  attach(attached: Attached): void {
    this.append({ type: "auth.failed", outcome: "failure" }, [attached]);
  }

  step(id: string): RecordedStep {
    const step = this.recorded.steps.find((one) => one.id === id);
    if (step === undefined) throw new Error(`the plan has no step ${id}`);
    return step;
  }
}

/** People with the roles of the roll call. */
export function as(...people: readonly string[]): readonly Attending[] {
  return people.map((person) => ({ person, role: (ROLL[person] ?? CANDIDATE_ROLE) as Role }));
}
