/**
 * A stranger performs the main job at a real terminal from CEREMONY.md alone: the commands are those of
 * the manual, everything else is typed at prompts, with the mistakes that people make.
 */

import assert from "node:assert/strict";
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { LedgerStore } from "../../src/ledger/store.ts";
import { decodeEntry } from "../../src/ledger/entry.ts";
import { Desk, type Habit } from "../support/desk.ts";
import { assertQuoted, blocksOf, commandsOf } from "../support/manual.ts";
import { Pty } from "../support/pty.ts";
import { BIN, cleanEnvironment, newFolder, ROOT } from "../support/rehearsed-site.ts";
import { installedModule } from "../support/rig.ts";

const MANUAL = "CEREMONY.md";
const CTRL_U = "\u0015";
const BACKSPACE = "\u007f";

/** What each person types for a passphrase; ben takes the six words he is shown. */
const OWN: Readonly<Record<string, string>> = {
  ana: "hat trick for ana",
  cleo: "seven quiet rivers",
  dan: "dan keeps his own",
  eve: "what eve has chosen",
};
const MISTYPED = "hat trick for anna";

interface Stranger {
  readonly desk: Desk;
  readonly folder: string;
  /** Every passphrase in use, by person. */
  readonly passphrases: Record<string, string>;
}

/** A shell in an empty folder, as the manual has it set up. */
function shell(): Stranger {
  const folder = newFolder();
  const path = join(folder, "bin");
  mkdirSync(path);
  symlinkSync(BIN, join(path, "keyrite"));
  const profile = join(folder, "bin", "profile");
  writeFileSync(profile, "PS1='$ '; PS2='> '\n");
  const env = { ...cleanEnvironment(), TERM: "xterm", NO_COLOR: "1" };
  const pty = new Pty(["bash", "--rcfile", profile, "--noprofile", "--noediting"], {
    env: { ...env, KEYRITE: ROOT, PATH: `${path}:${process.env["PATH"] ?? ""}` },
    cwd: folder,
    columns: 100,
    rows: 40,
  });
  return { desk: new Desk(pty), folder, passphrases: { ...OWN } };
}

/** Types every command of a block; each must succeed. */
async function perform(
  { desk }: Stranger,
  block: string,
  habits: readonly Habit[] = [],
): Promise<void> {
  const commands = commandsOf(MANUAL, block);
  for (const command of commands) {
    const path = /(?<=softhsm:)\S+/;
    const typed = command.replace(path, (file) =>
      existsSync(file) ? file : installedModule("softhsm"),
    );
    await desk.command(typed);
    await desk.answer(commands.length === 1 ? habits : []);
    assert.equal(await desk.exit(), 0, `${command}\n${desk.pty.text.slice(-3000)}`);
  }
}

/** Three choose a passphrase and mistype it; ben takes the six words, and copies them badly at first. */
async function makeIdentities({ desk, passphrases: known }: Stranger): Promise<void> {
  const sixWords = (): string => {
    known["ben"] = /^ {4}((?:[a-z]+ ){5}[a-z]+)$/m.exec(desk.pty.text)?.[1] ?? "";
    return known["ben"];
  };
  const own = (who: string, ...before: readonly string[]): readonly Habit[] => [
    says(who, /which passphrase/, "3", "2"),
    says(who, /your new passphrase/, ...before, OWN[who] ?? "", OWN[who] ?? ""),
  ];
  const habits: Readonly<Record<string, readonly Habit[]>> = {
    ana: own("ana", OWN["ana"] ?? "", MISTYPED),
    ben: [
      says("ben", /which passphrase/, "1"),
      says("ben", /type the six words/, "none of these", sixWords),
    ],
    cleo: own("cleo", "short", "short"),
    dan: own("dan", `x${CTRL_U}dan keeps hiss${BACKSPACE} own`, "dan keeps his own".slice(1)),
    eve: own("eve"),
  };
  for (const command of commandsOf(MANUAL, "identities")) {
    await desk.command(command);
    await desk.answer(habits[/--person (\w+)/.exec(command)?.[1] ?? ""] ?? []);
    assert.equal(await desk.exit(), 0, command);
  }
}

/** What was mistyped is on record, and the record holds nothing that was typed. */
function assertRecorded(path: string): void {
  const ledger = LedgerStore.open(path);
  try {
    const entries = [...ledger.entries()].map((text) => decodeEntry(text));
    const failed = entries.filter(({ type }) => type === "auth.failed");
    assert.deepEqual(
      failed.map(({ data }) => data["person"]),
      ["ana", "cleo", "eve"],
    );
    assert.equal(entries[0]?.type, "ledger.created", "the founding is entry 0, a typo or not");
  } finally {
    ledger.close();
  }
}

/** Whoever is asked for a passphrase types their own; some mistype it first. */
function passphrases(
  { passphrases: known }: Stranger,
  mistakes: Readonly<Record<string, string>> = {},
  absent?: string,
): readonly Habit[] {
  return Object.entries(known)
    .filter(([who]) => who !== absent)
    .map(([who, right]) => {
      const wrong = mistakes[who];
      return says(who, /your passphrase/, ...(wrong === undefined ? [] : [wrong]), right);
    });
}

