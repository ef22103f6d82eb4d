/** A backup of another site that was begun in time and completed past midnight, and what is proved of its people's dates. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { renewPerson } from "../../src/actions/renew-person.ts";
import { verifyForeignBackup, type ForeignPapers } from "../../src/ceremony/foreign-backup.ts";
import { verifyProof } from "../../src/ledger/proof.ts";
import { parseVerifierKey } from "../../src/lib/note.ts";
import { backUp, backupStage, generate } from "../support/backup-stage.ts";
import { kekStep, withTokens } from "../support/kek-stage.ts";
import { CAST, script, STEP } from "../support/stage-scripts.ts";
import { papersOf, peerOf, proveNewest, WITH_FAY } from "../support/two-sites.ts";

const LAST = "2026-11-30";
const LATE = "2026-12-01T00:10:00.000Z";
const ENROL = STEP.enroll.replace(
  "[custodian], reference: file 4711",
  `[ceremony-administrator], reference: file 4711, vettedUntil: ${LAST}`,
);
const RENEW = STEP.renew.replace("ben, vettedUntil: 2027-11-30", "eve, trainedUntil: 2027-05-31");

const site = await backupStage();
await site.run(script([STEP.clock, ENROL, RENEW]), CAST);
site.clock.time = Date.parse(`${LAST}T22:55:00.000Z`);
// The keys are wrapped while the day ends.
site.rig.faults.before = (call) => {
  const begun = site.history.open?.unsettled.has("back-up-key") === true;
  if (begun && call.startsWith("wrapKey")) site.clock.time = Date.parse(LATE);
};
const lock = kekStep(
  "lock-key",
  "token: alpha, keys: [root-g1]",
  "",
  "[custodian, internal-witness]",
);
await site.run(withTokens(["alpha"], [generate("root-g1"), backUp("[root-g1]"), lock]), WITH_FAY);
site.rig.faults.before = undefined;
await proveNewest(site);
const papers = papersOf(site);
const peer = peerOf(site, papers.proofs.checkpoint);
const key = parseVerifierKey(site.site.genesis.ledgerKey);

const entryOf = (proof: string): ReturnType<typeof verifyProof>["entry"] =>
  verifyProof(proof, key).entry;

function without(step: string, type: string): ForeignPapers {
  const proofs = papers.proofs.proofs.filter((proof) => {
    const entry = entryOf(proof);
    return entry.step !== step || entry.type !== type;
  });
  assert.equal(proofs.length, papers.proofs.proofs.length - 1);
  return { ...papers, proofs: { ...papers.proofs, proofs } };
}

test("Q10: whoever agreed to a backup in time signs it past midnight, here and for another site", () => {
  site.judge();
  assert.deepEqual([site.findings, site.history.cosigned], [[], site.ledger.size]);
  const { problems, found } = verifyForeignBackup(papers, peer);
  assert.deepEqual(problems, []);
  assert.ok(found);
  assert.deepEqual(found.signers, ["fay", "eve"]);
  assert.ok(found.made > LATE.slice(0, 10));
});

test("Q10: without the proof that they agreed in time they could not sign it", () => {
  assert.deepEqual(verifyForeignBackup(without("back-up-key", "step.begun"), peer).problems, [
    `its signer could not act then: the vetting of fay was good until ${LAST}: hold ceremony renew-person`,
  ]);
});

test("Q10: renewals are proved by their three entries, and by fewer not believed", () => {
  const renewal = papers.proofs.proofs.map(entryOf).filter(({ step }) => step === "renew");
  assert.deepEqual(renewal.map(({ type }) => type).sort(), [
    "step.begun",
    "step.completed",
    "step.opened",
  ]);
  for (const type of ["step.opened", "step.begun"]) {
    assert.deepEqual(verifyForeignBackup(without("renew", type), peer).problems, [
      "renewal of eve: the entries that show who agreed to it are not proven",
    ]);
  }
});

test("Q10: a renewal that was interrupted is agreed to anew: another site could not judge what was finished", async () => {
  const step = renewPerson.bind({
    person: "eve",
    trainedUntil: "2027-05-31",
    reference: "file 4713",
  });
  const found = await step.settle({} as never, {} as never);
  assert.deepEqual(found?.choices, ["undo"]);
});
