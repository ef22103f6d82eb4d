/** A token that lies, breaks or was exchanged: what it answers is caught before it counts. */

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { describe, test } from "node:test";
import { encode } from "../../src/hsm/attributes.ts";
import { loadModule } from "../../src/hsm/pkcs11.ts";
import { templatesFor } from "../../src/hsm/templates.ts";
import { concat, utf8 } from "../../src/lib/encoding.ts";
import { onFake, PIN, refused, request, SO_PIN } from "../support/hsm-asserts.ts";
import { withFaults, type Faults } from "../support/faulty-module.ts";
import { secret } from "../support/rig.ts";
import { softhsmRig } from "../support/softhsm.ts";

// One pair serves all RSA cases: each runs on a token of its own.
const RSA = generateKeyPairSync("rsa", { modulusLength: 3072 });

describe("H06: an attribute that is not as asked", () => {
  for (const algorithm of ["rsa-3072", "p-384", "ed25519"] as const) {
    const options = algorithm === "rsa-3072" ? { keyPairs: () => RSA } : {};
    const { publicKey, privateKey } = templatesFor(request(algorithm, "root"));
    const cases = [
      ...publicKey.map(({ name }) => ({ half: "public", name }) as const),
      ...privateKey.map(({ name }) => ({ half: "private", name }) as const),
    ].filter(({ name }) => !["CLASS", "ID"].includes(name));
    for (const { half, name } of cases) {
      test(`H06: ${algorithm} ${half} CKA_${name} is caught`, async () => {
        await onFake(async ({ rig, session }) => {
          rig.faults.attribute = { half, name, answer: flipped };
          await refused(session.generateKeyPair(request(algorithm, "root")), {
            code: "hsm.attribute-differs",
            says: new RegExp(`${half} key.*CKA_${name} is `),
          });
        }, options);
      });
    }
  }

  test("H06: on SoftHSM too", async () => {
    const faults: Faults = {};
    const rig = softhsmRig((path, meter) => withFaults(loadModule(path, meter), faults));
    try {
      const token = await rig.hsm.initialize(rig.module, "alpha", secret(SO_PIN), secret(PIN));
      const session = await rig.hsm.login(rig.module, token.serial, token.label, secret(PIN));
      for (const name of ["EXTRACTABLE", "SENSITIVE", "LOCAL", "DECRYPT"] as const) {
        faults.attribute = { half: "private", name, answer: flipped };
        await refused(session.generateKeyPair(request("p-256", `root-${name}`)), {
          code: "hsm.attribute-differs",
          says: new RegExp(`CKA_${name} is (true|false), not (true|false)`),
        });
      }
      faults.attribute = undefined;
      await session.generateKeyPair(request("p-256", "honest"));
    } finally {
      await rig.hsm.close();
      rig.remove();
    }
  });
});

function flipped(value: Uint8Array): Uint8Array {
  const other = Uint8Array.from(value);
  other[0] = (other[0] ?? 0) ^ 1;
  return other;
}

