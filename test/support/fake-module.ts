/**
 * A PKCS#11 module in memory that keeps the rules a caller must be held to: one login state, PINs,
 * private objects hidden without a login, sensitive values never read, no handle that survives its
 * session. It is honest; lies are laid over it by faulty-module.ts.
 */

import { setImmediate } from "node:timers/promises";
import { encode } from "../../src/hsm/attributes.ts";
import { ckrError } from "../../src/hsm/ckr.ts";
import { CKA, CKM, CKO } from "../../src/hsm/constants.ts";
import type {
  Handle,
  RawAttribute,
  RawMechanism,
  RawModule,
  RawTemplate,
} from "../../src/hsm/raw.ts";
import { Secret } from "../../src/lib/secret.ts";
import { factsAsked, honestNonces, makeKeyPair, publicValues, signRaw } from "./fake-keys.ts";
import { holds, isSet, set, split, toValues, type FakeObject } from "./fake-objects.ts";
import { FakeToken, type FakeOptions } from "./fake-token.ts";
import {
  DEFAULTS,
  generatedValues,
  importedValues,
  open,
  rsaKeyIn,
  unwrapped,
  wrap,
} from "./fake-wrapping.ts";

const PRIVATE_EXPONENT = 0x123;

/** One token, and what a vendor's own tool does to it. */
export class FakeModule extends FakeToken implements RawModule {
  findObjects(session: Handle, template: readonly RawAttribute[]): readonly Handle[] {
    this.checkIdle("C_FindObjectsInit", session);
    return this.objects.find(template, this.loggedIn);
  }

  getAttributes(
    session: Handle,
    object: Handle,
    types: readonly number[],
  ): readonly (Uint8Array | undefined)[] {
    this.check("C_GetAttributeValue", session);
    const { values } = this.#object("C_GetAttributeValue", object);
    return types.map((type) => {
      const secret = type === CKA.VALUE.type || type === PRIVATE_EXPONENT;
      const hidden = isSet(values, "SENSITIVE") || !isSet(values, "EXTRACTABLE");
      if (secret && hidden) throw ckrError("C_GetAttributeValue", 0x11);
      const value = values.get(type);
      if (value === undefined) throw ckrError("C_GetAttributeValue", 0x12);
      return value;
    });
  }

