/** Copies destroyed one place after the other, keys destroyed everywhere, tokens retired: on tokens in memory. */

import assert from "node:assert/strict";
import { existsSync, renameSync, rmSync } from "node:fs";
import { test } from "node:test";
import { ckrError } from "../../src/hsm/ckr.ts";
import { KeyriteError, type ErrorCode } from "../../src/lib/errors.ts";
import {
  backedUp,
  backupStage,
  generate,
  lock,
  newestBackup,
  restore,
  vaultFile,
} from "../support/backup-stage.ts";
import { kekStep, withTokens } from "../support/kek-stage.ts";
import { CAST, script, STEP } from "../support/stage-scripts.ts";
import { objections } from "../support/stage-tests.ts";
import type { Cast } from "../support/stage.ts";

const HOLDERS = "[custodian, custodian]";
const TWO = { present: { ana: "ceremony-administrator", eve: "internal-witness" } };
const stage = await backupStage();
await stage.run(backedUp(["root-g1", "sub-a", "sub-b", "torn"]), CAST);
await stage.run(restore("beta", "all-ca-keys"), CAST);

const spkiOf = (label: string): string =>
  [...stage.history.custody.keys.values()].find((key) => key.label === label)?.spki ??
  assert.fail(`no key ${label}`);

/** Where the copies of a key are, by custody. */
function places(label: string): readonly string[] {
  const copies = stage.history.custody.copies.get(spkiOf(label));
  assert.ok(copies);
  return [...copies.tokens.keys(), ...copies.backups.keys()];
}

const onToken = (token: string, keys: string): string =>
  withTokens([token], [kekStep("destroy-key", `token: ${token}, keys: ${keys}`)]);
const everywhere = (values: string, tokens = ["alpha", "beta"]): string =>
  withTokens(tokens, [kekStep("destroy-key", `everywhere: true, ${values}`)]);
const retire = (token: string, before: readonly string[] = []): string =>
  script([...before, kekStep("retire-token", `token: ${token}`, "", HOLDERS)]);

/** The ceremony stops with this error, custody is what it was, and two people end it. */
async function stops(
  yaml: string,
  { code, says, cast = CAST }: { code: ErrorCode; says: RegExp; cast?: Cast },
): Promise<void> {
  const before = stage.custody;
  await assert.rejects(stage.run(yaml, cast), (error) => {
    assert.ok(error instanceof KeyriteError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, says);
    return true;
  });
  await stage.abandon(TWO);
  assert.equal(stage.custody, before);
}

test("what destroys nothing, or something unclear, is refused when planning", () => {
  const first = (yaml: string): string => objections(stage, yaml)[0] ?? "no objection";
  assert.match(first(onToken("beta", "root-g9")), /no copy of a key labelled root-g9 by then/);
  assert.match(first(everywhere("key: root-g9")), /no key labelled root-g9 is in custody/);
  const destroy = (values: string): string =>
    first(withTokens(["beta"], [kekStep("destroy-key", values)]));
  assert.match(destroy("key: root-g1"), /everywhere: true/);
  assert.match(destroy("key: root-g1, everywhere: false"), /everywhere: true/);
  assert.match(destroy("token: beta"), /name the keys/);
  assert.match(destroy("keys: root-g1"), /name a token and its keys/);
  assert.match(destroy("token: beta, keys: root-g1, key: root-g1"), /not both/);
  assert.match(destroy("token: beta, keys: root-g1, everywhere: true"), /everywhere needs a key/);
  assert.match(destroy("token: beta, keys: root-g1, reason: old"), /for a key everywhere/);
  assert.match(
    first(script([kekStep("destroy-key", "token: beta, keys: root-g1")])),
    /beta is not active/,
  );
});

test("a copy is retained with a reason or not at all, and only where there is one", () => {
  const first = (retain: string): string =>
    objections(stage, everywhere(`key: root-g1, retain: [{ ${retain} }]`))[0] ?? "no objection";
  assert.match(first("place: token, name: beta"), /missing key "reason"/);
  assert.match(first('place: token, name: beta, reason: ""'), /reason|at least 1/);
  assert.match(first("place: token, name: gamma, reason: lost"), /gamma holds no copy/);
  assert.match(first("place: safe, name: beta, reason: lost"), /token/);
});

