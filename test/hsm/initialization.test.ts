/** An initialisation that stopped after C_InitToken, or after C_InitPIN: it is completed with the same PINs. */

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { paddedLabel } from "../../src/hsm/tokens.ts";
import type { TokenInfo } from "../../src/hsm/token.ts";
import { fakeRig } from "../support/fake-hsm.ts";
import { refused } from "../support/hsm-asserts.ts";
import { secret, type Rig } from "../support/rig.ts";
import { softhsmRig } from "../support/softhsm.ts";

const OFFICER = "0123456789abcdef0123456789abcdef";
const USER = "fedcba9876543210fedcba9876543210";

/** What a process that died in the middle has left. */
async function halfInitialized({ hsm, module, raw }: Rig): Promise<TokenInfo> {
  await hsm.find(module, "blank", "alpha");
  const [slot] = raw().slots();
  assert.ok(slot !== undefined);
  raw().initToken(slot, secret(OFFICER), paddedLabel("alpha"));
  const made = (await hsm.tokens(module)).find(({ label }) => label === "alpha");
  assert.ok(made);
  assert.deepEqual([made.initialized, made.userPinSet], [true, false]);
  return made;
}

for (const rig of [fakeRig(), softhsmRig()]) {
  describe(`on ${rig.name}`, () => {
    const { hsm, module } = rig;
    after(async () => {
      await hsm.close();
      rig.remove();
    });

    test("C03: it is completed once with the right PINs, and then only proved again", async () => {
      const { serial, label } = await halfInitialized(rig);
      const complete = (officer: string, user: string): Promise<TokenInfo> =>
        hsm.completeInitialization(module, serial, label, secret(officer), secret(user));
      await refused(complete(USER, USER), { code: "hsm.pin-rejected" });
      assert.equal((await hsm.find(module, serial, label)).userPinSet, false);
      const { logins } = hsm.counters;
      const done = await complete(OFFICER, USER);
      assert.deepEqual([done.serial, done.userPinSet], [serial, true]);
      assert.equal(hsm.counters.logins, logins + 2, "the officer's, and the one that proves");
      await complete(OFFICER, USER);
      assert.equal(hsm.counters.logins, logins + 3, "the officer is not asked again");
      await refused(complete(OFFICER, OFFICER), { code: "hsm.pin-rejected" });
      await (await hsm.login(module, serial, label, secret(USER))).logout();
    });

    test("a blank token, or one of another serial, is not completed", async () => {
      const [o, u] = [secret(OFFICER), secret(USER)];
      await refused(hsm.completeInitialization(module, "none-such", "beta", o, u), {
        code: "hsm.token-absent",
      });
    });
  });
}
