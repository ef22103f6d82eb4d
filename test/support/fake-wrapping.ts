/** How the fake module makes, wraps and unwraps keys: by the book, and with the worst defaults it allows. */

import {
  constants,
  createPrivateKey,
  createPublicKey,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
  type KeyObject,
} from "node:crypto";
import { openInSoftware, wrapInSoftware, withoutTrailingZeros } from "../../src/hsm/aes-wrap.ts";
import { ALGORITHMS } from "../../src/hsm/algorithms.ts";
import { encode } from "../../src/hsm/attributes.ts";
import type { WireFormat } from "../../src/hsm/backup.ts";
import { ckrError } from "../../src/hsm/ckr.ts";
import { CKA, CKK, CKM, CKO } from "../../src/hsm/constants.ts";
import { algorithmOf } from "../../src/hsm/public-key.ts";
import type { RawAttribute, RawMechanism } from "../../src/hsm/raw.ts";
import { spkiOfModulus } from "../../src/hsm/recorded-key.ts";
import { concat } from "../../src/lib/encoding.ts";
import { publicValues } from "./fake-keys.ts";
import { holds, isSet, set, toValues, type FakeObject, type Values } from "./fake-objects.ts";

/** What the fake wraps as, and by which number: not the numbers of any vendor we know. */
const FORMATS = new Map<number, WireFormat>([
  [CKM.AES_KEY_WRAP_KWP, "rfc5649"],
  [CKM.AES_KEY_WRAP_PAD, "rfc3394-pkcs7"],
  [CKM.AES_KEY_WRAP, "rfc3394"],
  [CKM.AES_CBC_PAD, "aes-cbc-pad"],
]);

export const WRAP_MECHANISMS: readonly number[] = [
  ...FORMATS.keys(),
  CKM.RSA_PKCS_OAEP,
  CKM.AES_KEY_GEN,
];

/** What every object is unless its template says otherwise (PKCS#11 2.40 §4.4). */
export const DEFAULTS: readonly RawAttribute[] = [
  encode("MODIFIABLE", true),
  encode("COPYABLE", true),
  encode("DESTROYABLE", true),
];

/** Attributes that a template left out: what a careless module might choose. */
const WORST: readonly RawAttribute[] = [
  encode("TOKEN", false),
  encode("PRIVATE", false),
  encode("SENSITIVE", false),
  encode("EXTRACTABLE", true),
  ...DEFAULTS,
  ...(
    [
      "ENCRYPT",
      "DECRYPT",
      "SIGN",
      "SIGN_RECOVER",
      "VERIFY",
      "VERIFY_RECOVER",
      "WRAP",
      "UNWRAP",
      "DERIVE",
    ] as const
  ).map((name) => encode(name, true)),
  encode("ALWAYS_AUTHENTICATE", false),
  encode("WRAP_WITH_TRUSTED", false),
  encode("TRUSTED", false),
];

/** Values of an object that was not generated here. */
export function importedValues(template: readonly RawAttribute[]): Values {
  const values = toValues([...WORST, ...template]);
  set(values, "LOCAL", false);
  set(values, "ALWAYS_SENSITIVE", false);
  set(values, "NEVER_EXTRACTABLE", false);
  const value = values.get(CKA.VALUE.type);
  if (value !== undefined) {
    values.set(CKA.VALUE.type, Uint8Array.from(value));
    set(values, "VALUE_LEN", value.length);
  }
  return values;
}

/** A new AES key. */
export function generatedValues(template: readonly RawAttribute[]): Values {
  const values = toValues([
    ...WORST,
    encode("CLASS", CKO.SECRET_KEY),
    encode("KEY_TYPE", CKK.AES),
    ...template,
  ]);
  const length = values.get(CKA.VALUE_LEN.type)?.[0];
  if (length === undefined) throw ckrError("C_GenerateKey", 0xd0);
  values.set(CKA.VALUE.type, new Uint8Array(randomBytes(length)));
  set(values, "LOCAL", true);
  set(values, "ALWAYS_SENSITIVE", isSet(values, "SENSITIVE"));
  set(values, "NEVER_EXTRACTABLE", !isSet(values, "EXTRACTABLE"));
  return values;
}

/** The RSA public key in the attributes of a public object, if it is one. */
export function rsaKeyIn(values: Values): KeyObject | undefined {
  const modulus = values.get(CKA.MODULUS.type);
  const exponent = values.get(CKA.PUBLIC_EXPONENT.type);
  if (modulus === undefined || exponent === undefined) return undefined;
  const spki = Buffer.from(spkiOfModulus(modulus, exponent));
  return createPublicKey({ key: spki, format: "der", type: "spki" });
}

