/**
 * How long a module's process has given no sign of life while somebody waits for it: after a while the room is
 * told, once, and again when it answers; after its patience it is given up. People who see nothing happen pull
 * plugs.
 */

export interface SilenceMeans {
  readonly monotonic: () => number;
  /** After how many milliseconds the process is given up. */
  readonly patience: number;
  /** After how many milliseconds the room is told. */
  readonly notice: number;
  /** At most how many milliseconds lie between two looks at the clock. */
  readonly look: number;
  /** Told once in each silence, with its milliseconds so far. */
  readonly silent: (milliseconds: number) => void;
  /** Told when a silence that the room knows of has ended, with all its milliseconds. */
  readonly again: (milliseconds: number) => void;
  readonly givenUp: () => void;
}

export class Silence {
  readonly #means: SilenceMeans;
  #lastSign: number;
  #isKnown = false;
  #waiting = 0;
  #watch: NodeJS.Timeout | undefined;

  constructor(means: SilenceMeans) {
    this.#means = means;
    this.#lastSign = means.monotonic();
  }

  /** The process lives. */
  sign(): void {
    const { monotonic, again } = this.#means;
    const now = monotonic();
    if (this.#isKnown) again(now - this.#lastSign);
    this.#isKnown = false;
    this.#lastSign = now;
  }

  /** Something was asked of it: its time begins, unless it already owes an answer. */
  asked(): void {
    if (this.#waiting === 0) this.#lastSign = this.#means.monotonic();
  }

  /** From here on its silence is watched, until the body has ended. */
  async whileWaiting<T>(body: () => Promise<T>): Promise<T> {
    this.asked();
    this.#waiting += 1;
    const { patience, look } = this.#means;
    this.#watch ??= setInterval(
      () => {
        this.#look();
      },
      Math.max(1, Math.min(look, patience / 4)),
    );
    try {
      return await body();
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0) {
        clearInterval(this.#watch);
        this.#watch = undefined;
      }
    }
  }

  #look(): void {
    const { monotonic, patience, notice, silent, givenUp } = this.#means;
    const silence = monotonic() - this.#lastSign;
    if (silence > patience) {
      this.#isKnown = false;
      givenUp();
    } else if (silence > notice && !this.#isKnown) {
      this.#isKnown = true;
      silent(silence);
    }
  }
}
