/** What a restore drill came to: gathered from the ledger's entries, custody and one look at the token. */

import type { Room, StepProgress } from "../../ceremony/action.ts";
import { backupsOf, copiesOn } from "../../ceremony/copies-query.ts";
import { kekName, placeKey, type BackupCustody } from "../../ceremony/custody-copies.ts";
import {
  DRILL_SCHEMA,
  elapsedMilliseconds,
  phasesOf,
  recoveryMilliseconds,
  type DrillFindings,
  type DrillReport,
  type DrillStep,
} from "../../ceremony/drill-report.ts";
import { parseTimestamp, timestamp } from "../../lib/clock.ts";
import { visible } from "../../lib/encoding.ts";
import { messageOf } from "../../lib/errors.ts";
import { chosenBackup, keysIn, type BackupChoice } from "./chosen-backup.ts";

const DAY_MS = 86_400_000;
const SKIPPED = "halted.step-skipped";

export interface DrillChoice extends BackupChoice {
  readonly token: string;
}

/** The report of the open ceremony as a drill. */
export async function gatherDrill(room: Room, choice: DrillChoice): Promise<DrillReport> {
  const { custody } = room;
  const steps = room
    .progress()
    .filter(({ id }) => id !== room.step)
    .map(drillStep);
  const backup = chosenBackup(custody, choice);
  const expected = backup === undefined ? [] : (keysIn(custody, backup.backup, choice.keys) ?? []);
  const keys = {
    expected: expected.length,
    // Other keys, or the same out of another backup, prove nothing of this one.
    restored: expected.filter(({ spki }) => {
      const last = custody.copies.get(spki)?.restored;
      return last?.ceremony === room.ceremony && last.backup === backup?.backup;
    }).length,
    left: copiesOn(custody, choice.token).length,
  };
  const strays = await straysOn(room, choice.token);
  const left = typeof strays === "string" ? keys.left : Math.max(keys.left, strays);
  const facts: DrillFindings = {
    schema: DRILL_SCHEMA,
    kind: room.assurance === "production" ? "drill" : "rehearsal",
    origin: room.origin,
    ceremony: room.ceremony,
    concludedAt: timestamp(room.clock.now()),
    policy: room.policy.sha256,
    people: room.people.attending.map(({ person, role }) => ({ person, role })),
    token: tokenOf(room, choice.token),
    backup: backup === undefined ? null : backupOf(backup),
    keys: { ...keys, left },
    recovery: recoveryOf(room, steps),
    recoveryPoint: recoveryPointOf(room, backup),
    phases: phasesOf(steps),
    steps,
  };
  const reasons = reasonsOf(facts, choice, typeof strays === "string" ? strays : undefined);
  return {
    ...facts,
    verdict: reasons.length === 0 ? "pass" : "fail",
    reasons,
    proved: provedBy(facts),
    notProved: notProvedBy(room, facts, choice),
  };
}

/** Seconds of the drill's fact: to the last key proved, or as far as it came. */
export function drillSeconds({ recovery, steps }: DrillReport): number {
  return Math.ceil((recovery.milliseconds ?? elapsedMilliseconds(steps)) / 1000);
}

function drillStep(step: StepProgress): DrillStep {
  const { id, action, outcome, openedAt, begunAt, endedAt, code } = step;
  const message = step.message === null ? null : oneLine(step.message, 300);
  return { id, action, outcome, openedAt, begunAt, endedAt, code, message };
}

// A fact takes one line of text in normal form; words of a token or a script may be anything.
function oneLine(text: string, most: number): string {
  return cut(visible(text).normalize("NFC"), most);
}

/** At most so many code units, and no half of a pair at the end. */
function cut(text: string, most: number): string {
  return text.slice(0, most).replace(/[\ud800-\udbff]$/, "");
}

function tokenOf({ custody }: Room, name: string): DrillReport["token"] {
  const bound = custody.tokens.get(name);
  const { serial = "", manufacturer = "", model = "", firmware = "" } = bound ?? {};
  return { name, serial, manufacturer, model, firmware };
}