/** @param enforced false for a module that wraps what is not extractable. */
export function wrap(
  { mechanism, parameter }: RawMechanism,
  wrapping: FakeObject,
  target: FakeObject,
  enforced: boolean,
): Uint8Array {
  if (!isSet(wrapping.values, "WRAP")) throw ckrError("C_WrapKey", 0x68);
  if (enforced && !isSet(target.values, "EXTRACTABLE")) throw ckrError("C_WrapKey", 0x6a);
  const secret = target.values.get(CKA.VALUE.type);
  if (parameter?.kind === "oaep") {
    // PKCS#11 2.40 §5.12: a public key wraps secret keys only.
    if (secret === undefined || wrapping.key === undefined) throw ckrError("C_WrapKey", 0x69);
    return new Uint8Array(
      publicEncrypt({ key: wrapping.key, ...oaep(parameter.hash) }, Buffer.from(secret)),
    );
  }
  const format = FORMATS.get(mechanism);
  const kek = wrapping.values.get(CKA.VALUE.type);
  if (format === undefined || kek === undefined) throw ckrError("C_WrapKey", 0x70);
  const iv = parameter?.kind === "iv" ? parameter.iv : new Uint8Array(0);
  if (format === "aes-cbc-pad" && iv.length !== 16) throw ckrError("C_WrapKey", 0x71);
  const data = secret ?? target.key?.export({ format: "der", type: "pkcs8" });
  if (data === undefined) throw ckrError("C_WrapKey", 0x69);
  const blob = wrapInSoftware(format, kek, data, iv);
  return format === "aes-cbc-pad" ? blob.subarray(16) : blob;
}

function oaep(hash: number): { readonly padding: number; readonly oaepHash: string } {
  const oaepHash = hash === CKM.SHA256 ? "sha256" : "sha1";
  return { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash };
}

/** What was wrapped. @throws KeyriteError as a module would for a blob that is not of this key. */
export function open(
  { mechanism, parameter }: RawMechanism,
  unwrapping: FakeObject,
  blob: Uint8Array,
  template: readonly RawAttribute[],
): Uint8Array {
  if (!isSet(unwrapping.values, "UNWRAP")) throw ckrError("C_UnwrapKey", 0x68);
  const asked = toValues(template);
  if (!unwrapping.unwrapTemplate.every((entry) => holds(asked, entry))) {
    throw ckrError("C_UnwrapKey", 0xd1);
  }
  if (parameter?.kind === "oaep") {
    if (unwrapping.key === undefined) throw ckrError("C_UnwrapKey", 0xf2);
    return decrypted(unwrapping.key, parameter.hash, blob);
  }
  const format = FORMATS.get(mechanism);
  const kek = unwrapping.values.get(CKA.VALUE.type);
  if (format === undefined || kek === undefined) throw ckrError("C_UnwrapKey", 0x70);
  const whole = parameter?.kind === "iv" ? concat(parameter.iv, blob) : blob;
  const opened = openInSoftware(format, kek, whole);
  if (opened === undefined) throw ckrError("C_UnwrapKey", 0x110);
  return opened;
}

function decrypted(key: KeyObject, hash: number, blob: Uint8Array): Uint8Array {
  try {
    return new Uint8Array(privateDecrypt({ key, ...oaep(hash) }, Buffer.from(blob)));
  } catch {
    throw ckrError("C_UnwrapKey", 0x110);
  }
}

/** The object that an unwrapped key becomes. */
export function unwrapped(
  opened: Uint8Array,
  template: readonly RawAttribute[],
): Pick<FakeObject, "values" | "key"> {
  const asked = toValues(template);
  const wanted = [encode("CLASS", CKO.SECRET_KEY), encode("CLASS", CKO.PRIVATE_KEY)] as const;
  if (!asked.has(CKA.KEY_TYPE.type)) throw ckrError("C_UnwrapKey", 0xd0);
  if (holds(asked, wanted[0])) {
    return { values: importedValues([...template, encode("VALUE", opened)]), key: undefined };
  }
  const pkcs8 = withoutTrailingZeros(opened);
  if (!holds(asked, wanted[1]) || pkcs8 === undefined) throw ckrError("C_UnwrapKey", 0x110);
  const key = createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" });
  const publicKey = createPublicKey(key);
  const algorithm = algorithmOf(publicKey);
  if (algorithm === undefined) throw ckrError("C_UnwrapKey", 0x110);
  const facts = ALGORITHMS[algorithm];
  if (!holds(asked, encode("KEY_TYPE", facts.keyType))) throw ckrError("C_UnwrapKey", 0x110);
  const known = publicValues(facts, publicKey).filter(({ type }) => type !== CKA.EC_POINT.type);
  return { values: importedValues([...template, ...known]), key };
}
