/**
 * H03, H06, H07, H09, H10: a token that lies about the keys it makes. Every attribute that is compared is answered
 * wrongly, for every kind of key; signatures and public keys come back altered; randomness is bad; other objects
 * slip in; and the token is exchanged at each look before a login. Nothing of it may pass.
 */

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { ALGORITHMS } from "../../src/hsm/algorithms.ts";
import { encode } from "../../src/hsm/attributes.ts";
import { ckrError, ckrOf } from "../../src/hsm/ckr.ts";
import { judgeRsaModulus } from "../../src/hsm/key-quality.ts";
import { templatesFor } from "../../src/hsm/templates.ts";
import type { GenerateRequest } from "../../src/hsm/token.ts";
import type { KeyAlgorithm, SignatureScheme } from "../../src/lib/algorithms.ts";
import { utf8 } from "../../src/lib/encoding.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { figure } from "../support/fault-run.ts";
import { onFake, PIN, request, type Opened } from "../support/hsm-asserts.ts";
import { secret } from "../support/rig.ts";

const RSA = Object.fromEntries(
  [3072, 4096].map((bits) => [bits, generateKeyPairSync("rsa", { modulusLength: bits })]),
);

/** RSA keys are not made anew for every lie. */
const options = {
  keyPairs: (facts: (typeof ALGORITHMS)[KeyAlgorithm]) =>
    facts.family === "rsa" ? RSA[facts.modulusBits] : undefined,
};

/** Every kind of key that is asked for. */
const KINDS: readonly GenerateRequest[] = (Object.keys(ALGORITHMS) as KeyAlgorithm[]).flatMap(
  (algorithm) => {
    const kept = request(algorithm, "root");
    const transport = { ...kept, purpose: "transport" } as const;
    const isRsa = ALGORITHMS[algorithm].family === "rsa";
    return [kept, { ...kept, extractable: true }, ...(isRsa ? [transport] : [])];
  },
);

type Change = (value: Uint8Array) => Uint8Array | undefined;

/** What a lie makes of a value. */
const LIES: Readonly<Record<string, Change>> = {
  flipped: (value) => value.map((byte, index) => (index === 0 ? byte ^ 1 : byte)),
  "its last byte flipped": (value) =>
    value.map((byte, index) => (index === value.length - 1 ? byte ^ 1 : byte)),
  shorter: (value) => value.subarray(1),
  longer: (value) => Uint8Array.of(...value, 0),
  "not given": () => undefined,
};

/** What an attempt ended with: undefined when it succeeded. @throws whatever is no error of ours */
async function outcome(attempt: Promise<unknown>): Promise<KeyriteError | undefined> {
  try {
    await attempt;
    return undefined;
  } catch (error) {
    if (error instanceof KeyriteError && error.code.startsWith("hsm.")) return error;
    throw error;
  }
}

test("H06: every attribute of every kind of key, answered wrongly, is caught", async () => {
  const attributes = new Set<string>();
  const counts = { kinds: KINDS.length, attributes: 0, lies: 0, caught: 0, passed: 0 };
  const through: string[] = [];
  for (const asked of KINDS) {
    const { publicKey, privateKey } = templatesFor(asked);
    for (const [half, entries] of [
      ["public", publicKey],
      ["private", privateKey],
    ] as const) {
      // By class and id the two halves are found at all: without them there is no key to compare.
      for (const { name } of entries.filter((one) => !["CLASS", "ID"].includes(one.name))) {
        attributes.add(`${half} ${name}`);
        for (const [lie, answer] of Object.entries(LIES)) {
          await onFake(async ({ rig, session }) => {
            rig.faults.attribute = { half, name, answer };
            const error = await outcome(session.generateKeyPair(asked));
            counts.lies += 1;
            if (error !== undefined) counts.caught += 1;
            else {
              counts.passed += 1;
              through.push(`${asked.algorithm} ${asked.purpose} ${half} ${name} ${lie}`);
            }
          }, options);
        }
      }
    }
  }
  counts.attributes = attributes.size;
  figure("H06", "attributes of new keys, answered wrongly", counts);
  assert.deepEqual(through, []);
  assert.ok(attributes.size >= 30);
});

/** A scheme that each kind of key signs with. */
const SCHEMES: Readonly<Record<KeyAlgorithm, SignatureScheme>> = {
  ...{ "rsa-3072": "rsa-pss-sha256", "rsa-4096": "rsa-pss-sha384" },
  ...{ "p-256": "ecdsa-sha256", "p-384": "ecdsa-sha384", "p-521": "ecdsa-sha512" },
  ed25519: "ed25519",
};

