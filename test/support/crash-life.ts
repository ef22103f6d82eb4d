/** One interrupted site until its ceremony is closed, what must hold on the way, and what came of all of them. */

import assert from "node:assert/strict";
import {
  assertSound,
  ledgerOf,
  objectsOn,
  shapeOf,
  straysAmong,
  type Ledger,
} from "./crash-look.ts";
import { CrashSite, shim, type Interrupted, type Interruption } from "./crash-site.ts";
import type { Whole } from "./crash-walk.ts";
import { figure } from "./fault-run.ts";
import type { Ran } from "./rehearsed-site.ts";

/** What is chosen of what a step offers after an interruption: the first that it does. */
export type Preference = readonly ("finish" | "undo")[];

export interface Life {
  readonly first: Interruption;
  /** Interruptions of the runs that go on with it. */
  readonly again: readonly Interruption[];
  readonly prefer: Preference;
}

/** No life needs so many runs. */
const MOST_RUNS = 12;

/** Counts over all lives of one row of faults. */
export class Tally {
  interrupted = 0;
  resumed = 0;
  begunAnew = 0;
  /** Ended by two people, since an action could not tell what became of its step. */
  ended = 0;
  lost = 0;
  unreadable = 0;
  orphans = 0;
  duplicates = 0;
  missing = 0;
  uncaught = 0;
  /** One sentence for each life that went wrong. */
  readonly failures: string[] = [];

  figure(row: string, what: string): void {
    const { failures, ...counts } = this;
    figure(row, what, { ...counts, failures: failures.length });
  }

  /** How far a long run has come. */
  progress(row: string, ceremony: string): void {
    const { failures, ...counts } = this;
    const fresh = failures.slice(this.#said);
    this.#said = failures.length;
    process.stderr.write(`${row} ${ceremony} ${JSON.stringify(counts)}\n`);
    for (const one of fresh) process.stderr.write(`  ${one}\n`);
  }

  #said = 0;

  /** Lives one life, and notes what went wrong in it. */
  async live(whole: Whole, life: Life): Promise<void> {
    const crash = new CrashSite(whole);
    const story = [`${whole.ceremony}: ${inWords(life.first)}`];
    try {
      const closed = await this.#untilClosed(crash, life, story);
      if (closed) await this.#settled(crash, whole);
      else await assertSound(crash.site);
    } catch (error) {
      const why = error instanceof Error ? error.message : "no error";
      this.failures.push(`${story.join(", then ")}: ${why}`);
    } finally {
      crash.remove();
    }
  }

  /** False when two people had to end it. */
  async #untilClosed(crash: CrashSite, life: Life, story: string[]): Promise<boolean> {
    let before = ledgerOf(crash.site);
    let next: Interruption | undefined = life.first;
    const later = [...life.again];
    for (let runs = 0; runs < MOST_RUNS; runs += 1) {
      const { open } = before;
      const went = await (open === null ? crash.run(next) : crash.resume(life.prefer, next));
      if (went.fired) this.interrupted += 1;
      this.#assertNoBug(went.ran);
      before = this.#stillThere(crash, before, went);
      if (isClosed(before, crash.ceremony)) return true;
      if (before.open === null) this.begunAnew += 1;
      else if (whyStuck(before, went.ran)) {
        const { code, stderr } = await crash.abandon();
        assert.equal(code, 0, stderr);
        this.ended += 1;
        before = ledgerOf(crash.site);
        if (went.ran.stderr.includes(STUCK)) return false;
      } else {
        assert.ok(went.fired, went.ran.stderr);
        this.resumed += 1;
      }
      next = later.shift();
      story.push(next === undefined ? "gone on with" : inWords(next));
    }
    return assert.fail(`it was not closed by ${MOST_RUNS} runs`);
  }

  /** What was there before is there still, and so is every transaction that was complete. */
  #stillThere(crash: CrashSite, before: Ledger, went: Interrupted): Ledger {
    let now: Ledger;
    try {
      now = ledgerOf(crash.site);
    } catch (error) {
      this.unreadable += 1;
      throw error;
    }
    const complete = went.points.at(-1)?.commits ?? 0;
    const added = now.marks - before.marks;
    if (added < complete || before.texts.some((text, seq) => now.texts[seq] !== text)) {
      this.lost += 1;
      assert.fail(`${complete} transactions were complete, ${added} are there`);
    }
    return now;
  }

  #assertNoBug({ code, signal, stderr }: Ran): void {
    const shown = code === 1 || /^\s+at .+:\d+:\d+\)?$/m.test(stderr);
    if (!shown && (code !== null || signal === "SIGKILL")) return;
    this.uncaught += 1;
    assert.fail(`it ended with ${String(code ?? signal)}: ${stderr.slice(-1500)}`);
  }

  /** What is on the tokens is what custody says, as if nothing had happened, and the ledger verifies. */
  async #settled({ site }: CrashSite, whole: Whole): Promise<void> {
    const { custody } = ledgerOf(site);
    const objects = await objectsOn(site, shim, custody);
    const { orphans, duplicates, missing } = straysAmong(objects, custody);
    this.orphans += orphans.length;
    this.duplicates += duplicates.length;
    this.missing += missing.length;
    assert.deepEqual(
      { orphans, duplicates, missing },
      { orphans: [], duplicates: [], missing: [] },
    );
    assert.deepEqual(shapeOf(objects), whole.shape);
    await assertSound(site);
  }
}

const STUCK = "cannot be resumed";

/** Whether nobody can go on with it, so that two people end it: nobody was called yet, or an action cannot tell. */
function whyStuck({ open }: Ledger, ran: Ran): boolean {
  return open?.attending.length === 0 || ran.stderr.includes(STUCK);
}

function isClosed({ ceremonies }: Ledger, ceremony: string): boolean {
  const last = ceremonies.at(-1);
  return last?.script === ceremony && last.state === "closed";
}

function inWords(interruption: Interruption): string {
  return interruption.at === "file"
    ? `at file point ${interruption.n}, ${interruption.who}`
    : `at ${interruption.name} ${interruption.nth}, ${interruption.action}`;
}
