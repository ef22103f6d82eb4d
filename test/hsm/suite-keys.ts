/** The part of the HSM suite about keys: generating, refusing, listing, signing. */

import assert from "node:assert/strict";
import { constants, createPublicKey, verify } from "node:crypto";
import { describe, test } from "node:test";
import { encode } from "../../src/hsm/attributes.ts";
import { ckrOf } from "../../src/hsm/ckr.ts";
import {
  KEY_ALGORITHMS,
  type KeyAlgorithm,
  type SignatureScheme,
} from "../../src/lib/algorithms.ts";
import { concat, hex, sha256Hex, utf8 } from "../../src/lib/encoding.ts";
import { refused, request } from "../support/hsm-asserts.ts";
import type { SuiteState } from "./suite-state.ts";

const SCHEMES: Readonly<Record<string, readonly SignatureScheme[]>> = {
  rsa: [
    ...(["rsa-pkcs1-sha256", "rsa-pkcs1-sha384", "rsa-pkcs1-sha512"] as const),
    ...(["rsa-pss-sha256", "rsa-pss-sha384", "rsa-pss-sha512"] as const),
  ],
  p: ["ecdsa-sha256", "ecdsa-sha384", "ecdsa-sha512"],
  ed25519: ["ed25519"],
};

function schemesOf(algorithm: KeyAlgorithm): readonly SignatureScheme[] {
  return SCHEMES[algorithm.split("-")[0] ?? ""] ?? [];
}