test("H06: signatures and public keys of every kind of key, altered, are caught", async () => {
  const counts = { signatures: 0, publicKeys: 0, caught: 0, passed: 0 };
  const through: string[] = [];
  const judge = (what: string, error: KeyriteError | undefined): void => {
    counts[error === undefined ? "passed" : "caught"] += 1;
    if (error === undefined) through.push(what);
  };
  for (const [algorithm, scheme] of Object.entries(SCHEMES) as [KeyAlgorithm, SignatureScheme][]) {
    await onFake(async ({ rig, session }) => {
      const { spki, ckaId } = await session.generateKeyPair(request(algorithm, "root"));
      const asked = { spki, ckaId, scheme, message: utf8("to be signed") };
      const changes = Object.entries(LIES).filter(([lie]) => lie !== "not given");
      let length = 0;
      rig.faults.signature = (value) => {
        length = value.length;
        return value;
      };
      await session.signAll([asked]);
      const places = Array.from({ length }, (_, at): [string, Change] => [
        `byte ${at}`,
        (value) => value.map((byte, index) => (index === at ? byte ^ 0x10 : byte)),
      ]);
      for (const [lie, change] of [...changes, ...places.filter((__, at) => at % 8 === 0)]) {
        rig.faults.signature = (value) => change(value) ?? value;
        counts.signatures += 1;
        judge(`${algorithm} signature ${lie}`, await outcome(session.signAll([asked])));
      }
    }, options);
    const names =
      ALGORITHMS[algorithm].family === "rsa"
        ? (["MODULUS", "PUBLIC_EXPONENT"] as const)
        : (["EC_POINT"] as const);
    for (const name of names) {
      for (const [lie, answer] of Object.entries(LIES)) {
        await onFake(async ({ rig, session }) => {
          rig.faults.attribute = { half: "public", name, answer };
          counts.publicKeys += 1;
          const error = await outcome(session.generateKeyPair(request(algorithm, "root")));
          judge(`${algorithm} ${name} ${lie}`, error);
        }, options);
      }
    }
  }
  figure("H06", "signatures and public keys, altered", counts);
  assert.deepEqual(through, []);
});

function primesBelow(limit: number): readonly number[] {
  return Array.from({ length: limit }, (_, n) => n).filter(
    (n) =>
      n > 1 &&
      Array.from({ length: Math.floor(Math.sqrt(n)) - 1 }, (_, i) => i + 2).every(
        (d) => n % d !== 0,
      ),
  );
}

test("H07: weak moduli, weak exponents, repeated nonces and repeated keys are refused", async () => {
  const counts = { moduli: 0, exponents: 0, nonces: 0, keys: 0, refused: 0, passed: 0 };
  const judge = (isRefused: boolean): number => (counts[isRefused ? "refused" : "passed"] += 1);
  const F4 = Uint8Array.of(1, 0, 1);
  const sound = Buffer.from(RSA[3072]?.publicKey.export({ format: "jwk" }).n ?? "", "base64url");
  assert.equal(judgeRsaModulus(sound, F4, 3072), undefined);
  const value = BigInt(`0x${sound.toString("hex")}`);
  for (const prime of primesBelow(752)) {
    // The next multiple of the prime: of the same size, and nothing else about it is wrong.
    const multiple = value - (value % BigInt(prime)) + (prime === 2 ? 2n : 0n);
    const odd = multiple % 2n === 0n && prime !== 2 ? multiple + BigInt(prime) : multiple;
    counts.moduli += 1;
    judge(judgeRsaModulus(Buffer.from(odd.toString(16), "hex"), F4, 3072) !== undefined);
  }
  for (const exponent of [0, 1, 2, 3, 5, 17, 257, 65_535, 65_536]) {
    counts.exponents += 1;
    const bytes = Buffer.from(exponent.toString(16).padStart(6, "0"), "hex");
    judge(judgeRsaModulus(sound, bytes, 3072) !== undefined);
  }
  for (const algorithm of ["p-256", "p-384", "p-521"] as const) {
    await onFake(
      async ({ session }) => {
        counts.nonces += 1;
        judge((await outcome(session.generateKeyPair(request(algorithm, "root")))) !== undefined);
      },
      { nonces: (bytes) => new Uint8Array(bytes).fill(5) },
    );
  }
  for (const algorithm of ["p-256", "p-384", "p-521"] as const) {
    const pair = generateKeyPairSync("ec", { namedCurve: algorithm.toUpperCase() });
    await onFake(
      async ({ session }) => {
        await session.generateKeyPair(request(algorithm, "first"));
        counts.keys += 1;
        judge((await outcome(session.generateKeyPair(request(algorithm, "second")))) !== undefined);
      },
      { keyPairs: () => pair },
    );
  }
  figure("H07", "weak moduli, exponents, nonces and repeated keys", counts);
  assert.equal(counts.passed, 0);
});

