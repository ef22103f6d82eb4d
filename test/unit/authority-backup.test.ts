/** A host's owner who records other facts than people agreed to: none of them is believed. */

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Entry } from "../../src/ledger/entry.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { backedUp, backupStage, backUp, generate, lock, restore } from "../support/backup-stage.ts";
import { kekStep, withTokens } from "../support/kek-stage.ts";
import { CAST } from "../support/stage-scripts.ts";
import { assertFound, believed } from "../support/stage-tests.ts";
import type { Stage } from "../support/stage.ts";

type RecordedFact = Entry["facts"][number];

const stage = await backupStage();
await stage.run(backedUp(["root-g1", "sub-a"]), CAST);
await stage.run(restore("beta", "root-g1"), CAST);
const cloning = kekStep("clone-key", "from: alpha, to: beta, keys: sub-b, under: backup-kek");
await stage.run(
  withTokens(["alpha", "beta"], [generate("sub-b"), cloning, backUp("sub-b"), lock("sub-b")]),
  CAST,
);
assert.deepEqual(stage.findings, []);
const honest = stage.entries();
const copies = [...stage.history.custody.copies.keys()];

/** The first entry that establishes a fact of this kind, and that fact. */
function recorded(kind: string): { readonly entry: Entry; readonly fact: RecordedFact } {
  for (const entry of honest) {
    const fact = entry.facts.find((one) => one.kind === kind);
    if (fact !== undefined) return { entry, fact };
  }
  return assert.fail(`nothing established ${kind}`);
}

const beforeEntry = new Map<number, string>();

/** What is believed right before an entry of the honest ledger; many cases ask for the same. */
function believedBefore(fork: Stage, { seq }: Entry): string {
  const known = beforeEntry.get(seq);
  if (known !== undefined) return known;
  fork.rewrite(honest.slice(0, seq));
  const before = believed(fork);
  beforeEntry.set(seq, before);
  return before;
}

/** Judges the ledger as it is when the owner ends it with another fact than the recorded one. */
function forge(
  t: TestContext,
  kind: string,
  change: (fact: RecordedFact) => RecordedFact,
  says = /is not what people agreed to|is not taken/,
): void {
  const { entry, fact } = recorded(kind);
  const fork = stage.fork();
  t.after(() => {
    fork.remove();
  });
  const before = believedBefore(fork, entry);
  const facts = entry.facts.map((one) => (one === fact ? change(fact) : one));
  fork.rewrite([...honest.slice(0, entry.seq), { ...entry, facts }]);
  assert.equal(believed(fork), before, "nothing of it is believed");
  assertFound(fork, entry.seq, says);
}

const [first = "", , third = ""] = copies;
const FORGERIES: Readonly<Record<string, readonly JsonObject[]>> = {
  "backup.made": [
    { spki: third },
    { spki: sha256Hex("no key at all") },
    { backup: "backup-20200101-abcd" },
    { token: "beta" },
    { kek: "other-kek" },
    { generation: 2 },
    { format: "rfc3394" },
    { provedOn: "alpha" },
  ],
  "backup.completed": [
    { backup: "backup-20200101-abcd" },
    { keys: 1 },
    { vaults: ["onsite"] },
    { vaults: ["onsite", "elsewhere"] },
    { signers: ["ana", "ben"] },
    { signers: ["ana", "ana"] },
  ],
  "key.restored": [
    { spki: third },
    { token: "alpha" },
    { token: "gamma" },
    { label: "other" },
    { ckaId: "00" },
    { backup: "backup-20200101-abcd" },
    { origin: "pki.example.org/elsewhere/test" },
    { algorithm: "p-384" },
  ],
  "key.locked": [{ spki: third }, { token: "beta" }],
  "key.cloned": [
    { spki: first },
    { from: "beta", to: "alpha" },
    { to: "gamma" },
    { label: "other" },
    { ckaId: "00" },
    { method: "native" },
  ],
};

for (const [kind, changes] of Object.entries(FORGERIES)) {
  for (const change of changes) {
    test(`${kind} with ${JSON.stringify(change).slice(0, 60)} is not what people agreed to`, (t) => {
      forge(t, kind, (fact) => ({ ...fact, ...change }));
    });
  }
}

test("a fact of another kind in the outcome of an item", (t) => {
  const { fact } = recorded("key.locked");
  forge(t, "backup.made", () => fact, /cannot establish key\.locked/);
});

test("the same outcome twice, and one that nobody intended", (t) => {
  const { entry } = recorded("key.restored");
  const fork = stage.fork();
  t.after(() => {
    fork.remove();
  });
  fork.rewrite(honest.slice(0, entry.seq + 1));
  const before = believed(fork);
  fork.rewrite([...honest.slice(0, entry.seq + 1), { ...entry, seq: entry.seq + 1 }]);
  assert.equal(believed(fork), before);
  assert.ok(fork.findings.some((finding) => finding.startsWith(`${entry.seq + 1} `)));
});
