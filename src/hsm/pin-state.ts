/**
 * What a token says of its PINs, judged: tries left are worth more than one ceremony. It is asked for when the token
 * is shown, before anybody opens a share, and again right before the login, since it may have changed meanwhile.
 */

import { KeyriteError } from "../lib/errors.ts";
import type { TokenInfo } from "./token.ts";

/**
 * No C_Login when the next failure locks the PIN.
 * @throws KeyriteError hsm.not-initialized, hsm.pin-locked
 */
export function refuseLogin(info: TokenInfo): void {
  const name = `token ${info.label} (serial ${info.serial})`;
  if (!info.userPinSet) {
    throw new KeyriteError("hsm.not-initialized", `${name} has no user PIN yet`, {
      hints: ["run the ceremony initialize-token for it"],
    });
  }
  const flag = warned(info, "CKF_USER_PIN_LOCKED", "CKF_USER_PIN_FINAL_TRY");
  if (flag === undefined) return;
  throw new KeyriteError("hsm.pin-locked", `${name} reports ${flag}: the PIN was not tried`, {
    hints: [
      "find out who tried wrong PINs on this token",
      "nobody can set its PIN anew here: restore its keys from their backup on another token, and retire this one",
    ],
  });
}

/**
 * One more wrong PIN may be the last: a token that nobody can wipe is worse than one not yet wiped.
 * @throws KeyriteError hsm.pin-locked
 */
export function refuseLockedOfficer(info: TokenInfo): void {
  const flag = warned(info, "CKF_SO_PIN_LOCKED", "CKF_SO_PIN_FINAL_TRY");
  if (flag === undefined) return;
  throw new KeyriteError(
    "hsm.pin-locked",
    `token ${info.label} reports ${flag}: the security officer's PIN was not tried`,
    { hints: ["the vendor's tool can bring the device back to its factory state"] },
  );
}

function warned({ pinWarnings }: TokenInfo, ...flags: readonly string[]): string | undefined {
  return flags.find((flag) => pinWarnings.includes(flag));
}
