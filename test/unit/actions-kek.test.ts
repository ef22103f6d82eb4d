/** KEKs from token to token: transport keys, a KEK made and sealed, loaded, and everything refused. */

import assert from "node:assert/strict";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants, createPublicKey, publicEncrypt } from "node:crypto";
import { join } from "node:path";
import { test } from "node:test";
import { parseKekFile, verifyEnvelope } from "../../src/backups/kek-file.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import {
  ESTABLISH_KEK,
  FOR_BOTH,
  kekStage,
  kekStep,
  kekTools,
  loadKek,
  unwrapsDuring,
  withTokens,
} from "../support/kek-stage.ts";
import { CAST } from "../support/stage-scripts.ts";
import { objections } from "../support/stage-tests.ts";

const stage = await kekStage();
const { kek, file, refused, altered } = kekTools(stage);

test("a transport key is on record with its public half, and a token has one", () => {
  const { transports } = stage.history.custody;
  assert.deepEqual([...transports.keys()], ["alpha", "beta", "gamma"]);
  for (const { spki, oaep } of transports.values()) {
    const bytes = stage.ledger.attachment(spki)?.bytes ?? assert.fail("not attached");
    assert.equal(sha256Hex(bytes), spki);
    assert.deepEqual(oaep, ["sha256", "sha1"]);
  }
  const again = withTokens(["beta"], [kekStep("make-transport-key", "token: beta")]);
  assert.match(objections(stage, again).join(), /token beta has a transport key already/);
});

test("a KEK that fewer than two tokens could open is objected to when planning", () => {
  for (const only of ["", ", for: []", ", for: [alpha]"]) {
    const values = `kek: backup-kek, token: alpha${only}`;
    const yaml = withTokens(["alpha"], [kekStep("establish-kek", values)]);
    assert.match(objections(stage, yaml).join(), /only token alpha could open KEK backup-kek/);
  }
  const unknown = FOR_BOTH.replace("beta", "delta");
  const yaml = withTokens(["alpha"], [kekStep("establish-kek", unknown)]);
  assert.match(objections(stage, yaml).join(), /token delta has no transport key by then/);
});

test("escrow that the policy forbids is objected to when planning", () => {
  const values = "kek: backup-kek, token: alpha, escrow: true";
  const yaml = withTokens(["alpha"], [kekStep("establish-kek", values)]);
  assert.match(objections(stage, yaml).join(), /the policy forbids an escrowed KEK/);
});

test("a fingerprint that the second person does not confirm stops everything", async () => {
  // Alpha's is confirmed by both, beta's by the first alone.
  const answers = { "fingerprint-heard": ["yes", "yes", "yes", "no"] };
  const unwraps = await unwrapsDuring(stage, () =>
    refused(ESTABLISH_KEK, {
      code: "people.declined",
      says: /eve did not confirm the fingerprint of the transport key of token beta/,
      cast: { ...CAST, answers },
    }),
  );
  assert.equal(unwraps, 0);
  assert.equal(stage.history.custody.keks.size, 0);
  assert.ok(!existsSync(file("kek.json")));
});

test("a token that breaks while a KEK is made leaves neither KEK nor files", async () => {
  stage.rig.faults.attribute = {
    half: "secret",
    name: "DECRYPT",
    answer: (value) => value.map((byte) => byte ^ 1),
  };
  await refused(ESTABLISH_KEK, { code: "hsm.attribute-differs", says: /CKA_DECRYPT is true/ });
  stage.rig.faults.attribute = undefined;
  assert.ok(!existsSync(file("kek.json")));
});

test("a KEK is established: envelopes for both tokens, on record by digest", async () => {
  await stage.run(ESTABLISH_KEK, CAST);
  const { mode, tokens, envelopes, checkValue } = kek();
  assert.equal(mode, "hsm-to-hsm");
  assert.deepEqual([...tokens.keys()], ["alpha"]);
  assert.deepEqual([...envelopes.keys()], ["alpha", "beta"]);
  const written = parseKekFile(readFileSync(file("kek.json")));
  assert.equal(written.checkValue, checkValue);
  for (const entry of written.envelopes) {
    const bytes = readFileSync(file(`${entry.token}.envelope`));
    assert.equal(verifyEnvelope(entry, bytes), undefined);
    assert.equal(entry.envelope, envelopes.get(entry.token)?.sha256);
    assert.equal(entry.sha256, stage.history.custody.transports.get(entry.token)?.spki);
  }
  // Each fingerprint was confirmed by two people by name, before anybody agreed.
  const heard = stage.console.asked.filter((line) => line.includes("fingerprint-heard"));
  assert.deepEqual(
    heard.map((line) => line.split(" ")[2]),
    ["ana", "eve", "ana", "eve"],
  );
  const step = stage.console.asked.filter((line) => line.startsWith("establish-kek "));
  assert.ok(
    step.findIndex((line) => line.includes("fingerprint")) <
      step.findIndex((l) => !l.includes("fingerprint")),
  );
});

