/**
 * Restore drills on tokens in memory, with the shipped script: PASS only when everything came back and went
 * again; whatever is missing, stale, wrong or a lie is named as the reason of a FAIL, and nothing is left.
 */

import assert from "node:assert/strict";
import { constants, createPublicKey, publicEncrypt, randomBytes } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { DrillCustody } from "../../src/ceremony/custody-copies.ts";
import { readDrillReport, type DrillReport } from "../../src/ceremony/drill-report.ts";
import type { Question } from "../../src/console/console.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import { backUp, generate, lock, vaultFile } from "../support/backup-stage.ts";
import { ESTABLISH_KEK, kekStage, kekStep, loadKek, withTokens } from "../support/kek-stage.ts";
import { CEREMONIES } from "../support/rehearsed-site.ts";
import { CAST } from "../support/stage-scripts.ts";
import { POLICY } from "../support/stage-site.ts";

const DRILL = readFileSync(join(CEREMONIES, "restore-drill", "script.yaml"), "utf8");
const THOUSANDS = readFileSync(join(CEREMONIES, "restore-drill", "thousands.yaml"), "utf8");
const DAY_MS = 86_400_000;
const RULES = "drills: { maxAgeDays: 90, rtoMinutes: 30, rpoDays: 30 }\n";

const stage = await kekStage(`${POLICY}${RULES}`);
await stage.run(ESTABLISH_KEK, CAST);
await stage.run(loadKek("beta"), CAST);
const send = kekStep("send-kek", "kek: backup-kek, from: alpha, to: gamma");
await stage.run(withTokens(["alpha"], [send]), CAST);
const KEYS = "[root-g1, sub-a]";
await stage.run(
  withTokens(
    ["alpha", "beta"],
    [
      generate("root-g1"),
      generate("sub-a"),
      backUp(KEYS, ", proveOn: beta"),
      backUp(KEYS, ", proveOn: beta", "-again"),
      lock(KEYS),
    ],
  ),
  CAST,
);
const [older = ""] = stage.history.custody.backups.keys();

interface Drilled {
  readonly drill: DrillCustody;
  readonly report: DrillReport;
}

/** Runs a drill, with something laid over it from one step on; it always ends closed and on record. */
async function drilled(
  set: Readonly<Record<string, string>> = {},
  from = "",
  fault: () => void = () => undefined,
  yaml = DRILL,
): Promise<Drilled> {
  const agrees = (question: Question): boolean => {
    if (question.step === from) fault();
    return true;
  };
  const { ceremony } = await stage.run(
    yaml,
    { ...CAST, agrees },
    { set: { kek: "backup-kek", ...set } },
  );
  assert.deepEqual(stage.findings, []);
  assert.equal(stage.history.open, null);
  const drill = stage.history.custody.drills.at(-1);
  assert.ok(drill);
  assert.equal(drill.ceremony, ceremony);
  const file = readFileSync(join(stage.folder, "outbox", ceremony, "drill-report.json"));
  assert.equal(sha256Hex(file), drill.report, "the file is what the ledger vouches for");
  const report = readDrillReport(file);
  assert.ok(report);
  assert.deepEqual([report.verdict, report.reasons], [drill.verdict, drill.reasons]);
  return { drill, report };
}

/** Keys and KEKs on gamma, by custody. */
function onGamma(): readonly string[] {
  const { copies, keks } = stage.history.custody;
  return [
    ...[...copies].filter(([, { tokens }]) => tokens.has("gamma")).map(([spki]) => spki),
    ...[...keks].filter(([, { tokens }]) => tokens.has("gamma")).map(([name]) => name),
  ];
}

/** A drill that fails for this reason, leaves nothing on the token, and can be repeated once it is mended. */
async function fails(reason: RegExp, ...how: Parameters<typeof drilled>): Promise<DrillReport> {
  const { drill, report } = await drilled(...how);
  assert.equal(drill.verdict, "fail");
  assert.match(drill.reasons.join("\n"), reason);
  assert.deepEqual(onGamma(), []);
  return report;
}

