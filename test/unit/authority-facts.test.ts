/** People agreed to a step: the host completes it with other facts than they agreed to. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../../src/lib/json.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import { cardDigest, formatCard } from "../../src/people/card.ts";
import type { Attached } from "../../src/ceremony/recorder.ts";
import { Hand } from "../support/hand.ts";
import { HONEST } from "../support/hand-steps.ts";
import { makePerson } from "../support/identities.ts";
import { script, STEP, STEPS_TO } from "../support/stage-scripts.ts";
import { assertFound, believed, stageTests } from "../support/stage-tests.ts";

const OTHER = sha256Hex("other");
const NOT_AGREED = /no authority: .* is not what people agreed to/;
const CANNOT = /no authority: .* cannot establish/;
const mallory = await makePerson("fay", "test", "mallory's fay");
const card = (bytes: Uint8Array): Attached => ({ mediaType: "application/json", bytes });
const fork = await stageTests();

const STEPS = { "roll-call": [], ...STEPS_TO } as const;
type StepId = keyof typeof STEPS;

/** Members of the step's fact of that kind that were agreed to and are recorded otherwise. */
const LIES: readonly (readonly [step: StepId, kind: string, lie: JsonObject])[] = [
  ["roll-call", "people.present", { bindings: OTHER }],
  ["clock", "clock.attested", { source: "no clock" }],
  ["clock", "clock.attested", { offsetSeconds: 86_400 }],
  ["deviation", "deviation.recorded", { rule: "another rule" }],
  ["deviation", "deviation.recorded", { reason: "another reason" }],
  ["enroll", "person.enrolled", { roles: ["custodian", "security-officer"] }],
  ["enroll", "person.enrolled", { reference: "file 0815" }],
  ["enroll", "person.enrolled", { vettedUntil: "2027-11-30" }],
  ["renew", "person.renewed", { person: "xan" }],
  ["renew", "person.renewed", { reference: "file 0815" }],
  ["renew", "person.renewed", { vettedUntil: "2028-11-30" }],
  ["renew", "person.renewed", { trainedUntil: "2027-11-30" }],
  ["revoke", "person.revoked", { person: "xan" }],
  ["revoke", "person.revoked", { reason: "compromised" }],
  ["revoke", "person.revoked", { reference: "file 0815" }],
  ["policy", "policy.adopted", { sha256: OTHER }],
  ["adopt", "token.bound", { token: "alpha" }],
  ["adopt", "token.bound", { serial: "another serial" }],
  ["adopt", "token.bound", { module: OTHER }],
  ["adopt", "token.bound", { label: "gamma" }],
  ["adopt", "token.bound", { model: "another model" }],
  ["adopt", "token.bound", { firmware: "9.9" }],
  ["adopt", "token.bound", { activation: "sealed" }],
  ["initialize", "token.bound", { token: "beta" }],
  ["initialize", "token.bound", { module: OTHER }],
  ["initialize", "token.bound", { activation: "vendor" }],
  ["initialize", "share-set.made", { holders: ["ben", "cleo", "eve"] }],
  ["initialize", "share-set.made", { holders: ["ben", "cleo"] }],
  ["initialize", "share-set.made", { threshold: 3 }],
  ["initialize", "share-set.made", { set: "sother" }],
  ["initialize", "share-set.made", { generation: 2 }],
  ["initialize", "share-set.made", { token: "beta" }],
  ["initialize", "share-set.made", { purpose: "security-officer" }],
  ["activate", "token.activated", { token: "beta" }],
  ["activate", "token.activated", { set: "sofficer" }],
  ["activate", "token.activated", { generation: 2 }],
  ["activate", "token.activated", { people: ["ben", "dan"] }],
  ["deactivate", "token.deactivated", { token: "beta" }],
  ["generate", "key.generated", { token: "beta" }],
  ["generate", "key.generated", { label: "root-g2" }],
  ["generate", "key.generated", { algorithm: "p-384" }],
  ["generate", "key.generated", { backup: "wrap" }],
  ["generate", "key.generated", { ckaId: "00" }],
  ["certify", "certificate.issued", { spki: OTHER }],
  ["certify", "certificate.issued", { issuerSpki: OTHER }],
  ["certify", "certificate.issued", { subject: "CN=Other" }],
  ["certify", "certificate.issued", { serial: "4712" }],
  ["certify", "certificate.issued", { notBefore: "2025-01-01T00:00:00Z" }],
  ["certify", "certificate.issued", { notAfter: "2056-11-20T09:30:00Z" }],
  ["certify", "certificate.issued", { profile: "sub-ca" }],
  ["certify", "certificate.issued", { file: "another-file" }],
  ["certify", "certificate.issued", { tbs: OTHER }],
  ["certify", "certificate.issued", { issuer: OTHER }],
  ["certify", "certificate.issued", { profileSha256: OTHER }],
  ["certify", "certificate.issued", { ca: false }],
  ["certify", "certificate.issued", { files: [{ file: "other.der", sha256: OTHER }] }],
];

for (const [step, kind, lie] of LIES) {
  const [member] = Object.keys(lie);
  test(`Q12: ${step} is not believed when ${kind} has another ${String(member)}: ${JSON.stringify(lie)}`, (t) => {
    refused(t, step, NOT_AGREED, (facts) =>
      facts.map((fact) => (fact["kind"] === kind ? { ...fact, ...lie } : fact)),
    );
  });
}

