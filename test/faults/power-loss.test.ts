/**
 * C04: the power is cut at any instant of any shipped ceremony. Its calls to the disk are recorded, and every
 * state in which a disk can be left between them is built, opened and judged.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { seededDice } from "../support/dice.ts";
import { DiskModel, EVERYTHING, NOTHING, type Fate } from "../support/disk-model.ts";
import { recordDisk, type DiskCall } from "../support/disk-record.ts";
import { figure, FULL, SEED, sized } from "../support/fault-run.ts";
import { PowerLoss, type Tally } from "../support/power-loss.ts";
import { newFolder, siteAt, succeeded, type RehearsedSite } from "../support/rehearsed-site.ts";
import { preparedFor, shippedInOrder } from "../support/shipped.ts";
import { readFileSync } from "node:fs";
import { parseVerifierKey, type VerifierKey } from "../../src/lib/note.ts";
import { readGenesis } from "../../src/ceremony/genesis.ts";

/** So many states for each ceremony, evenly spread over its calls. */
const STATES = sized(400, 5000);

/** The long form takes every ceremony that ships; the short one those that write to every kind of place. */
const CEREMONIES = FULL
  ? shippedInOrder()
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
  /** As it was before the run. */
  readonly disk: DiskModel;
  readonly calls: readonly DiskCall[];
}

function record(site: RehearsedSite, ceremony: string): Recorded {
  const more = ["--answers", site.writeAnswers(ceremony), ...preparedFor(site, ceremony)];
  const disk = new DiskModel(site.folder);
  const calls = recordDisk(site.folder, (env) => {
    succeeded(site.keyrite(["run", ceremony, ...more], { env }));
  });
  return { disk, calls };
}

function sweep(site: RehearsedSite, { disk, calls }: Recorded): Tally {
  const random = seededDice(SEED);
  const loss = new PowerLoss(disk, site.folder, newFolder(), keyOf(site));
  const points = calls.filter((call) => loss.matters(call)).length;
  const wanted = STATES / points;
  let due = 0;
  try {
    for (const call of calls) {
      loss.advance(call);
      if (!loss.matters(call)) continue;
      due += wanted;
      for (const fate of fates(Math.floor(due), random)) loss.judge(fate);
      due %= 1;
    }
    loss.finish();
  } finally {
    loss.close();
  }
  return loss.tally;
}

function keyOf(site: RehearsedSite): VerifierKey {
  return parseVerifierKey(readGenesis(readFileSync(site.file("genesis.json"))).ledgerKey);
}

test("C04: after a power cut nothing acknowledged is lost, and nothing is damaged", () => {
  const site = siteAt("made");
  for (const ceremony of CEREMONIES) {
    const { states, images, commits, calls } = sweep(site, record(site, ceremony));
    assert.ok(commits > 5, `${ceremony} is recorded`);
    assert.ok(states >= STATES - 1);
    const counts = { calls, commits, states, images, lost: 0, damaged: 0 };
    figure("C04", `power cuts during ${ceremony}`, counts);
  }
});