test("destroying what is on record but not on the token is refused, and the rest of the list stays", async () => {
  let destroyed = 0;
  stage.rig.faults.before = (call) => {
    if (call !== "destroyObject") return;
    destroyed += 1;
    if (destroyed > 1) throw ckrError("C_DestroyObject", 0x30);
  };
  try {
    await stops(onToken("beta", "torn"), { code: "hsm.call-failed", says: /CKR_DEVICE_ERROR/ });
  } finally {
    stage.rig.faults.before = undefined;
  }
  // One half of the key is gone now, which only an interrupted step may clear up.
  await stops(onToken("beta", "[torn, root-g1]"), {
    code: "hsm.object-missing",
    says: /holds 0 private and 1 public keys/,
  });
  assert.ok(places("root-g1").includes("beta"));
});

test("a token that keeps what it was told to destroy is found out, and nothing is on record as gone", async () => {
  stage.rig.faults.keepsObjects = true;
  try {
    await stops(onToken("beta", "sub-a"), { code: "hsm.bad-output", says: /still there/ });
  } finally {
    stage.rig.faults.keepsObjects = undefined;
  }
  assert.ok(places("sub-a").includes("beta"));
});

test("copies on one token are destroyed, each with an entry, and the others stay", async () => {
  const { size } = stage.history;
  await stage.run(onToken("beta", "[root-g1, sub-a]"), CAST);
  assert.deepEqual(stage.findings, []);
  const backup = newestBackup(stage).backup;
  assert.deepEqual(places("root-g1"), ["alpha", backup]);
  assert.deepEqual(places("sub-b"), ["alpha", "beta", backup]);
  const entries = stage.entries().slice(size);
  const outcomes = entries.filter(({ facts }) => facts.some((f) => f.kind === "copy.destroyed"));
  assert.deepEqual(
    outcomes.map(({ facts }) => facts.length),
    [1, 1],
  );
  assert.ok(stage.console.shown.some((line) => line.startsWith("Copies stay in: token alpha")));
  await stage.run(
    withTokens(["beta"], [kekStep("inspect-token", "token: beta", "", "[internal-witness]")]),
    CAST,
  );
});

test("C14: the last copy of a key goes with the key only, or under a deviation", async () => {
  await stage.run(withTokens(["alpha"], [generate("lonely", "p-256", "never")]), CAST);
  const yaml = onToken("alpha", "lonely");
  assert.match(objections(stage, yaml).join(), /last of key lonely/);
  await stage.run(everywhere("key: lonely, reason: never used", ["alpha"]), CAST);
  assert.equal(stage.history.custody.copies.get(spkiOf("lonely"))?.destroyed, true);
  assert.match(objections(stage, withTokens(["alpha"], [lock("lonely")])).join(), /lonely/);
});

test("a key goes everywhere: from both tokens and every vault, with the reason that was given", async () => {
  const spki = spkiOf("sub-b");
  const blob = (vault: string): string => vaultFile(stage, `keys/${spki}.p8wrap`, vault);
  assert.ok(existsSync(blob("onsite")) && existsSync(blob("offsite")));
  const answers = { reason: "superseded by sub-c, approved as MB-7" };
  await stage.run(everywhere("key: sub-b"), { ...CAST, answers });
  assert.deepEqual(stage.findings, []);
  const copies = stage.history.custody.copies.get(spki);
  assert.deepEqual([copies?.tokens.size, copies?.backups.size, copies?.destroyed], [0, 0, true]);
  assert.deepEqual([existsSync(blob("onsite")), existsSync(blob("offsite"))], [false, false]);
  const end = stage
    .entries()
    .flatMap(({ facts }) => facts.filter((f) => f.kind === "key.destroyed"));
  assert.equal(end.at(-1)?.["reason"], answers.reason);
  assert.ok(stage.console.shown.some((line) => line.includes("erases nothing for certain")));
  assert.match(objections(stage, everywhere("key: sub-b")).join(), /no key labelled sub-b/);
  assert.match(objections(stage, restore("beta", "sub-b")).join(), /no completed backup/);
});

