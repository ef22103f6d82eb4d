/**
 * Several sessions of one login, working side by side: a session holds one operation at a time, and
 * slow tokens answer many sessions faster than one.
 */

import type { Context } from "./objects.ts";
import type { Handle } from "./raw.ts";

const MAX_LANES = 64;
const WALKERS = 96;

/** Sessions for lanes. */
export class Lanes {
  readonly contexts: readonly Context[];
  readonly #own: readonly Context[];

  /**
   * @param first a session that is open already: the only lane, or none of several, so that whoever else
   * uses it finds it free.
   * @param count how many; at least one and at most 64.
   */
  constructor(first: Context, slot: Handle, count: number) {
    const { module } = first;
    const lanes = Math.min(Math.max(1, Math.floor(count)), MAX_LANES);
    const own: Context[] = [];
    try {
      for (let index = 0; lanes > 1 && index < lanes; index++) {
        own.push({ module, session: module.openSession(slot, "read-write") });
      }
    } catch (error) {
      closeAll(own);
      throw error;
    }
    this.#own = own;
    // A single lane is walked by many: all its calls to the token run on this thread, one after the other,
    // and the signatures they leave behind are verified together on others.
    this.contexts = own.length === 0 ? Array.from({ length: WALKERS }, () => first) : own;
  }

  /** True when there is more than one. */
  get several(): boolean {
    return this.#own.length > 0;
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
