/** Every fact about backups and locked keys that contradicts custody. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { FactKind } from "../../src/ceremony/facts.ts";
import { BACKED_UP, CopiesDesk, FACT } from "../support/copies-desk.ts";
import { refused, type Contradiction } from "../support/copies-refused.ts";

const LOCKED = [FACT.locked("root-g1")];

const KINDS: readonly FactKind[] = ["key.locked", "backup.made", "backup.completed"];

const CONTRADICTIONS: Readonly<Record<string, Contradiction>> = {
  "a key locked where it is not": {
    fact: FACT.locked("root-g1", "beta"),
    says: /token beta holds no copy of key/,
  },
  "a key locked twice": { after: LOCKED, fact: FACT.locked("root-g1"), says: /is locked already/ },
  "a backup of a key that nobody knows": {
    fact: FACT.backedUp("sub-9", { backup: "backup-2" }),
    says: /key [0-9a-f]{64} is not in custody/,
  },
  "a backup of a key from a token that does not hold it": {
    fact: FACT.backedUp("root-g1", { backup: "backup-2", token: "beta" }),
    says: /token beta holds no copy of key/,
  },
  "a backup of a locked key": {
    after: LOCKED,
    fact: FACT.backedUp("root-g1", { backup: "backup-2" }),
    says: /is locked and cannot be wrapped/,
  },
  "a backup under a KEK that nobody knows": {
    fact: FACT.backedUp("root-g1", { backup: "backup-2", kek: "other" }),
    says: /KEK other\.g1 is not in custody/,
  },
  "H18: a backup under a superseded KEK": {
    after: [FACT.kek("vault", { generation: 2 })],
    fact: FACT.backedUp("root-g1", { backup: "backup-2" }),
    says: /KEK vault\.g1 has a newer generation/,
  },
  "a backup proved on a token that cannot open it": {
    fact: FACT.backedUp("root-g1", { backup: "backup-2", provedOn: "gamma" }),
    says: /token gamma does not hold KEK vault\.g1/,
  },
  "one more key in a completed backup": {
    after: [FACT.generated("sub-1")],
    fact: FACT.backedUp("sub-1"),
    says: /backup backup-1 is already made/,
  },
  "a key twice in one backup": {
    after: [FACT.backedUp("root-g1", { backup: "backup-2" })],
    fact: FACT.backedUp("root-g1", { backup: "backup-2" }),
    says: /backup backup-2 holds key [0-9a-f]{64} already/,
  },
  "two KEKs in one backup": {
    after: [
      FACT.kek("other"),
      FACT.generated("sub-1"),
      FACT.backedUp("root-g1", { backup: "backup-2" }),
    ],
    fact: FACT.backedUp("sub-1", { backup: "backup-2", kek: "other" }),
    says: /backup backup-2 is wrapped under KEK vault\.g1/,
  },
  "a backup completed twice": { fact: FACT.completed(), says: /backup-1 is not being made/ },
  "H20: a backup completed with other keys than were wrapped": {
    after: [FACT.backedUp("root-g1", { backup: "backup-2" })],
    fact: FACT.completed({ backup: "backup-2", keys: 2 }),
    says: /backup backup-2 holds 1 keys/,
  },
  "a backup twice in one vault": {
    after: [FACT.backedUp("root-g1", { backup: "backup-2" })],
    fact: FACT.completed({ backup: "backup-2", vaults: ["onsite", "onsite"] }),
    says: /a vault is named twice/,
  },
  "a backup signed twice by one person": {
    after: [FACT.backedUp("root-g1", { backup: "backup-2" })],
    fact: FACT.completed({ backup: "backup-2", signers: ["ana", "ana"] }),
    says: /one person signed twice/,
  },
  "a backup signed by a stranger": {
    after: [FACT.backedUp("root-g1", { backup: "backup-2" })],
    fact: FACT.completed({ backup: "backup-2", signers: ["ana", "mallory"] }),
    says: /mallory is not on the roster/,
  },
};

describe("facts about backups that contradict custody are not taken, and change nothing", () => {
  refused(CONTRADICTIONS, KINDS);

  test("a backup that another ceremony began is neither continued nor completed", () => {
    const desk = new CopiesDesk([...BACKED_UP.slice(0, -1), FACT.generated("sub-1")]);
    desk.nextCeremony();
    assert.match(desk.refusal(FACT.backedUp("sub-1")) ?? "", /backup-1 is already made/);
    assert.match(desk.refusal(FACT.completed()) ?? "", /backup-1 is not being made/);
  });
});
