/** The end of a module's process: its death and its silence are told, and nobody overtakes what it is inside of. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { KeyriteError } from "../../src/lib/errors.ts";
import { Secret } from "../../src/lib/secret.ts";
import type { Driven } from "../support/host-driver.ts";
import {
  closed,
  holders,
  hosts,
  KEY,
  kept,
  open,
  openWith,
  shim,
  shimBinding,
  theHost,
  wrapped,
} from "../support/hosted-shim.ts";
import { hosted } from "../support/hosted.ts";
import { program } from "../support/program.ts";
import { rule } from "../support/shim.ts";
import { newFolder } from "../support/rehearsed-site.ts";

async function endsAs(promise: Promise<unknown>, ...words: readonly RegExp[]): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof KeyriteError, String(error));
    assert.equal(error.code, "hsm.module-ended");
    const text = [error.message, ...error.hints].join("\n");
    for (const word of words) assert.match(text, word);
    return true;
  });
}

describe("C02: when it dies or hangs", () => {
  test("a fault in the module's memory is a clear error, and the next look starts it anew", async () => {
    const { hsm, module, info, session, pin } = await openWith(
      shim.with(rule("C_GenerateKeyPair", 1, "crash-before")),
    );
    await endsAs(
      session.generateKeyPair({ ...KEY, label: "one", ckaId: "01" }),
      /module process ended \(module soft, SIGSEGV\)/,
      /and complain/,
      /--resume/,
    );
    await endsAs(session.keys());
    assert.deepEqual(hosts(), []);
    const anew = await hsm.login(module, info.serial, "alpha", Secret.copy(pin));
    await anew.generateKeyPair({ ...KEY, label: "one", ckaId: "01" });
    await session.logout().catch(() => undefined);
    assert.equal(hsm.counters.logins, 4, "the logins of both processes");
    await closed(hsm);
  });

  test("H16: its death is heard although it leaves a process behind that holds every pipe", async () => {
    const { hsm, session } = await openWith(
      shim.with(
        rule("C_Initialize", 1, "fork:60000"),
        rule("C_GenerateKeyPair", 1, "crash-before"),
      ),
    );
    const begun = performance.now();
    await endsAs(
      session.generateKeyPair({ ...KEY, label: "one", ckaId: "01" }),
      /module process ended \(module soft, SIGSEGV\)/,
    );
    await hsm.close().catch(() => undefined);
    assert.ok(
      performance.now() - begun < 30_000,
      "the process that was left behind is not waited for",
    );
    // What holds the module now is no child of ours any more: it ends with the test.
    for (const pid of holders()) process.kill(pid, "SIGKILL");
  });

  test("a call that never ends is given up, and its process with it", async () => {
    const { hsm, session } = await openWith(
      shim.with(rule("C_GenerateKeyPair", 1, "hang-before")),
      shimBinding({ patience: 4 }),
    );
    const begun = performance.now();
    const generating = session.generateKeyPair({ ...KEY, label: "one", ckaId: "01" });
    await endsAs(
      generating,
      /asked to generate a key pair \(token alpha\), gave no sign of life for 4 seconds/,
    );
    assert.ok(performance.now() - begun < 20_000);
    await closed(hsm);
  });

  test("many calls that together last longer than its patience are no hang", async () => {
    const { hsm, session } = await openWith(
      shim.with(rule("C_UnwrapKey", "*", "hang-before:1000")),
      shimBinding({ patience: 4 }),
    );
    const { kek, items } = await wrapped(session, ["a", "b", "c", "d", "e"]);
    const begun = performance.now();
    let ended = 0;
    for await (const group of session.unwrapAll(kek, items, { as: "session" })) {
      ended += group.filter(({ status }) => status === "ok").length;
    }
    assert.equal(ended, 5);
    assert.ok(performance.now() - begun > 4500);
    await closed(hsm);
  });
});

/** A program that was killed while its module's process is inside C_GenerateKeyPair. */
async function killedMeanwhile(slow: number): Promise<Driven & { readonly pin: Buffer }> {
  const { hsm, module, info, pin } = await open();
  await closed(hsm);
  const lockFile = join(newFolder(), "module.lock");
  const driven = { module, serial: info.serial, label: "alpha", lockFile, ckaId: "0a" };
  const mark = join(newFolder(), "mark");
  const rules = shim.with(
    rule("C_GenerateKeyPair", 1, `mark:${mark}`),
    rule("C_GenerateKeyPair", 1, `hang-before:${slow}`),
  );
  const env = { ...process.env, ...rules };
  const words = [...program("host-driver"), JSON.stringify(driven)];
  const driver = spawn(process.execPath, words, {
    ...{ env, stdio: ["pipe", "inherit", "inherit"] },
  });
  driver.stdin.end(pin);
  while (!existsSync(mark)) await new Promise((resolve) => setTimeout(resolve, 10));
  driver.kill("SIGKILL");
  await once(driver, "close");
  return { ...driven, pin };
}

test("C02: whoever comes after a killed run waits until the call that was under way has ended", async () => {
  const { module, serial, label, lockFile, ckaId, pin } = await killedMeanwhile(2000);
  const begun = performance.now();
  const hsm = kept(hosted({ lockFile: () => lockFile }));
  const session = await hsm.login(module, serial, label, Secret.copy(pin));
  assert.ok(performance.now() - begun > 500, "it waited");
  const objects = (await session.inventory()).filter((one) => one.ckaId === ckaId);
  assert.equal(objects.length, 2, "the call has ended: both halves of the key are there");
  const later = await session.inventory();
  assert.equal(later.filter((one) => one.ckaId === ckaId).length, 2);
  assert.equal(Number(readFileSync(lockFile, "utf8")), theHost(), "the lock names its holder");
  await closed(hsm);
});

test("C02: a killed run's process makes no further call: what it was inside of is the last", async () => {
  shim.calls();
  await killedMeanwhile(1500);
  await new Promise((resolve) => setTimeout(resolve, 2500));
  const calls = shim.calls();
  assert.equal(calls.at(-1), "C_GenerateKeyPair", "the pair is not even tried");
});
