/**
 * A PKCS#11 module through pkcs11js, with its sharp edges filed off: uniform errors, timing, byte
 * values only, handles as numbers. PINs never pass through the binding; see pins.ts.
 */

import pkcs11js from "pkcs11js";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import { ckrError } from "./ckr.ts";
import { CKF_OS_LOCKING_OK, SESSION_READ_ONLY, SESSION_READ_WRITE } from "./constants.ts";
import type { Meter } from "./meter.ts";
import { pinCalls, type PinCalls } from "./pins.ts";
import type { Handle, RawAttribute, RawModule, RawTokenInfo } from "./raw.ts";

/**
 * Loads the module at an absolute path, without initialising it.
 * @throws KeyriteError hsm.module-unavailable when the file is not a PKCS#11 module.
 */
export function loadModule(path: string, meter: Meter): RawModule {
  const binding = new pkcs11js.PKCS11();
  try {
    binding.load(path);
  } catch (cause) {
    throw new KeyriteError(
      "hsm.module-unavailable",
      `${path} does not load as a PKCS#11 module: ${messageOf(cause)}`,
      { cause, hints: ["check the path in site.yaml and that the vendor's library is installed"] },
    );
  }
  const call = <T>(name: string, body: () => T): T => {
    try {
      return meter.time(body);
    } catch (error) {
      throw uniform(name, error);
    }
  };
  return {
    ...general(binding, call),
    ...sessions(binding, call, () => pinCalls(path)),
    ...objects(binding, call),
    ...operations(binding, call, meter),
  };
}

type Binding = pkcs11js.PKCS11;
type Call = <T>(name: string, body: () => T) => T;
type Part<K extends keyof RawModule> = Pick<RawModule, K>;

function general(
  binding: Binding,
  call: Call,
): Part<"initialize" | "finalize" | "slots" | "tokenInfo" | "mechanisms" | "keySizes"> {
  return {
    initialize: (libraryParameters) => {
      const flags = CKF_OS_LOCKING_OK;
      // The binding cuts off the last character of this string: a blank is sacrificed.
      const options =
        libraryParameters === undefined
          ? { flags }
          : { flags, libraryParameters: `${libraryParameters} ` };
      call("C_Initialize", () => {
        binding.C_Initialize(options);
      });
    },
    finalize: () => {
      call("C_Finalize", () => {
        binding.C_Finalize();
      });
    },
    slots: () => call("C_GetSlotList", () => binding.C_GetSlotList(true)).map(toHandle),
    tokenInfo: (slot) =>
      tokenInfo(call("C_GetTokenInfo", () => binding.C_GetTokenInfo(fromHandle(slot)))),
    mechanisms: (slot) =>
      call("C_GetMechanismList", () => binding.C_GetMechanismList(fromHandle(slot))),
    keySizes: (slot, mechanism) => {
      const info = call("C_GetMechanismInfo", () =>
        binding.C_GetMechanismInfo(fromHandle(slot), mechanism),
      );
      return { min: info.minKeySize, max: info.maxKeySize };
    },
  };
}

function sessions(
  binding: Binding,
  call: Call,
  reachPins: () => PinCalls,
): Part<"openSession" | "closeSession" | "login" | "logout" | "initToken" | "initPin" | "setPin"> {
  // Reached at the first PIN: looking at tokens needs no second binding.
  let reached: PinCalls | undefined;
  const pins = (): PinCalls => (reached ??= reachPins());
  return {
    openSession: (slot, mode) => {
      const flags = mode === "read-write" ? SESSION_READ_WRITE : SESSION_READ_ONLY;
      return toHandle(call("C_OpenSession", () => binding.C_OpenSession(fromHandle(slot), flags)));
    },
    closeSession: (session) => {
      call("C_CloseSession", () => {
        binding.C_CloseSession(fromHandle(session));
      });
    },
    logout: (session) => {
      call("C_Logout", () => {
        binding.C_Logout(fromHandle(session));
      });
    },
    login: (session, user, pin) => {
      call("C_Login", () => {
        pins().login(session, user, pin);
      });
    },
    initToken: (slot, soPin, label) => {
      call("C_InitToken", () => {
        pins().initToken(slot, soPin, label);
      });
    },
    initPin: (session, userPin) => {
      call("C_InitPIN", () => {
        pins().initPin(session, userPin);
      });
    },
    setPin: (session, oldPin, newPin) => {
      call("C_SetPIN", () => {
        pins().setPin(session, oldPin, newPin);
      });
    },
  };
}

/** Objects are asked for in groups of this many; a token with more is asked again. */
const FIND_GROUP = 64;

