/** Wiping a token: with the right PIN only, while nobody is logged in, and so that nothing is left. */

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { fakeRig } from "../support/fake-hsm.ts";
import { refused } from "../support/hsm-asserts.ts";
import { nssRig } from "../support/nss.ts";
import { secret, type Rig } from "../support/rig.ts";
import { softhsmRig } from "../support/softhsm.ts";
import type { TokenInfo } from "../../src/hsm/token.ts";

const SO = "officer-of-the-token";
const USER = "user-of-the-token";

async function withKey(rig: Rig): Promise<TokenInfo> {
  const info = await rig.hsm.initialize(rig.module, "gamma", secret(SO), secret(USER));
  const session = await rig.hsm.login(rig.module, info.serial, info.label, secret(USER));
  const key = { label: "k", ckaId: "aa01", algorithm: "p-256", purpose: "ca-signing" } as const;
  await session.generateKeyPair({ ...key, extractable: false });
  await session.logout();
  return info;
}

for (const make of [softhsmRig, fakeRig]) {
  const rig = make();
  describe(rig.name, () => {
    after(async () => {
      await rig.hsm.close();
      rig.remove();
    });
    test("a token is wiped by its officer's PIN alone, and nothing of it is left", async () => {
      const { hsm, module } = rig;
      const { serial, label } = await withKey(rig);
      const wipe = (pin: string): Promise<unknown> => hsm.wipe(module, serial, label, secret(pin));

      await refused(wipe(USER), { code: "hsm.pin-rejected", says: /CKR_PIN_INCORRECT/ });
      const session = await hsm.login(module, serial, label, secret(USER));
      assert.equal((await session.inventory()).length, 2, "a wrong PIN wiped nothing");
      await refused(wipe(SO), { code: "hsm.call-failed", says: /CKR_SESSION_EXISTS/ });
      assert.equal((await session.inventory()).length, 2, "an open session wiped nothing");
      await session.logout();
      await refused(hsm.wipe(module, serial, "delta", secret(SO)), { code: "hsm.wrong-token" });

      const { info, waivers } = await hsm.wipe(module, serial, label, secret(SO));
      assert.deepEqual([info.label, info.userPinSet, waivers], ["retired", false, []]);
      assert.deepEqual(await hsm.publicObjects(module, info.serial, info.label), []);
      await refused(hsm.login(module, info.serial, info.label, secret(USER)), {
        code: "hsm.not-initialized",
      });
      // The officer's old PIN opens nothing any more either: the shares of it are waste.
      await refused(hsm.wipe(module, info.serial, info.label, secret(SO)), {
        code: "hsm.pin-rejected",
        says: /CKR_PIN_INCORRECT/,
      });
    });
  });
}

test("H08: a token that warns of its officer's PIN is not wiped", async () => {
  const rig = fakeRig();
  const { serial, label } = await withKey(rig);
  for (const [flag, name] of [
    [0x20_0000, "CKF_SO_PIN_FINAL_TRY"],
    [0x40_0000, "CKF_SO_PIN_LOCKED"],
  ] as const) {
    rig.faults.tokenInfo = (info) => ({ ...info, flags: info.flags | flag });
    await refused(rig.hsm.wipe(rig.module, serial, label, secret(SO)), {
      code: "hsm.pin-locked",
      says: new RegExp(name),
    });
  }
  rig.faults.tokenInfo = undefined;
  const session = await rig.hsm.login(rig.module, serial, label, secret(USER));
  assert.equal((await session.inventory()).length, 2);
  await rig.hsm.close();
  rig.remove();
});

test("NSS has no officer to ask, which is said, and is blank afterwards for the next use", async () => {
  const rig = nssRig();
  const { serial, label } = await withKey(rig);
  const { info, waivers } = await rig.hsm.wipe(rig.module, serial, label, secret("anybody at all"));
  assert.equal(info.initialized, false);
  assert.match(waivers.join(), /no security officer's PIN was needed/);
  const again = await rig.hsm.initialize(rig.module, "gamma", secret(SO), secret(USER));
  const session = await rig.hsm.login(rig.module, again.serial, again.label, secret(USER));
  assert.deepEqual(await session.inventory(), [], "not even a public key of before");
  await rig.hsm.close();
  rig.remove();
});
