/** A ceremony is gone on with on another machine: people read what differs, agree to it, and the verdict names it. */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { citedDigests } from "../../src/ceremony/citations.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import { conformed, newest } from "../support/conformed.ts";
import { CAST, script, STEP } from "../support/stage-scripts.ts";
import { BINDINGS, MODULE_FILE } from "../support/stage-site.ts";
import { assertFound, stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

const YAML = script([STEP.clock, STEP.deviation]);
const fork = await stageTests();

/** A ceremony that stopped between two steps. */
async function stopped(t: TestContext): Promise<Stage> {
  const stage = fork(t);
  let left = 2;
  const interrupted = (): boolean => (left -= 1) < 0;
  await assert.rejects(stage.run(YAML, CAST, { hall: { interrupted } }), /between two steps/);
  return stage;
}

function amendments(stage: Stage): readonly string[] {
  const { verdict, violations, exceptions, missing } = newest(conformed(stage));
  assert.deepEqual([violations, missing], [[], []]);
  assert.equal(verdict, "CONFORMS WITH DEVIATIONS");
  return exceptions.filter(({ kind }) => kind === "amendment").map(({ text }) => text);
}

/** Resumes; returns what the room read of the machine. */
async function resumed(stage: Stage): Promise<string> {
  await stage.resume(CAST);
  const { shown } = stage.console;
  const { open, findings } = stage.judge();
  assert.equal(open, null);
  assert.deepEqual(findings, []);
  return shown.join("\n");
}

test("on the same machine nothing is amended", async (t) => {
  const stage = await stopped(t);
  assert.doesNotMatch(await resumed(stage), /NOT THE MACHINE/);
  assert.deepEqual(amendments(stage), []);
});

test("another build: both digests are read, agreed to and named; agreements say the new one", async (t) => {
  const stage = await stopped(t);
  const before = stage.software.sha256;
  const now = sha256Hex("another build");
  stage.software = { ...stage.software, version: "0.0.1", sha256: now };
  const shown = await resumed(stage);
  assert.match(shown, new RegExp(`another build of keyrite \\(${before}, now ${now}\\)`));
  const [only, ...more] = amendments(stage);
  assert.match(only ?? "", /go on with another build of keyrite/);
  assert.deepEqual(more, []);
  const last = stage.entries().findLast(({ agreements }) => agreements.length > 0);
  assert.match(last?.agreements[0] ?? "", new RegExp(`\nsoftware ${now}\n`));
});

test("another site.yaml: its changed lines are read, and it is attached", async (t) => {
  const stage = await stopped(t);
  const bytes = `${BINDINGS}media: { ana: /media/usb7 }\n`;
  writeFileSync(join(stage.folder, "site.yaml"), bytes);
  assert.match(await resumed(stage), /another site\.yaml[^]*media: \{ ana: \/media\/usb7 \}/);
  assert.equal(amendments(stage).length, 1);
  const digest = sha256Hex(Buffer.from(bytes));
  assert.ok(stage.ledger.attachment(digest));
  const amended = stage.entries().find(({ type }) => type === "plan.amended");
  assert.ok(amended);
  assert.deepEqual(citedDigests(amended), [digest], "a verdict needs it");
});

test("another PKCS#11 module: what is agreed to is what may be loaded from then on", async (t) => {
  const stage = await stopped(t);
  writeFileSync(join(stage.folder, MODULE_FILE), "a newer module\n");
  assert.match(await resumed(stage), /another PKCS#11 module soft/);
  assert.equal(amendments(stage).length, 1);
});

test("an amendment holds for what comes after it: going on again amends nothing more", async (t) => {
  const stage = await stopped(t);
  stage.software = { ...stage.software, sha256: sha256Hex("another build") };
  await assert.rejects(
    stage.resume({
      ...CAST,
      agrees: ({ step }) => step !== "deviation",
      answers: { again: "stop" },
    }),
    /declined step deviation/,
  );
  assert.doesNotMatch(await resumed(stage), /NOT THE MACHINE/);
  assert.equal(amendments(stage).length, 1);
  const back = stage.history.ceremonies.at(-1);
  assert.equal(back?.resumptions, 2);
});

test("nobody goes on with another machine alone, or undecided", async (t) => {
  const stage = await stopped(t);
  const { software } = stage;
  stage.software = { ...software, sha256: sha256Hex("another build") };
  await assert.rejects(
    stage.resume({ ...CAST, agrees: ({ to }) => to.person !== "eve" }),
    /eve declined step resume/,
  );
  await assert.rejects(
    stage.resume({ ...CAST, present: { ana: "ceremony-administrator" } }),
    /two different people/,
  );
  assert.equal(stage.judge().open?.plan?.software, software.sha256);
  const size = stage.append({
    type: "plan.amended",
    ceremony: stage.history.open?.id ?? "",
    step: "deviation",
    description: "Trust me.",
    data: { software: sha256Hex("mine"), bindings: sha256Hex("mine"), modules: [] },
  });
  assertFound(stage, size, /0 of 2 different people/);
  assert.equal(stage.history.open?.plan?.software, software.sha256);
});
