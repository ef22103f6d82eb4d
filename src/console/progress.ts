/**
 * Shows that long work goes on: on a terminal as a line that grows by dots, and for counted work a bar for
 * each tenth, so nothing is erased; elsewhere as one line at the beginning, one for each tenth, one at the
 * end. Counted work says how fast it is and how long it will take.
 */

import type { Clock } from "../lib/clock.ts";
import type { Progress } from "./console.ts";
import type { Page } from "./page.ts";

const DOT_MS = 1000;
const MAX_DOTS = 60;
const TENTHS = 10;

export interface ProgressOptions {
  readonly page: Page;
  readonly text: string;
  readonly tty: boolean;
  readonly clock: Pick<Clock, "monotonic">;
}

export function startProgress(options: ProgressOptions): Progress {
  return options.tty ? growing(options) : inLines(options);
}

/** A dot for each second, a bar for each tenth of counted work, then the seconds it took. */
function growing({ page, text, clock }: ProgressOptions): Progress {
  const count = new Count(clock);
  let dots = 0;
  let ended = false;
  // Somebody who talks in between closes the line; the next dot begins it anew.
  const open = (): void => {
    if (!page.lineIsOpen) page.grow(`${text} `);
  };
  page.closeLine();
  open();
  const timer = setInterval(() => {
    if (page.isAsking) return;
    open();
    if (dots++ < MAX_DOTS) page.grow(".");
  }, DOT_MS);
  timer.unref();
  return {
    report(done, total) {
      const reached = ended ? undefined : count.report(done, total);
      if (reached === undefined) return;
      dots = 0;
      page.closeLine();
      const bar = `[${"#".repeat(reached)}${".".repeat(TENTHS - reached)}]`;
      page.tell(`${text} ${bar} ${done} of ${total}${count.pace(done, total)}`);
    },
    end() {
      if (ended) return;
      ended = true;
      clearInterval(timer);
      open();
      page.grow(` ${count.seconds()}`);
      page.closeLine();
    },
  };
}

function inLines({ page, text, clock }: ProgressOptions): Progress {
  const count = new Count(clock);
  let ended = false;
  page.tell(`${text} …`);
  return {
    report(done, total) {
      const reached = ended ? undefined : count.report(done, total);
      if (reached === undefined) return;
      page.tell(`${text}: ${done} of ${total} (${reached * TENTHS} %)${count.pace(done, total)}`);
    },
    end() {
      if (ended) return;
      ended = true;
      page.tell(`${text}: ended after ${count.seconds()}`);
    },
  };
}

/** How far the work is, and how fast it goes. */
class Count {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #started: number;
  #tenths = 0;
  /** What was done already when counting began, as after an interruption. */
  #before: number | undefined;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
    this.#started = clock.monotonic();
  }

  /** How many tenths are done, when that is more than was said before. */
  report(done: number, total: number): number | undefined {
    this.#before ??= done < total ? done : 0;
    const reached = total > 0 ? Math.min(TENTHS, Math.floor((done * TENTHS) / total)) : 0;
    if (reached <= this.#tenths) return undefined;
    this.#tenths = reached;
    return reached;
  }

  /** `, 312 a second, 29 s left`; nothing as long as there is nothing to go by. */
  pace(done: number, total: number): string {
    const elapsed = (this.#clock.monotonic() - this.#started) / 1000;
    const own = done - (this.#before ?? 0);
    if (elapsed <= 0 || own <= 0) return "";
    const rate = own / elapsed;
    const shown = rate >= 10 ? Math.round(rate).toString() : rate.toFixed(1);
    const left = done < total ? `, ${timeLeft((total - done) / rate)} left` : "";
    return `, ${shown} a second${left}`;
  }

  seconds(): string {
    return `${((this.#clock.monotonic() - this.#started) / 1000).toFixed(1)} s`;
  }
}

function timeLeft(seconds: number): string {
  if (seconds < 100) return `${Math.ceil(seconds)} s`;
  return seconds < 6000 ? `${Math.ceil(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
