/**
 * Keys that no backup can be made or used of: what cannot be wrapped is refused when planning, what the
 * token holds twice is refused by name, and a KEK of another generation opens nothing.
 */

import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { encode } from "../../src/hsm/attributes.ts";
import { CKO } from "../../src/hsm/constants.ts";
import type { Question } from "../../src/console/console.ts";
import { stopped } from "../support/backup-refused.ts";
import {
  backedUp,
  backupStage,
  backUp,
  generate,
  lock,
  restore,
  vaultFile,
} from "../support/backup-stage.ts";
import { FOR_BOTH, kekStep, loadKek, withTokens } from "../support/kek-stage.ts";
import { preparedSite } from "../support/escrowed-site.ts";
import type { FakeModule } from "../support/fake-module.ts";
import { CAST } from "../support/stage-scripts.ts";
import { objections } from "../support/stage-tests.ts";

const stage = await backupStage();
await stage.run(backedUp(["root-g1"]), CAST);

function moduleOf(token: string): FakeModule {
  const holds = (raw: FakeModule): boolean =>
    raw.slots().some((slot) => raw.tokenInfo(slot).label === token);
  return stage.rig.modules.find(holds) ?? assert.fail(`no module holds ${token}`);
}

/** Puts a private object with this CKA_ID on a token that is active, behind everybody's back. */
function plant(token: string, ckaId: string): void {
  const raw = moduleOf(token);
  const [slot = 0n] = raw.slots();
  const session = raw.openSession(slot);
  const id = encode("ID", Buffer.from(ckaId, "hex"));
  raw.createObjectNow(session, [encode("CLASS", CKO.PRIVATE_KEY), encode("TOKEN", true), id]);
  raw.closeSession(session);
}

const backedUpUnder2 = withTokens(
  ["alpha"],
  [generate("sub-g2"), backUp("sub-g2"), lock("sub-g2")],
);
const OWING = kekStep("record-deviation", "rule: extractable-key");

test("Ed25519 on a token that cannot wrap it is refused when planning, with what to do instead", () => {
  const site = preparedSite([/^algorithms: .*$/m, "algorithms: [p-384, ed25519]"]);
  const refused = (backup: string): string => {
    const yaml = withTokens(
      ["alpha"],
      [generate("ed", "ed25519", backup), ...(backup === "never" ? [backUp("ed")] : [])],
    );
    const script = join(site.folder, `${backup}.yaml`);
    writeFileSync(script, yaml);
    const ran = site.keyrite(["check", script]);
    assert.equal(ran.code, 3, ran.stderr);
    return ran.stderr;
  };
  const wrap = refused("wrap");
  assert.match(wrap, /a softhsm token makes ed25519 keys but cannot wrap them/);
  assert.match(
    wrap,
    /generate it with backup: native and the vendor's own cloning, or use another/,
  );
  assert.match(
    refused("never"),
    /key ed: a softhsm token makes ed25519 keys but cannot wrap them; copy it with/,
  );
});

test("a key cloned by the vendor's tools counts once the copy has signed", async () => {
  const record = (to: string): string =>
    withTokens([to], [kekStep("record-native-backup", `from: alpha, to: ${to}, key: native`)]);
  await stage.run(withTokens(["alpha"], [generate("native", "p-256", "native")]), CAST);
  const { ckaId, spki } = [...stage.history.custody.keys.values()].at(-1) ?? assert.fail();
  const expected = {
    code: "hsm.object-missing",
    says: /token gamma holds 0 public objects of key native/,
    exit: 5,
  } as const;
  await stopped(stage, record("gamma"), expected);
  moduleOf("alpha").cloneTo(moduleOf("gamma"), Buffer.from(ckaId, "hex"));
  await stage.run(record("gamma"), CAST);
  const copy = stage.history.custody.copies.get(spki)?.tokens.get("gamma");
  assert.equal(copy?.label, "native");
  assert.deepEqual(stage.findings, []);
  assert.match(objections(stage, record("gamma")).join(), /key native is on token gamma already/);
});

test("Q11: a KEK of another generation opens nothing: the token must hold the one of the backup", async () => {
  const both = FOR_BOTH.replace("[alpha, beta]", "[alpha, gamma]");
  await stage.run(withTokens(["alpha"], [kekStep("rotate-kek", both)]), CAST);
  await stage.run(loadKek("gamma"), CAST);
  assert.match(
    objections(stage, restore("gamma", "root-g1")).join(),
    /backup-kek\.g1, .*not on token gamma/,
  );
  await stage.run(backedUpUnder2, CAST);
  assert.match(
    objections(stage, restore("beta", "sub-g2")).join(),
    /backup-kek\.g2, .*not on token beta/,
  );
});

test("H19: a copy made by the vendor's tools that can still leave its token is none, whatever it signs", async () => {
  await stage.run(withTokens(["alpha"], [OWING, generate("leaving")]), CAST);
  const { ckaId } = [...stage.history.custody.keys.values()].at(-1) ?? assert.fail();
  moduleOf("alpha").cloneTo(moduleOf("gamma"), Buffer.from(ckaId, "hex"));
  const recording = kekStep("record-native-backup", "from: alpha, to: gamma, key: leaving");
  await stopped(stage, withTokens(["gamma"], [recording]), {
    code: "hsm.attribute-differs",
    says: /key leaving on token gamma can leave it: CKA_SENSITIVE reads as true, CKA_EXTRACTABLE as true/,
    exit: 5,
  });
  await stage.run(withTokens(["alpha"], [backUp("leaving"), lock("leaving")]), CAST);
});

test("H09: two private objects with one id are not backed up: nobody can say which is meant", async () => {
  const listed = (vault: string): readonly string[] => readdirSync(vaultFile(stage, "..", vault));
  const before = new Map(["onsite", "offsite"].map((vault) => [vault, listed(vault)]));
  let planted = "";
  const agrees = ({ step }: Question): boolean => {
    if (step === "back-up-key" && planted === "") {
      planted = [...stage.history.custody.keys.values()].at(-1)?.ckaId ?? "";
      plant("alpha", planted);
    }
    return true;
  };
  const pay = withTokens(["alpha"], [backUp("all-ca-keys"), lock("all-ca-keys")]);
  const expected = {
    code: "hsm.object-missing",
    says: /2 private and 1 public keys with CKA_ID [0-9a-f]+, not one of each/,
    exit: 5,
    outcome: "step.failed",
  } as const;
  await stage.run(withTokens(["alpha"], [OWING, generate("twice")]), CAST);
  await stopped(stage, pay, expected, { ...CAST, agrees });
  for (const vault of ["onsite", "offsite"]) {
    const left = listed(vault);
    assert.deepEqual(left, before.get(vault), "nothing half-written remains");
  }
});
