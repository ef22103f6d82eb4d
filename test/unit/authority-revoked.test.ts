/** Leaving a roster: from its entry on a revoked person's word counts for nothing; what they did before stays good. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Attending } from "../../src/ceremony/custody.ts";
import { cardDigest, formatCard } from "../../src/people/card.ts";
import { concerns } from "../../src/ceremony/concerns.ts";
import { statusLines } from "../../src/cli/status-lines.ts";
import { evidenceOf } from "../../src/report/evidence.ts";
import { as, Hand } from "../support/hand.ts";
import { HONEST, type HandStep } from "../support/hand-steps.ts";
import { makePerson, type TestPerson } from "../support/identities.ts";
import { judged, problemsOf } from "../support/report-page.ts";
import { CAST, INITIALIZE, ROLL, script, STEP } from "../support/stage-scripts.ts";
import { assertFound, believed, objections, stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

const WITNESS = STEP.enroll.replace("[custodian]", "[internal-witness]");
const REVOKE = STEP.revoke.replace("olga", "fay");
/** Who is called in a role besides those that are not. */
function rollWithout(...absent: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(ROLL).filter(([person]) => !absent.includes(person)));
}
const WITH_FAY = { ...rollWithout("eve"), fay: "internal-witness" };
const FAY: Attending = { person: "fay", role: "internal-witness" };
const ANA = as("ana");

/** Fay's keys under another name. */
const alias = await makePerson("gus", "test", "fay");

/** Fay joined as a second witness and agreed to a deviation; Ana and Eve take her off the roster again. */
async function served(stage: Stage): Promise<void> {
  await stage.run(script([WITNESS]), CAST);
  await stage.run(script([STEP.clock, STEP.deviation]), { present: WITH_FAY });
}
const fork = await stageTests(served);
const revoked = await stageTests(async (stage) => {
  await served(stage);
  await stage.run(script([STEP.clock, REVOKE]), CAST);
});

const GONE = /fay was taken off the roster at .* \(left\)/;

test("Q10: whoever is revoked is on no roster, and what they agreed to before stays good", (t) => {
  const stage = revoked(t);
  const { people, former } = stage.judge().custody;
  assert.deepEqual(stage.findings, []);
  assert.equal(people.has("fay"), false);
  const entry = stage.entries().find(({ facts }) => facts[0]?.kind === "person.revoked");
  assert.deepEqual(entry?.facts, [
    { kind: "person.revoked", person: "fay", reason: "left", reference: "file 4712" },
  ]);
  const at = entry.time;
  assert.deepEqual(former.get("fay")?.revoked, { at, reason: "left", reference: "file 4712" });
});

test("Q10: whoever is revoked is not asked for at the roll call, and cannot be called by it", async (t) => {
  const stage = revoked(t);
  await assert.rejects(stage.run(script([STEP.deviation]), { present: WITH_FAY }), {
    code: "people.quorum-not-met",
    message: "the script needs 1 × internal-witness, 0 are present",
  });
  assert.ok(stage.console.asked.some((question) => question.includes("eve")));
  assert.deepEqual(
    stage.console.asked.filter((question) => question.includes("fay")),
    [],
  );
});

test("Q10: a forged roll call with a revoked person is no roll call, and nothing rests on it", (t) => {
  const stage = revoked(t);
  const hand = new Hand(stage, script([STEP.adopt]));
  const before = believed(stage);
  const roll = hand.callRoll([...as("ana", "ben", "cleo", "dan"), FAY]);
  const { completed } = hand.perform("adopt", { who: [...ANA, FAY] });
  assert.equal(believed(stage), before);
  assertFound(stage, roll - 1, GONE);
  assertFound(stage, roll, /no authority: fay was taken off the roster/);
  assertFound(stage, completed, /is not at the roll call|different people agreed/);
});

test("Q10: a revoked person's agreement beside a good roll call counts for nobody", (t) => {
  const stage = revoked(t);
  const hand = Hand.upTo(stage, script([STEP.adopt]), "roll-call");
  const before = believed(stage);
  const { begun, completed } = hand.perform("adopt", { who: [...ANA, FAY] });
  assert.equal(believed(stage), before);
  assertFound(stage, begun, GONE);
  assertFound(stage, completed, /1 of 2 different people agreed/);
});

test("Q10: an agreement that was good before its giver was revoked is not good again", (t) => {
  const stage = revoked(t);
  const notes = stage.entries().flatMap(({ agreements }) => agreements);
  const old = notes.filter((note) => note.includes("\nperson fay\n"));
  assert.ok(old.length > 1);
  const hand = Hand.upTo(stage, script([STEP.adopt]), "roll-call");
  const before = believed(stage);
  const opening = hand.open("adopt", { data: HONEST["adopt"]?.(stage).data ?? {} });
  const ana = hand.sign(opening, "ana", "ceremony-administrator");
  const begun = hand.begin(opening, [ana, ...old]);
  const completed = hand.complete(opening, HONEST["adopt"]?.(stage).facts ?? []);
  assert.equal(stage.findings.filter((text) => GONE.test(text)).length, old.length);
  assertFound(stage, begun, GONE);
  assertFound(stage, completed, /1 of 2 different people agreed/);
  assert.equal(believed(stage), before);
});

