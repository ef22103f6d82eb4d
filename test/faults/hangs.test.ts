/**
 * H05: every PKCS#11 function that the ceremonies call hangs, before its work or behind it. The room is told what
 * it waits for; then either it waits until the module is given up, or it leaves by a second Ctrl-C while the
 * module's process is still inside the call. Either way the ceremony is gone on with, and what the call did or did
 * not do is found out. No patience is waited for: the clock of Keyrite is put forward.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Tally, type Life } from "../support/crash-life.ts";
import { SILENT, type Interrupted, type Interruption } from "../support/crash-site.ts";
import { walk, type Whole } from "../support/crash-walk.ts";
import { figure, FULL, sampled, SEED } from "../support/fault-run.ts";
import { Dice } from "../support/random-mutations.ts";

const dice = new Dice(SEED);
/** Where a short run looks: between them they call every function that any shipped ceremony calls. */
const SOME = ["initialize-token", "generate-root-ca", "restore-drill"];
/** How long a call hangs that the room does not wait for: longer than it takes to leave. */
const HANGS_MS = 6000;
const AT_A_TIME = 4;

type Call = Extract<Interruption, { at: "call" }>;
/** Called when all is done: Keyrite ends the module itself then, and nobody is asked to wait for it. */
const AT_THE_END = "C_Finalize";
const hung = { before: 0, after: 0, waited: 0, left: 0, untold: 0 };

/** Functions that hang at a ceremony: those that no ceremony before it called. */
function plan({ calls }: Whole, seen: Set<string>): readonly Life[] {
  const lives: Life[] = [];
  for (const name of new Set(calls)) {
    if (seen.has(name)) continue;
    seen.add(name);
    const count = calls.filter((one) => one === name).length;
    for (const when of ["before", "after"] as const) {
      for (const then of name === AT_THE_END ? (["waits"] as const) : BOTH) {
        const long = then === "leaves" ? `:${HANGS_MS}` : "";
        const first = {
          at: "call",
          ...{ name, nth: 1 + dice.below(count), then },
          action: `hang-${when}${long}` as Call["action"],
        } as const;
        lives.push({
          first,
          again: [],
          prefer: lives.length % 2 === 0 ? FINISH : UNDO,
          looks: told,
        });
      }
    }
  }
  return lives;
}

const BOTH = ["waits", "leaves"] as const;
const FINISH = ["finish", "undo"] as const;
const UNDO = ["undo", "finish"] as const;

/** The room has read what it waits for, on a line of its own. */
function told({ ran, fired }: Interrupted, interruption: Interruption): void {
  if (!fired || interruption.at !== "call") return;
  hung[interruption.action.startsWith("hang-before") ? "before" : "after"] += 1;
  hung[interruption.then === "leaves" ? "left" : "waited"] += 1;
  if (interruption.name === AT_THE_END) {
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(
      ran.stderr,
      /did not end well: module \S+ did not end within 10 seconds; its process was ended/,
    );
    return;
  }
  const lines = ran.stderr.split("\n").filter((line) => line.includes(SILENT));
  if (lines.length !== 1) hung.untold += 1;
  assert.equal(lines.length, 1, ran.stderr);
  assert.match(lines[0] ?? "", /^The HSM has been silent for \d+ s: module \S+, asked /);
  if (interruption.then === "leaves") assert.equal(ran.code, 130, ran.stderr);
  else assert.match(ran.stderr, /gave no sign of life for 600 seconds within one call/);
}

test("H05: every function that a ceremony calls hangs, and the ceremony is gone on with", async () => {
  const tally = new Tally();
  const seen = new Set<string>();
  await walk(FULL ? undefined : SOME, async (whole) => {
    const left = [...sampled(plan(whole, seen), 6)];
    const lane = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        await tally.live(whole, next);
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, lane));
    if (FULL) process.stderr.write(`${whole.ceremony}: ${tally.news().join("\n  ")}\n`);
  });
  const { faults, ...came } = tally.counts("faults");
  assert.equal(hung.waited + hung.left, faults, "every hang that took effect was looked at");
  figure("H05", "a call hangs, before or behind its work, waited for or left", {
    ...{ functions: seen.size, ...hung, ...came },
  });
  assert.ok(hung.before > 0 && hung.after > 0 && hung.waited > 0 && hung.left > 0);
  assert.equal(tally.failures.length, 0, tally.failures.join("\n"));
});
