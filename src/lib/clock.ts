/** Time and randomness as capabilities, so that nothing below the command line reads them itself. */

export interface Clock {
  /** Wall-clock time in milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
  /** Milliseconds of a clock that never goes back; only differences mean anything. */
  monotonic(): number;
}

export interface Random {
  /** `length` bytes of the operating system's CSPRNG. */
  bytes(length: number): Uint8Array;
}

/** RFC 3339 in UTC with milliseconds, the only form the ledger takes: `2026-11-23T09:30:00.000Z`. */
export function timestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/** Milliseconds of a timestamp as `timestamp` writes it, or undefined for any other text. */
export function parseTimestamp(text: string): number | undefined {
  if (text === lastText) return lastValue;
  lastValue = parsed(text);
  lastText = text;
  return lastValue;
}

// A ledger is full of equal times side by side, and reading one takes longer than all else of its entry.
let lastText = "";
let lastValue: number | undefined;

function parsed(text: string): number | undefined {
  const value = Date.parse(text);
  if (Number.isNaN(value) || new Date(value).toISOString() !== text) return undefined;
  return value;
}
