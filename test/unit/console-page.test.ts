/** The talk both consoles share: safe text, stable width, progress, and no prompt without a terminal. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { requireTerminal } from "../../src/console/terminal.ts";
import { HEAD, isError, question, rehearsal } from "../support/rehearsal.ts";

test("I04: names and texts cannot act on a terminal, and lines stay within 100 characters", async () => {
  const { room, shown } = rehearsal(HEAD);
  room.tell(`\u001b[2J\u009b\u202e${"long words ".repeat(40)}`);
  await room.agree({ ...question("x"), to: { person: "ana", name: "A\u001b]0;\u0007\nBen" } });
  assert.doesNotMatch(shown(), /(?!\n)[\p{Cc}\p{Cf}]/u);
  assert.ok(
    shown()
      .split("\n")
      .every((line) => line.length <= 100),
  );
});

test("progress off a terminal is a line at the beginning, for each tenth, and at the end", () => {
  const { room, shown } = rehearsal(HEAD);
  const progress = room.progress("wrapping keys");
  for (let done = 0; done <= 40; done++) progress.report(done, 40);
  progress.end();
  progress.end();
  progress.report(40, 40);
  const lines = shown().trimEnd().split("\n");
  assert.equal(lines.length, 12);
  assert.equal(lines[0], "wrapping keys …");
  assert.equal(lines[1], "wrapping keys: 4 of 40 (10 %)");
  assert.match(lines[11] ?? "", /^wrapping keys: ended after \d+\.\d s$/);
  const endless = rehearsal(HEAD);
  endless.room.progress("waiting").report(7, 0);
  assert.equal(endless.shown(), "waiting …\n");
});

test("progress on a terminal begins anew after somebody talked in between", () => {
  const { room, shown } = rehearsal(HEAD, { tty: true });
  const progress = room.progress("working");
  progress.report(2, 10);
  room.tell("by the way");
  progress.report(3, 10);
  progress.end();
  assert.match(shown(), /^working \.\.\nby the way\nworking \. \d+\.\d s\n$/);
});

test("I06: without a terminal nobody is asked", () => {
  const terminal = { isTTY: true };
  for (const [input, output, words] of [
    [{}, terminal, "standard input is not a terminal"],
    [terminal, {}, "standard error is not a terminal"],
    [{ isTTY: false }, { isTTY: false }, "standard input"],
  ] as const) {
    assert.throws(
      () => {
        requireTerminal(input, output);
      },
      isError("usage.no-terminal", words, "--answers"),
    );
  }
  assert.doesNotThrow(() => {
    requireTerminal(terminal, terminal);
  });
});
