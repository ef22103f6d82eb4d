/**
 * Conducting a plan: opened, then step by step, then closed. Every beat is an entry; whatever stops
 * the ceremony is recorded before the prompt returns.
 */

import { KeyriteError } from "../lib/errors.ts";
import { visible } from "../lib/encoding.ts";
import type { Participant, Room } from "./action.ts";
import { clockStep } from "./ceremony-record.ts";
import { closeCeremony, type Closing } from "./closing.ts";
import { withCards } from "./custody-people.ts";
import {
  hasFailed,
  isDrillFailure,
  recordedFailure,
  settleFailed,
  skipStep,
  verdictFailure,
} from "./drill.ts";
import { endedEarly } from "./finding.ts";
import { found } from "./founding.ts";
import type { Hall } from "./hall.ts";
import type { CeremonyRecord, StepInDoubt } from "./history.ts";
import { openCeremony } from "./opening.ts";
import { PeopleInStep } from "./people-in-step.ts";
import { whoMayAct } from "./people-dates.ts";
import { performersOf } from "./performers.ts";
import type { Plan, PlanStep } from "./plan.ts";
import { recordedPlan } from "./plan-document.ts";
import { agreeToResume, requireClockStep, whatToDo } from "./resume.ts";
import { makeRoom } from "./room.ts";
import type { Attached, Recorder } from "./recorder.ts";
import { CLOSE } from "./script.ts";
import { standingOf } from "./standing.ts";
import { StepRun, type StepRunParts } from "./step-run.ts";
import { adoptTail } from "./tail.ts";
import { patiently } from "./try-again.ts";
import { BoundTokens } from "./token-room.ts";

export interface Conducted {
  readonly ceremony: string;
  readonly closing: Closing;
  /** What a drill failed with; it is closed all the same. */
  readonly failure: KeyriteError | undefined;
}

export class Conductor {
  readonly #hall: Hall;
  readonly #recorder: Recorder;
  readonly #plan: Plan;
  readonly #ceremony: string;
  readonly #tokens: BoundTokens;