function backupOf(known: BackupCustody): NonNullable<DrillReport["backup"]> {
  const { backup, sha256, made, keys, vaults } = known;
  return {
    id: backup,
    sha256: sha256 ?? "",
    madeAt: made,
    kek: kekName(known),
    keys,
    vaults: [...vaults],
  };
}

/**
 * Objects on the drill token that are CA keys; in words why nobody could look. An inactive token cannot be
 * listed: then only the record speaks, and the step that destroyed the copies.
 */
async function straysOn({ custody, tokens }: Room, token: string): Promise<number | string> {
  if (!custody.active.has(token)) return 0;
  const transport = custody.transports.get(token)?.ckaId;
  try {
    const objects = await tokens.session(token).inventory();
    return objects.filter(
      ({ objectClass, ckaId, onToken }) =>
        objectClass === "private" && onToken && ckaId !== transport,
    ).length;
  } catch (error) {
    return `token ${token} could not be listed: ${oneLine(messageOf(error), 200)}`;
  }
}

function recoveryOf({ policy }: Room, steps: readonly DrillStep[]): DrillReport["recovery"] {
  const rtoMinutes = policy.drills.rtoMinutes ?? null;
  const milliseconds = recoveryMilliseconds(steps);
  const met =
    rtoMinutes === null ? null : milliseconds !== null && milliseconds <= rtoMinutes * 60_000;
  return { milliseconds, rtoMinutes, met };
}

/** How old the backup is, and which keys would be lost although they are older than is allowed. */
function recoveryPointOf(
  { policy, custody, clock }: Room,
  backup: BackupCustody | undefined,
): DrillReport["recoveryPoint"] {
  const rpoDays = policy.drills.rpoDays ?? null;
  const daysSince = (time: string): number =>
    Math.max(0, Math.ceil((clock.now() - (parseTimestamp(time) ?? 0)) / DAY_MS));
  const ageDays = backup === undefined ? null : daysSince(backup.made);
  const lost = [...custody.keys.values()].flatMap((key) => {
    const copies = custody.copies.get(key.spki);
    if (key.backup !== "wrap" || copies?.destroyed !== false) return [];
    // A key that was cloned and left the token of its birth is in no backup for that.
    const proved = [...copies.tokens.values()].map((copy) => copy.proved).filter((at) => at !== "");
    const ages = proved.map(daysSince);
    if (backupsOf(custody, key.spki).length > 0 || ages.length === 0) return [];
    return Math.max(...ages) > (rpoDays ?? Infinity) ? [key.label] : [];
  });
  const met = rpoDays === null ? null : ageDays !== null && ageDays <= rpoDays && lost.length === 0;
  return { ageDays, rpoDays, met, lost };
}

/** Why the drill failed; nothing when it passed. */
function reasonsOf(
  { steps, keys, backup, recovery, recoveryPoint, token }: DrillFindings,
  { backup: asked, from }: DrillChoice,
  unseen: string | undefined,
): readonly string[] {
  const said = steps
    .filter((step, at) => isReason(step, steps.slice(0, at)))
    .map(
      ({ id, action, outcome, code, message }) =>
        `step ${id} (${action}) ${saidOutcome(outcome)}: ${code ?? "no code"}: ${message ?? "nothing more is on record"}`,
    );
  if (backup === null) said.push(`custody knows no backup ${asked} of these keys in vault ${from}`);
  if (keys.restored === 0) said.push("no key was restored");
  else if (keys.restored < keys.expected) {
    said.push(`${keys.restored} of ${keys.expected} keys were restored`);
  }
  if (keys.left > 0) said.push(`copies are still on token ${token.name}: ${keys.left}`);
  if (unseen !== undefined) said.push(unseen);
  if (recovery.met === false && recovery.milliseconds !== null) {
    said.push(
      `recovery took ${minutes(recovery.milliseconds)}, the policy allows ${recovery.rtoMinutes ?? 0} min (drills.rtoMinutes)`,
    );
  }
  const { ageDays, rpoDays, lost } = recoveryPoint;
  if (rpoDays !== null && ageDays !== null && ageDays > rpoDays) {
    said.push(
      `the backup is ${ageDays} days old, the policy allows ${rpoDays} (drills.rpoDays): make a new one`,
    );
  }
  for (const label of lost) {
    said.push(`key ${label} is older than drills.rpoDays and in no backup: it would be lost`);
  }
  return said.map((reason) => cut(reason, 480));
}

