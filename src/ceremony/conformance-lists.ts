/** Lists of what was found, bounded: a hostile record can hold millions of faults, a verdict needs the first ones. */

import type { Entry } from "../ledger/entry.ts";
import type { Exception, Missing, Named, Violation } from "./conformance-report.ts";

/** Most of each kind that one ceremony, or the whole, is told. */
export const MOST_FOUND = 1000;

/** Which step an entry is about: its id, and its number in the plan where there is such a step. */
export interface About {
  readonly step: string | null;
  readonly n: number | null;
}

export const NO_STEP: About = { step: null, n: null };

export class Found {
  readonly #violations: Violation[] = [];
  readonly #exceptions: Exception[] = [];
  readonly #missing: Missing[] = [];
  #violationsLeft = 0;
  #exceptionsLeft = 0;
  #deviates = false;

  get violations(): readonly Violation[] {
    if (this.#violationsLeft === 0) return [...this.#violations];
    const text = `${this.#violationsLeft} more left off`;
    return [...this.#violations, { code: "order", seq: null, ...NO_STEP, text }];
  }

  get exceptions(): readonly Exception[] {
    const last = this.#exceptions.at(-1);
    if (this.#exceptionsLeft === 0 || last === undefined) return [...this.#exceptions];
    const text = `${this.#exceptionsLeft} more left off`;
    return [
      ...this.#exceptions,
      { ...last, ...NO_STEP, deviates: this.#deviates, text, people: [] },
    ];
  }

  get missing(): readonly Missing[] {
    return [...this.#missing];
  }

  /** Whether anything on record keeps it from conforming without deviations. */
  get deviates(): boolean {
    return this.#deviates;
  }

  violation(code: Violation["code"], seq: number | null, about: About, text: string): void {
    if (this.#violations.length >= MOST_FOUND) this.#violationsLeft += 1;
    else this.#violations.push({ code, seq, step: about.step, n: about.n, text });
  }

  exception(
    kind: Exception["kind"],
    entry: Pick<Entry, "seq" | "time">,
    about: About,
    text: string,
    more: { readonly people?: readonly Named[]; readonly deviates?: boolean } = {},
  ): void {
    const { people = [], deviates = true } = more;
    this.#deviates ||= deviates;
    if (this.#exceptions.length >= MOST_FOUND) {
      this.#exceptionsLeft += 1;
      return;
    }
    const { seq, time } = entry;
    const { step, n } = about;
    this.#exceptions.push({ kind, deviates, seq, time, step, n, text, people });
  }

  lacks(missing: Missing): void {
    const known = this.#missing.some(({ text }) => text === missing.text);
    if (!known && this.#missing.length < MOST_FOUND) this.#missing.push(missing);
  }
}
