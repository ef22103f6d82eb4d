/** Entry 0: all founders sign this genesis and nothing else, or nobody has any authority at all. */

import assert from "node:assert/strict";
import { after, test, type TestContext } from "node:test";
import { genesisFacts } from "../../src/ceremony/founding.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { formatNote, parseNote } from "../../src/lib/note.ts";
import { cardDigest, formatCard } from "../../src/people/card.ts";
import { formatGenesisText, type GenesisStatement } from "../../src/people/genesis-note.ts";
import { Hand } from "../support/hand.ts";
import { assertFound, believed } from "../support/stage-tests.ts";
import { CAST, DEVIATION, ESTABLISH, script, STEP } from "../support/stage-scripts.ts";
import { Stage } from "../support/stage.ts";

const unfounded = await Stage.create();
after(() => {
  unfounded.remove();
});

function fork(t: TestContext): Stage {
  const stage = unfounded.fork();
  t.after(() => {
    stage.remove();
  });
  return stage;
}

const FOUNDERS = unfounded.site.genesis.founders.map(({ person }) => person);

/** The statement of a founder, but for `changes`. */
function statement(stage: Stage, person: string, changes: Partial<GenesisStatement> = {}): string {
  const { origin, assurance, sha256: genesis } = stage.site.genesis;
  const challenge = sha256Hex(person);
  const text = formatGenesisText({ origin, assurance, genesis, person, challenge, ...changes });
  return formatNote(text, [stage.person(person).opened.signer.signNote(text)]);
}

interface Founding {
  readonly agreements?: readonly string[];
  readonly facts?: readonly JsonObject[];
  readonly data?: JsonObject;
}

/** Writes entry 0 by hand: honest, but for what is given. */
function found(stage: Stage, { agreements, facts, data }: Founding = {}): number {
  const { site } = stage;
  const policy = stage.hall().policyBytes;
  const cards = ["fay", ...FOUNDERS].map((person) => formatCard(stage.person(person).card));
  return stage.append(
    {
      type: "ledger.created",
      description: "Founded by hand.",
      ceremony: "20261123-staged-aaaa",
      agreements: agreements ?? FOUNDERS.map((person) => statement(stage, person)),
      facts: facts ?? genesisFacts(site.genesis).map((fact) => ({ ...fact })),
      data: data ?? { genesis: site.genesis.sha256, assurance: "test" },
    },
    [
      { mediaType: "application/yaml", bytes: policy },
      ...[site.genesisBytes, ...cards].map((bytes) => ({ mediaType: "application/json", bytes })),
    ],
  );
}

test("C17: only the first ceremony is explained by the founding, and no later one that takes its name", (t) => {
  const stage = fork(t);
  found(stage);
  const hand = new Hand(stage, script([STEP.clock]));
  hand.perform("roll-call");
  hand.adoptTail(0, 1);
  hand.perform("clock");
  hand.close();
  assert.deepEqual([stage.findings, stage.history.explained], [[], stage.history.size]);
  const from = stage.history.size;
  stage.append({ type: "auth.failed", outcome: "failure", description: "Noise." });
  hand.openCeremony("20261123-staged-aaaa");
  assert.deepEqual(stage.history.tail, { from, to: from + 1 });
  assert.deepEqual(stage.judge().tail, { from, to: from + 1 });
});

const others = FOUNDERS.slice(1);
const [first = ""] = FOUNDERS;

