/**
 * D03: what known attacks on implementations look like, against everything that verifies, opens or accepts: our three
 * verifiers of Ed25519 (the program's, the page's, the one in Python), signatures of tokens and certificates, key
 * wrapping, age's keys and its cipher.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { webcrypto } from "node:crypto";
import { join } from "node:path";
import { describe, test } from "node:test";
import { openInSoftware, wrapInSoftware } from "../../src/hsm/aes-wrap.ts";
import { ecdsaToDer } from "../../src/hsm/ecdsa.ts";
import { judgeNow, JudgingThread } from "../../src/hsm/verifier.ts";
import { whyRecipientRefused } from "../../src/lib/age.ts";
import { encodeBech32 } from "../../src/lib/bech32.ts";
import { open, seal } from "../../src/lib/chacha.ts";
import { verifySignature as verifyEd25519 } from "../../src/lib/ed25519.ts";
import { concat, equalBytes, fromUtf8 } from "../../src/lib/encoding.ts";
import type { SignatureScheme } from "../../src/lib/algorithms.ts";
import { verifySignature } from "../../src/pki/signature.ts";
import { chooseCrypto, PLAIN, type Subtle } from "../../src/report/in-page/crypto.ts";
import { ROOT } from "../support/rehearsed-site.ts";
import { assertJudged, bytesOf, vectorFile, vectors, type Vector } from "../support/wycheproof.ts";

const NOTHING = new Uint8Array();
const spkiOf = ({ group }: Vector): Uint8Array => bytesOf(String(group));

/** Message and signature of a vector, and the raw key of an Ed25519 group. */
function signed(one: Vector): readonly [key: Uint8Array, message: Uint8Array, sig: Uint8Array] {
  const [message = NOTHING, signature = NOTHING] = one.parts;
  return [spkiOf(one).slice(-32), message, signature];
}

describe("Ed25519", () => {
  const all = vectors("ed25519", 151);

  test("D03: the program's verifier judges every vector as it should", () => {
    assertJudged(all, (one) => verifyEd25519(...signed(one)));
  });

  test("D03: so does the page's own, and the page's with a browser's crypto", async () => {
    const browser = await chooseCrypto(webcrypto.subtle as unknown as Subtle);
    assert.equal(browser.signatures, "browser");
    for (const crypto of [PLAIN, browser]) {
      const said = new Map<Vector, boolean>();
      for (const one of all) said.set(one, await crypto.verify(...signed(one)));
      assertJudged(all, (one) => said.get(one) === true);
    }
  });

  test("D03: so does the second verifier, docs/verify.py", () => {
    const script = join(ROOT, "test", "support", "ed25519-judge.py");
    const args = [script, join(ROOT, "docs", "verify.py"), vectorFile("ed25519")];
    const python = spawnSync("python3", args, { encoding: "utf8" });
    assert.equal(python.status, 0, python.stderr);
    const accepted = new Set(JSON.parse(python.stdout) as number[]);
    assertJudged(all, ({ id }) => accepted.has(id));
  });
});

const SCHEMES = [
  ["ecdsa_secp256r1_sha256", 484, "ecdsa-sha256", "sha256"],
  ["ecdsa_secp384r1_sha384", 504, "ecdsa-sha384", "sha384"],
  ["rsa_signature_3072_sha256", 259, "rsa-pkcs1-sha256", "sha256"],
  ["rsa_pss_3072_sha256_mgf1_32", 108, "rsa-pss-sha256", null],
] as const satisfies readonly (readonly [string, number, SignatureScheme, string | null])[];

for (const [name, count, scheme, hash] of SCHEMES) {
  test(`D03: ${name}: signatures of certificates and of tokens are judged as they should be`, () => {
    const all = vectors(name, count);
    assertJudged(all, (one) => {
      const [message = NOTHING, signature = NOTHING] = one.parts;
      return verifySignature(scheme, spkiOf(one), message, signature);
    });
    if (hash === null) return;
    assertJudged(all, (one) => {
      const [message = NOTHING, signature = NOTHING] = one.parts;
      return judgeNow({ hash, spki: spkiOf(one), message, signature });
    });
  });
}

