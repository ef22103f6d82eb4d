/** The calls of a module that make, wrap, unwrap, change and destroy keys. */

import { concat } from "../lib/encoding.ts";
import { ownBytes, ownCopy, Secret } from "../lib/secret.ts";
import {
  fromHandle,
  keepUntilHere,
  toHandle,
  toMechanism,
  toTemplate,
  type Binding,
  type Caller,
  type Part,
} from "./binding.ts";
import { CKA, CKZ_DATA_SPECIFIED } from "./constants.ts";
import type { TokenOfSession } from "./journal.ts";
import {
  nestedAttribute,
  type NativeAttribute,
  type NativeCalls,
  type NativeMechanism,
} from "./native.ts";
import type { RawAttribute, RawMechanism, RawTemplate } from "./raw.ts";

type Operations = Part<
  | "generateKeyPair"
  | "generateKey"
  | "sign"
  | "signNow"
  | "createObject"
  | "createObjectNow"
  | "wrapKeyNow"
  | "unwrapKey"
  | "unwrapKeyNow"
  | "destroyObject"
  | "setAttributes"
  | "readValue"
>;

/** Room for a wrapped key; an RSA-16384 private key takes less. */
const MAX_WRAPPED = 16_384;

export function keyOperations(
  binding: Binding,
  caller: Caller,
  tokens: TokenOfSession,
  native: () => NativeCalls,
): Operations {
  return {
    ...generation(binding, caller, tokens, native),
    ...signing(binding, caller, tokens),
    ...creation(binding, caller, tokens, native),
    ...wrapping(binding, caller, tokens, native),
    destroyObject: (session, object) => {
      caller.now("C_DestroyObject", tokens.of(session), () => {
        binding.C_DestroyObject(fromHandle(session), fromHandle(object));
      });
    },
    setAttributes: (session, object, attributes) => {
      caller.now("C_SetAttributeValue", tokens.of(session), () => {
        binding.C_SetAttributeValue(
          fromHandle(session),
          fromHandle(object),
          toTemplate(attributes),
        );
      });
    },
  };
}

function generation(
  binding: Binding,
  { apart }: Caller,
  tokens: TokenOfSession,
  native: () => NativeCalls,
): Part<"generateKeyPair" | "generateKey"> {
  return {
    generateKeyPair: async (session, mechanism, publicTemplate, privateTemplate) => {
      const about = tokens.with(session, mechanism);
      const plain = withoutSecrets(privateTemplate);
      if (plain === undefined) {
        const how = nativeMechanism({ mechanism });
        const halves = [toNative(publicTemplate), toNative(privateTemplate)] as const;
        const pair: readonly unknown[][] = [[0], [0]];
        await apart("C_GenerateKeyPair", about, () => {
          const templates = halves.flatMap((half) => [half, half.length]);
          const calls = native();
          return calls.callApart("C_GenerateKeyPair", session, how, ...templates, ...pair);
        });
        keepUntilHere(halves);
        return { publicKey: outcome(pair[0] ?? []), privateKey: outcome(pair[1] ?? []) };
      }
      const held = [toTemplate(publicTemplate), toTemplate(plain)] as const;
      const pair = await apart("C_GenerateKeyPair", about, () =>
        binding.C_GenerateKeyPairAsync(fromHandle(session), { mechanism }, held[0], held[1]),
      );
      keepUntilHere(held);
      return { publicKey: toHandle(pair.publicKey), privateKey: toHandle(pair.privateKey) };
    },
    generateKey: async (session, mechanism, template) => {
      const about = tokens.with(session, mechanism);
      const held = toTemplate(template);
      const key = await apart("C_GenerateKey", about, () =>
        binding.C_GenerateKeyAsync(fromHandle(session), { mechanism }, held),
      );
      keepUntilHere(held);
      return toHandle(key);
    },
  };
}

function signing(
  binding: Binding,
  { now, apart }: Caller,
  tokens: TokenOfSession,
): Part<"sign" | "signNow"> {
  return {
    sign: async (handle, mechanism, key, data, maxLength) => {
      const session = fromHandle(handle);
      const about = tokens.with(handle, mechanism.mechanism);
      const held = [Buffer.from(data), Buffer.alloc(maxLength)] as const;
      now("C_SignInit", about, () => {
        binding.C_SignInit(session, toMechanism(mechanism), fromHandle(key));
      });
      const signature = await apart("C_Sign", about, () =>
        binding.C_SignAsync(session, held[0], held[1]),
      );
      keepUntilHere(held);
      return new Uint8Array(signature);
    },
    signNow: (handle, mechanism, key, data, maxLength) => {
      const session = fromHandle(handle);
      const about = tokens.with(handle, mechanism.mechanism);
      now("C_SignInit", about, () => {
        binding.C_SignInit(session, toMechanism(mechanism), fromHandle(key));
      });
      return new Uint8Array(
        now("C_Sign", about, () =>
          binding.C_Sign(session, Buffer.from(data), Buffer.alloc(maxLength)),
        ),
      );
    },
  };
}

