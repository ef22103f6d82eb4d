/** The module that faults are made with does to a call what its rule says, and nothing to any other. */

import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import { CKA } from "../../src/hsm/constants.ts";
import { ckrOf } from "../../src/hsm/ckr.ts";
import type { Handle, RawModule } from "../../src/hsm/raw.ts";
import { request } from "../support/hsm-asserts.ts";
import { createRig, secret, temporaryFolder } from "../support/rig.ts";
import { rule, ShimModule } from "../support/shim.ts";

const shim = new ShimModule();
Object.assign(process.env, shim.env);
const traits = {
  ...{ algorithms: [], keepsLabel: true, keepsDuplicates: true },
  ...{ persistent: true, reportsWrongPins: true },
};
const rig = createRig({
  ...{ profile: "softhsm", path: shim.path, traits, tokenDir: temporaryFolder() },
});
const token = await rig.hsm.initialize(rig.module, "alpha", secret("officer"), secret("user-pin"));
const session = await rig.hsm.login(rig.module, token.serial, "alpha", secret("user-pin"));
const made = await session.generateKeyPair(request("p-256", "one"));
const raw: RawModule = rig.raw();
const slot = raw.slots().find((one) => raw.tokenInfo(one).label === "alpha") ?? 0n;
const open = raw.openSession(slot, "read-write");
const byLabel = [{ type: CKA.LABEL.type, value: Buffer.from("one") }];

function ruled(...rules: readonly string[]): void {
  shim.calls();
  shim.fired();
  Object.assign(process.env, shim.with(...rules));
}

afterEach(() => {
  ruled();
});
after(async () => {
  await rig.hsm.close();
  rig.remove();
});

function ckr(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    return ckrOf(error);
  }
  return undefined;
}

const points = (): readonly string[] =>
  raw
    .findObjects(open, byLabel)
    .map((one) => raw.getAttributes(open, one, [CKA.CLASS.type, CKA.LABEL.type]))
    .map(([kind, label]) => `${kind?.[0] ?? "-"} ${String(label)}`)
    .sort();

test("without rules every call is the module's own, and each is named once", () => {
  ruled();
  assert.deepEqual(points(), ["2 one", "3 one"]);
  assert.deepEqual(shim.calls().slice(0, 2), ["C_FindObjectsInit", "C_FindObjects"]);
  assert.deepEqual([shim.acts(), shim.fired()], [[], []]);
  assert.equal(made.ckaId.length, 32);
});

test("before, after and gone: the code of the nth call, which was not made, or was", () => {
  ruled(rule("C_FindObjectsInit", 2, "before:0x30"));
  assert.deepEqual(points(), ["2 one", "3 one"]);
  assert.equal(
    ckr(() => points()),
    "CKR_DEVICE_ERROR",
  );
  assert.deepEqual(shim.fired(), [{ call: "C_FindObjectsInit", nth: 2, action: "before" }]);
  const fresh = raw.openSession(slot, "read-only");
  ruled(rule("C_CloseSession", 1, "after:0x6"));
  assert.equal(
    ckr(() => {
      raw.closeSession(fresh);
    }),
    "CKR_FUNCTION_FAILED",
  );
  assert.equal(
    ckr(() => raw.findObjects(fresh, [])),
    "CKR_SESSION_HANDLE_INVALID",
    "it was closed all the same",
  );
});

test("lies: an attribute, a key's public half, a signature, a token and what it says of its PIN", () => {
  ruled(rule("C_GetAttributeValue", "*", "attribute:0x3/2=74776f"));
  assert.deepEqual(points(), ["2 two", "3 one"]);
  ruled(rule("C_GetAttributeValue", "*", "attribute:0x3=-"));
  assert.equal(
    ckr(() => points()),
    "CKR_ATTRIBUTE_TYPE_INVALID",
  );
  ruled();
  const [half = 0n] = raw.findObjects(open, [...byLabel, { type: 0, value: bytesOf(2) }]);
  const point = raw.getAttributes(open, half, [CKA.EC_POINT.type])[0];
  ruled(rule("C_GetAttributeValue", "*", "public-key"));
  const lie = raw.getAttributes(open, half, [CKA.EC_POINT.type])[0];
  assert.equal(differing(point, lie), 1);
  ruled(rule("C_GetTokenInfo", "*", "token:alpha>0001/beta"));
  assert.deepEqual(
    [raw.tokenInfo(slot)].map((info) => [info.label, info.serial]),
    [["beta", "0001"]],
  );
  ruled(rule("C_GetTokenInfo", "*", "flags:alpha>final-try"));
  assert.equal(raw.tokenInfo(slot).flags & 0x70000, 0x20000);
});

