/**
 * The PKCS#11 call journal: how often which function was called on which token, with which mechanism and
 * which result. It holds no values and no handles, so that it may stand in the record.
 */

import { ckrOf } from "./ckr.ts";
import { CKM, nameOf } from "./constants.ts";
import type { Handle } from "./raw.ts";

/** Serial of the token, function, mechanism, CKR name, number of calls; "-" for what a call has not. */
export type JournalRow = readonly [
  token: string,
  call: string,
  mechanism: string,
  ckr: string,
  count: number,
];

/** What a call was about besides its name. */
export interface CallSubject {
  /** Serial of the token. */
  readonly token: string;
  /** CKM_* number. */
  readonly mechanism?: number;
}

interface Row {
  readonly token: string;
  readonly mechanism: number;
  readonly ckr: string;
  readonly call: string;
  count: number;
}

const NONE = "-";
const NO_MECHANISM = -1;
// A module that answers with ever new codes must not make an outcome too long for the record.
const MOST_ROWS = 200;

/** Counts until it is taken. */
export class Journal {
  #rows: Row[] = [];
  /** The same rows by function, because thousands of calls are looked up. */
  readonly #byCall = new Map<string, Row[]>();

  /** Counts one call that returned CKR_OK. */
  succeeded(call: string, about?: CallSubject): void {
    this.#count(call, about?.token ?? NONE, about?.mechanism ?? NO_MECHANISM, "CKR_OK", 1);
  }

  /** Counts one call that returned another code; an error that no call returned is passed over. */
  failed(call: string, error: unknown, about?: CallSubject): void {
    const ckr = ckrOf(error);
    if (ckr === undefined) return;
    this.#count(call, about?.token ?? NONE, about?.mechanism ?? NO_MECHANISM, ckr, 1);
  }

  /** Everything counted since it was last taken, in order of first appearance. */
  take(): readonly JournalRow[] {
    const rows = this.#rows.map(({ token, call, mechanism, ckr, count }): JournalRow => [
      token,
      call,
      mechanism === NO_MECHANISM ? NONE : nameOf("CKM", CKM, mechanism),
      ckr,
      count,
    ]);
    this.#rows = [];
    this.#byCall.clear();
    return rows;
  }

  #count(call: string, token: string, mechanism: number, ckr: string, count: number): void {
    const known = this.#byCall.get(call);
    const row = known?.find(
      (one) => one.token === token && one.mechanism === mechanism && one.ckr === ckr,
    );
    if (row !== undefined) {
      row.count += count;
      return;
    }
    if (this.#rows.length >= MOST_ROWS && call !== OTHERS) {
      this.#count(OTHERS, NONE, NO_MECHANISM, NONE, count);
      return;
    }
    const made = { token, call, mechanism, ckr, count };
    this.#rows.push(made);
    if (known === undefined) this.#byCall.set(call, [made]);
    else known.push(made);
  }
}

/** Calls beyond the rows that are kept apart. */
const OTHERS = "others";

/** Adds rows of several journals: those of one token, function, mechanism and result together. */
export function addRows(...journals: readonly (readonly JournalRow[])[]): readonly JournalRow[] {
  const sums = new Map<string, JournalRow>();
  for (const [token, call, mechanism, ckr, count] of journals.flat()) {
    const name = [token, call, mechanism, ckr].join("\0");
    sums.set(name, [token, call, mechanism, ckr, count + (sums.get(name)?.[4] ?? 0)]);
  }
  const rows = [...sums.values()];
  const rest = rows.slice(MOST_ROWS).reduce((sum, row) => sum + row[4], 0);
  if (rest === 0) return rows;
  return [...rows.slice(0, MOST_ROWS), [NONE, OTHERS, NONE, NONE, rest]];
}

/** Which token each slot and session of one module belongs to, as its calls tell. */
export class TokenOfSession {
  readonly #slots = new Map<Handle, string>();
  readonly #sessions = new Map<Handle, CallSubject>();

  /** A slot answered with this serial. */
  seen(slot: Handle, serial: string): void {
    // A serial is text that a device made up, and the record takes no other.
    this.#slots.set(slot, /^[\x20-\x7e]{1,16}$/.test(serial) ? serial : NONE);
  }

  opened(session: Handle, slot: Handle): void {
    this.#sessions.set(session, { token: this.#slots.get(slot) ?? NONE });
  }

  closed(session: Handle): void {
    this.#sessions.delete(session);
  }

  of(session: Handle): CallSubject | undefined {
    return this.#sessions.get(session);
  }

  with(session: Handle, mechanism: number): CallSubject {
    return { token: this.of(session)?.token ?? NONE, mechanism };
  }

  ofSlot(slot: Handle): CallSubject {
    return { token: this.#slots.get(slot) ?? NONE };
  }
}
