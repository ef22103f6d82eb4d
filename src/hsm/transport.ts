/**
 * Transport keys: RSA pairs that open the envelopes in which a KEK travels from token to token. The
 * wrap is OAEP; where SHA-256 is not to be had at both ends, SHA-1, on whose collisions OAEP does not
 * depend.
 */

import { constants, publicEncrypt } from "node:crypto";
import type { Random } from "../lib/clock.ts";
import { KeyriteError } from "../lib/errors.ts";
import { KEK_BYTES } from "./aes-wrap.ts";
import { encode } from "./attributes.ts";
import type { Envelope, KeyName, OaepHash, TransportKey } from "./backup.ts";
import { CKG, CKK, CKM, CKO } from "./constants.ts";
import { SESSION_KEK, unwrapResiduals } from "./kek-template.ts";
import { destroyQuietly, onePrivateKey, refuseForeignPublicKey, type Context } from "./objects.ts";
import type { ModuleProfile } from "./profiles.ts";
import type { Handle, RawMechanism, RawTemplate } from "./raw.ts";
import { recordedKey, type RecordedKey } from "./recorded-key.ts";
import { orRefused } from "./refused.ts";
import { checkValueInSoftware, checkValueOn } from "./check-value.ts";

const OAEP: Readonly<Record<OaepHash, { readonly hash: number; readonly mgf: number }>> = {
  sha256: { hash: CKM.SHA256, mgf: CKG.MGF1_SHA256 },
  sha1: { hash: CKM.SHA_1, mgf: CKG.MGF1_SHA1 },
};
/** Best first. */
const HASHES: readonly OaepHash[] = ["sha256", "sha1"];

function oaepMechanism(hash: OaepHash): RawMechanism {
  return { mechanism: CKM.RSA_PKCS_OAEP, parameter: { kind: "oaep", ...OAEP[hash] } };
}

/**
 * A recorded transport key.
 * @throws KeyriteError hsm.not-supported unless it is RSA-3072 or RSA-4096.
 */
export function transportKey(spki: Uint8Array): RecordedKey {
  const key = recordedKey(spki);
  if (key.facts.family === "rsa") return key;
  throw new KeyriteError("hsm.not-supported", `a ${key.algorithm} key cannot be a transport key`, {
    hints: ["generate the transport key as rsa-3072 or rsa-4096"],
  });
}

/**
 * The private half of this token's transport key.
 * @throws KeyriteError hsm.object-missing
 */
export function ownTransport(context: Context, { ckaId, spki }: KeyName): Handle {
  refuseForeignPublicKey(context, ckaId, spki);
  return onePrivateKey(context, ckaId);
}

/**
 * Hashes that a private object opens, best first: for each an AES key of known value is sent to it
 * from software, and its check value compared.
 * @throws KeyriteError hsm.bad-output when it opens none
 */
export function openableHashes(
  context: Context,
  object: Handle,
  key: RecordedKey,
  { random, check }: { readonly random: Random; readonly check: number },
): readonly [OaepHash, ...OaepHash[]] {
  const [best, ...others] = HASHES.filter((hash) => {
    const value = random.bytes(KEK_BYTES);
    const opened = tryOpen(context, object, encrypt(key, hash, value), hash, SESSION_KEK);
    if (opened === undefined) return false;
    try {
      return checkValueOn(context, opened, check) === checkValueInSoftware(value);
    } finally {
      destroyQuietly(context, opened);
    }
  });
  if (best !== undefined) return [best, ...others];
  throw new KeyriteError(
    "hsm.bad-output",
    "the transport key does not open what is sent to its public half",
    { hints: ["do not use this key; the token needs examining"] },
  );
}

/**
 * Proves that a new transport key opens what is sent to its public half.
 * @returns waivers, one sentence each.
 * @throws KeyriteError hsm.bad-output
 */
export function proveTransport(
  context: Context,
  object: Handle,
  spki: Uint8Array,
  means: { readonly random: Random; readonly check: number; readonly profile: ModuleProfile },
): readonly string[] {
  const key = transportKey(spki);
  const [hash] = openableHashes(context, object, key, means);
  const blob = encrypt(key, hash, means.random.bytes(KEK_BYTES));
  // It would give a KEK away to whoever is logged in and holds an envelope.
  return unwrapResiduals(context, means.profile, (template) =>
    open(context, object, blob, hash, template),
  );
}

/**
 * Wraps a key to a transport key with the best hash that both ends can do.
 * @throws KeyriteError hsm.not-supported when this token can do none of the receiver's.
 */
export function sealTo(context: Context, key: Handle, { spki, oaep }: TransportKey): Envelope {
  const { module, session } = context;
  const recorded = transportKey(spki);
  const receiver = module.createObjectNow(session, [
    encode("CLASS", CKO.PUBLIC_KEY),
    encode("KEY_TYPE", CKK.RSA),
    encode("TOKEN", false),
    encode("PRIVATE", false),
    encode("WRAP", true),
    ...recorded.values.map(([name, value]) => encode(name, value)),
  ]);
  try {
    for (const hash of HASHES.filter((one) => (oaep ?? ["sha1"]).includes(one))) {
      const envelope = orRefused(() =>
        module.wrapKeyNow(session, oaepMechanism(hash), receiver, key),
      );
      if (envelope !== undefined) return { spkiSha256: recorded.spkiSha256, oaep: hash, envelope };
    }
  } finally {
    destroyQuietly(context, receiver);
  }
  throw new KeyriteError(
    "hsm.not-supported",
    `the token cannot wrap with OAEP to the transport key ${recorded.spkiSha256}`,
    { hints: ["`keyrite hsm inspect` lists the mechanisms"] },
  );
}

/** Unwraps the key in an envelope with a template of ours. */
export function open(
  { module, session }: Context,
  object: Handle,
  envelope: Uint8Array,
  hash: OaepHash,
  template: RawTemplate,
): Handle {
  return module.unwrapKeyNow(session, oaepMechanism(hash), object, envelope, template);
}

function tryOpen(
  context: Context,
  object: Handle,
  envelope: Uint8Array,
  hash: OaepHash,
  template: RawTemplate,
): Handle | undefined {
  return orRefused(() => open(context, object, envelope, hash, template));
}

function encrypt({ publicKey }: RecordedKey, oaepHash: OaepHash, value: Uint8Array): Uint8Array {
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  return new Uint8Array(publicEncrypt({ key: publicKey, padding, oaepHash }, Buffer.from(value)));
}