  constructor(hall: Hall, recorder: Recorder, plan: Plan, ceremony: string) {
    this.#hall = hall;
    this.#recorder = recorder;
    this.#plan = plan;
    this.#ceremony = ceremony;
    this.#tokens = new BoundTokens({
      hsm: hall.hsm,
      bindings: hall.bindings,
      assurance: hall.genesis.assurance,
      modules: plan.modules,
      custody: () => recorder.history.custody,
      policy: () => recorder.history.policy ?? hall.policy,
      publicKeysFromNewProcess: hall.publicKeysFromNewProcess,
    });
  }

  /**
   * Conducts the whole plan.
   * @throws KeyriteError what stopped the ceremony; it stays open when anything had begun.
   */
  async conduct(): Promise<Conducted> {
    const { history } = this.#recorder;
    this.#hall.terminal.begin(this.#ceremony);
    if (history.size === 0) await found(this.#hall, this.#recorder, this.#ceremony);
    openCeremony(this.#hall, this.#recorder, this.#plan, this.#ceremony);
    return this.#through(() => this.#walk());
  }

  /**
   * Goes on with the open ceremony when these people agree to it: what was active is activated again,
   * what is in doubt is settled, and what is left is performed.
   * @throws KeyriteError as `conduct`
   */
  async resume(people: readonly Participant[]): Promise<Conducted> {
    this.#hall.terminal.begin(this.#ceremony);
    return this.#through(async () => {
      await agreeToResume(this.#hall, this.#recorder, this.#plan, this.#open(), people);
      await this.#adoptTail();
      await this.#attestClockAgain();
      await this.#activateAgain();
      return this.#walk();
    });
  }

  async #through(act: () => Promise<Conducted>): Promise<Conducted> {
    try {
      return await act();
    } catch (error) {
      throw endedEarly(this.#recorder, this.#hall.vocabulary, this.#ceremony, error);
    } finally {
      await this.#tokens.deactivateAll();
    }
  }

  async #walk(): Promise<Conducted> {
    let failure = recordedFailure(this.#open(), this.#plan);
    for (const step of this.#plan.steps) {
      this.#requireUninterrupted();
      if (step.action === CLOSE) return await this.#close(step, failure);
      if (this.#isOver(step)) continue;
      if (failure !== undefined && !step.always) {
        // What the failed step itself had left may not have been settled before an interruption.
        await this.#settleFailed(step);
        if (!this.#isOver(step)) skipStep(this.#recorder, this.#ceremony, step);
        continue;
      }
      try {
        await this.#take(step);
      } catch (error) {
        if (!isDrillFailure(this.#plan, error)) throw error;
        this.#hall.console.warn(
          `The drill has failed at step ${step.n}: ${visible(error.message)}`,
        );
        if (!(await this.#settleFailed(step))) failure ??= error;
      }
    }
    throw new Error("a plan without a close was conducted");
  }

  #open(): CeremonyRecord {
    const { open } = this.#recorder.history;
    if (open?.id === this.#ceremony) return open;
    throw new Error(`ceremony ${this.#ceremony} is not open`);
  }

  #isOver({ id }: PlanStep): boolean {
    const open = this.#open();
    if (open.steps.get(id) === "completed") return true;
    return this.#plan.script.drill && hasFailed(open, id) && !open.unsettled.has(id);
  }

  /** Settles what a failed step of a drill has left. True when the step is completed after all. */
  async #settleFailed(step: PlanStep): Promise<boolean> {
    const left = this.#open().unsettled.get(step.id);
    if (left !== undefined) await settleFailed(await this.#parts(step), left);
    return this.#open().steps.get(step.id) === "completed";
  }

  // After 30 days nothing else is believed before people have attested the clock (ClockWatch).
  async #attestClockAgain(): Promise<void> {
    if (!this.#recorder.history.clockGap) return;
    const id = clockStep(this.#open(), this.#hall.vocabulary);
    const step = this.#plan.steps.find((one) => one.id === id);
    if (step === undefined) {
      requireClockStep(this.#plan, this.#hall.vocabulary);
      return;
    }
    this.#hall.console.tell("More than 30 days have passed: the clock is attested again.");
    await this.#take(step);
  }

  // A new process has no session: the steps that activated tokens are performed anew.
  async #activateAgain(): Promise<void> {
    for (const [token, { step: id, lasts }] of new Map(this.#open().activations)) {
      const step = this.#plan.steps.find((one) => one.id === id);
      if (lasts || step === undefined) continue;
      this.#hall.console.tell(`Token ${token} was active; it is activated again.`);
      await this.#take(step);
    }
  }

  /** Performs a step; what is left of an earlier attempt is settled first. */
  async #take(step: PlanStep): Promise<void> {
    const { console } = this.#hall;
    console.heading(`Step ${step.n} of ${this.#plan.steps.length} · ${step.id}`);
    console.tell(step.instruction);
    const doubt = this.#open().unsettled.get(step.id);
    if (doubt !== undefined) {
      await this.#patiently(step, () => this.#settle(step, doubt));
      // Undone, it has ended as it had begun: nothing of it is left.
      if (this.#open().steps.get(step.id) !== "completed") {
        console.tell(`What step ${step.n} had left is undone; it is performed anew.`);
        await this.#patiently(step, () => this.#perform(step));
      }
    } else {
      await this.#patiently(step, () => this.#perform(step));
    }
    this.#requireTaken(step);
    console.tell(`Step ${step.n} is done and recorded.`);
    if (step.control === "everyone") await this.#adoptTail();
  }

  // The roll call's people read what nobody has cosigned; until they adopt it nothing else is believed.
  async #adoptTail(): Promise<void> {
    const { tail } = this.#recorder.history;
    const roll = recordedPlan(this.#plan).steps.find(
      ({ action }) => this.#hall.vocabulary.get(action)?.control === "everyone",
    );
    const attending = this.#attending();
    // Of a ceremony that is gone on with before its roll call nobody could adopt anything yet.
    if (tail === null || roll === undefined || attending.length === 0) return;
    await adoptTail(this.#hall, this.#recorder, {
      ceremony: this.#ceremony,
      plan: recordedPlan(this.#plan),
      step: roll,
      tail,
      attending,
    });
  }

  #requireUninterrupted(): void {
    if (!this.#hall.interrupted()) return;
    throw new KeyriteError("halted.interrupted", "the ceremony was interrupted between two steps");
  }

  #patiently(step: PlanStep, attempt: () => Promise<void>): Promise<void> {
    return patiently(this.#hall, step, () => this.#open(), attempt);
  }

  // What an auditor will refuse to believe is no success, although it is done and on record.
  #requireTaken(step: PlanStep): void {
    const { findings, size } = this.#recorder.history;
    const last = findings.at(-1);
    if (last?.seq !== size - 1) return;
    throw new KeyriteError("halted.step-failed", `step ${step.n} was done in vain: ${last.text}`, {
      hints: ["the ceremony stays open; abandon it with two people, keyrite run … --abandon"],
    });
  }

  async #perform(step: PlanStep): Promise<void> {
    await new StepRun(await this.#parts(step)).perform();
  }

  async #settle(step: PlanStep, doubt: StepInDoubt): Promise<void> {
    const parts = await this.#parts(step);
    await new StepRun(parts).settle(() => whatToDo(parts, doubt));
  }

  async #parts(step: PlanStep): Promise<StepRunParts> {
    const attached: Attached[] = [];
    const attending = whoMayAct(this.#hall, this.#recorder.history.custody, this.#attending());
    const people = new PeopleInStep({
      console: this.#hall.console,
      recorder: this.#recorder,
      ceremony: this.#ceremony,
      step: step.id,
      medium: (person, name) => this.#hall.medium(person, name),
      attending,
      performers: await performersOf(this.#hall, step, attending),
    });
    return {
      hall: this.#hall,
      recorder: this.#recorder,
      ceremony: this.#ceremony,
      plan: this.#plan,
      step,
      people,
      room: this.#room(step, people, attached),
      attached,
    };
  }

  #room(step: PlanStep, people: PeopleInStep, attached: Attached[]): Room {
    return makeRoom({
      hall: this.#hall,
      recorder: this.#recorder,
      ceremony: this.#ceremony,
      step: step.id,
      people,
      tokens: this.#tokens,
      standing: standingOf(this.#hall, this.#recorder, this.#plan),
      attached,
    });
  }

  #attending(): readonly Participant[] {
    const { custody } = this.#recorder.history;
    return withCards(custody, custody.attending);
  }

  async #close(step: PlanStep, failure: KeyriteError | undefined): Promise<Conducted> {
    this.#hall.console.heading(`Step ${step.n} of ${this.#plan.steps.length} · ${step.id}`);
    this.#hall.console.tell(step.instruction);
    const ceremony = this.#ceremony;
    const attending = this.#attending();
    const closing = await closeCeremony(this.#hall, this.#recorder, { ceremony, step, attending });
    return {
      ceremony,
      closing,
      failure: failure ?? verdictFailure(this.#recorder.history.custody, ceremony),
    };
  }
}
