/**
 * A run that is killed, at any change of a file and before or behind any PKCS#11 call, or whose module breaks, and
 * that is gone on with: no record is lost, the ledger verifies, and when the ceremony is closed every object on a
 * token is one that custody knows. FAULTS=full kills thousands of times, most often while it is gone on with.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Tally, type Life } from "../support/crash-life.ts";
import { heldBy, ledgerOf, onTokens, straysAmong } from "../support/crash-look.ts";
import { shim, type Interruption } from "../support/crash-site.ts";
import { walk, type Whole } from "../support/crash-walk.ts";
import { figure, FULL, ONLY, SEED, sized } from "../support/fault-run.ts";
import { Dice } from "../support/random-mutations.ts";
import type { RehearsedSite } from "../support/rehearsed-site.ts";
import type { ShimAction } from "../support/shim.ts";

const ROWS = {
  C01: "SIGKILL at a change of a file, every shipped ceremony",
  C02: "SIGKILL before or behind a PKCS#11 call, every shipped ceremony",
  C03: "a change of the token that is reported as failed, every shipped ceremony",
  H01: "a call fails, before or behind its work, every shipped ceremony",
  H02: "the device is gone from a call on, every shipped ceremony",
  H04: "an error, and other handles behind it, every shipped ceremony",
  H16: "a module that crashes, exits, prints, forks or catches signals, every shipped ceremony",
} as const;
type Row = keyof typeof ROWS;

/** Only the lives of these rows, the same as in a run of all. */
const ROWS_ONLY = process.env["FAULTS_ROWS"]?.split(",");
const isWanted = (row: string): boolean => ROWS_ONLY?.includes(row) ?? true;
/** Lives of each kind at each ceremony. */
const LIVES = sized(1, 7);
/** How often a life is killed again while it is gone on with. */
const AGAIN = FULL ? 6 : 0;
/** Lives at a time: each waits for its processes most of the time. */
const AT_A_TIME = FULL ? 4 : 3;
const dice = new Dice(SEED);
let turn = 0;

const CHANGES = new Set([
  ...["C_InitToken", "C_InitPIN", "C_SetPIN", "C_CreateObject", "C_CopyObject", "C_DestroyObject"],
  ...["C_SetAttributeValue", "C_GenerateKey", "C_GenerateKeyPair", "C_UnwrapKey", "C_DeriveKey"],
]);
const CODES = ["0x5", "0x6", "0x30", "0x31", "0x32", "0x54", "0xb3", "0xe0", "0x101", "0x200"];
const BREAKING = [
  ...["crash-before", "crash-after", "exit-before:0", "exit-before:3", "signals", "fork:300"],
  "print:what a module says",
] as const;

/** One number of each of so many equal parts of 1 to `count`: all of a run is reached, and never the same twice. */
function spread(count: number, most: number): readonly number[] {
  const parts = Math.min(most, count);
  return Array.from({ length: parts }, (_, i) => {
    const [from, to] = [i, i + 1].map((part) => Math.floor((part * count) / parts)) as [
      number,
      number,
    ];
    return from + 1 + dice.below(to - from);
  });
}

function fileKill(n: number): Interruption {
  turn += 1;
  return { at: "file", n, who: turn % 2 === 0 ? "both" : "own" };
}

function atCall(name: "*" | "acts", nth: number, action: ShimAction): Interruption {
  turn += 1;
  return { at: "call", name, nth, action };
}

function killing(): ShimAction {
  const who = dice.pick(["both", "own", "parent"] as const);
  return dice.pick([`kill-before:${who}`, `kill-after:${who}`] as const);
}