describe("H06: outputs that lie", () => {
  for (const algorithm of ["p-256", "ed25519"] as const) {
    test(`H06: a wrong ${algorithm} signature never comes out`, async () => {
      await onFake(async ({ rig, session }) => {
        const { spki, ckaId } = await session.generateKeyPair(request(algorithm, "root"));
        const scheme = algorithm === "p-256" ? "ecdsa-sha256" : "ed25519";
        const asked = { spki, ckaId, scheme, message: utf8("to be signed") } as const;
        rig.faults.signature = flipped;
        await refused(session.signAll([asked]), { code: "hsm.bad-output", says: /not verify/ });
        rig.faults.signature = (signature) => signature.subarray(1);
        await refused(session.signAll([asked]), { code: "hsm.bad-output", says: /bytes/ });
        rig.faults.signature = undefined;
        assert.equal((await session.signAll([asked])).length, 1);
      });
    });
  }

  test("H06: a public key that does not match the private one fails its challenge", async () => {
    await onFake(async ({ rig, session }) => {
      const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const jwk = publicKey.export({ format: "jwk" });
      const point = concat(
        Uint8Array.of(0x04, 65, 0x04),
        Buffer.from(jwk.x ?? "", "base64url"),
        Buffer.from(jwk.y ?? "", "base64url"),
      );
      rig.faults.attribute = { half: "public", name: "EC_POINT", answer: () => point };
      await refused(session.generateKeyPair(request("p-256", "root")), {
        code: "hsm.bad-output",
        says: /does not verify/,
      });
    });
  });

  const badPoints: readonly (readonly [string, (point: Uint8Array) => Uint8Array])[] = [
    ["off the curve", (point) => point.map((byte, index) => (index === 40 ? byte ^ 1 : byte))],
    ["cut off", (point) => point.subarray(0, point.length - 1)],
    ["compressed", (point) => concat(Uint8Array.of(0x04, 33, 0x02), point.subarray(3, 35))],
    ["empty", () => new Uint8Array(0)],
  ];
  for (const [what, answer] of badPoints) {
    test(`H06: an EC point ${what} is refused`, async () => {
      await onFake(async ({ rig, session }) => {
        rig.faults.attribute = { half: "public", name: "EC_POINT", answer };
        await refused(session.generateKeyPair(request("p-256", "root")), {
          code: "hsm.bad-output",
        });
      });
    });
  }
});

test("H06: an Ed25519 point of small order is refused", async () => {
  await onFake(async ({ rig, session }) => {
    const point = concat(Uint8Array.of(0x04, 32, 1), new Uint8Array(31));
    rig.faults.attribute = { half: "public", name: "EC_POINT", answer: () => point };
    await refused(session.generateKeyPair(request("ed25519", "root")), {
      code: "hsm.bad-output",
      says: /small order/,
    });
  });
});

test("H07: a modulus with a small factor is refused", async () => {
  await onFake(
    async ({ rig, session }) => {
      const modulus = new Uint8Array(384).fill(0xff);
      rig.faults.attribute = { half: "public", name: "MODULUS", answer: () => modulus };
      await refused(session.generateKeyPair(request("rsa-3072", "root")), {
        code: "hsm.bad-output",
        says: /divisible by 3/,
      });
    },
    { keyPairs: () => RSA },
  );
});

describe("H07: bad randomness", () => {
  test("H07: an ECDSA nonce that repeats is caught before the key is used", async () => {
    await onFake(
      async ({ session }) => {
        await refused(session.generateKeyPair(request("p-256", "root")), {
          code: "hsm.bad-output",
          says: /nonce/,
        });
      },
      { nonces: (bytes) => new Uint8Array(bytes).fill(5) },
    );
  });

  test("H07: the same key made twice is refused", async () => {
    const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
    await onFake(
      async ({ session }) => {
        await session.generateKeyPair(request("p-256", "first"));
        await refused(session.generateKeyPair(request("p-256", "second")), {
          code: "hsm.bad-output",
          says: /holds already/,
        });
      },
      { keyPairs: () => pair },
    );
  });
});

test("H10: a second pair that slips in during generation is noticed", async () => {
  await onFake(async ({ rig, session }) => {
    const asked = request("p-256", "root");
    const { publicKey, privateKey, mechanism } = templatesFor(asked);
    rig.faults.afterGenerate = async (handle) => {
      rig.faults.afterGenerate = undefined;
      const wanted = [publicKey, privateKey].map((entries) =>
        entries.filter(({ role }) => role === "asked").map((one) => encode(one.name, one.value)),
      );
      await rig.raw().generateKeyPair(handle, mechanism, wanted[0] ?? [], wanted[1] ?? []);
    };
    await refused(session.generateKeyPair(asked), {
      code: "hsm.bad-output",
      says: /2 public and 2 private/,
    });
  });
});