test("a drill restores, proves and destroys, and says what it did not prove", async () => {
  const { drill, report } = await drilled();
  assert.deepEqual(drill.reasons, []);
  assert.deepEqual(
    [drill.drill, drill.verdict, drill.keys, drill.token],
    ["rehearsal", "pass", 2, "gamma"],
  );
  assert.deepEqual(report.keys, { expected: 2, restored: 2, left: 0 });
  assert.deepEqual(onGamma(), []);
  assert.equal(report.proved.length, 4);
  const unproved = report.notProved.join("\n");
  for (const word of ["rehearsal", "Media", "Holders", "Off-site", "offsite", "HSM model"]) {
    assert.ok(unproved.includes(word), word);
  }
  assert.deepEqual(
    report.steps.map(({ id, outcome }) => `${id} ${outcome}`),
    [
      "roll-call completed",
      "clock completed",
      "devices completed",
      "activate completed",
      "load completed",
      "restore completed",
      "destroy completed",
      "unload completed",
    ],
  );
});

test("a rehearsal counts for no key, however often it passes", async () => {
  const { drill } = await drilled({ vault: "offsite" });
  assert.equal(drill.verdict, "pass");
  for (const { drilled: proved } of stage.history.custody.copies.values()) {
    assert.equal(proved, null);
  }
});

test("one key by its label is a drill of that key", async () => {
  const { report } = await drilled({ keys: "sub-a" });
  assert.deepEqual(report.keys, { expected: 1, restored: 1, left: 0 });
});

test("C14: a missing share fails the drill, by its holder's name", async () => {
  const { sets } = stage.history.custody.tokens.get("gamma") ?? assert.fail();
  const set = sets.activation ?? assert.fail();
  const name = `${set.set}.g${set.generation}.share.age`;
  const file = join(stage.folder, "media", "ben", "shares", name);
  renameSync(file, `${file}.away`);
  try {
    const report = await fails(/step activate .* people\.share-rejected: .*ben/);
    assert.equal(report.recovery.milliseconds, null);
    assert.deepEqual(report.keys, { expected: 2, restored: 0, left: 0 });
    assert.ok(report.phases.every(({ name: phase }) => phase !== "restore"));
  } finally {
    renameSync(`${file}.away`, file);
  }
});

test("a missing backup fails the drill, by its vault", async () => {
  const folder = vaultFile(stage, ".");
  renameSync(folder, `${folder}-away`);
  try {
    await fails(/step load .* usage\.bad-file: vault onsite: there is no backup/);
  } finally {
    renameSync(`${folder}-away`, folder);
  }
});

test("H18: a stale backup fails the drill, although everything in it is sound", async () => {
  await fails(/step restore .* ledger\.backup-stale: .*not the newest/, { backup: older });
});

test("an altered wrapped key fails the drill before the token sees any", async () => {
  const [spki = ""] = stage.history.custody.copies.keys();
  const file = vaultFile(stage, `keys/${spki}.p8wrap`);
  const right = readFileSync(file);
  writeFileSync(
    file,
    right.map((byte, i) => (i === 9 ? byte ^ 1 : byte)),
  );
  try {
    const report = await fails(/step restore .* ledger\.backup-damaged/);
    assert.equal(report.keys.restored, 0);
  } finally {
    writeFileSync(file, right);
  }
});

test("a KEK that is not the recorded one fails the drill", async () => {
  const { faults } = stage.rig;
  const transport = stage.history.custody.transports.get("gamma") ?? assert.fail();
  const spki = stage.ledger.attachment(transport.spki)?.bytes ?? assert.fail();
  const [oaepHash = "sha1"] = transport.oaep;
  const key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  // An envelope that gamma opens as it should, with another KEK inside.
  const foreign = new Uint8Array(publicEncrypt({ key, padding, oaepHash }, randomBytes(32)));
  try {
    await fails(/step load .* hsm\.wrong-kek/, {}, "load", () => {
      faults.blob = (blob) => (blob.length === foreign.length ? foreign : blob);
    });
  } finally {
    faults.blob = undefined;
  }
});

