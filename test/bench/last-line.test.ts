/** Every benchmark runs and says its verdict in the agreed form; how fast this machine is, nobody asks. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { measure, median, table, verdict } from "../../bench/harness.ts";

const BENCH = join(import.meta.dirname, "..", "..", "bench");
const PARTS = ["main.ts", "harness.ts"];
const FLOORS: Readonly<Record<string, string>> = {
  append: "0.7",
  "append-grouped": "0.5",
  backup: "0.7",
  "backup-memory": "1",
  "ceremony-overhead": "1",
  crl: "0.667",
  "crl-memory": "1",
  look: "1",
  memory: "1",
  restore: "0.85",
  "restore-growth": "0.83",
  "restore-lanes": "2.3",
  start: "0.77",
  "start-check": "0.4",
  verify: "0.6",
  "verify-memory": "1",
  "verify-workers": "1.6",
};

/** Keys that benchmarks of backup and restore work on here: enough for lanes. */
const KEYS = "16";

function bench(...args: readonly string[]): {
  readonly status: number | null;
  readonly lines: readonly string[];
  readonly stderr: string;
} {
  const command = ["--import", "tsx", join(BENCH, "main.ts"), ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: "utf8" });
  return { status, lines: stdout.trimEnd().split("\n"), stderr };
}

test("every benchmark has a floor that is asked for", () => {
  const names = readdirSync(BENCH)
    .filter((file) => file.endsWith(".ts") && !PARTS.includes(file))
    .map((file) => file.slice(0, -".ts".length));
  assert.deepEqual(names.sort(), Object.keys(FLOORS).sort());
});

describe("the last line of a benchmark", () => {
  for (const [name, floor] of Object.entries(FLOORS)) {
    test(name, () => {
      const { status, lines, stderr } = bench(name, "5", KEYS);
      assert.equal(status, 0, stderr);
      const [, ratio] = new RegExp(`^${name} ratio=(\\d+\\.\\d{3}) floor=${floor}$`).exec(
        lines.at(-1) ?? "",
      ) ?? [undefined, undefined];
      assert.ok(Number(ratio) > 0, lines.at(-1));
      assert.ok(lines.filter((line) => /^\d+ +[\d.]+ +[\d.]+ +[\d.]+$/.test(line)).length >= 5);
    });
  }
});

test("an unknown benchmark is named with those there are", () => {
  const { status, stderr } = bench("no-such");
  assert.equal(status, 2);
  assert.match(stderr, /no benchmark no-such/);
  assert.match(stderr, /append-grouped/);
});

test("fewer than five rounds are refused, and so is anything that is no number", async () => {
  for (const rounds of [4, 0, -1, NaN]) {
    const refused = measure({ ours: () => 1, bare: () => 1, rounds, kind: "time" });
    await assert.rejects(refused, RangeError, String(rounds));
  }
});

test("the ratio is limit over ours, of the medians: higher is better", async () => {
  const values = [1, 9, 2, 3, 4, 100];
  let round = 0;
  const result = await measure({
    ours: () => (values[round++] ?? 0) * 2,
    bare: () => 6,
    rounds: 5,
    kind: "time",
  });
  // The first of ours warms up and is thrown away.
  assert.equal(result.median.ours, 8);
  assert.equal(result.ratio, 6 / 8);
  assert.equal(verdict("name", result.ratio, 0.5), "name ratio=0.750 floor=0.5");
  assert.match(table("title", result), /^median +8\.00 +6\.00 +0\.750$/m);
  assert.throws(() => median([]), RangeError);
});
