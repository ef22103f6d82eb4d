/**
 * Conducting a plan: opened, then step by step, then closed. Every beat is an entry; whatever stops
 * the ceremony is recorded before the prompt returns.
 */

import { EVERYONE } from "../console/console.ts";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import { canonicalJson } from "../lib/json.ts";
import { sha256Hex, utf8, visible } from "../lib/encoding.ts";
import type { Participant, Room } from "./action.ts";
import { endedEarly } from "./abandon.ts";
import { adoptTail } from "./tail.ts";
import { closeCeremony, type Closing } from "./closing.ts";
import { found } from "./founding.ts";
import type { Hall } from "./hall.ts";
import { PeopleInStep } from "./people-in-step.ts";
import type { Plan, PlanStep } from "./plan.ts";
import { recordedPlan } from "./plan-document.ts";
import { makeRoom } from "./room.ts";
import type { Attached, Recorder } from "./recorder.ts";
import { CLOSE } from "./script.ts";
import { standingOf, type Tail } from "./standing.ts";
import { StepRun } from "./step-run.ts";
import { BoundTokens } from "./token-room.ts";
import type { Role } from "./words.ts";

export interface Conducted {
  readonly ceremony: string;
  readonly closing: Closing;
}

export class Conductor {
  readonly #hall: Hall;
  readonly #recorder: Recorder;
  readonly #plan: Plan;
  readonly #ceremony: string;
  readonly #tail: Tail | null;
  readonly #tokens: BoundTokens;