const VOID: Readonly<Record<string, readonly [(stage: Stage) => Founding, RegExp]>> = {
  "that nobody signed": [() => ({ agreements: [] }), /ana did not sign/],
  "that a founder did not sign": [
    (stage) => ({ agreements: others.map((person) => statement(stage, person)) }),
    /ana did not sign/,
  ],
  "that one founder signed for all": [
    (stage) => ({ agreements: FOUNDERS.map(() => statement(stage, first)) }),
    /ben did not sign/,
  ],
  "that a stranger signed as well": [
    (stage) => ({ agreements: [...FOUNDERS, "mallory"].map((person) => statement(stage, person)) }),
    /somebody signed who is no founder/,
  ],
  "that a stranger signed in a founder's place": [
    (stage) => {
      const { text } = parseNote(statement(stage, first));
      const foreign = statement(stage, "mallory").split("\n\n")[1] ?? "";
      const notes = others.map((person) => statement(stage, person));
      return { agreements: [`${text}\n${foreign}`, ...notes] };
    },
    /void: .*ana|void: .*sign/,
  ],
  "of another genesis": [
    (stage) => ({
      agreements: FOUNDERS.map((person) => statement(stage, person, { genesis: sha256Hex("o") })),
    }),
    /ana signed another genesis/,
  ],
  "of another site": [
    (stage) => ({
      agreements: FOUNDERS.map((person) => statement(stage, person, { origin: "example.org/dc2" })),
    }),
    /ana signed another genesis/,
  ],
  "that names another genesis": [
    () => ({ data: { genesis: sha256Hex("other"), assurance: "test" } }),
    /it names another genesis/,
  ],
  "with a person more than the genesis has": [
    (stage) => ({
      facts: [
        ...genesisFacts(stage.site.genesis).map((fact) => ({ ...fact })),
        {
          kind: "person.enrolled",
          person: "fay",
          roles: ["custodian"],
          card: cardDigest(stage.person("fay").card),
          reference: "founder",
        },
      ],
    }),
    /its facts are not those of the genesis/,
  ],
  "with more roles than the genesis gives": [
    (stage) => ({
      facts: genesisFacts(stage.site.genesis).map((fact) =>
        fact.kind === "person.enrolled" ? { ...fact, roles: ["security-officer"] } : { ...fact },
      ),
    }),
    /its facts are not those of the genesis/,
  ],
  "with another policy": [
    (stage) => ({
      facts: genesisFacts(stage.site.genesis).map((fact) =>
        fact.kind === "policy.adopted" ? { ...fact, sha256: sha256Hex("lax") } : { ...fact },
      ),
    }),
    /its facts are not those of the genesis/,
  ],
  "without facts": [() => ({ facts: [] }), /its facts are not those of the genesis/],
};

for (const [what, [change, problem]] of Object.entries(VOID)) {
  test(`a founding ${what} is void`, (t) => {
    const stage = fork(t);
    const before = believed(stage);
    const seq = found(stage, change(stage));
    assert.equal(seq, 0);
    assert.equal(believed(stage), before);
    assert.equal(stage.history.custody.people.size, 0);
    assertFound(stage, seq, problem);
    assert.equal(believed(stage), before);
  });
}

test("a founding by hand in which nothing is wrong is believed", (t) => {
  const stage = fork(t);
  found(stage);
  stage.judge();
  assert.deepEqual(stage.findings, []);
  assert.deepEqual([...stage.history.custody.people.keys()], FOUNDERS);
});

test("an honest founding is void anywhere but at the beginning", (t) => {
  const stage = fork(t);
  stage.append({ type: "auth.failed", outcome: "failure", description: "Noise." });
  const seq = found(stage);
  assert.equal(stage.history.custody.people.size, 0);
  assertFound(stage, seq, /it is not entry 0/);
});

test("a founder's mistyped passphrase is recorded and does not void the founding", async (t) => {
  const stage = fork(t);
  const passphrase = (person: string, step: string, attempt: number): string =>
    person === "ben" && step === "founding" && attempt === 1 ? "mistyped" : `${person} drill`;
  await stage.run(ESTABLISH, { ...CAST, passphrase });
  assert.deepEqual(
    stage
      .entries()
      .slice(0, 3)
      .map(({ type }) => type),
    ["ledger.created", "auth.failed", "ceremony.opened"],
  );
  stage.judge();
  assert.deepEqual(stage.findings, []);
  await stage.run(DEVIATION, CAST);
  assert.deepEqual(stage.findings, []);
});

test("a founder who declines, or cannot open their identity, leaves the ledger empty", async (t) => {
  const stage = fork(t);
  const agrees = ({ to }: { to: { person: string } }): boolean => to.person !== "eve";
  await assert.rejects(stage.run(ESTABLISH, { ...CAST, agrees }), { code: "people.declined" });
  const passphrase = (): string => "ana drill";
  await assert.rejects(stage.run(ESTABLISH, { ...CAST, passphrase }), {
    code: "people.authentication-failed",
  });
  assert.equal(stage.history.size, 0);
  await stage.run(ESTABLISH, CAST);
  assert.deepEqual(stage.findings, []);
});
