/**
 * Wipes an initialised token for good: everything on it goes with C_InitToken, and the security officer's
 * PIN becomes a random one that nobody keeps.
 */

import { KeyriteError } from "../lib/errors.ts";
import { refuseLockedOfficer } from "./pin-state.ts";
import type { Random } from "../lib/clock.ts";
import { utf8 } from "../lib/encoding.ts";
import { ownBytes, Secret, wiping } from "../lib/secret.ts";
import type { Handle, UserType } from "./raw.ts";
import type { OpenModule } from "./registry.ts";
import type { WipedToken } from "./token.ts";
import { listTokens, locate, paddedLabel, type LocatedToken } from "./tokens.ts";

/** What a wiped token is called, so that nobody takes it for what it was. */
const RETIRED = "retired";

const BLANK_OFFICER =
  "the module wipes for whoever asks: no security officer's PIN was needed, and none guards the token now";

export interface WipeMeans {
  readonly random: Random;
  /** One counted C_Login. */
  readonly login: (session: Handle, user: UserType, pin: Secret) => void;
}

/** See `Hsm.wipe`. */
export async function wipe(
  module: OpenModule,
  token: LocatedToken,
  soPin: Secret,
  means: WipeMeans,
): Promise<WipedToken> {
  refuseLockedOfficer(token.info);
  const { raw, profile } = module;
  const before = new Set(listTokens(module).map(identity));
  // The token compares the PIN itself, and refuses while a session is open anywhere.
  raw.initToken(token.slot, soPin, paddedLabel(RETIRED));
  if (profile.initialization === "blank-officer") {
    clearPublicObjects(module, token.slot);
    return { info: atSlot(module, token.slot).info, waivers: [BLANK_OFFICER] };
  }
  const wiped = newAmong(module, before);
  if (wiped.info.userPinSet) throw badOutput("its user PIN is still set");
  await forgetOfficer(module, wiped, soPin, means);
  return { info: locate(module, wiped.info.serial, wiped.info.label).info, waivers: [] };
}

function identity({ info }: LocatedToken): string {
  return JSON.stringify([info.initialized, info.serial, info.label]);
}

// The serial changes here on some modules, and slots may: what is new now is the token.
function newAmong(module: OpenModule, before: ReadonlySet<string>): LocatedToken {
  const fresh = listTokens(module).filter(
    (token) => token.info.initialized && !before.has(identity(token)),
  );
  const [token] = fresh;
  if (token !== undefined && fresh.length === 1) return token;
  throw badOutput(`${fresh.length} tokens are new, not one`);
}

function atSlot(module: OpenModule, slot: Handle): LocatedToken {
  const token = listTokens(module).find((one) => one.slot === slot);
  if (token === undefined) throw badOutput("the token does not answer any more");
  return token;
}

/** Looks that nothing is left, then sets an officer's PIN that is forgotten at once. */
async function forgetOfficer(
  module: OpenModule,
  { slot, info }: LocatedToken,
  soPin: Secret,
  { random, login }: WipeMeans,
): Promise<void> {
  const { raw } = module;
  const session = raw.openSession(slot, "read-write");
  try {
    const left = raw.findObjects(session, []).length;
    if (left > 0) throw badOutput(`${left} objects are still there`);
    login(session, "security-officer", soPin);
    const pin = forgottenPin(random, info.pinLength.max);
    await wiping([pin], () => {
      raw.setPin(session, soPin, pin);
    });
  } finally {
    // Ends the officer's login too.
    raw.closeSession(session);
  }
}

// Such a module forgets its private keys only; the public halves would be taken for keys of later.
function clearPublicObjects({ raw }: OpenModule, slot: Handle): void {
  const session = raw.openSession(slot, "read-write");
  try {
    for (const object of raw.findObjects(session, [])) raw.destroyObject(session, object);
    const left = raw.findObjects(session, []).length;
    if (left > 0) throw badOutput(`${left} objects are still there`);
  } finally {
    raw.closeSession(session);
  }
}

const DIGITS = utf8("0123456789abcdef");

/** A random PIN of 32 hex digits, or of as many as the token takes. */
function forgottenPin(random: Random, most: number): Secret {
  const length = most === 0 ? 32 : Math.min(32, most);
  const digits = ownBytes(length);
  const bytes = random.bytes(length);
  bytes.forEach((byte, i) => {
    digits.set(DIGITS.subarray(byte & 15, (byte & 15) + 1), i);
  });
  bytes.fill(0);
  return Secret.take(digits);
}

function badOutput(what: string): KeyriteError {
  return new KeyriteError("hsm.bad-output", `after C_InitToken ${what}`, {
    hints: ["list the tokens with `keyrite hsm list`; do not rely on the token being empty"],
  });
}