test("H06: a token that lies about an attribute of a restored key fails the drill", async () => {
  const { faults } = stage.rig;
  try {
    await fails(/step restore .* hsm\.[a-z-]+: .*CKA_SENSITIVE/s, {}, "restore", () => {
      const answer = (value: Uint8Array): Uint8Array => value.map((byte) => byte ^ 1);
      faults.attribute = { half: "private", name: "SENSITIVE", answer };
    });
  } finally {
    faults.attribute = undefined;
  }
});

test("somebody who declines fails the drill, and their no is the reason", async () => {
  const agrees = (question: Question): boolean => question.step !== "restore";
  await stage.run(DRILL, { ...CAST, agrees }, { set: { kek: "backup-kek" } });
  const drill = stage.history.custody.drills.at(-1);
  assert.equal(drill?.verdict, "fail");
  assert.match(drill.reasons.join(), /step restore .* people\.declined/);
  assert.deepEqual(onGamma(), []);
});

test("a recovery that takes longer than the policy allows fails, although every key came back", async () => {
  const slow = new Set(["clock", "activate", "load"]);
  const agrees = ({ step }: Question): boolean => {
    // Eight minutes a person, within the ten of an agreement.
    if (slow.has(step)) stage.clock.time += 8 * 60_000;
    return true;
  };
  await stage.run(DRILL, { ...CAST, agrees }, { set: { kek: "backup-kek" } });
  const drill = stage.history.custody.drills.at(-1);
  assert.deepEqual([drill?.verdict, drill?.keys], ["fail", 2]);
  assert.match(drill?.reasons.join() ?? "", /^recovery took 48\.0 min, the policy allows 30 min/);
  assert.equal(drill?.seconds, 48 * 60);
});

test("a backup that is older than the policy allows fails, and a fresh one would not", async () => {
  stage.clock.time += 29 * DAY_MS;
  assert.equal((await drilled()).drill.verdict, "pass");
  stage.clock.time += 2 * DAY_MS;
  const report = await fails(/the backup is 32 days old, the policy allows 30/);
  assert.equal(report.recoveryPoint.met, false);
});

test("mended, the drill passes again: nothing of all that was left behind", async () => {
  await stage.run(
    withTokens(
      ["alpha", "beta"],
      [generate("sub-b"), backUp("sub-b", ", proveOn: beta"), lock("sub-b")],
    ),
    CAST,
  );
  const { drill } = await drilled();
  assert.deepEqual([drill.verdict, drill.reasons, drill.keys], ["pass", [], 1]);
});

test("copies that a token keeps fail the drill, and stay on record as being there", async () => {
  const { faults } = stage.rig;
  let { drill } = await drilled({}, "destroy", () => {
    faults.keepsObjects = true;
  });
  faults.keepsObjects = undefined;
  assert.equal(drill.verdict, "fail");
  assert.match(drill.reasons.join("\n"), /step destroy .* hsm\.bad-output/);
  assert.match(drill.reasons.join("\n"), /copies are still on token gamma: 1/);
  assert.ok(onGamma().length > 0);
  const clean = [
    kekStep("destroy-key", "token: gamma, keys: all-ca-keys"),
    kekStep("destroy-kek", "kek: backup-kek, generation: 1, token: gamma"),
  ];
  await stage.run(withTokens(["gamma"], clean), CAST);
  ({ drill } = await drilled());
  assert.equal(drill.verdict, "pass");
});

test("with thousands of keys the token is wiped instead, and its name is free again", async () => {
  const { drill, report } = await drilled({}, "", () => undefined, THOUSANDS);
  assert.deepEqual([drill.verdict, drill.reasons], ["pass", []]);
  assert.ok(report.steps.some(({ id, outcome }) => id === "wipe" && outcome === "completed"));
  assert.equal(stage.history.custody.tokens.has("gamma"), false);
  assert.equal(stage.history.custody.transports.has("gamma"), false);
});

test("the ledger judges every drill alike when it is read anew", () => {
  const before = stage.custody;
  stage.judge();
  assert.deepEqual(stage.findings, []);
  assert.equal(stage.custody, before);
});
