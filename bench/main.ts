/**
 * `npm run -s bench -- NAME` runs bench/NAME.ts; without a name the benchmarks are listed. A number
 * behind the name sets the rounds, 5 at least; a second one sets how many keys, where keys are worked on.
 */

import { readdirSync } from "node:fs";

interface Benchmark {
  /** What is compared with what, in one line. */
  readonly about: string;
  run(rounds?: number, keys?: number): Promise<void>;
}

/** Not benchmarks themselves. */
const PARTS = ["main.ts", "harness.ts"];

function names(): readonly string[] {
  return readdirSync(import.meta.dirname)
    .filter((file) => file.endsWith(".ts") && !PARTS.includes(file))
    .map((file) => file.slice(0, -".ts".length))
    .sort();
}

async function load(name: string): Promise<Benchmark> {
  return (await import(`./${name}.ts`)) as Benchmark;
}

async function list(): Promise<string> {
  const lines = await Promise.all(
    names().map(async (name) => `  ${name.padEnd(20)}${(await load(name)).about}`),
  );
  return `benchmarks:\n${lines.join("\n")}\n`;
}

async function main(name?: string, ...numbers: readonly string[]): Promise<number> {
  if (name === undefined) {
    process.stdout.write(await list());
    return 0;
  }
  if (!names().includes(name)) {
    process.stderr.write(`error: there is no benchmark ${name}\n${await list()}`);
    return 2;
  }
  await (await load(name)).run(...numbers.map(Number));
  return 0;
}

process.exitCode = await main(...process.argv.slice(2));
