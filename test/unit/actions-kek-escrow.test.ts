/** Escrowed KEKs: allowed by policy alone, sealed under a share set, loaded by a quorum, never hushed up. */

import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { ShareSetCustody } from "../../src/ceremony/custody.ts";
import { checkValueInSoftware } from "../../src/hsm/check-value.ts";
import { fromHexBytes } from "../../src/lib/secret-text.ts";
import { PENDING } from "../../src/shares/make-share-set.ts";
import { parseShareSet } from "../../src/shares/share-set.ts";
import { combine, openShare } from "../../src/shares/use-share-set.ts";
import { ESCROW_POLICY, kekStage, kekStep, kekTools, withTokens } from "../support/kek-stage.ts";
import { CAST } from "../support/stage-scripts.ts";
import { objections } from "../support/stage-tests.ts";

const stage = await kekStage(ESCROW_POLICY);
const { kek, refused } = kekTools(stage);
const HOLDERS = "[custodian, custodian]";
const ESCROWED = "kek: backup-kek, token: alpha, escrow: true";
const establish = (values = ESCROWED): string =>
  withTokens(["alpha"], [kekStep("establish-kek", values)]);
const load = (by = HOLDERS): string =>
  withTokens(["beta"], [kekStep("load-kek", "kek: backup-kek, token: beta", "", by)]);
const OUTSIDE = /has existed outside an HSM/;

function setOf(): ShareSetCustody {
  const sets = [...stage.history.custody.shareSets.values()];
  return sets.find(({ purpose }) => purpose === "kek") ?? assert.fail("no share set of a KEK");
}

function shareFile(person: string): string {
  const { set } = setOf();
  return join(stage.folder, "media", person, "shares", `${set}.g1.share.age`);
}

test("an escrowed KEK has shares instead of envelopes", () => {
  const yaml = establish(`${ESCROWED}, for: [beta]`);
  assert.match(objections(stage, yaml).join(), /an escrowed KEK has no envelopes/);
});

test("who declines to prove a share stops it before the token holds the KEK", async () => {
  const passphrase = (person: string, step: string): string =>
    person === "dan" && step === "establish-kek" ? "wrong" : `${person} drill`;
  await refused(establish(), {
    code: "people.authentication-failed",
    says: /dan could not open their identity/,
    cast: { ...CAST, passphrase },
  });
  assert.equal(stage.history.custody.keks.size, 0);
});

test("an escrowed KEK is made, and every output says that it has existed outside an HSM", async () => {
  await stage.run(establish(), CAST);
  const { mode, escrow, envelopes, tokens } = kek();
  assert.equal(mode, "escrowed");
  assert.equal(envelopes.size, 0);
  assert.deepEqual([...tokens.keys()], ["alpha"]);
  assert.deepEqual(escrow, { set: setOf().set, generation: 1 });
  assert.equal(setOf().threshold, 2);
  assert.deepEqual(setOf().holders, ["ben", "cleo", "dan"]);
  const { shown } = stage.console;
  assert.ok(
    shown.some((line) => line.includes("has existed outside an HSM") && line.startsWith("WARNING")),
  );
  assert.ok(shown.some((line) => line.includes("The policy allows it by CPS:6.2.4")));
  const [completed] = stage
    .entries()
    .filter(({ step, type }) => step === "establish-kek" && type === "step.completed");
  assert.match(JSON.stringify(completed?.data), /"hasExistedOutsideAnHsm":true/);
  assert.match(completed?.description ?? "", OUTSIDE);
});

test("the shares of a quorum open the very KEK, and the ledger holds none of it", async () => {
  const { sha256, set } = setOf();
  const shares = parseShareSet(stage.ledger.attachment(sha256)?.bytes ?? new Uint8Array());
  const entered = [];
  for (const name of ["ben", "dan"]) {
    const { opened } = stage.person(name);
    const file = readFileSync(shareFile(name));
    const share = await openShare(shares, name, file, (bytes) => opened.opener.open(bytes));
    entered.push({ person: name, share });
  }
  const sealed = readFileSync(join(stage.folder, "share-sets", `${set}.g1`, "sealed.age"));
  const expected = { serial: PENDING, label: "backup-kek.g1" };
  await assert.rejects(combine(shares, entered, sealed, { ...expected, label: "other.g1" }), {
    code: "hsm.wrong-kek",
  });
  const text = await combine(shares, entered, sealed, expected);
  const value = text.use(fromHexBytes) ?? assert.fail("no hex");
  assert.equal(value.length, 32);
  assert.equal(checkValueInSoftware(value), kek().checkValue);
  const ledger = readFileSync(join(stage.folder, "ledger.db"));
  assert.equal(ledger.indexOf(value), -1);
  assert.equal(
    text.use((bytes) => ledger.indexOf(bytes)),
    -1,
  );
});

test("an escrowed KEK is not sent in envelopes", () => {
  const yaml = withTokens(
    ["alpha"],
    [kekStep("send-kek", "kek: backup-kek, from: alpha, to: beta")],
  );
  assert.match(objections(stage, yaml).join(), /its shares open it anywhere/);
});

test("people who hold no shares of it cannot load it", async () => {
  const by = "[ceremony-administrator, internal-witness]";
  await refused(load(by), { code: "people.share-rejected", says: /ana holds no share of set/ });
});

test("Q01: an altered share of a KEK is refused by the name of its holder", async () => {
  const right = readFileSync(shareFile("cleo"));
  const wrong = Uint8Array.from(right);
  wrong[wrong.length - 1] = (wrong.at(-1) ?? 0) ^ 1;
  writeFileSync(shareFile("cleo"), wrong);
  try {
    await refused(load(), { code: "people.share-rejected", says: /share of cleo/ });
  } finally {
    writeFileSync(shareFile("cleo"), right);
  }
});

test("a holder who declines keeps it from the token", async () => {
  const agrees = ({ step, to }: { step: string; to: { person: string } }): boolean =>
    step !== "load-kek" || to.person !== "cleo";
  await refused(load(), {
    code: "people.declined",
    says: /cleo declined/,
    cast: { ...CAST, agrees },
  });
});

test("a quorum loads it, and the check value is the recorded one", async () => {
  await stage.run(load(), CAST);
  assert.deepEqual([...kek().tokens.keys()], ["alpha", "beta"]);
  assert.ok(stage.console.shown.some((line) => line.includes("has existed outside an HSM")));
  assert.ok(!existsSync(join(stage.folder, "keks")));
  stage.judge();
  assert.deepEqual(stage.findings, []);
});

test("a token that was lost with its KEK is no loss: the shares open it anywhere", async () => {
  for (const token of ["alpha", "beta"]) {
    const values = `kek: backup-kek, generation: 1, token: ${token}`;
    await stage.run(withTokens([token], [kekStep("destroy-kek", values)]), CAST);
  }
  assert.equal(kek().tokens.size, 0);
  await stage.run(load(), CAST);
  assert.deepEqual([...kek().tokens.keys()], ["beta"]);
});
