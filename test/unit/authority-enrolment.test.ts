/** Joining a roster: one person never becomes two, and a new card never replaces a person. */

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readGenesis, writeGenesis, type Founder } from "../../src/ceremony/genesis.ts";
import { init } from "../../src/cli/init.ts";
import { formatVerifierKey } from "../../src/lib/note.ts";
import { cardDigest, formatCard } from "../../src/people/card.ts";
import { Hand } from "../support/hand.ts";
import { HONEST, type HandStep } from "../support/hand-steps.ts";
import { makePerson, type TestPerson } from "../support/identities.ts";
import { ledgerVerifier } from "../support/ledger-fixture.ts";
import { CAST, script, STEP } from "../support/stage-scripts.ts";
import { POLICY } from "../support/stage-site.ts";
import { assertFound, believed, stageTests } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

const ana = await makePerson("ana");
const ben = await makePerson("ben");
/** Ana's keys under another name, a second identity of hers, and one that is not for test sites. */
const alias = await makePerson("fay", "test", "ana");
const second = await makePerson("ana", "test", "another stick");
const earnest = await makePerson("fay", "production");
const fork = await stageTests();

/** The enrolment of this identity, to which everybody agrees. */
function enrolment(stage: Stage, newcomer: TestPerson, roles: readonly string[]): HandStep {
  const { person } = newcomer.card;
  const candidate = { person, card: cardDigest(newcomer.card) };
  const reference = "file 4711";
  const who = HONEST["enroll"]?.(stage).who ?? [];
  return {
    who: stage.history.custody.people.has(person) ? who.slice(0, 2) : who,
    signers: person === "fay" ? { fay: newcomer } : {},
    data: { candidate, roles: [...roles], reference },
    facts: [{ kind: "person.enrolled", ...candidate, roles: [...roles], reference }],
    attached: [{ mediaType: "application/json", bytes: formatCard(newcomer.card) }],
  };
}

interface Refusal {
  readonly newcomer: TestPerson;
  readonly roles?: readonly string[];
  readonly problem: RegExp;
}

const REFUSED: Readonly<Record<string, Refusal>> = {
  "one key under two names": { newcomer: alias, problem: /fay presents a key of ana/ },
  "a new card for an enrolled person": {
    newcomer: second,
    problem: /1 of 2 different people agreed/,
  },
  "an identity of production": { newcomer: earnest, problem: /of production assurance/ },
};

for (const [what, { newcomer, roles = ["custodian"], problem }] of Object.entries(REFUSED)) {
  test(`Q08: ${what} is not enrolled although everybody agreed`, (t) => {
    const stage = fork(t);
    const yaml = script([STEP.enroll]);
    // Planning refuses an enrolled person, so this plan was not planned by us.
    const { person } = newcomer.card;
    const alter = (plan: string): string => plan.replace('"person":"fay"', `"person":"${person}"`);
    const hand = new Hand(stage, yaml, alter);
    hand.perform("roll-call");
    const before = believed(stage);
    const { completed } = hand.perform("enroll", enrolment(stage, newcomer, roles));
    assert.equal(believed(stage), before);
    assertFound(stage, completed, problem);
    assert.equal(believed(stage), before);
  });
}

const CLASHES = [
  ["ceremony-administrator", "custodian"],
  ["custodian", "internal-witness"],
  ["ceremony-administrator", "internal-witness"],
  ["auditor", "recorder"],
  ["auditor", "security-officer"],
  ["auditor", "custodian"],
] as const;

for (const roles of CLASHES) {
  test(`Q09: nobody is enrolled as ${roles.join(" and ")}, in the fold and in the room`, async (t) => {
    const stage = fork(t);
    const yaml = script([STEP.enroll.replace("[custodian]", `[${roles.join(", ")}]`)]);
    const hand = Hand.upTo(stage, yaml, "roll-call");
    const before = believed(stage);
    const { completed } = hand.perform("enroll", enrolment(stage, stage.person("fay"), roles));
    assert.equal(believed(stage), before);
    assertFound(stage, completed, /the policy (keeps|lets) /);
    const other = fork(t);
    await assert.rejects(other.run(yaml, CAST), { code: "people.role-not-held" });
    assert.equal(other.history.custody.people.has("fay"), false);
  });
}

test("roles that the policy lets one person hold are enrolled together", async (t) => {
  const stage = fork(t);
  const roles = "[custodian, security-officer, recorder]";
  await stage.run(script([STEP.enroll.replace("[custodian]", roles)]), CAST);
  assert.deepEqual(stage.history.custody.people.get("fay")?.roles.length, 3);
  stage.judge();
  assert.deepEqual(stage.findings, []);
});

/** Puts another identity on a medium. */
function plant(stage: Stage, medium: string, { sealed, card }: TestPerson): void {
  const folder = join(stage.medium(medium).folder, "keyrite");
  rmSync(folder, { recursive: true });
  stage.medium(medium).writeIdentity(sealed, card);
  assert.ok(existsSync(folder));
}

