/**
 * Return values of PKCS#11 calls and the one way they become errors: every failure names the
 * function and the CKR code, because that is what a vendor's support asks for.
 */

import { KeyriteError, type ErrorCode } from "../lib/errors.ts";

const NAMES: Readonly<Record<number, string>> = {
  0x01: "CANCEL",
  0x02: "HOST_MEMORY",
  0x03: "SLOT_ID_INVALID",
  0x05: "GENERAL_ERROR",
  0x06: "FUNCTION_FAILED",
  0x07: "ARGUMENTS_BAD",
  0x08: "NO_EVENT",
  0x09: "NEED_TO_CREATE_THREADS",
  0x0a: "CANT_LOCK",
  0x10: "ATTRIBUTE_READ_ONLY",
  0x11: "ATTRIBUTE_SENSITIVE",
  0x12: "ATTRIBUTE_TYPE_INVALID",
  0x13: "ATTRIBUTE_VALUE_INVALID",
  0x1b: "ACTION_PROHIBITED",
  0x20: "DATA_INVALID",
  0x21: "DATA_LEN_RANGE",
  0x30: "DEVICE_ERROR",
  0x31: "DEVICE_MEMORY",
  0x32: "DEVICE_REMOVED",
  0x40: "ENCRYPTED_DATA_INVALID",
  0x41: "ENCRYPTED_DATA_LEN_RANGE",
  0x42: "AEAD_DECRYPT_FAILED",
  0x50: "FUNCTION_CANCELED",
  0x51: "FUNCTION_NOT_PARALLEL",
  0x54: "FUNCTION_NOT_SUPPORTED",
  0x60: "KEY_HANDLE_INVALID",
  0x62: "KEY_SIZE_RANGE",
  0x63: "KEY_TYPE_INCONSISTENT",
  0x64: "KEY_NOT_NEEDED",
  0x65: "KEY_CHANGED",
  0x66: "KEY_NEEDED",
  0x67: "KEY_INDIGESTIBLE",
  0x68: "KEY_FUNCTION_NOT_PERMITTED",
  0x69: "KEY_NOT_WRAPPABLE",
  0x6a: "KEY_UNEXTRACTABLE",
  0x70: "MECHANISM_INVALID",
  0x71: "MECHANISM_PARAM_INVALID",
  0x82: "OBJECT_HANDLE_INVALID",
  0x90: "OPERATION_ACTIVE",
  0x91: "OPERATION_NOT_INITIALIZED",
  0xa0: "PIN_INCORRECT",
  0xa1: "PIN_INVALID",
  0xa2: "PIN_LEN_RANGE",
  0xa3: "PIN_EXPIRED",
  0xa4: "PIN_LOCKED",
  0xb0: "SESSION_CLOSED",
  0xb1: "SESSION_COUNT",
  0xb3: "SESSION_HANDLE_INVALID",
  0xb4: "SESSION_PARALLEL_NOT_SUPPORTED",
  0xb5: "SESSION_READ_ONLY",
  0xb6: "SESSION_EXISTS",
  0xb7: "SESSION_READ_ONLY_EXISTS",
  0xb8: "SESSION_READ_WRITE_SO_EXISTS",
  0xc0: "SIGNATURE_INVALID",
  0xc1: "SIGNATURE_LEN_RANGE",
  0xd0: "TEMPLATE_INCOMPLETE",
  0xd1: "TEMPLATE_INCONSISTENT",
  0xe0: "TOKEN_NOT_PRESENT",
  0xe1: "TOKEN_NOT_RECOGNIZED",
  0xe2: "TOKEN_WRITE_PROTECTED",
  0xf0: "UNWRAPPING_KEY_HANDLE_INVALID",
  0xf1: "UNWRAPPING_KEY_SIZE_RANGE",
  0xf2: "UNWRAPPING_KEY_TYPE_INCONSISTENT",
  0x100: "USER_ALREADY_LOGGED_IN",
  0x101: "USER_NOT_LOGGED_IN",
  0x102: "USER_PIN_NOT_INITIALIZED",
  0x103: "USER_TYPE_INVALID",
  0x104: "USER_ANOTHER_ALREADY_LOGGED_IN",
  0x105: "USER_TOO_MANY_TYPES",
  0x110: "WRAPPED_KEY_INVALID",
  0x112: "WRAPPED_KEY_LEN_RANGE",
  0x113: "WRAPPING_KEY_HANDLE_INVALID",
  0x114: "WRAPPING_KEY_SIZE_RANGE",
  0x115: "WRAPPING_KEY_TYPE_INCONSISTENT",
  0x120: "RANDOM_SEED_NOT_SUPPORTED",
  0x121: "RANDOM_NO_RNG",
  0x130: "DOMAIN_PARAMS_INVALID",
  0x140: "CURVE_NOT_SUPPORTED",
  0x150: "BUFFER_TOO_SMALL",
  0x160: "SAVED_STATE_INVALID",
  0x170: "INFORMATION_SENSITIVE",
  0x180: "STATE_UNSAVEABLE",
  0x190: "CRYPTOKI_NOT_INITIALIZED",
  0x191: "CRYPTOKI_ALREADY_INITIALIZED",
  0x1a0: "MUTEX_BAD",
  0x1a1: "MUTEX_NOT_LOCKED",
  0x1b0: "NEW_PIN_MODE",
  0x1b1: "NEXT_OTP",
  0x1b5: "EXCEEDED_MAX_ITERATIONS",
  0x1b6: "FIPS_SELF_TEST_FAILED",
  0x1b7: "LIBRARY_LOAD_FAILED",
  0x1b8: "PIN_TOO_WEAK",
  0x1b9: "PUBLIC_KEY_INVALID",
  0x200: "FUNCTION_REJECTED",
  0x201: "TOKEN_RESOURCE_EXCEEDED",
  0x202: "OPERATION_CANCEL_FAILED",
  0x203: "KEY_EXHAUSTED",
};