test("H10: a pair or half of one that slips in while a key is made is noticed, and a taken name is refused", async () => {
  const counts = { before: 0, meanwhile: 0, refused: 0, passed: 0 };
  const judge = (error: KeyriteError | undefined): number =>
    (counts[error === undefined ? "passed" : "refused"] += 1);
  for (const algorithm of Object.keys(ALGORITHMS) as KeyAlgorithm[]) {
    const asked = request(algorithm, "root");
    await onFake(async ({ session }) => {
      await session.generateKeyPair(asked);
      for (const again of [asked, { ...asked, ckaId: "ff01" }, { ...asked, label: "other" }]) {
        counts.before += 1;
        judge(await outcome(session.generateKeyPair(again)));
      }
    }, options);
    const { publicKey, privateKey, mechanism } = templatesFor(asked);
    const [open, closed] = [publicKey, privateKey].map((entries) =>
      entries.filter(({ role }) => role === "asked").map((one) => encode(one.name, one.value)),
    );
    await onFake(async ({ rig, session }) => {
      rig.faults.afterGenerate = async (handle) => {
        rig.faults.afterGenerate = undefined;
        await rig.raw().generateKeyPair(handle, mechanism, open ?? [], closed ?? []);
      };
      counts.meanwhile += 1;
      judge(await outcome(session.generateKeyPair(asked)));
    }, options);
  }
  figure("H10", "names taken before a key is made, and meanwhile", counts);
  assert.equal(counts.passed, 0);
});

const login = ({ rig, token }: Opened): Promise<unknown> =>
  rig.hsm.login(rig.module, token.serial, token.label, secret(PIN));

/** A login to a token that is another from a look on. */
async function exchanged(
  at: number,
  other: object,
): Promise<{ looks: number; tries: number; code: string }> {
  const came = { looks: 0, tries: 0, code: "" };
  await onFake(async (opened) => {
    const { rig, session } = opened;
    await session.logout();
    const before = rig.hsm.counters.logins;
    rig.faults.tokenInfo = (info) => {
      came.looks += 1;
      return came.looks < at ? info : { ...info, ...other };
    };
    came.code = (await outcome(login(opened)))?.code ?? "";
    came.tries = rig.hsm.counters.logins - before;
  });
  return came;
}

test("H03: a token that is exchanged at any look before a login gets no PIN", async () => {
  const [serial, label] = ["FAKE9999", "omega"];
  const counts = { exchanges: 0, refused: 0, logins: 0 };
  for (const other of [{ serial }, { label }, { serial, label }]) {
    for (let at = 1; ; at += 1) {
      const { looks, tries, code } = await exchanged(at, other);
      if (looks < at) break;
      counts.exchanges += 1;
      counts.logins += tries;
      if (/^hsm\.(?:wrong-token|token-absent)$/.test(code)) counts.refused += 1;
    }
  }
  figure("H03", "tokens exchanged at a look before a login", counts);
  assert.deepEqual([counts.logins, counts.refused], [0, counts.exchanges]);
  assert.ok(counts.exchanges >= 6);
});

test("H09: whatever a login is refused with is named, and nothing is tried again", async () => {
  const codes = [0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0x100, 0x101, 0x102, 0x103, 0x104, 0x105];
  const counts = { codes: codes.length, named: 0, triedAgain: 0 };
  await onFake(async (opened) => {
    const { rig, session } = opened;
    await session.logout();
    for (const code of codes) {
      rig.faults.before = (call) => {
        if (call === "login") throw ckrError("C_Login", code);
      };
      const before = rig.hsm.counters.logins;
      const error = await outcome(login(opened));
      const name = ckrOf(ckrError("C_Login", code)) ?? "-";
      if (error?.message.includes(name) === true) counts.named += 1;
      counts.triedAgain += rig.hsm.counters.logins - before - 1;
    }
  });
  figure("H09", "codes that a login is refused with", counts);
  assert.deepEqual([counts.named, counts.triedAgain], [codes.length, 0]);
});
