/**
 * Q09, Q11, Q12: every agreement that people ever signed, brought to every other step at two sites; every pair of
 * roles; and documents that are exchanged while a plan is made of them. FAULTS=full runs 1,000 races of each kind.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { judgeAgreement, type Expected } from "../../src/ceremony/authority.ts";
import { PlanInputs } from "../../src/ceremony/inputs.ts";
import { planInputs } from "../../src/cli/plan-inputs.ts";
import { readPolicy, separationProblem } from "../../src/ceremony/policy.ts";
import { ROLES, type Role } from "../../src/ceremony/words.ts";
import { sha256Hex, utf8 } from "../../src/lib/encoding.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { AGREEMENT, readAgreement } from "../../src/people/agreement.ts";
import { figure, sized } from "../support/fault-run.ts";
import { as, Hand } from "../support/hand.ts";
import { HONEST, type HandStep } from "../support/hand-steps.ts";
import { temporaryFolder } from "../support/rig.ts";
import {
  CAST,
  DEVIATION,
  ESTABLISH,
  INITIALIZE,
  ROOT,
  script,
  STEP,
} from "../support/stage-scripts.ts";
import { BINDINGS, FOUNDERS, POLICY } from "../support/stage-site.ts";
import { Stage } from "../support/stage.ts";

const RACES = sized(100, 1_000);

/** A beginning on record: what its agreements had to say, and when. */
interface Beginning {
  readonly site: Stage;
  readonly at: number;
  readonly notes: readonly string[];
  readonly expected: Expected;
}

/** A site that did what sites do, some of it twice, so that the same step was agreed to more than once. */
async function livedIn(origin?: string): Promise<Stage> {
  const stage = await Stage.create(
    FOUNDERS,
    POLICY,
    BINDINGS,
    ...(origin === undefined ? [] : [origin]),
  );
  await stage.run(ESTABLISH, CAST);
  await stage.run(INITIALIZE, CAST);
  await stage.run(ROOT, CAST);
  await stage.run(DEVIATION, CAST);
  await stage.run(DEVIATION, CAST);
  await stage.run(script([STEP.activate, STEP.deactivate]), CAST);
  await stage.run(script([STEP.enroll]), { ...CAST, answers: { who: ["fay", "ben"] } });
  return stage;
}

function beginningsOf(site: Stage): readonly Beginning[] {
  return site.entries().flatMap((entry) => {
    // At the founding people sign the genesis, which is no agreement to a step.
    const notes = entry.agreements.filter((note) => note.startsWith(AGREEMENT));
    const [first] = notes;
    if (first === undefined) return [];
    const { person, role, expires, ...expected } = readAgreement(first).agreement;
    assert.ok(person !== "" && role !== "" && expires !== "");
    return [{ site, at: Date.parse(entry.time), notes, expected }];
  });
}

const sites = [await livedIn(), await livedIn("example.org/dc2/test")];
after(() => {
  for (const site of sites) site.remove();
});

test("Q11: no agreement of any step counts at any other, at this site or at another", () => {
  const corpus = sites.flatMap(beginningsOf);
  const counts = { agreements: 0, beginnings: corpus.length, own: 0, replays: 0, accepted: 0 };
  for (const { site, at, expected, notes: own } of corpus) {
    const cardOf = (person: string) =>
      site.history.custody.people.get(person)?.card ?? `${person} is not on the roster`;
    for (const { notes } of corpus) {
      for (const note of notes) {
        const judged = judgeAgreement(note, expected, { at, minutes: 10 }, cardOf);
        if (notes === own) {
          // Each is good where it was made: what is refused elsewhere is refused for being elsewhere.
          assert.ok(judged.ok, judged.ok ? "" : judged.problem);
          counts.own += 1;
        } else {
          counts.replays += 1;
          if (judged.ok) counts.accepted += 1;
        }
      }
    }
    counts.agreements += own.length;
  }
  figure("Q11", "agreements brought to every other beginning", counts);
  assert.ok(counts.agreements > 40);
  assert.equal(counts.accepted, 0);
});

/** What an honest adoption of a token shows and makes true. */
function honestStep(site: Stage): HandStep {
  return HONEST["adopt"]?.(site) ?? assert.fail("nobody adopts a token");
}

/** A ceremony by hand on a copy of the site, in which a step begins with these agreements. */
function begunWith(
  site: Stage,
  notes: (hand: Hand, opening: ReturnType<Hand["open"]>) => readonly string[],
): { readonly believed: boolean; readonly noticed: boolean } {
  const stage = site.fork();
  const hand = Hand.upTo(stage, script([STEP.clock, STEP.adopt]), "clock");
  const { custody } = stage;
  assert.deepEqual(stage.findings, []);
  const { data, facts } = honestStep(stage);
  const opening = hand.open("adopt", data === undefined ? {} : { data });
  const begun = hand.begin(opening, notes(hand, opening));
  hand.complete(opening, facts);
  const believed = stage.custody !== custody;
  const noticed = stage.history.findings.some(({ seq }) => seq === begun);
  stage.remove();
  return { believed, noticed };
}

