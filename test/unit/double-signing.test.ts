/** Between lint and file: whatever is changed on the way to the token, in it, or on the way back is caught. */

import assert from "node:assert/strict";
import { sign as signInSoftware } from "node:crypto";
import { test } from "node:test";
import { rehearse, requireAgreed, signAgreed } from "../../src/actions/lib/double-signing.ts";
import { certificateForm } from "../../src/actions/lib/certificate-form.ts";
import type { Room } from "../../src/ceremony/action.ts";
import type { NamedKey } from "../../src/ceremony/key-choice.ts";
import type { SignRequest } from "../../src/hsm/token.ts";
import { KEY_ALGORITHMS, schemesFor, type SignatureScheme } from "../../src/lib/algorithms.ts";
import { hex, sha256, sha256Hex } from "../../src/lib/encoding.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { hashOf } from "../../src/pki/algorithms.ts";
import { buildCertificate } from "../../src/pki/build.ts";
import { parseDn } from "../../src/pki/names.ts";
import { requireProfile } from "../../src/pki/profile-file.ts";
import { serialFrom } from "../../src/pki/profile.ts";
import { padding } from "../../src/pki/signature.ts";
import { CopiesDesk } from "../support/copies-desk.ts";
import { shippedProfile } from "../support/profiles.ts";
import { softKey, type SoftKey } from "../support/pki.ts";

const NOW = Date.parse("2026-11-24T05:00:00Z");
const { custody } = new CopiesDesk();
const profile = requireProfile(shippedProfile("private-root"), "private-root.yaml");

function rootOf(key: SoftKey) {
  const { tbs, scheme } = buildCertificate({
    ...{ kind: "root", profile, nowMs: NOW, validity: {} },
    serial: serialFrom(sha256("a serial number").subarray(0, 20)),
    spki: key.spki,
    subject: parseDn("CN=Root,O=Example,C=DE"),
  });
  const named: NamedKey = {
    spki: sha256Hex(key.spki),
    label: "root",
    ckaId: "0102",
    algorithm: key.algorithm,
  };
  return { tbs, scheme, key: named };
}

function signature(key: SoftKey, scheme: SignatureScheme, message: Uint8Array): Uint8Array {
  const how = { key: key.privateKey, dsaEncoding: "der", ...padding(scheme) } as const;
  return new Uint8Array(signInSoftware(hashOf(scheme), message, how));
}

const p256 = softKey("p-256");
const { tbs, scheme, key } = rootOf(p256);
const form = await certificateForm(custody, { profile, issuer: null, key, fresh: false });

/** A room whose token signs as the test says. */
function roomOf(sign: (request: SignRequest) => Uint8Array): Room {
  const session = () => ({
    signAll: (requests: readonly SignRequest[]) => Promise.resolve(requests.map(sign)),
  });
  return { tokens: { session } } as unknown as Room;
}

function agreedTo(bytes: Uint8Array) {
  return { token: "alpha", key, spki: p256.spki, scheme, tbs: bytes, sha256: sha256Hex(tbs) };
}

function refuses(code: string) {
  return (error: unknown): true => {
    assert.ok(error instanceof KeyriteError);
    assert.equal(error.code, code, error.message);
    return true;
  };
}

const flipped = (bytes: Uint8Array, at: number): Uint8Array =>
  bytes.map((byte, i) => (i === at ? byte ^ 0x01 : byte));

test("what an honest token signs passes, and is a self-signed certificate of the agreed bytes", async () => {
  const der = await signAgreed(
    roomOf(({ message }) => signature(p256, scheme, message)),
    form,
    agreedTo(tbs),
  );
  assert.ok(hex(der).includes(hex(tbs)));
  requireAgreed(form, der, agreedTo(tbs));
});

test("H06: no byte of the agreed bytes can be changed on the way to the token", async () => {
  for (let at = 0; at < tbs.length; at += 1) {
    let asked = false;
    const room = roomOf(({ message }) => {
      asked = true;
      return signature(p256, scheme, message);
    });
    await assert.rejects(
      signAgreed(room, form, agreedTo(flipped(tbs, at))),
      refuses("people.agreement-invalid"),
    );
    assert.equal(asked, false, `byte ${at}: the token was not asked`);
  }
});

test("H06: a token that signs other bytes, whichever, makes no certificate", async () => {
  for (let at = 0; at < tbs.length; at += 1) {
    const room = roomOf(({ message }) => signature(p256, scheme, flipped(message, at)));
    await assert.rejects(signAgreed(room, form, agreedTo(tbs)), refuses("hsm.bad-output"));
  }
});

test("H06: bytes that are changed in memory while the token signs them are caught", async () => {
  for (let at = 0; at < tbs.length; at += 7) {
    const bytes = new Uint8Array(tbs);
    const room = roomOf(({ message }) => {
      // The very array: what is compared afterwards is compared with the digest that people agreed to.
      message[at] = (message[at] ?? 0) ^ 0x01;
      return signature(p256, scheme, message);
    });
    await assert.rejects(
      signAgreed(room, form, agreedTo(bytes)),
      refuses("people.agreement-invalid"),
    );
  }
});

test("H06: a signature of another key, or none, makes no certificate", async () => {
  const other = softKey("p-256");
  for (const sign of [
    ({ message }: SignRequest) => signature(other, scheme, message),
    () => new Uint8Array(),
    () => new Uint8Array(70),
    () => sha256("no signature"),
  ]) {
    await assert.rejects(signAgreed(roomOf(sign), form, agreedTo(tbs)), refuses("hsm.bad-output"));
  }
});

test("a file that lies there is taken for the agreed one only when every byte of it is", async () => {
  const der = await signAgreed(
    roomOf(({ message }) => signature(p256, scheme, message)),
    form,
    agreedTo(tbs),
  );
  for (let at = 0; at < der.length; at += 1) {
    assert.throws(() => {
      requireAgreed(form, flipped(der, at), agreedTo(tbs));
    }, `byte ${at}`);
  }
});

for (const algorithm of KEY_ALGORITHMS) {
  test(`a root of ${algorithm} is issued under a throw-away key first, in every scheme`, async () => {
    const signer = softKey(algorithm);
    const root = rootOf(signer);
    const about = await certificateForm(custody, { ...root, profile, issuer: null, fresh: false });
    const { der, warnings } = await rehearse(about, root.tbs, root.scheme, root.key);
    assert.ok(hex(der).includes(hex(root.tbs)));
    assert.deepEqual(warnings, []);
    assert.ok(schemesFor(algorithm).includes(root.scheme));
    // Under its own key it is another certificate: nothing that the throw-away key signed is one of ours.
    assert.throws(() => {
      about.check(der, { tbs: root.tbs, spki: signer.spki });
    }, refuses("hsm.bad-output"));
  });
}