const agree: Habit = { who: "*", asked: /yes or no/, types: ["yes"] };
const attested: Habit = { who: "*", asked: /is the statement true/, types: ["1"] };
const clock: readonly Habit[] = [
  { who: "ana", asked: /^reference clock/, types: ["radio clock of the room"] },
  { who: "ana", asked: /seconds this machine is ahead/, types: ["about two", "100000", "-1"] },
];

function says(who: string, asked: RegExp, ...types: Habit["types"]): Habit {
  return { who, asked, types };
}

test("a stranger performs generate-root-ca from CEREMONY.md alone, mistakes included", async (t) => {
  const stranger = shell();
  const { desk, passphrases: known } = stranger;
  const { pty } = desk;
  t.after(() => {
    pty.close();
  });
  await makeIdentities(stranger);
  await perform(stranger, "site");
  await perform(stranger, "check");
  await perform(stranger, "establish-site", [
    says("ana", /do you found/, "y", "yes"),
    agree,
    ...passphrases(stranger, { ana: MISTYPED }),
    says("ana", /are you present/, "7", "ceremony administrator", "1"),
    says("*", /are you present/, "1"),
    ...clock,
    says("eve", /number of the genesis sheet/, "GS 1", "GS-0001"),
    attested,
  ]);
  await perform(stranger, "initialize-token", [
    says("eve", /do you agree to step 5/, "YES", "ja", "yes"),
    agree,
    ...passphrases(stranger),
    says("*", /are you present/, "1"),
    ...clock,
    says("eve", /tamper-evident bag/, "TEB-1001"),
    says("eve", /certificate/, "none-software"),
    says("Everyone", /acts as custodian in step 6/, "1"),
    says("Everyone", /acts as custodian in step 7/, "3"),
    says("eve", /safe and bag/, "safe 1, bag TEB-1002"),
    says("eve", /keep their media/, "each holder, own safe box"),
    attested,
  ]);
  await perform(stranger, "prepare-backup", [
    says("*", /do all words of/, "yes please", "yes"),
    agree,
    ...passphrases(stranger),
    says("*", /are you present/, "1"),
    ...clock,
    says("eve", /number of the bag/, "TEB-1011"),
    says("eve", /certificate/, "none-software"),
    says("Everyone", /acts as custodian/, "1"),
    says("eve", /bag of the (backup|spare) HSM/, "safe 2, bag TEB-1022"),
    says("eve", /sheets with the fingerprints/, "safe 1"),
    attested,
  ]);
  await perform(stranger, "root-check");
  await perform(stranger, "generate-root-ca", [
    agree,
    ...passphrases(stranger, { cleo: "seven quiet river", eve: `wrong${CTRL_U}nearly` }, "dan"),
    says("dan", /are you present/, "2"),
    says("*", /are you present/, "1"),
    ...clock,
    says("ana", /management approval/, "MB 2026 17", `MB-2026-16${BACKSPACE}7`),
    says("ana", /CPS in force/, "CPS 1.0"),
    says("ana", /image that this machine was started from/, "none, a rehearsal"),
    says("eve", /recording medium$/, "CAM-0417"),
    says("eve", /FIPS or CC/, "none-software"),
    says("eve", /when all have compared/, "no", "yes"),
    says("Everyone", /acts as custodian in step 1[23]/, "2"),
    says("eve", /safe and bag/, "safe 1, bag TEB-1003"),
    says("eve", /keep their media/, "each holder, own safe box"),
    says("eve", /two vault media/, "TEB-1004 and TEB-1005"),
    says("eve", /recording medium that goes to the archive/, "CAM-0417"),
    attested,
  ]);
  await perform(stranger, "after");
  assert.match(pty.text, /^Integrity: CONSISTENT$/m);
  assert.match(pty.text, /^Verdict: CONFORMS/m);
  assert.match(pty.text, /root-ca\.pem: OK$/m);
  assert.match(pty.text, /Subject: C ?= ?DE, O ?= ?Example, CN ?= ?Example Root G1$/m);
  // One backup is not enough for the policy, and status says so.
  assert.match(pty.text, /^ {2}key root-g1: it is on 1 token; the policy wants 2$/m);
  assert.match(
    pty.text,
    /^ {2}key root-g1: it has 0 copies off site; the policy wants 1 \(\d places not recorded: see record-custody\)$/m,
  );
  assertRecorded(join(stranger.folder, "dc1", "ledger.db"));
  const screen = pty.bytes.toString("utf8");
  for (const secret of [MISTYPED, known["ana"], known["cleo"], known["dan"], known["eve"]]) {
    assert.ok(secret !== undefined && !screen.includes(secret), "no passphrase is on the screen");
  }
  const shown = pty.text.replaceAll(stranger.folder, "/home/ceremony");
  for (const { kind, name, text } of blocksOf(MANUAL)) {
    if (kind === "shown") assertQuoted(name, text, shown);
  }
});