function bytesOf(number: number): Uint8Array {
  const value = new Uint8Array(8);
  value[0] = number;
  return value;
}

function differing(one: Uint8Array | undefined, other: Uint8Array | undefined): number {
  assert.ok(one !== undefined && one.length === other?.length);
  return one.filter((byte, at) => byte !== other[at]).length;
}

test("output: what a key signs is another signature; random bytes are as given", async () => {
  const [key = 0n] = raw.findObjects(open, [...byLabel, { type: 0, value: bytesOf(3) }]);
  const sign = (): Promise<Uint8Array> =>
    raw.sign(open, { mechanism: 0x1041 }, key, new Uint8Array(32), 64);
  ruled(rule("C_Sign", 1, "output:short"));
  assert.equal((await sign()).length, 63);
  ruled(rule("C_Sign", 1, `output:${"ab".repeat(64)}`));
  assert.deepEqual(new Set(await sign()), new Set([0xab]));
  assert.ok(new Set(await sign()).size > 1, "the next is honest");
});

test("renumbered objects: old handles mean others, and what is found anew is right", () => {
  const [first = 0n, second = 0n] = raw.findObjects(open, byLabel);
  const kindOf = (one: Handle): number | undefined =>
    raw.getAttributes(open, one, [CKA.CLASS.type])[0]?.[0];
  const kinds = [kindOf(first), kindOf(second)];
  ruled(rule("C_GetSlotList", 1, "renumber:0x30"));
  assert.equal(
    ckr(() => raw.slots()),
    "CKR_DEVICE_ERROR",
  );
  assert.equal(kindOf(second), kinds[0], "the second handle means the first object");
  assert.deepEqual(
    raw.findObjects(open, byLabel),
    [first, second].map((one) => one + 1n),
  );
  assert.deepEqual(points(), ["2 one", "3 one"]);
});

test("a PIN that was wrong three times is locked, told by flags before, and asked of nobody then", () => {
  const another = raw.openSession(slot, "read-write");
  const fresh = (pin: string): string | undefined =>
    ckr(() => {
      raw.login(another, "user", secret(pin));
    });
  raw.logout(open);
  ruled(rule("*", "*", "pin-tries:3"));
  const seen: unknown[] = [];
  for (let i = 0; i < 4; i += 1) {
    const { flags } = raw.tokenInfo(slot);
    seen.push([fresh("wrong"), (flags & 0x70000) >> 16]);
  }
  assert.deepEqual(seen, [
    ["CKR_PIN_INCORRECT", 0],
    ["CKR_PIN_INCORRECT", 1],
    ["CKR_PIN_INCORRECT", 3],
    ["CKR_PIN_LOCKED", 5],
  ]);
  assert.equal(fresh("user-pin"), "CKR_PIN_LOCKED");
  shim.forgetTries(token.serial);
  assert.equal(fresh("user-pin"), undefined);
  raw.closeSession(another);
});

test("gone: from that call on nothing answers", () => {
  const kept = process.env["KEYRITE_SHIM_RULES"];
  ruled(rule("C_GetTokenInfo", 1, "gone"));
  assert.equal(kept, "");
  for (let i = 0; i < 2; i += 1) {
    assert.equal(
      ckr(() => raw.tokenInfo(slot)),
      "CKR_DEVICE_REMOVED",
    );
  }
  assert.equal(
    ckr(() => raw.slots()),
    "CKR_DEVICE_REMOVED",
  );
});
