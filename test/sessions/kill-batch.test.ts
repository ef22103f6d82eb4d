/**
 * A real run is killed in the middle of a batch, with and without its module's process, and resumed: the keys in
 * doubt are settled from one listing, nothing is there twice and nothing is missing. `npm run test:long` does it
 * with 10,000 keys.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { BareKeys } from "../../bench/lib/bare-keys.ts";
import { inThisProcess } from "../../bench/lib/softhsm.ts";
import { wrappedKeys } from "../../bench/lib/wrapped-keys.ts";
import type { Session } from "../../src/hsm/token.ts";
import { hex } from "../../src/lib/encoding.ts";
import { rule, ShimModule } from "../support/shim.ts";
import type { MadeKey } from "../support/keyrite-many.ts";
import { pinOf } from "../support/opened.ts";
import { program } from "../support/program.ts";
import {
  cleanEnvironment,
  siteAt,
  succeeded,
  VAULTS,
  type AnswersChange,
  type Ran,
} from "../support/rehearsed-site.ts";
import { installedModule } from "../support/rig.ts";

const KEYS = Number(process.env["LONG_TEST_KEYS"] ?? 250);
/** In the middle of a group, about where six tenths are done. */
const NTH = Math.floor(KEYS * 0.6) + 17;
const TWO = { ana: "ceremony-administrator", eve: "internal-witness" };

const shim = new ShimModule();
const site = siteAt("prepared", shim);
const keyFile = join(site.folder, "keys.json");

/** The command line with the action that takes keys; what it says of its time is printed. */
function keyrite(args: readonly string[], env: NodeJS.ProcessEnv = {}): Ran {
  const begun = performance.now();
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    [...program("keyrite-many"), ...args],
    {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      maxBuffer: 1 << 28,
      env: {
        ...{ ...cleanEnvironment(), ...shim.env, KEYRITE_SITE: site.site, UV_THREADPOOL_SIZE: "8" },
        ...{ KEYRITE_TEST_KEYS: keyFile, ...env },
      },
    },
  );
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  process.stdout.write(`${args.filter((word) => !word.includes("/")).join(" ")}: ${seconds} s\n`);
  return { code: status, signal, stdout, stderr };
}

function rehearse(
  ceremony: string,
  env: NodeJS.ProcessEnv,
  more: AnswersChange,
  resume = false,
): Ran {
  const answers = site.writeAnswers(ceremony, more);
  const words = ["run", ceremony, "--answers", answers, "--json"];
  return keyrite(resume ? [...words, "--resume"] : words, env);
}

function resume(ceremony: string, step: string): Ran {
  const finish: AnswersChange = (answers) => {
    const storage = answers.answers["storage"] ?? {};
    answers.answers = { storage, resume: { present: TWO }, [step]: { settle: { room: "finish" } } };
  };
  return rehearse(ceremony, {}, finish, true);
}

/** Completed items and facts of a kind, each counted by its key. */
function counted(kind: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const fact of site.entries().flatMap(({ facts }) => facts)) {
    const { spki } = fact;
    if (fact.kind !== kind || typeof spki !== "string") continue;
    counts.set(spki, (counts.get(spki) ?? 0) + 1);
  }
  return counts;
}

function assertOnceEach(kind: string): void {
  const counts = counted(kind);
  assert.equal(counts.size, KEYS);
  assert.ok(
    [...counts.values()].every((count) => count === 1),
    `${kind}: each once`,
  );
}

/** Stopped about where it was to be: whole groups are on record, and the rest is not. */
function assertStopped(killed: Ran, kind: string): void {
  assert.equal(killed.signal, "SIGKILL", killed.stderr);
  const done = counted(kind).size;
  assert.equal(done % 50, 0);
  assert.ok(done > NTH - 150 && done < NTH, `${done} on record at key ${NTH}`);
}

