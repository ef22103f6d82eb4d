/** Progress of a batch, counted in keys. */

import type { Room } from "../../ceremony/action.ts";

/** Fewer are done before anybody wonders. */
const WORTH_SHOWING = 20;

export interface CountedProgress {
  /** So many more keys are done. */
  done(count: number): void;
  end(): void;
}

export function countedProgress(room: Room, text: string, total: number): CountedProgress {
  if (total < WORTH_SHOWING) return { done: () => undefined, end: () => undefined };
  const progress = room.console.progress(text);
  let sum = 0;
  return {
    done(count) {
      sum += count;
      progress.report(sum, total);
    },
    end() {
      progress.end();
    },
  };
}
