/** C05–C09: a disk that fails, fills up or turns read-only at any write and at any sync. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { compiled } from "../support/compiled.ts";
import type { FaultOutcome } from "../support/disk-driver.ts";
import { figure, FULL, sized } from "../support/fault-run.ts";
import { program } from "../support/program.ts";
import {
  cleanEnvironment,
  newFolder,
  siteAt,
  succeeded,
  type Ran,
  type RehearsedSite,
  type Stage,
} from "../support/rehearsed-site.ts";
import { ACTS, ShimModule } from "../support/shim.ts";

const disk = compiled("failing-disk");

/** Each errno has words of its own, with what to do about it. */
const WORDS: Readonly<Record<number, RegExp>> = {
  28: /the disk is full|is full: nothing more is begun/,
  122: /quota of this account is used up|is full: nothing more is begun/,
  27: /limit on the size of files/,
  30: /is read-only|has become read-only/,
  5: /input\/output error/,
};

describe("every write and every sync of a ledger, of files and of a backup", () => {
  const ran = spawnSync(
    process.execPath,
    [...program("disk-driver"), newFolder(), FULL ? "1" : "11"],
    {
      encoding: "utf8",
      maxBuffer: 1 << 28,
      env: { ...cleanEnvironment(), LD_PRELOAD: disk },
    },
  );
  const all = ran.stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as FaultOutcome);
  const of = (call: string, ...errnos: readonly number[]): readonly FaultOutcome[] =>
    all.filter((one) => one.call === call && (errnos.length === 0 || errnos.includes(one.errno)));
  const wrong = (faults: readonly FaultOutcome[]): readonly FaultOutcome[] =>
    faults.filter((one) => one.wrong !== undefined || one.error?.code === "uncaught");

  /** Says what came of some faults; nothing of it may be wrong. */
  const figured = (
    row: string,
    what: string,
    faults: readonly FaultOutcome[],
    called: string,
  ): void => {
    figure(row, what, { faults: faults.length, [called]: wrong(faults).length });
    assert.deepEqual(wrong(faults), []);
  };

  test("the sweep ran to its end and met every kind of place", () => {
    assert.equal(ran.status, 0, ran.stderr);
    for (const subject of ["ledger", "files", "vault"]) {
      for (const call of ["write", "fsync", "short"]) {
        assert.ok(
          all.some((one) => one.subject === subject && one.call === call),
          `${call} ${subject}`,
        );
      }
    }
  });

  test("C05: a sync that fails is a failure, and is said to be", () => {
    const faults = of("fsync");
    figured("C05", "failed syncs of ledger, files and backups", faults, "wrong");
    for (const { subject, error, once, acknowledged } of faults) {
      // Behind the last append only the empty journal is removed: no record hangs on that.
      if (subject === "ledger" && acknowledged === 5) continue;
      assert.ok(error, "no failed sync is passed over");
      if (!once) assert.match(error.message, /input\/output error/);
      if (subject !== "ledger" || error.message.startsWith("no room can be kept")) continue;
      assert.equal(error.code, "halted.not-durable");
      assert.match(error.message, /what was being recorded is not safe/);
    }
  });

  test("C06: on a full disk nothing is begun, and the message says how much room is needed", () => {
    const faults = of("write", 28).filter(({ subject }) => subject === "ledger");
    figured("C06", "full disk at any write of a ledger", faults, "wrong");
    for (const { error, once } of faults) {
      if (once && error === undefined) continue;
      assert.match(error?.hints ?? "", /free some space .*4 MiB are needed, [\d]+ [KM]iB are free/);
    }
  });

  test("C07: an outcome that finds the disk full is written to the room kept for it", () => {
    const once = of("write", 28).filter((one) => one.subject === "ledger" && one.once);
    const saved = once.filter(({ error }) => error === undefined);
    assert.ok(saved.length > 0);
    // Two appends: the first begins something and is refused, the second ends something and is not.
    const lost = once.filter(({ acknowledged, error }) =>
      error === undefined ? acknowledged !== 5 : acknowledged !== 3 || error.code !== "site.disk",
    );
    figure("C07", "outcomes written to the reserve", {
      faults: once.length,
      saved: saved.length,
      lost: lost.length,
    });
    assert.deepEqual(lost, []);
  });

  test("C08: full, quota, limit, read-only and broken each have a message of their own", () => {
    const faults = of("write", 28, 122, 27, 30, 5);
    figured("C08", "five kinds of refusal at every write", faults, "wrong");
    for (const { errno, once, error } of faults) {
      // A single fault is over before anybody can ask the disk what it was.
      if (once) continue;
      assert.match(error?.message ?? "", WORDS[errno] ?? /never/);
      assert.notEqual(error?.hints, "");
    }
  });

  test("C09: short writes and interrupted ones are completed, EAGAIN fails cleanly", () => {
    const done = [...of("short"), ...of("write", 4).filter(({ once }) => once)];
    const faults = [...done, ...of("write", 11)];
    figured("C09", "short, interrupted and refused writes", faults, "damaged");
    for (const { error } of done) assert.equal(error, undefined);
    for (const { error } of of("write", 11)) assert.ok(error);
  });
});