test("Q11: a beginning with agreements of any other gives a step no authority, although it is whole otherwise", () => {
  const [site] = sites;
  assert.ok(site);
  const own = begunWith(site, (hand, opening) =>
    as("ana", "eve").map(({ person, role }) => hand.sign(opening, person, role)),
  );
  assert.deepEqual(own, { believed: true, noticed: false }, "it is sound but for the agreements");
  const counts = { replayed: 0, believed: 0, unnoticed: 0 };
  for (const { notes } of sites.flatMap(beginningsOf)) {
    const { believed, noticed } = begunWith(site, () => notes);
    counts.replayed += 1;
    if (believed) counts.believed += 1;
    if (!noticed) counts.unnoticed += 1;
  }
  figure("Q11", "beginnings with replayed agreements", counts);
  assert.deepEqual([counts.believed, counts.unnoticed], [0, 0]);
});

test("Q09: of all pairs of roles one person holds exactly those that the policy does not keep apart", () => {
  const groups: readonly (readonly Role[])[] = [
    ["ceremony-administrator", "custodian", "internal-witness"],
    ["auditor"],
  ];
  const policy = readPolicy(utf8(POLICY), "policy.yaml");
  const counts = { pairs: 0, refused: 0, allowed: 0, wrong: 0 };
  for (const [i, one] of ROLES.entries()) {
    for (const other of ROLES.slice(i + 1)) {
      const apart = groups.some((group) =>
        group.length === 1
          ? group.includes(one) || group.includes(other)
          : group.includes(one) && group.includes(other),
      );
      for (const pair of [
        [one, other],
        [other, one],
      ] as const) {
        const refused = separationProblem(policy, pair) !== undefined;
        counts.pairs += 1;
        counts[refused ? "refused" : "allowed"] += 1;
        if (refused !== apart) counts.wrong += 1;
      }
    }
  }
  figure("Q09", "pairs of roles held by one person", counts);
  assert.equal(counts.wrong, 0);
});

const folder = temporaryFolder();
after(() => {
  rmSync(folder, { recursive: true });
});
const FLIPPER = join(import.meta.dirname, "..", "support", "flipper.mjs");

for (const kind of ["renamed", "written", "linked"]) {
  test(`Q12: a document that is ${kind} while a plan is made is run as it was hashed, or not at all`, async () => {
    const stage = join(folder, kind);
    const path = join(stage, "in", "module.so");
    mkdirSync(join(stage, "in"), { recursive: true });
    for (const word of ["good", "evil"]) writeFileSync(join(stage, `${word}.so`), `${word} module`);
    if (kind === "linked") symlinkSync(join(stage, "good.so"), path);
    else writeFileSync(path, "good module");
    const flipper = spawn(process.execPath, [FLIPPER, kind, stage], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(flipper.stdout, "data");
    const counts = { races: 0, taken: 0, refused: 0, otherThanHashed: 0, unnoticed: 0 };
    try {
      for (let i = 0; i < RACES; i += 1) {
        const read = new Map<string, Uint8Array>();
        const inputs = new PlanInputs(
          planInputs(join(stage, "script.yaml"), () => undefined, read),
        );
        counts.races += 1;
        try {
          // Twice, as a plan is made and made again of its parameters: the first reading is the one.
          const agreed = inputs.takeFile(path);
          await new Promise((resolve) => setTimeout(resolve, 5));
          const bytes = inputs.attachment(agreed) ?? assert.fail("what was taken is gone");
          counts.taken += 1;
          if (sha256Hex(bytes) !== agreed) counts.otherThanHashed += 1;
          // What is held against the file before each step is what was hashed, never a later reading.
          const kept = read.get(path) ?? assert.fail("what was taken is not watched");
          if (sha256Hex(kept) !== agreed) counts.unnoticed += 1;
        } catch (error) {
          assert.ok(error instanceof KeyriteError, String(error));
          counts.refused += 1;
        }
      }
    } finally {
      flipper.kill("SIGKILL");
      await once(flipper, "close");
    }
    figure("Q12", `document ${kind} while a plan is made`, counts);
    assert.deepEqual([counts.otherThanHashed, counts.unnoticed], [0, 0]);
    assert.equal(
      kind === "linked" ? counts.taken : counts.refused,
      0,
      "links are refused, files are not",
    );
  });
}