function saidOutcome(outcome: string): string {
  if (outcome === "refused") return "was refused";
  return outcome === "failed" ? "failed" : `came to no end (${outcome})`;
}

// After a failure steps are left out, and those that clean up may find nothing to do: consequences, no
// reasons. Without a failure before them they are reasons: whoever owns the host can write both.
function isReason({ outcome, code }: DrillStep, before: readonly DrillStep[]): boolean {
  if (outcome === "completed") return false;
  const follows = code === SKIPPED || code === "script.refused";
  return !follows || !before.some((one) => one.outcome !== "completed" && one.code !== SKIPPED);
}

function minutes(milliseconds: number): string {
  return `${(milliseconds / 60_000).toFixed(1)} min`;
}

function provedBy({ steps, keys, backup, token }: DrillFindings): readonly string[] {
  const done = (...actions: readonly string[]): boolean => {
    const these = steps.filter(({ action }) => actions.includes(action));
    return these.length > 0 && these.every(({ outcome }) => outcome === "completed");
  };
  const proved: string[] = [];
  if (done("activate-token")) {
    proved.push(`A quorum of its holders opened token ${token.name} with their shares.`);
  }
  if (done("load-kek") && backup !== null) {
    proved.push(`KEK ${backup.kek} was loaded into a token and has the recorded check value.`);
  }
  if (done("restore-key") && keys.restored > 0) {
    proved.push(
      `${keys.restored} of ${keys.expected} keys came back: every attribute was compared with the backup, and each signed a challenge that its recorded public key verifies.`,
    );
  }
  if (done("destroy-key", "retire-token") && keys.left === 0) {
    proved.push(`Afterwards no copy is left on token ${token.name}.`);
  }
  return proved;
}

/** What nobody may conclude from the drill, whatever its verdict. */
function notProvedBy(
  { custody, assurance }: Room,
  { token, backup }: DrillFindings,
  { from }: DrillChoice,
): readonly string[] {
  const others = (backup?.vaults ?? []).filter((vault) => vault !== from);
  const place =
    backup === null ? undefined : custody.places.get(placeKey("backup", backup.id, from));
  const models = otherModels(custody.tokens, token);
  return [
    ...(assurance === "production"
      ? []
      : [
          "This was a rehearsal on a test site: test keys, test identities, no production HSM. It never counts as a drill.",
        ]),
    "Media: only those that were inserted were read; nobody else's share or head was.",
    `Holders: only the quorum of token ${token.name} opened its shares; holders who stayed away, and the share sets of other tokens, were not tried.`,
    others.length === 0
      ? `Off-site copies: the backup lies in vault ${from} alone.`
      : `Off-site copies: vault ${from} was opened; the copies in ${others.join(", ")} were not.`,
    place?.offSite === true
      ? "Transport: fetching the backup from off site is not in these times."
      : "Transport: no backup was fetched from off site.",
    models.length === 0
      ? `HSM model: no token of another model than ${modelOf(token)} was tried.`
      : `HSM model: keys were restored on ${modelOf(token)}; ${models.join(", ")} was not tried.`,
    "Use: the keys signed a challenge each; no certificate or CRL was issued with them.",
  ].map(visible);
}

function otherModels(
  tokens: Room["custody"]["tokens"],
  drilled: DrillReport["token"],
): readonly string[] {
  const names = [...tokens.values()].map(modelOf);
  return [...new Set(names)].filter((name) => name !== modelOf(drilled));
}

// A token that the drill wiped is not in custody any more.
function modelOf({
  manufacturer,
  model,
}: Pick<DrillReport["token"], "manufacturer" | "model">): string {
  return manufacturer === "" ? "the token that was wiped" : `${manufacturer} ${model}`;
}
