/** C10, C12: several processes at one ledger, and one that was killed there. */

import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { LedgerStore } from "../../src/ledger/store.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { seededDice } from "../support/dice.ts";
import { figure, FULL, SEED, sized } from "../support/fault-run.ts";
import type { Said, Told } from "../support/holder-child.ts";
import { ledgerVerifier, makeLedger, tempDir } from "../support/ledger-fixture.ts";
import { program } from "../support/program.ts";

async function started(): Promise<ChildProcess> {
  const child = spawn(process.execPath, program("holder-child"), {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
  });
  await once(child, "message");
  return child;
}

async function told(child: ChildProcess, order: Told): Promise<Said> {
  child.send(order);
  const [said] = (await once(child, "message")) as [Said];
  return said;
}

function sound(path: string): number {
  const store = LedgerStore.open(path);
  try {
    assert.deepEqual(verifyLedger(store, { key: ledgerVerifier }).findings, []);
    return store.size;
  } finally {
    store.close();
  }
}

test("C10: of several processes at one ledger one wins, and the others are told who", async (t) => {
  const dir = tempDir(t);
  const path = makeLedger(dir, [["one"]]);
  const roll = seededDice(SEED);
  const most = FULL ? 8 : 4;
  const children = await Promise.all(Array.from({ length: most }, started));
  const counts = { races: 0, processes: 0, winners: 0, refused: 0, forks: 0 };
  try {
    for (counts.races = 0; counts.races < sized(25, 200); counts.races += 1) {
      const racing = children.slice(0, 2 + Math.floor(roll() * (most - 1)));
      const all = await Promise.all(racing.map((child) => told(child, { path })));
      const winners = racing.filter((_, i) => all[i]?.won);
      const [winner, loser] = [winners[0], racing.find((one) => !winners.includes(one))];
      assert.ok(winner && loser && winners.length === 1, JSON.stringify(all));
      for (const { won, message } of all) {
        // The note is written behind the lock: whoever comes in that very instant hears of another process.
        if (!won) assert.match(message, /is in use by (?:process \d+ on ceremony-1 since|another)/);
      }
      const { message } = await told(loser, { path });
      assert.match(message, new RegExp(`by process ${winner.pid} on ceremony-1 since 20`));
      await told(winner, "release");
      counts.processes += racing.length;
      counts.winners += winners.length;
      counts.refused += racing.length - 1;
    }
  } finally {
    for (const child of children) child.kill();
  }
  counts.forks = Math.abs(sound(path) - 1 - counts.winners);
  figure("C10", "races for one ledger", counts);
  assert.equal(counts.forks, 0, "each winner has appended once, and nobody else");
});

test("C12: after a kill nobody has to remove anything, and the next one goes on", async (t) => {
  const dir = tempDir(t);
  const path = makeLedger(dir, [["one"]]);
  const roll = seededDice(SEED);
  const kills = sized(6, 60);
  const counts = { kills, lost: 0, leftBehind: 0 };
  let size = 1;
  for (let i = 0; i < kills; i += 1) {
    const child = await started();
    const ended = once(child, "exit");
    child.send({ path } satisfies Told);
    // Before the lock, under it, in the middle of the append, or long after it.
    await new Promise((done) => setTimeout(done, Math.floor(roll() * 25)));
    child.kill("SIGKILL");
    await ended;
    const now = sound(path);
    counts.lost += Math.max(0, size - now);
    assert.ok(now <= size + 1);
    size = now;
  }
  const last = await started();
  assert.equal((await told(last, { path })).won, true);
  await told(last, "release");
  last.kill();
  assert.equal(sound(path), size + 1);
  counts.leftBehind = readdirSync(dir).filter((name) => name !== "ledger.db").length;
  figure("C12", "kills of a process that holds the ledger", counts);
  assert.equal(counts.lost, 0);
  assert.equal(counts.leftBehind, 0, "a clean end leaves nothing of the killed ones");
});
