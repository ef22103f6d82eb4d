/** Keys backed up, opened again, locked, restored and cloned, on tokens in memory. */

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { parseManifest } from "../../src/backups/manifest.ts";
import { ckrError } from "../../src/hsm/ckr.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import {
  backUp,
  backedUp,
  backupStage,
  newestBackup,
  restore,
  vaultFile,
} from "../support/backup-stage.ts";
import { kekStep, withTokens } from "../support/kek-stage.ts";
import { CAST } from "../support/stage-scripts.ts";
import { objections } from "../support/stage-tests.ts";

const stage = await backupStage();

test("H20: keys are backed up in both vaults, opened again on the second token, and locked", async () => {
  await stage.run(backedUp(["root-g1", "sub-a"]), CAST);
  assert.deepEqual(stage.findings, []);
  const { custody } = stage.history;
  const backup = newestBackup(stage);
  assert.deepEqual(backup.vaults, ["onsite", "offsite"]);
  assert.deepEqual(backup.signers, ["ana", "eve"]);
  assert.equal(backup.keys, 2);
  for (const vault of ["onsite", "offsite"]) {
    const bytes = readFileSync(vaultFile(stage, "backup.json", vault));
    assert.equal(sha256Hex(bytes), backup.sha256);
    const manifest = parseManifest(bytes);
    assert.equal(manifest.keys.length, 2);
    for (const { sha256, blob } of manifest.keys) {
      const file = readFileSync(vaultFile(stage, `keys/${sha256}.p8wrap`, vault));
      assert.equal(sha256Hex(file), blob.sha256);
      assert.equal(custody.copies.get(sha256)?.backups.get(backup.backup)?.blob, blob.sha256);
    }
    assert.deepEqual(readdirSync(vaultFile(stage, "kek/backup-kek.g1", vault)).sort(), [
      "alpha.envelope",
      "beta.envelope",
      "kek.json",
    ]);
  }
  for (const { tokens } of custody.copies.values()) {
    assert.equal(tokens.get("alpha")?.extractable, false);
  }
});

test("what several conditions of a step find wrong is objected to once", () => {
  const missing = objections(stage, withTokens(["alpha"], [backUp("[nothing]")]));
  assert.deepEqual(
    missing.map((text) => text.replace(/^[0-9:]+ /, "")),
    ["step back-up-key: token alpha holds no key labelled nothing by then"],
  );
});

test("C03: a key of which something stays behind a failed restore is in doubt, and is finished", async () => {
  const { faults } = stage.rig;
  faults.afterPublicKey = () => {
    faults.keepsObjects = true;
    throw ckrError("C_CreateObject", 0x05);
  };
  await assert.rejects(
    stage.run(restore("beta", "all-ca-keys"), CAST),
    /objects with CKA_ID [0-9a-f]+ are still there/,
  );
  faults.afterPublicKey = undefined;
  faults.keepsObjects = undefined;
  const [doubt] = stage.history.open?.unsettled.values() ?? [];
  assert.equal(doubt?.group?.items.length, 2);
  await stage.resume({ ...CAST, answers: { settle: "finish" } });
  assert.deepEqual(stage.findings, []);
});

test("keys that were restored onto another token sign there", async () => {
  for (const { tokens } of stage.history.custody.copies.values()) {
    assert.equal(tokens.get("beta")?.origin, "restored");
  }
  const certify = kekStep(
    "issue-certificate",
    'token: beta, key: root-g1, profile: tls-root, subject: "CN=Root G1,O=Example,C=DE", days: 3650, file: root-ca',
  );
  await stage.run(withTokens(["beta"], [certify]), CAST);
  assert.equal(stage.history.custody.certificates.size, 1);
});

test("a key that is there already is not restored again", () => {
  assert.match(
    objections(stage, restore("beta", "root-g1")).join(),
    /root-g1 is on token beta already/,
  );
});
