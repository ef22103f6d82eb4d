/** What is refused before a token is asked: a label that is taken, a login that may cost the last try. */

import { KeyriteError } from "../lib/errors.ts";
import type { Secret } from "../lib/secret.ts";
import type { Handle } from "./raw.ts";
import type { OpenModule } from "./registry.ts";
import type { TokenInfo } from "./token.ts";
import { listTokens } from "./tokens.ts";

/** Two tokens of one label would be confused by people. @throws KeyriteError hsm.object-exists */
export function refuseLabelTaken(module: OpenModule, label: string): void {
  if (listTokens(module).every(({ info }) => !info.initialized || info.label !== label)) return;
  throw new KeyriteError("hsm.object-exists", `another token has the label ${label} already`, {
    hints: ["choose another label, or people will confuse the two"],
  });
}

/** A PIN of impossible length is a wrong PIN: it must not cost a try. @throws KeyriteError hsm.pin-rejected */
export function refusePinLength({ pinLength: { min, max }, label }: TokenInfo, pin: Secret): void {
  if (pin.length >= min && (max === 0 || pin.length <= max)) return;
  throw new KeyriteError(
    "hsm.pin-rejected",
    `the PIN does not have a length that token ${label} takes (${min} to ${max} bytes): it was not tried`,
  );
}

/** Between looking and opening the session somebody may have changed the device. @throws KeyriteError hsm.wrong-token */
export function refuseSwapped(module: OpenModule, slot: Handle, expected: TokenInfo): void {
  const now = module.raw.tokenInfo(slot);
  if (now.serial === expected.serial && now.label === expected.label) return;
  throw new KeyriteError(
    "hsm.wrong-token",
    `the token was exchanged: ${named(now)} answers instead of ${named(expected)}`,
    { hints: ["stop and find out who changed the device"] },
  );
}

function named({ serial, label }: Pick<TokenInfo, "serial" | "label">): string {
  return `serial ${serial}, label ${label},`;
}
