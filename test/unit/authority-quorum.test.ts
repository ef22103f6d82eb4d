/** Whose agreements suffice for a step or a decision: different people, in the roles they are called in. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Action } from "../../src/ceremony/action.ts";
import { missingFrom, type Quorum } from "../../src/ceremony/authority.ts";
import type { Attending } from "../../src/ceremony/custody.ts";
import {
  decisionProblem,
  peopleProblem,
  subjectDigest,
  type OpenedStep,
} from "../../src/ceremony/step-authority.ts";
import { action, ALL, as, CUSTODY, opened, STEP } from "../support/plain-authority.ts";
import { plainEntry } from "../support/plain-entry.ts";

/** Controls, who is called for, who agreed, and what is missing. */
const QUORUMS: readonly (readonly [
  Partial<Quorum>,
  agreed: readonly Attending[],
  missing?: string,
])[] = [
  [{ control: "none", by: ["custodian"] }, []],
  [{ control: "single", by: ["custodian"] }, as("ben")],
  [{ control: "single", by: ["custodian"] }, [], "0 of 1 different people agreed"],
  [{ control: "single", by: ["custodian"] }, as("ana"), "nobody agreed as custodian"],
  [{ control: "dual", by: ["custodian", "custodian"] }, as("ben", "cleo")],
  [
    { control: "dual", by: ["custodian", "custodian"] },
    as("ben", "ana"),
    "nobody agreed as custodian",
  ],
  [{ control: "dual", by: [] }, as("ben"), "1 of 2 different people agreed"],
  [{ control: "dual", by: [] }, as("ben", "ben"), "one person agreed twice"],
  [{ control: "none", by: [] }, as("ben", "ben"), "one person agreed twice"],
  [{ control: "dual", by: [] }, as("ben", "zoe"), "zoe is not at the roll call"],
  [
    { control: "dual", by: [] },
    [{ person: "ben", role: "auditor" }, ...as("ana")],
    "ben attends as custodian, not as auditor",
  ],
  [{ control: "everyone", by: "everyone" }, ALL],
  [{ control: "everyone", by: "everyone" }, ALL.slice(0, -1), "xan did not agree"],
  [
    { control: "everyone", by: "everyone", attending: as("ana") },
    as("ana"),
    "1 of 2 different people agreed",
  ],
];

for (const [quorum, agreed, missing] of QUORUMS) {
  const who = agreed.map(({ person }) => person).join(", ");
  test(`${JSON.stringify(quorum)} when these agreed: ${who}`, () => {
    const whole = { control: "dual", by: [], attending: ALL, ...quorum } as const;
    assert.equal(missingFrom(whole, agreed), missing);
  });
}

test("who only looks on authorises nothing under dual control, and a candidate never does", () => {
  const people = (
    control: Action["control"],
    agreed: readonly Attending[],
    candidate?: string,
  ): string | undefined =>
    peopleProblem(
      action({ control }),
      STEP,
      { agreed, candidate: candidate === undefined ? null : { person: candidate, card: "c" } },
      ALL,
      CUSTODY,
    );
  assert.equal(people("dual", as("ana", "olga")), "1 of 2 different people agreed");
  assert.equal(people("dual", as("ana", "xan")), "1 of 2 different people agreed");
  assert.equal(people("dual", as("ana", "ben")), undefined);
  assert.equal(people("single", as("olga")), undefined);
  assert.equal(people("dual", as("ana", "ben"), "ben"), "1 of 2 different people agreed");
});

test("a decision is taken by two people who hold their roles, about what they were shown", () => {
  const data = { to: 4 };
  const subject = subjectDigest(data, ["a line"]);
  const entry = plainEntry("tail.adopted", 9, { data });
  const decided = (
    agreed: readonly Attending[],
    changes: Partial<OpenedStep> | null = {},
    purpose: "adopt" | "resume" = "adopt",
    custody = CUSTODY,
  ): string | undefined => {
    const step = changes === null ? null : opened({ purpose: "adopt", subject, ...changes });
    return decisionProblem(entry, step, purpose, agreed, custody);
  };
  assert.equal(decided(as("ana", "eve")), undefined);
  assert.equal(
    decided([{ person: "ana", role: "custodian" }]),
    "ana does not hold the role custodian",
  );
  assert.equal(decided(as("zoe")), "zoe does not hold the role recorder");
  assert.equal(decided(as("ana")), "1 of 2 different people agreed");
  assert.equal(decided(as("ana", "olga", "xan")), "1 of 2 different people agreed");
  const elsewhere = "the step was opened for something else";
  assert.equal(decided(as("ana", "eve"), null), elsewhere);
  assert.equal(decided(as("ana", "eve"), { purpose: "abandon" }), elsewhere);
  assert.equal(
    decided(as("ana", "eve"), { shown: [] }),
    "its data is not what was shown and agreed to",
  );
  // Going on is for the people of the roll call, if it was called.
  const called = { ...CUSTODY, attending: as("ana", "ben") };
  assert.equal(decided(as("ana", "eve"), {}, "adopt", called), undefined);
  assert.equal(
    decided(as("ana", "eve"), { purpose: "resume" }, "resume", called),
    "eve is not at the roll call",
  );
  assert.equal(decided(as("ana", "ben"), { purpose: "resume" }, "resume", called), undefined);
  const uncalled = { ...CUSTODY, attending: [] };
  assert.equal(decided(as("ana", "eve"), { purpose: "resume" }, "resume", uncalled), undefined);
});
