/**
 * Tokens that will not have a key, backups that are not the newest, media that fail: each is named, is on
 * record, and leaves nothing half-done.
 */

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Question } from "../../src/console/console.ts";
import { ckrError } from "../../src/hsm/ckr.ts";
import { stopped, type Expected } from "../support/backup-refused.ts";
import {
  backedUp,
  backupStage,
  backUp,
  generate,
  lock,
  restore,
  vaultFile,
} from "../support/backup-stage.ts";
import { unwrapsDuring, withTokens } from "../support/kek-stage.ts";
import { CAST } from "../support/stage-scripts.ts";
import { objections } from "../support/stage-tests.ts";

const OWING =
  "id: owing, action: record-deviation, by: [ceremony-administrator, internal-witness], with: { rule: extractable-key }";

const stage = await backupStage();
await stage.run(backedUp(["root-g1", "sub-a"]), CAST);

test("a token that lies about an attribute of a restored key keeps none of it", async () => {
  stage.rig.faults.attribute = {
    half: "private",
    name: "EXTRACTABLE",
    answer: (value) => value.map((byte) => byte ^ 1),
  };
  await stopped(stage, restore("beta", "root-g1"), {
    code: "hsm.bad-output",
    says: /root-g1 was not restored.*CKA_EXTRACTABLE/,
    exit: 5,
    outcome: "step.failed",
  }).finally(() => {
    stage.rig.faults.attribute = undefined;
  });
});

test("a full token is named, and what came back of the group under way is removed again", async () => {
  let unwraps = 0;
  stage.rig.faults.before = (call) => {
    // Only once the group is intended: what is unwrapped before are throw-away keys.
    if (!call.startsWith("unwrapKey") || stage.entries().at(-1)?.data["group"] === undefined)
      return;
    unwraps += 1;
    if (unwraps === 2) throw ckrError("C_UnwrapKey", 0x31);
  };
  const full = {
    code: "hsm.token-full",
    says: /CKR_DEVICE_MEMORY; the 2 keys under way were removed again/,
    exit: 5,
    outcome: "step.failed",
  } as const;
  const yaml = restore("beta", "all-ca-keys");
  const error = await stopped(stage, yaml, full).finally(() => {
    stage.rig.faults.before = undefined;
  });
  assert.match(error.hints.join(), /room for every key/);
});

test("after all of that the same backup restores, so nothing was left on the token", async () => {
  await stage.run(restore("beta", "all-ca-keys"), CAST);
  assert.match(objections(stage, restore("beta", "root-g1")).join(), /is on token beta already/);
});

test("H18: an older backup needs a script that says so, and is shown in capitals", async () => {
  // The key is generated once; while it is extractable it can be backed up twice.
  const twice = withTokens(
    ["alpha"],
    [generate("sub-b"), backUp("sub-b"), backUp("sub-b", "", "-again"), lock("sub-b")],
  );
  await stage.run(twice, CAST);
  const older = [...stage.history.custody.backups.keys()].at(-2) ?? "";
  const stale = { code: "ledger.backup-stale", says: /is not the newest of a key: sub-b/ } as const;
  const unwraps = await unwrapsDuring(stage, async () => {
    await stopped(stage, restore("beta", "sub-b", { backup: older }), { ...stale, exit: 6 });
  });
  assert.equal(unwraps, 0);
  await stage.run(restore("beta", "sub-b", { backup: older, older: true }), CAST);
  assert.ok(stage.console.shown.some((line) => line.startsWith("THIS BACKUP IS NOT THE NEWEST")));
  const agreed = stage
    .entries()
    .findLast(({ step, agreements }) => step === "restore-key" && agreements.length > 1);
  assert.match(JSON.stringify(agreed?.data), /newest: backup-/);
});

