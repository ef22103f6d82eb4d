/**
 * Sweeps of mutated files. A reader answers each mutant with a refusal, or with something that is proved to be what
 * the mutant says; anything else is a failure, and so is an error that is not ours and a mutant that takes long.
 */

import assert from "node:assert/strict";
import { KeyriteError } from "../../src/lib/errors.ts";
import type { Change, Changes } from "./file-mutants.ts";
import { figure, SEED, sized, type Counts } from "./fault-run.ts";
import { Dice } from "./random-mutations.ts";

/** `same`: it means what the original means. `other`: a good file of its own, under a digest of its own. */
export type Verdict = "refused" | "same" | "other";

export interface Mutant {
  readonly bytes: Uint8Array;
  readonly original: Uint8Array;
  /** Which of the originals, and what was done to it. */
  readonly about: string;
  readonly number: number;
}

export interface MutantSweep {
  readonly row: string;
  /** The sweep in a few words, as its figure names it. */
  readonly what: string;
  readonly short: number;
  readonly full: number;
  /** Files by name, each as good as the next to begin from. */
  readonly originals: Readonly<Record<string, Uint8Array>>;
  readonly changes: Changes;
  /**
   * What the reader made of a mutant. A KeyriteError that it throws is a refusal; a failed assertion says that the
   * mutant was wrongly accepted.
   */
  readonly judge: (mutant: Mutant) => Verdict | Promise<Verdict>;
}

const SLOW_MICROSECONDS = 1_000_000;

/** Runs a sweep, says its figure, and fails for whatever went wrong in it. */
export async function sweepMutants(sweep: MutantSweep): Promise<Counts> {
  const count = sized(sweep.short, sweep.full);
  const counts = {
    ...{ mutants: count, refused: 0, same: 0, other: 0 },
    ...{ uncaught: 0, wronglyAccepted: 0, overOneSecond: 0 },
  };
  const failures: string[] = [];
  for (let number = 0; number < count; number += 1) {
    const mutant = mutantOf(sweep, number);
    // Of this process, so that a busy machine fails nobody.
    const before = process.cpuUsage();
    const answer = await answerTo(sweep, mutant);
    const { user, system } = process.cpuUsage(before);
    if (user + system > SLOW_MICROSECONDS) {
      counts.overOneSecond += 1;
      failures.push(`took ${(user + system) / 1000} ms: ${nameOf(mutant)}`);
    }
    counts[answer.is] += 1;
    if (answer.is === "uncaught" || answer.is === "wronglyAccepted") {
      failures.push(`${answer.is}: ${nameOf(mutant)}: ${answer.why}`);
    }
  }
  figure(sweep.row, sweep.what, counts);
  assert.equal(failures.length, 0, failures.slice(0, 5).join("\n"));
  assert.ok(counts.refused > count / 4, "the changes are such that a good part is refused");
  return counts;
}

interface Answer {
  readonly is: Verdict | "uncaught" | "wronglyAccepted";
  readonly why: string;
}

async function answerTo({ judge }: MutantSweep, mutant: Mutant): Promise<Answer> {
  try {
    return { is: await judge(mutant), why: "" };
  } catch (error) {
    if (error instanceof assert.AssertionError) {
      return { is: "wronglyAccepted", why: error.message.slice(0, 600) };
    }
    const why = whyNoRefusal(error);
    return why === undefined ? { is: "refused", why: "" } : { is: "uncaught", why };
  }
}

/** Undefined for an error that an operator can act on. */
function whyNoRefusal(error: unknown): string | undefined {
  if (!(error instanceof KeyriteError)) {
    return error instanceof Error ? (error.stack ?? error.message).slice(0, 600) : String(error);
  }
  if (error.code === "internal.bug") return `a bug: ${error.message}`;
  return error.message.trim() === "" ? "a refusal without words" : undefined;
}

/** The mutant of a number, whatever came before it. */
export function mutantOf(
  sweep: Pick<MutantSweep, "originals" | "changes">,
  number: number,
): Mutant {
  const names = Object.keys(sweep.originals);
  const dice = new Dice(Math.imul(SEED + number, 0x9e3779b1) ^ 0x5bd1e995);
  // The first numbers of neighbouring seeds are alike.
  for (let i = 0; i < 8; i += 1) dice.below(2);
  const name = dice.pick(names);
  const original = sweep.originals[name] ?? new Uint8Array();
  const changes = Object.entries(sweep.changes);
  const [about, change] = changes[number % changes.length] ?? unchangedBy();
  let bytes = change(original, dice);
  // Now and then two changes together, of which one may hide the other.
  if (dice.below(6) === 0) bytes = dice.pick(changes)[1](nonEmpty(bytes), dice);
  for (let tries = 0; Buffer.compare(bytes, original) === 0; tries += 1) {
    bytes = tries < 20 ? change(original, dice) : nonEmpty(bytes).subarray(1);
  }
  return { bytes, original, about: `${name}: ${about}`, number };
}

function nonEmpty(bytes: Uint8Array): Uint8Array {
  return bytes.length === 0 ? Uint8Array.of(0) : bytes;
}

function unchangedBy(): readonly [string, Change] {
  throw new Error("a sweep needs changes");
}

function nameOf({ number, about, bytes }: Mutant): string {
  const short =
    bytes.length <= 400 ? ` ${JSON.stringify(Buffer.from(bytes).toString("latin1"))}` : "";
  return `mutant ${number} of seed ${SEED}, ${about}${short}`;
}
