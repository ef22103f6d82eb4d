/**
 * The bare limit of backup and restore: a plain loop over pkcs11js that makes the same PKCS#11 calls with
 * the same templates, and neither compares, nor records, nor lists anything.
 */

import { createHash, createPublicKey, randomBytes, verify } from "node:crypto";
import pkcs11js from "pkcs11js";
import type { KeyName, UnwrapItem } from "../../src/hsm/backup.ts";
import { KEK_ID, KEK_VALUE, type BenchToken } from "./softhsm.ts";

const P256 = Buffer.from("06082a8648ce3d030107", "hex");
const POINT_BYTES = 65;
const ROOM = 256;
const CKM_AES_KEY_WRAP_PAD = 0x210a;

// What a restored CA key is asked to be, and what is read back of it.
const PRIVATE: pkcs11js.Template = [
  { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_PRIVATE_KEY },
  { type: pkcs11js.CKA_KEY_TYPE, value: pkcs11js.CKK_EC },
  { type: pkcs11js.CKA_PRIVATE, value: true },
  { type: pkcs11js.CKA_SENSITIVE, value: true },
  { type: pkcs11js.CKA_EXTRACTABLE, value: false },
  { type: pkcs11js.CKA_SIGN, value: true },
  { type: pkcs11js.CKA_SIGN_RECOVER, value: false },
  { type: pkcs11js.CKA_DECRYPT, value: false },
  { type: pkcs11js.CKA_UNWRAP, value: false },
  { type: pkcs11js.CKA_DERIVE, value: false },
  { type: pkcs11js.CKA_ALWAYS_AUTHENTICATE, value: false },
  { type: pkcs11js.CKA_WRAP_WITH_TRUSTED, value: false },
  { type: pkcs11js.CKA_COPYABLE, value: false },
  { type: pkcs11js.CKA_DESTROYABLE, value: true },
  { type: pkcs11js.CKA_MODIFIABLE, value: false },
];
const EXTRACTABLE: pkcs11js.Template = PRIVATE.map((attribute) =>
  attribute.type === pkcs11js.CKA_EXTRACTABLE || attribute.type === pkcs11js.CKA_MODIFIABLE
    ? { ...attribute, value: true }
    : attribute,
);
const PUBLIC: pkcs11js.Template = [
  { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_PUBLIC_KEY },
  { type: pkcs11js.CKA_KEY_TYPE, value: pkcs11js.CKK_EC },
  { type: pkcs11js.CKA_PRIVATE, value: false },
  { type: pkcs11js.CKA_VERIFY, value: true },
  { type: pkcs11js.CKA_VERIFY_RECOVER, value: false },
  { type: pkcs11js.CKA_ENCRYPT, value: false },
  { type: pkcs11js.CKA_WRAP, value: false },
  { type: pkcs11js.CKA_DERIVE, value: false },
  { type: pkcs11js.CKA_COPYABLE, value: false },
  { type: pkcs11js.CKA_DESTROYABLE, value: true },
  { type: pkcs11js.CKA_EC_PARAMS, value: P256 },
  { type: pkcs11js.CKA_MODIFIABLE, value: false },
];
const LABEL_AND_ID = [pkcs11js.CKA_TOKEN, pkcs11js.CKA_LABEL, pkcs11js.CKA_ID, pkcs11js.CKA_LOCAL];
const READ_PRIVATE = [
  ...PRIVATE.map(({ type }) => type),
  ...LABEL_AND_ID,
  pkcs11js.CKA_ALWAYS_SENSITIVE,
  pkcs11js.CKA_NEVER_EXTRACTABLE,
  pkcs11js.CKA_EC_PARAMS,
];
const READ_PUBLIC = [...PUBLIC.map(({ type }) => type), ...LABEL_AND_ID, pkcs11js.CKA_EC_POINT];

/** A session of the binding itself, on a token that ours has logged in to. */
export class BareKeys {
  readonly #module = new pkcs11js.PKCS11();
  readonly #session: pkcs11js.Handle;
  #found: pkcs11js.Handle | undefined;

