/**
 * Measures ours against the bare limit, interleaved in the same run, because this or any shared
 * machine drifts by more between two runs than most of what is measured here.
 */

/** One measurement: milliseconds or bytes, less is better. */
export type Side = () => number | Promise<number>;

export type Kind = "time" | "memory";

export interface Comparison {
  readonly ours: Side;
  /** The limit: the same work without us, or what was asked for as a constant. */
  readonly bare: Side;
  /** Pairs measured after one that warms up and is thrown away; at least 5. */
  readonly rounds: number;
  readonly kind: Kind;
}

export interface Round {
  readonly ours: number;
  readonly bare: number;
}

export interface Result {
  readonly kind: Kind;
  readonly rounds: readonly Round[];
  readonly median: Round;
  /** Limit ÷ ours, of the medians: higher is better, 1 is the limit itself. */
  readonly ratio: number;
}

const LEAST_ROUNDS = 5;

/** Measures both sides in turn, each going first every other round. @throws RangeError below 5 rounds. */
export async function measure({ ours, bare, rounds, kind }: Comparison): Promise<Result> {
  if (!(rounds >= LEAST_ROUNDS)) throw new RangeError(`${rounds} rounds are fewer than 5`);
  await bare();
  await ours();
  const measured: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    // Whoever runs second finds warmer caches: neither side shall always be the one.
    const first = await (round % 2 === 0 ? bare : ours)();
    const second = await (round % 2 === 0 ? ours : bare)();
    measured.push(round % 2 === 0 ? { bare: first, ours: second } : { bare: second, ours: first });
  }
  const middle = {
    ours: median(measured.map((round) => round.ours)),
    bare: median(measured.map((round) => round.bare)),
  };
  return { kind, rounds: measured, median: middle, ratio: middle.bare / middle.ours };
}

/** The middle value, or the mean of the two in the middle. @throws RangeError of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (upper === undefined || lower === undefined) throw new RangeError("no values");
  return (lower + upper) / 2;
}

/** A side that does some work and takes as long as that takes. */
export function timed(work: () => unknown): Side {
  return async () => {
    const begun = performance.now();
    await work();
    return performance.now() - begun;
  };
}

/** A table of every round, the medians and their ratio. */
export function table(title: string, { kind, rounds, median: middle, ratio }: Result): string {
  const unit = kind === "time" ? "ms" : "MiB";
  const cell = (value: number): string =>
    (kind === "time" ? value.toFixed(2) : (value / 1024 ** 2).toFixed(1)).padStart(12);
  const row = (name: string, { ours, bare }: Round, factor = bare / ours): string =>
    `${name.padEnd(8)}${cell(ours)}${cell(bare)}${factor.toFixed(3).padStart(9)}`;
  return [
    title,
    `${"round".padEnd(8)}${`ours ${unit}`.padStart(12)}${`limit ${unit}`.padStart(12)}${"ratio".padStart(9)}`,
    ...rounds.map((round, at) => row(String(at + 1), round)),
    row("median", middle, ratio),
    "",
  ].join("\n");
}

/** The last line of every benchmark. */
export function verdict(name: string, ratio: number, floor: number): string {
  return `${name} ratio=${ratio.toFixed(3)} floor=${String(floor)}`;
}

/** Measures one comparison and prints table and verdict; a ratio below the floor is no failure. */
export async function bench(name: string, floor: number, comparison: Comparison): Promise<void> {
  const result = await measure(comparison);
  process.stdout.write(`${table(name, result)}\n${verdict(name, result.ratio, floor)}\n`);
}
