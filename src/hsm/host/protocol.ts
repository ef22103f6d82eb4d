/** What Keyrite and a module's process say to each other. Both sides are of one build, so it has no version. */

import { KeyriteError, messageOf, type ErrorCode } from "../../lib/errors.ts";
import type { JournalRow } from "../journal.ts";
import type { Session } from "../token.ts";

/** Calls of an open session that take values and give one. */
export const SESSION_CALLS = [
  "keys",
  "generateKeyPair",
  "signAll",
  "oaepHashes",
  "wireFormats",
  "establishKek",
  "loadKek",
  "resealKek",
  "importKek",
  "exportedKek",
  "inspectKek",
  "destroyKek",
  "inventory",
  "lockKeys",
  "destroyKeys",
  "destroyRemnants",
  "lintObjects",
  "settleStorage",
  "logout",
] as const satisfies readonly (keyof Session)[];
export type SessionCall = (typeof SESSION_CALLS)[number];

/** Calls on the module, without a session. */
export const MODULE_CALLS = [
  "start",
  "tokens",
  "find",
  "initialize",
  "completeInitialization",
  "wipe",
  "login",
  "publicObjects",
  "publicKeys",
  "close",
] as const;
export type ModuleCall = (typeof MODULE_CALLS)[number];

/** Calls that answer group by group. */
export const STREAMS = ["wrapAll", "unwrapAll"] as const;
export type StreamCall = (typeof STREAMS)[number];

/** From Keyrite. */
export type Request =
  | {
      readonly kind: "call";
      readonly id: number;
      readonly name: ModuleCall | SessionCall | StreamCall;
      /** Number of the open session; 0 for calls on the module. */
      readonly session: number;
      readonly args: readonly unknown[];
    }
  /** The next group may begin; its intent is durable. */
  | { readonly kind: "go"; readonly id: number; readonly blobs: readonly Uint8Array[] }
  /** A group has been taken. */
  | { readonly kind: "more"; readonly id: number }
  /** Nothing further shall begin. */
  | { readonly kind: "stop"; readonly id: number };

/** Logins and milliseconds in PKCS#11 calls so far. */
export type Metered = readonly [logins: number, milliseconds: number];

/** From the module's process. */
export type Answer =
  | {
      readonly kind: "done";
      readonly id: number;
      readonly value: unknown;
      readonly metered: Metered;
      /** PKCS#11 calls since the last answer. */
      readonly calls: readonly JournalRow[];
    }
  | {
      readonly kind: "failed";
      readonly id: number;
      readonly error: Failure;
      readonly metered: Metered;
      readonly calls: readonly JournalRow[];
    }
  /** Asks for leave to begin the next group, of so many items. */
  | { readonly kind: "wants"; readonly id: number; readonly count: number }
  | { readonly kind: "group"; readonly id: number; readonly items: readonly unknown[] };

/** An error on its way; `code` is absent for one that is not ours. */
interface Failure {
  readonly code?: ErrorCode;
  readonly message: string;
  readonly hints: readonly string[];
  /** Function and CKR name where a PKCS#11 call returned it. */
  readonly cause?: { readonly call: string; readonly ckr: string };
}

export function failureOf(error: unknown): Failure {
  if (!(error instanceof KeyriteError)) return { message: messageOf(error), hints: [] };
  const { code, message, hints, cause } = error;
  const base = { code, message, hints };
  return isCkrCause(cause) ? { ...base, cause: { call: cause.call, ckr: cause.ckr } } : base;
}

export function errorOf({ code, message, hints, cause }: Failure): Error {
  if (code === undefined) return new Error(message);
  return new KeyriteError(code, message, cause === undefined ? { hints } : { hints, cause });
}

function isCkrCause(cause: unknown): cause is { readonly call: string; readonly ckr: string } {
  if (typeof cause !== "object" || cause === null) return false;
  const { call, ckr } = cause as Readonly<Record<string, unknown>>;
  return typeof call === "string" && typeof ckr === "string";
}

/** Whether a message is of one of these kinds; what each holds is trusted, since both sides are one build. */
export function isOfKind<T extends { readonly kind: string; readonly id: number }>(
  message: unknown,
  kinds: readonly T["kind"][],
): message is T {
  if (typeof message !== "object" || message === null) return false;
  const { kind, id } = message as Readonly<Record<string, unknown>>;
  return typeof kind === "string" && kinds.includes(kind) && typeof id === "number";
}
