/** What needs somebody's attention at a site, one sentence each, the worst first. Pure. */

import type { JsonObject } from "../lib/json.ts";
import type { CertificatesStatus } from "./certificate-status.ts";
import { findingLines } from "./finding.ts";
import { shareSetName } from "./generations.ts";
import { isComplete } from "./copies-query.ts";
import type { Custody } from "./custody.ts";
import { currentShareSets, lostHolders } from "./custody-people.ts";
import { deviationOf } from "./device-logs.ts";
import type { StepInDoubt } from "./history.ts";
import { plural, thinKeks, type KeyStatus } from "./key-status.ts";
import { ObjectIds } from "./object-ids.ts";
import { peopleConcerns } from "./people-concerns.ts";
import type { StatusHistory } from "./status-history.ts";

/** How many keys are named one by one before the rest is only counted. */
export const MOST_KEYS = 20;

/** Stands before what is to be put right before anything else: never said by colour alone. */
const RED = "RED:";

/** All concerns; empty when all is well. */
export function concerns(
  history: StatusHistory,
  keys: readonly KeyStatus[],
  certificates: Pick<CertificatesStatus, "concerns"> = { concerns: [] },
  /** Milliseconds since 1970; without it nobody's dates are looked at. */
  nowMs?: number,
): readonly string[] {
  const { custody } = history;
  return [
    ...ledgerConcerns(history),
    ...(nowMs === undefined ? [] : peopleConcerns(custody, nowMs)),
    ...abandonedDoubts(history),
    ...abandonedSignatures(history),
    ...named(keys, extractable, "more keys are extractable"),
    ...thinKeks(custody).map((text) => `${RED} ${text}`),
    ...leftWithShares(custody),
    ...tokenConcerns(custody),
    ...deviceLogConcerns(custody),
    ...unfinishedBackups(custody, keys),
    ...certificates.concerns,
    ...failedDrills(custody),
    ...abandonedDrills(history),
    ...named(keys, lacking, "more keys lack what the policy wants"),
    ...named(keys, retained, "more keys have copies that were retained"),
  ];
}

function ledgerConcerns(history: StatusHistory): readonly string[] {
  const list: string[] = [];
  if (history.size === 0) list.push("the site is not founded yet: keyrite run establish-site");
  if (history.open !== null) list.push(...findingLines(history.open));
  else if (history.cosigned < history.size) {
    list.push(
      `entries ${history.cosigned} to ${history.size - 1} are not cosigned; the next roll call shows them`,
    );
  }
  return [...list, ...history.findings.map(({ text }) => text)];
}

interface AbandonedStep {
  /** Of the ceremony. */
  readonly id: string;
  readonly doubt: StepInDoubt;
}

/** Steps that nobody settled before their ceremony was abandoned, whether they were interrupted or failed. */
function abandonedSteps({ ceremonies }: StatusHistory): readonly AbandonedStep[] {
  return ceremonies.flatMap(({ id, state, unsettled }) =>
    state === "abandoned" ? [...unsettled.values()].map((doubt) => ({ id, doubt })) : [],
  );
}

/**
 * What nobody looked after when a ceremony was abandoned, until its token is retired or made anew. A step that failed,
 * or that failed once more when it was to be undone, may have left as much as one without an outcome.
 */
function abandonedDoubts(history: StatusHistory): readonly string[] {
  const steps = abandonedSteps(history);
  // Most sites have none, and names of ten thousand objects are not collected for nothing.
  if (steps.length === 0) return [];
  const owned = new ObjectIds(history.custody);
  const tokens = [...history.custody.tokens.values()];
  return steps.flatMap(({ id, doubt }) => {
    const { serial, ckaId } = doubt.intent;
    const token = tokens.find((one) => one.serial === serial)?.token;
    if (token === undefined) return [];
    const items = doubt.group?.items.map((item) => item.ckaId) ?? [];
    const ids = (typeof ckaId === "string" ? [ckaId, ...items] : items).filter(
      (one) => owned.taken(token, one) === undefined,
    );
    if (ids.length === 0) return [];
    const objects = `objects with CKA_ID ${shortList(ids)}, which nobody owns`;
    return [
      `${abandonedAt(id, doubt)}: token ${token} may hold ${objects}; look there, or retire the token`,
    ];
  });
}

function abandonedAt(id: string, doubt: StepInDoubt): string {
  return `${RED} ceremony ${id} was abandoned with step ${doubt.n} (${doubt.id}, ${doubt.action}) in doubt at entry ${doubt.begunSeq}`;
}

/** Steps that had begun to sign. */
function abandonedSignatures(history: StatusHistory): readonly string[] {
  return abandonedSteps(history).flatMap(({ id, doubt }) => {
    const signed = mayBeSigned(doubt.intent);
    return signed === undefined ? [] : [`${abandonedAt(id, doubt)}: ${signed}`];
  });
}

/** What a CA key may have signed that nobody has: it cannot be taken back, only looked for. */
function mayBeSigned({ issuerSpki, scheme, serial, number }: JsonObject): string | undefined {
  if (typeof issuerSpki !== "string" || typeof scheme !== "string") return undefined;
  if (typeof serial === "string") {
    return `a certificate with serial ${serial} may have been signed by key ${issuerSpki}; look into its outbox`;
  }
  if (typeof number !== "number") return undefined;
  return `CRL number ${number} may have been signed by key ${issuerSpki}; the next one supersedes it`;
}

