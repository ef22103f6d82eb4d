/**
 * A PKCS#11 module in memory that keeps the rules a caller must be held to: one login state, PINs,
 * private objects hidden without a login, sensitive values never read, no handle that survives its
 * session. It is honest; lies are laid over it by faulty-module.ts.
 */

import type { KeyObject } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { encode, type AttributeValue } from "../../src/hsm/attributes.ts";
import { ckrError } from "../../src/hsm/ckr.ts";
import { ALGORITHMS } from "../../src/hsm/algorithms.ts";
import { CKA, CKO, TOKEN_FLAG, type AttributeName } from "../../src/hsm/constants.ts";
import type { Handle, RawAttribute, RawModule, UserType } from "../../src/hsm/raw.ts";
import { equalBytes, fromUtf8, hex } from "../../src/lib/encoding.ts";
import type { Secret } from "../../src/lib/secret.ts";
import {
  factsAsked,
  honestNonces,
  makeKeyPair,
  publicValues,
  signRaw,
  type FakeKeyPair,
  type NonceSource,
} from "./fake-keys.ts";

export interface FakeOptions {
  /** Flags that the token shows besides the honest ones. */
  readonly flags?: number;
  readonly nonces?: NonceSource;
  /** Hands out key pairs instead of making them, e.g. always the same. */
  readonly keyPairs?: () => FakeKeyPair;
}

type Values = Map<number, Uint8Array>;

interface FakeObject {
  readonly values: Values;
  readonly key: KeyObject | undefined;
}

const SLOT = 7n;
const MAX_PIN = 64;
const MIN_PIN = 4;
const VALUE = 0x11;
const PRIVATE_EXPONENT = 0x123;

class FakeModule implements RawModule {
  readonly #options: FakeOptions;
  readonly #objects = new Map<Handle, FakeObject>();
  readonly #sessions = new Set<Handle>();
  /** Sessions with a signature under way: they take no other operation. */
  readonly #busy = new Set<Handle>();
  #next = 1n;
  #running = false;
  #label: string | undefined;
  #soPin = "";
  #userPin: string | undefined;
  #user: UserType | undefined;
  #wrongPins = 0;

  constructor(options: FakeOptions) {
    this.#options = options;
  }

