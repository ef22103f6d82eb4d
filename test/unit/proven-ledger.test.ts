/** Who is on another site's roster, as a stranger would forge it with the ledger's own key. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { writeGenesis } from "../../src/ceremony/genesis.ts";
import { proveLedger } from "../../src/ceremony/proven-ledger.ts";
import { draft } from "../../src/ceremony/record.ts";
import { subjectDigest } from "../../src/ceremony/step-authority.ts";
import { signCheckpoint } from "../../src/ledger/checkpoint.ts";
import { completeEntry, encodeEntry, type EntryType } from "../../src/ledger/entry.ts";
import { Frontier, inclusionProof, leafHash, nodePosition } from "../../src/ledger/merkle.ts";
import { formatProof } from "../../src/ledger/proof.ts";
import { sha256Hex, utf8 } from "../../src/lib/encoding.ts";
import type { Json } from "../../src/lib/json.ts";
import { formatNote, formatVerifierKey, parseNote } from "../../src/lib/note.ts";
import { formatAgreement, type Agreement } from "../../src/people/agreement.ts";
import { cardDigest, formatCard } from "../../src/people/card.ts";
import { makePerson, type TestPerson } from "../support/identities.ts";
import { ledgerKey, ledgerVerifier, ORIGIN } from "../support/ledger-fixture.ts";

const [ana, eve, xan, fay, mallory] = [
  await makePerson("ana"),
  await makePerson("eve"),
  await makePerson("xan"),
  await makePerson("fay"),
  await makePerson("mallory"),
];
const alias = await makePerson("fay", "test", "ana");
const CEREMONY = "20261124-enroll-person-a2b3";
const TIME = "2026-11-24T09:00:00.000Z";

const genesis = writeGenesis({
  origin: ORIGIN,
  assurance: "test",
  created: "2026-11-23T08:00:00.000Z",
  policy: sha256Hex("policy"),
  ledgerKey: formatVerifierKey(ledgerVerifier),
  founders: [
    { person: "ana", roles: ["ceremony-administrator"], card: ana.card },
    { person: "eve", roles: ["internal-witness"], card: eve.card },
    { person: "xan", roles: ["external-witness"], card: xan.card },
  ],
});

type Signed = readonly [TestPerson, string, Partial<Agreement>?];

/** What a forger of one enrolment may set; everything absent is as it should be. */
interface Forgery {
  readonly newcomer?: TestPerson;
  readonly agreeing?: readonly Signed[];
  /** Card that the fact names. */
  readonly card?: string;
  /** Roles that the fact gives. */
  readonly roles?: readonly string[];
  readonly shown?: readonly string[];
  readonly intent?: Json;
  /** Entries that have a proof; all of them otherwise. */
  readonly proven?: readonly number[];
  /** Type of the first entry. */
  readonly openedAs?: EntryType;
  readonly begunRefs?: Readonly<Record<string, number>>;
  readonly cosigning?: readonly TestPerson[];
  /** Who is taken off the roster by one entry more. */
  readonly revoked?: string;
}

const HONEST: readonly Signed[] = [
  [ana, "ceremony-administrator"],
  [eve, "internal-witness"],
  [fay, "candidate"],
];

/** Proofs of a ledger of three entries, the three of one enrolment. */
function forge(forgery: Forgery = {}): ReturnType<typeof proveLedger> {
  const { newcomer = fay, cosigning = [ana, eve], agreeing = HONEST } = forgery;
  const { person } = newcomer.card;
  const candidate = { person, card: cardDigest(newcomer.card) };
  const intent = { candidate, roles: ["custodian"], reference: "file 1" };
  const shown = ["Fay Example (fay)"];
  const step = sha256Hex("step");
  const nonce = "0".repeat(32);
  const subject = subjectDigest(intent, shown);
  const says = { n: 3, purpose: "step", step, nonce, subject };
  const fact = { kind: "person.enrolled", ...candidate, reference: "file 1" };
  const texts = [
    draft({
      ...{ ceremony: CEREMONY, step: "enroll", description: "opened" },
      type: forgery.openedAs ?? "step.opened",
      data: { ...says, shown: [...(forgery.shown ?? shown)] },
    }),
    draft({
      ...{ type: "step.begun", ceremony: CEREMONY, step: "enroll", description: "begun" },
      agreements: agreeing.map((one) => agreement(one, { step: { n: 3, digest: step }, subject })),
      data: { n: 3, intent: forgery.intent ?? intent },
      refs: forgery.begunRefs ?? { opened: 0 },
    }),
    draft({
      ...{ type: "step.completed", ceremony: CEREMONY, step: "enroll", description: "completed" },
      facts: [
        {
          ...fact,
          card: forgery.card ?? candidate.card,
          roles: [...(forgery.roles ?? ["custodian"])],
        },
      ],
      refs: { opened: 0, begun: 1 },
    }),
    ...(forgery.revoked === undefined ? [] : [revocation(forgery.revoked)]),
  ].map((one, seq) => encodeEntry(completeEntry(one, { origin: ORIGIN, seq, time: TIME })));
  const files = proofsOf(texts, [newcomer], cosigning);
  const proven = forgery.proven ?? texts.map((_, at) => at);
  const proofs = proven.map((at) => files.proofs[at] ?? assert.fail(`no entry ${at}`));
  return proveLedger({ ...files, proofs }, sha256Hex(genesis));
}

