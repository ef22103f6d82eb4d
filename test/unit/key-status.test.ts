/** What status says of keys: where their copies are, what the policy misses, and what is red. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { concerns } from "../../src/ceremony/concerns.ts";
import type { Fact } from "../../src/ceremony/facts.ts";
import type { History } from "../../src/ceremony/history.ts";
import { keyStatuses, type KeyStatus } from "../../src/ceremony/key-status.ts";
import { readPolicy } from "../../src/ceremony/policy.ts";
import { utf8 } from "../../src/lib/encoding.ts";
import { BACKED_UP, CopiesDesk, envelopeFor, FACT, PEER } from "../support/copies-desk.ts";
import { POLICY } from "../support/stage-site.ts";

// Two tokens, one copy off site, a drill every 90 days: the defaults.
const policy = readPolicy(utf8(POLICY), "policy.yaml");
const DAY = 86_400_000;

function judged(desk: CopiesDesk, now = Date.parse(desk.now())) {
  const keys = keyStatuses(desk.custody, policy, now);
  const history: History = {
    ...{ size: 9, lastTime: desk.now(), custody: desk.custody, policy, ceremonies: [], open: null },
    ...{ cosigned: 9, explained: 9, tail: null, clockGap: false, findings: [] },
    acts: { of: () => new Map() },
  };
  return { keys, concerns: concerns(history, keys) };
}

function only(keys: readonly KeyStatus[]): KeyStatus {
  const [first, ...rest] = keys;
  assert.ok(first !== undefined && rest.length === 0);
  return first;
}

/** BACKED_UP with sets for its tokens, so that nothing but copies is of concern. */
const SETS: readonly Fact[] = ["alpha", "beta", "gamma"].map((token) =>
  FACT.escrowSet({ set: `set-${token}`, purpose: "activation", token }),
);
const SAFE: readonly Fact[] = [
  ...BACKED_UP,
  ...SETS,
  FACT.locked("root-g1"),
  FACT.restored("root-g1", "beta"),
  FACT.moved(),
  FACT.drilled(),
];

describe("a key that has all its copies", () => {
  test("lacks nothing, and nothing is of concern", () => {
    const desk = new CopiesDesk(SAFE);
    const found = judged(desk);
    assert.deepEqual(found.concerns, []);
    const { onSite, offSite, missing, lastDrill, tokens, backups } = only(found.keys);
    assert.deepEqual([onSite, offSite, missing, lastDrill], [3, 1, [], desk.now()]);
    assert.deepEqual(
      tokens.map(({ token, origin }) => [token, origin]),
      [
        ["alpha", "generated"],
        ["beta", "restored"],
      ],
    );
    assert.deepEqual(
      backups[0]?.vaults.map(({ vault, offSite: off, container }) => [vault, off, container]),
      [
        ["onsite", false, null],
        ["offsite", true, "bag 4711"],
      ],
    );
  });

  test("its last proof is the newest of any copy", () => {
    const desk = new CopiesDesk(SAFE.slice(0, -2));
    assert.equal(only(judged(desk).keys).lastProof, desk.now());
  });

  test("a drill is good until its last day, and not a day longer", () => {
    const desk = new CopiesDesk(SAFE);
    const drilled = Date.parse(desk.now());
    assert.deepEqual(judged(desk, drilled + 90 * DAY).concerns, []);
    assert.deepEqual(judged(desk, drilled + 91 * DAY).concerns, [
      "key root-g1: the last drill that brought it back was 91 days ago; the policy wants one every 90 days",
    ]);
  });
});

