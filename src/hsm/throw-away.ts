/**
 * Keys that exist to be tried with and destroyed: session objects of known value, and pairs that no
 * record will ever name.
 */

import { createPrivateKey, createPublicKey } from "node:crypto";
import type { KeyAlgorithm } from "../lib/algorithms.ts";
import { concat, equalBytes } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { CHECK_KEY } from "./aes-wrap.ts";
import { ALGORITHMS } from "./algorithms.ts";
import { encode, readAttributes } from "./attributes.ts";
import { CKK, CKO } from "./constants.ts";
import type { Context } from "./objects.ts";
import { spkiForComparison } from "./public-key.ts";
import type { Handle, RawAttribute } from "./raw.ts";
import { isRefusal } from "./refused.ts";

/** CHECK_KEY as a session object that can be wrapped. */
export function fixedKey({ module, session }: Context): Handle {
  return module.createObjectNow(session, [
    ...aesKey(CHECK_KEY),
    encode("SENSITIVE", false),
    encode("EXTRACTABLE", true),
  ]);
}

/**
 * A KEK of known value, for this session.
 * @throws KeyriteError hsm.not-supported when the token imports none.
 */
export function knownKek({ module, session }: Context, value: Uint8Array): Handle {
  try {
    return module.createObjectNow(session, [
      ...aesKey(value),
      encode("SENSITIVE", true),
      encode("EXTRACTABLE", false),
      encode("WRAP", true),
      encode("UNWRAP", true),
    ]);
  } catch (cause) {
    if (!isRefusal(cause)) throw cause;
    throw unsupported("takes no AES key of known value", cause);
  }
}

function aesKey(value: Uint8Array): readonly RawAttribute[] {
  return [
    encode("CLASS", CKO.SECRET_KEY),
    encode("KEY_TYPE", CKK.AES),
    encode("TOKEN", false),
    encode("PRIVATE", true),
    encode("VALUE", value),
  ];
}

/** A pair whose private half can be wrapped, for this session. */
export async function throwAwayPair(
  context: Context,
  algorithms: readonly KeyAlgorithm[],
): Promise<{ readonly publicKey: Handle; readonly privateKey: Handle; readonly spki: Uint8Array }> {
  const { module, session } = context;
  const algorithm = algorithms.includes("p-256") ? "p-256" : "rsa-3072";
  const facts = ALGORITHMS[algorithm];
  const shape =
    facts.family === "rsa"
      ? [
          encode("MODULUS_BITS", facts.modulusBits),
          encode("PUBLIC_EXPONENT", Uint8Array.of(1, 0, 1)),
        ]
      : [encode("EC_PARAMS", facts.params)];
  const common = [encode("TOKEN", false)];
  const pair = await module.generateKeyPair(
    session,
    facts.generate,
    [...common, encode("PRIVATE", false), encode("VERIFY", true), ...shape],
    [
      ...common,
      encode("PRIVATE", true),
      encode("SENSITIVE", true),
      encode("EXTRACTABLE", true),
      encode("SIGN", true),
    ],
  );
  const names =
    facts.family === "rsa"
      ? (["KEY_TYPE", "MODULUS", "PUBLIC_EXPONENT"] as const)
      : (["KEY_TYPE", "EC_PARAMS", "EC_POINT"] as const);
  const spki = spkiForComparison(readAttributes(module, session, pair.publicKey, names));
  if (spki === undefined) throw unsupported(`makes no ${algorithm} key to try wrapping with`);
  return { ...pair, spki };
}

/** Whether a PKCS#8 is the private half of a public key. */
export function isPrivateHalf(pkcs8: Uint8Array, spki: Uint8Array): boolean {
  try {
    const privateKey = createPrivateKey({
      key: Buffer.from(pkcs8),
      format: "der",
      type: "pkcs8",
    });
    const own = createPublicKey(privateKey).export({ format: "der", type: "spki" });
    return equalBytes(concat(own), spki);
  } catch {
    return false;
  }
}

/** The error for a token that lacks something backups need. */
export function unsupported(what: string, cause?: unknown): KeyriteError {
  return new KeyriteError("hsm.not-supported", `the token ${what}`, {
    cause,
    hints: ["back up its keys with the vendor's own tools, and record that"],
  });
}
