/** Dates of another site's people, by proofs alone: nobody out of date vouches, signs or cosigns, and no date is forged. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { writeGenesis } from "../../src/ceremony/genesis.ts";
import { proveLedger } from "../../src/ceremony/proven-ledger.ts";
import { whyLate } from "../../src/ceremony/proven-people.ts";
import { draft } from "../../src/ceremony/record.ts";
import { subjectDigest } from "../../src/ceremony/step-authority.ts";
import { signCheckpoint } from "../../src/ledger/checkpoint.ts";
import { completeEntry, encodeEntry, type EntryDraft } from "../../src/ledger/entry.ts";
import { Frontier, inclusionProof, leafHash, nodePosition } from "../../src/ledger/merkle.ts";
import { formatProof } from "../../src/ledger/proof.ts";
import { sha256Hex, utf8 } from "../../src/lib/encoding.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { formatNote, formatVerifierKey, parseNote } from "../../src/lib/note.ts";
import { formatAgreement } from "../../src/people/agreement.ts";
import { cardDigest, formatCard } from "../../src/people/card.ts";
import { makePerson, type TestPerson } from "../support/identities.ts";
import { ledgerKey, ledgerVerifier, ORIGIN } from "../support/ledger-fixture.ts";

const [ana, ben, eve, fay] = [
  await makePerson("ana"),
  await makePerson("ben"),
  await makePerson("eve"),
  await makePerson("fay"),
];
const ROLES = new Map([
  [ana, "ceremony-administrator"],
  [ben, "custodian"],
  [eve, "internal-witness"],
  [fay, "candidate"],
] as const);
const CEREMONY = "20261124-renew-person-a2b3";
const LAST = "2026-11-24";
const ON_TIME = `${LAST}T23:59:59.999Z`;
const LATE = "2026-11-25T00:00:00.000Z";
const GONE = /fewer than two people known before it agreed/;

const genesis = writeGenesis({
  origin: ORIGIN,
  assurance: "test",
  created: "2026-11-23T08:00:00.000Z",
  policy: sha256Hex("policy"),
  ledgerKey: formatVerifierKey(ledgerVerifier),
  founders: [
    { person: "ana", roles: ["ceremony-administrator"], card: ana.card },
    { person: "ben", roles: ["custodian"], card: ben.card },
    { person: "eve", roles: ["internal-witness"], card: eve.card },
  ],
});

/** One step about somebody: what its people were shown, and the fact that came of it. */
interface Step {
  readonly fact: JsonObject;
  readonly who?: readonly TestPerson[];
  /** Of its three entries. */
  readonly time?: string;
  readonly intent?: JsonObject;
}

/** Eve's vetting is renewed until a day. */
function renewal(dates: JsonObject = { vettedUntil: LAST }, more: Partial<Step> = {}): Step {
  const fact = { kind: "person.renewed", person: "eve", reference: "file 1", ...dates };
  return { fact, ...more };
}

function enrolment(more: Partial<Step> = {}, dates: JsonObject = {}): Step {
  const candidate = { person: "fay", card: cardDigest(fay.card) };
  const said = { roles: ["custodian"], reference: "file 2", ...dates };
  const fact = { kind: "person.enrolled", ...candidate, ...said };
  return { fact, who: [ana, eve, fay], intent: { candidate, ...said }, ...more };
}

function draftsOf(
  { fact, who = [ana, ben], intent }: Step,
  at: number,
  time: string,
): EntryDraft[] {
  const said = Object.entries(fact).filter(([name]) => name !== "kind");
  const about = intent ?? Object.fromEntries(said);
  const step = sha256Hex("step");
  const nonce = "0".repeat(32);
  const subject = subjectDigest(about, []);
  const of = { ceremony: CEREMONY, step: "renew", description: "by hand" };
  const agreements = who.map((one) => {
    const text = formatAgreement({
      ...{ origin: ORIGIN, ceremony: CEREMONY, person: one.card.person, decision: "agree", nonce },
      role: ROLES.get(one) ?? "",
      plan: sha256Hex("plan"),
      step: { n: 3, digest: step },
      subject,
      policy: sha256Hex("policy"),
      software: sha256Hex("software"),
      opened: { size: at + 1, root: sha256Hex("root") },
      expires: time,
    });
    return formatNote(text, [one.opened.signer.signNote(text)]);
  });
  const says = { n: 3, purpose: "step", step, nonce, subject, shown: [] };
  return [
    draft({ ...of, type: "step.opened", data: says }),
    draft({
      ...of,
      type: "step.begun",
      agreements,
      data: { n: 3, intent: about },
      refs: { opened: at },
    }),
    draft({ ...of, type: "step.completed", facts: [fact], refs: { opened: at, begun: at + 1 } }),
  ];
}

/** What proofs of these steps establish, under a head that these people cosigned. */
function prove(
  steps: readonly Step[],
  cosigned = ON_TIME,
  cosigning: readonly TestPerson[] = [ana, eve],
): ReturnType<typeof proveLedger> {
  const texts = steps.flatMap((step, n) => {
    const time = step.time ?? "2026-11-24T09:00:00.000Z";
    return draftsOf(step, n * 3, time).map((one, at) =>
      encodeEntry(completeEntry(one, { origin: ORIGIN, seq: n * 3 + at, time })),
    );
  });
  const frontier = new Frontier();
  const nodes = texts.flatMap((text) => [...frontier.append(leafHash(text))]);
  const node = (level: number, index: number): Uint8Array =>
    nodes[nodePosition(level, index)] ?? new Uint8Array();
  const note = signCheckpoint(
    { origin: ORIGIN, size: texts.length, root: frontier.root() },
    ledgerKey,
  );
  const { text } = parseNote(note);
  const seconds = Math.floor(Date.parse(cosigned) / 1000);
  const lines = cosigning.map(({ opened }) => `${opened.signer.cosign(text, seconds)}\n`);
  const checkpoint = note + lines.join("");
  const proofs = texts.map((entry, index) => {
    const hashes = inclusionProof(index, texts.length, node);
    return formatProof({ extra: utf8(entry), index, checkpoint, hashes });
  });
  return proveLedger(
    { genesis, checkpoint, proofs, cards: [formatCard(fay.card)] },
    sha256Hex(genesis),
  );
}

