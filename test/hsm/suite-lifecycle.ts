/** The part of the backup suite about locking, destroying, escrow and order on a token. */

import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { describe, test } from "node:test";
import { openInSoftware, withoutTrailingZeros } from "../../src/hsm/aes-wrap.ts";
import { encode } from "../../src/hsm/attributes.ts";
import { checkValueInSoftware } from "../../src/hsm/check-value.ts";
import { concat, hex } from "../../src/lib/encoding.ts";
import { Secret } from "../../src/lib/secret.ts";
import { all, behindOurBack, item, wrappable, wrapped } from "../support/backup-rig.ts";
import { refused } from "../support/hsm-asserts.ts";
import type { BackupState, BackupTraits } from "./suite-backup.ts";

/** Registers the tests, on a token with a KEK. */
export function lifecycleTests(state: BackupState, traits: BackupTraits): void {
  describe("locking", () => {
    test("makes a key stay for good, or says what it cannot", async () => {
      const { session } = state.now;
      const key = await session.generateKeyPair(wrappable("p-256", "to-lock"));
      assert.equal((await wrapped(state.now, key)).length, 1);
      for (const round of ["first", "again"]) {
        const [locked] = await session.lockKeys([key]);
        assert.equal(locked?.attributes["CKA_EXTRACTABLE"], false, round);
        assert.equal(locked.waivers.length, traits.enforces ? 0 : 1);
      }
      await refused(wrapped(state.now, key), { code: "hsm.not-extractable", says: /to-lock/ });
      await refused(session.lockKeys([{ ...key, ckaId: "ee01" }]), { code: "hsm.object-missing" });
      await session.destroyKeys([key]);
    });
  });

  describe("destroying", () => {
    test("takes both halves and nothing else", async () => {
      const { session } = state.now;
      const before = await state.census();
      const key = await session.generateKeyPair(wrappable("p-256", "doomed"));
      const other = await session.generateKeyPair(wrappable("p-256", "kept"));
      // The name of one and the key of the other: neither may go.
      await refused(session.destroyKeys([{ ckaId: key.ckaId, spki: other.spki }]), {
        code: "hsm.object-missing",
      });
      await refused(session.destroyKeys([key, { ckaId: "ee02", spki: undefined }]), {
        code: "hsm.object-missing",
      });
      assert.equal(await session.destroyKeys([key]), 2);
      assert.equal(await session.destroyKeys([{ ckaId: other.ckaId, spki: undefined }]), 2);
      assert.equal(await state.census(), before);
    });
  });

  describe("H10: two objects with one CKA_ID", () => {
    test("H10: are neither wrapped, locked nor destroyed by guess", async () => {
      const { session, rig } = state.now;
      const key = await session.generateKeyPair(wrappable("p-256", "twin"));
      await behindOurBack(state.now, async (raw, handle) => {
        const common = [encode("TOKEN", true), encode("ID", Buffer.from(key.ckaId, "hex"))];
        const curve = encode("EC_PARAMS", Buffer.from("06082a8648ce3d030107", "hex"));
        const own = [encode("PRIVATE", true), encode("SENSITIVE", true), encode("SIGN", true)];
        const gone = encode("DESTROYABLE", true);
        const last = rig.name === "nss" ? [] : [gone];
        await raw.generateKeyPair(
          handle,
          0x1040,
          [...common, curve, ...last],
          [...common, ...own, ...last],
        );
      });
      for (const attempt of [
        (): Promise<unknown> => wrapped(state.now, key),
        (): Promise<unknown> => session.lockKeys([key]),
        (): Promise<unknown> => session.destroyKeys([key]),
      ]) {
        await refused(attempt(), { code: "hsm.object-missing" });
      }
      await session.destroyKeys([{ ckaId: key.ckaId, spki: undefined }]);
    });
  });

  describe("an escrowed KEK", () => {
    test("is what its value says, on paper as on the token", async () => {
      const { session } = state.now;
      const value = await session.exportedKek();
      const kek = await session.importKek(value, { label: "escrowed", ckaId: "e501" });
      assert.equal(kek.checkValue, value.use(checkValueInSoftware));
      assert.equal(kek.attributes["CKA_EXTRACTABLE"], false);
      const key = await session.generateKeyPair(wrappable("p-384", "under-escrow"));
      const [one] = await all(session.wrapAll(kek, [key]));
      const opened = value.use((bytes) =>
        openInSoftware("rfc5649", bytes, one?.blob ?? assert.fail("nothing was wrapped")),
      );
      const pkcs8 = Buffer.from(withoutTrailingZeros(opened ?? assert.fail("does not open")) ?? []);
      const found = createPublicKey(createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" }));
      const spki = concat(found.export({ format: "der", type: "spki" }));
      assert.equal(hex(spki), hex(key.spki));
      value.wipe();
      await session.destroyKeys([key]);
    });

    test("of another value, length or record is refused", async () => {
      const { session, kek } = state.now;
      const before = await state.census();
      const zeros = Secret.take(new Uint8Array(32));
      const asked = { label: "forged", ckaId: "e502", checkValue: kek.checkValue };
      await refused(session.importKek(zeros, asked), { code: "hsm.wrong-kek" });
      const short = Secret.take(new Uint8Array(16));
      await refused(session.importKek(short, asked), { code: "hsm.wrong-kek", says: /16/ });
      assert.equal(await state.census(), before);
    });

    test("does not open what another KEK wrapped", async () => {
      const { session } = state.now;
      const key = await session.generateKeyPair(wrappable("p-256", "elsewhere"));
      const [one] = await wrapped(state.now, key);
      const value = Secret.take(new Uint8Array(32).fill(7));
      const second = await session.importKek(value, { label: "second", ckaId: "e503" });
      const items = [item(one ?? assert.fail("nothing was wrapped"), "p-256", "copy")];
      const [outcome] = await all(session.unwrapAll(second, items, { as: "session" }));
      assert.equal(outcome?.status, "problem");
      await session.destroyKeys([key]);
      await session.destroyKek(second);
      await refused(session.inspectKek(second), { code: "hsm.object-missing" });
    });
  });

  describe("order", () => {
    test("H11: our own objects break no rule of ours", async () => {
      const { session, kek } = state.now;
      const findings = await session.lintObjects({ keks: [kek.ckaId, "e501"] });
      const ours = findings.filter(({ label }) => label === "kek" || label === "transport");
      assert.deepEqual(ours, []);
      const foreign = await session.lintObjects({ keks: [kek.ckaId] });
      assert.ok(foreign.some(({ rule, ckaId }) => rule === "foreign-kek" && ckaId === "e501"));
    });

    test("storage is settled without complaint", async () => {
      await state.now.session.settleStorage();
      assert.ok((await state.now.session.inventory()).length > 0);
    });
  });
}
