/**
 * Several sessions of one login, working side by side: a session holds one operation at a time, and
 * slow tokens answer many sessions faster than one.
 */

import type { Context } from "./objects.ts";
import type { Handle } from "./raw.ts";

const MAX_LANES = 64;
const WALKERS = 64;

/** Sessions for lanes; the first is the one that is open already. */
export class Lanes {
  readonly contexts: readonly Context[];
  readonly #own: readonly Context[];

  /** @param count how many; at least one and at most 64. */
  constructor(first: Context, slot: Handle, count: number) {
    const { module } = first;
    const more = Math.min(Math.max(1, Math.floor(count)), MAX_LANES) - 1;
    const own: Context[] = [];
    try {
      for (let index = 0; index < more; index++) {
        own.push({ module, session: module.openSession(slot, "read-write") });
      }
    } catch (error) {
      closeAll(own);
      throw error;
    }
    this.#own = own;
    // A single lane is walked by many: all its calls to the token run on this thread, one after the other,
    // and the signatures they leave behind are verified together on others.
    this.contexts =
      own.length === 0 ? Array.from({ length: WALKERS }, () => first) : [first, ...own];
  }

  /** True when there is more than one. */
  get several(): boolean {
    return this.#own.length > 0;
  }

  /**
   * Results in the order of `items`. After a failure no lane begins another item; the failure is
   * thrown when all have ended theirs.
   */
  async map<T, R>(
    items: readonly T[],
    work: (context: Context, item: T) => Promise<R>,
  ): Promise<readonly R[]> {
    const results: R[] = [];
    const queue = items.entries();
    let failed = false;
    const run = async (context: Context): Promise<void> => {
      for (const [index, item] of queue) {
        try {
          results[index] = await work(context, item);
        } catch (error) {
          failed = true;
          throw error;
        }
        if (failed) return;
      }
    };
    const ends = await Promise.allSettled(this.contexts.map(run));
    for (const end of ends) if (end.status === "rejected") throw end.reason as Error;
    return results;
  }

  close(): void {
    closeAll(this.#own);
  }
}

function closeAll(contexts: readonly Context[]): void {
  for (const { module, session } of contexts) {
    try {
      module.closeSession(session);
    } catch {
      // Gone with its token: there is nothing left to close.
    }
  }
}
