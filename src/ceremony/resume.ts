/**
 * Going on with an interrupted ceremony: two people of the roll call agree to what is found, and decide
 * about every step that had begun and come to no good end. Nothing that changes an HSM is repeated blindly.
 */

import { EVERYONE } from "../console/console.ts";
import { visible } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import type { Participant, Settlement, Vocabulary } from "./action.ts";
import { machineJson, machineLines, type Machine } from "./amendment.ts";
import { decide } from "./decision.ts";
import { findingLines, requireCarriedHeads, whyNotResumable } from "./finding.ts";
import type { Hall } from "./hall.ts";
import { doubtJson, type CeremonyRecord, type StepInDoubt } from "./history.ts";
import type { Plan, PlanStep } from "./plan.ts";
import { recordedPlan } from "./plan-document.ts";
import type { Recorder } from "./recorder.ts";
import type { Decided } from "./step-aim.ts";
import type { StepRunParts } from "./step-run.ts";
import type { Settling } from "./step-authority.ts";
import { ONLOOKERS } from "./words.ts";

/**
 * Has the people who are here agree to go on, on record as `plan.amended`.
 * @throws KeyriteError halted.* when it cannot be resumed; people.*, ledger.* as `abandonOpen`
 */
export async function agreeToResume(
  hall: Hall,
  recorder: Recorder,
  plan: Plan,
  open: CeremonyRecord,
  people: readonly Participant[],
): Promise<void> {
  requireResumable(hall, open);
  requireTwo(recorder, open, people);
  await requireCarriedHeads(hall, recorder, people, "when it was to be resumed");
  const recorded = recordedPlan(plan);
  const shown = resumeLines(hall, recorder, open, recorded);
  const step = recorded.steps.find(({ id }) => id === whereItStopped(open, plan).id);
  if (step === undefined) throw new Error("a step of the plan is not in its document");
  await decide(hall, recorder, {
    ceremony: open.id,
    plan: recorded,
    step,
    ask: "resume",
    purpose: "resume",
    decision: "agree",
    shown,
    data: {
      finding: [...shown],
      doubt: open.doubt === null ? null : doubtJson(open.doubt),
      ...machineJson(recorded),
    },
    attached: [{ mediaType: "application/yaml", bytes: hall.bindings.bytes }],
    people,
    question: `do you agree to go on with ceremony ${open.id}?`,
    type: "plan.amended",
    description: `Ceremony ${open.id} is gone on with after an interruption.`,
  });
}

/** @throws KeyriteError halted.in-doubt, halted.ceremony-open */
export function requireResumable(hall: Hall, open: CeremonyRecord): void {
  const stuck = whyNotResumable(open, hall.vocabulary);
  if (stuck === undefined) return;
  const code = open.unsettled.size === 0 ? "halted.ceremony-open" : "halted.in-doubt";
  throw new KeyriteError(code, `ceremony ${open.id} cannot be resumed: ${stuck}`, {
    hints: ["look at what it left behind; then two people end it with keyrite run --abandon"],
  });
}

// Before the roll was called, whoever is on the roster may have it called.
function requireTwo(
  { history }: Recorder,
  { attending }: CeremonyRecord,
  people: readonly Participant[],
): void {
  const stranger = people.find(({ person, role }) =>
    attending.length === 0
      ? history.custody.people.get(person)?.roles.some((one) => one === role) !== true
      : !attending.some((a) => a.person === person && a.role === role),
  );
  if (stranger !== undefined) {
    throw new KeyriteError(
      "people.quorum-not-met",
      `${stranger.person} was not called to this ceremony as ${stranger.role}`,
    );
  }
  const deciding = people.filter(({ role }) => !ONLOOKERS.some((onlooker) => onlooker === role));
  if (new Set(deciding.map(({ person }) => person)).size >= 2) return;
  throw new KeyriteError(
    "people.quorum-not-met",
    "resuming needs two different people of the roll call who do not only look on",
  );
}

