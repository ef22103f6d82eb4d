/** The end of a ceremony, judged: steps left out, roles, custody, who vouches for the head. */

import type { Entry } from "../ledger/entry.ts";
import { isJsonObject, type JsonObject } from "../lib/json.ts";
import type { CeremonyConformance, RoleConformance } from "./conformance-report.ts";
import { NO_STEP, type Found } from "./conformance-lists.ts";
import type { CeremonySteps } from "./conformance-steps.ts";
import type { Attending } from "./custody.ts";
import { custodyDigest } from "./custody-json.ts";
import type { CeremonyRecord, History } from "./history.ts";
import { integerOf, stringOf } from "./record.ts";
import { CLOSE } from "./script.ts";

export interface EndContext {
  readonly entry: Entry;
  /** History right after the end. */
  readonly history: History;
  readonly record: CeremonyRecord;
  /** The plan's document; empty when it is missing. */
  readonly document: JsonObject;
  /** Roles that the policy in force at the opening wants at ceremonies of this class. */
  readonly witnesses: readonly string[];
  readonly steps: CeremonySteps;
  /** Who is said, on record, not to cosign. */
  readonly excused: ReadonlySet<string>;
  /** Whose agreements to an abandonment counted. */
  readonly people: readonly Attending[];
  readonly cosigners: NonNullable<CeremonyConformance["head"]>["cosigners"];
}

/** Judges a close. @returns the custody it claims, and what the entries establish */
export function judgeClose(end: EndContext, found: Found): CeremonyConformance["custody"] {
  const { entry, history, record, steps, cosigners, excused } = end;
  const last = steps.all.at(-1);
  if (last?.planned.action === CLOSE && last.planned.id === entry.step) {
    last.outcome = "closed";
    last.ended = { seq: entry.seq, time: entry.time };
    last.people = cosigners.map(({ person }) => ({
      person,
      role: record.attending.find((one) => one.person === person)?.role ?? "",
      expires: null,
    }));
  } else if (last !== undefined) {
    const about = { step: last.planned.id, n: last.planned.n };
    const text = `it is closed in step ${String(entry.step)}, which is not the plan's last`;
    found.violation("order", entry.seq, about, text);
  }
  for (const { planned, outcome } of steps.unperformed()) {
    const about = { step: planned.id, n: planned.n };
    const text = `step ${planned.n} (${planned.id}) was not performed, but the ceremony was closed: it is ${outcome}`;
    found.violation("missing-step", entry.seq, about, text);
  }
  for (const { person, role } of record.attending) {
    if (excused.has(person) || cosigners.some((one) => one.person === person)) continue;
    const text = `${person} (${role}) attended, did not cosign the head, and no reason is on record`;
    found.exception("not-cosigned", entry, NO_STEP, text, { people: [{ person, role }] });
  }
  const claimed = stringOf(entry.data, "custody") ?? "";
  const derived = custodyDigest(history.custody);
  return { claimed, derived, agrees: claimed === derived };
}

/** What of the script's roles was there; also of those that the policy wants at ceremonies of this class. */
export function judgeRoles(end: EndContext, found: Found): readonly RoleConformance[] {
  const { entry, record, document } = end;
  const wanted = isJsonObject(document["roles"]) ? document["roles"] : {};
  const needed = new Map(
    Object.keys(wanted).map((role) => [role, integerOf(wanted, role) ?? 0] as const),
  );
  for (const role of end.witnesses) needed.set(role, Math.max(1, needed.get(role) ?? 0));
  const roles = [...needed].map(([role, least]) => {
    const present = record.attending.filter((one) => one.role === role).length;
    return { role, needed: least, present };
  });
  // Of an abandoned ceremony the roll was perhaps never called.
  if (record.state !== "closed") return roles;
  for (const { role, needed: least, present } of roles) {
    if (present >= least) continue;
    const text = `${present} of at least ${least} × ${role} were at the roll call`;
    found.violation("roles", entry.seq, NO_STEP, text);
  }
  return roles;
}

/** Judges an abandonment: on record and agreed to, it is an exception, not a violation. */
export function judgeAbandonment(end: EndContext, found: Found): void {
  const { entry, record, steps, people } = end;
  const left = steps.unperformed().map(({ planned }) => planned.n);
  const rest = left.length === 0 ? "" : `; not performed: ${numbers(left)}`;
  const text =
    entry.outcome === "refused"
      ? `it was ended before anything had begun: ${stringOf(entry.data, "reason") ?? ""}`
      : `it was abandoned${rest}`;
  found.exception("abandonment", entry, NO_STEP, text, { people });
  for (const doubt of record.unsettled.values()) {
    const about = { step: doubt.id, n: doubt.n };
    const what = `step ${doubt.n} (${doubt.id}), begun at entry ${doubt.begunSeq}, was never settled`;
    found.exception("doubt", entry, about, what);
  }
}

/** `step 3`, or `steps 3 to 7, 9`. */
function numbers(list: readonly number[]): string {
  const runs: { from: number; to: number }[] = [];
  for (const n of list) {
    const last = runs.at(-1);
    if (last?.to === n - 1) last.to = n;
    else runs.push({ from: n, to: n });
  }
  const texts = runs.map(({ from, to }) => (from === to ? `${from}` : `${from} to ${to}`));
  return `${list.length === 1 ? "step" : "steps"} ${texts.join(", ")}`;
}
