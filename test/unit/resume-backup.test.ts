/**
 * The power goes in the middle of hundreds of keys: whatever was on its way is settled from one listing, and
 * afterwards nothing is there twice and nothing is missing.
 */

import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { cpSync, existsSync, readdirSync, rmSync } from "node:fs";
import { test } from "node:test";
import { ACTIONS } from "../../src/actions/index.ts";
import type { CallName } from "../support/faulty-module.ts";
import {
  backupStage,
  backUp,
  generate,
  lock,
  newestBackup,
  restore,
} from "../support/backup-stage.ts";
import { kekStep, loadKek, withTokens } from "../support/kek-stage.ts";
import { manyKeysAction } from "../support/many-keys.ts";
import { CAST } from "../support/stage-scripts.ts";
import type { Cast } from "../support/stage.ts";

/** `npm run test:long` sets thousands; a power cut in the third fifth is in the middle of a group either way. */
const KEYS = Number(process.env["LONG_TEST_KEYS"] ?? 300);
const FINISH: Cast = { ...CAST, answers: { settle: "finish" } };
const UNDO: Cast = { ...CAST, answers: { settle: "undo" } };

const stage = await backupStage();
stage.actions = [...ACTIONS, manyKeysAction];
stage.judge();

/** The process is gone: nothing is recorded any more, and nothing it would do to clean up happens. */
class PowerCut extends Error {
  override readonly name = "PowerCut";
}

// What a dying process cannot do any more; that its sessions end is what the module sees of its death.
const UNDONE: ReadonlySet<CallName> = new Set([
  "destroyObject",
  "createObject",
  "createObjectNow",
  "unwrapKey",
  "unwrapKeyNow",
  "wrapKeyNow",
  "setAttributes",
]);

/** Runs a script until one of `calls` was made `n` times in groups of `step`; files are as they were then. */
async function cutOff(
  work: string | (() => Promise<unknown>),
  step: string,
  calls: readonly CallName[],
  n: number,
): Promise<void> {
  let left = n;
  let size: number | undefined;
  stage.rig.faults.before = (made) => {
    if (size !== undefined && UNDONE.has(made)) throw new PowerCut();
    if (size !== undefined || !calls.includes(made) || !inGroup(step)) return;
    left -= 1;
    if (left > 0) return;
    size = stage.ledger.size;
    for (const vault of stage.vaults.values()) cpSync(vault, `${vault}.then`, { recursive: true });
    throw new PowerCut();
  };
  const running = typeof work === "string" ? stage.run(work, CAST) : work();
  await assert.rejects(running, (error) => String(error).includes("PowerCut"));
  stage.rig.faults.before = undefined;
  assert.ok(size !== undefined, "the cut happened");
  for (const vault of stage.vaults.values()) {
    rmSync(vault, { recursive: true });
    cpSync(`${vault}.then`, vault, { recursive: true });
    rmSync(`${vault}.then`, { recursive: true });
  }
  stage.rewrite(stage.entries().slice(0, size));
}

function inGroup(step: string): boolean {
  const last = stage.ledger.entry(stage.ledger.size - 1) ?? "";
  return last.includes(`"step":"${step}"`) && last.includes('"group":');
}

/** What is on record after a cut at key `n`: whole groups, and no more than 100 keys are in doubt. */
function assertKept(before: number, n: number): number {
  const { done, group } = stage.history.open?.doubt ?? assert.fail("nothing is in doubt");
  const kept = done.size;
  assert.ok((kept - before) % 50 === 0 && kept < before + n, `cut at key ${n}, ${kept} on record`);
  const doubtful = group?.items.length ?? 0;
  assert.ok(doubtful <= 100 && before + n <= kept + doubtful, `${doubtful} are in doubt`);
  return kept;
}

function assertClosed(): void {
  const { open, findings } = stage.judge();
  assert.equal(open, null);
  assert.deepEqual(findings, []);
}

/** How many keys custody has on a token. */
function heldBy(token: string): number {
  return [...stage.history.custody.copies.values()].filter(({ tokens }) => tokens.has(token))
    .length;
}

/** Completed outcomes of a step's items, each counted. */
function outcomes(kind: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const fact of stage.entries().flatMap(({ facts }) => facts)) {
    const { spki } = fact;
    if (fact.kind !== kind || typeof spki !== "string") continue;
    counts.set(spki, (counts.get(spki) ?? 0) + 1);
  }
  return counts;
}

