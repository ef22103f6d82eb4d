/**
 * The four calls that carry a PIN, made through koffi on the bytes of a `Secret`: the binding takes
 * PINs as JavaScript strings only, which nobody can wipe. Opening the same file again gives the
 * instance that is loaded already, so handles of the binding are valid here and login state is shared.
 */

import koffi from "koffi";
import type { Secret } from "../lib/secret.ts";
import { KeyriteError } from "../lib/errors.ts";
import { CKU } from "./constants.ts";
import { ckrError } from "./ckr.ts";
import type { Handle, UserType } from "./raw.ts";

export interface PinCalls {
  login(session: Handle, user: UserType, pin: Secret | undefined): void;
  initToken(slot: Handle, soPin: Secret, label: Uint8Array): void;
  initPin(session: Handle, userPin: Secret): void;
  setPin(session: Handle, oldPin: Secret, newPin: Secret): void;
}

// Places in CK_FUNCTION_LIST (PKCS#11 2.40 §5, same order in all versions). By place and not by
// exported name, because a module must export C_GetFunctionList only, and NSS exports no other.
const PLACE = { C_InitToken: 9, C_InitPIN: 10, C_SetPIN: 11, C_Login: 18 } as const;
// CK_VERSION is two bytes; the pointers behind it are aligned to their size.
const FIRST_FUNCTION = 8;

const PROTOTYPE = {
  C_InitToken: koffi.proto(
    "ulong C_InitToken(ulong slot, uint8_t *pin, ulong len, uint8_t *label)",
  ),
  C_InitPIN: koffi.proto("ulong C_InitPIN(ulong session, uint8_t *pin, ulong len)"),
  C_SetPIN: koffi.proto(
    "ulong C_SetPIN(ulong session, uint8_t *old, ulong oldLen, uint8_t *new, ulong newLen)",
  ),
  C_Login: koffi.proto("ulong C_Login(ulong session, ulong user, uint8_t *pin, ulong len)"),
} as const;

/**
 * The PIN calls of the module at `path`, which must be loaded and initialised already.
 * @throws KeyriteError hsm.module-unavailable
 */
export function pinCalls(path: string): PinCalls {
  const functions = functionPointers(path);
  const call = (name: keyof typeof PLACE, ...args: readonly unknown[]): void => {
    // Typed arrays go by pointer: the module reads the very bytes that the caller wipes.
    const code = Number(koffi.call(functions[PLACE[name]], PROTOTYPE[name], ...args));
    if (code !== 0) throw ckrError(name, code);
  };
  return {
    login: (session, user, pin) => {
      const type = user === "user" ? CKU.USER : CKU.SO;
      if (pin === undefined) call("C_Login", session, type, new Uint8Array(1), 0);
      else
        pin.use((bytes) => {
          call("C_Login", session, type, bytes, bytes.length);
        });
    },
    initToken: (slot, soPin, label) => {
      soPin.use((bytes) => {
        call("C_InitToken", slot, bytes, bytes.length, label);
      });
    },
    initPin: (session, userPin) => {
      userPin.use((bytes) => {
        call("C_InitPIN", session, bytes, bytes.length);
      });
    },
    setPin: (session, oldPin, newPin) => {
      oldPin.use((old) => {
        newPin.use((bytes) => {
          call("C_SetPIN", session, old, old.length, bytes, bytes.length);
        });
      });
    },
  };
}

function functionPointers(path: string): readonly unknown[] {
  const list: unknown[] = [null];
  try {
    const library = koffi.load(path);
    const getFunctionList = library.func("ulong C_GetFunctionList(_Out_ void **list)");
    const code = Number(getFunctionList(list));
    if (code !== 0) throw ckrError("C_GetFunctionList", code);
    return koffi.decode(list[0], FIRST_FUNCTION, "void *", PLACE.C_Login + 1) as unknown[];
  } catch (cause) {
    if (cause instanceof KeyriteError) throw cause;
    throw new KeyriteError("hsm.module-unavailable", `cannot reach the PIN calls of ${path}`, {
      cause,
    });
  }
}
