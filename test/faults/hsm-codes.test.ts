/**
 * H01: every PKCS#11 function that is called while keys are made, wrapped, restored, signed with, locked and
 * destroyed, returns every code, without having done its work or behind it. Each time a typed error comes of
 * it, and what lies on the token then bears an id that was chosen before.
 */

import assert from "node:assert/strict";
import { cpSync, rmSync } from "node:fs";
import { test } from "node:test";
import type { InventoryObject, NotUnwrapped, UnwrapItem } from "../../src/hsm/backup.ts";
import { ckrError, ckrOf } from "../../src/hsm/ckr.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { Secret } from "../../src/lib/secret.ts";
import { figure, FULL, SEED } from "../support/fault-run.ts";
import { Dice } from "../support/random-mutations.ts";
import { newFolder } from "../support/rehearsed-site.ts";
import { createRig, secret, type Rig } from "../support/rig.ts";
import { rule, ShimModule } from "../support/shim.ts";

const shim = new ShimModule();
Object.assign(process.env, shim.env);
const traits = {
  ...{ algorithms: [], keepsLabel: true, keepsDuplicates: true },
  ...{ persistent: true, reportsWrongPins: true },
};
const PIN = "user-pin-of-alpha";
const dice = new Dice(SEED);

/** The codes that a short run tries: of every kind, and two that no header names. */
const TWELVE = [
  ...["0x2", "0x5", "0x6", "0x30", "0x32", "0x54", "0x82", "0xb3", "0xe0", "0x101", "0x150"],
  "0x80000001",
];
/** Every code of the header, PKCS#11 2.40 and 3.0. */
const ALL = Array.from({ length: 0x210 }, (_, code) => code)
  .filter((code) => code > 0 && !(ckrOf(ckrError("C_X", code)) ?? "0x").includes("0x"))
  .map((code) => `0x${code.toString(16)}`)
  .concat("0x80000000", "0x80000001");

/** Ids that the scenario chooses before its calls. */
const IDS = ["01", "02", "4b01"];
const KEY = { algorithm: "p-256", purpose: "ca-signing", extractable: true } as const;
const ID = new Uint8Array(16);

function rigOn(tokenDir: string): Rig {
  return createRig({ profile: "softhsm", path: shim.path, traits, tokenDir });
}

/** A token in a folder, made once. */
const template = newFolder();
const made = rigOn(template);
const made1 = await made.hsm.initialize(made.module, "alpha", secret("officer-pin"), secret(PIN));
await made.hsm.close();
const { serial } = made1;

/** What an outcome of a batch said instead of throwing. */
class ItemProblem extends Error {
  readonly remains: string | undefined;

  constructor({ problem, remains }: NotUnwrapped) {
    super(problem);
    this.remains = remains;
  }
}

async function work(rig: Rig): Promise<void> {
  const session = await rig.hsm.login(rig.module, serial, "alpha", secret(PIN));
  const one = await session.generateKeyPair({ ...KEY, label: "one", ckaId: "01" });
  const value = Secret.take(new Uint8Array(32).fill(7));
  const imported = await session.importKek(value, { label: "kek", ckaId: "4b01" });
  const kek = { ckaId: imported.ckaId, checkValue: imported.checkValue };
  const items: UnwrapItem[] = [];
  for await (const [wrapped] of session.wrapAll(kek, [one])) {
    assert.ok(wrapped);
    const { spki, blob, format } = wrapped;
    items.push({ spki, blob, format, ckaId: "01", label: "one", algorithm: "p-256" });
  }
  assert.equal(await session.destroyKeys([one]), 2);
  let restored = 0;
  for await (const group of session.unwrapAll(kek, items, { as: "token" })) {
    for (const item of group) {
      if (item.status === "problem") throw new ItemProblem(item);
      restored += 1;
    }
  }
  assert.equal(restored, 1);
  const two = await session.generateKeyPair({ ...KEY, label: "two", ckaId: "02" });
  assert.equal((await session.lockKeys([two])).length, 1);
  const signing = { spki: two.spki, ckaId: "02", scheme: "ecdsa-sha256" } as const;
  assert.equal((await session.signAll([{ ...signing, message: value.use(() => ID) }])).length, 1);
  await session.destroyKek(kek);
  await session.lintObjects();
  await session.logout();
}