test("what cannot be reached is retained with a reason asked for, and never called destroyed", async () => {
  const spki = spkiOf("sub-a");
  const away = stage.vaults.get("offsite") ?? assert.fail();
  renameSync(away, `${away}-away`);
  try {
    await stage.run(everywhere("key: sub-a, reason: old", ["alpha"]), {
      ...CAST,
      answers: { retained: "the courier has it until Monday" },
    });
  } finally {
    renameSync(`${away}-away`, away);
  }
  assert.deepEqual(stage.findings, []);
  const copies = stage.history.custody.copies.get(spki);
  const backup = newestBackup(stage).backup;
  assert.equal(copies?.destroyed, true);
  assert.equal(copies.tokens.size, 0);
  assert.match(
    copies.retained.get(`backup ${backup}`) ?? "",
    /^vault offsite is not here: the courier has it until Monday$/,
  );
  // What could be reached is gone all the same.
  assert.equal(existsSync(vaultFile(stage, `keys/${spki}.p8wrap`, "onsite")), false);
  assert.equal(existsSync(vaultFile(stage, `keys/${spki}.p8wrap`, "offsite")), true);
});

test("a key of which nothing can be reached is not destroyed at all", async () => {
  const folders = [...stage.vaults.values()];
  for (const folder of folders) renameSync(folder, `${folder}-away`);
  try {
    await stops(script([kekStep("destroy-key", "key: root-g1, everywhere: true")]), {
      code: "usage.refused",
      says: /no copy of key root-g1 can be destroyed here/,
      cast: { ...CAST, answers: { retained: "far away" } },
    });
  } finally {
    for (const folder of folders) renameSync(`${folder}-away`, folder);
  }
});

test("C14: a file that was gone already is told before anybody agrees, and is no obstacle", async () => {
  await stage.run(backedUp(["old"]), CAST);
  const spki = spkiOf("old");
  rmSync(vaultFile(stage, `keys/${spki}.p8wrap`, "offsite"));
  const { size } = stage.history;
  await stage.run(everywhere("key: old, reason: old", ["alpha"]), CAST);
  const { backup } = newestBackup(stage);
  const agreed = stage.entries().find(({ seq, step, type, data }) => {
    return seq >= size && step === "destroy-key" && type === "step.opened" && data["shown"];
  });
  const said = `NOT FOUND: vault offsite has backup ${backup} without the file of this key`;
  assert.ok(JSON.stringify(agreed?.data["shown"]).includes(said));
  assert.equal(JSON.stringify(agreed?.data["shown"]).includes("vault onsite has"), false);
  const outcome = stage
    .entries()
    .findLast(({ facts }) =>
      facts.some((f) => f.kind === "copy.destroyed" && f["place"] === "backup"),
    );
  assert.deepEqual(outcome?.data["evidence"], {
    removed: ["onsite"],
    absent: ["offsite"],
    retained: null,
  });
});

test("a token is not retired while a key or a KEK depends on it", async () => {
  assert.match(
    objections(
      stage,
      withTokens(["alpha"], [kekStep("retire-token", "token: alpha", "", HOLDERS)]),
    ).join(),
    /token alpha is already active/,
  );
  // Keys and backups remain with alpha, and alpha opens the KEK: beta may go, then alpha may not.
  assert.deepEqual(objections(stage, retire("beta")), []);
  await stage.run(retire("beta"), { ...CAST, answers: { reason: "end of lease" } });
  assert.deepEqual(stage.findings, []);
  const { custody } = stage.history;
  assert.equal(custody.tokens.has("beta"), false);
  assert.equal(custody.transports.has("beta"), false);
  assert.match(
    objections(stage, retire("alpha")).join(),
    /alpha is the only one from which key root-g1/,
  );
});

test("C14: two shares of a stranger's set, or of too few, wipe nothing", async () => {
  const one = script([
    kekStep("retire-token", "token: gamma, reason: old", "", "[custodian, ceremony-administrator]"),
  ]);
  await stops(one, { code: "people.share-rejected", says: /holds no share/ });
  const { logins } = stage.rig.hsm.counters;
  const wrong = (person: string, step: string): string =>
    step === "retire-token" && person === "cleo" ? "wrong" : `${person} drill`;
  await stops(script([kekStep("retire-token", "token: gamma, reason: old", "", HOLDERS)]), {
    code: "people.authentication-failed",
    says: /cleo/,
    cast: { ...CAST, passphrase: wrong },
  });
  assert.equal(stage.rig.hsm.counters.logins, logins);
  assert.ok(stage.history.custody.tokens.has("gamma"));
});

test("a retired token's name is free, and the ledger judges all of it alike when it is read anew", () => {
  assert.deepEqual(objections(stage, script([STEP.initialize.replaceAll("alpha", "beta")])), []);
  const before = stage.custody;
  stage.judge();
  assert.deepEqual(stage.findings, []);
  assert.equal(stage.custody, before);
});
