/** What is found when a ceremony stopped before its end: the lines people agree to, and what they may do. */

import { visible } from "../lib/encoding.ts";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import { canonicalJson } from "../lib/json.ts";
import type { Participant, Vocabulary } from "./action.ts";
import type { Hall } from "./hall.ts";
import type { CeremonyRecord, StepTimes } from "./history.ts";
import type { Recorder } from "./recorder.ts";
import { plural } from "./key-status.ts";
import { checkHead } from "./standing.ts";
import { ONLOOKERS } from "./words.ts";

/**
 * What to throw on when a ceremony stopped before its end: the error, with what became of the ceremony
 * and what to do next among its hints. A ceremony in which nothing had begun is ended here.
 */
export function endedEarly(
  recorder: Recorder,
  vocabulary: Vocabulary,
  ceremony: string,
  error: unknown,
): unknown {
  const ended = abandonUnbegun(recorder, ceremony, error);
  if (!(error instanceof KeyriteError)) return error;
  const next = ended
    ? [
        `ceremony ${ceremony} is over, since nothing had begun in it`,
        // What stops for the auditor is not put right in the room.
        ...(error.code.startsWith("ledger.")
          ? []
          : ["put right what stopped it, then start it again with keyrite run"]),
      ]
    : [
        `ceremony ${ceremony} stays open, with everything on record: keyrite status shows it`,
        ...wayOn(recorder.history.open, vocabulary),
      ];
  const { code, message, hints } = error;
  return new KeyriteError(code, message, { hints: [...hints, ...next], cause: error });
}

/**
 * Ends a ceremony in which nothing had begun: nobody has agreed to anything yet, so nobody has to
 * agree to giving up. False when a step had begun, or when the ledger cannot be written.
 */
function abandonUnbegun(recorder: Recorder, ceremony: string, error: unknown): boolean {
  const { open } = recorder.history;
  if (open?.id !== ceremony) return false;
  if (error instanceof KeyriteError && error.code === "halted.not-durable") return false;
  const acted = [...open.steps.values()].some((s) => s !== "opened" && s !== "refused");
  if (acted) return false;
  recorder.append({
    type: "ceremony.abandoned",
    outcome: "refused",
    ceremony,
    description: "The ceremony ended before anything was begun.",
    data: { reason: messageOf(error).slice(0, 1000) },
  });
  return true;
}

/** What two people can do about an open ceremony. */
export function wayOn(open: CeremonyRecord | null, vocabulary: Vocabulary): readonly string[] {
  const stuck = open === null ? undefined : whyNotResumable(open, vocabulary);
  return stuck === undefined
    ? ["two people go on with it, keyrite run --resume, or end it, keyrite run --abandon"]
    : [`it cannot be resumed: ${stuck}`, "two people end it with keyrite run --abandon"];
}

/** Why an open ceremony cannot be gone on with, or undefined. */
export function whyNotResumable(open: CeremonyRecord, vocabulary: Vocabulary): string | undefined {
  for (const { n, id, action } of open.unsettled.values()) {
    const known = vocabulary.get(action);
    // A roll call that was interrupted is called anew.
    if (known?.settles === true || known?.control === "everyone") continue;
    return `step ${n} (${id}) had begun, and ${action} cannot tell what became of it`;
  }
  return undefined;
}

/** Where an open ceremony stands: the first step that is not over, and when something was last recorded of one. */
export function standsAt({ plan, steps, progress, unsettled, openedAt }: CeremonyRecord): {
  readonly n: number;
  readonly id: string;
  readonly since: string;
} {
  const all = plan?.steps ?? [];
  const next = all.find(({ id }) => unsettled.has(id) || steps.get(id) !== "completed");
  const times = [...progress.values()].flatMap((one) => [one.openedAt, one.begunAt, one.endedAt]);
  const since = times.reduce<string>((a, b) => (b !== null && b > a ? b : a), openedAt);
  const { n = 1, id = "?" } = next ?? all.at(-1) ?? {};
  return { n, id, since };
}