  initialize(): void {
    if (this.#running) throw ckrError("C_Initialize", 0x191);
    this.#running = true;
  }

  finalize(): void {
    this.#running = false;
    this.#user = undefined;
    this.#sessions.clear();
  }

  slots(): readonly Handle[] {
    if (!this.#running) throw ckrError("C_GetSlotList", 0x190);
    return [SLOT];
  }

  tokenInfo(slot: Handle): ReturnType<RawModule["tokenInfo"]> {
    if (slot !== SLOT) throw ckrError("C_GetTokenInfo", 0x03);
    const initialized = this.#label !== undefined;
    return {
      label: this.#label ?? "",
      serial: initialized ? "FAKE0001" : "",
      manufacturer: "Keyrite tests",
      model: "fake",
      firmware: "1.0",
      hardware: "1.0",
      flags:
        (initialized ? TOKEN_FLAG.TOKEN_INITIALIZED : 0) |
        (this.#userPin === undefined ? 0 : TOKEN_FLAG.USER_PIN_INITIALIZED) |
        (this.#wrongPins > 0 ? 0x1_0000 : 0) |
        (this.#options.flags ?? 0),
      minPinLength: MIN_PIN,
      maxPinLength: MAX_PIN,
    };
  }

  mechanisms(): readonly number[] {
    return Object.values(ALGORITHMS).flatMap(({ generate, sign }) => [generate, sign]);
  }

  keySizes(): { readonly min: number; readonly max: number } {
    return { min: 112, max: 8192 };
  }

  openSession(slot: Handle): Handle {
    if (slot !== SLOT) throw ckrError("C_OpenSession", 0x03);
    if (this.#label === undefined) throw ckrError("C_OpenSession", 0xe1);
    const session = this.#fresh();
    this.#sessions.add(session);
    return session;
  }

  closeSession(session: Handle): void {
    this.#check("C_CloseSession", session);
    this.#sessions.delete(session);
    if (this.#sessions.size === 0) this.#user = undefined;
  }

  login(session: Handle, user: UserType, pin: Secret | undefined): void {
    this.#check("C_Login", session);
    if (this.#user === user) throw ckrError("C_Login", 0x100);
    if (this.#user !== undefined) throw ckrError("C_Login", 0x104);
    const right = user === "user" ? this.#userPin : this.#soPin;
    if (right === undefined) throw ckrError("C_Login", 0x102);
    if (pin?.use(hex) !== right) {
      if (user === "user") this.#wrongPins += 1;
      throw ckrError("C_Login", 0xa0);
    }
    if (user === "user") this.#wrongPins = 0;
    this.#user = user;
  }

  logout(session: Handle): void {
    this.#check("C_Logout", session);
    if (this.#user === undefined) throw ckrError("C_Logout", 0x101);
    this.#user = undefined;
  }

  initToken(slot: Handle, soPin: Secret, label: Uint8Array): void {
    if (slot !== SLOT) throw ckrError("C_InitToken", 0x03);
    if (this.#sessions.size > 0) throw ckrError("C_InitToken", 0xb6);
    if (label.length !== 32) throw ckrError("C_InitToken", 0x07);
    this.#label = fromUtf8(label).trimEnd();
    this.#soPin = soPin.use(hex);
    this.#userPin = undefined;
    this.#objects.clear();
  }

  initPin(session: Handle, userPin: Secret): void {
    this.#check("C_InitPIN", session);
    if (this.#user !== "security-officer") throw ckrError("C_InitPIN", 0x101);
    this.#userPin = userPin.use(hex);
  }

  setPin(session: Handle, oldPin: Secret, newPin: Secret): void {
    this.#check("C_SetPIN", session);
    if (oldPin.use(hex) !== this.#userPin) throw ckrError("C_SetPIN", 0xa0);
    this.#userPin = newPin.use(hex);
  }

  findObjects(session: Handle, template: readonly RawAttribute[]): readonly Handle[] {
    this.#checkIdle("C_FindObjectsInit", session);
    return [...this.#objects]
      .filter(([, { values }]) => this.#user === "user" || !isSet(values, "PRIVATE"))
      .filter(([, { values }]) =>
        template.every(({ type, value }) => {
          const own = values.get(type);
          return own !== undefined && equalBytes(own, value);
        }),
      )
      .map(([handle]) => handle);
  }

  getAttributes(
    session: Handle,
    object: Handle,
    types: readonly number[],
  ): readonly (Uint8Array | undefined)[] {
    this.#check("C_GetAttributeValue", session);
    const { values } = this.#object("C_GetAttributeValue", object);
    return types.map((type) => {
      const secret = type === VALUE || type === PRIVATE_EXPONENT;
      if (secret && isSet(values, "SENSITIVE")) throw ckrError("C_GetAttributeValue", 0x11);
      const value = values.get(type);
      if (value === undefined) throw ckrError("C_GetAttributeValue", 0x12);
      return value;
    });
  }

  async generateKeyPair(
    session: Handle,
    mechanism: number,
    publicTemplate: readonly RawAttribute[],
    privateTemplate: readonly RawAttribute[],
  ): Promise<{ publicKey: Handle; privateKey: Handle }> {
    this.#check("C_GenerateKeyPair", session);
    if (this.#user !== "user") throw ckrError("C_GenerateKeyPair", 0x101);
    const facts = factsAsked(mechanism, publicTemplate);
    const pair = this.#options.keyPairs?.() ?? (await makeKeyPair(facts));
    const known = publicValues(facts, pair.publicKey);
    const origin = [
      encode("KEY_TYPE", facts.keyType),
      encode("LOCAL", true),
      encode("KEY_GEN_MECHANISM", mechanism),
    ];
    const publicObject = toValues([
      ...publicTemplate,
      ...origin,
      ...known,
      encode("CLASS", CKO.PUBLIC_KEY),
    ]);
    const privateObject = toValues([
      ...privateTemplate,
      ...origin,
      ...known.filter(({ type }) => type !== CKA.EC_POINT.type),
      encode("CLASS", CKO.PRIVATE_KEY),
    ]);
    set(privateObject, "ALWAYS_SENSITIVE", isSet(privateObject, "SENSITIVE"));
    set(privateObject, "NEVER_EXTRACTABLE", !isSet(privateObject, "EXTRACTABLE"));
    return {
      publicKey: this.#add({ values: publicObject, key: undefined }),
      privateKey: this.#add({ values: privateObject, key: pair.privateKey }),
    };
  }

  async sign(
    session: Handle,
    mechanism: number,
    key: Handle,
    data: Uint8Array,
    maxLength: number,
  ): Promise<Uint8Array> {
    this.#checkIdle("C_SignInit", session);
    const object = this.#object("C_SignInit", key);
    if (object.key === undefined) throw ckrError("C_SignInit", 0x60);
    if (!isSet(object.values, "SIGN")) throw ckrError("C_SignInit", 0x68);
    this.#busy.add(session);
    await setImmediate();
    this.#busy.delete(session);
    const nonces = this.#options.nonces ?? honestNonces;
    const signature = signRaw(mechanism, object.key, data, nonces);
    if (signature.length > maxLength) throw ckrError("C_Sign", 0x150);
    return signature;
  }

  #checkIdle(call: string, session: Handle): void {
    this.#check(call, session);
    if (this.#busy.has(session)) throw ckrError(call, 0x90);
  }

  #check(call: string, session: Handle): void {
    if (!this.#sessions.has(session)) throw ckrError(call, 0xb3);
  }

  #object(call: string, handle: Handle): FakeObject {
    const object = this.#objects.get(handle);
    const hidden = object !== undefined && isSet(object.values, "PRIVATE") && this.#user !== "user";
    if (object === undefined || hidden) throw ckrError(call, 0x82);
    return object;
  }

  #add(object: FakeObject): Handle {
    const handle = this.#fresh();
    this.#objects.set(handle, object);
    return handle;
  }

  #fresh(): Handle {
    this.#next += 1n;
    return this.#next;
  }
}

/** A blank token in a module of its own. */
export function createFakeModule(options: FakeOptions = {}): RawModule {
  return new FakeModule(options);
}

function toValues(attributes: readonly RawAttribute[]): Values {
  return new Map(attributes.map(({ type, value }) => [type, value]));
}

function isSet(values: Values, name: AttributeName): boolean {
  return values.get(CKA[name].type)?.[0] === 1;
}

function set(values: Values, name: AttributeName, value: AttributeValue): void {
  const attribute = encode(name, value);
  values.set(attribute.type, attribute.value);
}