function creation(
  binding: Binding,
  { now, apart }: Caller,
  tokens: TokenOfSession,
  native: () => NativeCalls,
): Part<"createObject" | "createObjectNow" | "readValue"> {
  return {
    createObject: async (session, template) => {
      // The binding creates objects on this thread only.
      const held = template.map(flat);
      const object: unknown[] = [0];
      await apart("C_CreateObject", tokens.of(session), () =>
        native().callApart("C_CreateObject", session, held, held.length, object),
      );
      keepUntilHere(held);
      return outcome(object);
    },
    createObjectNow: (session, template) => {
      const plain = withoutSecrets(template);
      if (plain !== undefined) {
        return toHandle(
          now("C_CreateObject", tokens.of(session), () =>
            binding.C_CreateObject(fromHandle(session), toTemplate(plain)),
          ),
        );
      }
      const held = toNative(template);
      const object: unknown[] = [0];
      now("C_CreateObject", tokens.of(session), () => {
        native().call("C_CreateObject", session, held, held.length, object);
      });
      keepUntilHere(held);
      return outcome(object);
    },
    readValue: (session, object, length) => {
      const value = ownBytes(length);
      const secret = Secret.take(value);
      now("C_GetAttributeValue", tokens.of(session), () => {
        const wanted = [{ type: CKA.VALUE.type, value, length }];
        native().call("C_GetAttributeValue", session, object, wanted, wanted.length);
      });
      return secret;
    },
  };
}

function wrapping(
  binding: Binding,
  { now, apart }: Caller,
  tokens: TokenOfSession,
  native: () => NativeCalls,
): Part<"wrapKeyNow" | "unwrapKey" | "unwrapKeyNow"> {
  return {
    wrapKeyNow: (session, mechanism, wrappingKey, key) =>
      new Uint8Array(
        now("C_WrapKey", tokens.with(session, mechanism.mechanism), () =>
          binding.C_WrapKey(
            fromHandle(session),
            toMechanism(mechanism),
            fromHandle(wrappingKey),
            fromHandle(key),
            Buffer.alloc(MAX_WRAPPED),
          ),
        ),
      ),
    unwrapKey: async (session, mechanism, unwrappingKey, blob, template) => {
      const about = tokens.with(session, mechanism.mechanism);
      const held = [toMechanism(mechanism), Buffer.from(blob), toTemplate(template)] as const;
      const key = await apart("C_UnwrapKey", about, () =>
        binding.C_UnwrapKeyAsync(
          fromHandle(session),
          held[0],
          fromHandle(unwrappingKey),
          held[1],
          held[2],
        ),
      );
      keepUntilHere(held);
      return toHandle(key);
    },
    unwrapKeyNow: (session, mechanism, unwrappingKey, blob, template) => {
      const about = tokens.with(session, mechanism.mechanism);
      const plain = withoutSecrets(template);
      if (plain !== undefined) {
        return toHandle(
          now("C_UnwrapKey", about, () =>
            binding.C_UnwrapKey(
              fromHandle(session),
              toMechanism(mechanism),
              fromHandle(unwrappingKey),
              Buffer.from(blob),
              toTemplate(plain),
            ),
          ),
        );
      }
      const held = [nativeMechanism(mechanism), ownCopy(blob), toNative(template)] as const;
      const object: unknown[] = [0];
      now("C_UnwrapKey", about, () => {
        const [how, bytes, entries] = held;
        const what = [bytes, bytes.length, entries, entries.length] as const;
        native().call("C_UnwrapKey", session, how, unwrappingKey, ...what, object);
      });
      keepUntilHere(held);
      return outcome(object);
    },
  };
}

/** The template when the binding can carry it: nothing nested, and no key value it would copy. */
function withoutSecrets(template: RawTemplate): readonly RawAttribute[] | undefined {
  const plain = template.filter((entry) => "value" in entry);
  const whole = plain.length === template.length;
  return whole && plain.every(({ type }) => type !== CKA.VALUE.type) ? plain : undefined;
}

function toNative(template: RawTemplate): readonly NativeAttribute[] {
  return template.map((entry) =>
    "nested" in entry ? nestedAttribute(entry.type, entry.nested.map(flat)) : flat(entry),
  );
}

function flat({ type, value }: RawAttribute): NativeAttribute {
  return { type, value, length: value.length };
}

function nativeMechanism({ mechanism, parameter }: RawMechanism): NativeMechanism {
  const bytes = parameterBytes(parameter);
  return { mechanism, parameter: bytes ?? null, length: bytes?.length ?? 0 };
}

// CK_RSA_PKCS_OAEP_PARAMS: three CK_ULONGs, a null pointer to the label, and its length 0;
// CK_RSA_PKCS_PSS_PARAMS: three CK_ULONGs.
function parameterBytes(parameter: RawMechanism["parameter"]): Uint8Array | undefined {
  switch (parameter?.kind) {
    case undefined:
      return undefined;
    case "iv":
      return ownCopy(parameter.iv);
    case "oaep": {
      const fields = [parameter.hash, parameter.mgf, CKZ_DATA_SPECIFIED, 0, 0].map(BigInt);
      return concat(new Uint8Array(new BigUint64Array(fields).buffer));
    }
    case "pss": {
      const fields = [parameter.hash, parameter.mgf, parameter.salt].map(BigInt);
      return concat(new Uint8Array(new BigUint64Array(fields).buffer));
    }
  }
}

// koffi gives small numbers as numbers and large ones as BigInt.
function outcome([object]: readonly unknown[]): bigint {
  return BigInt(object as number | bigint);
}
