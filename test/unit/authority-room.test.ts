/** The room itself: people who decline, come late or go; files and tokens that change after agreement. */

import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Question } from "../../src/console/console.ts";
import type { Hsm, TokenInfo } from "../../src/hsm/token.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import { CAST, DEVIATION, INITIALIZE, ROLL, ROOT, script, STEP } from "../support/stage-scripts.ts";
import { MODULE_FILE } from "../support/stage-site.ts";
import { stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

const fork = await stageTests();

/** What the newest ceremony recorded of a step. */
function outcomes(stage: Stage, step: string): readonly string[] {
  return stage
    .entries()
    .filter((entry) => entry.step === step)
    .map(({ type }) => type);
}

const declines =
  (step: string, person: string) =>
  ({ step: at, to }: Question): boolean =>
    at !== step || to.person !== person;

for (const person of ["ana", "eve"]) {
  test(`a step that ${person} declines is refused, on record, and nothing is done`, async (t) => {
    const stage = fork(t);
    const before = stage.custody;
    const run = stage.run(INITIALIZE, { ...CAST, agrees: declines("initialize", person) });
    await assert.rejects(run, { code: "people.declined", message: new RegExp(`^${person} `) });
    assert.deepEqual(outcomes(stage, "initialize"), ["step.opened", "step.refused"]);
    assert.equal(stage.history.custody.tokens.size, 0);
    assert.equal(stage.rig.hsm.counters.logins, 0);
    assert.equal(stage.history.open?.steps.get("initialize"), "refused");
    assert.equal(stage.custody, before);
  });
}

test("a declined step may be tried again, with new agreements", async (t) => {
  const stage = fork(t);
  let asked = 0;
  const agrees = ({ step, to }: Question): boolean =>
    step !== "deviation" || to.person !== "eve" || (asked += 1) > 1;
  await stage.run(DEVIATION, { ...CAST, agrees, answers: { again: "again" } });
  assert.deepEqual(outcomes(stage, "deviation"), [
    "step.opened",
    "step.refused",
    "step.opened",
    "step.begun",
    "step.completed",
  ]);
  const notes = stage.entries().flatMap(({ agreements }) => agreements);
  assert.equal(new Set(notes).size, notes.length);
  stage.judge();
  assert.deepEqual(stage.findings, []);
});

test("Q11: an agreement that waited too long, by the clock nobody can set, is asked for again", async (t) => {
  const stage = fork(t);
  const agrees = ({ step, to }: Question): boolean => {
    if (step === "deviation" && to.person === "eve") stage.clock.mono += 600_001;
    return true;
  };
  await assert.rejects(stage.run(DEVIATION, { ...CAST, agrees }), {
    code: "people.agreement-invalid",
    message: /the agreement of ana is older than 10 minutes/,
  });
  assert.deepEqual(outcomes(stage, "deviation"), ["step.opened", "step.refused"]);
});

test("Q11: nothing is done on agreements that the ledger's own time makes stale", async (t) => {
  const stage = fork(t);
  const agrees = ({ step, to }: Question): boolean => {
    if (step === "initialize" && to.person === "eve") stage.clock.time += 600_001;
    return true;
  };
  await assert.rejects(stage.run(INITIALIZE, { ...CAST, agrees }), {
    code: "people.agreement-invalid",
  });
  assert.equal(stage.history.custody.tokens.size, 0);
  assert.equal(stage.rig.hsm.counters.logins, 0, "the token was not touched");
  assert.deepEqual(
    stage.findings.filter((finding) => !/had expired|of 2 different people agreed/.test(finding)),
    [],
  );
  assert.equal(stage.history.open?.unsettled.size, 0, "nothing is in doubt");
});

test("a person who cannot cosign is a deviation on record, and the others close", async (t) => {
  for (const [cast, reason] of [
    [{ agrees: declines("close", "dan") }, /declined to cosign/],
    [
      {
        passphrase: (person: string, step: string) =>
          step === "close" && person === "dan" ? "?" : `${person} drill`,
      },
      /dan could not open their identity/,
    ],
  ] as const) {
    const stage = fork(t);
    const { closing } = await stage.run(DEVIATION, { ...CAST, ...cast });
    assert.deepEqual(
      closing.cosigned,
      Object.keys(ROLL).filter((person) => person !== "dan"),
    );
    const recorded = stage.entries().find(({ type }) => type === "deviation.recorded");
    assert.ok(recorded);
    assert.deepEqual(
      recorded.actors.map(({ person }) => person),
      ["dan"],
    );
    assert.match(JSON.stringify(recorded.data["reason"]), reason);
    assert.equal(stage.medium("dan").readHead(stage.site.genesis.origin)?.split("\n")[1], "9");
    stage.judge();
    assert.deepEqual(stage.findings, []);
    assert.equal(stage.history.ceremonies.at(-1)?.deviations, 2);
    assert.equal(stage.history.cosigned, stage.history.size);
  }
});

test("with fewer than two cosigners the ceremony stays open, until two people abandon it", async (t) => {
  const stage = fork(t);
  const agrees = ({ step, to }: Question): boolean => step !== "close" || to.person === "ana";
  const { cosigned } = stage.history;
  await assert.rejects(stage.run(DEVIATION, { ...CAST, agrees }), {
    code: "people.quorum-not-met",
    message: /1 of at least 2 people can cosign/,
  });
  assert.notEqual(stage.history.open, null);
  assert.equal(stage.history.cosigned, cosigned);
  const present = { ana: "ceremony-administrator", eve: "internal-witness" };
  await assert.rejects(stage.abandon({ present, agrees: declines("roll-call", "eve") }), {
    code: "people.declined",
  });
  assert.notEqual(stage.history.open, null);
  await stage.abandon({ present });
  assert.equal(stage.history.open, null);
  stage.judge();
  assert.deepEqual(stage.findings, []);
  assert.equal(stage.history.ceremonies.at(-1)?.state, "abandoned");
});

const ABSENT: Readonly<Record<string, readonly [Readonly<Record<string, string>>, string]>> = {
  "nobody comes": [{}, "people.quorum-not-met"],
  "a custodian is missing": [
    { ana: "ceremony-administrator", ben: "custodian", cleo: "custodian", eve: "internal-witness" },
    "people.quorum-not-met",
  ],
};

for (const [what, [present, code]] of Object.entries(ABSENT)) {
  test(`a roll call to which ${what} ends the ceremony before it began`, async (t) => {
    const stage = fork(t);
    await assert.rejects(stage.run(DEVIATION, { present }), { code });
    assert.equal(stage.history.open, null);
    assert.equal(stage.entries().at(-1)?.type, "ceremony.abandoned");
  });
}

test("Q12: an input that was swapped after it was read stops the next step", async (t) => {
  const stage = fork(t);
  const agrees = ({ step }: Question): boolean => {
    if (step === "clock") stage.changed = "script.yaml";
    return true;
  };
  await assert.rejects(stage.run(INITIALIZE, { ...CAST, agrees }), {
    code: "people.agreement-invalid",
    message: /script\.yaml is not the file/,
  });
  assert.equal(stage.rig.hsm.counters.logins, 0);
});

test("H15: a module file that changed after the plan was agreed to is not loaded", async (t) => {
  const stage = fork(t);
  const agrees = ({ step }: Question): boolean => {
    if (step === "roll-call") writeFileSync(join(stage.folder, MODULE_FILE), "another module\n");
    return true;
  };
  const yaml = script([STEP.initialize]);
  await assert.rejects(stage.run(yaml, { ...CAST, agrees }), { code: "hsm.module-differs" });
  assert.deepEqual(outcomes(stage, "initialize"), ["step.refused"]);
});

test("Q12: site.yaml is what the room agreed to: a change is read out at the next roll call", async (t) => {
  const stage = fork(t);
  const file = join(stage.folder, "site.yaml");
  const { bindings } = stage.hall();
  const agrees = ({ step }: Question): boolean => {
    if (step === "roll-call") rmSync(file, { force: true });
    return true;
  };
  await stage.run(DEVIATION, { ...CAST, agrees });
  assert.equal(stage.history.custody.bindings, bindings.sha256);
  writeFileSync(file, Buffer.from(bindings.bytes).toString().replace("beta:", "gamma:"));
  await stage.run(DEVIATION, CAST);
  const { shown } = stage.console;
  assert.ok(shown.some((line) => line.startsWith("  + ") && line.includes("gamma")));
  assert.ok(shown.some((line) => line.startsWith("  - ") && line.includes("beta")));
  assert.equal(stage.history.custody.bindings, stage.hall().bindings.sha256);
});

test("Q12: what the host completes otherwise than agreed stops the ceremony in the room", async (t) => {
  const stage = fork(t);
  // The module answers with another digest once people have agreed to the first.
  const hsm = altered(stage.rig.hsm, "initialize", (info: TokenInfo) => ({
    ...info,
    moduleDigest: sha256Hex("another module"),
  }));
  await assert.rejects(stage.run(INITIALIZE, CAST, { hall: { hsm } }), {
    code: "halted.step-failed",
    message: /token\.bound is not what people agreed to/,
  });
  assert.notEqual(stage.history.open, null);
  assert.equal(stage.history.custody.tokens.size, 0);
});

/** The same HSM, with what one of its methods answers altered. */
function altered<T>(hsm: Hsm, method: keyof Hsm, change: (answer: T) => T): Hsm {
  return new Proxy(hsm, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      if (name !== method) return member.bind(target) as unknown;
      return async (...args: readonly unknown[]) =>
        change((await Reflect.apply(member, target, args)) as T);
    },
  });
}

test("Q08: nobody answers for two: the same passphrase opens one identity only", async (t) => {
  const stage = fork(t);
  await stage.run(INITIALIZE, CAST);
  const logins = stage.rig.hsm.counters.logins;
  const passphrase = (person: string, step: string): string =>
    step === "activate" ? "ben drill" : `${person} drill`;
  await assert.rejects(stage.run(ROOT, { ...CAST, passphrase }), {
    code: "people.authentication-failed",
    message: /cleo could not open their identity/,
  });
  assert.equal(stage.rig.hsm.counters.logins, logins);
  assert.deepEqual(stage.issued(), []);
});
