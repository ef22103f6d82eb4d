/** Check values of KEKs: the same on every vendor's token, without any use but wrapping. */

import { CHECK_KEY, checkValueOf, IV_BYTES, wrapInSoftware } from "./aes-wrap.ts";
import { destroyQuietly, type Context } from "./objects.ts";
import type { Handle } from "./raw.ts";
import { fixedKey } from "./throw-away.ts";

/**
 * The check value of a KEK on the token.
 * @param check the mechanism that wraps as RFC 3394 says.
 */
export function checkValueOn(context: Context, kek: Handle, check: number): string {
  return checkValueOf(wrappedCheckKey(context, kek, check));
}

/** CHECK_KEY under a KEK, as RFC 3394 says. */
export function wrappedCheckKey(context: Context, kek: Handle, check: number): Uint8Array {
  const { module, session } = context;
  const fixed = fixedKey(context);
  try {
    return module.wrapKeyNow(session, { mechanism: check }, kek, fixed);
  } finally {
    destroyQuietly(context, fixed);
  }
}

/** The check value of a KEK whose bytes are at hand. */
export function checkValueInSoftware(value: Uint8Array): string {
  return checkValueOf(wrapInSoftware("rfc3394", value, CHECK_KEY, new Uint8Array(IV_BYTES)));
}