function revocation(person: string): ReturnType<typeof draft> {
  return draft({
    ...{ type: "step.completed", ceremony: CEREMONY, step: "revoke", description: "revoked" },
    facts: [{ kind: "person.revoked", person, reason: "left", reference: "file 2" }],
  });
}

function agreement(
  [who, role, other = {}]: Signed,
  about: Pick<Agreement, "step" | "subject">,
): string {
  const text = formatAgreement({
    origin: ORIGIN,
    ceremony: CEREMONY,
    person: who.card.person,
    role,
    decision: "agree",
    plan: sha256Hex("plan"),
    ...about,
    policy: sha256Hex("policy"),
    software: sha256Hex("software"),
    opened: { size: 1, root: sha256Hex("root") },
    nonce: "0".repeat(32),
    expires: "2026-11-24T09:10:00.000Z",
    ...other,
  });
  return formatNote(text, [who.opened.signer.signNote(text)]);
}

function proofsOf(
  texts: readonly string[],
  newcomers: readonly TestPerson[],
  cosigning: readonly TestPerson[],
): Parameters<typeof proveLedger>[0] {
  const frontier = new Frontier();
  const nodes = texts.flatMap((text) => [...frontier.append(leafHash(text))]);
  const node = (level: number, index: number): Uint8Array =>
    nodes[nodePosition(level, index)] ?? new Uint8Array();
  const size = texts.length;
  const note = signCheckpoint({ origin: ORIGIN, size, root: frontier.root() }, ledgerKey);
  const { text } = parseNote(note);
  const lines = cosigning.map(({ opened }) => `${opened.signer.cosign(text, 1_795_500_000)}\n`);
  const checkpoint = note + lines.join("");
  return {
    genesis,
    checkpoint,
    proofs: texts.map((entry, index) =>
      formatProof({
        ...{ extra: utf8(entry), index, checkpoint },
        hashes: inclusionProof(index, size, node),
      }),
    ),
    cards: newcomers.map(({ card }) => formatCard(card)),
  };
}

test("an enrolment that two founders and the newcomer agreed to is believed", () => {
  const { ledger, problems } = forge();
  assert.deepEqual(problems, []);
  assert.deepEqual(ledger?.people.get("fay")?.roles, ["custodian"]);
  assert.deepEqual(ledger.cosigners, ["ana", "eve"]);
});

test("Q10: whoever was revoked there does not cosign; whom they vouched for before stays", () => {
  const forged = forge({ revoked: "eve" });
  assert.deepEqual(forged.problems, ["only ana of its proven roster cosigned its checkpoint"]);
  const { ledger, problems } = forge({ revoked: "eve", cosigning: [ana, fay] });
  assert.deepEqual(problems, []);
  assert.deepEqual(ledger?.cosigners, ["ana", "fay"]);
  const until = (person: string): unknown => ledger.people.get(person)?.until;
  assert.deepEqual([until("eve"), until("fay")], [3, null]);
});

const [A, E, F] = HONEST;
assert.ok(A && E && F);
const mallorys: readonly Signed[] = [
  [mallory, "ceremony-administrator"],
  [mallory, "internal-witness"],
];

