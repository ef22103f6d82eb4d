/** At a real terminal: one person cannot be two, and Ctrl-C at every kind of prompt loses nothing. */

import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Entry } from "../../src/ledger/entry.ts";
import { Desk, type Habit } from "../support/desk.ts";
import { Pty } from "../support/pty.ts";
import {
  BIN,
  cleanEnvironment,
  newFolder,
  siteAt,
  succeeded,
  type RehearsedSite,
} from "../support/rehearsed-site.ts";

const CTRL_C = "\u0003";
const RECORD = ["run", "record-deviation"];

function says(who: string, asked: RegExp, ...types: Habit["types"]): Habit {
  return { who, asked, types };
}

const present: readonly Habit[] = [
  says("ana", /are you present/, "1"),
  says("eve", /are you present/, "1"),
];
const agree = says("*", /yes or no/, "yes");
const ana = says("ana", /your passphrase/, "ana drill");
const eve = says("eve", /your passphrase/, "eve drill");
const clock: readonly Habit[] = [says("ana", /reference clock/, ""), says("ana", /ahead/, "")];

interface Session {
  readonly exit: number | null;
  readonly text: string;
  readonly terminal: unknown;
}

/** Runs a command on a site at a terminal; `habits` are what the people there type. */
async function atTerminal(
  site: RehearsedSite,
  args: readonly string[],
  habits: readonly Habit[],
): Promise<Session> {
  const pty = new Pty([process.execPath, BIN, ...args], {
    env: { ...cleanEnvironment(), KEYRITE_SITE: site.site, NO_COLOR: "1", TERM: "xterm" },
    // Wide, so that a long preset never wraps the prompt that the desk looks for.
    columns: 220,
  });
  try {
    await new Desk(pty).answer(habits);
    const { exit } = await pty.end();
    return { exit, text: pty.text, terminal: pty.finalTermios };
  } finally {
    pty.close();
  }
}

/** The modes of a terminal that nothing has touched. */
async function untouched(): Promise<unknown> {
  const pty = new Pty(["true"], { columns: 100 });
  await pty.end();
  return pty.finalTermios;
}

function kinds(entries: readonly Entry[]): readonly string[] {
  return entries.map(({ type, step }) => (step === null ? type : `${type} ${step}`));
}

test("Q08: one person who answers both agreements is refused after five attempts, and recorded", async () => {
  const site = siteAt("founded");
  const before = site.entries().length;
  const session = await atTerminal(site, RECORD, [
    ...present,
    agree,
    ...clock,
    ana,
    // At the roll call eve is there; at the clock somebody else sits at the keyboard.
    says("eve", /your passphrase/, "eve drill", ...new Array<string>(5).fill("ana drill")),
    says("Everyone", /What now/, "2"),
  ]);
  assert.equal(session.exit, 4, session.text);
  assert.match(session.text, /eve could not open their identity in 5 attempts/);
  assert.match(session.text, /nobody can answer for another/);
  assert.match(session.text, /stays open, with everything on record/);
  assert.ok(!session.text.includes("drill"), "no passphrase is on the screen");
  const entries = site.entries().slice(before);
  const failed = entries.filter(({ type }) => type === "auth.failed");
  assert.deepEqual(
    failed.map(({ data, step }) => [data["person"], data["attempt"], step]),
    [1, 2, 3, 4, 5].map((attempt) => ["eve", attempt, "clock"]),
  );
  const refused = entries.at(-1);
  assert.equal(refused?.type, "step.refused");
  assert.equal(refused.data["code"], "people.authentication-failed");
  const begun = kinds(entries).filter((kind) => kind.startsWith("step.begun"));
  assert.deepEqual(begun, ["step.begun roll-call"], "the clock was not attested by one person");
});

test("Q08: the medium of ana given for eve is refused, recorded, and put right at the next attempt", async () => {
  const site = siteAt("founded");
  const before = site.entries().length;
  const given = ["--medium", `eve=${site.medium("ana")}`];
  const stop = await atTerminal(
    site,
    [...RECORD, ...given],
    [...present, says("Everyone", /What now/, "2")],
  );
  assert.equal(stop.exit, 4, stop.text);
  assert.match(stop.text, /eve and ana are given the same medium|ana and eve are given the same/);
  assert.match(stop.text, /is over, since nothing had begun in it/);
  assert.deepEqual(kinds(site.entries().slice(before)), [
    "ceremony.opened",
    "step.refused roll-call",
    "ceremony.abandoned",
  ]);
  const copy = join(newFolder(), "copy");
  cpSync(site.medium("ana"), copy, { recursive: true });
  const again = await atTerminal(
    site,
    [...RECORD, "--medium", `eve=${copy}`],
    [
      ...present,
      agree,
      ...clock,
      ana,
      eve,
      says("Everyone", /What now/, "1"),
      says("eve", /insert your medium/, "/no/such/folder", site.medium("eve")),
      says("ana", /which rule/, "no phones in the room"),
      says("ana", /what happened/, "one phone rang"),
    ],
  );
  assert.equal(again.exit, 0, again.text);
  assert.match(again.text, /the medium given for eve is that of ana/);
  assert.match(again.text, /there is no such folder: please answer again/);
});

interface Interruption {
  readonly where: string;
  readonly habits: readonly Habit[];
  /** Whether a step had begun, so that the ceremony stays open. */
  readonly open: boolean;
}

