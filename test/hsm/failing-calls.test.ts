/** Calls that fail at any point, and everything that could cost a try at a PIN. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ckrError, ckrOf } from "../../src/hsm/ckr.ts";
import { PIN_FLAGS } from "../../src/hsm/constants.ts";
import type { Session, TokenInfo } from "../../src/hsm/token.ts";
import { fakeRig, type FakeRig } from "../support/fake-hsm.ts";
import type { CallName } from "../support/faulty-module.ts";
import { onFake, PIN, refused, request, SO_PIN } from "../support/hsm-asserts.ts";
import { secret } from "../support/rig.ts";

describe("H01: any call may fail", () => {
  const codes = [0x05, 0x30, 0x32, 0x54, 0x82, 0xb3, 0x101, 0x80000001];
  const calls: readonly CallName[] = ["findObjects", "getAttributes", "generateKeyPair", "sign"];
  for (const call of calls) {
    test(`H01: generating, when ${call} fails at any point`, async () => {
      for (const code of codes) {
        for (const nth of [1, 2]) {
          await onFake(async ({ rig, session }) => {
            failAt(rig, call, nth, code);
            const work = session.generateKeyPair(request("ed25519", "root"));
            const outcome: unknown = await work.catch((error: unknown) => error);
            const struck = rig.faults.before === undefined;
            // Generation itself is called once only; what was not struck must have succeeded.
            assert.equal(struck, call !== "generateKeyPair" || nth === 1);
            assert.equal(outcome instanceof Error, struck);
            assert.equal(ckrOf(outcome), struck ? ckr(code) : undefined);
          });
        }
      }
    });
  }

  test("H01: logging out of a token that is gone still ends the session", async () => {
    await onFake(async ({ rig, session }) => {
      failAt(rig, "logout", 1, 0x32);
      await refused(session.logout(), {
        code: "hsm.token-absent",
        says: /logout.*DEVICE_REMOVED/,
      });
      await refused(session.keys(), { code: "internal.bug" });
    });
  });
});

function ckr(code: number): string | undefined {
  return ckrOf(ckrError("C_X", code));
}

/** The nth such call from now fails; then the fault is gone. */
function failAt(rig: FakeRig, call: CallName, nth: number, code: number): void {
  let left = nth;
  rig.faults.before = (made) => {
    if (made !== call) return;
    left -= 1;
    if (left > 0) return;
    rig.faults.before = undefined;
    throw ckrError(`C_${call}`, code);
  };
}

describe("a PIN is not risked", () => {
  let rig: FakeRig;
  let token: TokenInfo;
  before(async () => {
    rig = fakeRig();
    token = await rig.hsm.initialize(rig.module, "alpha", secret(SO_PIN), secret(PIN));
  });
  after(async () => {
    await rig.hsm.close();
    rig.remove();
  });
  const login = (): Promise<Session> =>
    rig.hsm.login(rig.module, token.serial, token.label, secret(PIN));
  const show = (flag: number): void => {
    rig.faults.tokenInfo = (info) => ({ ...info, flags: info.flags | flag });
  };

  for (const flag of ["CKF_USER_PIN_FINAL_TRY", "CKF_USER_PIN_LOCKED"] as const) {
    test(`H08: ${flag} means no login at all`, async () => {
      show(PIN_FLAGS[flag]);
      const start = rig.hsm.counters.logins;
      await refused(login(), { code: "hsm.pin-locked", says: new RegExp(flag) });
      assert.equal(rig.hsm.counters.logins, start);
    });
  }

  test("H08: a low count is shown, and the login is left to people", async () => {
    show(PIN_FLAGS.CKF_USER_PIN_COUNT_LOW);
    const { pinWarnings } = await rig.hsm.find(rig.module, token.serial, token.label);
    assert.deepEqual(pinWarnings, ["CKF_USER_PIN_COUNT_LOW"]);
    await (await login()).logout();
  });

  for (const [code, expected] of [
    [0xa3, "hsm.pin-rejected"],
    [0xa4, "hsm.pin-locked"],
    [0x102, "hsm.not-initialized"],
    [0x104, "hsm.call-failed"],
  ] as const) {
    test(`H09: ${String(ckr(code))} is named, and not tried again`, async () => {
      rig.faults.tokenInfo = undefined;
      failAt(rig, "login", 1, code);
      const start = rig.hsm.counters.logins;
      await refused(login(), { code: expected, says: new RegExp(String(ckr(code))) });
      assert.equal(rig.hsm.counters.logins, start + 1);
    });
  }

  test("H03: a token exchanged between looking and login gets no PIN", async () => {
    let looks = 0;
    rig.faults.tokenInfo = (info) => {
      looks += 1;
      return looks === 1 ? info : { ...info, serial: "FAKE9999" };
    };
    const start = rig.hsm.counters.logins;
    await refused(login(), { code: "hsm.wrong-token", says: /exchanged/ });
    assert.equal(rig.hsm.counters.logins, start);
  });
});
