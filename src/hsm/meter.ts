/** Counts logins and the time spent inside PKCS#11 calls, for evidence and tests. */

import type { HsmCounters } from "./token.ts";

export class Meter implements HsmCounters {
  #logins = 0;
  #milliseconds = 0;
  readonly #monotonic: () => number;

  /** @param monotonic milliseconds of a clock that never goes back. */
  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  get logins(): number {
    return this.#logins;
  }

  get milliseconds(): number {
    return this.#milliseconds;
  }

  countLogin(): void {
    this.#logins += 1;
  }

  time<T>(call: () => T): T {
    const start = this.#monotonic();
    try {
      return call();
    } finally {
      this.#milliseconds += this.#monotonic() - start;
    }
  }

  async timeAsync<T>(call: () => Promise<T>): Promise<T> {
    const start = this.#monotonic();
    try {
      return await call();
    } finally {
      this.#milliseconds += this.#monotonic() - start;
    }
  }
}