for (const [what, newcomer, code] of [
  ["a key of somebody enrolled", alias, "people.same-person"],
  ["the card of somebody else", ben, "people.same-person"],
  ["an identity of production", earnest, "people.role-not-held"],
] as const) {
  test(`Q08: the room refuses a newcomer with ${what} before anybody agrees`, async (t) => {
    const stage = fork(t);
    plant(stage, "fay", newcomer);
    await assert.rejects(stage.run(script([STEP.enroll]), CAST), { code });
    assert.equal(stage.history.custody.people.has("fay"), false);
    assert.ok(stage.console.asked.every((question) => !question.startsWith("enroll agree")));
    assert.equal(stage.entries().at(-1)?.type, "step.refused");
  });
}

test("Q08: somebody with a new identity of their own making is not who they were", async (t) => {
  const stage = fork(t);
  plant(stage, "ana", second);
  await assert.rejects(stage.run(script([STEP.deviation]), CAST), {
    code: "people.authentication-failed",
    message: /not the one on the roster/,
  });
});

test("Q08: one person with the media of two is asked for two passphrases", async (t) => {
  const stage = fork(t);
  const passphrase = (): string => "ana drill";
  await assert.rejects(stage.run(script([STEP.deviation]), { ...CAST, passphrase }), {
    code: "people.authentication-failed",
    message: /ben could not open their identity in 5 attempts/,
  });
  const failures = stage.entries().filter(({ type }) => type === "auth.failed");
  assert.deepEqual(
    failures.map(({ actors }) => actors[0]?.person),
    ["ben", "ben", "ben", "ben", "ben"],
  );
});

const founder = ({ card }: TestPerson, role: Founder["roles"][number]): Founder => ({
  person: card.person,
  roles: [role],
  card,
});

test("Q08: a genesis with one key under two names, or one name twice, is refused", () => {
  const site = {
    origin: "example.org/dc1/test",
    assurance: "test",
    created: "2026-11-23T08:00:00.000Z",
    policy: "0".repeat(64),
    ledgerKey: formatVerifierKey(ledgerVerifier),
  } as const;
  const genesis = (founders: readonly Founder[]): unknown =>
    readGenesis(writeGenesis({ ...site, founders }));
  const two = [founder(ana, "ceremony-administrator"), founder(alias, "custodian")];
  assert.throws(() => genesis(two), { code: "people.same-person" });
  const same = [founder(ana, "ceremony-administrator"), founder(second, "custodian")];
  assert.throws(() => genesis(same), { code: "people.same-person" });
  const recipient = { ...ben, card: { ...ben.card, recipient: ana.card.recipient } };
  const shared = [founder(ana, "ceremony-administrator"), founder(recipient, "custodian")];
  assert.throws(() => genesis(shared), { code: "people.same-person" });
  const renamed = { ...founder(ben, "custodian"), person: "dan" };
  assert.throws(() => genesis([founder(ana, "auditor"), renamed]), { code: "ledger.damaged" });
  assert.throws(() => genesis([founder(ana, "auditor")]), { code: "ledger.damaged" });
});

const INIT: readonly (readonly [string, readonly (readonly [TestPerson, string])[], string])[] = [
  [
    "one key under two names",
    [
      [ana, "custodian"],
      [alias, "auditor"],
    ],
    "people.same-person",
  ],
  [
    "one person twice",
    [
      [ana, "custodian"],
      [second, "auditor"],
    ],
    "people.same-person",
  ],
  ["one founder", [[ana, "custodian"]], "people.quorum-not-met"],
  [
    "roles kept apart in one hand",
    [
      [ana, "custodian,internal-witness"],
      [ben, "auditor"],
    ],
    "people.role-not-held",
  ],
  [
    "an auditor with another role",
    [
      [ana, "custodian"],
      [ben, "auditor,recorder"],
    ],
    "people.role-not-held",
  ],
  [
    "an identity of production",
    [
      [ana, "custodian"],
      [earnest, "auditor"],
    ],
    "people.role-not-held",
  ],
];

for (const [what, founders, code] of INIT) {
  test(`Q08 Q09: init refuses ${what} and writes nothing`, (t) => {
    const folder = mkdtempSync(join(tmpdir(), "keyrite-init-"));
    t.after(() => {
      rmSync(folder, { recursive: true });
    });
    const policy = join(folder, "policy.yaml");
    writeFileSync(policy, POLICY);
    const options = founders.map(([{ card }, roles], index) => {
      const file = join(folder, `${index}.json`);
      writeFileSync(file, formatCard(card));
      return `${file}=${roles}`;
    });
    const site = join(folder, "site");
    const origin = "example.org/dc1/test";
    const rest = { module: [], token: [], medium: [], vault: [] };
    assert.throws(() => void init({ site, origin, policy, founder: options, ...rest }), { code });
    assert.equal(existsSync(site), false);
  });
}
