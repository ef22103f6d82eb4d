/**
 * PKCS#11 numbers under their names, from the headers of 2.40 to 3.2. Our own list: the binding
 * knows 2.40 only and lacks Edwards curves and everything newer.
 */

export const CKU = { SO: 0, USER: 1 } as const;

/** CKF_RW_SESSION | CKF_SERIAL_SESSION: every session of ours may write. */
export const SESSION_READ_WRITE = 0x6;
/** CKF_SERIAL_SESSION, for looking only. */
export const SESSION_READ_ONLY = 0x4;
/** The binding calls modules from several threads, so this is passed to every C_Initialize. */
export const CKF_OS_LOCKING_OK = 0x2;

export const CKO = { CERTIFICATE: 1, PUBLIC_KEY: 2, PRIVATE_KEY: 3, SECRET_KEY: 4 } as const;

export const CKK = {
  RSA: 0x00,
  DSA: 0x01,
  DH: 0x02,
  EC: 0x03,
  GENERIC_SECRET: 0x10,
  DES3: 0x15,
  AES: 0x1f,
  EC_EDWARDS: 0x40,
  EC_MONTGOMERY: 0x41,
  ML_KEM: 0x49,
  ML_DSA: 0x4a,
  SLH_DSA: 0x4b,
} as const;

/** Token flags we read. */
export const TOKEN_FLAG = {
  WRITE_PROTECTED: 0x2,
  USER_PIN_INITIALIZED: 0x8,
  TOKEN_INITIALIZED: 0x400,
} as const;

/** Token flags that tell of PIN trouble, by the names that operators are shown. */
export const PIN_FLAGS = {
  CKF_USER_PIN_COUNT_LOW: 0x1_0000,
  CKF_USER_PIN_FINAL_TRY: 0x2_0000,
  CKF_USER_PIN_LOCKED: 0x4_0000,
  CKF_USER_PIN_TO_BE_CHANGED: 0x8_0000,
  CKF_SO_PIN_COUNT_LOW: 0x10_0000,
  CKF_SO_PIN_FINAL_TRY: 0x20_0000,
  CKF_SO_PIN_LOCKED: 0x40_0000,
  CKF_SO_PIN_TO_BE_CHANGED: 0x80_0000,
} as const;

export const CKM = {
  RSA_PKCS_KEY_PAIR_GEN: 0x0,
  RSA_PKCS: 0x1,
  RSA_X_509: 0x3,
  RSA_PKCS_OAEP: 0x9,
  RSA_X9_31_KEY_PAIR_GEN: 0xa,
  RSA_PKCS_PSS: 0xd,
  SHA1_RSA_PKCS: 0x6,
  SHA256_RSA_PKCS: 0x40,
  SHA384_RSA_PKCS: 0x41,
  SHA512_RSA_PKCS: 0x42,
  SHA256_RSA_PKCS_PSS: 0x43,
  SHA384_RSA_PKCS_PSS: 0x44,
  SHA512_RSA_PKCS_PSS: 0x45,
  DES3_KEY_GEN: 0x131,
  SHA_1: 0x220,
  SHA256: 0x250,
  SHA256_HMAC: 0x251,
  SHA384: 0x260,
  SHA384_HMAC: 0x261,
  SHA512: 0x270,
  SHA512_HMAC: 0x271,
  GENERIC_SECRET_KEY_GEN: 0x350,
  EC_KEY_PAIR_GEN: 0x1040,
  ECDSA: 0x1041,
  ECDSA_SHA1: 0x1042,
  ECDSA_SHA256: 0x1044,
  ECDSA_SHA384: 0x1045,
  ECDSA_SHA512: 0x1046,
  ECDH1_DERIVE: 0x1050,
  ECDH1_COFACTOR_DERIVE: 0x1051,
  RSA_AES_KEY_WRAP: 0x1054,
  EC_EDWARDS_KEY_PAIR_GEN: 0x1055,
  EC_MONTGOMERY_KEY_PAIR_GEN: 0x1056,
  EDDSA: 0x1057,
  AES_KEY_GEN: 0x1080,
  AES_ECB: 0x1081,
  AES_CBC: 0x1082,
  AES_MAC: 0x1083,
  AES_CBC_PAD: 0x1085,
  AES_CTR: 0x1086,
  AES_GCM: 0x1087,
  AES_CCM: 0x1088,
  AES_CMAC: 0x108a,
  AES_KEY_WRAP: 0x2109,
  AES_KEY_WRAP_PAD: 0x210a,
  AES_KEY_WRAP_KWP: 0x210b,
  AES_KEY_WRAP_PKCS7: 0x210c,
  ML_DSA_KEY_PAIR_GEN: 0x1c,
  ML_DSA: 0x1d,
} as const;

