/**
 * Backup and restore, the same on each vendor's module and on the fake: KEKs, wrapping, unwrapping
 * with proof, locking, destroying – and everything that must be refused.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { encode } from "../../src/hsm/attributes.ts";
import type { WireFormat } from "../../src/hsm/backup.ts";
import { ckrOf } from "../../src/hsm/ckr.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import { refused, request } from "../support/hsm-asserts.ts";
import { behindOurBack, ready, type Ready } from "../support/backup-rig.ts";
import type { Rig } from "../support/rig.ts";
import { lifecycleTests } from "./suite-lifecycle.ts";
import { unwrapTests } from "./suite-unwrap.ts";

/** What a module can do; the suite expects exactly this. */
export interface BackupTraits {
  readonly wraps: readonly WireFormat[];
  readonly unwraps: readonly WireFormat[];
  readonly oaep: readonly string[];
  /** Whether CKA_UNWRAP_TEMPLATE and CKA_EXTRACTABLE bind whoever is logged in. */
  readonly enforces: boolean;
  readonly wrapsEd25519: boolean;
}

/** The token that goes from test to test. */
export class BackupState {
  #ready: Ready | undefined;

  get now(): Ready {
    return this.#ready ?? assert.fail("the token is not ready");
  }
  set now(value: Ready) {
    this.#ready = value;
  }

  /** Objects on the token, to be the same before and after what is refused. */
  async census(): Promise<string> {
    const objects = await this.now.session.inventory();
    return JSON.stringify(objects.map(({ objectClass, ckaId }) => objectClass + ckaId).sort());
  }
}

/** Registers the suite for one rig. */
export function backupSuite(makeRig: () => Rig, traits: BackupTraits): void {
  const state = new BackupState();
  before(async () => {
    state.now = await ready(makeRig());
  });
  after(async () => {
    await state.now.rig.hsm.close();
    state.now.rig.remove();
  });
  formatTests(state, traits);
  kekTests(state, traits);
  unwrapTests(state, traits);
  lifecycleTests(state, traits);
}

function formatTests(state: BackupState, traits: BackupTraits): void {
  describe("wire formats and transport keys", () => {
    test("formats are found out by trying, and nothing is left of it", async () => {
      const before = await state.census();
      const { wraps, unwraps } = await state.now.session.wireFormats();
      assert.deepEqual([...wraps].sort(), [...traits.wraps].sort());
      assert.deepEqual([...unwraps].sort(), [...traits.unwraps].sort());
      assert.equal(wraps[0], "rfc5649");
      assert.equal(await state.census(), before);
    });

    test("a transport key unwraps and does nothing else", async () => {
      const { transport, session } = state.now;
      const uses = ["SIGN", "SIGN_RECOVER", "DECRYPT", "DERIVE", "EXTRACTABLE"];
      for (const use of uses) assert.equal(transport.privateAttributes[`CKA_${use}`], false, use);
      assert.equal(transport.privateAttributes["CKA_UNWRAP"], true);
      assert.equal(transport.publicAttributes["CKA_WRAP"], true);
      assert.equal(transport.publicAttributes["CKA_ENCRYPT"], false);
      assert.deepEqual(await session.oaepHashes(transport), traits.oaep);
    });

    test("only RSA makes transport keys", async () => {
      const asked = { ...request("p-256", "ec-transport"), purpose: "transport" } as const;
      const before = await state.census();
      await refused(state.now.session.generateKeyPair(asked), { code: "hsm.not-supported" });
      assert.equal(await state.census(), before);
    });
  });
}