test("no envelope, and no value of a KEK, is in the ledger", () => {
  const ledger = readFileSync(join(stage.folder, "ledger.db"));
  for (const name of readdirSync(join(stage.folder, "keks", "backup-kek.g1"))) {
    if (!name.endsWith(".envelope")) continue;
    const bytes = readFileSync(file(name));
    assert.equal(ledger.indexOf(bytes.subarray(0, 16)), -1);
    assert.equal(ledger.indexOf(bytes.toString("hex").slice(0, 32)), -1);
    assert.equal(ledger.indexOf(bytes.toString("base64").slice(0, 32)), -1);
  }
});

test("B01: an altered envelope is refused without a call to unwrap", async () => {
  const unwraps = await unwrapsDuring(stage, () =>
    altered("beta.envelope", () =>
      refused(loadKek("beta"), {
        code: "ledger.backup-damaged",
        says: /envelope of KEK backup-kek.g1 for token beta at the site is not the one on record/,
      }),
    ),
  );
  // Activation and probing unwrap nothing here; the envelope never reached the token.
  assert.equal(unwraps, 0);
});

test("B02: the envelope of another token under the right name is refused without a call to unwrap", async () => {
  const right = readFileSync(file("beta.envelope"));
  cpSync(file("alpha.envelope"), file("beta.envelope"));
  const unwraps = await unwrapsDuring(stage, () =>
    refused(loadKek("beta"), { code: "ledger.backup-damaged", says: /not the one on record/ }),
  );
  writeFileSync(file("beta.envelope"), right);
  assert.equal(unwraps, 0);
});

test("a missing envelope is refused by name", async () => {
  const right = readFileSync(file("beta.envelope"));
  rmSync(file("beta.envelope"));
  await refused(loadKek("beta"), { code: "site.missing", says: /beta\.envelope/ });
  writeFileSync(file("beta.envelope"), right);
});

test("an envelope that was swapped between agreement and unwrap is refused", async () => {
  const right = readFileSync(file("beta.envelope"));
  const agrees = ({ step }: { step: string }): boolean => {
    if (step === "load-kek") cpSync(file("alpha.envelope"), file("beta.envelope"));
    return true;
  };
  await refused(loadKek("beta"), {
    code: "ledger.backup-damaged",
    says: /not the one on record/,
    cast: { ...CAST, agrees },
  });
  writeFileSync(file("beta.envelope"), right);
});

test("a KEK of another value than the recorded one is refused, and does not stay", async () => {
  const { spki } = stage.history.custody.transports.get("beta") ?? assert.fail("none");
  const der = Buffer.from(stage.ledger.attachment(spki)?.bytes ?? []);
  const key = createPublicKey({ key: der, format: "der", type: "spki" });
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const other = publicEncrypt({ key, padding, oaepHash: "sha256" }, Buffer.alloc(32, 7));
  stage.rig.faults.blob = (blob) => (blob.length === other.length ? other : blob);
  try {
    await refused(loadKek("beta"), { code: "hsm.wrong-kek", says: /has the check value/ });
  } finally {
    stage.rig.faults.blob = undefined;
  }
  assert.deepEqual([...kek().tokens.keys()], ["alpha"]);
});

test("a token without an envelope is told to have one sent", () => {
  assert.match(
    objections(stage, loadKek("gamma")).join(),
    /no envelope of KEK backup-kek.g1 for the transport key of token gamma; send-kek makes one/,
  );
});

test("a KEK is loaded from the site, once, with a CKA_ID of its own", async () => {
  await stage.run(loadKek("beta"), CAST);
  assert.deepEqual([...kek().tokens.keys()], ["alpha", "beta"]);
  assert.notEqual(kek().tokens.get("alpha"), kek().tokens.get("beta"));
  assert.match(
    objections(stage, loadKek("beta")).join(),
    /KEK backup-kek.g1 is already on token beta/,
  );
});

test("roll, order and verdict hold: an auditor believes every one of these facts", () => {
  stage.judge();
  assert.deepEqual(stage.findings, []);
});