test(`C02: ${KEYS} keys are backed up although the power goes while they are opened again`, async () => {
  const yaml = withTokens(
    ["alpha", "beta"],
    [
      kekStep("generate-many", `token: alpha, count: ${KEYS}`),
      backUp("all-ca-keys", ", proveOn: beta"),
      lock("all-ca-keys"),
    ],
  );
  const n = randomInt(1, KEYS);
  await cutOff(yaml, "back-up-key", ["unwrapKeyNow"], n);
  assertKept(0, n);
  for (const vault of stage.vaults.values()) {
    for (const backup of readdirSync(vault)) {
      assert.ok(!existsSync(`${vault}/${backup}/backup.json`), "nothing passes for a backup");
    }
  }
  await stage.resume(FINISH);
  assertClosed();
  assert.equal(newestBackup(stage).keys, KEYS);
  const made = outcomes("backup.made");
  assert.equal(made.size, KEYS);
  assert.ok([...made.values()].every((count) => count === 1));
  for (const vault of stage.vaults.values()) {
    assert.equal(readdirSync(`${vault}/${newestBackup(stage).backup}/keys`).length, KEYS);
  }
  assert.equal(outcomes("key.locked").size, KEYS);
});

/** What a token holds besides its own transport key and KEK. */
async function onToken(
  token: string,
): Promise<{ readonly keys: number; readonly objects: number }> {
  const custody = stage.history.custody;
  const bound = custody.tokens.get(token) ?? assert.fail("not bound");
  const binding = stage.hall().bindings.tokens.get(token) ?? assert.fail("no binding");
  const found = await stage.rig.hsm.publicKeys(binding.module, bound.serial, bound.label);
  const known = found.filter(({ spkiSha256 }) => custody.copies.has(spkiSha256));
  return { keys: new Set(known.map(({ spkiSha256 }) => spkiSha256)).size, objects: known.length };
}

test(`C02: ${KEYS} keys are restored although the power goes twice: nothing twice, nothing missing`, async () => {
  const n = Math.floor(KEYS * 0.6) - randomInt(1, 50);
  const yaml = restore("beta", "all-ca-keys");
  await cutOff(yaml, "restore-key", ["unwrapKey", "unwrapKeyNow"], n);
  const kept = assertKept(0, n);
  assert.equal(heldBy("beta"), kept);
  await assert.rejects(stage.resume(UNDO), /is not a choice/, "what is on record stays");
  const again = randomInt(1, 100);
  await cutOff(
    () => stage.resume(FINISH),
    "restore-key",
    ["createObject", "createObjectNow"],
    again,
  );
  const keptThen = assertKept(kept, again);
  await stage.resume(FINISH);
  assertClosed();
  assert.ok(
    stage.console.shown.some((line) => line.includes(`${keptThen} of ${KEYS} keys are on it`)),
  );
  assert.deepEqual(await onToken("beta"), { keys: KEYS, objects: KEYS });
  assert.equal(heldBy("beta"), KEYS);
  const restored = outcomes("key.restored");
  assert.equal(restored.size, KEYS);
  assert.ok([...restored.values()].every((count) => count === 1));
});

test("what is undone in the first group leaves an empty token, and the step is performed anew", async () => {
  const send = kekStep("send-kek", "kek: backup-kek, from: alpha, to: gamma");
  await stage.run(withTokens(["alpha"], [send]), CAST);
  await stage.run(loadKek("gamma"), CAST);
  const n = randomInt(1, 50);
  const yaml = restore("gamma", "all-ca-keys");
  await cutOff(yaml, "restore-key", ["createObject", "createObjectNow"], n);
  assert.equal(stage.history.open?.doubt?.done.size, 0, `cut at key ${n}`);
  await stage.resume(UNDO);
  assertClosed();
  assert.ok(
    stage.console.shown.some((line) =>
      line.includes("keys in doubt were destroyed on token gamma"),
    ),
  );
  assert.deepEqual(await onToken("gamma"), { keys: KEYS, objects: KEYS });
});

test("H20: a backup is finished by those who are on record as its signers, and by nobody else", async () => {
  const by = "[custodian, internal-witness]";
  const values = "token: alpha, keys: extra, under: backup-kek, to: [onsite, offsite]";
  const yaml = withTokens(
    ["alpha"],
    [generate("extra"), kekStep("back-up-key", values, "", by), lock("extra")],
  );
  // Ben begins it; who activates the token anew is asked before who goes on with the backup.
  await cutOff(yaml, "back-up-key", ["unwrapKey", "unwrapKeyNow"], 1);
  const by2 = (settle: string, who: string): Cast => ({
    ...CAST,
    answers: { settle, who: ["ben", "cleo", who, who, who] },
  });
  await assert.rejects(stage.resume(by2("finish", "dan")), /is not a choice/);
  assert.ok(
    stage.console.shown.some((line) => line.includes("is to be signed by ben and eve")),
    stage.console.shown.join("\n"),
  );
  await stage.resume(by2("finish", "ben"));
  assertClosed();
  assert.deepEqual(newestBackup(stage).signers, ["ben", "eve"]);
  await stage.run(restore("beta", "extra"), CAST);
  assertClosed();
});
