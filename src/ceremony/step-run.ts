/**
 * One attempt at one step: opened → gate → begun → act → completed or failed. An effect on an HSM
 * cannot be rolled back, so intent is durable before the act and the outcome after it.
 */

import { KeyriteError, messageOf } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import type { Secret } from "../lib/secret.ts";
import type { Contribution, Participant, Room, Subject } from "./action.ts";
import { missingFrom, type Expected } from "./authority.ts";
import { expectedOf, subjectDigest } from "./step-authority.ts";
import { collectAgreements, requireFresh, type FreshAgreement } from "./gate.ts";
import type { Hall } from "./hall.ts";
import { openStep } from "./open-step.ts";
import type { PeopleInStep } from "./people-in-step.ts";
import type { Plan, PlanStep } from "./plan.ts";
import { recordedPlan } from "./plan-document.ts";
import type { ActorPart } from "./record.ts";
import { mayRecord, type Attached, type Recorder } from "./recorder.ts";

export interface StepRunParts {
  readonly hall: Hall;
  readonly recorder: Recorder;
  readonly ceremony: string;
  readonly plan: Plan;
  readonly step: PlanStep;
  readonly people: PeopleInStep;
  readonly room: Room;
  /** What the action attached for its subject and while it ran. */
  readonly attached: readonly Attached[];
}

interface OpenedEntry {
  readonly seq: number;
  readonly expected: Expected;
}

export class StepRun {
  readonly #parts: StepRunParts;
  readonly #secrets: Secret[] = [];
  #openedSeq: number | null = null;

  constructor(parts: StepRunParts) {
    this.#parts = parts;
  }

  /**
   * Performs the step. What stops it before it has begun is recorded as refused, what stops it
   * afterwards as failed; both are thrown on.
   */
  async perform(): Promise<void> {
    const { step, people, room } = this.#parts;
    let begunSeq: number | undefined;
    try {
      this.#requireConditions();
      const subject = await step.bound?.subject(room);
      const { contributions, seq } = await this.#gate(subject);
      begunSeq = seq;
      this.#requireBelieved(seq);
      await this.#act(begunSeq, subject, contributions);
    } catch (error) {
      if (mayRecord(error)) this.#recordStop(error, begunSeq);
      throw error;
    } finally {
      for (const secret of this.#secrets) secret.wipe();
      people.end();
    }
  }

  // The act comes after the judgement: what an auditor will not believe was agreed to is not done, e.g.
  // because the ledger's clock went on while the one that nobody can set stood still.
  #requireBelieved(begunSeq: number): void {
    const finding = this.#parts.recorder.history.findings.find(({ seq }) => seq === begunSeq);
    if (finding === undefined) return;
    throw new KeyriteError("people.agreement-invalid", finding.text, {
      hints: ["nothing was done; look at the machine's clock before going on"],
    });
  }

