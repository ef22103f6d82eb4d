/** What a prompt leaves behind at a real terminal, however it ends: modes, memory, the process. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256Hex } from "../../src/lib/encoding.ts";
import { CTRL_C, CTRL_D, SECRET, moment, outcome, session } from "../support/console-driver.ts";
import { memoryHolds } from "../support/memory.ts";
import { echoes } from "../support/pty.ts";

const PROMPTS = [
  ["ask", "camera:"],
  ["choose", "number, 1 to 2:"],
  ["agree", "(yes or no):"],
  ["identity", SECRET],
  ["new", SECRET],
] as const;

test("I05: the modes of the terminal are the same after every prompt, however it ends", async () => {
  const keys = [
    [CTRL_C, "halted.interrupted"],
    [CTRL_D, "usage.no-terminal"],
    [`typed${CTRL_C}`, "halted.interrupted"],
  ] as const;
  const names = PROMPTS.flatMap(([name]) => keys.map(() => name));
  const pty = await session(["pid", ...names], async (pty) => {
    await pty.expect("[pid: ");
    const before = await pty.termios();
    pty.kill("USR2");
    for (const [name, prompt] of PROMPTS) {
      for (const [typed, code] of keys) {
        await pty.expect(prompt);
        assert.equal(echoes(await pty.termios()), false, `${name} is asked without echo`);
        pty.send(typed);
        await pty.expect(`[${name}: ${code}]`);
        assert.deepEqual(await pty.termios(), before, `${name} ended by ${code}`);
        pty.kill("USR2");
      }
    }
    assert.equal((await pty.end()).exit, 0);
    assert.deepEqual(pty.finalTermios, before);
  });
  assert.doesNotMatch(pty.text, /passphrase.*typed/);
});

test("I10: a termination signal at any prompt interrupts it and restores the terminal", async () => {
  for (const [name, prompt] of PROMPTS) {
    await session(["pid", name, "agree"], async (pty) => {
      await pty.expect("[pid: ");
      const before = await pty.termios();
      pty.kill("USR2");
      await pty.expect(prompt);
      pty.kill("TERM");
      await outcome(pty, `[${name}: halted.interrupted]`);
      await outcome(pty, "[agree: halted.interrupted]");
      assert.equal((await pty.end()).exit, 0);
      assert.deepEqual(pty.finalTermios, before);
    });
  }
});

test("I05: a stopped prompt gives the terminal back, and takes it again without echo", async () => {
  const pty = await session(["pid", "identity", "agree"], async (pty) => {
    await pty.expect("[pid: ");
    const before = await pty.termios();
    pty.kill("USR2");
    await pty.expect(SECRET);
    pty.send("first ");
    await moment();
    pty.kill("TSTP");
    await moment();
    assert.deepEqual(await pty.termios(), before);
    pty.kill("CONT");
    await moment();
    assert.equal(echoes(await pty.termios()), false);
    pty.send("second\r");
    await outcome(pty, `[identity: ${sha256Hex("first second")}]`);
    await pty.answer("(yes or no):", "yes");
    await outcome(pty, "[agree: true]");
  });
  assert.doesNotMatch(pty.text, /second/);
});

test("I06: a terminal that goes away ends the program", async () => {
  for (const [, prompt] of [PROMPTS[0], PROMPTS[3]]) {
    await session([prompt === SECRET ? "identity" : "ask"], async (pty) => {
      await pty.expect(prompt);
      pty.hangUp();
      const { exit, signal } = await pty.end();
      assert.ok(exit !== 0 || signal !== null, "a lost terminal is no success");
    });
  }
});

test("S03: nothing of a passphrase is in memory once it is wiped", async () => {
  // Halves, so that the test's own source and arguments are no find.
  const canary = ["canary", "7Gq2", "under", "the", "stone"].join("-");
  await session(["pid", "identity", "identity", "ask"], async (pty) => {
    const pid = Number(/\d+/.exec(await pty.expect(/\[pid: \d+\]/))?.[0]);
    pty.kill("USR2");
    await pty.expect(SECRET);
    pty.send(canary);
    await moment();
    assert.ok(memoryHolds(pid, canary), "the search must find a passphrase that is there");
    pty.send(`\r${canary}\r`);
    await pty.expect(`[identity: ${sha256Hex(canary)}]`);
    assert.equal(memoryHolds(pid, canary), false, "after use");
    pty.kill("USR2");
    await pty.expect(SECRET);
    pty.send(`${canary}${CTRL_C}`);
    await pty.expect("[identity: halted.interrupted]");
    assert.equal(memoryHolds(pid, canary), false, "after Ctrl-C");
  });
});
