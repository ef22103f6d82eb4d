/**
 * One attempt at one step: opened → gate → begun → act → completed or failed. An effect on an HSM
 * cannot be rolled back, so intent is durable before the act and the outcome after it. Ending an earlier
 * attempt goes the same way, with what was found in the subject's place.
 */

import { KeyriteError, messageOf } from "../lib/errors.ts";
import type { Secret } from "../lib/secret.ts";
import type { Contribution, Participant, Room } from "./action.ts";
import { missingFrom, type Expected } from "./authority.ts";
import { BatchRecord } from "./batch-record.ts";
import { withCards } from "./custody-people.ts";
import { callsMember } from "./step-calls.ts";
import { settlingAim, stepAim, type Aim, type Decided } from "./step-aim.ts";
import { expectedOf } from "./step-authority.ts";
import { collectAgreements, requireFresh, type FreshAgreement } from "./gate.ts";
import type { Hall } from "./hall.ts";
import { openStep } from "./open-step.ts";
import type { PeopleInStep } from "./people-in-step.ts";
import type { Plan, PlanStep } from "./plan.ts";
import { recordedPlan } from "./plan-document.ts";
import { actorsOf } from "./record.ts";
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
  #openedSeq: number | null = null;

  constructor(parts: StepRunParts) {
    this.#parts = parts;
  }

  /**
   * Performs the step. What stops it before it has begun is recorded as refused, what stops it
   * afterwards as failed; both are thrown on.
   */
  async perform(): Promise<void> {
    const { step, room } = this.#parts;
    await this.#attempt(async () => {
      this.#requireConditions();
      return stepAim(step, await step.bound?.subject(room));
    });
  }

  /**
   * Finishes or undoes an earlier attempt, as people decide on what `settle` found. The step's
   * conditions held when it was begun; what it has done since must not be held against it.
   */
  async settle(look: () => Promise<Decided>): Promise<void> {
    await this.#attempt(async () => settlingAim(this.#parts.step, await look()));
  }

  async #attempt(aiming: () => Promise<Aim>): Promise<void> {
    const { people } = this.#parts;
    let begunSeq: number | undefined;
    try {
      const aim = await aiming();
      const { contributions, seq } = await this.#gate(aim);
      begunSeq = seq;
      this.#requireBelieved(seq);
      if (aim.purpose === "undo") await this.#undo(begunSeq, aim);
      else await this.#act(begunSeq, aim, contributions);
    } catch (error) {
      if (mayRecord(error)) this.#recordStop(error, begunSeq);
      throw error;
    } finally {
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
    aim: Aim,
  ): Promise<{ readonly contributions: readonly Contribution[]; readonly seq: number }> {
    const { step, people, hall, room } = this.#parts;
    // What was found of an earlier attempt was read before the room chose what to do about it.
    if (aim.purpose === "step") for (const line of aim.shown) hall.console.tell(line);
    const opened = this.#open(aim);
    const wanted = this.#wanted(aim);
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
              question: aim.question,
            },
            wanted,
            opened.expected,
            async (person) => {
              const secret = await this.#contribution(person);
              if (secret !== undefined) contributions.push({ person: person.person, secret });
            },
          );
    requireFresh(agreements, hall.clock, room.policy.agreement.minutes);
    this.#requireQuorum(aim, agreements);
    if (aim.purpose === "step") this.#requireConditions();
    this.#requireUnchanged();
    return { contributions, seq: this.#begin(opened.seq, aim, wanted, agreements) };
  }

  /** Everybody whose agreement the step needs, a candidate last. */
  #wanted({ attending, candidate }: Aim): readonly Participant[] {
    const { people, recorder } = this.#parts;
    const roll = attending && withCards(recorder.history.custody, attending);
    const wanted = roll ?? people.performers;
    return candidate === undefined ? wanted : [...wanted, candidate];
  }

  #open({ purpose, subject, shown }: Aim): OpenedEntry {
    const { recorder, ceremony, plan, step, hall } = this.#parts;
    const opened = openStep(recorder, hall.random, {
      ceremony,
      step: { ...step, with: step.values },
      purpose,
      description: step.instruction,
      policyRefs: step.policyRefs,
      subject,
      shown,
    });
    this.#openedSeq = opened.seq;
    const { custody } = recorder.history;
    const decision = purpose === "step" ? "agree" : purpose;
    const expected = expectedOf(opened, recordedPlan(plan), ceremony, custody, decision);
    return { seq: opened.seq, expected };
  }

  async #contribution(person: Participant): Promise<Secret | undefined> {
    const { step, people, room } = this.#parts;
    if (step.bound?.contributes !== true) return undefined;
    const secret = await step.bound.contribute(person, await people.open(person), room);
    if (secret !== undefined) people.bring(secret);
    return secret;
  }

  #requireQuorum(aim: Aim, agreements: readonly FreshAgreement[]): void {
    const { step, recorder } = this.#parts;
    const attending = aim.attending ?? recorder.history.custody.attending;
    const agreed = agreements.flatMap(({ person: { person, role } }) =>
      role === "candidate" ? [] : [{ person, role }],
    );
    const missing = missingFrom({ control: step.control, by: step.by, attending }, agreed);
    if (missing === undefined) return;
    throw new KeyriteError("people.quorum-not-met", `step ${step.id}: ${missing}`);
  }

  #begin(
    openedSeq: number,
    aim: Aim,
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
        actors: actorsOf(wanted),
        description: step.instruction,
        policyRefs: step.policyRefs,
        agreements: agreements.map((agreement) => agreement.note),
        data: { n: step.n, ...aim.begun },
        refs: { opened: openedSeq },
      },
      // What the subject attached is needed to judge these very agreements, e.g. a newcomer's card.
      attached,
    );
  }

  async #act(begunSeq: number, aim: Aim, contributions: readonly Contribution[]): Promise<void> {
    const { recorder, ceremony, step, room, attached, hall } = this.#parts;
    const { intent: subject, settled } = aim;
    const batch = this.#batch(begunSeq);
    const done = await step.bound?.run(room, { subject, batch, settled, contributions });
    const stated = step.control === "none";
    recorder.append(
      {
        type: "step.completed",
        source: stated ? "manual" : "auto",
        ceremony,
        step: step.id,
        actors: actorsOf(this.#wanted(aim)),
        description: step.instruction,
        policyRefs: step.policyRefs,
        facts: (done?.facts ?? []).map((fact) => ({ ...fact })),
        data: { n: step.n, evidence: done?.evidence ?? {}, ...callsMember(hall.hsm) },
        refs: { opened: this.#openedSeq ?? begunSeq, begun: begunSeq },
      },
      attached,
    );
  }

  #batch(begun: number): BatchRecord {
    const { recorder, ceremony, step } = this.#parts;
    const items = recorder.history.open?.unsettled.get(step.id);
    if (items === undefined) throw new Error("a step that was begun is not in doubt");
    return new BatchRecord({ recorder, ceremony, step, begun, items });
  }

  // An undo ends the earlier attempt; the step itself has not been performed, so it did not succeed.
  async #undo(begunSeq: number, { doubt, settled }: Aim): Promise<void> {
    const { step, room, attached } = this.#parts;
    if (doubt === null) throw new Error("an undo without an attempt to undo");
    await step.bound?.undo(room, doubt, settled ?? {});
    const message = `the attempt begun at entry ${doubt.begunSeq} was undone`;
    this.#recordEnd("halted.undone", message, begunSeq, attached);
  }

  #recordStop(error: unknown, begunSeq: number | undefined): void {
    const code = error instanceof KeyriteError ? error.code : "internal.bug";
    this.#recordEnd(code, messageOf(error), begunSeq);
  }

  #recordEnd(
    code: string,
    message: string,
    begunSeq: number | undefined,
    attached: readonly Attached[] = [],
  ): void {
    const { recorder, ceremony, step, people, hall } = this.#parts;
    const failed = begunSeq !== undefined;
    const opened = this.#openedSeq === null ? {} : { opened: this.#openedSeq };
    const ended = code === "halted.undone" ? "was undone" : "failed";
    recorder.append(
      {
        type: failed ? "step.failed" : "step.refused",
        outcome: failed ? "failure" : "refused",
        ceremony,
        step: step.id,
        actors: actorsOf(people.performers),
        description: `Step ${step.n} (${step.id}) ${failed ? ended : "was refused"}.`,
        data: { n: step.n, code, message: message.slice(0, 1000), ...callsMember(hall.hsm) },
        refs: failed ? { ...opened, begun: begunSeq } : opened,
      },
      attached,
    );
  }
}
