/** Tokens of a module: what they answer, and finding the one that is meant – never by slot. */

import { KeyriteError } from "../lib/errors.ts";
import { utf8 } from "../lib/encoding.ts";
import { ALGORITHMS } from "./algorithms.ts";
import { CKM, nameOf, PIN_FLAGS, TOKEN_FLAG } from "./constants.ts";
import type { Handle, RawModule } from "./raw.ts";
import type { OpenModule } from "./registry.ts";
import { KEY_ALGORITHMS, type KeyAlgorithm } from "../lib/algorithms.ts";
import type { TokenInfo } from "./token.ts";

/** A token in the slot it sits in at this moment. */
export interface LocatedToken {
  readonly slot: Handle;
  readonly info: TokenInfo;
}

/** Every token of the module that can hold keys, initialised or not. */
export function listTokens(module: OpenModule): readonly LocatedToken[] {
  const located = module.raw.slots().map((slot) => readToken(module, slot));
  return located.filter((token) => token !== undefined);
}

function readToken(module: OpenModule, slot: Handle): LocatedToken | undefined {
  const { raw, profile, digest } = module;
  const token = raw.tokenInfo(slot);
  const has = (flag: number): boolean => (token.flags & flag) !== 0;
  if (profile.skipsWriteProtected && has(TOKEN_FLAG.WRITE_PROTECTED)) return undefined;
  const initialized = has(TOKEN_FLAG.TOKEN_INITIALIZED);
  const mechanisms = raw.mechanisms(slot);
  const info: TokenInfo = {
    moduleDigest: digest,
    profile: profile.name,
    label: token.label,
    serial: token.serial,
    manufacturer: token.manufacturer,
    model: token.model,
    firmware: token.firmware,
    hardware: token.hardware,
    initialized,
    userPinSet: has(TOKEN_FLAG.USER_PIN_INITIALIZED),
    // A blank token has no PIN to warn of; SoftHSM reports its officer's as locked then.
    pinWarnings: initialized ? pinWarnings(token.flags) : [],
    pinLength: { min: token.minPinLength, max: token.maxPinLength },
    algorithms: KEY_ALGORITHMS.filter((name) => supports(raw, slot, mechanisms, name)),
    mechanisms: mechanisms.map((mechanism) => nameOf("CKM", CKM, mechanism)).sort(),
    waivers: profile.tokenWaivers,
  };
  return { slot, info };
}

function pinWarnings(flags: number): readonly string[] {
  return Object.entries(PIN_FLAGS)
    .filter(([, flag]) => (flags & flag) !== 0)
    .map(([name]) => name);
}

function supports(
  raw: RawModule,
  slot: Handle,
  mechanisms: readonly number[],
  algorithm: KeyAlgorithm,
): boolean {
  const facts = ALGORITHMS[algorithm];
  if (!mechanisms.includes(facts.generate) || !mechanisms.includes(facts.sign)) return false;
  if (facts.family === "ed25519") return true;
  const { min, max } = raw.keySizes(slot, facts.generate);
  const bits = facts.family === "rsa" ? facts.modulusBits : facts.fieldBits;
  // Some modules report 0, or bytes instead of bits: only a limit in bits can exclude a size.
  return max < 128 || (min <= bits && bits <= max);
}

/**
 * The token meant by a serial and label; `serial` "blank" means the one uninitialised token.
 * @throws KeyriteError hsm.token-absent, hsm.wrong-token, hsm.not-initialized, hsm.not-blank
 */
export function locate(module: OpenModule, serial: string, label: string): LocatedToken {
  const tokens = listTokens(module);
  return serial === "blank" ? blankToken(tokens) : namedToken(tokens, serial, label);
}

function blankToken(tokens: readonly LocatedToken[]): LocatedToken {
  const blank = tokens.filter(({ info }) => !info.initialized);
  const [token] = blank;
  if (token !== undefined && blank.length === 1) return token;
  if (token !== undefined) {
    throw new KeyriteError("hsm.wrong-token", `${blank.length} tokens are blank`, {
      hints: ["leave only the one to be initialised connected"],
    });
  }
  if (tokens.length === 0) throw absent("the module has no token", tokens);
  throw new KeyriteError("hsm.not-blank", "no token is blank: all are initialised already", {
    hints: [
      `tokens: ${listed(tokens)}`,
      "initialising would destroy their keys: nothing is erased",
    ],
  });
}

function namedToken(tokens: readonly LocatedToken[], serial: string, label: string): LocatedToken {
  const sameSerial = tokens.filter(({ info }) => info.serial === serial && serial !== "");
  const [token] = sameSerial;
  if (token === undefined) {
    const namesake = tokens.find(({ info }) => info.initialized && info.label === label);
    if (namesake === undefined) throw absent(`no token has the serial ${serial}`, tokens);
    throw wrong(
      `the token labelled ${label} has the serial ${namesake.info.serial}, not ${serial}`,
    );
  }
  if (sameSerial.length > 1) {
    throw wrong(`${sameSerial.length} tokens have the serial ${serial}`);
  }
  if (!token.info.initialized) {
    throw new KeyriteError("hsm.not-initialized", `token ${serial} is not initialised`, {
      hints: ["run the ceremony initialize-token for it"],
    });
  }
  if (token.info.label !== label) {
    throw wrong(`token ${serial} has the label ${token.info.label}, not ${label}`);
  }
  return token;
}

function wrong(message: string): KeyriteError {
  return new KeyriteError("hsm.wrong-token", message, {
    hints: ["another device is connected, or it was initialised again since it was recorded"],
  });
}

function absent(message: string, tokens: readonly LocatedToken[]): KeyriteError {
  return new KeyriteError("hsm.token-absent", message, {
    hints: [`tokens that answer: ${listed(tokens)}`, "connect the token and try again"],
  });
}

function listed(tokens: readonly LocatedToken[]): string {
  const names = tokens.map(({ info }) =>
    info.initialized ? `${info.label} (serial ${info.serial})` : "one blank token",
  );
  return names.length === 0 ? "none" : names.join(", ");
}

const LABEL_BYTES = 32;

/**
 * A token label as C_InitToken reads it: exactly 32 bytes of UTF-8, blank padded.
 * @throws KeyriteError usage.refused for an empty label, one that does not fit, or one whose ends
 * the padding would swallow.
 */
export function paddedLabel(label: string): Uint8Array {
  const bytes = utf8(label);
  const what =
    bytes.length === 0
      ? "is empty"
      : bytes.length > LABEL_BYTES
        ? `has ${bytes.length} bytes in UTF-8, and ${LABEL_BYTES} fit`
        : label !== label.trim() || /\p{Cc}/u.test(label) || !label.isWellFormed()
          ? "begins or ends with white space, or holds control characters"
          : undefined;
  if (what !== undefined) {
    throw new KeyriteError("usage.refused", `the token label ${JSON.stringify(label)} ${what}`, {
      hints: ["choose another label for the token"],
    });
  }
  const padded = new Uint8Array(LABEL_BYTES).fill(0x20);
  padded.set(bytes);
  return padded;
}