  constructor(hall: Hall, recorder: Recorder, plan: Plan, ceremony: string) {
    this.#hall = hall;
    this.#recorder = recorder;
    this.#plan = plan;
    this.#ceremony = ceremony;
    const { explained, size } = recorder.history;
    this.#tail = explained < size ? { from: explained, to: size } : null;
    this.#tokens = new BoundTokens({
      hsm: hall.hsm,
      bindings: hall.bindings,
      assurance: hall.genesis.assurance,
      modules: plan.modules,
      custody: () => recorder.history.custody,
      policy: () => recorder.history.policy ?? hall.policy,
    });
  }

  /**
   * Conducts the whole plan.
   * @throws KeyriteError what stopped the ceremony; it stays open when anything had begun.
   */
  async conduct(): Promise<Conducted> {
    if (this.#recorder.history.size === 0) await found(this.#hall, this.#recorder, this.#ceremony);
    this.#open();
    try {
      for (const step of this.#plan.steps) {
        this.#requireUninterrupted();
        if (step.action === CLOSE) return await this.#close(step);
        await this.#perform(step);
      }
      throw new Error("a plan without a close was conducted");
    } catch (error) {
      throw endedEarly(this.#recorder, this.#ceremony, error);
    } finally {
      await this.#tokens.deactivateAll();
    }
  }

  #open(): void {
    const hall = this.#hall;
    const plan = this.#plan;
    const planBytes = utf8(canonicalJson(plan.document));
    const attached: Attached[] = [
      { mediaType: "application/yaml", bytes: plan.script.bytes },
      { mediaType: "application/json", bytes: planBytes },
      { mediaType: "application/yaml", bytes: hall.bindings.bytes },
    ];
    this.#recorder.append(
      {
        type: "ceremony.opened",
        ceremony: this.#ceremony,
        description: `${plan.script.title} (${plan.script.name} ${plan.script.version}).`,
        policyRefs: plan.script.policyRefs,
        data: {
          title: plan.script.title,
          script: plan.script.sha256,
          caClass: plan.script.caClass,
          plan: sha256Hex(planBytes),
          bindings: hall.bindings.sha256,
          policy: hall.policy.sha256,
          software: { ...hall.software },
          modules: Object.entries(plan.modules).map(([module, sha256]) => ({ module, sha256 })),
          assurance: hall.genesis.assurance,
          previous: this.#previousHead(),
        },
      },
      attached,
    );
    this.#hall.console.heading(plan.script.title);
    this.#hall.console.tell(`Ceremony ${this.#ceremony}`);
    this.#hall.console.tell(`Plan ${plan.sha256}`);
    if (hall.genesis.assurance === "test") this.#hall.console.warn("TEST – not a production site");
  }

  /** The previous cosigned checkpoint, verbatim with its cosignatures, or null. */
  #previousHead(): string | null {
    const { cosigned } = this.#recorder.history;
    if (cosigned === 0) return null;
    const { ledger } = this.#recorder;
    const note = ledger.checkpoint(cosigned);
    if (note === undefined) return null;
    return (
      note +
      ledger
        .cosignatures(cosigned)
        .map(({ line }) => `${line}\n`)
        .join("")
    );
  }

  #requireUninterrupted(): void {
    if (!this.#hall.interrupted()) return;
    throw new KeyriteError("halted.interrupted", "the ceremony was interrupted between two steps");
  }

  async #perform(step: PlanStep): Promise<void> {
    const { console } = this.#hall;
    console.heading(`Step ${step.n} of ${this.#plan.steps.length} · ${step.id}`);
    console.tell(step.instruction);
    for (;;) {
      try {
        await this.#attempt(step);
        break;
      } catch (error) {
        if (!(error instanceof KeyriteError) || !this.#mayTryAgain(step, error)) throw error;
        console.warn(visible(messageOf(error)));
        for (const hint of error.hints) console.tell(`  ${visible(hint)}`);
        if (!(await this.#tryAgain(step))) throw error;
      }
    }
    this.#requireTaken(step);
    console.tell(`Step ${step.n} is done and recorded.`);
    if (step.control === "everyone" && this.#tail !== null) {
      await adoptTail(this.#hall, this.#recorder, {
        ceremony: this.#ceremony,
        plan: recordedPlan(this.#plan),
        step: { ...step, with: step.values },
        tail: this.#tail,
        attending: this.#attending(),
      });
    }
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

  // Only a step that never began is tried again: nothing that changes an HSM is repeated blindly.
  #mayTryAgain(step: PlanStep, error: KeyriteError): boolean {
    const outcome = this.#recorder.history.open?.steps.get(step.id);
    const begun = outcome !== undefined && outcome !== "refused" && outcome !== "opened";
    return !begun && (error.code.startsWith("people.") || error.code.startsWith("hsm."));
  }

  async #tryAgain(step: PlanStep): Promise<boolean> {
    const answer = await this.#hall.console.choose({
      step: step.id,
      id: "again",
      to: EVERYONE,
      text: `step ${step.n} has not begun, and the refusal is recorded. What now?`,
      choices: [
        { value: "again", label: `try step ${step.n} again, from its beginning` },
        { value: "stop", label: "stop the ceremony here" },
      ],
      preset: "stop",
    });
    return answer === "again";
  }

  async #attempt(step: PlanStep): Promise<void> {
    const attached: Attached[] = [];
    const people = new PeopleInStep({
      console: this.#hall.console,
      recorder: this.#recorder,
      ceremony: this.#ceremony,
      step: step.id,
      medium: (person, name) => this.#hall.medium(person, name),
      attending: this.#attending(),
      performers: await this.#performers(step),
    });
    await new StepRun({
      hall: this.#hall,
      recorder: this.#recorder,
      ceremony: this.#ceremony,
      plan: this.#plan,
      step,
      people,
      room: this.#room(step, people, attached),
      attached,
    }).perform();
  }

  #room(step: PlanStep, people: PeopleInStep, attached: Attached[]): Room {
    return makeRoom({
      hall: this.#hall,
      recorder: this.#recorder,
      ceremony: this.#ceremony,
      step: step.id,
      people,
      tokens: this.#tokens,
      standing: standingOf(this.#hall, this.#recorder, this.#plan, this.#tail),
      attached,
    });
  }

  #attending(): readonly Participant[] {
    const { attending, people } = this.#recorder.history.custody;
    return attending.flatMap(({ person, role }) => {
      const card = people.get(person)?.card;
      return card === undefined ? [] : [{ person, role, card }];
    });
  }

  /** One person for each role of `by`; where more attend than are needed, the room chooses. */
  async #performers(step: PlanStep): Promise<readonly Participant[]> {
    const attending = this.#attending();
    if (step.by === "everyone") return attending;
    const chosen: Participant[] = [];
    for (const role of step.by) {
      const free = attending.filter((a) => a.role === role && !chosen.includes(a));
      const needed = step.by.filter((r) => r === role).length;
      const already = chosen.filter((c) => c.role === role).length;
      const [first] = free;
      if (first === undefined) {
        throw new KeyriteError("people.quorum-not-met", `nobody attends as ${role}`);
      }
      const choose = free.length > needed - already;
      chosen.push(choose ? await this.#choose(step, role, free) : first);
    }
    return chosen;
  }

  async #choose(step: PlanStep, role: Role, free: readonly Participant[]): Promise<Participant> {
    const answer = await this.#hall.console.choose({
      step: step.id,
      id: "who",
      to: EVERYONE,
      text: `who acts as ${role} in step ${step.n}?`,
      choices: free.map(({ person, card }) => ({
        value: person,
        label: `${card.name} (${person})`,
      })),
      preset: free[0]?.person ?? "",
    });
    const found = free.find((p) => p.person === answer);
    if (found === undefined) throw new Error("a choice outside the list was returned");
    return found;
  }

  async #close(step: PlanStep): Promise<Conducted> {
    this.#hall.console.heading(`Step ${step.n} of ${this.#plan.steps.length} · ${step.id}`);
    this.#hall.console.tell(step.instruction);
    const closing = await closeCeremony(this.#hall, this.#recorder, {
      ceremony: this.#ceremony,
      step,
      attending: this.#attending(),
    });
    return { ceremony: this.#ceremony, closing };
  }
}
