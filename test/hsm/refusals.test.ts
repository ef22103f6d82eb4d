/** What is found out by trying: a failure of the moment is never taken for an answer. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ckrError, ckrOf } from "../../src/hsm/ckr.ts";
import { isRefusal, orRefused } from "../../src/hsm/refused.ts";
import type { Session } from "../../src/hsm/token.ts";
import { ready, wrappable, type Ready } from "../support/backup-rig.ts";
import { fakeRig, type FakeRig } from "../support/fake-hsm.ts";
import type { CallName } from "../support/faulty-module.ts";
import { PIN } from "../support/hsm-asserts.ts";
import { secret } from "../support/rig.ts";

const MOMENT = [0x02, 0x30, 0x31, 0x32, 0x82, 0xb3, 0xe0, 0x101, 0x201];
const REFUSAL = [0x07, 0x54, 0x63, 0x68, 0x6a, 0x70, 0x71, 0xd1, 0x110, 0x200];
const VAGUE = [0x05, 0x06];

const asked = (code: number): Error => ckrError("C_UnwrapKey", code);
const answering = (code: number) => (): unknown => {
  throw asked(code);
};

test("H01: whatever is said about token, session or machine is no refusal", () => {
  for (const code of MOMENT) {
    assert.equal(isRefusal(asked(code)), false);
    assert.throws(() => orRefused(answering(code)), asked(code));
  }
  for (const code of REFUSAL) {
    assert.equal(isRefusal(asked(code)), true);
    assert.equal(orRefused(answering(code)), undefined);
  }
  assert.equal(isRefusal(new Error("C_UnwrapKey returned CKR_MECHANISM_INVALID")), false);
  assert.throws(() => {
    orRefused(() => assert.fail("a bug"));
  }, /a bug/);
});

test("H01: a code that does not say why is asked for once more, and then believed", () => {
  for (const code of VAGUE) {
    for (const [failing, gives] of [
      [1, "an answer"],
      [2, undefined],
    ] as const) {
      let calls = 0;
      const answer = orRefused(() => {
        calls += 1;
        if (calls <= failing) throw asked(code);
        return "an answer";
      });
      assert.equal(answer, gives);
      assert.equal(calls, 2);
    }
    let calls = 0;
    const gone = (): never => {
      calls += 1;
      throw asked(calls === 1 ? code : 0x32);
    };
    assert.throws(() => {
      orRefused(gone);
    }, asked(0x32));
  }
});

/** What is tried, on a session that has found out nothing yet; the answers without a fault are the right ones. */
const TRIALS: Readonly<Record<string, (session: Session, at: Ready) => Promise<unknown>>> = {
  "which hashes a transport key opens": (session, { transport }) => session.oaepHashes(transport),
  "how the token wraps and unwraps": (session) => session.wireFormats(),
  "whether a KEK unwraps readable": async (session, { kek }) =>
    (await session.inspectKek(kek)).waivers,
  "whether a locked key can still leave": async (session) => {
    const key = await session.generateKeyPair(wrappable("p-256", "to-lock"));
    try {
      return (await session.lockKeys([key])).map(({ waivers }) => waivers);
    } finally {
      await session.destroyKeys([key]);
    }
  },
};

describe("H01: a call fails while something is found out by trying", () => {
  let rig: FakeRig;
  let at: Ready;
  before(async () => {
    rig = fakeRig();
    at = await ready(rig);
    await at.session.logout();
  });
  after(async () => {
    await rig.hsm.close();
    rig.remove();
  });

  /** What comes of it, and whether the nth such call was there to fail. */
  async function tried(
    trial: (session: Session, at: Ready) => Promise<unknown>,
    fault?: { readonly call: CallName; readonly nth: number; readonly code: number },
  ): Promise<{ readonly answer: unknown; readonly struck: boolean }> {
    const { serial, label } = at.token;
    const session = await rig.hsm.login(rig.module, serial, label, secret(PIN));
    let left = fault?.nth ?? 0;
    rig.faults.before = (call) => {
      if (call !== fault?.call) return;
      left -= 1;
      if (left === 0) throw ckrError(`C_${call}`, fault.code);
    };
    try {
      const answer = await trial(session, at).catch((error: unknown) => error);
      return { answer, struck: fault !== undefined && left <= 0 };
    } finally {
      rig.faults.before = undefined;
      await session.logout();
    }
  }

  for (const [what, trial] of Object.entries(TRIALS)) {
    test(`H01: ${what}`, async () => {
      const { answer: right } = await tried(trial);
      assert.ok(!(right instanceof Error), String(right));
      let faults = 0;
      for (const call of ["wrapKeyNow", "unwrapKeyNow", "createObjectNow"] as const) {
        for (let nth = 1, struck = true; struck; nth += 1) {
          for (const code of [0x30, 0x31, 0xb3, ...VAGUE]) {
            const came = await tried(trial, { call, nth, code });
            struck = came.struck;
            if (!struck) break;
            faults += 1;
            if (came.answer instanceof Error) assert.ok(byToken(came.answer), String(came.answer));
            else assert.deepEqual(came.answer, right, `${call} ${nth} ${code}`);
          }
        }
      }
      assert.ok(faults > 5, `${faults} faults`);
    });
  }
});

/** Whether what was returned by the token is what somebody is told. */
function byToken(error: Error): boolean {
  return ckrOf(error) !== undefined || ckrOf(error.cause) !== undefined;
}
