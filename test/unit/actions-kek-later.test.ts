/** KEKs in later life: sent on, rotated, destroyed; what an envelope, a person or a token refuses. */

import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { othersOpen } from "../../src/actions/lib/kek-conditions.ts";
import { parseKekFile } from "../../src/backups/kek-file.ts";
import type { KekCustody, KeyCopies } from "../../src/ceremony/custody-copies.ts";
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
import { CAST, script, STEP } from "../support/stage-scripts.ts";
import { objections } from "../support/stage-tests.ts";

const stage = await kekStage();
await stage.run(ESTABLISH_KEK, CAST);
await stage.run(loadKek("beta"), CAST);
const { kek, file, refused, altered } = kekTools(stage);

test("a KEK is sent on to a later token and loaded there from a backup's folder", async () => {
  const send = "kek: backup-kek, from: beta, to: gamma";
  await stage.run(withTokens(["beta"], [kekStep("send-kek", send)]), CAST);
  assert.deepEqual([...kek().envelopes.keys()], ["alpha", "beta", "gamma"]);
  const written = parseKekFile(readFileSync(file("kek.json")));
  assert.deepEqual(
    written.envelopes.map(({ token }) => token),
    ["alpha", "beta", "gamma"],
  );
  const again = objections(stage, withTokens(["beta"], [kekStep("send-kek", send)]));
  assert.match(again.join(), /KEK backup-kek.g1 is sealed to token gamma already/);
  const vault = stage.vaults.get("onsite") ?? assert.fail("no vault");
  const folder = join(vault, "backup-1", "kek", "backup-kek.g1");
  mkdirSync(folder, { recursive: true });
  cpSync(file("gamma.envelope"), join(folder, "gamma.envelope"));
  rmSync(file("gamma.envelope"));
  const from = ", from: { vault: onsite, backup: backup-1 }";
  await stage.run(loadKek("gamma", from), CAST);
  assert.deepEqual([...kek().tokens.keys()], ["alpha", "beta", "gamma"]);
  cpSync(join(folder, "gamma.envelope"), file("gamma.envelope"));
});

test("sending needs an envelope that opens, and words that two people confirm", async () => {
  const vault = stage.vaults.get("offsite") ?? assert.fail("no vault");
  mkdirSync(join(vault, "peer", "transport"), { recursive: true });
  const { spki } = stage.history.custody.transports.get("gamma") ?? assert.fail("none");
  const bytes = stage.ledger.attachment(spki)?.bytes ?? assert.fail("not attached");
  const card = join(vault, "peer", "transport", "dc2-alpha.spki");
  writeFileSync(card, bytes);
  const send = (to: string): string =>
    withTokens(
      ["alpha"],
      [kekStep("send-kek", `kek: backup-kek, from: alpha, to: ${to}, peer: offsite`)],
    );
  const yaml = send("dc2-alpha");
  const answers = { "fingerprint-heard": ["yes", "no"] };
  await refused(yaml, {
    code: "people.declined",
    says: /eve did not confirm the fingerprint of the transport key of dc2-alpha, a token of another/,
    cast: { ...CAST, answers },
  });
  const agrees = ({ step }: { step: string }): boolean => {
    if (step === "send-kek") {
      const other = stage.history.custody.transports.get("beta")?.spki ?? "";
      writeFileSync(card, stage.ledger.attachment(other)?.bytes ?? new Uint8Array());
    }
    return true;
  };
  const says = /dc2-alpha.spki is not the transport key that people agreed to/;
  await refused(yaml, { code: "people.agreement-invalid", says, cast: { ...CAST, agrees } });
  assert.match(objections(stage, send("beta")).join(), /token beta is one of this site/);
  await altered("alpha.envelope", () =>
    refused(yaml, { code: "ledger.backup-damaged", says: /for token alpha at the site/ }),
  );
  writeFileSync(card, bytes);
  assert.ok(!kek().envelopes.has("dc2-alpha"));
});