/** Registers the tests about keys, on a token with a session. */
export function keyTests(state: SuiteState): void {
  describe("keys", () => {
    for (const algorithm of KEY_ALGORITHMS) {
      test(`${algorithm}: generated as asked, or refused as unsupported`, async () => {
        const asked = request(algorithm, `key-${algorithm}`);
        if (!state.rig.traits.algorithms.includes(algorithm)) {
          await refused(state.session.generateKeyPair(asked), { code: "hsm.not-supported" });
          assert.equal(
            (await state.session.keys()).some(({ label }) => label === asked.label),
            false,
          );
          return;
        }
        const generated = await state.session.generateKeyPair(asked);
        state.made.set(algorithm, generated);
        assert.equal(generated.spkiSha256, sha256Hex(generated.spki));
        assert.equal(generated.privateAttributes["CKA_EXTRACTABLE"], false);
        assert.equal(generated.privateAttributes["CKA_SENSITIVE"], true);
        assert.equal(generated.privateAttributes["CKA_MODIFIABLE"], false);
        assert.equal(generated.publicAttributes["CKA_ID"], asked.ckaId);
        assert.ok(Object.keys(generated.privateAttributes).length >= 15);
        assert.equal(generated.waivers.length > 0, state.rig.name === "nss");
      });

      test(`${algorithm}: signs in every scheme that fits, and in no other`, async () => {
        const supported = state.rig.traits.algorithms.includes(algorithm);
        assert.equal(state.made.has(algorithm), supported);
        if (!supported) return;
        const { spki, ckaId } = state.key(algorithm);
        const message = utf8(`to be signed with ${algorithm}`);
        const schemes = schemesOf(algorithm);
        const signatures = await state.session.signAll(
          schemes.map((scheme) => ({ spki, ckaId, scheme, message })),
        );
        const publicKey = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
        for (const [index, scheme] of schemes.entries()) {
          const hash = /sha\d+$/.exec(scheme)?.[0] ?? null;
          const signature = signatures[index] ?? assert.fail("a signature is missing");
          const saltLength = Number(hash?.slice(3)) / 8;
          const padding = constants.RSA_PKCS1_PSS_PADDING;
          const how = scheme.startsWith("rsa-pss") ? { padding, saltLength } : {};
          assert.equal(verify(hash, message, { key: publicKey, ...how }, signature), true, scheme);
        }
        const foreign = algorithm.startsWith("p-") ? "rsa-pkcs1-sha256" : "ecdsa-sha256";
        await refused(state.session.signAll([{ spki, ckaId, scheme: foreign, message }]), {
          code: "hsm.not-supported",
        });
      });
    }

    test("an extractable key says so, and can be locked later", async () => {
      const asked = { ...request("p-256", "to-be-locked"), extractable: true };
      const { privateAttributes } = await state.session.generateKeyPair(asked);
      assert.equal(privateAttributes["CKA_EXTRACTABLE"], true);
      assert.equal(privateAttributes["CKA_NEVER_EXTRACTABLE"], false);
      assert.equal(privateAttributes["CKA_MODIFIABLE"], true);
    });

    test("H10: a label or CKA_ID that is taken is refused, and nothing is made", async () => {
      const taken = request("p-256", "key-p-256");
      const count = (await state.session.keys()).length;
      const newId = { ...taken, ckaId: "ff01" };
      const newLabel = { ...taken, label: "another" };
      for (const asked of [taken, newId, newLabel]) {
        await refused(state.session.generateKeyPair(asked), { code: "hsm.object-exists" });
      }
      assert.equal((await state.session.keys()).length, count);
    });

    test("the private value is never given", () => {
      const { ckaId } = state.key("p-256");
      const raw = state.rig.raw();
      const [slot] = raw
        .slots()
        .filter((one) => raw.tokenInfo(one).serial === state.token.serial)
        .slice(-1);
      const handle = raw.openSession(slot ?? assert.fail("no slot"), "read-only");
      const template = [encode("CLASS", 3), encode("ID", Buffer.from(ckaId, "hex"))];
      const [object] = raw.findObjects(handle, template);
      assert.throws(
        () => raw.getAttributes(handle, object ?? assert.fail("no key"), [0x11]),
        (error) => ckrOf(error) === "CKR_ATTRIBUTE_SENSITIVE",
      );
      raw.closeSession(handle);
    });

    test("without a login only public halves are told", async () => {
      const all = await state.session.keys();
      const seen = await state.rig.hsm.publicObjects(
        state.rig.module,
        state.token.serial,
        state.token.label,
      );
      assert.ok(seen.length > 0);
      assert.equal(
        seen.every(({ objectClass }) => objectClass === "public"),
        true,
      );
      assert.equal(seen.length, all.filter(({ objectClass }) => objectClass === "public").length);
      assert.equal(seen.length * 2, all.length);
    });
  });

  describe("signing", () => {
    const message = utf8("to be signed");
    const scheme = "ecdsa-sha256";

    test("finds no key under an unknown CKA_ID", async () => {
      const { spki } = state.key("p-256");
      await refused(state.session.signAll([{ spki, ckaId: "00ff", scheme, message }]), {
        code: "hsm.object-missing",
        says: /no private key/,
      });
    });

    test("H04: refuses a key that is not the recorded one", async () => {
      const { spki } = state.key("p-384");
      for (const algorithm of ["p-256", "p-521", "rsa-3072"] as const) {
        const { ckaId } = state.key(algorithm);
        await refused(state.session.signAll([{ spki, ckaId, scheme, message }]), {
          code: "hsm.object-missing",
        });
      }
    });

    test("one bad request spoils the batch", async () => {
      const { spki, ckaId } = state.key("p-256");
      const good = { spki, ckaId, scheme, message } as const;
      await refused(state.session.signAll([good, { ...good, ckaId: "00ff" }, good]), {
        code: "hsm.object-missing",
      });
    });

    test("calls on one session wait for each other", async () => {
      const { spki, ckaId } = state.key("p-256");
      const messages = Array.from({ length: 8 }, (_, index) => concat(message, utf8(`${index}`)));
      const all = await Promise.all(
        messages.map((one) => state.session.signAll([{ spki, ckaId, scheme, message: one }])),
      );
      assert.equal(new Set(all.flat().map(hex)).size, messages.length);
    });

    test("H10: refuses to choose between two keys with one CKA_ID", async () => {
      const { spki, ckaId } = state.key("p-256");
      await addKeyBehindOurBack(state, ckaId);
      const says = state.rig.traits.keepsDuplicates ? /2 private keys/ : /not the recorded one/;
      await refused(state.session.signAll([{ spki, ckaId, scheme, message }]), {
        code: "hsm.object-missing",
        says,
      });
    });
  });
}

async function addKeyBehindOurBack(state: SuiteState, ckaId: string): Promise<void> {
  const raw = state.rig.raw();
  const slot = raw.slots().findLast((one) => raw.tokenInfo(one).label === state.token.label);
  const handle = raw.openSession(slot ?? assert.fail("no slot"), "read-write");
  const common = [encode("TOKEN", true), encode("ID", Buffer.from(ckaId, "hex"))];
  await raw.generateKeyPair(
    handle,
    0x1040,
    [...common, encode("EC_PARAMS", Buffer.from("06082a8648ce3d030107", "hex"))],
    [...common, encode("PRIVATE", true), encode("SENSITIVE", true), encode("SIGN", true)],
  );
  raw.closeSession(handle);
}