function objects(binding: Binding, call: Call): Part<"findObjects" | "getAttributes"> {
  return {
    findObjects: (handle, template) => {
      const session = fromHandle(handle);
      call("C_FindObjectsInit", () => {
        binding.C_FindObjectsInit(session, toTemplate(template));
      });
      const found: Handle[] = [];
      for (;;) {
        const group = call("C_FindObjects", () => binding.C_FindObjects(session, FIND_GROUP));
        if (group.length === 0) break;
        found.push(...group.map(toHandle));
      }
      // Not after an error: nobody uses this session again then, and the first error is the one
      // that matters.
      call("C_FindObjectsFinal", () => {
        binding.C_FindObjectsFinal(session);
      });
      return found;
    },
    getAttributes: (session, object, types) => {
      const wanted = types.map((type) => ({ type }));
      const result = call("C_GetAttributeValue", () =>
        binding.C_GetAttributeValue(fromHandle(session), fromHandle(object), wanted),
      );
      // The type promises a Buffer; an attribute without a value comes back undefined.
      return result.map(({ value }: { value: Buffer | undefined }) =>
        value === undefined ? undefined : new Uint8Array(value),
      );
    },
  };
}

function operations(binding: Binding, call: Call, meter: Meter): Part<"generateKeyPair" | "sign"> {
  const callAsync = async <T>(name: string, body: () => Promise<T>): Promise<T> => {
    try {
      return await meter.timeAsync(body);
    } catch (error) {
      throw uniform(name, error);
    }
  };
  return {
    generateKeyPair: async (session, mechanism, publicTemplate, privateTemplate) => {
      const held = [toTemplate(publicTemplate), toTemplate(privateTemplate)] as const;
      const pair = await callAsync("C_GenerateKeyPair", () =>
        binding.C_GenerateKeyPairAsync(fromHandle(session), { mechanism }, held[0], held[1]),
      );
      keepUntilHere(held);
      return { publicKey: toHandle(pair.publicKey), privateKey: toHandle(pair.privateKey) };
    },
    sign: async (handle, mechanism, key, data, maxLength) => {
      const session = fromHandle(handle);
      const held = [Buffer.from(data), Buffer.alloc(maxLength)] as const;
      call("C_SignInit", () => {
        binding.C_SignInit(session, { mechanism }, fromHandle(key));
      });
      const signature = await callAsync("C_Sign", () =>
        binding.C_SignAsync(session, held[0], held[1]),
      );
      keepUntilHere(held);
      return new Uint8Array(signature);
    },
  };
}

// The binding's worker threads read buffers that nothing else references: without a use after the
// call the collector may free them while the module still reads.
function keepUntilHere(held: readonly unknown[]): void {
  if (held.length === 0) throw new KeyriteError("internal.bug", "no buffers were held");
}

function toTemplate(attributes: readonly RawAttribute[]): { type: number; value: Buffer }[] {
  return attributes.map(({ type, value }) => ({ type, value: Buffer.from(value) }));
}

// CK_ULONG is a native unsigned long: eight bytes on every platform we support (not on Windows).
function fromHandle(handle: Handle): Buffer {
  return Buffer.from(new BigUint64Array([handle]).buffer);
}

function toHandle(buffer: Buffer): Handle {
  const [handle] = new BigUint64Array(new Uint8Array(buffer).buffer);
  if (handle === undefined) throw new KeyriteError("internal.bug", "a handle has no bytes");
  return handle;
}

function tokenInfo(info: pkcs11js.TokenInfo): RawTokenInfo {
  return {
    label: unpad(info.label),
    manufacturer: unpad(info.manufacturerID),
    model: unpad(info.model),
    serial: unpad(info.serialNumber),
    firmware: `${info.firmwareVersion.major}.${info.firmwareVersion.minor}`,
    hardware: `${info.hardwareVersion.major}.${info.hardwareVersion.minor}`,
    flags: info.flags,
    minPinLength: info.minPinLen,
    maxPinLength: info.maxPinLen,
  };
}

// Fields are blank padded (PKCS#11 §3); some modules pad with NUL instead.
function unpad(field: string): string {
  return field.replace(/[ \0]+$/, "");
}

function uniform(name: string, error: unknown): KeyriteError {
  if (error instanceof KeyriteError) return error;
  const code = codeOf(error);
  if (code !== undefined) return ckrError(name, code);
  return new KeyriteError("hsm.call-failed", `${name} failed: ${messageOf(error)}`, {
    cause: error,
  });
}

// The binding throws its own class with a code from most calls and a plain "CKR_NAME:number" from
// some; it prints newer codes under a wrong name, so only the number counts.
function codeOf(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const number = /CKR_\w+:(\d+)/.exec(error.message)?.[1];
  if (number !== undefined) return Number(number);
  if (!error.message.startsWith("CKR_") || !("code" in error)) return undefined;
  return typeof error.code === "number" ? error.code : undefined;
}
