/** A module in a process of its own: answers cross whole, and it knows no more than it must. */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { UnwrapItem, UnwrapOutcome } from "../../src/hsm/backup.ts";
import type { Session } from "../../src/hsm/token.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { Secret } from "../../src/lib/secret.ts";
import { rule } from "../support/shim.ts";
import { closed, hosts, open, openWith, shim, theHost, wrapped } from "../support/hosted-shim.ts";
import { memoryHits } from "../support/memory.ts";
import { createRig, secret } from "../support/rig.ts";
import { softhsmRig } from "../support/softhsm.ts";

describe("what crosses", () => {
  test("errors cross with code, message and hints, and one login is one", async () => {
    const { hsm, module, info, session } = await open();
    await session.logout();
    const local = softhsmRig();
    await local.hsm.initialize(local.module, "alpha", secret("officer-pin"), secret("user-pin"));
    const { serial } = await local.hsm.tokens(local.module).then((all) => {
      return all.find(({ initialized }) => initialized) ?? assert.fail("no token");
    });
    const here = local.hsm.login(local.module, serial, "alpha", secret("wrong-pin"));
    const there = hsm.login(module, info.serial, "alpha", secret("wrong-pin"));
    const [one, other] = await Promise.allSettled([here, there]);
    assert.ok(one.status === "rejected" && other.status === "rejected");
    assert.ok(one.reason instanceof KeyriteError && other.reason instanceof KeyriteError);
    assert.equal(other.reason.code, "hsm.pin-rejected");
    assert.equal(other.reason.message, one.reason.message);
    assert.deepEqual(other.reason.hints, one.reason.hints);
    assert.equal(hsm.counters.logins, 4, "officer, proof of the PIN, login, the wrong one");
    await local.hsm.close();
    local.remove();
    await closed(hsm);
  });

  test("keys are wrapped, unwrapped and told as in one process, attribute by attribute", async () => {
    const { hsm, module, info, session, pin } = await open();
    const { kek, items } = await wrapped(session, ["one", "two", "three"]);
    const there = await outcomes(session, items, kek);
    await session.destroyKeys(items);
    await hsm.close();
    const rig = createRig({
      ...{ profile: "softhsm", path: shim.path, tokenDir: module.tokenDir ?? "" },
      traits: softhsmRig().traits,
    });
    const local = await rig.hsm.login(rig.module, info.serial, "alpha", Secret.copy(pin));
    const here = await outcomes(local, items, kek);
    await rig.hsm.close();
    assert.equal(there.length, 3);
    assert.deepEqual(
      there.map((one) => ({ ...one, ...attributesOf(one) })),
      here,
    );
  });

  test("no group begins before its intent, and a refused intent begins nothing", async () => {
    const { hsm, session } = await open();
    const { kek, items } = await wrapped(session, ["one"]);
    shim.calls();
    const refusing = session.unwrapAll(kek, items, {
      as: "token",
      before: () => {
        throw new Error("the disk is full");
      },
    });
    await assert.rejects(async () => {
      for await (const group of refusing) assert.fail(`came: ${group.length}`);
    }, /the disk is full/);
    assert.ok(!shim.calls().includes("C_SignInit"));
    assert.deepEqual(
      (await session.inventory()).filter(({ label }) => label === "one"),
      [],
    );
    await closed(hsm);
  });

  test("a session that is over is over, and its module can be finalised twice", async () => {
    const { hsm, session } = await open();
    await session.logout();
    await session.logout();
    await assert.rejects(session.keys(), /after logout/);
    await hsm.close();
    await closed(hsm);
  });
});

async function outcomes(
  session: Session,
  items: readonly UnwrapItem[],
  kek: { readonly ckaId: string; readonly checkValue: string },
): Promise<readonly UnwrapOutcome[]> {
  const all: UnwrapOutcome[] = [];
  for await (const group of session.unwrapAll(kek, items, { as: "token" })) all.push(...group);
  return all;
}

function attributesOf(one: UnwrapOutcome): Partial<UnwrapOutcome> {
  assert.equal(one.status, "ok");
  const { privateAttributes, publicAttributes } = one;
  return { privateAttributes, publicAttributes };
}

describe("what it knows of us", () => {
  test("S02: its environment holds what site.yaml names, its arguments and descriptors no secret", async () => {
    const { hsm, pin } = await openWith({
      KEYRITE_SHIM_STATE: "/named",
      PLANTED: "no business of it",
    });
    const pid = theHost();
    const environ = readFileSync(`/proc/${pid}/environ`);
    assert.ok(environ.includes("KEYRITE_SHIM_STATE=/named"), "what is named is handed on");
    assert.ok(!environ.includes("PLANTED"));
    for (const place of [environ, readFileSync(`/proc/${pid}/cmdline`)]) {
      assert.ok(!place.includes(pin));
    }
    await closed(hsm);
  });

  test("S05: the PIN is in its memory neither during the session nor behind it", async () => {
    const { hsm, pin } = await open();
    const planted = randomBytes(16).toString("hex");
    const { hsm: other } = await openWith(shim.with(rule("C_Sign", 99, `print:${planted}`)));
    const pids = hosts();
    assert.equal(pids.length, 2);
    const hits = pids.map((pid) => memoryHits(pid, [pin, Buffer.from(planted)]));
    assert.equal(
      hits.reduce((sum, [found = 0]) => sum + found, 0),
      0,
    );
    assert.ok(
      hits.some(([, found = 0]) => found > 0),
      "the search finds what is there",
    );
    await other.close();
    await closed(hsm);
  });
});
