/** Giving up a ceremony: two people agree to what was found, and the doubt, if any, is on record. */

import { KeyriteError, messageOf } from "../lib/errors.ts";
import { canonicalJson, type JsonObject } from "../lib/json.ts";
import { visible } from "../lib/encoding.ts";
import type { Participant } from "./action.ts";
import { cosignHead, type Closing } from "./closing.ts";
import { decide } from "./decision.ts";
import type { Hall } from "./hall.ts";
import type { CeremonyRecord } from "./history.ts";
import type { Recorder } from "./recorder.ts";
import { checkHead } from "./standing.ts";

/**
 * What to throw on when a ceremony stopped before its end: the error, with what became of the ceremony
 * and what to do next among its hints. A ceremony in which nothing had begun is ended here.
 */
export function endedEarly(recorder: Recorder, ceremony: string, error: unknown): unknown {
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
        "two people end it with keyrite run --abandon; it cannot be continued yet",
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

/** What is known of an open ceremony, in the lines that people agree to. */
export function findingLines(open: CeremonyRecord): readonly string[] {
  const lines = [
    `Ceremony ${open.id}: ${visible(open.title)}`,
    `Opened ${open.openedAt} at entry ${open.openedSeq}.`,
  ];
  for (const [id, outcome] of open.steps) lines.push(`  step ${id}: ${outcome}`);
  if (open.doubt === null) return [...lines, "No step is in doubt."];
  const { n, id, action, begunSeq, time, intent } = open.doubt;
  lines.push(`IN DOUBT: step ${n} (${id}, ${action}) was begun at ${time} and has no outcome.`);
  lines.push(`  entry ${begunSeq}, intent ${visible(canonicalJson(intent))}`);
  const ckaId = intent["ckaId"];
  if (typeof ckaId === "string") {
    lines.push(`  look on the token for an object with CKA_ID ${ckaId} before going on`);
  }
  return lines;
}

/**
 * Conducts the abandonment of the open ceremony by two people or more, who cosign the head.
 * @throws KeyriteError people.* when they decline or cannot open their identities, ledger.* when the
 * ledger does not extend a head that one of them carries
 */
export async function abandonOpen(
  hall: Hall,
  recorder: Recorder,
  open: CeremonyRecord,
  people: readonly Participant[],
): Promise<Closing> {
  const { plan } = open;
  const n = open.doubt?.n ?? 1;
  const step = plan?.steps.find((s) => s.n === n);
  if (plan === undefined || step === undefined) {
    throw new KeyriteError("ledger.damaged", `the plan of ceremony ${open.id} is missing`);
  }
  // A ledger that was cut back into an open ceremony would otherwise be cosigned as it is.
  const brought = { entries: recorder.ledger.size, when: "when it was to be abandoned" };
  for (const { person, card } of people) {
    const head = (await hall.medium(person, card.name)).readHead(hall.genesis.origin);
    if (head !== undefined) checkHead(hall, recorder, brought, head, person);
  }
  const data: JsonObject = {
    finding: [...findingLines(open)],
    doubt: open.doubt === null ? null : { ...open.doubt },
  };
  let closing: Closing | undefined;
  await decide(hall, recorder, {
    ceremony: open.id,
    plan,
    step,
    purpose: "abandon",
    decision: "abandon",
    shown: findingLines(open),
    data,
    people,
    question: `do you agree to abandon ceremony ${open.id}?`,
    type: "ceremony.abandoned",
    description: `Ceremony ${open.id} was abandoned.`,
    after: async (identities) => {
      const ready = await Promise.all(
        people.map(async (participant) => ({
          participant,
          signer: (await identities.identify(participant)).signer,
        })),
      );
      closing = await cosignHead(hall, recorder, identities, ready);
    },
  });
  if (closing === undefined) throw new Error("an abandonment ended without a head");
  return closing;
}
