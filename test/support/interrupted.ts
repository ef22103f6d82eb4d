/** A script that loses its power before one of its acts, and what people do then until it is closed. */

import assert from "node:assert/strict";
import type { Participant } from "../../src/ceremony/action.ts";
import { endOf, finishClose } from "../../src/ceremony/finish-close.ts";
import type { Role } from "../../src/ceremony/words.ts";
import { conformed, newest } from "./conformed.ts";
import { PowerCut, PowerLine } from "./power-line.ts";
import { StageConsole } from "./stage-console.ts";
import { CAST } from "./stage-scripts.ts";
import type { Cast, RunOptions, Stage } from "./stage.ts";

export interface Interrupted {
  readonly yaml: string;
  /** A stage on which the script has not been run. */
  readonly from: () => Promise<Stage>;
  readonly cast?: Cast;
  readonly options?: RunOptions;
  /** What has to be so in the end, beside what `assertWhole` asserts. */
  readonly check?: (stage: Stage) => void | Promise<void>;
}

/** Has those who agree cosign the head that ended the newest ceremony, as `run --resume` does. */
export async function cosignEnd(stage: Stage, cast: Cast): Promise<void> {
  stage.judge();
  const end = endOf(stage.history, stage.ledger);
  assert.ok(end, "a ceremony has ended");
  stage.console = new StageConsole(cast);
  const behind = attendingOf(stage, cast).filter(({ person }) => end.cosigned.has(person));
  await finishClose(stage.hall(), stage.recorder(), end, behind);
}

function attendingOf(stage: Stage, { present }: Cast): readonly Participant[] {
  return Object.entries(present).flatMap(([person, role]) => {
    const card = stage.history.custody.people.get(person)?.card;
    return card === undefined ? [] : [{ person, role: role as Role, card }];
  });
}

/** Resumes, cosigns, or begins from the beginning: whatever an interruption calls for. */
async function goOn(
  stage: Stage,
  { yaml, cast = CAST, options }: Interrupted,
  ceremonies: number,
  settle: readonly string[],
): Promise<void> {
  const people: Cast = { ...cast, prefers: { settle } };
  const history = stage.judge();
  if (history.open !== null) await stage.resume(people);
  else if (history.ceremonies.length === ceremonies) await stage.run(yaml, people, options);
  else await cosignEnd(stage, people);
}

/** Facts by kind; an activation may come again, since a new process has no session. */
function counted(stage: Stage): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { kind } of stage.entries().flatMap(({ facts }) => facts)) {
    const name = typeof kind === "string" ? kind : "";
    if (name !== "token.activated") counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

export class Interruption {
  readonly #about: Interrupted;
  #wanted: Readonly<Record<string, number>> = {};
  /** What happens in a run that nobody interrupts. */
  #acts: readonly string[] = [];

  constructor(about: Interrupted) {
    this.#about = about;
  }

  /** Performs the script once without an interruption; returns everything in it that lasts. */
  async rehearse(): Promise<readonly string[]> {
    const { yaml, from, cast = CAST, options, check } = this.#about;
    const stage = await from();
    const line = new PowerLine();
    line.feed(stage);
    line.cutAt();
    await stage.run(yaml, cast, { ...options, hall: line.over(stage.hall()) });
    this.#wanted = counted(stage);
    this.#acts = [...line.acts];
    await check?.(stage);
    stage.remove();
    return this.#acts;
  }

  /** The power goes right before that act, from 1; then people choose, the first choice that is offered. */
  async at(act: number, choices: readonly ("finish" | "undo")[]): Promise<void> {
    const { yaml, from, cast = CAST, options, check } = this.#about;
    const stage = await from();
    const { length } = stage.history.ceremonies;
    const line = new PowerLine();
    line.feed(stage);
    line.cutAt(act);
    const hall = line.over(stage.hall());
    await assert.rejects(stage.run(yaml, cast, { ...options, hall }), PowerCut);
    line.cutAt();
    await goOn(stage, this.#about, length, choices);
    this.#assertWhole(stage, length + 1);
    await check?.(stage);
    stage.remove();
  }

  #assertWhole(stage: Stage, ceremonies: number): void {
    const { open, findings, cosigned, size } = stage.judge();
    assert.equal(open, null);
    assert.deepEqual(findings, []);
    assert.equal(stage.history.ceremonies.length, ceremonies);
    assert.equal(cosigned, size);
    assert.deepEqual(counted(stage), this.#wanted);
    const { verdict, violations } = newest(conformed(stage));
    assert.deepEqual(violations, []);
    assert.match(verdict, /^CONFORMS/);
    for (const person of Object.keys((this.#about.cast ?? CAST).present)) {
      const head = stage.medium(person).readHead(stage.site.genesis.origin) ?? "";
      assert.equal(head.split("\n")[1], String(size), `${person} carries the newest head`);
    }
  }
}
