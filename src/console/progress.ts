/**
 * Shows that long work goes on: on a terminal as a line that grows by dots, so nothing is erased;
 * elsewhere as one line at the beginning, one for each tenth, and one at the end.
 */

import type { Clock } from "../lib/clock.ts";
import type { Progress } from "./console.ts";
import type { Page } from "./page.ts";

const DOT_MS = 1000;
const MAX_DOTS = 60;

export interface ProgressOptions {
  readonly page: Page;
  readonly text: string;
  readonly tty: boolean;
  readonly clock: Pick<Clock, "monotonic">;
}

export function startProgress(options: ProgressOptions): Progress {
  return options.tty ? growing(options) : inLines(options);
}

/** A dot for each second and for each tenth of the work, then the seconds it took. */
function growing({ page, text, clock }: ProgressOptions): Progress {
  const started = clock.monotonic();
  let dots = 0;
  let tenths = 0;
  let ended = false;
  // Somebody who talks in between closes the line; the next dot begins it anew.
  const open = (): void => {
    if (!page.lineIsOpen) page.grow(`${text} `);
  };
  const dot = (): void => {
    open();
    if (dots++ < MAX_DOTS) page.grow(".");
  };
  page.closeLine();
  open();
  const timer = setInterval(dot, DOT_MS);
  timer.unref();
  return {
    report(done, total) {
      const reached = tenthsOf(done, total);
      while (!ended && tenths < reached) {
        tenths++;
        dot();
      }
    },
    end() {
      if (ended) return;
      ended = true;
      clearInterval(timer);
      open();
      page.grow(` ${seconds(clock.monotonic() - started)}`);
      page.closeLine();
    },
  };
}

function inLines({ page, text, clock }: ProgressOptions): Progress {
  const started = clock.monotonic();
  let tenths = 0;
  let ended = false;
  page.tell(`${text} …`);
  return {
    report(done, total) {
      const reached = tenthsOf(done, total);
      if (ended || reached <= tenths) return;
      tenths = reached;
      page.tell(`${text}: ${done} of ${total} (${reached * 10} %)`);
    },
    end() {
      if (ended) return;
      ended = true;
      page.tell(`${text}: ended after ${seconds(clock.monotonic() - started)}`);
    },
  };
}

function tenthsOf(done: number, total: number): number {
  return total > 0 ? Math.min(10, Math.floor((done * 10) / total)) : 0;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
