/** Rehearsals from an answers file, and every way they can drift from the script. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { utf8 } from "../../src/lib/encoding.ts";
import type { ErrorCode } from "../../src/lib/errors.ts";
import { Secret } from "../../src/lib/secret.ts";
import {
  HEAD,
  answersOf,
  isError,
  passphraseOf,
  question,
  rehearsal,
  role,
  typed,
} from "../support/rehearsal.ts";

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
