/** Spans of time as people read them. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Milliseconds in the two largest units that matter: `350 ms`, `4.2 s`, `12 min 5 s`, `2 h 5 min`. */
export function durationText(milliseconds: number): string {
  const ms = Math.round(milliseconds);
  if (ms < SECOND) return `${ms} ms`;
  if (ms < MINUTE) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  if (ms < HOUR)
    return pair(Math.floor(ms / MINUTE), "min", Math.floor((ms % MINUTE) / SECOND), "s");
  return pair(Math.floor(ms / HOUR), "h", Math.floor((ms % HOUR) / MINUTE), "min");
}

function pair(most: number, unit: string, rest: number, small: string): string {
  return rest === 0 ? `${most} ${unit}` : `${most} ${unit} ${rest} ${small}`;
}

const STEPS: readonly number[] = [1, 2, 5, 10, 20, 50, 100, 200, 500].concat(
  [1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  [1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  [1, 2, 4, 6, 12, 24, 48, 96].map((n) => n * HOUR),
);

/** Round times from 0 to just below or at `total`, at most `most` of them after the first. */
export function ticks(total: number, most = 6): readonly number[] {
  const step = STEPS.find((one) => total / one <= most) ?? total;
  const marks: number[] = [];
  for (let at = 0; at <= total && step > 0; at += step) marks.push(at);
  return marks;
}