  async generateKeyPair(
    session: Handle,
    mechanism: number,
    publicTemplate: readonly RawAttribute[],
    privateTemplate: RawTemplate,
  ): Promise<{ publicKey: Handle; privateKey: Handle }> {
    this.check("C_GenerateKeyPair", session);
    if (!this.loggedIn) throw ckrError("C_GenerateKeyPair", 0x101);
    const facts = factsAsked(mechanism, publicTemplate);
    const pair = this.options.keyPairs?.(facts) ?? (await makeKeyPair(facts));
    const known = publicValues(facts, pair.publicKey);
    const origin = [
      encode("KEY_TYPE", facts.keyType),
      encode("LOCAL", true),
      encode("KEY_GEN_MECHANISM", mechanism),
    ];
    const publicObject = toValues([
      ...DEFAULTS,
      ...publicTemplate,
      ...origin,
      ...known,
      encode("CLASS", CKO.PUBLIC_KEY),
    ]);
    const { flat, unwrapTemplate } = this.#splitTemplate("C_GenerateKeyPair", privateTemplate);
    const privateObject = toValues([
      ...DEFAULTS,
      ...flat,
      ...origin,
      ...known.filter(({ type }) => type !== CKA.EC_POINT.type),
      encode("CLASS", CKO.PRIVATE_KEY),
    ]);
    set(privateObject, "ALWAYS_SENSITIVE", isSet(privateObject, "SENSITIVE"));
    set(privateObject, "NEVER_EXTRACTABLE", !isSet(privateObject, "EXTRACTABLE"));
    const halves = [
      { values: publicObject, key: pair.publicKey, unwrapTemplate: [] },
      { values: privateObject, key: pair.privateKey, unwrapTemplate },
    ].map((half) => this.#add(session, half));
    const [publicKey = 0n, privateKey = 0n] = halves;
    return { publicKey, privateKey };
  }

  async sign(
    session: Handle,
    mechanism: RawMechanism,
    key: Handle,
    data: Uint8Array,
    maxLength: number,
  ): Promise<Uint8Array> {
    this.checkIdle("C_SignInit", session);
    this.busy.add(session);
    await setImmediate();
    this.busy.delete(session);
    return this.signNow(session, mechanism, key, data, maxLength);
  }

  signNow(
    session: Handle,
    mechanism: RawMechanism,
    key: Handle,
    data: Uint8Array,
    maxLength: number,
  ): Uint8Array {
    this.checkIdle("C_SignInit", session);
    const object = this.#object("C_SignInit", key);
    if (object.key?.type !== "private") throw ckrError("C_SignInit", 0x60);
    if (!isSet(object.values, "SIGN")) throw ckrError("C_SignInit", 0x68);
    const nonces = this.options.nonces ?? honestNonces;
    const signature = signRaw(mechanism, object.key, data, nonces);
    if (signature.length > maxLength) throw ckrError("C_Sign", 0x150);
    return signature;
  }

  async generateKey(
    session: Handle,
    mechanism: number,
    template: readonly RawAttribute[],
  ): Promise<Handle> {
    this.#checkUser("C_GenerateKey", session);
    if (mechanism !== CKM.AES_KEY_GEN) throw ckrError("C_GenerateKey", 0x70);
    await setImmediate();
    const values = generatedValues(template);
    return this.#add(session, { values, key: undefined, unwrapTemplate: [] });
  }

  async createObject(session: Handle, template: readonly RawAttribute[]): Promise<Handle> {
    await setImmediate();
    return this.createObjectNow(session, template);
  }

  createObjectNow(session: Handle, template: RawTemplate): Handle {
    this.#checkUser("C_CreateObject", session);
    const { flat, unwrapTemplate } = this.#splitTemplate("C_CreateObject", template);
    const values = importedValues(flat);
    return this.#add(session, { values, key: rsaKeyIn(values), unwrapTemplate });
  }

  wrapKeyNow(session: Handle, how: RawMechanism, wrappingKey: Handle, key: Handle): Uint8Array {
    this.#checkMechanism("C_WrapKey", session, how);
    const wrapping = this.#object("C_WrapKey", wrappingKey);
    const target = this.#object("C_WrapKey", key);
    const { wrapsAnything = false, keepsPrivateKeys = false } = this.options;
    if (keepsPrivateKeys && holds(target.values, encode("CLASS", CKO.PRIVATE_KEY))) {
      throw ckrError("C_WrapKey", 0x69);
    }
    const anything =
      typeof wrapsAnything === "boolean" ? wrapsAnything : wrapsAnything.includes(how.mechanism);
    return wrap(how, wrapping, target, !anything);
  }

  async unwrapKey(
    session: Handle,
    how: RawMechanism,
    unwrappingKey: Handle,
    blob: Uint8Array,
    template: readonly RawAttribute[],
  ): Promise<Handle> {
    await setImmediate();
    return this.unwrapKeyNow(session, how, unwrappingKey, blob, template);
  }

  unwrapKeyNow(
    session: Handle,
    how: RawMechanism,
    unwrappingKey: Handle,
    blob: Uint8Array,
    template: RawTemplate,
  ): Handle {
    this.#checkMechanism("C_UnwrapKey", session, how);
    const { flat, unwrapTemplate } = this.#splitTemplate("C_UnwrapKey", template);
    const opened = open(how, this.#object("C_UnwrapKey", unwrappingKey), blob, flat);
    return this.#add(session, { ...unwrapped(opened, flat), unwrapTemplate });
  }

  destroyObject(session: Handle, object: Handle): void {
    this.#checkUser("C_DestroyObject", session);
    const { values } = this.#object("C_DestroyObject", object);
    if (!isSet(values, "DESTROYABLE")) throw ckrError("C_DestroyObject", 0x1b);
    this.objects.remove(object);
  }

  setAttributes(session: Handle, object: Handle, attributes: readonly RawAttribute[]): void {
    this.#checkUser("C_SetAttributeValue", session);
    const { values } = this.#object("C_SetAttributeValue", object);
    if (!isSet(values, "MODIFIABLE")) throw ckrError("C_SetAttributeValue", 0x1b);
    for (const { type, value } of attributes) {
      // PKCS#11 2.40 §4.9: EXTRACTABLE goes from true to false only.
      const back = type === CKA.EXTRACTABLE.type && value[0] === 1;
      if (back) throw ckrError("C_SetAttributeValue", 0x10);
      values.set(type, value);
    }
  }

  readValue(session: Handle, object: Handle, length: number): Secret {
    const [value] = this.getAttributes(session, object, [CKA.VALUE.type]);
    if (value?.length !== length) throw ckrError("C_GetAttributeValue", 0x150);
    return Secret.copy(value);
  }

  #splitTemplate(
    call: string,
    template: RawTemplate,
  ): { readonly flat: readonly RawAttribute[]; readonly unwrapTemplate: readonly RawAttribute[] } {
    const { flat, nested } = split(template);
    const { unwrapTemplate } = this.options;
    if (unwrapTemplate === "refused" && nested.length > 0) throw ckrError(call, 0x12);
    return { flat, unwrapTemplate: unwrapTemplate === "ignored" ? [] : nested };
  }

  /** What a vendor's cloning tool does: both halves of a key pair appear on another token. */
  cloneTo(other: FakeModule, ckaId: Uint8Array): void {
    for (const handle of this.objects.find([encode("ID", ckaId)], true)) {
      const { values, key, unwrapTemplate } = this.objects.get("clone", handle, true);
      other.objects.add({ values: new Map(values), key, unwrapTemplate, session: undefined });
    }
  }

  #checkUser(call: string, session: Handle): void {
    this.checkIdle(call, session);
    if (!this.loggedIn) throw ckrError(call, 0x101);
  }

  #checkMechanism(call: string, session: Handle, { mechanism }: RawMechanism): void {
    this.#checkUser(call, session);
    if (!this.mechanisms().includes(mechanism)) throw ckrError(call, 0x70);
  }

  #object(call: string, handle: Handle): FakeObject {
    return this.objects.get(call, handle, this.loggedIn);
  }

  #add(session: Handle, object: Omit<FakeObject, "session">): Handle {
    const owner = isSet(object.values, "TOKEN") ? undefined : session;
    return this.objects.add({ ...object, session: owner });
  }
}

/** A blank token in a module of its own. */
export function createFakeModule(options: FakeOptions = {}): FakeModule {
  return new FakeModule(options);
}
