/** What `keyrite run --resume` and `--abandon` do with the ceremony that is open, or with the end of the last one. */

import { existsSync } from "node:fs";
import { abandonOpen } from "../ceremony/abandon.ts";
import type { Closing } from "../ceremony/closing.ts";
import { Conductor } from "../ceremony/conduct.ts";
import { withCards } from "../ceremony/custody-people.ts";
import { findingLines, whoIsHere } from "../ceremony/finding.ts";
import { endOf, finishClose, notYetCosigned } from "../ceremony/finish-close.ts";
import type { Hall } from "../ceremony/hall.ts";
import type { CeremonyRecord } from "../ceremony/history.ts";
import { planOfOpen } from "../ceremony/plan-rebuild.ts";
import { whoMayAct } from "../ceremony/people-dates.ts";
import type { Recorder } from "../ceremony/recorder.ts";
import { requireResumable } from "../ceremony/resume.ts";
import { parseCheckpoint } from "../ledger/checkpoint.ts";
import { sha256Hex } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { parseNote } from "../lib/note.ts";
import { openMedium } from "../people/medium.ts";
import { readMediumOptions } from "./media.ts";
import { findScript, moduleDigests } from "./planning.ts";
import type { OpenSite } from "./site.ts";

export interface Ended {
  readonly ceremony: string;
  readonly state: "closed" | "abandoned";
  readonly closing: Closing;
  /** What a drill failed with, although it is closed. */
  readonly failure: KeyriteError | undefined;
}

export interface GoOnOptions {
  /** The script named on the command line, if any. */
  readonly name: string | undefined;
  readonly set: readonly string[];
  readonly medium: readonly string[];
  readonly abandon?: boolean;
  readonly resume?: boolean;
}

export interface GoOnParts {
  readonly site: OpenSite;
  readonly hall: Hall;
  readonly recorder: Recorder;
}

/** @throws KeyriteError usage.refused when there is nothing to go on with or to give up */
export async function goOn(parts: GoOnParts, options: GoOnOptions): Promise<Ended> {
  const { open } = parts.site.history;
  if (options.abandon === true && options.resume === true) {
    throw new KeyriteError("usage.bad-option", "a ceremony is resumed or abandoned, not both");
  }
  if (open !== null) {
    return options.abandon === true ? abandon(parts, open) : resume(parts, open, options);
  }
  const ended = options.resume === true ? await endedBefore(parts, options) : undefined;
  if (ended !== undefined) return ended;
  throw new KeyriteError("usage.refused", "no ceremony is open at this site", {
    hints: ["there is nothing to resume or abandon; keyrite status shows every ceremony"],
  });
}

async function abandon({ hall, recorder }: GoOnParts, open: CeremonyRecord): Promise<Ended> {
  for (const line of findingLines(open)) hall.console.tell(line);
  const { custody } = recorder.history;
  const roster = whoMayAct(hall, custody, [...custody.people.values()]);
  const closing = await abandonOpen(hall, recorder, open, await whoIsHere(hall, "abandon", roster));
  // A change of policy that was given up may have put its copy in place already.
  if (open.unsettled.size > 0) await hall.files.replacePolicy(hall.policyBytes);
  return { ceremony: open.id, state: "abandoned", closing, failure: undefined };
}

async function resume(
  { site, hall, recorder }: GoOnParts,
  open: CeremonyRecord,
  { name, set }: GoOnOptions,
): Promise<Ended> {
  if (name !== undefined && name !== open.script) requireSameScript(name, open);
  if (set.length > 0) {
    throw new KeyriteError("usage.bad-option", "a resumed ceremony keeps its parameters", {
      hints: ["leave --set out; the values stand in the plan that was agreed to"],
    });
  }
  requireResumable(hall, open);
  const plan = planOfOpen(hall, recorder, open, await moduleDigests(site));
  for (const line of findingLines(open)) hall.console.tell(line);
  const here = await whoIsHere(hall, "resume", peopleToResume(hall, recorder, open));
  const conducted = await new Conductor(hall, recorder, plan, open.id).resume(here);
  return { ...conducted, state: "closed" };
}

/** The ceremony that ended without everybody who was to cosign its head, or to carry it; else undefined. */
async function endedBefore(
  { site, hall, recorder }: GoOnParts,
  options: GoOnOptions,
): Promise<Ended | undefined> {
  const end = endOf(recorder.history, recorder.ledger);
  if (end === undefined) return undefined;
  const media = new Map([...site.bindings.media, ...readMediumOptions(options.medium)]);
  const behind = end.people.filter(
    ({ person }) => end.cosigned.has(person) && carriesOlder(site, end.size, media.get(person)),
  );
  if (behind.length === 0 && notYetCosigned(end).length === 0) return undefined;
  const closing = await finishClose(hall, recorder, end, behind);
  return { ceremony: end.ceremony, state: end.state, closing, failure: undefined };
}

// A medium that is not here tells nothing.
function carriesOlder({ genesis }: OpenSite, size: number, folder: string | undefined): boolean {
  if (folder === undefined || !existsSync(folder)) return false;
  const head = openMedium(folder).readHead(genesis.origin);
  return head === undefined || parseCheckpoint(parseNote(head).text).size < size;
}

/** Those of the roll call; before it was called to its end, whoever is on the roster. */
function peopleToResume(
  hall: Hall,
  { history }: Recorder,
  { attending }: CeremonyRecord,
): Parameters<typeof whoIsHere>[2] {
  const { people } = history.custody;
  if (attending.length === 0) return whoMayAct(hall, history.custody, [...people.values()]);
  const called = whoMayAct(hall, history.custody, withCards(history.custody, attending));
  return called.map(({ role, card }) => ({ roles: [role], card }));
}

/** @throws KeyriteError usage.refused when the open ceremony is of another script */
function requireSameScript(name: string, open: CeremonyRecord): void {
  if (sha256Hex(findScript(name).bytes) === open.plan?.script.sha256) return;
  throw new KeyriteError(
    "usage.refused",
    `the open ceremony is of script ${open.script}, not of ${name}`,
    { hints: ["keyrite run --resume goes on with it; no script need be named"] },
  );
}
