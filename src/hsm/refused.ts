/**
 * Whether a token refuses what it is asked to try. Much is found out by trying: how it wraps, which hashes it opens,
 * whether a locked key can leave it. A failure of the moment is no answer to that: taken for "no", a device
 * that was busy or away would turn into evidence that a key cannot be read.
 */

import { ckrOf } from "./ckr.ts";

/** About the token, the session or the machine, whatever was asked. */
const OF_THE_MOMENT: ReadonlySet<string> = new Set([
  "CKR_CANCEL",
  "CKR_HOST_MEMORY",
  "CKR_SLOT_ID_INVALID",
  "CKR_CANT_LOCK",
  "CKR_DEVICE_ERROR",
  "CKR_DEVICE_MEMORY",
  "CKR_DEVICE_REMOVED",
  "CKR_FUNCTION_CANCELED",
  "CKR_KEY_HANDLE_INVALID",
  "CKR_OBJECT_HANDLE_INVALID",
  "CKR_OPERATION_ACTIVE",
  "CKR_PIN_EXPIRED",
  "CKR_PIN_LOCKED",
  "CKR_SESSION_CLOSED",
  "CKR_SESSION_COUNT",
  "CKR_SESSION_HANDLE_INVALID",
  "CKR_TOKEN_NOT_PRESENT",
  "CKR_TOKEN_NOT_RECOGNIZED",
  "CKR_UNWRAPPING_KEY_HANDLE_INVALID",
  "CKR_USER_NOT_LOGGED_IN",
  "CKR_WRAPPING_KEY_HANDLE_INVALID",
  "CKR_CRYPTOKI_NOT_INITIALIZED",
  "CKR_FIPS_SELF_TEST_FAILED",
  "CKR_TOKEN_RESOURCE_EXCEEDED",
]);

/** Some tokens refuse with these, and any token may fail with them. */
const VAGUE: ReadonlySet<string> = new Set(["CKR_GENERAL_ERROR", "CKR_FUNCTION_FAILED"]);

/** Whether a PKCS#11 call was refused for what was asked, and did not fail for another reason. */
export function isRefusal(error: unknown): boolean {
  const ckr = ckrOf(error);
  return ckr !== undefined && !OF_THE_MOMENT.has(ckr);
}

/**
 * What a call gives, or undefined when it is refused. With a code that does not say why it is asked for once more.
 * @throws what the call throws, unless that is a refusal
 */
export function orRefused<T>(call: () => T, tries = 2): T | undefined {
  try {
    return call();
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return VAGUE.has(ckrOf(error) ?? "") && tries > 1 ? orRefused(call, tries - 1) : undefined;
  }
}
