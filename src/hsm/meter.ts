/** Counts logins, PKCS#11 calls and the time spent inside them, for evidence and tests. */

import { Journal } from "./journal.ts";
import type { HsmCounters } from "./token.ts";

/** Looks on while calls are made. */
export interface CallWatch {
  /** Before each call. @throws KeyriteError when it is not to be made. */
  readonly begins: () => void;
  readonly ends: () => void;
}

export class Meter implements HsmCounters {
  readonly journal = new Journal();
  #logins = 0;
  #milliseconds = 0;
  readonly #monotonic: () => number;
  readonly #watch: CallWatch | undefined;

  /** @param monotonic milliseconds of a clock that never goes back. */
  constructor(monotonic: () => number, watch?: CallWatch) {
    this.#monotonic = monotonic;
    this.#watch = watch;
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
    this.#watch?.begins();
    const start = this.#monotonic();
    try {
      return call();
    } finally {
      this.#milliseconds += this.#monotonic() - start;
      this.#watch?.ends();
    }
  }

  async timeAsync<T>(call: () => Promise<T>): Promise<T> {
    this.#watch?.begins();
    const start = this.#monotonic();
    try {
      return await call();
    } finally {
      this.#milliseconds += this.#monotonic() - start;
      this.#watch?.ends();
    }
  }
}
