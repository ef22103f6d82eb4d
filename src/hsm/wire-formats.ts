/**
 * Which mechanism of a token makes and opens which wire format. Numbers say little – two vendors
 * give 0x210A two meanings – so each is tried with a KEK of known value and judged in software.
 */

import { generateKeyPairSync } from "node:crypto";
import type { Random } from "../lib/clock.ts";
import type { KeyAlgorithm } from "../lib/algorithms.ts";
import { concat, equalBytes, hex } from "../lib/encoding.ts";
import {
  CHECK_KEY,
  IV_BYTES,
  openInSoftware,
  WIRE_FORMATS,
  withoutTrailingZeros,
  wrapInSoftware,
} from "./aes-wrap.ts";
import type { WireFormat } from "./backup.ts";
import { CKM } from "./constants.ts";
import { askedTemplate, expectation } from "./object-check.ts";
import { destroyQuietly, type Context } from "./objects.ts";
import type { Handle, RawAttribute, RawMechanism } from "./raw.ts";
import { recordedKey } from "./recorded-key.ts";
import { isRefusal, orRefused } from "./refused.ts";
import { restoreTemplates } from "./restore-templates.ts";
import { whyNotPossessed } from "./sign.ts";
import { fixedKey, isPrivateHalf, knownKek, throwAwayPair, unsupported } from "./throw-away.ts";
import { unwrapTemplate } from "./unwrap-template.ts";
import type { ModuleProfile } from "./profiles.ts";

/** What was found out about a token; valid as long as it is open. */
export interface Formats {
  readonly wraps: ReadonlyMap<WireFormat, number>;
  readonly unwraps: ReadonlyMap<WireFormat, number>;
  /** Every mechanism that wrapped a private key, in a format that we know or in another. */
  readonly wrapping: readonly number[];
  /** The mechanism that wraps CHECK_KEY as RFC 3394 says. */
  readonly check: number;
}

export interface ProbeMeans {
  /** Mechanism numbers of the token. */
  readonly mechanisms: readonly number[];
  readonly algorithms: readonly KeyAlgorithm[];
  readonly profile: ModuleProfile;
  readonly random: Random;
}

// Unambiguous ones first, so that the deprecated 0x210A is used only where it must be.
const CANDIDATES = [
  CKM.AES_KEY_WRAP_KWP,
  CKM.AES_KEY_WRAP_PAD,
  CKM.AES_KEY_WRAP_PKCS7,
  CKM.AES_KEY_WRAP,
  CKM.AES_CBC_PAD,
] as const;

/**
 * Finds the formats out by trying. Whatever it makes is a session object and destroyed again.
 * @throws KeyriteError hsm.not-supported when the token takes no AES key of known value, or wraps
 * none as RFC 3394 says: then no check value exists there.
 */
export async function probeFormats(context: Context, means: ProbeMeans): Promise<Formats> {
  const candidates = CANDIDATES.filter((mechanism) => means.mechanisms.includes(mechanism));
  const value = means.random.bytes(32);
  const made: Handle[] = [];
  try {
    const kek = knownKek(context, value);
    made.push(kek);
    const fixed = fixedKey(context);
    made.push(fixed);
    const expectedCheck = wrapInSoftware("rfc3394", value, CHECK_KEY, NO_IV);
    const check = candidates.find((mechanism) => {
      const found = tryWrap(context, mechanism, kek, fixed, NO_IV);
      return found !== undefined && equalBytes(found, expectedCheck);
    });
    if (check === undefined) throw unsupported("wraps no key as RFC 3394 says");
    const { wraps, wrapping } = await probeWraps(context, candidates, { kek, value }, means, made);
    const unwraps = await probeUnwraps(context, candidates, { kek, value }, means);
    return { wraps, unwraps, wrapping, check };
  } finally {
    for (const object of made) destroyQuietly(context, object);
  }
}

/** The mechanism of a format, with the IV it may want. */
export function mechanismOf(mechanism: number, iv: Uint8Array): RawMechanism {
  if (mechanism !== CKM.AES_CBC_PAD) return { mechanism };
  return { mechanism, parameter: { kind: "iv", iv } };
}

interface KnownKek {
  readonly kek: Handle;
  readonly value: Uint8Array;
}

const NO_IV = new Uint8Array(IV_BYTES);