test("D03: a raw ECDSA signature, as tokens give it, is judged as it should be, on this thread and on another", async () => {
  const all = vectors("ecdsa_secp256r1_sha256_p1363", 262);
  const thread = new JudgingThread();
  try {
    const said = new Map<Vector, readonly boolean[]>();
    for (const one of all) {
      const [message = NOTHING, raw = NOTHING] = one.parts;
      // The two halves of a longer or shorter one are other numbers: a token's length is looked at before.
      const signature = raw.length === 64 ? ecdsaToDer(raw) : NOTHING;
      const spki = spkiOf(one);
      const what = { hash: "sha256", spki, message, signature };
      const ec = { curve: "P-256", point: spki.slice(-65) };
      const judged = [await thread.judge(what), await thread.judge({ ...what, ec })];
      said.set(one, [judgeNow(what), ...judged]);
    }
    for (const which of [0, 1, 2]) assertJudged(all, (one) => said.get(one)?.[which] === true);
  } finally {
    await thread.close();
  }
});

for (const [name, count, format] of [
  ["aes_wrap", 165, "rfc3394"],
  ["aes_kwp", 254, "rfc5649"],
] as const) {
  test(`D03: ${name}: what is wrapped under an AES-256 key opens as it should, and nothing else does`, () => {
    const all = vectors(name, count).filter(({ group }) => isOf(group, { bits: 256 }));
    assert.ok(all.length > 40);
    assertJudged(all, ({ parts: [key = NOTHING, data = NOTHING, wrapped = NOTHING] }) => {
      const opened = openInSoftware(format, key, wrapped);
      return opened !== undefined && equalBytes(opened, data);
    });
    for (const { parts, result } of all) {
      const [key = NOTHING, data = NOTHING, wrapped = NOTHING] = parts;
      if (result === "valid") assert.deepEqual(wrapInSoftware(format, key, data, NOTHING), wrapped);
    }
  });
}

test("D03: nobody can be enrolled with an X25519 key with which everybody agrees on zero", () => {
  const all = vectors("x25519", 518);
  let zero = 0;
  for (const { id, parts } of all) {
    const [key = NOTHING, agreed = NOTHING] = parts;
    const refusal = whyRecipientRefused(fromUtf8(encodeBech32("age", key)));
    if (agreed.some((byte) => byte !== 0)) {
      assert.ok(refusal === undefined || refusal.includes("non-canonical"), String(id));
      continue;
    }
    zero += 1;
    assert.notEqual(refusal, undefined, String(id));
  }
  assert.ok(zero > 20, "keys of small order are among them");
});

test("D03: chacha20_poly1305: what age's cipher seals opens, and nothing that was altered does", () => {
  const all = vectors("chacha20_poly1305", 325).filter(
    ({ group, parts }) => isOf(group, { iv: 96, tag: 128 }) && parts[2]?.length === 0,
  );
  assert.ok(all.length > 20);
  assertJudged(all, ({ parts }) => {
    const [key = NOTHING, nonce = NOTHING, , text = NOTHING, sealed = NOTHING, tag] = parts;
    const opened = open(key, nonce, concat(sealed, tag ?? NOTHING));
    return opened !== undefined && equalBytes(opened, text);
  });
  for (const { parts, result } of all) {
    const [key = NOTHING, nonce = NOTHING, , text = NOTHING, sealed = NOTHING, tag] = parts;
    const whole = concat(sealed, tag ?? NOTHING);
    if (result === "valid") assert.deepEqual(seal(key, nonce, text), whole);
  }
});

/** Whether a group states these sizes. */
function isOf(group: unknown, sizes: Readonly<Record<string, number>>): boolean {
  const stated = group as Readonly<Record<string, unknown>>;
  return Object.entries(sizes).every(([name, size]) => stated[name] === size);
}