test("a rotation makes the next generation, and the old one is still known", async () => {
  const rotate = kekStep("rotate-kek", FOR_BOTH);
  await stage.run(withTokens(["alpha"], [rotate]), CAST);
  assert.equal(kek(2).generation, 2);
  assert.notEqual(kek(2).checkValue, kek().checkValue);
  assert.deepEqual([...kek(2).tokens.keys()], ["alpha"]);
  const none = withTokens(
    ["alpha"],
    [kekStep("rotate-kek", FOR_BOTH.replace("backup-kek", "nobody"))],
  );
  assert.match(objections(stage, none).join(), /there is no KEK nobody by then/);
  assert.match(objections(stage, ESTABLISH_KEK).join(), /there is a KEK backup-kek already/);
});

test("the envelope of another generation under the right name is refused without a call to unwrap", async () => {
  const right = readFileSync(file("beta.envelope", 2));
  cpSync(file("beta.envelope"), file("beta.envelope", 2));
  const unwraps = await unwrapsDuring(stage, () =>
    refused(loadKek("beta"), {
      code: "ledger.backup-damaged",
      says: /KEK backup-kek.g2 for token beta/,
    }),
  );
  writeFileSync(file("beta.envelope", 2), right);
  assert.equal(unwraps, 0);
  await stage.run(loadKek("beta", ", generation: 2"), CAST);
  assert.deepEqual([...kek(2).tokens.keys()], ["alpha", "beta"]);
});

test("a KEK is destroyed on one token, and only there", async () => {
  const destroy = (token: string, generation = 1): string =>
    withTokens(
      [token],
      [kekStep("destroy-kek", `kek: backup-kek, generation: ${generation}, token: ${token}`)],
    );
  await stage.run(destroy("gamma"), CAST);
  assert.deepEqual([...kek().tokens.keys()], ["alpha", "beta"]);
  assert.match(objections(stage, destroy("gamma")).join(), /is not on token gamma by then/);
  assert.match(objections(stage, destroy("gamma", 9)).join(), /there is no KEK backup-kek.g9/);
  stage.rig.faults.keepsObjects = true;
  await refused(destroy("alpha"), { code: "hsm.bad-output", says: /is still there|could not be/ });
  stage.rig.faults.keepsObjects = undefined;
});

test("the last token that opens a KEK keeps it while a backup depends on it", () => {
  const { custody, policy } = stage.history;
  assert.ok(policy);
  const own = kek().envelopes.get("alpha") ?? assert.fail("no envelope");
  const alone = { tokens: new Map([["alpha", "01"]]), envelopes: new Map([["alpha", own]]) };
  const copy = { backup: "backup-1", blob: "", proved: "" };
  const backedUp = {
    tokens: new Map(),
    backups: new Map([["backup-1", copy]]),
    retained: new Map(),
  };
  const made = { sha256: null, keys: 1, vaults: [], signers: [], made: "", ceremony: "" };
  const backups = new Map([["backup-1", { backup: "backup-1", ...kek(), ...made }]]);
  const unmet = (changes: Partial<KekCustody>, destroyed = false, waived: string[] = []) =>
    othersOpen("alpha", { kek: "backup-kek", generation: 1 }).unmet({
      policy,
      custody: {
        ...custody,
        keks: new Map([["backup-kek.g1", { ...kek(), ...changes }]]),
        copies: new Map([["a key", { ...backedUp, destroyed } as unknown as KeyCopies]]),
        backups,
        waived: new Set(waived),
      },
    });
  assert.match(unmet(alone) ?? "", /last that opens KEK backup-kek.g1, and backup backup-1 is/);
  assert.equal(unmet({ tokens: alone.tokens }), undefined, "others have envelopes");
  assert.equal(unmet(alone, true), undefined, "no key that is in use depends on it");
  assert.equal(unmet(alone, false, ["last-kek"]), undefined, "people decided so on record");
  assert.match(unmet(alone, false, ["last-copy"]) ?? "", /record the deviation last-kek/);
  const escrow = { set: "s", generation: 1 };
  assert.equal(unmet({ ...alone, mode: "escrowed", escrow }), undefined, "shares open it");
});

test("roll, order and verdict hold: an auditor believes every one of these facts", () => {
  stage.judge();
  assert.deepEqual(stage.findings, []);
  assert.match(
    objections(
      stage,
      script([STEP.clock, kekStep("load-kek", "kek: backup-kek, token: beta")]),
    ).join(),
    /token beta is not active/,
  );
});
