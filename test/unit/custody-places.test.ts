/** Every fact about restores, destruction, places, sites and drills that contradicts custody. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { FactKind } from "../../src/ceremony/facts.ts";
import { BACKED_UP, CopiesDesk, FACT, id, ledgerKey, PEER, sha } from "../support/copies-desk.ts";
import { refused, type Contradiction } from "../support/copies-refused.ts";

const LOCKED = [FACT.locked("root-g1")];

const KINDS: readonly FactKind[] = [
  "key.restored",
  "key.cloned",
  "copy.destroyed",
  "copy.retained",
  "key.destroyed",
  "token.retired",
  "copy.moved",
  "site.trusted",
  "drill.concluded",
];

const CONTRADICTIONS: Readonly<Record<string, Contradiction>> = {
  "a key restored where it is": {
    fact: FACT.restored("root-g1", "alpha", { ckaId: id("x") }),
    says: /token alpha holds a copy of key [0-9a-f]{64} already/,
  },
  "a key restored on a token that is not bound": {
    fact: FACT.restored("root-g1", "omega"),
    says: /token omega does not hold KEK vault\.g1/,
  },
  "a key restored where its KEK is not": {
    fact: FACT.restored("root-g1", "gamma"),
    says: /token gamma does not hold KEK vault\.g1/,
  },
  "a key restored with the CKA_ID of another": {
    fact: FACT.restored("root-g1", "beta", { ckaId: id("transport-beta") }),
    says: /on token beta its transport key bears the CKA_ID/,
  },
  "H19: a key restored as one of another algorithm": {
    fact: FACT.restored("root-g1", "beta", { algorithm: "p-384" }),
    says: /is a p-256 key/,
  },
  "a key restored from a backup that it is not in": {
    after: [FACT.generated("sub-1")],
    fact: FACT.restored("sub-1", "beta"),
    says: /backup backup-1 holds no copy of key/,
  },
  "a key restored from a backup that was never completed": {
    after: [FACT.backedUp("root-g1", { backup: "backup-2" })],
    fact: FACT.restored("root-g1", "beta", { backup: "backup-2" }),
    says: /there is no completed backup backup-2/,
  },
  "a key of a site that nobody trusts": {
    fact: FACT.restored("theirs", "beta", { origin: PEER }),
    says: /the site example\.org\/dc2 is not trusted here/,
  },
  "a key restored that is recorded as destroyed": {
    after: [
      FACT.trusted(),
      FACT.gone("root-g1", "token", "alpha"),
      FACT.gone("root-g1", "backup", "backup-1"),
      FACT.keyGone("root-g1"),
    ],
    fact: FACT.restored("root-g1", "beta", { origin: PEER }),
    says: /is recorded as destroyed/,
  },
  "a clone from a token that does not hold the key": {
    fact: FACT.cloned("root-g1", "gamma", { from: "beta" }),
    says: /token beta holds no copy of key/,
  },
  "a clone onto the very token": {
    fact: FACT.cloned("root-g1", "alpha", { ckaId: id("x") }),
    says: /token alpha holds a copy of key [0-9a-f]{64} already/,
  },
  "a wrapped clone of a locked key": {
    after: LOCKED,
    fact: FACT.cloned("root-g1", "gamma"),
    says: /is locked and cannot have been wrapped/,
  },
  "a wrapped clone of a key that was never to leave": {
    after: [FACT.generated("sub-1", { backup: "never" })],
    fact: FACT.cloned("sub-1", "gamma"),
    says: /is locked and cannot have been wrapped/,
  },
  "a copy destroyed on a token that holds none": {
    fact: FACT.gone("root-g1", "token", "beta"),
    says: /token beta holds no copy of key/,
  },
  "a copy destroyed in a backup that holds none": {
    fact: FACT.gone("root-g1", "backup", "backup-7"),
    says: /backup backup-7 holds no copy of key/,
  },
  "a copy destroyed twice": {
    after: [FACT.gone("root-g1", "token", "alpha")],
    fact: FACT.gone("root-g1", "token", "alpha"),
    says: /token alpha holds no copy of key/,
  },
  "a copy retained that is none": {
    fact: FACT.retained("root-g1", "token", "beta"),
    says: /token beta holds no copy of key/,
  },
  "a key destroyed with copies left": {
    after: [FACT.gone("root-g1", "token", "alpha")],
    fact: FACT.keyGone("root-g1"),
    says: /copies of key [0-9a-f]{64} are left: backup backup-1/,
  },
  "a key destroyed that nobody knows": { fact: FACT.keyGone("x"), says: /is not in custody/ },
  "a key destroyed twice": {
    after: [
      FACT.gone("root-g1", "token", "alpha"),
      FACT.gone("root-g1", "backup", "backup-1"),
      FACT.keyGone("root-g1"),
    ],
    fact: FACT.keyGone("root-g1"),
    says: /is recorded as destroyed/,
  },
  "a token retired that is not bound": { fact: FACT.retired("omega"), says: /is not bound/ },
  "a token retired with the serial of another": {
    fact: FACT.retired("alpha", "serial-beta"),
    says: /token alpha is bound to the serial serial-alpha/,
  },
  "a place of a token that is not bound": {
    fact: FACT.moved({ place: "token", name: "omega", vault: "omega" }),
    says: /token omega is not bound/,
  },
  "a token in a vault": {
    fact: FACT.moved({ place: "token", name: "alpha", vault: "onsite" }),
    says: /token alpha lies in no vault/,
  },
  "a place of a backup in a vault that it does not lie in": {
    fact: FACT.moved({ vault: "cellar" }),
    says: /backup backup-1 is not in vault cellar/,
  },
  "a place of a backup that was never completed": {
    after: [FACT.backedUp("root-g1", { backup: "backup-2" })],
    fact: FACT.moved({ name: "backup-2" }),
    says: /there is no completed backup backup-2/,
  },
  "a copy held by a stranger": {
    fact: FACT.moved({ holders: ["ana", "mallory"] }),
    says: /mallory is not on the roster/,
  },
  "a copy held twice by one person": {
    fact: FACT.moved({ holders: ["ana", "ana"] }),
    says: /a holder is named twice/,
  },
  "this very site, trusted": {
    fact: FACT.trusted({ origin: "example.org/dc1", ledgerKey: ledgerKey("example.org/dc1") }),
    says: /it is this very site/,
  },
  "this site's genesis under another origin": {
    fact: FACT.trusted({ genesis: sha("genesis of dc1") }),
    says: /it is this very site/,
  },
  "a test site, trusted by a production site": {
    fact: FACT.trusted({ origin: `${PEER}/test`, ledgerKey: ledgerKey(`${PEER}/test`) }),
    says: /is no production site/,
  },
  "a site with the ledger key of another": {
    fact: FACT.trusted({ ledgerKey: ledgerKey("example.org/dc3") }),
    says: /its ledger key is named example\.org\/dc3/,
  },
  "a site whose ledger key is none": {
    fact: FACT.trusted({ ledgerKey: "no key" }),
    says: /its ledger key is none/,
  },
  "a site with another genesis than before": {
    after: [FACT.trusted()],
    fact: FACT.trusted({ genesis: sha("x"), size: 41 }),
    says: /is trusted with another genesis/,
  },
  "a site that shrank": {
    after: [FACT.trusted()],
    fact: FACT.trusted({ size: 39 }),
    says: /a head of example\.org\/dc2 of size 40 is known already/,
  },
  "a site with two heads of one size": {
    after: [FACT.trusted()],
    fact: FACT.trusted({ root: sha("other") }),
    says: /has two heads of size 40/,
  },
  "a rehearsal on a production site": {
    fact: FACT.drilled({ drill: "rehearsal" }),
    says: /on a production site it is no rehearsal/,
  },
  "a drill that passed without a key": { fact: FACT.drilled({ keys: 0 }), says: /without any key/ },
  "A8: a drill that passed with keys that never came back": {
    fact: FACT.drilled(),
    says: /it passed with 1 keys, and 0 came back from backup backup-1/,
  },
  "A8: a drill that passed with more keys than came back from its backup": {
    after: [FACT.restored("root-g1", "beta")],
    fact: FACT.drilled({ keys: 2 }),
    says: /it passed with 2 keys, and 1 came back/,
  },
  "a drill that passed with reasons against it": {
    fact: FACT.drilled({ reasons: ["too slow"] }),
    says: /it passed, and gives reasons against it/,
  },
  "a drill that failed for nothing": {
    fact: FACT.drilled({ verdict: "fail" }),
    says: /it failed without a reason/,
  },
};

describe("facts about restores, places and drills that contradict custody are not taken", () => {
  refused(CONTRADICTIONS, KINDS);

  test("a drill on a test site is a rehearsal, whatever it says", () => {
    const desk = new CopiesDesk(BACKED_UP, "test");
    assert.match(desk.refusal(FACT.drilled()) ?? "", /on a test site it is no drill/);
  });
});