const ONLY_ANA = ["only ana of its proven roster cosigned its checkpoint"];

test("Q10: a proven date ends cosigning at midnight, by the time in the cosignature", () => {
  const { ledger, problems } = prove([renewal()]);
  assert.deepEqual(problems, []);
  assert.deepEqual(ledger?.cosigners, ["ana", "eve"]);
  assert.deepEqual(ledger.people.get("eve")?.dates, [{ since: 2, dates: { vettedUntil: LAST } }]);
  assert.deepEqual(prove([renewal()], LATE).problems, ONLY_ANA);
  assert.deepEqual(prove([renewal({ trainedUntil: LAST })], LATE).problems, ONLY_ANA);
});

test("Q10: a cosignature that says to be older than the entries it vouches for is judged by them", () => {
  const steps = [renewal(), renewal({ trainedUntil: "2027-01-01" }, { time: LATE })];
  assert.deepEqual(prove(steps, ON_TIME).problems, ONLY_ANA);
  assert.deepEqual(prove(steps, ON_TIME, [ana, ben]).problems, []);
});

test("Q10: an entry that was put back before a proven one proves nothing", () => {
  const steps = [renewal({}, { time: LATE }), enrolment({ time: ON_TIME })];
  assert.deepEqual(prove(steps, LATE).problems, [
    `an entry of ${ON_TIME} stands behind a later one`,
  ]);
});

test("Q10: nobody out of date vouches for a newcomer or renews anybody", () => {
  assert.deepEqual(prove([renewal(), enrolment({ time: ON_TIME })]).problems, []);
  const vouched = prove([renewal(), enrolment({ time: LATE })], LATE, [ana, ben]).problems;
  assert.match(vouched.join(), /^enrolment of fay: fewer than two people known before it agreed$/);
  const self = renewal({ vettedUntil: "2027-11-30" }, { time: LATE, who: [ana, eve] });
  assert.match(prove([renewal(), self], LATE, [ana, ben]).problems.join(), GONE);
  const others = renewal({ vettedUntil: "2027-11-30" }, { time: LATE });
  assert.deepEqual(prove([renewal(), others], LATE).problems, []);
});

test("Q10: a newcomer's own dates are proven with the enrolment, and later ones are added", () => {
  const dates = { vettedUntil: LAST, trainedUntil: "2027-05-31" };
  const enrolled = enrolment({}, dates);
  const later = {
    fact: { kind: "person.renewed", person: "fay", reference: "f", vettedUntil: "2027-01-01" },
  };
  const { ledger, problems } = prove([enrolled, later], LATE, [ana, fay]);
  assert.deepEqual(problems, []);
  const known = ledger?.people.get("fay") ?? assert.fail();
  assert.deepEqual(known.dates, [
    { since: 2, dates },
    { since: 5, dates: { ...dates, vettedUntil: "2027-01-01" } },
  ]);
  assert.deepEqual(prove([enrolled], LATE, [ana, fay]).problems, ONLY_ANA);
  // An entry is judged by what those before it say, not by its own.
  assert.match(whyLate(known, LATE, 5) ?? "", /vetting of fay was good until 2026-11-24/);
  assert.equal(whyLate(known, LATE, 6), undefined);
});

const FORGED: Readonly<Record<string, readonly [Step, RegExp]>> = {
  "nobody agreed": [renewal({}, { who: [] }), GONE],
  "one person agreed twice": [renewal({}, { who: [ana, ana] }), GONE],
  "another date was shown": [
    renewal({ vettedUntil: LAST }, { intent: { person: "eve", vettedUntil: "2026-11-30" } }),
    /renewal of eve: nobody agreed to these dates/,
  ],
  "one date more was shown": [
    renewal(
      { vettedUntil: LAST },
      { intent: { person: "eve", vettedUntil: LAST, trainedUntil: LAST } },
    ),
    /nobody agreed to these dates/,
  ],
  "it was shown of another person": [
    renewal({ vettedUntil: LAST }, { intent: { person: "ben", vettedUntil: LAST } }),
    /nobody agreed to these dates/,
  ],
  "a newcomer's date was not shown": [
    enrolment({ intent: enrolment().intent ?? {} }, { vettedUntil: LAST }),
    /enrolment of fay: nobody agreed to this card/,
  ],
};

for (const [what, [step, words]] of Object.entries(FORGED)) {
  test(`Q10: dates are not believed when ${what}`, () => {
    const { ledger, problems } = prove([step]);
    assert.equal(ledger, undefined);
    assert.match(problems.join("\n"), words);
  });
}

test("Q10: a renewal of somebody who is not proven says nothing", () => {
  const { ledger, problems } = prove([renewal({ person: "mallory" }, { who: [] })]);
  assert.deepEqual(problems, []);
  assert.equal(ledger?.people.has("mallory"), false);
});