const shim = new ShimModule();

interface Place {
  readonly stage: Stage;
  readonly ceremony: string;
}

const PLACES: readonly Place[] = [
  { stage: "initialized", ceremony: "generate-issuing-keys" },
  { stage: "prepared", ceremony: "generate-root-ca" },
  { stage: "founded", ceremony: "initialize-token" },
  { stage: "initialized", ceremony: "prepare-backup" },
];

interface Fault {
  readonly call: "write" | "fsync";
  readonly errno: number;
  /** Over as soon as the room that is kept for the last records is given up. */
  readonly untilReleased: boolean;
}

/** Performs a ceremony on a disk that fails at its nth call; undefined when it ended before that. */
function performed(
  site: RehearsedSite,
  ceremony: string,
  at: number,
  fault: Fault,
): Ran | undefined {
  const log = shim.env["KEYRITE_SHIM_LOG"] ?? assert.fail("the module keeps a log");
  const env = {
    LD_PRELOAD: disk,
    KEYRITE_FAIL_CALL: fault.call,
    KEYRITE_FAIL_ERRNO: String(fault.errno),
    KEYRITE_FAIL_AT: String(at),
    KEYRITE_FAIL_UNDER: site.folder,
    KEYRITE_FAIL_LOG: log,
    ...(fault.untilReleased ? { KEYRITE_FAIL_WHILE: site.file("ledger.db.reserve") } : {}),
  };
  shim.calls();
  const ran = site.rehearse(ceremony, undefined, [], { env });
  return existsSync(log) && readFileSync(log, "utf8").includes("FAULT") ? ran : undefined;
}

/** What changed a token, or tried a PIN, after the disk had failed. */
function actsAfterFault(): readonly string[] {
  const calls = shim.calls();
  return calls.slice(calls.indexOf("FAULT") + 1).filter((name) => ACTS.has(name));
}

interface Status {
  readonly open: unknown;
  readonly inDoubt: unknown;
}

/** How many entries are gone that were on record. */
function lostOf(site: RehearsedSite, before: readonly string[]): number {
  const now = site.entries().map((entry) => JSON.stringify(entry));
  return before.filter((entry, seq) => now[seq] !== entry).length;
}

/** What is on record verifies, and this is what Keyrite says of it. */
function judged(site: RehearsedSite): Status {
  succeeded(site.keyrite(["verify"]));
  return JSON.parse(succeeded(site.keyrite(["status", "--json"])).stdout) as Status;
}

/** Points of a ceremony that are far apart: its first call, and so on until it ends before the next. */
function* points(most: number): Iterable<number> {
  for (let i = 0; i < most; i += 1) yield 1 + i * Math.max(7, Math.floor(700 / most));
}

const EACH = sized(3, 60);

function sweep(
  fault: Fault,
  judge: (site: RehearsedSite, ran: Ran, before: readonly string[]) => void,
): number {
  let faults = 0;
  for (const { stage, ceremony } of FULL ? PLACES : PLACES.slice(0, 1)) {
    for (const at of points(EACH)) {
      const site = siteAt(stage, shim);
      const before = site.entries().map((entry) => JSON.stringify(entry));
      const ran = performed(site, ceremony, at, fault);
      if (ran === undefined) break;
      judge(site, ran, before);
      faults += 1;
    }
  }
  assert.ok(faults > 0);
  return faults;
}

test("C05: after a failed sync no ceremony asks anything more of an HSM", () => {
  const counts = { faults: 0, actsAfterIt: 0, lost: 0 };
  counts.faults = sweep({ call: "fsync", errno: 5, untilReleased: false }, (site, ran, before) => {
    assert.notEqual(ran.code, 0);
    assert.match(ran.stderr, /input\/output error/);
    if (ran.stderr.includes("halted.not-durable")) assert.match(ran.stderr, /is not safe/);
    counts.actsAfterIt += actsAfterFault().length;
    counts.lost += lostOf(site, before);
    judged(site);
  });
  figure("C05", "failed syncs in ceremonies", counts);
  assert.deepEqual([counts.actsAfterIt, counts.lost], [0, 0]);
});

test("C06, C07: a disk that fills up: nothing is begun, and every outcome is on record", () => {
  const counts = { faults: 0, inDoubt: 0, actsAfterIt: 0, closed: 0, lost: 0 };
  counts.faults = sweep({ call: "write", errno: 28, untilReleased: true }, (site, ran, before) => {
    counts.closed += ran.code === 0 ? 1 : 0;
    if (ran.code !== 0) assert.match(ran.stderr, /\(site\.disk, exit 2\)/);
    if (ran.code !== 0) assert.match(ran.stderr, /free some space/);
    counts.actsAfterIt += actsAfterFault().length;
    counts.lost += lostOf(site, before);
    if (judged(site).inDoubt !== null) counts.inDoubt += 1;
  });
  figure("C07", "full disk in ceremonies", counts);
  assert.deepEqual([counts.actsAfterIt, counts.lost, counts.inDoubt], [0, 0, 0]);
});
