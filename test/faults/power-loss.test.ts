/**
 * C04: the power is cut at any instant of any shipped ceremony. Its calls to the disk are recorded, and every
 * state in which a disk can be left between them is built, opened and judged.
 */

import assert from "node:assert/strict";
import { cpSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { seededDice } from "../support/dice.ts";
import { DiskModel, EVERYTHING, NOTHING, type Fate } from "../support/disk-model.ts";
import { recordDisk, type DiskCall } from "../support/disk-record.ts";
import { figure, FULL, ONLY, SEED, sized } from "../support/fault-run.ts";
import { PowerLoss } from "../support/power-loss.ts";
import { newFolder, siteAt, succeeded, type RehearsedSite } from "../support/rehearsed-site.ts";
import { preparedFor, shippedInOrder } from "../support/shipped.ts";
import { parseVerifierKey, type VerifierKey } from "../../src/lib/note.ts";
import { readGenesis } from "../../src/ceremony/genesis.ts";

/** So many states for each ceremony, evenly spread over its calls. */
const STATES = sized(400, 5000);

const LEDGER = "site/ledger.db";
const JOURNAL = `${LEDGER}-journal`;

/** The long form takes every ceremony that ships; the short one those that write to every kind of place. */
const CEREMONIES = FULL
  ? shippedInOrder(ONLY)
  : ["establish-site", "initialize-token", "prepare-backup", "generate-root-ca"];

/** Some of what was not synced has arrived; one write in four only in some of its sectors. */
function mixture(random: () => number): Fate {
  const share = [0.2, 0.5, 0.8][Math.floor(random() * 3)] ?? 0.5;
  return (_, changes) =>
    Array.from({ length: changes }, () => {
      if (random() >= share) return 0;
      return random() < 0.25 ? 1 + Math.floor(random() * 254) : 255;
    });
}

/** Nothing, everything and mixtures of what was not synced; in turn where few are wanted. */
function fates(count: number, random: () => number): readonly Fate[] {
  const all = [NOTHING, EVERYTHING, ...Array.from({ length: count }, () => mixture(random))];
  const from = count < 3 ? Math.floor(random() * 3) : 0;
  return all.slice(from, from + count);
}

interface Recorded {
  readonly calls: readonly DiskCall[];
  /** The disk as it was before the run. */
  readonly before: DiskModel;
}

/** @param copy where the site as it was before is kept too. */
function record(site: RehearsedSite, ceremony: string, copy?: string): Recorded {
  const more = ["--answers", site.writeAnswers(ceremony), ...preparedFor(site, ceremony)];
  const before = new DiskModel(site.folder);
  if (copy !== undefined) cpSync(site.folder, copy, { recursive: true });
  const calls = recordDisk(site.folder, (env) => {
    succeeded(site.keyrite(["run", ceremony, ...more], { env }));
  });
  return { before, calls };
}

/** Builds and judges at least so many states. */
function sweep(
  site: RehearsedSite,
  { before, calls }: Recorded,
  wanted: number,
): Pick<PowerLoss, "tally" | "failures"> {
  const random = seededDice(SEED);
  const loss = new PowerLoss(before, site.folder, newFolder(), keyOf(site));
  const points = calls.filter((call) => loss.matters(call)).length;
  let passed = 0;
  try {
    for (const call of calls) {
      loss.advance(call);
      if (!loss.matters(call)) continue;
      passed += 1;
      const due = Math.ceil((wanted * passed) / points) - loss.tally.states;
      for (const fate of fates(due, random)) loss.judge(fate);
    }
    loss.finish();
  } finally {
    loss.close();
  }
  return loss;
}

function keyOf(site: RehearsedSite): VerifierKey {
  return parseVerifierKey(readGenesis(readFileSync(site.file("genesis.json"))).ledgerKey);
}

test("C04: after a power cut nothing acknowledged is lost, and nothing is damaged", () => {
  const site = siteAt("made");
  for (const ceremony of CEREMONIES) {
    const recorded = record(site, ceremony);
    if (ONLY?.includes(ceremony) === false) continue;
    const { tally, failures } = sweep(site, recorded, STATES);
    const { states, images, commits, calls, lost, damaged, early } = tally;
    const counts = { calls, commits, states, images, lost, damaged, early };
    figure("C04", `power cuts during ${ceremony}`, counts);
    assert.deepEqual(failures, []);
    assert.deepEqual([lost, damaged, early], [0, 0, 0]);
    assert.ok(commits > 5, `${ceremony} is recorded`);
    assert.ok(states >= STATES);
  }
});

/** The record of one ceremony, with the disk before it anew for each reading: a model is used up by that. */
class Reading {
  readonly #site = siteAt("made");
  readonly #before = newFolder();
  readonly #calls: readonly DiskCall[];

  constructor(ceremony: string) {
    this.#calls = record(this.#site, ceremony, this.#before).calls;
  }

  /** As if some calls had not been made. */
  without(leftOut: (call: DiskCall) => boolean): Pick<PowerLoss, "tally" | "failures"> {
    const calls = this.#calls.filter((call) => !leftOut(call));
    assert.ok(calls.length > 0);
    return sweep(this.#site, { before: new DiskModel(this.#before), calls }, MODEL_STATES);
  }
}

/** Enough that each of what is left out below is noticed dozens of times. */
const MODEL_STATES = 600;

describe("C04: the model can lose what was not synced", () => {
  const reading = new Reading("establish-site");
  const isSync = ({ kind }: DiskCall): boolean => kind === "sync";

  test("with every call nothing is", () => {
    const { tally, failures } = reading.without(() => false);
    assert.deepEqual(failures, []);
    assert.ok(tally.states >= MODEL_STATES);
  });

  test("without any sync entries are lost", () => {
    const { lost, damaged, early } = reading.without(isSync).tally;
    figure("C04", "power cuts with no sync left in the record", { losses: lost, damages: damaged });
    assert.ok(lost > 50 && damaged > 50 && early > 0);
  });

  test("without those of the ledger entries are lost", () => {
    const { lost } = reading.without((call) => isSync(call) && call.path === LEDGER).tally;
    assert.ok(lost > 0);
  });

  test("without those of its journal it is damaged", () => {
    const { damaged } = reading.without((call) => isSync(call) && call.path === JOURNAL).tally;
    assert.ok(damaged > 0);
  });

  test("without those of folders what an entry speaks of can be lost", () => {
    const isFolder = ({ path }: DiskCall): boolean => !/[^/]\.[a-z-]+$/.test(path);
    const { early } = reading.without((call) => isSync(call) && isFolder(call)).tally;
    assert.ok(early > 0);
  });

  test("a write that was not recorded is noticed: the replay is not what the run left", () => {
    const isFile = ({ kind, path }: DiskCall): boolean =>
      kind === "write" && path.startsWith("media/eve/heads/");
    assert.throws(() => reading.without(isFile), /the replay of \S+ is what the run wrote/);
  });
});
