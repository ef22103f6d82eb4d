/** A command that people type secrets into, however it ends: the terminal is as it was, and what killed it is told. */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { figure, FULL, sampled } from "../support/fault-run.ts";
import { moment } from "../support/console-driver.ts";
import { childrenOf, isStopped, statusOf, until } from "../support/processes.ts";
import { echoes, Pty } from "../support/pty.ts";
import { BIN, cleanEnvironment, newFolder } from "../support/rehearsed-site.ts";

const CHOICE = "number, 1 to 2:";
const HIDDEN = "not shown): ";

/** How one gets to a prompt of `keyrite identity new`, and how its echo is there. */
const PROMPTS = [
  ["the first question", (pty: Pty) => pty.expect(CHOICE)],
  [
    "a new passphrase",
    async (pty: Pty) => {
      await pty.answer(CHOICE, "2");
      await pty.expect(HIDDEN);
      pty.send("typed half");
    },
  ],
  [
    "its repetition",
    async (pty: Pty) => {
      await pty.answer(CHOICE, "2");
      await pty.answer(HIDDEN, "a passphrase of mine");
      await pty.expect(HIDDEN);
    },
  ],
  [
    "generated words",
    async (pty: Pty) => {
      await pty.answer(CHOICE, "1");
      await pty.expect(HIDDEN);
    },
  ],
] as const;

type End = (pty: Pty, worker: number) => void;
const ENDINGS: readonly (readonly [string, End])[] = [
  [
    "Ctrl-C",
    (pty) => {
      pty.send("\u0003");
    },
  ],
  [
    "Ctrl-D at an empty line",
    (pty) => {
      pty.send("\u0015\u0004");
    },
  ],
  ...(["INT", "TERM", "HUP", "QUIT"] as const).map((name): readonly [string, End] => [
    `SIG${name}`,
    (pty) => {
      pty.kill(name);
    },
  ]),
  ...(["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGKILL", "SIGSEGV"] as const).map(
    (name): readonly [string, End] => [
      `${name} to the command itself`,
      (_, worker) => {
        process.kill(worker, name);
      },
    ],
  ),
];

function start(folder: string): Pty {
  const medium = ["--medium", join(folder, "medium"), "--person", "ana"];
  const words = ["identity", "new", ...medium, "--name", "Ana", "--domain", "example.org"];
  return new Pty([process.execPath, BIN, ...words, "--test"], {
    env: { ...cleanEnvironment(), NO_COLOR: "1", TERM: "xterm" },
  });
}

/** The process that asks, below the one that looks after the terminal. */
async function workerOf(pty: Pty): Promise<number> {
  await until("the command", () => childrenOf(pty.pid).length === 1);
  return childrenOf(pty.pid)[0] ?? assert.fail("it has ended");
}

const cases = PROMPTS.flatMap(([where, reach]) =>
  ENDINGS.map(([how, end]) => ({ name: `${how} at ${where}`, reach, end })),
);

test("I05: whatever ends a command at whichever prompt, all modes of the terminal are as before", async () => {
  let restored = 0;
  const some = sampled(cases, 12);
  for (const { name, reach, end } of some) {
    const folder = newFolder();
    const pty = start(folder);
    try {
      const before = await pty.termios();
      await reach(pty);
      const worker = await workerOf(pty);
      assert.equal(echoes(await pty.termios()), false, `${name}: asked without echo`);
      end(pty, worker);
      const { exit, signal } = await pty.end();
      assert.ok(exit !== 0 && signal === null, `${name}: ended with ${exit} ${signal}`);
      assert.deepEqual(pty.finalTermios, before, name);
      assert.ok(!existsSync(join(folder, "medium", "keyrite", "identity.age")), name);
      restored += 1;
    } finally {
      pty.close();
    }
  }
  figure("I05", "ways to end × prompts, all terminal modes as before", {
    cases: some.length,
    restored,
  });
  assert.equal(restored, some.length);
  if (FULL) assert.equal(some.length, PROMPTS.length * ENDINGS.length);
});

test("I05: a command that was killed says so, and what to do", async () => {
  const pty = start(newFolder());
  try {
    await pty.expect(CHOICE);
    process.kill(await workerOf(pty), "SIGKILL");
    await pty.expect("error: the command was ended by SIGKILL");
    assert.equal((await pty.end()).exit, 137);
  } finally {
    pty.close();
  }
});

test("I05: a stopped command gives the terminal back, and goes on where it was", async () => {
  const folder = newFolder();
  const pty = start(folder);
  try {
    const before = await pty.termios();
    await pty.answer(CHOICE, "2");
    await pty.expect(HIDDEN);
    const worker = await workerOf(pty);
    pty.send("a pass");
    pty.kill("TSTP");
    await until("the stop", () => isStopped(pty.pid) && isStopped(worker));
    assert.deepEqual(await pty.termios(), before);
    pty.kill("CONT");
    await until("going on", () => !isStopped(worker) && !isStopped(pty.pid));
    while (echoes(await pty.termios())) await moment();
    pty.send("phrase\r");
    await pty.answer(HIDDEN, "a passphrase");
    assert.equal((await pty.end()).exit, 0, pty.text);
    assert.deepEqual(pty.finalTermios, before);
    assert.ok(existsSync(join(folder, "medium", "keyrite", "identity.age")));
    assert.doesNotMatch(pty.text, /a pass\w* *phrase/);
  } finally {
    pty.close();
  }
});

test("I10: killing what looks after the terminal interrupts the command", async () => {
  const folder = newFolder();
  const pty = start(folder);
  try {
    const before = await pty.termios();
    await pty.answer(CHOICE, "2");
    await pty.expect(HIDDEN);
    const worker = await workerOf(pty);
    pty.kill("KILL");
    await pty.end();
    await until("its end", () => statusOf(worker, "PPid") === undefined);
    assert.notEqual(before, undefined);
    assert.ok(!existsSync(join(folder, "medium", "keyrite", "identity.age")));
  } finally {
    pty.close();
  }
});
