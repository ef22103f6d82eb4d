/**
 * The functions of a loaded module that the binding cannot call as we must, through koffi: those that
 * carry a secret as bytes we wipe, those whose templates nest, and object creation on another
 * thread. Opening the same file again gives the instance that is loaded already, so handles of the
 * binding are valid here and login state is shared.
 */

import { KeyriteError } from "../lib/errors.ts";
import { koffi } from "../lib/foreign.ts";
import { ckrError } from "./ckr.ts";

// Places in CK_FUNCTION_LIST (PKCS#11 2.40 §5, same order in all versions). By place and not by
// exported name, because a module must export C_GetFunctionList only, and NSS exports no other.
const PLACE = {
  C_InitToken: 9,
  C_InitPIN: 10,
  C_SetPIN: 11,
  C_Login: 18,
  C_CreateObject: 20,
  C_GetAttributeValue: 24,
  C_GenerateKeyPair: 59,
  C_UnwrapKey: 61,
} as const;
// CK_VERSION is two bytes; the pointers behind it are aligned to their size.
const FIRST_FUNCTION = 8;

koffi.struct("CK_ATTRIBUTE", { type: "ulong", value: "void *", length: "ulong" });
koffi.struct("CK_MECHANISM", { mechanism: "ulong", parameter: "void *", length: "ulong" });

const PROTOTYPE = {
  C_InitToken: koffi.proto(
    "ulong C_InitToken(ulong slot, uint8_t *pin, ulong len, uint8_t *label)",
  ),
  C_InitPIN: koffi.proto("ulong C_InitPIN(ulong session, uint8_t *pin, ulong len)"),
  C_SetPIN: koffi.proto(
    "ulong C_SetPIN(ulong session, uint8_t *old, ulong oldLen, uint8_t *new, ulong newLen)",
  ),
  C_Login: koffi.proto("ulong C_Login(ulong session, ulong user, uint8_t *pin, ulong len)"),
  C_CreateObject: koffi.proto(
    "ulong C_CreateObject(ulong session, CK_ATTRIBUTE *template, ulong count, _Out_ ulong *object)",
  ),
  C_GetAttributeValue: koffi.proto(
    "ulong C_GetAttributeValue(ulong session, ulong object, _Inout_ CK_ATTRIBUTE *template, ulong count)",
  ),
  C_GenerateKeyPair: koffi.proto(
    "ulong C_GenerateKeyPair(ulong session, CK_MECHANISM *mechanism, CK_ATTRIBUTE *public, ulong publicCount, CK_ATTRIBUTE *private, ulong privateCount, _Out_ ulong *publicKey, _Out_ ulong *privateKey)",
  ),
  C_UnwrapKey: koffi.proto(
    "ulong C_UnwrapKey(ulong session, CK_MECHANISM *mechanism, ulong key, uint8_t *blob, ulong len, CK_ATTRIBUTE *template, ulong count, _Out_ ulong *object)",
  ),
} as const;

export type NativeName = keyof typeof PLACE;

/** CK_ATTRIBUTE; bytes go by pointer, so the module reads the very bytes that the caller wipes. */
export interface NativeAttribute {
  readonly type: number;
  readonly value: unknown;
  readonly length: number;
}

/** CK_MECHANISM. */
export interface NativeMechanism {
  readonly mechanism: number;
  readonly parameter: Uint8Array | null;
  readonly length: number;
}

/** Bytes of one CK_ATTRIBUTE in an array: three eight-byte fields. */
const ATTRIBUTE_BYTES = 24;

/** An attribute whose value is a template, as CKA_UNWRAP_TEMPLATE is. */
export function nestedAttribute(
  type: number,
  entries: readonly NativeAttribute[],
): NativeAttribute {
  const value = koffi.as([...entries], "CK_ATTRIBUTE *");
  return { type, value, length: entries.length * ATTRIBUTE_BYTES };
}

/** Calls into one module; each throws the error of a CKR code that is not CKR_OK. */
export interface NativeCalls {
  readonly call: (name: NativeName, ...args: readonly unknown[]) => void;
  /** The same on another thread. */
  readonly callApart: (name: NativeName, ...args: readonly unknown[]) => Promise<void>;
}

/**
 * The calls of the module at `path`, which must be loaded and initialised already.
 * @throws KeyriteError hsm.module-unavailable
 */
export function nativeCalls(path: string): NativeCalls {
  const functions = functionPointers(path);
  const bound = new Map<NativeName, Apart>();
  const apart = (name: NativeName): Apart => {
    const known = bound.get(name);
    if (known !== undefined) return known;
    const made = koffi.decode(functions[PLACE[name]], PROTOTYPE[name]) as Apart;
    bound.set(name, made);
    return made;
  };
  return {
    call: (name, ...args) => {
      const code: unknown = koffi.call(functions[PLACE[name]], PROTOTYPE[name], ...args);
      const failure = failureOf(name, code);
      if (failure !== undefined) throw failure;
    },
    callApart: (name, ...args) =>
      new Promise((resolve, reject) => {
        apart(name).async(...args, (error: Error | null, code: unknown) => {
          const failure = error ?? failureOf(name, code);
          if (failure === undefined) resolve();
          else reject(failure);
        });
      }),
  };
}

/** The part of a koffi function that runs it on another thread. */
interface Apart {
  readonly async: (...args: readonly unknown[]) => void;
}

function failureOf(name: NativeName, code: unknown): KeyriteError | undefined {
  return Number(code) === 0 ? undefined : ckrError(name, Number(code));
}

function functionPointers(path: string): readonly unknown[] {
  const list: unknown[] = [null];
  try {
    const library = koffi.load(path);
    const getFunctionList = library.func("ulong C_GetFunctionList(_Out_ void **list)");
    const code = Number(getFunctionList(list));
    if (code !== 0) throw ckrError("C_GetFunctionList", code);
    return koffi.decode(list[0], FIRST_FUNCTION, "void *", PLACE.C_UnwrapKey + 1) as unknown[];
  } catch (cause) {
    if (cause instanceof KeyriteError) throw cause;
    throw new KeyriteError("hsm.module-unavailable", `cannot reach the functions of ${path}`, {
      cause,
    });
  }
}