const INTERRUPTIONS: readonly Interruption[] = [
  {
    where: "a choice of the roll call",
    habits: [says("ana", /are you present/, "1"), says("eve", /are you present/, CTRL_C)],
    open: false,
  },
  {
    where: "the first agreement",
    habits: [...present, says("ana", /do you agree/, CTRL_C)],
    open: false,
  },
  {
    where: "a passphrase of the roll call",
    habits: [...present, agree, ana, says("eve", /your passphrase/, CTRL_C)],
    open: false,
  },
  {
    where: "a field",
    habits: [...present, agree, ana, eve, says("ana", /reference clock/, CTRL_C)],
    open: true,
  },
  {
    where: "the second agreement of a step",
    habits: [...present, says("eve", /agree to step 2/, CTRL_C), agree, ana, eve, ...clock],
    open: true,
  },
  {
    where: "a passphrase of a later step",
    habits: [...present, agree, ana, says("eve", /your passphrase/, "eve drill", CTRL_C), ...clock],
    open: true,
  },
  {
    where: "the question what to do now",
    habits: [
      says("ana", /are you present/, "2"),
      says("eve", /are you present/, "1"),
      says("Everyone", /What now/, CTRL_C),
    ],
    open: false,
  },
];

const absent: readonly Habit[] = ["ben", "cleo", "dan"].map((who) =>
  says(who, /are you present/, "2"),
);

for (const { where, habits, open } of INTERRUPTIONS) {
  test(`I10: Ctrl-C at ${where} exits 7, is recorded, and leaves the terminal as it was`, async () => {
    const site = siteAt("founded");
    const before = site.entries().length;
    const session = await atTerminal(site, RECORD, habits);
    assert.equal(session.exit, 7, session.text);
    assert.match(session.text, /keyrite: interrupted at a prompt\n/);
    assert.deepEqual(session.terminal, await untouched());
    const last = site.entries().slice(before).at(-1);
    assert.equal(last?.type, open ? "step.refused" : "ceremony.abandoned");
    if (!open) {
      assert.match(session.text, /hint: ceremony \S+ is over/);
      succeeded(site.rehearse("record-deviation"));
      return;
    }
    assert.equal(last.data["code"], "halted.interrupted");
    assert.match(
      session.text,
      /hint: two people go on with it, keyrite run --resume, or end it, keyrite run --abandon/,
    );
    await abandonAtTerminal(site);
  });
}

/** One person cannot end an open ceremony; two can, and the next one starts. */
async function abandonAtTerminal(site: RehearsedSite): Promise<void> {
  assert.equal(site.rehearse("record-deviation").code, 7, "an open ceremony bars every other");
  const alone = await atTerminal(
    site,
    ["run", "--abandon"],
    [says("ana", /are you present/, "1"), ...absent, says("eve", /are you present/, "2")],
  );
  assert.equal(alone.exit, 4, alone.text);
  assert.match(alone.text, /abandoning needs two different people, one is present/);
  const two = await atTerminal(
    site,
    ["run", "--abandon"],
    [...present, ...absent, agree, ana, eve],
  );
  assert.equal(two.exit, 0, two.text);
  assert.match(two.text, /is abandoned\.\nNext:/);
  succeeded(site.rehearse("record-deviation"));
}

test("I05: Ctrl-C while an identity is made exits 130 and leaves no identity", async () => {
  const site = siteAt("founded");
  const medium = site.medium("fay");
  const words = ["identity", "new", "--test", "--medium", medium, "--person", "fay"];
  const args = [...words, "--name", "Fay Fischer", "--domain", "example.org"];
  const session = await atTerminal(site, args, [
    says("fay", /which passphrase/, "2"),
    says("fay", /new passphrase/, "fay changes her mind", CTRL_C),
  ]);
  assert.equal(session.exit, 130, session.text);
  assert.match(session.text, /interrupted: no identity was made/);
  assert.deepEqual(session.terminal, await untouched());
  succeeded(site.makeIdentity("fay"));
  const again = await atTerminal(site, args, []);
  assert.equal(again.exit, 4, "a medium in use is refused before anybody chooses a passphrase");
  assert.match(again.text, /already holds an identity/);
});

test("I10: Ctrl-C while the site is founded records nothing, a typo included, and it can be founded", async () => {
  const site = siteAt("made");
  const session = await atTerminal(
    site,
    ["run", "establish-site"],
    [agree, says("ana", /your passphrase/, "ana drilled", CTRL_C)],
  );
  assert.equal(session.exit, 7, session.text);
  assert.match(session.text, /hint: the site is not founded and nothing is recorded/);
  assert.deepEqual(site.entries(), []);
  succeeded(site.rehearse("establish-site"));
});

test("a first ceremony that stops behind the founding is repeated, and the record fits", () => {
  const site = siteAt("made");
  const stopped = site.rehearse("establish-site", (answers) => {
    answers.answers["roll-call"] = { present: { ana: "ceremony-administrator" } };
    answers.passphrases["eve"] = ["eve drilled", "eve drill"];
  });
  assert.equal(stopped.code, 4, stopped.stderr);
  const early = [
    "ledger.created",
    "auth.failed founding",
    "ceremony.opened",
    "step.refused roll-call",
  ];
  assert.deepEqual(kinds(site.entries()), [...early, "ceremony.abandoned"]);
  succeeded(site.rehearse("establish-site"));
  const verdict = succeeded(site.keyrite(["verify", "--trust", site.file("trust.txt")]));
  assert.match(verdict.stdout, /^Integrity: CONSISTENT$/m);
  assert.equal(site.rehearse("establish-site").code, 3, "once closed, it is not repeated");
});
