/**
 * The power goes while a KEK is made, loaded, sent or destroyed, at every call in turn: what is found is
 * settled by two people, and afterwards each token holds each KEK once.
 */

import assert from "node:assert/strict";
import { cpSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseKekFile } from "../../src/backups/kek-file.ts";
import { siteFiles } from "../../src/cli/site-files.ts";
import { kekStage, kekStep, TOKENS, withTokens } from "../support/kek-stage.ts";
import { probing } from "../support/probe.ts";
import type { CallName } from "../support/faulty-module.ts";
import { CAST } from "../support/stage-scripts.ts";

const stage = await kekStage();
const inside = probing(stage);
const keks = join(stage.folder, "keks");

/** The process is gone: nothing is recorded any more, and nothing it would do to clean up happens. */
class PowerCut extends Error {
  override readonly name = "PowerCut";
}

const CHANGES: ReadonlySet<CallName> = new Set([
  "generateKey",
  "generateKeyPair",
  "createObjectNow",
  "unwrapKeyNow",
  "wrapKeyNow",
  "destroyObject",
]);

/** Files and ledger as they are at the instant of the cut. */
interface Instant {
  readonly size: number;
  readonly files: boolean;
}

function instant(): Instant {
  const files = existsSync(keks);
  if (files) cpSync(keks, `${keks}.then`, { recursive: true });
  return { size: stage.ledger.size, files };
}

function backTo({ size, files }: Instant): void {
  rmSync(keks, { recursive: true, force: true });
  if (files) cpSync(`${keks}.then`, keks, { recursive: true });
  rmSync(`${keks}.then`, { recursive: true, force: true });
  stage.rewrite(stage.entries().slice(0, size));
}

function begun(step: string): boolean {
  const last = stage.ledger.entry(stage.ledger.size - 1) ?? "";
  return last.includes(`"step":"${step}"`) && last.includes('"type":"step.begun"');
}

/**
 * Runs until the nth changing call of a step, or until that file of a KEK is written; false when the step
 * ends before.
 */
async function cutOff(yaml: string, step: string, at: number | string): Promise<boolean> {
  let calls = 0;
  let cut: Instant | undefined;
  const dead = (): boolean => cut !== undefined;
  const die = (): never => {
    cut ??= instant();
    throw new PowerCut();
  };
  stage.rig.faults.before = (made) => {
    if (!CHANGES.has(made)) return;
    if (dead()) throw new PowerCut();
    if (begun(step) && (calls += 1) === at) die();
  };
  const files = siteFiles(stage.folder);
  const dying = {
    ...files,
    writeKekFile: (kek: string, name: string, bytes: Uint8Array) =>
      dead() || name === at ? die() : files.writeKekFile(kek, name, bytes),
    removeKekFiles: (kek: string, names: readonly string[]) =>
      dead() ? die() : files.removeKekFiles(kek, names),
  };
  try {
    await stage.run(yaml, CAST, { hall: { files: dying } });
    return false;
  } catch (error) {
    assert.ok(cut !== undefined, String(error));
    backTo(cut);
    return true;
  } finally {
    stage.rig.faults.before = undefined;
  }
}

/** Goes on as two people decide; whatever was there, the step is performed in the end. */
async function goOn(settle: "finish" | "undo"): Promise<void> {
  await stage.resume({ ...CAST, answers: { settle } });
  const { open, findings } = stage.judge();
  assert.equal(open, null);
  assert.deepEqual(findings, []);
}

/** Each token holds exactly the KEKs that custody says it holds, and kek.json names every envelope. */
async function assertHeld(): Promise<void> {
  const { custody } = stage.history;
  for (const [name, { envelopes }] of custody.keks) {
    const file = parseKekFile(readFileSync(join(keks, name, "kek.json")));
    assert.deepEqual(
      file.envelopes.map(({ token }) => token),
      [...envelopes.keys()].sort(),
    );
  }
  const wanted = [...custody.keks].flatMap(([name, { tokens }]) =>
    [...tokens].map(([token, ckaId]) => `${token} ${name} ${ckaId}`),
  );
  const there: string[] = [];
  await inside(TOKENS, async (room) => {
    for (const token of TOKENS) {
      const objects = await room.tokens.session(token).inventory();
      for (const { objectClass, label, ckaId } of objects) {
        if (objectClass === "secret") there.push(`${token} ${label} ${ckaId}`);
      }
      assert.equal(objects.filter((one) => one.objectClass === "private").length, 1, token);
    }
  });
  assert.deepEqual(there.sort(), wanted.sort());
}

const establish = (kek: string): string =>
  withTokens(["alpha"], [kekStep("establish-kek", `kek: ${kek}, token: alpha, for: [beta]`)]);

const CUTS = [1, 2, 4, 6, 9, 12, 15, "alpha.envelope", "beta.envelope", "kek.json"] as const;

for (const [i, at] of CUTS.entries()) {
  test(`C02: the power goes at ${at} while a KEK is made`, async () => {
    const yaml = establish(`kek-${i}`);
    assert.ok(await cutOff(yaml, "establish-kek", at));
    assert.ok(!stage.history.custody.keks.has(`kek-${i}.g1`), "nothing is believed of it");
    await goOn("undo");
    assert.ok(stage.history.custody.keks.has(`kek-${i}.g1`));
  });
}

test("after all of that every token holds what custody says, and nothing else", async () => {
  await assertHeld();
});

for (const at of [1, 2, 5]) {
  for (const settle of ["finish", "undo"] as const) {
    test(`C02: the power goes at call ${at} of loading, and people decide to ${settle}`, async () => {
      const kek = `kek-${at + (settle === "undo" ? 2 : 0)}`;
      const yaml = withTokens(["beta"], [kekStep("load-kek", `kek: ${kek}, token: beta`)]);
      assert.ok(await cutOff(yaml, "load-kek", at));
      await goOn(settle);
      assert.ok(stage.history.custody.keks.get(`${kek}.g1`)?.tokens.has("beta"));
    });
  }
}

for (const at of [1, 3, "gamma.envelope"]) {
  test(`C02: the power goes at ${at} while a KEK is sent`, async () => {
    const kek = `kek-${typeof at === "number" ? at : 5}`;
    const values = `kek: ${kek}, from: alpha, to: gamma`;
    const yaml = withTokens(["alpha"], [kekStep("send-kek", values)]);
    assert.ok(await cutOff(yaml, "send-kek", at));
    await goOn("finish");
    assert.ok(stage.history.custody.keks.get(`${kek}.g1`)?.envelopes.has("gamma"));
  });
}

test("C02: the power goes while a KEK is destroyed", async () => {
  const values = "kek: kek-0, generation: 1, token: alpha";
  const yaml = withTokens(["alpha"], [kekStep("destroy-kek", values)]);
  assert.ok(await cutOff(yaml, "destroy-kek", 3));
  await goOn("finish");
  assert.equal(stage.history.custody.keks.get("kek-0.g1")?.tokens.has("alpha"), false);
});

test("after loading, sending and destroying, tokens and custody agree", async () => {
  await assertHeld();
});