async function probeWraps(
  context: Context,
  candidates: readonly number[],
  { kek, value }: KnownKek,
  means: ProbeMeans,
  made: Handle[],
): Promise<Pick<Formats, "wraps" | "wrapping">> {
  const pair = await throwAwayPair(context, means.algorithms);
  made.push(pair.publicKey, pair.privateKey);
  const wraps = new Map<WireFormat, number>();
  const wrapping: number[] = [];
  for (const mechanism of candidates) {
    const iv = means.random.bytes(IV_BYTES);
    const wrapped = tryWrap(context, mechanism, kek, pair.privateKey, iv);
    if (wrapped === undefined) continue;
    wrapping.push(mechanism);
    const blob = mechanism === CKM.AES_CBC_PAD ? concat(iv, wrapped) : wrapped;
    for (const format of WIRE_FORMATS) {
      const opened = openInSoftware(format, value, blob);
      const pkcs8 = opened === undefined ? undefined : withoutTrailingZeros(opened);
      if (pkcs8 === undefined || !isPrivateHalf(pkcs8, pair.spki)) continue;
      if (!wraps.has(format)) wraps.set(format, mechanism);
    }
  }
  return { wraps, wrapping };
}

async function probeUnwraps(
  context: Context,
  candidates: readonly number[],
  { kek, value }: KnownKek,
  { algorithms, profile, random }: ProbeMeans,
): Promise<Formats["unwraps"]> {
  const algorithm = algorithms.includes("p-256") ? "p-256" : "rsa-3072";
  const { publicKey, privateKey } =
    algorithm === "p-256"
      ? generateKeyPairSync("ec", { namedCurve: "P-256" })
      : generateKeyPairSync("rsa", { modulusLength: 3072 });
  const pkcs8 = privateKey.export({ format: "der", type: "pkcs8" });
  const key = recordedKey(concat(publicKey.export({ format: "der", type: "spki" })), algorithm);
  const name = { label: "keyrite-probe", ckaId: hex(random.bytes(16)) };
  const { privateKey: entries } = restoreTemplates(name, key, false);
  const asked = askedTemplate(expectation(profile, "restored-private", entries));
  const template = unwrapTemplate(profile, key, asked);
  const unwraps = new Map<WireFormat, number>();
  for (const format of WIRE_FORMATS) {
    const iv = random.bytes(IV_BYTES);
    const blob = wrapInSoftware(format, value, pkcs8, iv);
    for (const mechanism of candidates) {
      if (unwraps.has(format) || (format === "aes-cbc-pad") !== isCbc(mechanism)) continue;
      const object = tryUnwrap(context, mechanism, kek, blob, template);
      if (object === undefined) continue;
      const wrong = await whyNotPossessed(context, object, key, { random, apart: false }).catch(
        (error: unknown) => {
          if (!isRefusal(error)) throw error;
          return "it does not sign";
        },
      );
      destroyQuietly(context, object);
      if (wrong === undefined) unwraps.set(format, mechanism);
    }
  }
  return unwraps;
}

function isCbc(mechanism: number): boolean {
  return mechanism === CKM.AES_CBC_PAD;
}

/** A blob as C_UnwrapKey takes it: the IV apart from the rest. */
export function splitBlob(
  mechanism: number,
  blob: Uint8Array,
): { readonly how: RawMechanism; readonly bytes: Uint8Array } {
  if (!isCbc(mechanism)) return { how: { mechanism }, bytes: blob };
  const how = mechanismOf(mechanism, blob.subarray(0, IV_BYTES));
  return { how, bytes: blob.subarray(IV_BYTES) };
}

// Any refusal by the module means that this is not the mechanism we look for.
function tryWrap(
  { module, session }: Context,
  mechanism: number,
  kek: Handle,
  key: Handle,
  iv: Uint8Array,
): Uint8Array | undefined {
  return orRefused(() => module.wrapKeyNow(session, mechanismOf(mechanism, iv), kek, key));
}

function tryUnwrap(
  { module, session }: Context,
  mechanism: number,
  kek: Handle,
  blob: Uint8Array,
  template: readonly RawAttribute[],
): Handle | undefined {
  const { how, bytes } = splitBlob(mechanism, blob);
  return orRefused(() => module.unwrapKeyNow(session, how, kek, bytes, template));
}