  constructor({ path, session: { info } }: Pick<BenchToken, "path" | "session">) {
    // Opened and initialised already: this is the same instance of the module.
    this.#module.load(path);
    const slot = this.#module
      .C_GetSlotList(true)
      .find((one) => this.#module.C_GetTokenInfo(one).serialNumber.trim() === info.serial);
    if (slot === undefined) throw new Error("the token is gone");
    const flags = pkcs11js.CKF_SERIAL_SESSION | pkcs11js.CKF_RW_SESSION;
    this.#session = this.#module.C_OpenSession(slot, flags);
  }

  get #kek(): pkcs11js.Handle {
    return (this.#found ??= this.#find(pkcs11js.CKO_SECRET_KEY, Buffer.from(KEK_ID, "hex")));
  }

  /** Unwraps keys for good: C_UnwrapKey, read-back, public object, read-back, challenge. */
  restore(items: readonly UnwrapItem[]): void {
    const [module, session] = [this.#module, this.#session];
    for (const item of items) {
      const names = namesOf(item.label, item.ckaId, true);
      const key = this.#unwrap(item.blob, names);
      const publicKey = this.#publish(item, names);
      module.C_GetAttributeValue(session, publicKey, wanted(READ_PUBLIC));
      this.#sign(key);
    }
  }

  /** Wraps keys, opens each again in the session, has it sign, verifies, and destroys the copy. */
  backUp(keys: readonly KeyName[], written: (blob: Uint8Array, index: number) => void): void {
    const [module, session] = [this.#module, this.#session];
    for (const [index, { spki, object }] of this.#handles(keys).entries()) {
      const how = { mechanism: CKM_AES_KEY_WRAP_PAD };
      const blob = module.C_WrapKey(session, how, this.#kek, object, Buffer.alloc(ROOM));
      written(blob, index);
      const copy = this.#unwrap(blob, namesOf("copy", randomBytes(16).toString("hex"), false));
      const { message, signature } = this.#sign(copy);
      const key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
      if (!verify("sha256", message, { key, dsaEncoding: "ieee-p1363" }, signature)) {
        throw new Error("a copy does not sign like its original");
      }
      module.C_DestroyObject(session, copy);
    }
  }

  /** Puts keys on the token that may be wrapped, with their public objects. */
  fill(items: readonly UnwrapItem[]): void {
    // The KEK unwraps nothing that could leave the token again: this one lasts as long as the session.
    const kek = this.#module.C_CreateObject(this.#session, [
      { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_SECRET_KEY },
      { type: pkcs11js.CKA_KEY_TYPE, value: pkcs11js.CKK_AES },
      { type: pkcs11js.CKA_TOKEN, value: false },
      { type: pkcs11js.CKA_UNWRAP, value: true },
      { type: pkcs11js.CKA_VALUE, value: Buffer.from(KEK_VALUE) },
    ]);
    for (const item of items) {
      const names = namesOf(item.label, item.ckaId, true);
      this.#unwrap(item.blob, names, { kek, template: EXTRACTABLE });
      this.#publish(item, names);
    }
  }

  /** Private keys by their CKA_ID, from one listing. */
  #handles(keys: readonly KeyName[]): readonly { spki: Uint8Array; object: pkcs11js.Handle }[] {
    const [module, session] = [this.#module, this.#session];
    const byId = new Map<string, pkcs11js.Handle>();
    for (const object of this.#objects(pkcs11js.CKO_PRIVATE_KEY)) {
      const [id] = module.C_GetAttributeValue(session, object, [{ type: pkcs11js.CKA_ID }]);
      byId.set(bytesOf(id?.value).toString("hex"), object);
    }
    return keys.map(({ spki, ckaId }) => {
      const object = byId.get(ckaId);
      if (object === undefined) throw new Error(`there is no key ${ckaId}`);
      return { spki, object };
    });
  }

  #publish({ spki }: UnwrapItem, names: pkcs11js.Template): pkcs11js.Handle {
    const point = Buffer.concat([Buffer.of(4, POINT_BYTES), spki.subarray(-POINT_BYTES)]);
    const template = [...PUBLIC, ...names, { type: pkcs11js.CKA_EC_POINT, value: point }];
    return this.#module.C_CreateObject(this.#session, template);
  }

  #unwrap(
    blob: Uint8Array,
    names: pkcs11js.Template,
    {
      kek = this.#kek,
      template = PRIVATE,
    }: { kek?: pkcs11js.Handle; template?: pkcs11js.Template } = {},
  ): pkcs11js.Handle {
    const how = { mechanism: CKM_AES_KEY_WRAP_PAD };
    const [module, session] = [this.#module, this.#session];
    const asked = [...names, ...template];
    const key = module.C_UnwrapKey(session, how, kek, Buffer.from(blob), asked);
    module.C_GetAttributeValue(session, key, wanted(READ_PRIVATE));
    return key;
  }

  #sign(key: pkcs11js.Handle): { readonly message: Buffer; readonly signature: Buffer } {
    const message = randomBytes(32);
    const digest = createHash("sha256").update(message).digest();
    this.#module.C_SignInit(this.#session, { mechanism: pkcs11js.CKM_ECDSA }, key);
    const signature = this.#module.C_Sign(this.#session, digest, Buffer.alloc(64));
    return { message, signature };
  }

  #objects(objectClass: number): readonly pkcs11js.Handle[] {
    const [module, session] = [this.#module, this.#session];
    module.C_FindObjectsInit(session, [{ type: pkcs11js.CKA_CLASS, value: objectClass }]);
    const found: pkcs11js.Handle[] = [];
    for (;;) {
      const more = module.C_FindObjects(session, 64);
      if (more.length === 0) break;
      found.push(...more);
    }
    module.C_FindObjectsFinal(session);
    return found;
  }

  #find(objectClass: number, id: Buffer): pkcs11js.Handle {
    const object = this.#objects(objectClass).find((one) => {
      const wanted = [{ type: pkcs11js.CKA_ID }];
      return bytesOf(this.#module.C_GetAttributeValue(this.#session, one, wanted)[0]?.value).equals(
        id,
      );
    });
    if (object === undefined) throw new Error("the KEK is gone");
    return object;
  }
}

function namesOf(label: string, ckaId: string, onToken: boolean): pkcs11js.Template {
  return [
    { type: pkcs11js.CKA_TOKEN, value: onToken },
    { type: pkcs11js.CKA_LABEL, value: label },
    { type: pkcs11js.CKA_ID, value: Buffer.from(ckaId, "hex") },
  ];
}

// The binding writes what it read into the template it was given.
function wanted(types: readonly number[]): pkcs11js.Template {
  return types.map((type) => ({ type }));
}

function bytesOf(value: unknown): Buffer {
  if (Buffer.isBuffer(value)) return value;
  throw new Error("the token gives no bytes");
}