/** Mask generation functions of OAEP and PSS, and their source of the label. */
export const CKG = { MGF1_SHA1: 1, MGF1_SHA256: 2, MGF1_SHA384: 3, MGF1_SHA512: 4 } as const;
export const CKZ_DATA_SPECIFIED = 1;

type AttributeKind = "flag" | "number" | "class" | "keyType" | "mechanism" | "bytes" | "text";

/** Every attribute we ask for, read or compare, with the form of its value. */
export const CKA = {
  CLASS: { type: 0x0, kind: "class" },
  TOKEN: { type: 0x1, kind: "flag" },
  PRIVATE: { type: 0x2, kind: "flag" },
  LABEL: { type: 0x3, kind: "text" },
  VALUE: { type: 0x11, kind: "bytes" },
  TRUSTED: { type: 0x86, kind: "flag" },
  KEY_TYPE: { type: 0x100, kind: "keyType" },
  ID: { type: 0x102, kind: "bytes" },
  SENSITIVE: { type: 0x103, kind: "flag" },
  ENCRYPT: { type: 0x104, kind: "flag" },
  DECRYPT: { type: 0x105, kind: "flag" },
  WRAP: { type: 0x106, kind: "flag" },
  UNWRAP: { type: 0x107, kind: "flag" },
  SIGN: { type: 0x108, kind: "flag" },
  SIGN_RECOVER: { type: 0x109, kind: "flag" },
  VERIFY: { type: 0x10a, kind: "flag" },
  VERIFY_RECOVER: { type: 0x10b, kind: "flag" },
  DERIVE: { type: 0x10c, kind: "flag" },
  MODULUS: { type: 0x120, kind: "bytes" },
  MODULUS_BITS: { type: 0x121, kind: "number" },
  PUBLIC_EXPONENT: { type: 0x122, kind: "bytes" },
  VALUE_LEN: { type: 0x161, kind: "number" },
  EXTRACTABLE: { type: 0x162, kind: "flag" },
  LOCAL: { type: 0x163, kind: "flag" },
  NEVER_EXTRACTABLE: { type: 0x164, kind: "flag" },
  ALWAYS_SENSITIVE: { type: 0x165, kind: "flag" },
  KEY_GEN_MECHANISM: { type: 0x166, kind: "mechanism" },
  MODIFIABLE: { type: 0x170, kind: "flag" },
  COPYABLE: { type: 0x171, kind: "flag" },
  DESTROYABLE: { type: 0x172, kind: "flag" },
  EC_PARAMS: { type: 0x180, kind: "bytes" },
  EC_POINT: { type: 0x181, kind: "bytes" },
  ALWAYS_AUTHENTICATE: { type: 0x202, kind: "flag" },
  WRAP_WITH_TRUSTED: { type: 0x210, kind: "flag" },
  UNWRAP_TEMPLATE: { type: 0x4000_0212, kind: "bytes" },
  /** NSS keeps the public point of an EC private key under this name of its own. */
  NSS_DB: { type: 0xd5a0_db00, kind: "bytes" },
} as const satisfies Record<string, { readonly type: number; readonly kind: AttributeKind }>;

/** Name of an attribute without its `CKA_`. */
export type AttributeName = keyof typeof CKA;

/** The name under which a number stands in records: `CKM_ECDSA`, or `0x80000001` when unknown. */
export function nameOf(
  prefix: "CKM" | "CKK" | "CKO",
  names: Readonly<Record<string, number>>,
  value: number,
): string {
  const name = reversed(names).get(value);
  return name === undefined ? `0x${value.toString(16)}` : `${prefix}_${name}`;
}

const maps = new Map<Readonly<Record<string, number>>, ReadonlyMap<number, string>>();

function reversed(names: Readonly<Record<string, number>>): ReadonlyMap<number, string> {
  const known = maps.get(names);
  if (known !== undefined) return known;
  const made = new Map(Object.entries(names).map(([name, number]) => [number, name]));
  maps.set(names, made);
  return made;
}
