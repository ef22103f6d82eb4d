/**
 * Compares what a device's own log says with what the ledger's call journals say, by number: which acts on
 * the device the ledger does not explain, and which acts of the ledger the device does not know. Pure.
 */

import { DEVICE_ACT_KINDS, type DeviceAct, type DeviceActKind } from "../hsm/device-log.ts";

/** How often something was done, and how often it was tried in vain. */
export interface ActCounts {
  readonly done: number;
  readonly failed: number;
}

/** Acts by kind. */
export type Acts = ReadonlyMap<DeviceActKind, ActCounts>;

/**
 * The kinds of act that a PKCS#11 function is behind. `exact`: each call is one act on the device. The others
 * are made on objects of the session or of the module as well, which no device logs: of those the ledger may
 * have more, and what is missing on the device cannot be told.
 */
const FUNCTIONS: Readonly<Record<string, DeviceActKind>> = {
  C_Login: "login",
  C_GenerateKey: "generate",
  C_GenerateKeyPair: "generate",
  C_Sign: "sign",
  C_WrapKey: "wrap",
  C_UnwrapKey: "unwrap",
  C_CreateObject: "import",
  C_DestroyObject: "destroy",
  C_InitToken: "reset",
  C_InitPIN: "configure",
  C_SetPIN: "configure",
};
const EXACT: readonly DeviceActKind[] = ["login", "generate", "sign", "wrap", "unwrap"];
const AT_MOST: readonly DeviceActKind[] = ["import", "destroy", "reset", "configure"];

/** Kinds that are named one by one, whatever the ledger says. */
const NAMED: readonly DeviceActKind[] = ["boot", "reset", "configure", "foreign"];

export interface MatchRow {
  readonly kind: DeviceActKind;
  readonly device: ActCounts;
  readonly ledger: ActCounts;
  /** On the device, done or tried, and not in the ledger. */
  readonly unexplained: number;
  /** In the ledger and not on the device. */
  readonly missing: number;
  /** False where the ledger may rightly have more than the device. */
  readonly exact: boolean;
}

export interface DeviceMatch {
  /** Kinds that either side knows of. */
  readonly rows: readonly MatchRow[];
  readonly unexplained: number;
  readonly missing: number;
  /** Starts, resets, configuration and what Keyrite never does, one by one. */
  readonly named: readonly DeviceAct[];
  /** Logins of the key that the log is read with. */
  readonly readings: number;
  /** Acts that touch no key. */
  readonly others: number;
  readonly boots: number;
}

/** The kind of act that a PKCS#11 function is behind, or undefined for one that a device does not log. */
export function kindOfCall(call: string): DeviceActKind | undefined {
  return Object.hasOwn(FUNCTIONS, call) ? FUNCTIONS[call] : undefined;
}

/** Whether every call of this kind is one act on the device. */
export function isExact(kind: DeviceActKind): boolean {
  return EXACT.includes(kind);
}

/**
 * @param device acts of the log that are new
 * @param ledger acts in the ledger that no log has shown yet
 * @param reader object under which the log itself is read: its logins are counted apart
 */
export function matchDevice(
  device: readonly DeviceAct[],
  ledger: Acts,
  reader?: string,
): DeviceMatch {
  const isReading = ({ kind, object }: DeviceAct): boolean =>
    kind === "login" && reader !== undefined && object === reader;
  const acts = device.filter((act) => !isReading(act));
  const seen = countActs(acts);
  const rows = [...EXACT, ...AT_MOST, "foreign" as const].flatMap((kind) =>
    rowOf(kind, seen.get(kind) ?? NONE, ledger.get(kind) ?? NONE),
  );
  return {
    rows,
    unexplained: sum(rows.map((row) => row.unexplained)),
    missing: sum(rows.map((row) => row.missing)),
    named: acts.filter(({ kind }) => NAMED.includes(kind)),
    readings: device.length - acts.length,
    others: total(seen.get("other")),
    boots: total(seen.get("boot")),
  };
}

/** Acts by kind, in a fixed order. */
export function countActs(acts: readonly DeviceAct[]): Acts {
  const counts = new Map<DeviceActKind, ActCounts>();
  for (const kind of DEVICE_ACT_KINDS) {
    const ofKind = acts.filter((act) => act.kind === kind);
    const done = ofKind.filter(({ ok }) => ok).length;
    if (ofKind.length > 0) counts.set(kind, { done, failed: ofKind.length - done });
  }
  return counts;
}

function rowOf(kind: DeviceActKind, device: ActCounts, ledger: ActCounts): readonly MatchRow[] {
  if (total(device) + total(ledger) === 0) return [];
  const exact = isExact(kind);
  const unexplained = over(device.done, ledger.done) + over(device.failed, ledger.failed);
  // A call that failed may never have reached the device.
  const missing = exact ? over(ledger.done, device.done) : 0;
  return [{ kind, device, ledger, unexplained, missing, exact }];
}

const NONE: ActCounts = { done: 0, failed: 0 };

/** By how much one number is larger than the other. */
export function over(one: number, other: number): number {
  return Math.max(0, one - other);
}

function total({ done, failed }: ActCounts = NONE): number {
  return done + failed;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}
