/**
 * What every HSM must do behind our interface, in the order of a token's life: the same tests run
 * on each vendor's module and on the fake.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ckrOf } from "../../src/hsm/ckr.ts";
import type { KeyriteError } from "../../src/lib/errors.ts";
import { hex } from "../../src/lib/encoding.ts";
import { openInChild } from "../support/hsm-child.ts";
import { PIN, refused, SO_PIN } from "../support/hsm-asserts.ts";
import { secret, type Rig } from "../support/rig.ts";
import { keyTests } from "./suite-keys.ts";
import { SuiteState } from "./suite-state.ts";

// 32 bytes in UTF-8, and fewer characters.
const LABEL = "schlüssel-für-die-wurzel-früh";

/** Registers the whole suite for one rig. */
export function hsmSuite(makeRig: () => Rig): void {
  const state = new SuiteState();
  before(() => {
    state.rig = makeRig();
  });
  after(async () => {
    await state.rig.hsm.close();
    state.rig.remove();
  });
  tokenTests(state);
  loginTests(state);
  keyTests(state);
  endTests(state);
}

function tokenTests(state: SuiteState): void {
  describe("a blank token", () => {
    test("is found by being blank, and by nothing else", async () => {
      const blank = await state.rig.hsm.find(state.rig.module, "blank", "");
      assert.equal(blank.initialized, false);
      assert.equal(blank.userPinSet, false);
      assert.deepEqual(blank.pinWarnings, []);
      assert.deepEqual(blank.algorithms, state.rig.traits.algorithms);
      assert.equal(blank.moduleDigest, await state.rig.hsm.moduleDigest(state.rig.module));
      await refused(state.rig.hsm.find(state.rig.module, "0123456789abcdef", "alpha"), {
        code: "hsm.token-absent",
      });
      await refused(state.rig.hsm.find(state.rig.module, "", ""), { code: "hsm.token-absent" });
    });

    test("takes no login", async () => {
      const { serial, label } = await state.rig.hsm.find(state.rig.module, "blank", "");
      const logins = await state.countLogins(async () => {
        await refused(state.rig.hsm.login(state.rig.module, "blank", label, secret(PIN)), {
          code: "hsm.not-initialized",
        });
        if (serial === "") return;
        await refused(state.rig.hsm.login(state.rig.module, serial, label, secret(PIN)), {
          code: "hsm.not-initialized",
        });
      });
      assert.equal(logins, 0);
    });

    for (const label of ["", " alpha", "alpha ", "al\npha", `${LABEL}.`, "ü".repeat(17)]) {
      test(`refuses the label ${JSON.stringify(label)}`, async () => {
        await refused(
          state.rig.hsm.initialize(state.rig.module, label, secret(SO_PIN), secret(PIN)),
          {
            code: "usage.refused",
            says: /label/,
          },
        );
        assert.equal((await state.rig.hsm.find(state.rig.module, "blank", "")).initialized, false);
      });
    }

    test("H08: refuses a PIN of impossible length before anything is called", async () => {
      const long = "x".repeat(501);
      for (const [so, user] of [
        [long, PIN],
        [SO_PIN, long],
      ] as const) {
        const attempt = state.rig.hsm.initialize(state.rig.module, LABEL, secret(so), secret(user));
        await refused(attempt, { code: "hsm.pin-rejected", says: /not tried/ });
      }
      assert.equal((await state.rig.hsm.find(state.rig.module, "blank", "")).initialized, false);
      assert.equal(state.rig.hsm.counters.logins, 0);
    });

    test("is initialised, and its user PIN proved from a fresh session", async () => {
      const logins = await state.countLogins(async () => {
        state.token = await state.rig.hsm.initialize(
          state.rig.module,
          LABEL,
          secret(SO_PIN),
          secret(PIN),
        );
      });
      assert.equal(logins, 2);
      assert.equal(state.token.initialized, true);
      assert.equal(state.token.userPinSet, true);
      assert.notEqual(state.token.serial, "");
      assert.equal(state.token.label === LABEL, state.rig.traits.keepsLabel);
      assert.deepEqual(
        await state.rig.hsm.find(state.rig.module, state.token.serial, state.token.label),
        state.token,
      );
    });

    test("is not erased by initialising again", async () => {
      const again = state.rig.hsm.initialize(
        state.rig.module,
        state.token.label,
        secret(SO_PIN),
        secret(PIN),
      );
      const { code } = (await again.catch((error: unknown) => error)) as KeyriteError;
      assert.ok(code === "hsm.not-blank" || code === "hsm.object-exists", code);
      assert.deepEqual(
        await state.rig.hsm.find(state.rig.module, state.token.serial, state.token.label),
        state.token,
      );
    });
  });
}

function loginTests(state: SuiteState): void {
  describe("login", () => {
    test("H03: is refused for another serial or label, without a try", async () => {
      const logins = await state.countLogins(async () => {
        await refused(state.login(PIN, "0123456789abcdef"), {
          code: "hsm.wrong-token",
          says: /serial/,
        });
        await refused(state.login(PIN, state.token.serial, "beta"), {
          code: "hsm.wrong-token",
          says: /label/,
        });
        await refused(state.login(PIN, "0123456789abcdef", "beta"), { code: "hsm.token-absent" });
      });
      assert.equal(logins, 0);
    });

    test("H08: a wrong PIN costs exactly one try and names the call", async () => {
      const logins = await state.countLogins(async () => {
        const refusal = { code: "hsm.pin-rejected", says: /C_Login.*CKR_PIN_INCORRECT/ } as const;
        await refused(state.login("wrong-pin-0123456789"), refusal);
      });
      assert.equal(logins, 1);
      const { pinWarnings } = await state.rig.hsm.find(
        state.rig.module,
        state.token.serial,
        state.token.label,
      );
      const expected = state.rig.traits.reportsWrongPins ? ["CKF_USER_PIN_COUNT_LOW"] : [];
      assert.deepEqual(pinWarnings, expected);
    });

    test("H09: the officer's PIN does not open the user's role", async () => {
      await refused(state.login(SO_PIN), { code: "hsm.pin-rejected" });
    });

    test("the right PIN opens a session, once", async () => {
      state.session = await state.login(PIN);
      assert.deepEqual(await state.session.keys(), []);
      const second = await refused(state.login(PIN), { code: "hsm.call-failed" });
      assert.equal(ckrOf(second), "CKR_USER_ALREADY_LOGGED_IN");
      assert.deepEqual(await state.session.keys(), []);
    });
  });
}

function endTests(state: SuiteState): void {
  describe("the end", () => {
    test("logout closes the session for good, and may be repeated", async () => {
      await state.session.logout();
      await state.session.logout();
      await refused(state.session.keys(), { code: "internal.bug" });
    });

    test("a new process finds the same token by serial and the same keys", () => {
      if (!state.rig.traits.persistent) return;
      const { serial, label } = state.token;
      const { spki, ckaId } = state.key("p-384");
      const found = openInChild(
        { module: state.rig.module, serial, label, spki: hex(spki), ckaId },
        PIN,
      );
      assert.equal(found.serial, serial);
      assert.equal(found.label, label);
      assert.equal(
        found.keys,
        (state.made.size + 1) * 2 + (state.rig.traits.keepsDuplicates ? 2 : 0),
      );
      assert.equal(found.signed, true);
    });

    test("H03: another token of the same label is not taken for this one", async () => {
      await refused(state.rig.hsm.find(state.rig.module, "FAKE9999", state.token.label), {
        code: "hsm.wrong-token",
        says: /FAKE9999/,
      });
    });
  });
}