/** What is known of an open ceremony, in the lines that people agree to. */
export function findingLines(open: CeremonyRecord): readonly string[] {
  const lines = [
    `Ceremony ${open.id}: ${visible(open.title)}`,
    `Opened ${open.openedAt} at entry ${open.openedSeq}.`,
  ];
  for (const [id, outcome] of open.steps) {
    lines.push(`  step ${id}: ${outcome}${reasonOf(open.progress.get(id))}`);
  }
  for (const doubt of open.unsettled.values()) {
    const { id, group, done } = doubt;
    if (done.size > 0)
      lines.push(`  step ${id}: completed of its batch ${plural(done.size, "item")}`);
    if (group === null) continue;
    const left = plural(group.items.length, "item");
    lines.push(`  step ${id}: without outcome, of the group at entry ${group.seq}, ${left}`);
  }
  if (open.doubt === null) {
    const { n, id, since } = standsAt(open);
    const left = [...open.unsettled.values()].map(
      (one) =>
        `Step ${one.n} (${one.id}) had begun: what it left is looked at before anything else.`,
    );
    const word = left.length === 0 ? "Paused" : "Stopped";
    const none = left.length === 0 ? ["No step is in doubt."] : left;
    return [...lines, ...none, `${word} at step ${n} (${id}) since ${since}.`];
  }
  const { n, id, action, begunSeq, time, intent } = open.doubt;
  lines.push(`IN DOUBT: step ${n} (${id}, ${action}) was begun at ${time} and has no outcome.`);
  lines.push(`  What people agreed to, at entry ${begunSeq}:`);
  for (const [name, value] of Object.entries(intent)) {
    const text = typeof value === "string" ? value : canonicalJson(value);
    lines.push(`    ${name}: ${visible(text)}`);
  }
  const ckaId = intent["ckaId"];
  if (typeof ckaId === "string") {
    lines.push(`  look on the token for an object with CKA_ID ${ckaId} before going on`);
  }
  return lines;
}

/** Why a step was refused or failed: an interruption must not be read as somebody's no. */
function reasonOf(times: StepTimes | undefined): string {
  const { code = null, message = null } = times ?? {};
  if (code === null) return "";
  return message === null ? ` (${code})` : ` (${code}: ${visible(message)})`;
}

/**
 * Who of these people says to be here, in which of the roles they may decide in.
 * @throws KeyriteError people.quorum-not-met for fewer than two
 */
export async function whoIsHere(
  hall: Hall,
  purpose: "abandon" | "resume",
  people: readonly {
    readonly roles: readonly Participant["role"][];
    readonly card: Participant["card"];
  }[],
): Promise<readonly Participant[]> {
  const here: Participant[] = [];
  for (const { roles, card } of people) {
    const able = roles.filter((role) => !ONLOOKERS.some((onlooker) => onlooker === role));
    if (able.length === 0) continue;
    const answer = await hall.console.choose({
      step: purpose,
      id: "present",
      to: { person: card.person, name: card.name },
      text: `are you present to ${purpose} this ceremony, and in which role?`,
      choices: [
        ...able.map((role) => ({ value: role, label: role })),
        { value: "absent", label: "not present" },
      ],
      preset: "absent",
    });
    const role = able.find((r) => r === answer);
    if (role !== undefined) here.push({ person: card.person, role, card });
  }
  if (here.length >= 2) return here;
  const doing = purpose === "abandon" ? "abandoning" : "resuming";
  throw new KeyriteError(
    "people.quorum-not-met",
    `${doing} needs two different people, ${here.length === 0 ? "none is" : "one is"} present`,
    { hints: [`call a second person of the roster, then keyrite run --${purpose} again`] },
  );
}

/**
 * A ledger that was cut back into an open ceremony would otherwise be agreed to as it is.
 * @throws KeyriteError ledger.*, people.medium
 */
export async function requireCarriedHeads(
  hall: Hall,
  recorder: Recorder,
  people: readonly Participant[],
  when: string,
): Promise<void> {
  const brought = { entries: recorder.ledger.size, when };
  for (const { person, card } of people) {
    const head = (await hall.medium(person, card.name)).readHead(hall.genesis.origin);
    if (head !== undefined) checkHead(hall, recorder, brought, head, person);
  }
}
