/** Rehearsals from an answers file: the talk they show, and every way they can drift from the script. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { readAnswers } from "../../src/console/answers.ts";
import type { ChoiceQuestion, Question, SecretQuestion } from "../../src/console/console.ts";
import { ScriptedConsole } from "../../src/console/scripted.ts";
import { requireTerminal } from "../../src/console/terminal.ts";
import { fromUtf8, utf8 } from "../../src/lib/encoding.ts";
import { KeyriteError, type ErrorCode } from "../../src/lib/errors.ts";
import { Secret } from "../../src/lib/secret.ts";
import { style } from "../../src/lib/style.ts";

const HEAD = "keyrite: answers/v1\nagree: all\n";

function answersOf(text: string): ReturnType<typeof readAnswers> {
  return readAnswers(utf8(text), "answers.yaml");
}

interface Rehearsal {
  readonly room: ScriptedConsole;
  /** What was shown so far. */
  readonly shown: () => string;
}

function rehearsal(
  text: string,
  extra: {
    readonly secretsFrom?: ReadonlyMap<string, readonly Secret[]>;
    readonly tty?: boolean;
  } = {},
): Rehearsal {
  const written: string[] = [];
  const room = new ScriptedConsole({
    answers: answersOf(text),
    output: { write: (part) => written.push(part) },
    style: style(0),
    clock: { monotonic: () => 1500 * written.length },
    tty: false,
    ...extra,
  });
  return { room, shown: () => written.join("") };
}

const NAMES: Readonly<Record<string, string>> = { ana: "Ana Alvarez", ben: "Ben Bauer" };

function question(id: string, person = "ana", step = "room"): Question {
  return { step, id, to: { person, name: NAMES[person] ?? person }, text: `say ${id}` };
}

function passphraseOf(person: string): SecretQuestion {
  return { ...question("passphrase", person), purpose: "identity" };
}

const role: ChoiceQuestion = {
  ...question("role"),
  choices: [
    { value: "custodian", label: "keeps a share" },
    { value: "recorder", label: "writes" },
  ],
};

function isError(code: ErrorCode, ...words: readonly (string | RegExp)[]) {
  return (error: unknown): true => {
    assert.ok(error instanceof KeyriteError);
    assert.equal(error.code, code);
    const text = [error.message, ...error.hints].join("\n");
    for (const word of words) assert.match(text, new RegExp(word));
    return true;
  };
}

async function typed(room: ScriptedConsole, person: string): Promise<string> {
  const secret = await room.askSecret(passphraseOf(person));
  const text = secret.use((bytes) => fromUtf8(bytes));
  secret.wipe();
  return text;
}

test("a rehearsal shows the same talk as a terminal, and never a passphrase", async () => {
  const { room, shown } = rehearsal(
    `${HEAD}passphrases: { ana: ana drill }\nanswers: { room: { camera: { ana: CAM-1 }, role: { ana: recorder } } }`,
  );
  room.heading("Step 1");
  assert.equal(await room.ask(question("camera")), "CAM-1");
  assert.equal(await room.choose(role), "recorder");
  assert.equal(await room.agree(question("go")), true);
  assert.equal(await typed(room, "ana"), "ana drill");
  room.warn("mind the gap");
  room.finish();
  assert.equal(
    shown(),
    [
      "",
      "Step 1",
      "Ana Alvarez (ana), say camera: CAM-1",
      "Ana Alvarez (ana), say role:",
      "  1  keeps a share",
      "  2  writes",
      "Ana Alvarez (ana), number, 1 to 2: 2",
      "Ana Alvarez (ana), say go (yes or no): yes",
      "Ana Alvarez (ana), say passphrase (not shown):",
      "WARNING: mind the gap",
      "",
    ].join("\n"),
  );
});

test("a missing answer names its step, question and person", async () => {
  const { room } = rehearsal(`${HEAD}answers: { room: { camera: { ben: CAM-1 } } }`);
  const named = [
    'step "room"',
    'question "camera"',
    'person "ana"',
    "answers.yaml",
    "camera: { ana:",
  ];
  await assert.rejects(room.ask(question("camera")), isError("script.answers", ...named));
  await assert.rejects(room.choose(role), isError("script.answers", 'question "role"'));
  await assert.rejects(
    room.ask(question("camera", "ben", "other")),
    isError("script.answers", 'step "other"'),
  );
  await assert.rejects(
    room.askSecret(passphraseOf("ben")),
    isError("script.answers", "no passphrase of ben", 'step "room"', "under passphrases"),
  );
  await assert.rejects(room.ask(question("constructor")), isError("script.answers"));
});

test("an unused answer fails at the end, and each is named", async () => {
  const text =
    "answers: { room: { camera: { ana: [A, B], ben: C } }, hall: { door: { ana: shut } } }";
  const { room } = rehearsal(`${HEAD}passphrases: { ben: unused }\n${text}`);
  await room.ask(question("camera"));
  assert.throws(
    () => {
      room.finish();
    },
    isError(
      "script.answers",
      'step "room", question "camera", person "ana"',
      'person "ben"',
      "hall",
    ),
  );
  await room.ask(question("camera"));
  await room.ask(question("camera", "ben"));
  assert.throws(
    () => {
      room.finish();
    },
    isError("script.answers", /nobody asked: step "hall", question "door", person "ana"$/m),
  );
  await room.ask(question("door", "ana", "hall"));
  room.finish();
});

