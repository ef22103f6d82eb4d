/** One interrupted site until its ceremony is closed, what must hold on the way, and what came of all of them. */

import assert from "node:assert/strict";
import { assertSound, heldBy, ledgerOf, shapeOf, straysAmong, type Ledger } from "./crash-look.ts";
import { CrashSite, shim, type Interrupted, type Interruption } from "./crash-site.ts";
import type { Whole } from "./crash-walk.ts";
import type { Counts } from "./fault-run.ts";
import type { Ran } from "./rehearsed-site.ts";

/** What is chosen of what a step offers after an interruption: the first that it does. */
export type Preference = readonly ("finish" | "undo")[];

export interface Life {
  readonly first: Interruption;
  /** Interruptions of the runs that go on with it. */
  readonly again: readonly Interruption[];
  readonly prefer: Preference;
  /** Looks at each run that was interrupted. */
  readonly looks?: (went: Interrupted, interruption: Interruption) => void;
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

  /** @param called what its interruptions are. */
  counts(called: "kills" | "faults"): Counts {
    const { interrupted, resumed, begunAnew, ended, lost, unreadable } = this;
    const { orphans, duplicates, missing, uncaught, failures } = this;
    return {
      ...{ [called]: interrupted, resumed, begunAnew, ended, lost, unreadable },
      ...{ orphans, duplicates, missing, uncaught, failures: failures.length },
    };
  }

  /** Sentences about what went wrong since this was last asked. */
  news(): readonly string[] {
    const fresh = this.failures.slice(this.#told);
    this.#told = this.failures.length;
    return fresh;
  }

  #told = 0;

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
      const went = await (open === null ? crash.run(next) : crash.resume(open, life.prefer, next));
      if (went.fired) this.interrupted += 1;
      if (next !== undefined) life.looks?.(went, next);
      this.#assertNoBug(went.ran, next);
      if (open !== null) assertNamed(open.id, went);
      before = this.#stillThere(crash, before, went);
      if (isClosed(before, crash.ceremony)) return true;
      if (before.open === null) this.begunAnew += 1;
      else if (went.ran.stderr.includes(STUCK)) {
        // An action cannot tell what became of its step: two people end the ceremony.
        const { code, stderr } = await crash.abandon();
        assert.equal(code, 0, stderr);
        this.ended += 1;
        return false;
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

  #assertNoBug({ code, signal, stderr }: Ran, interruption: Interruption | undefined): void {
    const left = interruption?.at === "call" && interruption.then === "leaves" && code === 130;
    if (left) return;
    const shown = /^\s+at .+:\d+:\d+\)?$/m.test(stderr);
    if (
      !shown &&
      (code === 0 || signal === "SIGKILL" || TYPED.test(stderr) || stderr.includes(UNASKED))
    )
      return;
    this.uncaught += 1;
    assert.fail(`it ended with ${String(code ?? signal)}: ${stderr.slice(-1500)}`);
  }

  /** What is on the tokens is what custody says, as if nothing had happened, and the ledger verifies. */
  async #settled({ site }: CrashSite, whole: Whole): Promise<void> {
    const { custody, ceremonies } = ledgerOf(site);
    const held = await heldBy(site, shim, custody);
    const { orphans, duplicates, missing } = straysAmong(held, custody);
    this.orphans += orphans.length;
    this.duplicates += duplicates.length;
    this.missing += missing.length;
    assert.deepEqual(
      { orphans, duplicates, missing },
      { orphans: [], duplicates: [], missing: [] },
    );
    // A drill that has failed for want of its HSM may leave what it could not destroy: on record, as was seen above.
    const drill = custody.drills.find(({ ceremony }) => ceremony === ceremonies.at(-1)?.id);
    const shape = shapeOf(held);
    const kept =
      drill?.verdict === "fail" ? shape.filter((one) => whole.shape.includes(one)) : shape;
    assert.deepEqual(kept, whole.shape);
    await assertSound(site);
  }
}

/** How a run ends that was not killed: by name, for the HSM's administrator or to be gone on with. */
const TYPED = /\((hsm\.[a-z-]+, exit 5|halted\.[a-z-]+, exit 7)\)/;

// Whoever goes on is told first what became of the ceremony; a kill may come before.
function assertNamed(ceremony: string, { fired, ran }: Interrupted): void {
  if (fired && ran.signal === "SIGKILL") return;
  assert.match(
    ran.stderr,
    new RegExp(`Ceremony ${ceremony}: |ceremony ${ceremony} cannot be resumed`),
  );
}

/** A step that had begun is asked about by some actions only: the rehearsal had an answer too many. */
const UNASKED = "answers what nobody asked";
const STUCK = "cannot be resumed";

function isClosed({ ceremonies }: Ledger, ceremony: string): boolean {
  const last = ceremonies.at(-1);
  return last?.script === ceremony && last.state === "closed";
}

function inWords(interruption: Interruption): string {
  return interruption.at === "file"
    ? `at file point ${interruption.n}, ${interruption.who}`
    : `at ${interruption.name} ${interruption.nth}, ${interruption.action}`;
}
