/** What the room reads about a device's log: its numbers, what is wrong with it, and the match table. */

import type { Custody } from "../../ceremony/custody.ts";
import type { DeviceMatch, MatchRow } from "../../ceremony/device-match.ts";
import type { DeviceAct } from "../../hsm/device-log.ts";
import { visible } from "../../lib/encoding.ts";

/** Lines of one sort; what is more is counted and stands in the log itself. */
const MOST_LINES = 20;

/** Names of the keys on a token, by the object numbers of devices that use the CKA_ID for them. */
export function objectNames(custody: Custody, token: string): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const name = (ckaId: string | undefined, what: string): void => {
    if (ckaId?.length === 4) names.set(`0x${ckaId}`, what);
  };
  for (const { tokens } of custody.copies.values()) {
    const copy = tokens.get(token);
    name(copy?.ckaId, `key ${copy?.label ?? ""}`);
  }
  name(custody.transports.get(token)?.ckaId, "the transport key");
  for (const [kek, { tokens }] of custody.keks) name(tokens.get(token), `KEK ${kek}`);
  return names;
}

export function problemLines(problems: readonly string[]): readonly string[] {
  if (problems.length === 0) return ["No entry of it is altered or missing."];
  return capped(problems.map((problem) => `WARNING: ${problem}`));
}

/** The match table, then what each number is about. */
export function matchLines(
  match: DeviceMatch,
  acts: readonly DeviceAct[],
  names: ReadonlyMap<string, string>,
): readonly string[] {
  const { rows, named, readings, others } = match;
  const said = (act: DeviceAct): string => {
    const known = names.get(act.object ?? "");
    const object = act.object === null ? "" : ` ${act.object}${known ? ` (${known})` : ""}`;
    return `${visible(act.command)}${object}${act.ok ? "" : ", in vain"}`;
  };
  return [
    "Acts:          device    ledger",
    ...rows.map(rowLine),
    ...rows.filter(({ unexplained }) => unexplained > 0).flatMap((row) => ofKind(row, acts, said)),
    ...capped(named.map((act) => `Item ${act.item}: ${said(act)}.`)),
    `Not compared: ${readings} logins of the key that the log is read with, ${others} acts that touch no key.`,
  ];
}

function rowLine({ kind, device, ledger, unexplained, missing, exact }: MatchRow): string {
  const counts = ({ done, failed }: MatchRow["device"]): string =>
    failed === 0 ? String(done) : `${done} (+${failed})`;
  const verdicts = [
    ...(unexplained > 0 ? [`${unexplained} UNEXPLAINED`] : []),
    ...(missing > 0 ? [`${missing} MISSING on the device`] : []),
  ];
  const verdict =
    verdicts.length > 0 ? verdicts.join(", ") : exact ? "fits" : "fits as far as told";
  return `  ${kind.padEnd(10)} ${counts(device).padStart(9)} ${counts(ledger).padStart(9)}   ${verdict}`;
}

/** Which acts a number that the ledger does not explain may be among. */
function ofKind(
  { kind, unexplained }: MatchRow,
  acts: readonly DeviceAct[],
  said: (act: DeviceAct) => string,
): readonly string[] {
  const sorts = new Map<string, number>();
  for (const act of acts) {
    if (act.kind === kind) sorts.set(said(act), (sorts.get(said(act)) ?? 0) + 1);
  }
  const lines = [...sorts].map(([sort, count]) => `    ${count} x ${sort}`);
  return [
    `WARNING: ${unexplained} of kind ${kind} are not in the ledger, among:`,
    ...capped(lines),
  ];
}

function capped(lines: readonly string[]): readonly string[] {
  const more = lines.length - MOST_LINES;
  return more > 0 ? [...lines.slice(0, MOST_LINES), `and ${more} more`] : lines;
}
