/** Custody of copies: what each fact changes. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { custodyDigest } from "../../src/ceremony/custody-json.ts";
import { BACKED_UP, CopiesDesk, envelopeFor, FACT, id, PEER, sha } from "../support/copies-desk.ts";

function copies(desk: CopiesDesk, label = "root-g1") {
  const found = desk.custody.copies.get(sha(label));
  assert.ok(found);
  return found;
}

describe("facts about copies are taken", () => {
  test("a key generated for a wrapped backup is extractable until it is locked", () => {
    const desk = new CopiesDesk([FACT.bound("alpha"), FACT.generated("root-g1")]);
    const made = desk.now();
    assert.deepEqual(copies(desk).tokens.get("alpha"), {
      ...{ token: "alpha", label: "root-g1", ckaId: id("root-g1-alpha"), origin: "generated" },
      ...{ extractable: true, proved: made },
    });
    desk.take(FACT.locked("root-g1"));
    assert.equal(copies(desk).tokens.get("alpha")?.extractable, false);
  });

  for (const backup of ["native", "never"] as const) {
    test(`a key generated with backup: ${backup} is never extractable`, () => {
      const desk = new CopiesDesk([FACT.bound("alpha"), FACT.generated("root-g1", { backup })]);
      assert.equal(copies(desk).tokens.get("alpha")?.extractable, false);
    });
  }

  test("a KEK is opened by every token with an envelope and held by those that loaded it", () => {
    const desk = new CopiesDesk(BACKED_UP);
    const kek = () => desk.custody.keks.get("vault.g1");
    assert.deepEqual([...(kek()?.tokens.keys() ?? [])], ["alpha", "beta"]);
    desk.take(FACT.sent(), FACT.loaded("gamma"), FACT.kekDestroyed("alpha"));
    assert.deepEqual([...(kek()?.envelopes.keys() ?? [])], ["alpha", "beta", "gamma"]);
    assert.deepEqual([...(kek()?.tokens.keys() ?? [])], ["beta", "gamma"]);
    // What was destroyed may be loaded again, from the same envelope.
    desk.take(FACT.loaded("alpha", { ckaId: id("again") }));
    assert.equal(kek()?.tokens.get("alpha"), id("again"));
  });

  test("an escrowed KEK has a share set and no envelopes", () => {
    const paper = FACT.kek("paper", { mode: "escrowed", envelopes: [] });
    const desk = new CopiesDesk([...BACKED_UP, FACT.escrowSet(), paper, FACT.escrowed()]);
    assert.deepEqual(desk.custody.keks.get("paper.g1")?.escrow, { set: "kset", generation: 1 });
    // Its set opens no token.
    assert.deepEqual(desk.custody.tokens.get("alpha")?.sets, {});
  });

  test("another site's KEK is adopted by its proofs, whatever its generation, and loaded", () => {
    const adopted = FACT.adopted({ envelopes: [{ ...envelopeFor("beta"), token: "alpha" }] });
    const desk = new CopiesDesk([...BACKED_UP, FACT.trusted(), adopted]);
    const named = { kek: "theirs", generation: 3 };
    desk.take(
      FACT.loaded("beta", { ...named, ckaId: id("t"), checkValue: sha("theirs").slice(0, 16) }),
    );
    const kek = desk.custody.keks.get("theirs.g3");
    assert.deepEqual([kek?.origin, [...(kek?.tokens.keys() ?? [])]], [PEER, ["beta"]]);
  });

  test("a backup counts keys while it is made, and counts itself once it is completed", () => {
    const desk = new CopiesDesk(BACKED_UP.slice(0, -1));
    assert.equal(desk.custody.backups.get("backup-1")?.sha256, null);
    desk.take(FACT.generated("sub-1"), FACT.backedUp("sub-1"), FACT.completed({ keys: 2 }));
    const { made, ...backup } = desk.custody.backups.get("backup-1") ?? assert.fail();
    assert.ok(made < desk.now());
    assert.deepEqual(backup, {
      ...{ backup: "backup-1", kek: "vault", generation: 1, sha256: sha("backup.json"), keys: 2 },
      ...{ vaults: ["onsite", "offsite"], signers: ["ana", "ben"], ceremony: "ceremony-1" },
    });
    assert.equal(copies(desk, "sub-1").backups.get("backup-1")?.blob, sha("blob sub-1"));
  });

  test("a restore proves the copy and the backup it came from", () => {
    const desk = new CopiesDesk([...BACKED_UP, FACT.locked("root-g1")]);
    desk.take(FACT.restored("root-g1", "beta"));
    const { tokens, backups, restored, drilled } = copies(desk);
    assert.equal(tokens.get("beta")?.extractable, false);
    assert.equal(backups.get("backup-1")?.proved, desk.now());
    assert.deepEqual(restored, {
      ...{ backup: "backup-1", origin: "example.org/dc1" },
      ...{ ceremony: "ceremony-1", at: desk.now() },
    });
    assert.equal(drilled, null);
  });

  test("a key of a trusted site enters custody when it is restored here", () => {
    const desk = new CopiesDesk([...BACKED_UP, FACT.trusted()]);
    desk.take(FACT.restored("their-root", "beta", { origin: PEER, backup: "theirs-1" }));
    const key = desk.custody.keys.get(sha("their-root"));
    assert.deepEqual([key?.token, key?.algorithm], ["beta", "p-256"]);
    assert.equal(copies(desk, "their-root").backups.size, 0);
  });

  for (const method of ["wrap", "native"] as const) {
    test(`a ${method} clone is one more copy, never extractable`, () => {
      const desk = new CopiesDesk([...BACKED_UP, FACT.cloned("root-g1", "gamma", { method })]);
      const copy = copies(desk).tokens.get("gamma");
      assert.deepEqual([copy?.origin, copy?.extractable], [method, false]);
    });
  }

  test("a key is destroyed when every copy is gone, or retained with a reason", () => {
    const desk = new CopiesDesk([...BACKED_UP, FACT.cloned("root-g1", "gamma")]);
    desk.take(FACT.gone("root-g1", "token", "alpha"), FACT.gone("root-g1", "token", "gamma"));
    desk.take(FACT.retained("root-g1", "backup", "backup-1"), FACT.keyGone("root-g1"));
    assert.equal(copies(desk).destroyed, true);
    assert.equal(copies(desk).retained.get("backup backup-1"), "the courier is on strike");
    // What was out of reach may turn up later.
    desk.take(FACT.gone("root-g1", "backup", "backup-1"));
    assert.deepEqual([copies(desk).retained.size, copies(desk).backups.size], [0, 0]);
  });

  test("a retired token takes its copies, KEKs, envelopes and place with it; its name is free", () => {
    const place = { place: "token", name: "alpha", vault: "alpha" } as const;
    const desk = new CopiesDesk([...BACKED_UP, FACT.moved(place), FACT.retired("alpha")]);
    const { tokens, transports, places, keks } = desk.custody;
    assert.deepEqual(
      [tokens.has("alpha"), transports.has("alpha"), places.size],
      [false, false, 0],
    );
    assert.equal(copies(desk).tokens.size, 0);
    assert.deepEqual([...(keks.get("vault.g1")?.envelopes.keys() ?? [])], ["beta"]);
    desk.take(FACT.bound("alpha"), FACT.transport("alpha"));
  });

  test("a copy has the place where it was last put", () => {
    const desk = new CopiesDesk([...BACKED_UP, FACT.moved(), FACT.moved({ container: "bag 9" })]);
    const place = desk.custody.places.get("backup backup-1 offsite");
    assert.deepEqual([place?.container, place?.since], ["bag 9", desk.now()]);
  });

  test("a trusted site may grow", () => {
    const desk = new CopiesDesk([FACT.trusted(), FACT.trusted({ size: 41, root: sha("root 41") })]);
    assert.equal(desk.custody.peers.get(PEER)?.size, 41);
  });

  test("a drill that passed counts for the keys that its ceremony restored, and for no other", () => {
    const desk = new CopiesDesk(BACKED_UP.slice(0, -1));
    desk.take(FACT.generated("sub-1"), FACT.backedUp("sub-1"), FACT.completed({ keys: 2 }));
    desk.take(FACT.restored("sub-1", "beta"), FACT.gone("sub-1", "token", "beta"));
    desk.nextCeremony().take(FACT.restored("root-g1", "beta"), FACT.drilled());
    assert.equal(copies(desk).drilled, desk.now());
    assert.equal(copies(desk, "sub-1").drilled, null);
  });

  test("a drill that failed, and a rehearsal that passed, count for nothing", () => {
    const failed = FACT.drilled({ verdict: "fail", reasons: ["a share is missing"] });
    const desk = new CopiesDesk([...BACKED_UP, FACT.restored("root-g1", "beta"), failed]);
    assert.deepEqual([copies(desk).drilled, desk.custody.drills.length], [null, 1]);
    const origin = "example.org/dc1/test";
    const test = new CopiesDesk(BACKED_UP, "test");
    test.take(FACT.restored("root-g1", "beta", { origin }), FACT.drilled({ drill: "rehearsal" }));
    assert.deepEqual([copies(test).drilled, test.custody.drills.length], [null, 1]);
  });
});

describe("names that JavaScript knows are names like any other", () => {
  for (const name of ["constructor", "toString", "hasOwnProperty", "valueOf"]) {
    test(name, () => {
      const desk = new CopiesDesk([FACT.bound(name), FACT.transport(name)]);
      desk.take(FACT.generated(name, { token: name }));
      assert.match(desk.refusal(FACT.loaded(name)) ?? "", /KEK vault\.g1 is not in custody/);
      const other = new CopiesDesk([FACT.bound("alpha"), FACT.generated(name)]);
      assert.notEqual(custodyDigest(desk.custody), custodyDigest(other.custody));
      assert.match(desk.refusal(FACT.gone(name, "token", "alpha")) ?? "", /holds no copy/);
    });
  }
});