test("a list answers repeated asking, and is not asked beyond its end", async () => {
  const { room } = rehearsal(`${HEAD}answers: { room: { camera: { ana: [A, B] } } }`);
  assert.equal(await room.ask(question("camera")), "A");
  assert.equal(await room.ask({ ...question("camera"), preset: "P" }), "B");
  await assert.rejects(
    room.ask({ ...question("camera"), preset: "P" }),
    isError("script.answers", "no answer left"),
  );
});

test("a wrong answer is shown and asked again, and fails when no other is left", async () => {
  const check = (answer: string): string | undefined =>
    answer.startsWith("CAM-") ? undefined : "not a camera";
  const { room, shown } = rehearsal(
    `${HEAD}answers: { room: { camera: { ana: [x, CAM-1], ben: y }, role: { ana: recoder } } }`,
  );
  assert.equal(await room.ask({ ...question("camera"), check }), "CAM-1");
  assert.match(
    shown(),
    /say camera: x\n {2}not a camera: please answer again\n.*say camera: CAM-1\n/,
  );
  await assert.rejects(
    room.ask({ ...question("camera", "ben"), check }),
    isError("script.answers", "the last one was refused: not a camera"),
  );
  await assert.rejects(room.choose(role), isError("script.answers", 'did you mean "recorder"'));
});

test("a preset answers for a silent file, and is judged too", async () => {
  const { room, shown } = rehearsal(HEAD);
  assert.equal(await room.ask({ ...question("place"), preset: "vault" }), "vault");
  assert.equal(await room.choose({ ...role, preset: "custodian" }), "custodian");
  assert.match(shown(), /say place \(Enter for vault\): vault\n/);
  const refused = { ...question("place"), preset: "vault", check: () => "closed" };
  await assert.rejects(room.ask(refused), isError("script.answers", "closed"));
  await assert.rejects(room.choose({ ...role, preset: "king" }), isError("script.answers", "king"));
  room.finish();
});

test("whoever is left out of agree declines; an entry nobody asked for fails", async () => {
  const { room, shown } = rehearsal(
    "keyrite: answers/v1\nagree: { room: [ana], hall: [ben], yard: [ana] }",
  );
  assert.equal(await room.agree(question("go", "ana")), true);
  assert.equal(await room.agree(question("go", "ben")), false);
  assert.equal(await room.agree(question("go", "ana", "hall")), false);
  assert.match(shown(), /Ben Bauer \(ben\), say go \(yes or no\): no\n/);
  assert.throws(
    () => {
      room.finish();
    },
    isError(
      "script.answers",
      /nobody asked: step "hall".*person "ben"; step "yard".*person "ana"$/m,
    ),
  );
});

test("passphrases come one after the other, and the last repeats", async () => {
  const { room } = rehearsal(`${HEAD}passphrases: { ana: [wrong, right], ben: one }`);
  assert.equal(await typed(room, "ana"), "wrong");
  assert.equal(await typed(room, "ana"), "right");
  assert.equal(await typed(room, "ana"), "right");
  assert.equal(await typed(room, "ben"), "one");
  const fresh = await room.askSecret({ ...passphraseOf("ben"), purpose: "new" });
  assert.equal(fresh.length, 3);
  room.finish();
});

test("secrets from a descriptor take the place of the file's and stay the caller's", async () => {
  const own = Secret.copy(utf8("from the descriptor"));
  const { room, shown } = rehearsal(`${HEAD}passphrases: { ana: published, ben: ben drill }`, {
    secretsFrom: new Map([["ana", [own]]]),
  });
  assert.equal(await typed(room, "ana"), "from the descriptor");
  assert.equal(await typed(room, "ana"), "from the descriptor");
  assert.equal(await typed(room, "ben"), "ben drill");
  assert.equal(own.wiped, false);
  assert.doesNotMatch(shown(), /descriptor|published|drill/);
});

test("an answers file is read strictly", () => {
  const cases: readonly (readonly [string, ErrorCode, string])[] = [
    ["keyrite: answers/v2\nagree: all", "script.answers", ":1:10: expected"],
    ["keyrite: answers/v1", "script.answers", 'missing key "agree"'],
    [`${HEAD}answer: {}`, "script.answers", ':3:1: unknown key "answer"'],
    [`${HEAD}passphrases: { ana: 1234 }`, "script.answers", ":3:21: expected text"],
    [`${HEAD}passphrases: { Ana: x }`, "script.answers", 'key "Ana": not a person id'],
    [`${HEAD}answers: { room: { camera: CAM-1 } }`, "script.answers", ":3:28: expected a mapping"],
    [`${HEAD}answers: { room: { camera: { ana: [] } } }`, "script.answers", "at least 1 item"],
    [`${HEAD}answers: { room: { camera: { ana: 0417 } } }`, "script.unreadable", ":3:35: 0417"],
    ["keyrite: answers/v1\nagree: everyone", "script.answers", 'expected "all" or a mapping'],
    ["keyrite: answers/v1\nagree: { room: ana }", "script.answers", ":2:16: expected a list"],
    [`${HEAD}set: { key: [a] }`, "script.answers", ":3:13: expected"],
    [`${HEAD}passphrases: &p { ana: x }`, "script.unreadable", "an anchor"],
  ];
  for (const [text, code, words] of cases) {
    assert.throws(() => answersOf(text), isError(code, words), text);
  }
  const read = answersOf(`${HEAD}after: [establish-site]\nset: { key: root-g1, days: 30 }`);
  assert.deepEqual(read.after, ["establish-site"]);
  assert.deepEqual(
    [...read.set],
    [
      ["key", "root-g1"],
      ["days", 30],
    ],
  );
});

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
