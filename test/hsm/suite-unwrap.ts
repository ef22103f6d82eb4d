/** The part of the backup suite about wrapping and unwrapping. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { WrappedKey } from "../../src/hsm/backup.ts";
import type { KeyAlgorithm } from "../../src/lib/algorithms.ts";
import { KEY_ALGORITHMS } from "../../src/lib/algorithms.ts";
import { refused, request } from "../support/hsm-asserts.ts";
import {
  item,
  manyKeys,
  problemOf,
  unwrapped,
  wrappable,
  wrapped,
  wrapOne,
} from "../support/backup-rig.ts";
import type { BackupState, BackupTraits } from "./suite-backup.ts";

/** Registers the tests, on a token with a KEK. */
export function unwrapTests(state: BackupState, traits: BackupTraits): void {
  const blobs = new Map<KeyAlgorithm, WrappedKey>();
  const blob = (algorithm: KeyAlgorithm): WrappedKey =>
    blobs.get(algorithm) ?? assert.fail(`${algorithm} was not wrapped`);

  describe("wrapping", () => {
    for (const algorithm of KEY_ALGORITHMS.filter((name) => name !== "rsa-4096")) {
      test(`H20: ${algorithm}: wrapped, opened again, and its copy destroyed`, async () => {
        const { session, rig } = state.now;
        if (!rig.traits.algorithms.includes(algorithm)) {
          assert.ok(!session.info.algorithms.includes(algorithm));
          return;
        }
        const key = await session.generateKeyPair(wrappable(algorithm, `ca-${algorithm}`));
        const before = await state.census();
        if (algorithm === "ed25519" && !traits.wrapsEd25519) {
          await refused(wrapped(state.now, key), {
            code: "hsm.not-supported",
            says: /ca-ed25519.*cannot wrap/,
          });
          return;
        }
        const one = await wrapOne(state.now, key);
        blobs.set(algorithm, one);
        assert.equal(one.format, "rfc5649");
        assert.equal(one.spkiSha256, key.spkiSha256);
        const [outcome] = await unwrapped(state.now, [item(one, algorithm, "copy")]);
        assert.equal(outcome?.status, "ok", JSON.stringify(outcome));
        assert.equal(outcome.privateAttributes["CKA_TOKEN"], false);
        assert.equal(outcome.privateAttributes["CKA_SENSITIVE"], true);
        assert.equal(outcome.privateAttributes["CKA_EXTRACTABLE"], false);
        assert.equal(await state.census(), before);
      });
    }

    test("a key that is not extractable is refused by name, and none is wrapped", async () => {
      const { session } = state.now;
      const bound = await session.generateKeyPair(request("p-256", "bound"));
      const good = blob("p-256");
      await refused(wrapped(state.now, good, bound), {
        code: "hsm.not-extractable",
        says: /bound/,
      });
      await session.destroyKeys([bound]);
    });

    test("H04: a key that is not the recorded one is refused", async () => {
      const { ckaId } = blob("p-256");
      for (const algorithm of ["p-384", "rsa-3072"] as const) {
        const { spki } = blob(algorithm);
        await refused(wrapped(state.now, { spki, ckaId }), { code: "hsm.object-missing" });
      }
      const { spki } = blob("p-256");
      await refused(wrapped(state.now, { spki, ckaId: "ff00" }), { code: "hsm.object-missing" });
    });

    test("a format that is not to be had is refused", async () => {
      const { session, kek } = state.now;
      await refused(collect(session.wrapAll(kek, [blob("p-256")], [])), {
        code: "hsm.not-supported",
      });
    });

    test("another KEK than the recorded one wraps nothing", async () => {
      const { session, kek } = state.now;
      const stale = { ...kek, checkValue: "00112233445566aa" };
      await refused(collect(session.wrapAll(stale, [blob("p-256")])), { code: "hsm.wrong-kek" });
    });
  });

  describe("unwrapping", () => {
    const bad: readonly (readonly [string, (bytes: Uint8Array) => Uint8Array])[] = [
      ["altered", (bytes) => bytes.map((byte, index) => (index === 20 ? byte ^ 1 : byte))],
      ["cut by eight bytes", (bytes) => bytes.subarray(0, bytes.length - 8)],
      ["cut by one byte", (bytes) => bytes.subarray(0, bytes.length - 1)],
      ["only sixteen bytes long", (bytes) => bytes.subarray(0, 16)],
      ["longer than it was", (bytes) => new Uint8Array([...bytes, ...bytes.subarray(0, 8)])],
    ];
    for (const [what, change] of bad) {
      test(`a wrapped key that is ${what} makes nothing, and does not stop the next`, async () => {
        const before = await state.census();
        const good = item(blob("p-256"), "p-256", "good");
        const worse = { ...good, label: "worse", ckaId: "0b0b", blob: change(good.blob) };
        const [first, second] = await unwrapped(state.now, [worse, good]);
        assert.equal(first?.status, "problem");
        assert.match(first.problem, /^worse was not restored: C_UnwrapKey returned CKR_/);
        assert.equal(second?.status, "ok");
        assert.equal(await state.census(), before);
      });
    }

    test("H19: a wrapped key of another key under the right name is destroyed again", async () => {
      const { session } = state.now;
      const other = await session.generateKeyPair(wrappable("p-256", "other"));
      const foreign = await wrapOne(state.now, other);
      const before = await state.census();
      const swapped = { ...item(blob("p-256"), "p-256", "swapped"), blob: foreign.blob };
      assert.match(
        problemOf(await unwrapped(state.now, [swapped])),
        /swapped was not restored: it is not the recorded key/,
      );
      const crossed = { ...swapped, blob: blob("p-384").blob };
      assert.match(problemOf(await unwrapped(state.now, [crossed])), /not restored/);
      const rsa = { ...swapped, blob: blob("rsa-3072").blob };
      assert.match(problemOf(await unwrapped(state.now, [rsa])), /not restored/);
      assert.equal(await state.census(), before);
      await session.destroyKeys([other]);
    });

    test("a record that is no key of its algorithm never reaches the token", async () => {
      const good = item(blob("p-256"), "p-256", "good");
      for (const wrong of [
        { ...good, spki: good.spki.subarray(0, 90) },
        { ...good, algorithm: "p-384" as const },
        { ...good, spki: good.spki.map((byte, index) => (index === 8 ? byte ^ 1 : byte)) },
      ]) {
        assert.match(
          problemOf(await unwrapped(state.now, [wrong])),
          /good was not restored: the recorded public key is no p-/,
        );
      }
    });

    test("H19: a record whose point is not on the curve proves nothing", async () => {
      const good = item(blob("p-256"), "p-256", "good");
      const off = {
        ...good,
        spki: good.spki.map((byte, index) => (index === 80 ? byte ^ 1 : byte)),
      };
      assert.match(problemOf(await unwrapped(state.now, [off])), /good was not restored/);
    });

    test("H10: what is on the token already is not unwrapped again", async () => {
      const before = await state.census();
      const here = item(blob("p-256"), "p-256", "new-label");
      const fresh = { ...here, ckaId: "0c0c" };
      for (const [taken, says] of [
        [here, /CKA_ID/],
        [fresh, /public key/],
        [{ ...fresh, label: "ca-p-384", spki: blob("p-384").spki }, /label/],
      ] as const) {
        await refused(unwrapped(state.now, [taken], { as: "token" }), {
          code: "hsm.object-exists",
          says,
        });
      }
      assert.equal(await state.census(), before);
    });

    test("H10: nothing in a list comes twice", async () => {
      const { session } = state.now;
      await session.destroyKeys([blob("p-384")]);
      const before = await state.census();
      const one = item(blob("p-384"), "p-384", "again");
      for (const twin of [
        one,
        { ...one, ckaId: "0d0d" },
        { ...one, ckaId: "0d0d", label: "third" },
      ]) {
        await refused(unwrapped(state.now, [one, twin], { as: "token" }), {
          code: "hsm.object-exists",
        });
      }
      assert.equal(await state.census(), before);
    });

    for (const algorithm of ["rsa-3072", "p-256", "p-384", "p-521"] as const) {
      test(`H19: ${algorithm} lost and restored signs under the recorded key`, async () => {
        const { session } = state.now;
        if (algorithm !== "p-384") await session.destroyKeys([blob(algorithm)]);
        const lost = item(blob(algorithm), algorithm, `back-${algorithm}`);
        const [outcome] = await unwrapped(state.now, [lost], { as: "token" });
        assert.equal(outcome?.status, "ok", JSON.stringify(outcome));
        assert.equal(outcome.privateAttributes["CKA_LOCAL"], false);
        assert.equal(outcome.privateAttributes["CKA_LABEL"], `back-${algorithm}`);
        assert.equal(outcome.privateAttributes["CKA_MODIFIABLE"], false);
        assert.equal(outcome.publicAttributes["CKA_PRIVATE"], false);
        assert.ok(Object.keys(outcome.privateAttributes).length >= 15);
        const scheme = algorithm === "rsa-3072" ? "rsa-pkcs1-sha256" : "ecdsa-sha256";
        const message = Uint8Array.of(1, 2, 3);
        assert.equal((await session.signAll([{ ...lost, scheme, message }])).length, 1);
        // What came back is locked for good.
        await refused(wrapped(state.now, lost), { code: "hsm.not-extractable" });
      });
    }
  });

  describe("many keys", () => {
    test("200 P-256 keys go out, are lost, and come back through four lanes", async () => {
      const { session } = state.now;
      const keys = await manyKeys(state.now, 200);
      const blobs = await wrapped(state.now, ...keys);
      assert.equal(blobs.length, 200);
      assert.equal(await session.destroyKeys(keys), 400);
      const items = blobs.map((one, index) => item(one, "p-256", `many-${index}`));
      const started: number[] = [];
      const outcomes = await unwrapped(state.now, items, {
        as: "token",
        lanes: 4,
        groupSize: 64,
        before: (group) => {
          started.push(group.length);
        },
      });
      assert.deepEqual(started, [64, 64, 64, 8]);
      assert.deepEqual(
        outcomes.map(({ status, spkiSha256 }) => [status, spkiSha256]),
        blobs.map(({ spkiSha256 }) => ["ok", spkiSha256]),
      );
      assert.equal(await session.destroyKeys(keys), 400);
    });
  });
}

async function collect<T>(groups: AsyncIterable<T>): Promise<void> {
  for await (const group of groups) assert.ok(group);
}