function kekTests(state: BackupState, traits: BackupTraits): void {
  describe("a KEK", () => {
    test("is a token object that only wraps and unwraps", async () => {
      const { kek, transport, session } = state.now;
      for (const name of ["SENSITIVE", "TOKEN", "PRIVATE", "WRAP", "UNWRAP"]) {
        assert.equal(kek.attributes[`CKA_${name}`], true, name);
      }
      for (const name of ["EXTRACTABLE", "ENCRYPT", "DECRYPT", "SIGN", "DERIVE", "MODIFIABLE"]) {
        assert.equal(kek.attributes[`CKA_${name}`], false, name);
      }
      assert.match(kek.checkValue, /^[0-9a-f]{16}$/);
      const [envelope, ...more] = kek.envelopes;
      assert.equal(more.length, 0);
      assert.equal(envelope?.spkiSha256, transport.spkiSha256);
      assert.equal(envelope.oaep, traits.oaep[0]);
      // The session object it was born as is gone.
      const secrets = (await session.inventory()).filter((one) => one.objectClass === "secret");
      assert.deepEqual(
        secrets.map(({ ckaId, onToken }) => [ckaId, onToken]),
        [[kek.ckaId, true]],
      );
    });

    test("is the same when looked at again, and no other", async () => {
      const { kek, session } = state.now;
      assert.equal((await session.inspectKek(kek)).checkValue, kek.checkValue);
      const other = { ...kek, checkValue: "0123456789abcdef" };
      await refused(session.inspectKek(other), { code: "hsm.wrong-kek", says: /0123456789abcdef/ });
      await refused(session.inspectKek({ ...kek, ckaId: "4b99" }), { code: "hsm.object-missing" });
    });

    test("unwraps nothing readable, or says so", async () => {
      const { kek } = state.now;
      const residual = kek.waivers.some((waiver) => waiver.includes("CKA_UNWRAP_TEMPLATE"));
      assert.equal(residual, !traits.enforces);
      const readable = await behindOurBack(state.now, (raw, session) => {
        const secretKey = [encode("CLASS", 4), encode("KEY_TYPE", 0x1f), encode("TOKEN", false)];
        const [object = 0n] = raw.findObjects(session, [
          encode("ID", Buffer.from(kek.ckaId, "hex")),
          encode("CLASS", 4),
        ]);
        const bait = raw.createObjectNow(session, [
          ...secretKey,
          encode("VALUE", new Uint8Array(32)),
          encode("EXTRACTABLE", true),
        ]);
        const blob = raw.wrapKeyNow(session, { mechanism: 0x2109 }, object, bait);
        const weak = [
          ...secretKey,
          encode("SENSITIVE", false),
          encode("EXTRACTABLE", true),
          encode("PRIVATE", true),
        ];
        try {
          raw.unwrapKeyNow(session, { mechanism: 0x2109 }, object, blob, weak);
          return true;
        } catch (error) {
          assert.equal(ckrOf(error), "CKR_TEMPLATE_INCONSISTENT");
          return false;
        }
      });
      assert.equal(readable, !traits.enforces);
    });

    test("H10: takes no name that is taken", async () => {
      const { session, transport } = state.now;
      const before = await state.census();
      for (const taken of [
        { label: "kek", ckaId: "4b02" },
        { label: "kek-2", ckaId: "4b01" },
        { label: "transport", ckaId: "4b02" },
      ]) {
        const asked = { ...taken, ownTransport: transport, transports: [] };
        await refused(session.establishKek(asked), { code: "hsm.object-exists" });
      }
      assert.equal(await state.census(), before);
    });

    test("comes only out of an envelope of its own transport key", async () => {
      const { session, transport, kek } = state.now;
      const [envelope = assert.fail("no envelope")] = kek.envelopes;
      const before = await state.census();
      const asked = { label: "kek-2", ckaId: "4b02", transport, checkValue: kek.checkValue };
      const foreign = { ...envelope, spkiSha256: sha256Hex("another key") };
      await refused(session.loadKek({ ...asked, envelope: foreign }), { code: "hsm.wrong-kek" });
      const altered = { ...envelope, envelope: envelope.envelope.map((byte) => byte ^ 1) };
      await refused(session.loadKek({ ...asked, envelope: altered }), { code: "hsm.call-failed" });
      const generation = { ...asked, envelope, checkValue: "0000000000000000" };
      await refused(session.loadKek(generation), { code: "hsm.wrong-kek" });
      const moved = { ...asked, envelope, transport: { ...transport, ckaId: "4b77" } };
      await refused(session.loadKek(moved), { code: "hsm.object-missing" });
      assert.equal(await state.census(), before);
    });

    test("is sent on to a transport key that came later, and nothing of it stays", async () => {
      const { session, transport, kek } = state.now;
      const [envelope = assert.fail("no envelope")] = kek.envelopes;
      const names = { ...request("rsa-3072", "transport-2"), purpose: "transport" } as const;
      const later = await session.generateKeyPair(names);
      const before = await state.census();
      const to = { spki: later.spki, oaep: await session.oaepHashes(later) };
      const asked = { transport, envelope, checkValue: kek.checkValue, to };
      const sent = await session.resealKek(asked);
      assert.equal(sent.spkiSha256, later.spkiSha256);
      await refused(session.resealKek({ ...asked, envelope: sent }), {
        code: "hsm.wrong-kek",
        says: /addressed to another/,
      });
      await refused(session.resealKek({ ...asked, checkValue: "0000000000000000" }), {
        code: "hsm.wrong-kek",
        says: /nothing was sent|not 0000000000000000/,
      });
      const { spki } = await session.generateKeyPair(request("p-256", "no-transport"));
      await refused(session.resealKek({ ...asked, to: { spki } }), { code: "hsm.not-supported" });
      await session.destroyKeys([{ ckaId: request("p-256", "no-transport").ckaId, spki }]);
      assert.equal(await state.census(), before);
      const names2 = { label: "kek-2", ckaId: "4b02", checkValue: kek.checkValue };
      const loaded = await session.loadKek({ ...names2, transport: later, envelope: sent });
      await session.destroyKek(loaded);
      await session.destroyKeys([later]);
    });
  });
}