for (const step of Object.keys(STEPS) as StepId[]) {
  test(`Q12: ${step} cannot establish a fact of another action besides its own`, (t) => {
    const stray =
      step === "enroll"
        ? { kind: "policy.adopted", sha256: OTHER }
        : {
            kind: "person.enrolled",
            person: "fay",
            roles: ["auditor"],
            card: OTHER,
            reference: "r",
          };
    refused(t, step, CANNOT, (facts) => [...facts, stray]);
  });
  test(`Q12: ${step} is not believed when one of its facts is malformed`, (t) => {
    refused(t, step, /a fact is malformed/, (facts) => [...facts, { kind: "key.found" }]);
    refused(t, step, /a fact is malformed/, ([first, ...rest]) => [{ ...first, more: 1 }, ...rest]);
  });
}

function refused(
  t: Parameters<typeof fork>[0],
  step: StepId,
  problem: RegExp,
  change: (facts: readonly JsonObject[]) => readonly JsonObject[],
): void {
  const stage = fork(t);
  const hand = new Hand(stage, script(STEPS[step]));
  for (const { id } of hand.recorded.steps) {
    if (id === step) break;
    hand.perform(id);
  }
  assert.deepEqual(stage.findings, []);
  const before = believed(stage);
  const { completed } = hand.perform(step, { facts: change(HONEST[step]?.(stage).facts ?? []) });
  assert.equal(believed(stage), before);
  assertFound(stage, completed, problem);
  assert.equal(believed(stage), before);
}

test("a statement establishes nothing, whoever agreed to it", (t) => {
  const stage = fork(t);
  const hand = Hand.upTo(stage, script([STEP.attest, STEP.deviation]), "roll-call");
  const before = believed(stage);
  const honest = HONEST["deviation"]?.(stage);
  const { completed } = hand.perform("attest", {
    who: honest?.who ?? [],
    facts: honest?.facts ?? [],
  });
  assert.equal(believed(stage), before);
  assertFound(stage, completed, CANNOT);
});

test("Q12: enrolment of another card than the one that was shown is refused", (t) => {
  const stage = fork(t);
  const hand = Hand.upTo(stage, script([STEP.enroll]), "roll-call");
  const before = believed(stage);
  const facts = (HONEST["enroll"]?.(stage).facts ?? []).map((fact) => ({
    ...fact,
    card: cardDigest(mallory.card),
  }));
  const attached = [card(formatCard(mallory.card)), card(formatCard(stage.person("fay").card))];
  const { completed } = hand.perform("enroll", { facts, attached });
  assert.equal(believed(stage), before);
  assertFound(stage, completed, /nobody agreed to enrol fay with this card/);
});

test("Q12: a newcomer who did not sign is not enrolled", (t) => {
  const stage = fork(t);
  const hand = Hand.upTo(stage, script([STEP.enroll]), "roll-call");
  const before = believed(stage);
  const who = (HONEST["enroll"]?.(stage).who ?? []).filter(({ person }) => person !== "fay");
  const { completed } = hand.perform("enroll", { who });
  assert.equal(believed(stage), before);
  assertFound(stage, completed, /fay did not prove possession of their keys/);
});

test("Q08: a newcomer's own signature is no voucher", (t) => {
  const stage = fork(t);
  const hand = Hand.upTo(stage, script([STEP.enroll]), "roll-call");
  const before = believed(stage);
  const who = (HONEST["enroll"]?.(stage).who ?? []).filter(({ person }) => person !== "eve");
  const { completed } = hand.perform("enroll", { who });
  assert.equal(believed(stage), before);
  assertFound(stage, completed, /1 of 2 different people agreed/);
});

test("Q12: an intent other than the one that was shown voids the beginning", (t) => {
  const stage = fork(t);
  const hand = Hand.upTo(stage, script([STEP.adopt]), "roll-call");
  const before = believed(stage);
  const honest = HONEST["adopt"]?.(stage);
  const opening = hand.open("adopt", { data: honest?.data ?? {} });
  const notes = [
    hand.sign(opening, "ana", "ceremony-administrator"),
    hand.sign(opening, "eve", "internal-witness"),
  ];
  const intent = { token: {}, bound: { ...honest?.facts[0], serial: "another serial" } };
  const begun = hand.begin({ ...opening, data: intent }, notes);
  const completed = hand.complete(opening, [intent.bound]);
  assert.equal(believed(stage), before);
  assertFound(stage, begun, /its intent is not what was shown and agreed to/);
  assertFound(stage, completed, /completes a step that was not begun/);
});

test("Q12: an intent is refused where nothing was shown", (t) => {
  const stage = fork(t);
  const hand = Hand.upTo(stage, script([STEP.adopt]), "roll-call");
  const opening = hand.open("adopt");
  const notes = [
    hand.sign(opening, "ana", "ceremony-administrator"),
    hand.sign(opening, "eve", "internal-witness"),
  ];
  const { data = {}, facts = [] } = HONEST["adopt"]?.(stage) ?? {};
  const begun = hand.begin({ ...opening, data }, notes);
  const before = believed(stage);
  hand.complete(opening, facts);
  assert.equal(believed(stage), before);
  assertFound(stage, begun, /its intent is not what was shown and agreed to/);
});