async function withToken<T>(token: string, work: (session: Session) => T | Promise<T>): Promise<T> {
  const module = {
    name: "soft",
    profile: "softhsm",
    path: installedModule("softhsm"),
    tokenDir: site.file("tokens"),
  };
  const hsm = inThisProcess();
  try {
    const info = (await hsm.tokens(module)).find(({ label }) => label === token);
    assert.ok(info);
    const pin = await pinOf(site, "activation", { ben: "ben drill", cleo: "cleo drill" }, info);
    return await work(await hsm.login(module, info.serial, token, pin));
  } finally {
    await hsm.close();
  }
}

test(`${KEYS} keys are made by a bare loop and taken into custody`, async () => {
  const items = wrappedKeys(KEYS);
  await withToken("alpha", (session) => {
    new BareKeys({ path: installedModule("softhsm"), session }).fill(items);
  });
  const keys = items.map(({ label, ckaId, spki }): MadeKey => ({ label, ckaId, spki: hex(spki) }));
  writeFileSync(keyFile, JSON.stringify(keys));
  const steps = [
    { id: "roll-call", action: "roll-call", by: "everyone" },
    { id: "clock", action: "attest-clock", by: ["ceremony-administrator", "internal-witness"] },
    {
      ...{ id: "deviation", action: "record-deviation" },
      ...{ by: ["ceremony-administrator", "internal-witness"], with: { rule: "extractable-key" } },
    },
    {
      id: "activate",
      action: "activate-token",
      by: ["custodian", "custodian"],
      with: { token: "alpha" },
    },
    {
      ...{ id: "take", action: "take-keys", with: { token: "alpha" } },
      by: ["ceremony-administrator", "internal-witness"],
    },
    { id: "deactivate", action: "deactivate-token", by: ["custodian"], with: { token: "alpha" } },
    { id: "close", action: "close", by: "everyone" },
  ];
  const script = join(site.folder, "take.yaml");
  const head = { keyrite: "script/v1", name: "take-keys", version: "1.0.0", title: "Take keys" };
  const roles = { "ceremony-administrator": 1, custodian: 2, "internal-witness": 1 };
  const body = { caClass: "none", policyRefs: ["CPS:6.1.1"], params: {}, roles, steps };
  writeFileSync(script, JSON.stringify({ ...head, ...body }));
  const answers = site.writeAnswers("generate-issuing-keys", (document) => {
    document.set = {};
    const unasked = ["storage", "generate-first", "generate-second"];
    document.answers = Object.fromEntries(
      Object.entries(document.answers).filter(([step]) => !unasked.includes(step)),
    );
  });
  succeeded(keyrite(["run", script, "--answers", answers]));
  assertOnceEach("key.generated");
});

test(`C02: killed with its module while key ${NTH} is opened again, a backup is finished`, () => {
  const env = shim.with(rule("C_UnwrapKey/session", NTH, "kill-after"));
  assertStopped(
    rehearse("back-up-ca-keys", env, () => undefined),
    "backup.made",
  );
  succeeded(resume("back-up-ca-keys", "back-up"));
  assertOnceEach("backup.made");
  assertOnceEach("key.locked");
  for (const vault of VAULTS) {
    const [backup = ""] = readdirSync(site.vault(vault));
    assert.equal(readdirSync(join(site.vault(vault), backup, "keys")).length, KEYS);
  }
});

test(`C02: killed while its module's process goes on at key ${NTH}, a restore is finished`, async () => {
  const env = shim.with(rule("C_UnwrapKey/token", NTH, "kill-after:parent"));
  assertStopped(
    rehearse("restore-ca-keys", env, () => undefined),
    "key.restored",
  );
  succeeded(resume("restore-ca-keys", "restore"));
  assertOnceEach("key.restored");
  const restored = counted("key.restored");
  await withToken("beta", async (session) => {
    const found = await session.inventory();
    const ofKeys = found.filter(({ spkiSha256 }) => restored.has(spkiSha256 ?? ""));
    assert.equal(ofKeys.length, KEYS, "one public object a key");
    const ids = new Set(ofKeys.map(({ ckaId }) => ckaId));
    const privates = found.filter(
      ({ objectClass, ckaId }) => objectClass === "private" && ids.has(ckaId),
    );
    assert.equal(privates.length, KEYS, "one private object a key");
  });
  assert.match(succeeded(keyrite(["verify"])).stdout, /CONSISTENT|CONFORMS/);
});
