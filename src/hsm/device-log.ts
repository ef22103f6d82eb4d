/**
 * A device's own audit log, as its vendor's tool prints it, in one form: which acts the device says were
 * performed on it. One reader a vendor; whoever adds one adds a line to `READERS`.
 */

import { readYubihsmLog } from "./device-log-yubihsm.ts";

/**
 * What an act does, in the words of our ledger. `foreign` uses a key in a way that Keyrite never does, or is a
 * command that the reader does not know; `other` touches no key.
 */
export const DEVICE_ACT_KINDS = [
  "login",
  "generate",
  "sign",
  "wrap",
  "unwrap",
  "import",
  "destroy",
  "reset",
  "boot",
  "configure",
  "foreign",
  "other",
] as const;
export type DeviceActKind = (typeof DEVICE_ACT_KINDS)[number];

export interface DeviceAct {
  /** The device's own number of the entry. */
  readonly item: number;
  readonly kind: DeviceActKind;
  /** The vendor's name of the command. */
  readonly command: string;
  /** Object it was about, as the device names it; null where it was about none. */
  readonly object: string | null;
  /** Whether the device says that it succeeded. */
  readonly ok: boolean;
}

/** Where a log ends, so that the next one can be seen to go on from there. */
export interface LogEnd {
  readonly item: number;
  /** Hex; what the device chains the next entry to. */
  readonly digest: string;
}

export interface DeviceLog {
  /** Those behind the end of the log before, when one is given. */
  readonly acts: readonly DeviceAct[];
  readonly end: LogEnd;
  /** What is wrong with the log itself, one sentence each: entries altered, missing or never logged. */
  readonly problems: readonly string[];
}

type Reader = (text: string, before?: LogEnd) => DeviceLog;

const READERS = {
  /** Output of `audit get` of yubihsm-shell. */
  yubihsm: readYubihsmLog,
} as const satisfies Readonly<Record<string, Reader>>;

export type DeviceLogFormat = keyof typeof READERS;

export const DEVICE_LOG_FORMATS = Object.keys(READERS) as readonly DeviceLogFormat[];

/**
 * Reads the text of a log.
 * @param before end of the log that was read before this one: what does not go on from there is a problem.
 * @throws KeyriteError usage.bad-file saying which line is none
 */
export function readDeviceLog(format: DeviceLogFormat, text: string, before?: LogEnd): DeviceLog {
  return READERS[format](text, before);
}