  #requireConditions(): void {
    const { step, recorder, room } = this.#parts;
    const situation = { custody: recorder.history.custody, policy: room.policy };
    for (const condition of step.bound?.requires ?? []) {
      const problem = condition.unmet(situation);
      if (problem === undefined) continue;
      throw new KeyriteError("script.refused", `step ${step.id} cannot be performed: ${problem}`);
    }
  }

  // Q12: the bytes were read once, so a swap cannot change what runs; it still means that somebody
  // works on this machine against the people in the room.
  #requireUnchanged(): void {
    const changed = this.#parts.hall.changedInput();
    if (changed === undefined) return;
    throw new KeyriteError(
      "people.agreement-invalid",
      `${changed} is not the file that the people in the room agreed to`,
      { hints: ["somebody changed it during the ceremony: find out who before going on"] },
    );
  }

  async #gate(
    subject: Subject<JsonObject> | undefined,
  ): Promise<{ readonly contributions: readonly Contribution[]; readonly seq: number }> {
    const { step, people, hall, room } = this.#parts;
    for (const line of subject?.shown ?? []) hall.console.tell(line);
    const opened = this.#open(subject);
    const wanted = this.#wanted(subject);
    const contributions: Contribution[] = [];
    const agreements =
      step.control === "none"
        ? []
        : await collectAgreements(
            {
              console: hall.console,
              clock: hall.clock,
              people,
              step: step.id,
              minutes: room.policy.agreement.minutes,
              question: `do you agree to step ${step.n}?`,
            },
            wanted,
            opened.expected,
            async (person) => {
              const secret = await this.#contribution(person);
              if (secret !== undefined) contributions.push({ person: person.person, secret });
            },
          );
    requireFresh(agreements, hall.clock, room.policy.agreement.minutes);
    this.#requireQuorum(subject, agreements);
    this.#requireConditions();
    this.#requireUnchanged();
    return { contributions, seq: this.#begin(opened.seq, subject, wanted, agreements) };
  }

  /** Everybody whose agreement the step needs, a candidate last. */
  #wanted(subject: Subject<JsonObject> | undefined): readonly Participant[] {
    const { people, recorder } = this.#parts;
    const enrolled = recorder.history.custody.people;
    const roll = subject?.attending?.flatMap(({ person, role }): Participant[] => {
      const card = enrolled.get(person)?.card;
      return card === undefined ? [] : [{ person, role, card }];
    });
    const wanted = roll ?? people.performers;
    return subject?.candidate === undefined ? wanted : [...wanted, subject.candidate];
  }

  #open(subject: Subject<JsonObject> | undefined): OpenedEntry {
    const { recorder, ceremony, plan, step, hall } = this.#parts;
    const opened = openStep(recorder, hall.random, {
      ceremony,
      step: { ...step, with: step.values },
      purpose: "step",
      description: step.instruction,
      policyRefs: step.policyRefs,
      subject: subject === undefined ? null : subjectDigest(subject.data, subject.shown),
      shown: subject?.shown ?? [],
    });
    this.#openedSeq = opened.seq;
    const { custody } = recorder.history;
    const expected = expectedOf(opened, recordedPlan(plan), ceremony, custody, "agree");
    return { seq: opened.seq, expected };
  }

  async #contribution(person: Participant): Promise<Secret | undefined> {
    const { step, people, room } = this.#parts;
    if (step.bound?.contributes !== true) return undefined;
    const secret = await step.bound.contribute(person, await people.open(person), room);
    if (secret !== undefined) this.#secrets.push(secret);
    return secret;
  }

  #requireQuorum(
    subject: Subject<JsonObject> | undefined,
    agreements: readonly FreshAgreement[],
  ): void {
    const { step, recorder } = this.#parts;
    const attending = subject?.attending ?? recorder.history.custody.attending;
    const agreed = agreements.flatMap(({ person: { person, role } }) =>
      role === "candidate" ? [] : [{ person, role }],
    );
    const missing = missingFrom({ control: step.control, by: step.by, attending }, agreed);
    if (missing === undefined) return;
    throw new KeyriteError("people.quorum-not-met", `step ${step.id}: ${missing}`);
  }

  #begin(
    openedSeq: number,
    subject: Subject<JsonObject> | undefined,
    wanted: readonly Participant[],
    agreements: readonly FreshAgreement[],
  ): number {
    const { recorder, ceremony, step, attached } = this.#parts;
    return recorder.append(
      {
        type: "step.begun",
        outcome: "pending",
        ceremony,
        step: step.id,
        actors: this.#actors(wanted),
        description: step.instruction,
        policyRefs: step.policyRefs,
        agreements: agreements.map((agreement) => agreement.note),
        data: { n: step.n, intent: subject?.data ?? {} },
        refs: { opened: openedSeq },
      },
      // What the subject attached is needed to judge these very agreements, e.g. a newcomer's card.
      attached,
    );
  }

  async #act(
    begunSeq: number,
    subject: Subject<JsonObject> | undefined,
    contributions: readonly Contribution[],
  ): Promise<void> {
    const { recorder, ceremony, step, room, attached } = this.#parts;
    const act = { subject: subject?.data ?? {}, contributions };
    const done = await step.bound?.run(room, act);
    const stated = step.control === "none";
    recorder.append(
      {
        type: "step.completed",
        source: stated ? "manual" : "auto",
        ceremony,
        step: step.id,
        actors: this.#actors(this.#wanted(subject)),
        description: step.instruction,
        policyRefs: step.policyRefs,
        facts: (done?.facts ?? []).map((fact) => ({ ...fact })),
        data: { n: step.n, evidence: done?.evidence ?? {} },
        refs: { opened: this.#openedSeq ?? begunSeq, begun: begunSeq },
      },
      attached,
    );
  }

  // The first role of a step performs it; whoever else agrees authorises, a witness witnesses.
  #actors(
    people: readonly Participant[],
  ): readonly { person: string; role: string; part: ActorPart }[] {
    return people.map(({ person, role }, index) => ({
      person,
      role,
      part: index === 0 ? "performed" : role.endsWith("witness") ? "witnessed" : "authorized",
    }));
  }

  #recordStop(error: unknown, begunSeq: number | undefined): void {
    const { recorder, ceremony, step, people } = this.#parts;
    const failed = begunSeq !== undefined;
    const code = error instanceof KeyriteError ? error.code : "internal.bug";
    const opened = this.#openedSeq === null ? {} : { opened: this.#openedSeq };
    recorder.append({
      type: failed ? "step.failed" : "step.refused",
      outcome: failed ? "failure" : "refused",
      ceremony,
      step: step.id,
      actors: this.#actors(people.performers),
      description: `Step ${step.n} (${step.id}) ${failed ? "failed" : "was refused"}.`,
      data: { n: step.n, code, message: messageOf(error).slice(0, 1000) },
      refs: failed ? { ...opened, begun: begunSeq } : opened,
    });
  }
}