const FORGED: Readonly<Record<string, readonly [Forgery, RegExp]>> = {
  "nobody agreed": [{ agreeing: [] }, /fay: they did not agree themselves/],
  "one founder agreed": [{ agreeing: [A, F] }, /fewer than two people/],
  "one founder agreed twice": [{ agreeing: [A, A, F] }, /fewer than two people/],
  "the newcomer did not agree": [{ agreeing: [A, E] }, /did not agree themselves/],
  "strangers agreed": [{ agreeing: [...mallorys, F] }, /fewer than two people/],
  "an onlooker agreed": [{ agreeing: [A, [xan, "external-witness"], F] }, /fewer than two/],
  "somebody agreed in a role they do not hold": [
    { agreeing: [A, [xan, "internal-witness"], F] },
    /fewer than two people/,
  ],
  "an agreement was a refusal": [
    { agreeing: [A, [eve, "internal-witness", { decision: "decline" }], F] },
    /the agreement of eve is for something else/,
  ],
  "an agreement was to another step": [
    { agreeing: [A, [eve, "internal-witness", { step: { n: 4, digest: sha256Hex("step") } }], F] },
    /something else/,
  ],
  "an agreement was to another person": [
    { agreeing: [A, [eve, "internal-witness", { subject: sha256Hex("other") }], F] },
    /something else/,
  ],
  "an agreement was of another ceremony": [
    { agreeing: [A, [eve, "internal-witness", { ceremony: "20261123-x-aaaa" }], F] },
    /something else/,
  ],
  "an agreement was of another site": [
    { agreeing: [A, [eve, "internal-witness", { origin: "example.org/dc2/test" }], F] },
    /something else/,
  ],
  "an agreement was replayed": [
    { agreeing: [A, [eve, "internal-witness", { nonce: "1".repeat(32) }], F] },
    /something else/,
  ],
  "an agreement bound another head": [
    { agreeing: [A, [eve, "internal-witness", { opened: { size: 9, root: sha256Hex("r") } }], F] },
    /something else/,
  ],
  "an agreement had expired": [
    { agreeing: [A, [eve, "internal-witness", { expires: "2026-11-24T08:59:00.000Z" }], F] },
    /something else/,
  ],
  "another card was enrolled than agreed to": [
    { newcomer: fay, card: cardDigest(mallory.card) },
    /their card is not here/,
  ],
  "more roles were given than agreed to": [
    { roles: ["custodian", "ceremony-administrator"] },
    /nobody agreed to this card/,
  ],
  "other lines were shown than agreed to": [{ shown: ["Nothing"] }, /nobody agreed to this card/],
  "the intent is another than agreed to": [
    { intent: { candidate: { person: "fay", card: cardDigest(mallory.card) } } },
    /nobody agreed to this card/,
  ],
  "the intent is no object": [{ intent: ["fay"] }, /nobody agreed to this card/],
  "the intent names no candidate": [{ intent: { candidate: "fay" } }, /nobody agreed to this card/],
  "its opening is not proven": [{ proven: [1, 2] }, /entries that show who agreed .* not proven/],
  "its beginning is not proven": [{ proven: [0, 2] }, /entries that show who agreed .* not proven/],
  "its opening is another entry": [
    { openedAs: "step.refused" },
    /entries that show who agreed .* not proven/,
  ],
  "its entries are of two steps": [{ begunRefs: { opened: 2 } }, /not of one step/],
  "the newcomer bears a founder's key": [
    { newcomer: alias, agreeing: [A, E, [alias, "candidate"]] },
    /present a key of ana/,
  ],
  "the newcomer is a founder": [{ newcomer: ana, agreeing: [A, E] }, /on the roster already/],
  "nobody cosigned": [{ cosigning: [] }, /nobody of its proven roster cosigned/],
  "one person cosigned": [{ cosigning: [eve] }, /only eve of its proven roster/],
  "strangers cosigned": [{ cosigning: [eve, mallory] }, /only eve of its proven roster/],
};

for (const [what, [forgery, words]] of Object.entries(FORGED)) {
  test(`an enrolment is not believed when ${what}`, () => {
    const { ledger, problems } = forge(forgery);
    assert.equal(ledger, undefined);
    assert.match(problems.join("\n"), words);
  });
}

test("a proof under another checkpoint than the one beside it is not believed", () => {
  const entry = draft({ type: "ceremony.opened", ceremony: CEREMONY, description: "opened" });
  const place = { origin: ORIGIN, seq: 0, time: TIME };
  const texts = [encodeEntry(completeEntry(entry, place))];
  const files = proofsOf(texts, [], [ana, eve]);
  assert.deepEqual(proveLedger(files, sha256Hex(genesis)).problems, []);
  // The same head, cosigned by others: what the proof quotes is not what is judged.
  const { checkpoint } = proofsOf(texts, [], [eve, xan]);
  assert.deepEqual(proveLedger({ ...files, checkpoint }, sha256Hex(genesis)).problems, [
    "the proof of entry 0 is under another checkpoint",
  ]);
});

test("a genesis that is not the adopted one proves nothing", () => {
  const texts: readonly string[] = [];
  const files = { ...proofsOf(texts, [], [ana, eve]), genesis };
  const { ledger, problems } = proveLedger(files, sha256Hex("another"));
  assert.equal(ledger, undefined);
  assert.match(problems.join(), /not the adopted/);
});