test("Q10: giving a ceremony up is not decided by one person and a revoked one", (t) => {
  const stage = revoked(t);
  const hand = Hand.upTo(stage, script([STEP.clock, STEP.adopt]), "clock");
  const data = { reason: "by hand" };
  const opening = hand.open("adopt", { data, purpose: "abandon", decision: "abandon" });
  const agreements = [...ANA, FAY].map(({ person, role }) => hand.sign(opening, person, role));
  assertFound(
    stage,
    hand.append({ type: "ceremony.abandoned", step: "adopt", agreements, data }),
    GONE,
  );
  assert.equal(stage.history.open?.id, hand.ceremony);
});

function enrolment({ card }: TestPerson, who: readonly Attending[]): HandStep {
  const candidate = { person: card.person, card: cardDigest(card) };
  const data = { candidate, roles: ["custodian"], reference: "file 4711" };
  const { roles, reference } = data;
  return {
    who: [...who, ...as(card.person)],
    signers: { gus: alias },
    data,
    facts: [{ kind: "person.enrolled", ...candidate, roles, reference }],
    attached: [{ mediaType: "application/json", bytes: formatCard(card) }],
  };
}

const BACK: Readonly<
  Record<string, readonly [newcomer: (stage: Stage) => TestPerson, voucher: string, RegExp]>
> = {
  "by the vouching of a revoked person": [
    (stage) => stage.person("mallory"),
    "fay",
    /1 of 2 different people agreed/,
  ],
  "who was revoked, with the same card": [(stage) => stage.person("fay"), "eve", /did not prove/],
  "with the keys of somebody who was revoked": [() => alias, "eve", /gus presents a key of fay/],
};

for (const [what, [newcomer, voucher, problem]] of Object.entries(BACK)) {
  test(`Q10: nobody is enrolled ${what}`, (t) => {
    const stage = revoked(t);
    const joining = newcomer(stage);
    // Planning refuses an id that was ever enrolled, so this plan was not planned by us.
    const alter = (plan: string): string =>
      plan.replace('"person":"mallory"', `"person":"${joining.card.person}"`);
    const hand = new Hand(stage, script([STEP.enroll.replace("fay", "mallory")]), alter);
    hand.perform("roll-call");
    const before = believed(stage);
    const who: readonly Attending[] = [...ANA, { person: voucher, role: "internal-witness" }];
    const { completed } = hand.perform("enroll", enrolment(joining, who));
    assert.equal(believed(stage), before);
    assertFound(stage, completed, problem);
  });
}

test("Q10: a head that a revoked person cosigns with one other is not cosigned", (t) => {
  const stage = revoked(t);
  const hand = Hand.upTo(stage, script([STEP.clock]), "clock");
  const { cosigned } = stage.history;
  hand.close(["ana", "fay"]);
  assert.equal(stage.judge().cosigned, cosigned);
  hand.cosign(["eve"]);
  assert.equal(stage.judge().cosigned, stage.ledger.size);
});

test("Q10: a report's page judges the same: no word of a revoked person after the entry that names them", async (t) => {
  const stage = revoked(t);
  const problems = async (): Promise<readonly string[]> => {
    const { size } = stage.ledger;
    return problemsOf(await judged(evidenceOf(stage.ledger, { first: 0, size, authority: [] })));
  };
  assert.deepEqual(await problems(), []);
  const gone = stage.entries().find(({ facts }) => facts[0]?.kind === "person.revoked")?.seq ?? -1;
  const hand = Hand.upTo(stage, script([STEP.adopt]), "roll-call");
  const { begun } = hand.perform("adopt", { who: [...ANA, FAY] });
  hand.close(["ana", "fay"]);
  // What a hand writes lacks more than this: of the others nothing is asked here.
  const ofFay = (await problems()).filter((text) => text.includes("fay"));
  assert.deepEqual(ofFay.toSorted(), [
    `agreements: entry ${begun}: fay, who agrees, was taken off the roster at entry ${gone}`,
    `cosignatures: a cosignature on the checkpoint of ${stage.ledger.size} entries is by ${stage.person("fay").card.keyName}, who was off the roster by then`,
  ]);
});