// The finding also says what of this ceremony nobody will believe: whoever owns the host could have
// written it while nobody was in the room.
function resumeLines(
  hall: Hall,
  recorder: Recorder,
  open: CeremonyRecord,
  now: Machine,
): readonly string[] {
  const lines = [...findingLines(open)];
  if (open.attending.length === 0)
    lines.push("The roll was not called to its end: it is called anew.");
  for (const [token, { step }] of open.activations) {
    lines.push(`Token ${token} was active: step ${step} is performed anew.`);
  }
  if (open.plan !== undefined) {
    const { sha256, bytes } = hall.bindings;
    const known = (digest: string): Uint8Array | undefined =>
      digest === sha256 ? bytes : recorder.ledger.attachment(digest)?.bytes;
    lines.push(...machineLines(open.plan, now, known));
  }
  for (const { seq, text } of recorder.history.findings) {
    if (seq >= open.openedSeq) lines.push(`NOT BELIEVED: ${visible(text)}`);
  }
  return lines;
}

/**
 * A step that is still to come will attest the clock; without one everything would be done in vain.
 * @throws KeyriteError site.clock
 */
export function requireClockStep({ steps }: Plan, vocabulary: Vocabulary): void {
  const attests = steps.some(
    ({ action }) => vocabulary.get(action)?.facts.includes("clock.attested") === true,
  );
  if (attests) return;
  throw new KeyriteError(
    "site.clock",
    "more than 30 days have passed, and no step of this script attests the clock",
    { hints: ["nothing more would be believed; two people end it with keyrite run --abandon"] },
  );
}

function whereItStopped(open: CeremonyRecord, plan: Plan): PlanStep {
  const { steps } = plan;
  const at = steps.find(({ id }) => open.unsettled.has(id) || open.steps.get(id) !== "completed");
  const last = at ?? steps.at(-1);
  if (last === undefined) throw new Error("a plan without steps is open");
  return last;
}

/** Where a step that was begun is settled. */
type SettlingParts = Pick<StepRunParts, "hall" | "step" | "room">;

/**
 * Lets the action look, shows what it found and asks what is to be done.
 * @throws KeyriteError halted.in-doubt when the room wants neither, or the action cannot tell
 */
export async function whatToDo(parts: SettlingParts, doubt: StepInDoubt): Promise<Decided> {
  const { hall, step } = parts;
  const found = await lookedAt(parts, doubt);
  const labels: Readonly<Record<Settling, string>> = {
    finish: `finish step ${step.n}: do what is left of it`,
    undo: `undo it: take back what it left, then perform step ${step.n} anew`,
  };
  const answer = await hall.console.choose({
    step: step.id,
    id: "settle",
    to: EVERYONE,
    text: `what becomes of step ${step.n}?`,
    choices: [
      ...found.choices.map((value) => ({ value, label: labels[value] })),
      { value: "stop", label: "stop here; keyrite run --abandon ends the ceremony" },
    ],
    preset: "stop",
  });
  const choice = found.choices.find((one) => one === answer);
  if (choice !== undefined) return { choice, doubt, found };
  throw new KeyriteError("halted.in-doubt", `step ${step.n} (${step.id}) stays as it was found`);
}

/**
 * A step of a drill that has failed is not tried again: what it left is taken back. One that is performed whatever
 * has failed cleans up or judges, so it is finished, as is what cannot be taken back. The action looks, and the people
 * read what it found before they agree.
 * @throws KeyriteError halted.in-doubt when the action cannot tell; hsm.* when the token does not answer
 */
export async function takingBack(parts: SettlingParts, doubt: StepInDoubt): Promise<Decided> {
  const found = await lookedAt(parts, doubt);
  const [wanted, otherwise] = parts.step.always ? FINISH_FIRST : UNDO_FIRST;
  return { choice: found.choices.includes(wanted) ? wanted : otherwise, doubt, found };
}

const FINISH_FIRST = ["finish", "undo"] as const;
const UNDO_FIRST = ["undo", "finish"] as const;

async function lookedAt(
  { hall, step, room }: SettlingParts,
  doubt: StepInDoubt,
): Promise<Settlement> {
  const state = doubt.group === null && doubt.done.size === 0 ? "" : " in the middle of its batch";
  hall.console.warn(`Step ${step.n} was begun at entry ${doubt.begunSeq} and stopped${state}`);
  const found = await step.bound?.settle(room, doubt);
  if (found === undefined) {
    throw new KeyriteError(
      "halted.in-doubt",
      `${step.action} cannot tell what became of step ${step.n} (${step.id})`,
    );
  }
  for (const line of found.shown) hall.console.tell(line);
  return found;
}