test("planning refuses what no token could do, with what to do instead", () => {
  const unwrappable: Readonly<Record<string, readonly [string, RegExp]>> = {
    locked: [
      withTokens(["alpha"], [backUp("root-g1")]),
      /root-g1 on token alpha cannot leave it.*backup: wrap.*; restore another copy from its backup/,
    ],
    unknown: [
      withTokens(["alpha"], [backUp("nothing")]),
      /token alpha holds no key labelled nothing/,
    ],
    "one vault twice": [
      withTokens(["alpha"], [generate("own"), backUp("own").replace("offsite", "onsite")]),
      /a vault is named twice; two copies in one place are one copy/,
    ],
    "never backed up": [
      withTokens(["alpha"], [generate("own", "p-256", "never"), backUp("own")]),
      /own on token alpha cannot leave it.*vendor.*record-native-backup/,
    ],
    "locked without a copy": [
      withTokens(["alpha"], [generate("own"), lock("own")]),
      /own has no other copy by then.*single-copy/,
    ],
    "a vault of no binding": [
      withTokens(
        ["alpha"],
        [generate("own"), backUp("own").replace("offsite", "attic"), lock("own")],
      ),
      /no binding names a vault attic.*site\.yaml.*--vault attic=DIR/,
    ],
    "to restore from such": [
      restore("beta", "root-g1", { from: "attic" }),
      /no binding names a vault attic/,
    ],
    "no KEK": [restore("gamma", "root-g1"), /is not on token gamma by then/],
    "inactive prover": [
      withTokens(["alpha"], [generate("own"), backUp("own", ", proveOn: beta"), lock("own")]),
      /token beta is not active by then/,
    ],
  };
  for (const [what, [yaml, says]] of Object.entries(unwrappable)) {
    const found = objections(stage, yaml);
    assert.match(found.join("\n"), says, what);
    assert.equal(new Set(found).size, found.length, `${what}: nothing is said twice`);
  }
});

test("C08: a medium that takes no files makes the backup fail, and nothing half-written remains", async (t) => {
  const offsite = stage.vaults.get("offsite") ?? assert.fail("no vault");
  const before = readdirSync(vaultFile(stage, ".."));
  // The kernel's own folder takes no files, not even from root.
  (stage.vaults as Map<string, string>).set("offsite", "/sys");
  t.after(() => {
    (stage.vaults as Map<string, string>).set("offsite", offsite);
  });
  // A key that an earlier ceremony left extractable, under a deviation, is owed a backup.
  await stage.run(withTokens(["alpha"], [OWING, generate("sub-c")]), CAST);
  await stopped(stage, withTokens(["alpha"], [backUp("all-ca-keys"), lock("all-ca-keys")]), {
    code: "site.permissions",
    says: /vault offsite/,
    exit: 2,
    outcome: "step.failed",
  });
  assert.deepEqual(readdirSync(vaultFile(stage, "..")), before);
});

test("a vault inside the site is refused before anybody agrees", async (t) => {
  const onsite = stage.vaults.get("onsite") ?? assert.fail("no vault");
  (stage.vaults as Map<string, string>).set("onsite", join(stage.folder, "media"));
  t.after(() => {
    (stage.vaults as Map<string, string>).set("onsite", onsite);
  });
  const yaml = withTokens(["alpha"], [backUp("all-ca-keys"), lock("all-ca-keys")]);
  await stopped(stage, yaml, { code: "site.bindings", says: /lies inside the site/, exit: 2 });
});

test("a blob that does not open again makes no backup, and its files are removed", async () => {
  const before = ["onsite", "offsite"].map((vault) => readdirSync(vaultFile(stage, "..", vault)));
  // From the agreement on: before it, throw-away keys show what the token can do.
  const agrees = ({ step }: Question): boolean => {
    if (step !== "back-up-key") return true;
    stage.rig.faults.wrapped = (bytes) =>
      bytes.map((byte, at) => (bytes.length > 100 && at === 9 ? byte ^ 1 : byte));
    return true;
  };
  const pay = withTokens(["alpha"], [backUp("all-ca-keys"), lock("all-ca-keys")]);
  const expected: Expected = {
    code: "hsm.bad-output",
    says: /a wrapped key does not open on token alpha/,
    exit: 5,
    outcome: "step.failed",
  };
  await stopped(stage, pay, expected, { ...CAST, agrees }).finally(() => {
    stage.rig.faults.wrapped = undefined;
  });
  const after = ["onsite", "offsite"].map((vault) => readdirSync(vaultFile(stage, "..", vault)));
  assert.deepEqual(after, before);
  // What an earlier ceremony owes is paid by one that only backs up and locks.
  await stage.run(pay, CAST);
  assert.deepEqual(stage.findings, []);
});

test("what a token kept although it said otherwise is found before the key is unwrapped again", async () => {
  await stage.run(backedUp(["sub-d"]), CAST);
  const yaml = restore("beta", "sub-d");
  stage.rig.faults.keepsObjects = true;
  stage.rig.faults.attribute = {
    half: "public",
    name: "VERIFY",
    answer: (value) => value.map((byte) => byte ^ 1),
  };
  await stopped(stage, yaml, {
    code: "hsm.bad-output",
    says: /sub-d was not restored.*CKA_VERIFY/,
    exit: 5,
    outcome: "step.failed",
  }).finally(() => {
    stage.rig.faults.keepsObjects = undefined;
    stage.rig.faults.attribute = undefined;
  });
  await stopped(stage, yaml, {
    code: "hsm.object-exists",
    says: /token beta holds an object of key sub-d already/,
    exit: 5,
  });
});