const MEANING: Readonly<Record<string, readonly [ErrorCode, ...string[]]>> = {
  CKR_PIN_INCORRECT: [
    "hsm.pin-rejected",
    "do not try again before both operators know which share set this token belongs to",
  ],
  CKR_PIN_INVALID: ["hsm.pin-rejected", "the token refuses characters of this PIN"],
  CKR_PIN_LEN_RANGE: ["hsm.pin-rejected", "the token takes PINs of another length"],
  CKR_PIN_TOO_WEAK: ["hsm.pin-rejected", "the token's own PIN policy refuses this PIN"],
  CKR_PIN_EXPIRED: ["hsm.pin-rejected", "change the PIN with the vendor's tool, then adopt it"],
  CKR_PIN_LOCKED: ["hsm.pin-locked", "only the security officer can set a new user PIN"],
  CKR_TOKEN_NOT_PRESENT: ["hsm.token-absent", "insert the token and look at its lights"],
  CKR_TOKEN_NOT_RECOGNIZED: ["hsm.token-absent", "the module does not know this token"],
  CKR_DEVICE_REMOVED: ["hsm.token-absent", "the token was removed: what was under way is in doubt"],
  CKR_SLOT_ID_INVALID: ["hsm.token-absent", "the token went away while it was looked at"],
  CKR_MECHANISM_INVALID: ["hsm.not-supported", "`keyrite hsm inspect` lists the mechanisms"],
  CKR_MECHANISM_PARAM_INVALID: ["hsm.not-supported"],
  CKR_FUNCTION_NOT_SUPPORTED: ["hsm.not-supported"],
  CKR_CURVE_NOT_SUPPORTED: ["hsm.not-supported", "choose another curve"],
  CKR_KEY_SIZE_RANGE: ["hsm.not-supported", "choose another key size"],
  CKR_DEVICE_MEMORY: [
    "hsm.token-full",
    "use a token with room for every key, or remove what it need not hold",
  ],
  CKR_TOKEN_RESOURCE_EXCEEDED: ["hsm.token-full", "the token takes no more objects or sessions"],
  CKR_USER_PIN_NOT_INITIALIZED: ["hsm.not-initialized", "initialize the token first"],
  CKR_USER_ALREADY_LOGGED_IN: [
    "hsm.call-failed",
    "this process is logged in to the token already: deactivate it first",
  ],
  CKR_USER_ANOTHER_ALREADY_LOGGED_IN: [
    "hsm.call-failed",
    "the other of security officer and user is logged in: log out first",
  ],
  CKR_SESSION_EXISTS: ["hsm.call-failed", "another program has the token open: end it first"],
  CKR_CRYPTOKI_ALREADY_INITIALIZED: [
    "hsm.call-failed",
    "another part of this process opened the module: start a new process",
  ],
};

/** What stands as `cause` of an error that a PKCS#11 call returned. */
interface CkrCause {
  readonly call: string;
  readonly ckr: string;
}

/** `CKR_PIN_INCORRECT`, or `CKR_0x80000001` for a code no header names. */
export function ckrName(code: number): string {
  return `CKR_${NAMES[code] ?? `0x${code.toString(16)}`}`;
}

/** The error for a PKCS#11 function that returned `code`. */
export function ckrError(call: string, code: number): KeyriteError {
  const ckr = ckrName(code);
  const [kind, ...hints] = MEANING[ckr] ?? ["hsm.call-failed" as const];
  const cause: CkrCause = { call, ckr };
  return new KeyriteError(kind, `${call} returned ${ckr}`, { hints, cause });
}

/** The CKR name behind an error, or undefined when no PKCS#11 call returned it. */
export function ckrOf(error: unknown): string | undefined {
  if (!(error instanceof KeyriteError)) return undefined;
  const cause = error.cause as Partial<CkrCause> | undefined;
  return typeof cause?.ckr === "string" ? cause.ckr : undefined;
}