const CONCERNS: Readonly<Record<string, readonly [facts: readonly Fact[], says: RegExp]>> = {
  "an extractable key is red": [
    [...BACKED_UP, ...SETS],
    /^RED: key root-g1 can be taken out of token alpha; back it up and lock it in the next ceremony$/,
  ],
  "a KEK that one token opens is red": [
    [
      FACT.bound("alpha"),
      FACT.transport("alpha"),
      FACT.kek("vault", { envelopes: [envelopeFor("alpha")] }),
    ],
    /^RED: only token alpha can open KEK vault\.g1; send it to another token$/,
  ],
  "a KEK that no token opens is red": [
    [...BACKED_UP, FACT.retired("alpha"), FACT.retired("beta")],
    /^RED: no token can open KEK vault\.g1; send it to another token$/,
  ],
  "a key on one token": [
    [...SAFE, FACT.gone("root-g1", "token", "alpha")],
    /^key root-g1: it is on 1 token; the policy wants 2$/,
  ],
  "a key with no copy off site": [
    SAFE.filter(({ kind }) => kind !== "copy.moved"),
    /^key root-g1: it has 0 copies off site; the policy wants 1 \(\d places? not recorded: see record-custody\)$/,
  ],
  "a key in no backup": [
    [FACT.bound("alpha"), FACT.generated("root-g1")],
    /^key root-g1: it is in no completed backup, and on no token that it was cloned to$/,
  ],
  "a key in a backup that was never completed": [
    [...SAFE, FACT.generated("sub-1"), FACT.backedUp("sub-1", { backup: "backup-2" })],
    /^key sub-1: it is in no completed backup, and on no token that it was cloned to$/,
  ],
  "a backup that was never completed": [
    [...SAFE, FACT.generated("sub-1"), FACT.backedUp("sub-1", { backup: "backup-2" })],
    /^backup backup-2 was begun with 1 key and never completed: it does not count$/,
  ],
  "a native backup that is due": [
    [FACT.bound("alpha"), FACT.generated("root-g1", { backup: "native" })],
    /^key root-g1: its backup by the vendor's tools is due; record-native-backup proves it$/,
  ],
  "a key that no drill has brought back": [
    SAFE.filter(({ kind }) => kind !== "drill.concluded"),
    /^key root-g1: no drill has brought it back yet; the policy wants one every 90 days$/,
  ],
  "a drill that failed, and none after it": [
    [
      ...SAFE,
      FACT.drilled({ verdict: "fail", keys: 0, reasons: ["a share is missing", "no key"] }),
    ],
    /^RED: the last drill of a restore, on token beta, failed: a share is missing \(and 1 more reason\)$/,
  ],
  "a drill that failed on one token, and passed on another": [
    [
      ...SAFE,
      FACT.bound("delta"),
      FACT.drilled({ token: "delta", verdict: "fail", keys: 0, reasons: ["a share is missing"] }),
      FACT.drilled({}),
    ],
    /^RED: the last drill of a restore, on token delta, failed: a share is missing$/,
  ],
  "a copy that was retained": [
    [...SAFE, FACT.retained("root-g1", "token", "beta")],
    /^key root-g1: token beta keeps a copy: the courier is on strike$/,
  ],
};

for (const [what, [facts, says]] of Object.entries(CONCERNS)) {
  test(`of concern: ${what}`, () => {
    const found = judged(new CopiesDesk(facts)).concerns;
    assert.ok(
      found.some((text) => says.test(text)),
      JSON.stringify(found),
    );
  });
}

describe("no concern", () => {
  const none = (facts: readonly Fact[], about: RegExp, assurance?: "test"): void => {
    const found = judged(new CopiesDesk(facts, assurance)).concerns;
    assert.deepEqual(
      found.filter((text) => about.test(text)),
      [],
    );
  };
  test("is the one copy of a key that was never to leave its token", () => {
    none([FACT.bound("alpha"), FACT.generated("root-g1", { backup: "never" })], /root-g1/);
  });
  test("are the missing copies of a destroyed key", () => {
    const gone = [
      FACT.gone("root-g1", "token", "alpha"),
      FACT.gone("root-g1", "backup", "backup-1"),
    ];
    none([...BACKED_UP, ...gone, FACT.keyGone("root-g1")], /root-g1/);
  });
  test("is the backup of a key that was cloned instead", () => {
    const cloned = FACT.cloned("sub-1", "beta");
    none(
      [...BACKED_UP, FACT.generated("sub-1"), cloned, FACT.locked("sub-1")],
      /sub-1: it is in no/,
    );
  });
  test("is a native backup that was recorded", () => {
    const native = FACT.generated("root-g1", { backup: "native" });
    const cloned = FACT.cloned("root-g1", "beta", { method: "native" });
    none([FACT.bound("alpha"), FACT.bound("beta"), native, cloned], /is due/);
  });
  test("is an escrowed KEK on one token: shares open it anywhere", () => {
    const paper = FACT.kek("paper", { mode: "escrowed", envelopes: [] });
    none([...BACKED_UP, FACT.escrowSet(), paper, FACT.escrowed()], /paper/);
  });
  test("is the backup of a key that another site has backed up", () => {
    const theirs = FACT.restored("their-root", "beta", { origin: PEER, backup: "theirs-1" });
    none([...BACKED_UP, FACT.trusted(), theirs], /their-root: it is in no/);
  });
  test("is a drill that failed, once a later one passed", () => {
    none([...SAFE, FACT.drilled({ verdict: "fail", reasons: ["slow"] }), FACT.drilled()], /failed/);
  });
  test("is the drill that a test site cannot have", () => {
    none(BACKED_UP, /drill/, "test");
  });
});

test("thousands of keys are counted, not listed", () => {
  const keys = Array.from({ length: 1000 }, (_, i) => FACT.generated(`k${i}`));
  const found = judged(new CopiesDesk([FACT.bound("alpha"), ...keys])).concerns;
  assert.ok(found.includes("980 more keys are extractable"));
  assert.ok(found.includes("980 more keys lack what the policy wants"));
  assert.ok(found.length < 100);
});