/** What is done to one ceremony. */
function plan({ points, calls }: Whole): readonly (readonly [Row, Life])[] {
  const changing = calls.filter((name) => CHANGES.has(name)).length;
  const lives: (readonly [Row, Life])[] = [];
  const add = (row: Row, first: Interruption, kills = 0): void => {
    const again = Array.from({ length: kills }, () =>
      dice.below(2) === 0 || calls.length === 0
        ? fileKill(1 + dice.below(Math.ceil(points.length / 3)))
        : atCall("*", 1 + dice.below(Math.ceil(calls.length / 3)), killing()),
    );
    lives.push([row, { first, again, prefer: turn % 2 === 0 ? FINISH : UNDO }]);
  };
  for (const n of spread(points.length, LIVES)) add("C01", fileKill(n), AGAIN);
  for (const nth of spread(calls.length, FULL ? LIVES : turn % 2)) {
    add("C02", atCall("*", nth, killing()), AGAIN);
  }
  for (const nth of spread(changing, LIVES)) add("C02", atCall("acts", nth, killing()), AGAIN);
  // A short run has one of these five at each ceremony.
  const kind = dice.below(5);
  const most = (which: number): number => (FULL ? 2 : kind === which ? 1 : 0);
  for (const nth of spread(changing, FULL ? LIVES : most(4))) {
    add("C03", atCall("acts", nth, `after:${dice.pick(CODES)}`));
  }
  for (const nth of spread(calls.length, most(3))) {
    const code = dice.pick(CODES);
    add("H01", atCall("*", nth, dice.pick([`before:${code}`, `after:${code}`] as const)));
  }
  for (const nth of spread(calls.length, most(0))) add("H02", atCall("*", nth, "gone"));
  for (const nth of spread(calls.length, most(1))) add("H04", atCall("*", nth, "renumber:0x30"));
  for (const nth of spread(calls.length, most(2)))
    add("H16", atCall("*", nth, dice.pick(BREAKING)));
  return lives;
}

/** How far a long run has come. */
function told(ceremony: string, tallies: Readonly<Record<Row, Tally>>): void {
  const all = Object.entries(tallies).map(([row, tally]) => [row, tally.counts("faults")]);
  process.stderr.write(`${ceremony}: ${JSON.stringify(Object.fromEntries(all))}\n`);
  for (const [row, tally] of Object.entries(tallies)) {
    for (const one of tally.news()) process.stderr.write(`  ${row} ${one}\n`);
  }
}

/** A sweep that finds nothing must be able to: a key that nobody recorded is an orphan, and a second copy is one too many. */
async function assertNoticed(site: RehearsedSite): Promise<void> {
  const { custody } = ledgerOf(site);
  assert.deepEqual(straysAmong(await heldBy(site, shim, custody), custody).orphans, []);
  const planted = await onTokens(site, shim, async (session) => {
    const asked = { algorithm: "p-256", purpose: "ca-signing", extractable: false } as const;
    await session.generateKeyPair({ ...asked, label: "stray", ckaId: "0bad" });
  });
  if (planted.length === 0) return;
  const held = await heldBy(site, shim, custody);
  const { orphans, duplicates } = straysAmong(held, custody);
  assert.ok(orphans.some((one) => one.includes("private stray")) && duplicates.length === 0);
  const twice = { ...held, objects: [...held.objects, ...held.objects] };
  assert.ok(straysAmong(twice, custody).duplicates.length > 0);
  const copies = [...custody.copies.values()].filter(({ tokens }) => tokens.size > 0);
  const { missing } = straysAmong({ ...held, objects: [] }, custody);
  assert.ok(missing.length >= copies.length);
}

const FINISH = ["finish", "undo"] as const;
const UNDO = ["undo", "finish"] as const;

test("C01 C02 C03 H01 H02 H04 H16: every shipped ceremony, interrupted and gone on with", async () => {
  const tallies = Object.fromEntries(Object.keys(ROWS).map((row) => [row, new Tally()])) as Record<
    Row,
    Tally
  >;
  const site = await walk(ONLY, async (whole) => {
    const left = plan(whole).filter(([row]) => isWanted(row));
    const lane = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        await tallies[next[0]].live(whole, next[1]);
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, lane));
    if (FULL) told(whole.ceremony, tallies);
  });
  await assertNoticed(site);
  for (const [row, what] of Object.entries(ROWS).filter(([row]) => isWanted(row)))
    figure(row, what, tallies[row as Row].counts(/^C0[12]/.test(row) ? "kills" : "faults"));
  const failures = Object.entries(tallies).flatMap(([row, { failures: all }]) =>
    all.map((one) => `${row} ${one}`),
  );
  assert.ok(failures.length === 0, failures.join("\n"));
});