/** Runs the work on a copy of the token, with these rules. */
async function attempt(...rules: readonly string[]): Promise<{
  readonly outcome: unknown;
  readonly closing: unknown;
  readonly left: readonly InventoryObject[];
}> {
  const folder = newFolder();
  cpSync(template, folder, { recursive: true, preserveTimestamps: true });
  shim.calls();
  shim.fired();
  Object.assign(process.env, shim.with(...rules));
  const rig = rigOn(folder);
  const reason = (error: unknown): unknown => error;
  try {
    const outcome: unknown = await work(rig).then(() => undefined, reason);
    const closing: unknown = await rig.hsm.close().then(() => undefined, reason);
    Object.assign(process.env, shim.with());
    // What the module itself still holds open is closed, as the end of its process would.
    try {
      rig.raw().finalize();
    } catch {
      // It was finalised.
    }
    const again = rigOn(folder);
    const session = await again.hsm.login(again.module, serial, "alpha", secret(PIN));
    const left = await session.inventory();
    await again.hsm.close();
    return { outcome, closing, left };
  } finally {
    Object.assign(process.env, shim.with());
    rmSync(folder, { recursive: true });
  }
}

const clean = await attempt();
const CALLS = shim.calls();

/** Which calls of one function are tried: in a short run one, in a long one the first, one within and the last. */
function someOf(count: number): readonly number[] {
  if (!FULL) return [1 + dice.below(count)];
  return [...new Set([1, 1 + dice.below(count), count])];
}

/**
 * Functions that are also called on throw-away objects of the session, to find out what the token can: what fails
 * there is not offered then, and an object that is not destroyed ends with the session. Nobody need be told, as
 * long as all that was asked for is on the token, and nothing else.
 */
const ON_THROW_AWAY = new Set([
  ...["C_SignInit", "C_Sign", "C_WrapKey", "C_UnwrapKey", "C_CreateObject", "C_DestroyObject"],
]);

/**
 * Codes by which a token says that it does not give one of the attributes: each is then asked for by itself, so
 * that a code of a moment ago is answered after all.
 */
const NOT_GIVEN = new Set(["0x11", "0x12", "0x13"]);

/** Whether nobody need be told of a code, as long as the token holds what was asked for and nothing else. */
function isAskedAgain(name: string, code: string): boolean {
  return ON_THROW_AWAY.has(name) || (name === "C_GetAttributeValue" && NOT_GIVEN.has(code));
}

function shape(left: readonly InventoryObject[]): string {
  return left
    .map(
      ({ objectClass, label, ckaId, extractable }) =>
        `${objectClass} ${label} ${ckaId} ${extractable ?? "-"}`,
    )
    .sort()
    .join();
}

test("without a fault the work is done, and both keys are there", () => {
  assert.equal(clean.outcome, undefined);
  assert.equal(clean.left.length, 4);
  assert.ok(new Set(CALLS).size >= 20, "most functions that are ever called are called");
});

test("H01: every function fails with every code, before and behind its work", async (t) => {
  const counts = { runs: 0, uncaught: 0, falseSuccess: 0, orphans: 0, duplicates: 0 };
  const failures: string[] = [];
  for (const name of new Set(CALLS)) {
    const calls = CALLS.filter((one) => one === name).length;
    for (const code of FULL ? ALL : TWELVE) {
      for (const when of ["before", "after"] as const) {
        for (const nth of someOf(calls)) {
          const about = `${name} ${nth} ${when} ${code}`;
          const { outcome, closing, left } = await attempt(rule(name, nth, `${when}:${code}`));
          if (shim.fired().length === 0) continue;
          counts.runs += 1;
          for (const error of [outcome, closing]) {
            if (error === undefined || error instanceof ItemProblem) continue;
            if (error instanceof KeyriteError && error.code.startsWith("hsm.")) continue;
            counts.uncaught += 1;
            failures.push(`${about}: ${error instanceof Error ? error.stack : "no error"}`);
          }
          const told = outcome !== undefined || closing !== undefined;
          const whole = isAskedAgain(name, code) && shape(left) === shape(clean.left);
          if (!told && !whole) {
            counts.falseSuccess += 1;
            failures.push(`${about}: nobody was told`);
          }
          const strangers = left.filter(({ ckaId }) => !IDS.includes(ckaId));
          const names = left.map(({ objectClass, ckaId }) => `${objectClass} ${ckaId}`);
          counts.orphans += strangers.length;
          counts.duplicates += names.length - new Set(names).size;
          if (strangers.length > 0 || new Set(names).size < names.length) {
            failures.push(`${about}: left ${names.join(", ")}`);
          }
          if (outcome instanceof ItemProblem && outcome.remains === undefined) {
            const kept = names.filter((one) => one.endsWith(" 01"));
            if (kept.length > 0) failures.push(`${about}: ${outcome.message}, but ${kept.join()}`);
          }
        }
      }
    }
  }
  t.diagnostic(JSON.stringify(counts));
  figure("H01", "every function fails with each code, before and behind its work", counts);
  assert.ok(failures.length === 0, failures.join("\n"));
});
