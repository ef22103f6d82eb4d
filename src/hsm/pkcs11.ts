/**
 * A PKCS#11 module through pkcs11js, with its sharp edges filed off: uniform errors, timing, byte
 * values only, handles as numbers. PINs never pass through the binding; see pins.ts.
 */

import {
  callerOver,
  fromHandle,
  loadBinding,
  toHandle,
  toTemplate,
  type Binding,
  type BindingTokenInfo,
  type Caller,
  type Part,
} from "./binding.ts";
import { CKF_OS_LOCKING_OK, SESSION_READ_ONLY, SESSION_READ_WRITE } from "./constants.ts";
import { TokenOfSession } from "./journal.ts";
import type { Meter } from "./meter.ts";
import { nativeCalls, type NativeCalls } from "./native.ts";
import { pinCalls } from "./pins.ts";
import { keyOperations } from "./pkcs11-keys.ts";
import type { Handle, RawModule, RawTokenInfo } from "./raw.ts";

/**
 * Loads the module at an absolute path, without initialising it.
 * @throws KeyriteError hsm.module-unavailable when the file is not a PKCS#11 module.
 */
export function loadModule(path: string, meter: Meter): RawModule {
  const binding = loadBinding(path);
  const caller = callerOver(meter);
  const tokens = new TokenOfSession();
  // Reached when first needed: looking at tokens needs no second binding.
  let reached: NativeCalls | undefined;
  const native = (): NativeCalls => (reached ??= nativeCalls(path));
  return {
    ...general(binding, caller, tokens),
    ...sessions(binding, caller, tokens, native),
    ...objects(binding, caller, tokens),
    ...keyOperations(binding, caller, tokens, native),
  };
}

function general(
  binding: Binding,
  { now }: Caller,
  tokens: TokenOfSession,
): Part<"initialize" | "finalize" | "slots" | "tokenInfo" | "mechanisms" | "keySizes"> {
  const call = <T>(name: string, body: () => T): T => now(name, undefined, body);
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
    tokenInfo: (slot) => {
      const info = tokenInfo(
        call("C_GetTokenInfo", () => binding.C_GetTokenInfo(fromHandle(slot))),
      );
      tokens.seen(slot, info.serial);
      return info;
    },
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
  { now }: Caller,
  tokens: TokenOfSession,
  native: () => NativeCalls,
): Part<"openSession" | "closeSession" | "login" | "logout" | "initToken" | "initPin" | "setPin"> {
  const pins = (): ReturnType<typeof pinCalls> => pinCalls(native());
  const within = (name: string, session: Handle, body: () => void): void => {
    now(name, tokens.of(session), body);
  };
  return {
    openSession: (slot, mode) => {
      const flags = mode === "read-write" ? SESSION_READ_WRITE : SESSION_READ_ONLY;
      const opened = now("C_OpenSession", tokens.ofSlot(slot), () =>
        binding.C_OpenSession(fromHandle(slot), flags),
      );
      const session = toHandle(opened);
      tokens.opened(session, slot);
      return session;
    },
    closeSession: (session) => {
      within("C_CloseSession", session, () => {
        binding.C_CloseSession(fromHandle(session));
      });
      tokens.closed(session);
    },
    logout: (session) => {
      within("C_Logout", session, () => {
        binding.C_Logout(fromHandle(session));
      });
    },
    login: (session, user, pin) => {
      within("C_Login", session, () => {
        pins().login(session, user, pin);
      });
    },
    initToken: (slot, soPin, label) => {
      now("C_InitToken", tokens.ofSlot(slot), () => {
        pins().initToken(slot, soPin, label);
      });
    },
    initPin: (session, userPin) => {
      within("C_InitPIN", session, () => {
        pins().initPin(session, userPin);
      });
    },
    setPin: (session, oldPin, newPin) => {
      within("C_SetPIN", session, () => {
        pins().setPin(session, oldPin, newPin);
      });
    },
  };
}

/** Objects are asked for in groups of this many; a token with more is asked again. */
const FIND_GROUP = 64;

function objects(
  binding: Binding,
  { now }: Caller,
  tokens: TokenOfSession,
): Part<"findObjects" | "getAttributes"> {
  return {
    findObjects: (handle, template) => {
      const session = fromHandle(handle);
      const about = tokens.of(handle);
      const call = <T>(name: string, body: () => T): T => now(name, about, body);
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
      const result = now("C_GetAttributeValue", tokens.of(session), () =>
        binding.C_GetAttributeValue(fromHandle(session), fromHandle(object), wanted),
      );
      // The type promises a Buffer; an attribute without a value comes back undefined.
      return result.map(({ value }: { value: Buffer | undefined }) => value);
    },
  };
}

function tokenInfo(info: BindingTokenInfo): RawTokenInfo {
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