test("Q10: nobody on the roll of a ceremony is revoked in it, whoever agreed", (t) => {
  const stage = fork(t);
  const yaml = script([REVOKE]);
  const hand = new Hand(stage, yaml);
  hand.callRoll([...as("ana", "ben", "cleo", "dan", "eve"), FAY]);
  const before = believed(stage);
  const leaving = { person: "fay", reason: "left", reference: "file 4712" };
  const facts = [{ kind: "person.revoked", ...leaving }];
  const card = cardDigest(stage.person("fay").card);
  const { completed } = hand.perform("revoke", {
    who: as("ana", "eve"),
    data: { ...leaving, card, shareSets: [] },
    facts,
  });
  assert.equal(believed(stage), before);
  assertFound(stage, completed, /fay is on the roll of the very ceremony/);
});

test("Q10: the room refuses to revoke somebody who is there, before anybody agrees", async (t) => {
  const stage = fork(t);
  const present = { ...ROLL, fay: "internal-witness" };
  await assert.rejects(stage.run(script([REVOKE]), { present }), {
    code: "people.role-not-held",
    message: "fay is on the roll: nobody takes part in the ceremony that takes them off the roster",
  });
  assert.ok(stage.console.asked.every((question) => !question.startsWith("revoke agree")));
});

test("Q10: an older ledger, in which they are still on the roster, is shown by any head", async (t) => {
  const stage = revoked(t);
  const entries = stage.entries();
  const at = entries.findIndex(({ facts }) => facts[0]?.kind === "person.revoked");
  const opened = entries.findLastIndex(({ type, seq }) => type === "ceremony.opened" && seq < at);
  stage.rewrite(entries.slice(0, opened));
  assert.ok(stage.history.custody.people.has("fay"));
  await assert.rejects(stage.run(script([STEP.deviation]), CAST), {
    code: "ledger.shorter-than-head",
  });
  await assert.rejects(stage.run(script([STEP.deviation]), { present: WITH_FAY }), {
    code: /ledger\.(shorter-than-head|forked)/,
  });
});

test("Q10: nobody is planned to leave who is not there, or whom the rules need", (t) => {
  const stage = fork(t);
  const said = (at: Stage, steps: readonly string[]): readonly string[] =>
    objections(at, script(steps)).map((text) => text.replace(/^\d+:\d+ /, ""));
  const leaves = (person: string): readonly string[] =>
    said(stage, [STEP.revoke.replace("olga", person)]);
  assert.deepEqual(leaves("mallory"), ["step revoke: mallory is not on the roster"]);
  assert.deepEqual(leaves("olga"), []);
  assert.deepEqual(leaves("eve"), []);
  assert.deepEqual(said(stage, [REVOKE, REVOKE.replace("id: revoke", "id: twice")]), [
    "step twice: fay was taken off the roster at planned (left)",
  ]);
  const gone = revoked(t);
  assert.deepEqual(said(gone, [STEP.revoke.replace("olga", "eve")]), [
    "step revoke: eve is the last internal-witness, whom the policy wants at ceremonies; enrol another first",
  ]);
  assert.match(said(gone, [STEP.enroll]).join(), /an id is not given twice/);
});

test("Q10: shares of whoever was revoked count as lost, and status says what to do", async (t) => {
  const stage = fork(t);
  await stage.run(INITIALIZE, CAST);
  const leave = script([STEP.clock, STEP.revoke.replace("olga", "dan")]);
  await stage.run(leave.replace("custodian: 3", "custodian: 2"), {
    present: rollWithout("dan"),
  });
  const { history, ledger, site } = stage;
  const said = concerns(history, []).filter((text) => text.includes("dan"));
  assert.equal(said.length, 2);
  assert.match(
    said[0] ?? "",
    /^dan, off the roster, had 1 share of set [a-z0-9-]+\.g1 of token alpha: counted as lost, 2 of 3 are left and 2 open it; restore its keys onto an HSM with holders of its own, then retire it$/,
  );
  const view = {
    keys: [],
    certificates: { certificates: [], crls: [], concerns: [] },
    concerns: said,
    all: true,
  };
  const lines = statusLines({ history, genesis: site.genesis, ledger }, view);
  assert.ok(lines.includes("    counted as lost: dan; left are 2, and 2 open it"));
  assert.ok(
    lines.some((line) =>
      /^ {2}dan {2}.* was custodian; revoked .*, left, by file 4712$/.test(line),
    ),
  );
  const again = script([STEP.clock, STEP.revoke.replace("olga", "cleo")]);
  await stage.run(again.replace("custodian: 3", "custodian: 1"), {
    present: rollWithout("cleo", "dan"),
  });
  const worse = concerns(stage.history, []).filter((text) => text.includes("cleo"));
  assert.match(
    worse[0] ?? "",
    /^RED: cleo and dan, off the roster, had 2 shares .* 1 of 3 are left/,
  );
});
