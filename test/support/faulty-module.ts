/** A module with faults laid over it: what a broken or hostile HSM would answer. */

import { CKA, CKO, type AttributeName } from "../../src/hsm/constants.ts";
import { decode } from "../../src/hsm/attributes.ts";
import type { Handle, RawAttribute, RawModule, RawTokenInfo } from "../../src/hsm/raw.ts";

export type CallName = keyof RawModule;

/** Set members at any time; an absent one is an honest answer. */
export interface Faults {
  /** Called before each call; throws what the module should return instead. */
  before?: ((call: CallName) => void) | undefined;
  /** Replaces the value of an attribute of one half of a key pair. */
  attribute?:
    | {
        readonly half: "public" | "private" | "secret";
        readonly name: AttributeName;
        /** Undefined for an attribute that the module does not give. */
        readonly answer: (value: Uint8Array) => Uint8Array | undefined;
      }
    | undefined;
  signature?: ((signature: Uint8Array) => Uint8Array) | undefined;
  tokenInfo?: ((info: RawTokenInfo) => RawTokenInfo) | undefined;
  /** Called after a pair was generated, e.g. to slip in another. */
  afterGenerate?: ((session: Handle) => Promise<void>) | undefined;
  /** Exchanges what C_UnwrapKey is given. */
  blob?: ((blob: Uint8Array) => Uint8Array) | undefined;
  /** Exchanges what C_WrapKey gave. */
  wrapped?: ((blob: Uint8Array) => Uint8Array) | undefined;
  /** Called after C_UnwrapKey, e.g. to fail behind its work. */
  afterUnwrap?: ((session: Handle) => void) | undefined;
  /** Called after C_CreateObject of a public key: to fail behind its work, or to slip in another object. */
  afterPublicKey?: ((session: Handle) => void) | undefined;
  /** Told what C_SetAttributeValue is given. */
  changes?: ((attributes: readonly RawAttribute[]) => void) | undefined;
  /** True to say that an object was destroyed, and keep it. */
  keepsObjects?: boolean | undefined;
}

/** The same module, answering through `faults`. */
export function withFaults(module: RawModule, faults: Faults): RawModule {
  return {
    initialize: (parameters) => {
      faults.before?.("initialize");
      module.initialize(parameters);
    },
    finalize: () => {
      faults.before?.("finalize");
      module.finalize();
    },
    slots: () => {
      faults.before?.("slots");
      return module.slots();
    },
    tokenInfo: (slot) => {
      faults.before?.("tokenInfo");
      const info = module.tokenInfo(slot);
      return faults.tokenInfo?.(info) ?? info;
    },
    mechanisms: (slot) => {
      faults.before?.("mechanisms");
      return module.mechanisms(slot);
    },
    keySizes: (slot, mechanism) => {
      faults.before?.("keySizes");
      return module.keySizes(slot, mechanism);
    },
    openSession: (slot, mode) => {
      faults.before?.("openSession");
      return module.openSession(slot, mode);
    },
    closeSession: (session) => {
      faults.before?.("closeSession");
      module.closeSession(session);
    },
    login: (session, user, pin) => {
      faults.before?.("login");
      module.login(session, user, pin);
    },
    logout: (session) => {
      faults.before?.("logout");
      module.logout(session);
    },
    initToken: (slot, soPin, label) => {
      faults.before?.("initToken");
      module.initToken(slot, soPin, label);
    },
    initPin: (session, pin) => {
      faults.before?.("initPin");
      module.initPin(session, pin);
    },
    setPin: (session, oldPin, newPin) => {
      faults.before?.("setPin");
      module.setPin(session, oldPin, newPin);
    },
    findObjects: (session, template) => {
      faults.before?.("findObjects");
      return module.findObjects(session, template);
    },
    getAttributes: (session, object, types) => {
      faults.before?.("getAttributes");
      const values = module.getAttributes(session, object, types);
      const { attribute } = faults;
      if (attribute === undefined) return values;
      const { half, name, answer } = attribute;
      if (halfOf(module, session, object) !== half) return values;
      return values.map((value, index) =>
        value !== undefined && types[index] === CKA[name].type ? answer(value) : value,
      );
    },
    generateKeyPair: async (session, ...rest) => {
      faults.before?.("generateKeyPair");
      const pair = await module.generateKeyPair(session, ...rest);
      await faults.afterGenerate?.(session);
      return pair;
    },
    sign: async (...args) => {
      faults.before?.("sign");
      const signature = await module.sign(...args);
      return faults.signature?.(signature) ?? signature;
    },
    signNow: (...args) => {
      faults.before?.("signNow");
      const signature = module.signNow(...args);
      return faults.signature?.(signature) ?? signature;
    },
    ...keyCalls(module, faults),
  };
}

type KeyCalls = Pick<
  RawModule,
  | "generateKey"
  | "createObject"
  | "createObjectNow"
  | "wrapKeyNow"
  | "unwrapKey"
  | "unwrapKeyNow"
  | "destroyObject"
  | "setAttributes"
  | "readValue"
>;

function keyCalls(module: RawModule, faults: Faults): KeyCalls {
  return {
    generateKey: (...args) => {
      faults.before?.("generateKey");
      return module.generateKey(...args);
    },
    createObject: async (...args) => {
      faults.before?.("createObject");
      const object = await module.createObject(...args);
      if (halfOf(module, args[0], object) === "public") faults.afterPublicKey?.(args[0]);
      return object;
    },
    createObjectNow: (...args) => {
      faults.before?.("createObjectNow");
      const object = module.createObjectNow(...args);
      if (halfOf(module, args[0], object) === "public") faults.afterPublicKey?.(args[0]);
      return object;
    },
    wrapKeyNow: (...args) => {
      faults.before?.("wrapKeyNow");
      const blob = module.wrapKeyNow(...args);
      return faults.wrapped?.(blob) ?? blob;
    },
    unwrapKey: async (session, how, kek, blob, template) => {
      faults.before?.("unwrapKey");
      const given = faults.blob?.(blob) ?? blob;
      const object = await module.unwrapKey(session, how, kek, given, template);
      faults.afterUnwrap?.(session);
      return object;
    },
    unwrapKeyNow: (session, how, kek, blob, template) => {
      faults.before?.("unwrapKeyNow");
      const given = faults.blob?.(blob) ?? blob;
      const object = module.unwrapKeyNow(session, how, kek, given, template);
      faults.afterUnwrap?.(session);
      return object;
    },
    destroyObject: (session, object) => {
      faults.before?.("destroyObject");
      if (faults.keepsObjects !== true) module.destroyObject(session, object);
    },
    setAttributes: (...args) => {
      faults.before?.("setAttributes");
      faults.changes?.(args[2]);
      module.setAttributes(...args);
    },
    readValue: (...args) => {
      faults.before?.("readValue");
      return module.readValue(...args);
    },
  };
}

function halfOf(
  module: RawModule,
  session: Handle,
  object: Handle,
): "public" | "private" | "secret" | undefined {
  const [value] = module.getAttributes(session, object, [CKA.CLASS.type]);
  const number = value === undefined ? undefined : decode("CLASS", value);
  if (number === CKO.PUBLIC_KEY) return "public";
  if (number === CKO.SECRET_KEY) return "secret";
  return number === CKO.PRIVATE_KEY ? "private" : undefined;
}
