/** The talk both consoles share: safe text, stable width, progress, and no prompt without a terminal. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Page } from "../../src/console/page.ts";
import { startProgress } from "../../src/console/progress.ts";
import { requireTerminal } from "../../src/console/terminal.ts";
import { style } from "../../src/lib/style.ts";
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
  assert.match(lines[1] ?? "", /^wrapping keys: 4 of 40 \(10 %\), \d+\.\d a second, \d+ s left$/);
  assert.match(lines[10] ?? "", /^wrapping keys: 40 of 40 \(100 %\), \d+\.\d a second$/);
  assert.match(lines[11] ?? "", /^wrapping keys: ended after \d+\.\d s$/);
  const endless = rehearsal(HEAD);
  endless.room.progress("waiting").report(7, 0);
  assert.equal(endless.shown(), "waiting …\n");
});

test("what was done before an interruption does not count as fast work", () => {
  const { room, shown } = rehearsal(HEAD);
  const progress = room.progress("restoring");
  progress.report(6000, 10_000);
  progress.report(7000, 10_000);
  assert.match(shown(), /^restoring: 6000 of 10000 \(60 %\)$/m);
  // The clock of the rehearsal goes on by 1.5 s a line: 1,000 keys in 3 s, 3,000 are left.
  assert.match(shown(), /^restoring: 7000 of 10000 \(70 %\), 333 a second, 9 s left$/m);
});

test("progress on a terminal is a bar for each tenth of counted work, and erases nothing", () => {
  const { room, shown } = rehearsal(HEAD, { tty: true });
  const progress = room.progress("working");
  progress.report(0, 10);
  progress.report(2, 10);
  room.tell("by the way");
  progress.report(3, 10);
  progress.end();
  assert.match(
    shown(),
    /^working \nworking \[##\.{8}\] 2 of 10, [\d.]+ a second, \d+ s left\nby the way\nworking \[###\.{7}\] 3 of 10, .* left\nworking {2}\d+\.\d s\n$/,
  );
});

test("a growing line waits while somebody types behind a prompt", (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  let shown = "";
  const page = new Page({ write: (text: string) => (shown += text) }, style(0));
  const progress = startProgress({
    page,
    text: "making",
    tty: true,
    clock: { monotonic: () => 0 },
  });
  t.mock.timers.tick(2000);
  page.closeLine();
  page.isAsking = true;
  t.mock.timers.tick(5000);
  assert.equal(shown, "making ..\n");
  page.isAsking = false;
  t.mock.timers.tick(1000);
  progress.end();
  assert.equal(shown, "making ..\nmaking . 0.0 s\n");
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
