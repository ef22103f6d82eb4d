/** A token that breaks, or can less, while keys are wrapped, unwrapped, locked and destroyed. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { UnwrapOptions } from "../../src/hsm/backup.ts";
import { ckrError, ckrOf } from "../../src/hsm/ckr.ts";
import { CKM } from "../../src/hsm/constants.ts";
import { all, item, ready, unwrapped, wrappable, wrapped } from "../support/backup-rig.ts";
import { fakeRig } from "../support/fake-hsm.ts";
import { refused } from "../support/hsm-asserts.ts";
import { caOnly, flipped, keyPairs, withLost } from "../support/lost-key.ts";

describe("H01: a token that fails", () => {
  for (const call of ["unwrapKeyNow", "createObjectNow", "getAttributes", "signNow"] as const) {
    test(`H02: a device that goes away at ${call} ends the batch`, async () => {
      await withLost(async (state) => {
        await state.session.inspectKek(state.kek);
        let armed = false;
        const options: UnwrapOptions = { as: "token", before: () => void (armed = true) };
        state.rig.faults.before = (made) => {
          if (armed && made === call) throw ckrError(`C_${call}`, 0x32);
        };
        const error = await refused(unwrapped(state, [state.lost], options), {
          code: "hsm.token-absent",
        });
        assert.equal(ckrOf(error), "CKR_DEVICE_REMOVED");
        state.rig.faults.before = undefined;
        // What was made before is destroyed as far as the token lets us.
        assert.equal(await caOnly(state), 0);
      });
    });
  }

  test("H01: a KEK that is half made does not stay", async () => {
    await withLost(async ({ session, transport, rig }) => {
      const asked = { label: "kek-2", ckaId: "4b02", ownTransport: transport, transports: [] };
      const before = JSON.stringify(await session.inventory());
      for (const name of ["ENCRYPT", "EXTRACTABLE", "MODIFIABLE", "VALUE_LEN"] as const) {
        rig.faults.attribute = { half: "secret", name, answer: flipped };
        await refused(session.establishKek(asked), { code: "hsm.attribute-differs" });
        rig.faults.attribute = undefined;
        assert.equal(JSON.stringify(await session.inventory()), before);
      }
    });
  });

  test("a key that was not destroyed although the token said so is noticed", async () => {
    await withLost(async (state) => {
      const key = await state.session.generateKeyPair(wrappable("p-256", "undead"));
      state.rig.faults.keepsObjects = true;
      await refused(state.session.destroyKeys([key]), {
        code: "hsm.bad-output",
        says: /2 objects are still there/,
      });
    });
  });

  test("H06: a lock that does not hold is refused", async () => {
    await withLost(async ({ session, rig }) => {
      const key = await session.generateKeyPair(wrappable("p-256", "to-lock"));
      rig.faults.attribute = {
        half: "private",
        name: "EXTRACTABLE",
        answer: () => Uint8Array.of(1),
      };
      await refused(session.lockKeys([key]), { code: "hsm.attribute-differs", says: /not locked/ });
    });
  });
});

describe("tokens that can less", () => {
  for (const [what, wrapsAnything] of [
    ["no mechanism keeps", true],
    ["AES_KEY_WRAP_PAD alone does not keep", [CKM.AES_KEY_WRAP_PAD]],
    ["AES_KEY_WRAP alone does not keep", [CKM.AES_KEY_WRAP]],
    ["AES_CBC_PAD alone does not keep", [CKM.AES_CBC_PAD]],
  ] as const) {
    test(`H06: a lock that ${what} to is refused, where no profile excuses it`, async () => {
      await withLost(
        async ({ session }) => {
          const key = await session.generateKeyPair(wrappable("p-256", "to-lock"));
          await refused(session.lockKeys([key]), {
            code: "hsm.attribute-differs",
            says: /wraps it all the same/,
          });
        },
        { wrapsAnything },
      );
    });
  }

  test("H06: where no private key is ever wrapped, a lock is said to be read and not tried", async () => {
    const rig = fakeRig({ keepsPrivateKeys: true });
    try {
      const { session } = await ready(rig);
      const key = await session.generateKeyPair(wrappable("p-256", "to-lock"));
      const [locked] = await session.lockKeys([key]);
      assert.equal(locked?.waivers.length, 1);
      assert.match(locked.waivers[0] ?? "", /wraps no private key .* could not be tried/);
    } finally {
      await rig.hsm.close();
      rig.remove();
    }
  });

  test("H06: a KEK that unwraps nothing at all is not said to unwrap nothing readable", async () => {
    await withLost(async ({ session, kek, rig }) => {
      assert.deepEqual((await session.inspectKek(kek)).waivers, []);
      rig.faults.before = (call) => {
        if (call === "unwrapKeyNow") throw ckrError("C_UnwrapKey", 0x68);
      };
      const { waivers } = await session.inspectKek(kek);
      assert.equal(waivers.length, 1);
      assert.match(waivers[0] ?? "", /unwraps no AES key that could be tried: .* is not known/);
    });
  });

  for (const unwrapTemplate of ["refused", "ignored"] as const) {
    test(`a CKA_UNWRAP_TEMPLATE that is ${unwrapTemplate} is a residual by name`, async () => {
      await withLost(
        ({ kek, transport }) => {
          for (const { waivers } of [kek, transport]) {
            assert.equal(waivers.length, 1);
            assert.match(waivers[0] ?? "", /does not enforce CKA_UNWRAP_TEMPLATE/);
          }
          return Promise.resolve();
        },
        { unwrapTemplate },
      );
    });
  }

  test("H12: one that has CBC only wraps nothing unless CBC is asked for", async () => {
    const lacks = [CKM.AES_KEY_WRAP_KWP, CKM.AES_KEY_WRAP_PAD];
    const rig = fakeRig({ lacks, keyPairs });
    try {
      const state = await ready(rig);
      const key = await state.session.generateKeyPair(wrappable("p-256", "root"));
      const [plain] = await wrapped(state, key);
      assert.equal(plain?.format, "rfc3394");
      const [cbc] = await all(state.session.wrapAll(state.kek, [key], ["aes-cbc-pad"]));
      assert.equal(cbc?.format, "aes-cbc-pad");
      const [outcome] = await unwrapped(state, [item(cbc, "p-256", "copy")]);
      assert.equal(outcome?.status, "ok");
      await refused(all(state.session.wrapAll(state.kek, [key], ["rfc5649"])), {
        code: "hsm.not-supported",
        says: /rfc5649 is asked for/,
      });
    } finally {
      await rig.hsm.close();
      rig.remove();
    }
  });

  test("one without AES key wrap has no check value, and says so", async () => {
    const rig = fakeRig({ lacks: [CKM.AES_KEY_WRAP], keyPairs });
    try {
      await refused(ready(rig), { code: "hsm.not-supported", says: /RFC 3394/ });
    } finally {
      await rig.hsm.close();
      rig.remove();
    }
  });
});