function shortList(ids: readonly string[]): string {
  const more = ids.length - MOST_IDS;
  return [...ids.slice(0, MOST_IDS), ...(more > 0 ? [`${more} more`] : [])].join(", ");
}

const MOST_IDS = 4;

function tokenConcerns({ tokens }: Custody): readonly string[] {
  return [...tokens.values()]
    .filter(({ activation, sets }) => activation === "sealed" && sets.activation === undefined)
    .map(({ token }) => `token ${token} has no activation share set`);
}

/** Shares of whoever was revoked: nobody can take them back, so each is one of the quorum less, or more. */
function leftWithShares(custody: Custody): readonly string[] {
  return currentShareSets(custody).flatMap((made) => {
    const lost = lostHolders(custody, made);
    if (lost.length === 0) return [];
    const { threshold, holders, purpose, token } = made;
    const left = holders.length - lost.length;
    const [opens, remedy] =
      purpose === "kek"
        ? ["a KEK", "rotate that KEK"]
        : [
            `token ${token}`,
            "restore its keys onto an HSM with holders of its own, then retire it",
          ];
    const text =
      `${lost.join(" and ")}, off the roster, had ${plural(lost.length, "share")} of set ` +
      `${shareSetName(made)} of ${opens}: counted as lost, ${left} of ${holders.length} are left ` +
      `and ${threshold} open it; ${remedy}`;
    // Lost for the site, but not for whoever was revoked: enough of them are a quorum outside.
    return [left < threshold || lost.length >= threshold ? `${RED} ${text}` : text];
  });
}

/** What the devices' own logs say otherwise than the ledger, until a deviation or a newer log explains it. */
function deviceLogConcerns({ deviceLogs }: Custody): readonly string[] {
  return [...deviceLogs.values()].flatMap(({ token, last, unexplained, missing, problems }) => {
    const parts = [
      ...(unexplained > 0
        ? [`${plural(unexplained, "act")} that the ledger does not explain`]
        : []),
      ...(missing > 0 ? [`${plural(missing, "act")} of the ledger missing`] : []),
      ...(problems > 0 ? [plural(problems, "problem")] : []),
    ];
    if (parts.length === 0) return [];
    const way = `record a deviation from the rule "${deviationOf(token)}"`;
    return [
      `${RED} the device log of token ${token}, up to item ${last}, has ${parts.join(", ")}: look into it, then ${way}`,
    ];
  });
}

/**
 * The newest drill, and the newest on each token that is still there: a pass on one token says nothing of another. What
 * failed before these was repeated since, and passed.
 */
function failedDrills({ drills, tokens }: Custody): readonly string[] {
  const onToken = [...tokens.keys()].map((token) => drills.findLast((one) => one.token === token));
  return [...new Set([drills.at(-1), ...onToken])].flatMap((last) => {
    if (last?.verdict !== "fail") return [];
    const [why = "no reason is on record", ...more] = last.reasons;
    const rest = more.length === 0 ? "" : ` (and ${plural(more.length, "more reason")})`;
    return [
      `${RED} the last ${last.drill} of a restore, on token ${last.token}, failed: ${why}${rest}`,
    ];
  });
}

/** The newest drill that ended without a verdict, until one has passed since: nothing shows that a restore works. */
function abandonedDrills({ ceremonies, custody }: StatusHistory): readonly string[] {
  const last = ceremonies.findLast(({ unjudged }) => unjudged);
  if (last === undefined) return [];
  const ended = last.closedAt ?? last.openedAt;
  if (custody.drills.some(({ verdict, at }) => verdict === "pass" && at > ended)) return [];
  return [
    `${RED} ceremony ${last.id} (${last.script}) was abandoned at ${ended} before it judged the restore; hold it again`,
  ];
}

function extractable({ label, tokens }: KeyStatus): readonly string[] {
  return tokens
    .filter((copy) => copy.extractable)
    .map(
      ({ token }) =>
        `${RED} key ${label} can be taken out of token ${token}; back it up and lock it in the next ceremony`,
    );
}

function lacking({ label, missing }: KeyStatus): readonly string[] {
  return missing.map((text) => `key ${label}: ${text}`);
}

function retained({ label, retained: copies }: KeyStatus): readonly string[] {
  return copies.map(({ copy, reason }) => `key ${label}: ${copy} keeps a copy: ${reason}`);
}

/** Backups that were begun, never completed, and whose keys were not taken out of the record again. */
function unfinishedBackups(custody: Custody, keys: readonly KeyStatus[]): readonly string[] {
  const held = new Map<string, number>();
  for (const { backup, completed } of keys.flatMap(({ backups }) => backups)) {
    if (!completed) held.set(backup, (held.get(backup) ?? 0) + 1);
  }
  return [...held]
    .filter(([backup]) => !isComplete(custody.backups.get(backup)))
    .map(
      ([backup, count]) =>
        `backup ${backup} was begun with ${plural(count, "key")} and never completed: it does not count`,
    );
}

function named(
  keys: readonly KeyStatus[],
  say: (key: KeyStatus) => readonly string[],
  others: string,
): readonly string[] {
  const concerned = keys.map(say).filter((texts) => texts.length > 0);
  const more = concerned.length - MOST_KEYS;
  return [...concerned.slice(0, MOST_KEYS).flat(), ...(more > 0 ? [`${more} ${others}`] : [])];
}
