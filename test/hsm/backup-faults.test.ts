/** A token that lies while keys come back: what differs from the record is caught before it counts. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { encode } from "../../src/hsm/attributes.ts";
import type { UnwrapOptions } from "../../src/hsm/backup.ts";
import { ckrError } from "../../src/hsm/ckr.ts";
import { KEK_ENTRIES } from "../../src/hsm/kek-template.ts";
import { recordedKey } from "../../src/hsm/recorded-key.ts";
import { restoreTemplates } from "../../src/hsm/restore-templates.ts";
import { all, problemOf, unwrapped, wrappable, wrapOne } from "../support/backup-rig.ts";
import { refused } from "../support/hsm-asserts.ts";
import { caOnly, flipped, withLost } from "../support/lost-key.ts";

const TOKEN: UnwrapOptions = { as: "token" };

describe("H06: an attribute of a restored key that is not as asked", () => {
  const key = recordedKey(
    Buffer.from(
      "3059301306072a8648ce3d020106082a8648ce3d030107034200046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
      "hex",
    ),
    "p-256",
  );
  const { privateKey, publicKey } = restoreTemplates({ label: "root", ckaId: "01" }, key, true);
  const cases = [
    ...privateKey.map(({ name }) => ({ half: "private", name }) as const),
    ...publicKey.map(({ name }) => ({ half: "public", name }) as const),
  ].filter(({ name }) => name !== "CLASS");
  test("H06: at least 15 attributes of each half are held against the record", () => {
    assert.ok(privateKey.length >= 15 && publicKey.length >= 15);
  });
  test("H06: each of them is caught, and the key destroyed again", async () => {
    await withLost(async (state) => {
      // Found out beforehand: the probe is not what is tested here.
      await state.session.wireFormats();
      for (const { half, name } of cases) {
        state.rig.faults.attribute = { half, name, answer: flipped };
        const problem = problemOf(await unwrapped(state, [state.lost], TOKEN).catch(byListing));
        assert.match(problem, new RegExp(`CKA_${name} is |last listing`), `${half} ${name}`);
        state.rig.faults.attribute = undefined;
        assert.equal(await caOnly(state), 0, `${half} ${name}`);
      }
      const [honest] = await unwrapped(state, [state.lost], TOKEN);
      assert.equal(honest?.status, "ok");
    });
  });
});

// A lie about CKA_ID or the label also falls on objects that were there before.
function byListing(error: unknown): Awaited<ReturnType<typeof unwrapped>> {
  assert.match(String(error), /is not what was asked for|holds|does not hold|is on the token/);
  return [
    {
      status: "problem",
      spkiSha256: "",
      ckaId: "",
      problem: "last listing",
      remains: undefined,
    },
  ];
}

describe("H06: a KEK that is not as asked", () => {
  for (const { name } of KEK_ENTRIES.filter((entry) => entry.name !== "CLASS")) {
    test(`H06: CKA_${name} of a KEK is caught before it is used`, async () => {
      await withLost(async ({ session, kek, rig, lost }) => {
        rig.faults.attribute = { half: "secret", name, answer: flipped };
        await refused(session.inspectKek(kek), {
          code: "hsm.attribute-differs",
          says: new RegExp(`KEK.*CKA_${name} is `),
        });
        await refused(all(session.unwrapAll(kek, [lost], TOKEN)), {
          code: "hsm.attribute-differs",
        });
      });
    });
  }

  test("H14: an altered KEK unwraps nothing", async () => {
    await withLost(async ({ session, kek, rig, lost }) => {
      let unwraps = 0;
      rig.faults.blob = (blob) => {
        if (Buffer.from(blob).equals(Buffer.from(lost.blob))) unwraps += 1;
        return blob;
      };
      rig.faults.wrapped = flipped;
      await refused(all(session.unwrapAll(kek, [lost], TOKEN)), { code: "hsm.wrong-kek" });
      assert.equal(unwraps, 0);
      rig.faults.wrapped = undefined;
      assert.equal((await all(session.unwrapAll(kek, [lost], TOKEN)))[0]?.status, "ok");
      assert.equal(unwraps, 1);
    });
  });
});

describe("H19: what comes back is not what was wrapped", () => {
  test("H19: another key is destroyed again, and the next one restored", async () => {
    await withLost(async (state) => {
      const { session, rig, lost } = state;
      const other = await session.generateKeyPair(wrappable("p-256", "other"));
      const foreign = await wrapOne(state, other);
      rig.faults.blob = () => foreign.blob;
      assert.match(problemOf(await unwrapped(state, [lost], TOKEN)), /not the recorded key/);
      assert.equal(await caOnly(state), 0);
      rig.faults.blob = undefined;
      assert.equal((await unwrapped(state, [lost], TOKEN))[0]?.status, "ok");
    });
  });

  for (const after of ["afterUnwrap", "afterPublicKey"] as const) {
    test(`C03: what a call has made that reports a failure is destroyed again, ${after}`, async () => {
      await withLost(async (state) => {
        await state.session.inspectKek(state.kek);
        for (const options of [TOKEN, { as: "token", lanes: 3 }] as const) {
          for (const code of [0x05, 0x06, 0x13]) {
            state.rig.faults[after] = () => {
              throw ckrError("C_X", code);
            };
            assert.match(problemOf(await unwrapped(state, [state.lost], options)), /C_X returned/);
            state.rig.faults[after] = undefined;
            assert.equal(await caOnly(state), 0);
          }
        }
        assert.equal((await unwrapped(state, [state.lost], TOKEN))[0]?.status, "ok");
      });
    });
  }

  test("C03: what cannot be destroyed again is named with its CKA_ID", async () => {
    await withLost(async (state) => {
      await state.session.inspectKek(state.kek);
      state.rig.faults.signature = flipped;
      state.rig.faults.keepsObjects = true;
      const groups = state.session.unwrapAll(state.kek, [state.lost], TOKEN);
      const first = await groups[Symbol.asyncIterator]().next();
      const says = `2 objects with CKA_ID ${state.lost.ckaId} are still there`;
      assert.match(JSON.stringify(first), new RegExp(says));
    });
  });

  for (const [what, change] of [
    ["wrong", flipped],
    ["cut short", (signature: Uint8Array): Uint8Array => signature.subarray(1)],
  ] as const) {
    test(`H19: a challenge signature that is ${what} counts for nothing`, async () => {
      await withLost(async (state) => {
        await state.session.wireFormats();
        for (const options of [TOKEN, { as: "session" }, { as: "token", lanes: 3 }] as const) {
          state.rig.faults.signature = change;
          assert.match(problemOf(await unwrapped(state, [state.lost], options)), /signature/);
          state.rig.faults.signature = undefined;
          assert.equal(await caOnly(state), 0);
        }
      });
    });
  }

  test("H10: an object that slips in during a batch is noticed at its end", async () => {
    await withLost(async (state) => {
      await state.session.inspectKek(state.kek);
      state.rig.faults.afterPublicKey = (session) => {
        const stray = [encode("CLASS", 3), encode("TOKEN", true), encode("ID", Uint8Array.of(9))];
        state.rig.raw().createObjectNow(session, stray);
      };
      await refused(unwrapped(state, [state.lost], TOKEN), {
        code: "hsm.bad-output",
        says: /0 objects are missing and 1 are there.*the private key 09/,
      });
    });
  });

  test("a copy that cannot be destroyed is named", async () => {
    await withLost(async (state) => {
      await state.session.inspectKek(state.kek);
      state.rig.faults.before = (call) => {
        if (call === "signNow") state.rig.faults.before = refuseDestroying;
      };
      const groups = state.session.unwrapAll(state.kek, [state.lost], { as: "session" });
      const outcomes: unknown[] = [];
      await refused(
        (async (): Promise<void> => {
          for await (const group of groups) outcomes.push(...group);
        })(),
        { code: "hsm.bad-output" },
      );
      assert.match(JSON.stringify(outcomes), /was proved, but not destroyed.*still there/);
    });
  });
});

function refuseDestroying(call: string): void {
  if (call === "destroyObject") throw ckrError("C_DestroyObject", 0x1b);
}
