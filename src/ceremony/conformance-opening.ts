/** The opening of a ceremony, judged: script, plan, site and the head before it. */

import type { Entry } from "../ledger/entry.ts";
import { isJsonObject, type JsonObject } from "../lib/json.ts";
import { parseNote } from "../lib/note.ts";
import { custodyDigest } from "./custody-json.ts";
import { NO_STEP, type Found } from "./conformance-lists.ts";
import type { ScriptCheck, ScriptChecker } from "./conformance-script.ts";
import type { CosignatureSource } from "./heads.ts";
import type { CeremonyRecord, History, HistorySources } from "./history.ts";
import { integerOf, stringOf } from "./record.ts";

export interface OpeningContext {
  /** History right after the opening. */
  readonly history: History;
  readonly record: CeremonyRecord;
  /** The plan's document as attached; empty when it is missing. */
  readonly document: JsonObject;
  readonly scripts: ScriptChecker;
  readonly cosignatures: CosignatureSource;
  readonly attachment: HistorySources["attachment"];
  /** Digest of the build that judges, when it is known. */
  readonly build: string | undefined;
}

/**
 * Adds to `found` what is wrong with an opening.
 * @returns whether the plan is what comes out of the script; null when that cannot be said
 */
export function judgeOpening(entry: Entry, context: OpeningContext, found: Found): boolean | null {
  headBefore(entry, context, found);
  if (context.record.plan === undefined) return null;
  sameDigests(entry, context, found);
  inputsAttached(entry, context, found);
  return asWritten(entry, context, found);
}

function asWritten(
  entry: Entry,
  { record, document, scripts, build }: OpeningContext,
  found: Found,
): boolean | null {
  const { seq } = entry;
  const sha256 = stringOf(entry.data, "script") ?? "";
  const check: ScriptCheck = scripts.check(document, sha256);
  if (check.problem !== null) {
    found.violation("script", seq, NO_STEP, `its script is none: ${check.problem}`);
  }
  for (const { n, text } of check.differences) {
    const step = record.plan?.steps.find((one) => one.n === n)?.id ?? null;
    found.violation("plan", seq, { step, n }, `the plan is not what its script says: ${text}`);
  }
  const own = build !== undefined && record.plan?.software === build;
  for (const n of check.reworded) {
    const step = record.plan?.steps.find((one) => one.n === n);
    const about = { step: step?.id ?? null, n };
    const text = `step ${n} was read out as: ${step?.instruction ?? ""}`;
    if (own) found.violation("plan", seq, about, `this very build words it otherwise: ${text}`);
    else found.exception("wording", entry, about, text, { deviates: false });
  }
  if (check.missing !== null) {
    const { code, text } = check.missing;
    const remedy =
      code === "attachment"
        ? "ask the site for the whole ledger file"
        : "judge it with the build of keyrite that conducted it, or a newer one";
    found.lacks({ code, seq, text, remedy });
  }
  const script = scripts.script(sha256);
  if (typeof script === "object") {
    const { title, caClass } = entry.data;
    if (title !== script.title || caClass !== script.caClass) {
      found.violation("script", seq, NO_STEP, "its title or class of CA is not that of the script");
    }
  }
  return check.asWritten;
}

/** Profiles and files that the plan names by digest: what people agreed to must be there to be read. */
function inputsAttached(entry: Entry, context: OpeningContext, found: Found): void {
  const { document, scripts, attachment } = context;
  const script = scripts.script(stringOf(entry.data, "script") ?? "");
  const specs = typeof script === "object" ? Object.entries(script.params) : [];
  const { params, profiles } = document;
  const files = specs.flatMap(([name, { type }]) =>
    type === "file" && isJsonObject(params) ? (params[name] ?? []) : [],
  );
  const named = [...files, ...(isJsonObject(profiles) ? Object.values(profiles) : [])];
  for (const sha256 of named) {
    if (typeof sha256 === "string" && attachment(sha256) !== undefined) continue;
    const text = `a profile or file of its plan is not attached: ${JSON.stringify(sha256)}`;
    const remedy = "ask the site for the whole ledger file";
    found.lacks({ code: "attachment", seq: entry.seq, text, remedy });
  }
}

/** What the opening states must be what the plan says, and the plan what the site was then. */
function sameDigests(
  entry: Entry,
  { history, record, document }: OpeningContext,
  found: Found,
): void {
  const { data, seq } = entry;
  const { custody } = history;
  const { plan } = record;
  const software = isJsonObject(data["software"])
    ? stringOf(data["software"], "sha256")
    : undefined;
  const same: readonly (readonly [string, boolean])[] = [
    ["script", data["script"] === plan?.script.sha256],
    ["bindings", data["bindings"] === plan?.bindings],
    ["policy", data["policy"] === document["policy"]],
    ["build of the software", software === plan?.software],
    ["assurance", data["assurance"] === document["assurance"]],
  ];
  for (const [what, equal] of same) {
    if (!equal) found.violation("plan", seq, NO_STEP, `it states another ${what} than its plan`);
  }
  const now: readonly (readonly [string, boolean])[] = [
    ["another origin", document["origin"] === custody.origin],
    ["another assurance", document["assurance"] === custody.assurance],
    ["another policy than the one in force", document["policy"] === custody.policy],
    ["other custody than the entries establish", document["custody"] === custodyDigest(custody)],
  ];
  for (const [what, equal] of now) {
    if (!equal) found.violation("plan", seq, NO_STEP, `it was planned for ${what}`);
  }
}

/** The order of ceremonies: each quotes the newest cosigned head before it. */
function headBefore(entry: Entry, context: OpeningContext, found: Found): void {
  const { history, cosignatures } = context;
  const { cosigned } = history;
  const { seq, data } = entry;
  const previous = data["previous"] ?? null;
  if (previous === null) {
    if (cosigned === 0) return;
    const text = `it names no head before it, although one of size ${cosigned} was cosigned`;
    found.violation("head", seq, NO_STEP, text);
    return;
  }
  const quoted = typeof previous === "string" ? textOf(previous) : undefined;
  const size = integerOf({ size: Number(quoted?.split("\n")[1] ?? -1) }, "size") ?? -1;
  const stored = size > 0 && size <= seq ? cosignatures.checkpoint(size) : undefined;
  if (quoted === undefined || stored === undefined || textOf(stored) !== quoted) {
    found.violation("head", seq, NO_STEP, "the head it quotes is none of this ledger");
    return;
  }
  if (size === cosigned) return;
  // Cosignatures may be added later, so an older quotation was perhaps the newest then.
  const text = `it quotes the head of size ${size}, the newest cosigned one is of size ${cosigned}`;
  found.exception("older-head", entry, NO_STEP, text);
}

function textOf(note: string): string | undefined {
  try {
    return parseNote(note).text;
  } catch {
    return undefined;
  }
}
