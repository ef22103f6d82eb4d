/**
 * Closing: the engine's last beat. `ceremony.closed` states the digest of custody, then everybody
 * cosigns exactly that head and takes it along on their medium.
 */

import { KeyriteError, messageOf } from "../lib/errors.ts";
import { parseNote } from "../lib/note.ts";
import { sha256Hex, visible } from "../lib/encoding.ts";
import type { Signer } from "../people/signer.ts";
import type { Participant } from "./action.ts";
import { leftExtractable, owedBeforeClose } from "./conditions-copies.ts";
import { custodyDigest } from "./custody-json.ts";
import type { Hall } from "./hall.ts";
import { closingHierarchy, type ClosingHierarchy } from "./hierarchy-at-close.ts";
import { PeopleInStep } from "./people-in-step.ts";
import type { PlanStep } from "./plan.ts";
import type { DraftParts } from "./record.ts";
import type { Recorder } from "./recorder.ts";
import { digestLines } from "./spoken.ts";

export interface Closing {
  readonly size: number;
  /** Root hash in hex. */
  readonly root: string;
  /** The checkpoint with the ledger's signature and every cosignature. */
  readonly head: string;
  readonly cosigned: readonly string[];
}

export interface ClosingParts {
  readonly ceremony: string;
  readonly step: Pick<PlanStep, "id" | "n">;
  readonly attending: readonly Participant[];
}

interface Ready {
  readonly participant: Participant;
  readonly signer: Signer;
}

/**
 * Closes the ceremony.
 * @throws KeyriteError script.refused when it would leave a key extractable without a deviation.
 * @throws KeyriteError people.quorum-not-met when fewer than two people can cosign: the ceremony then
 * stays open, for a head that one person vouches for protects nobody.
 */
export async function closeCeremony(
  hall: Hall,
  recorder: Recorder,
  parts: ClosingParts,
): Promise<Closing> {
  const [owed] = owedBeforeClose(recorder.history.custody);
  if (owed !== undefined) {
    throw new KeyriteError(
      "script.refused",
      `the ceremony cannot be closed: ${leftExtractable(owed)}`,
    );
  }
  const people = peopleOf(hall, recorder, parts);
  try {
    // Before anybody is asked to vouch for it.
    const hierarchy = await judgeSigned(hall, recorder, parts.ceremony);
    const { ready, missing } = await whoIsReady(hall, people, parts);
    if (ready.length < 2) {
      throw new KeyriteError(
        "people.quorum-not-met",
        `${ready.length} of at least 2 people can cosign the head`,
        { hints: ["a head that one person vouches for protects nobody"] },
      );
    }
    for (const { participant, reason } of missing)
      recordMissing(recorder, parts, participant, reason);
    const { custody } = recorder.history;
    const screen = hall.terminal.bytes();
    const closed: DraftParts = {
      type: "ceremony.closed",
      ceremony: parts.ceremony,
      step: parts.step.id,
      actors: ready.map(({ participant: { person, role } }) => ({
        person,
        role,
        part: "recorded",
      })),
      description: "The ceremony was closed.",
      data: {
        custody: custodyDigest(custody),
        n: parts.step.n,
        hierarchy,
        transcript: sha256Hex(screen),
      },
    };
    recorder.append(closed, [{ mediaType: "text/plain", bytes: screen }]);
    return await cosignHead(hall, recorder, people, ready);
  } finally {
    people.end();
  }
}

/** Says what does not fit together of what was signed; the entry that closes the ceremony says so too. */
async function judgeSigned(
  hall: Hall,
  recorder: Recorder,
  ceremony: string,
): Promise<ClosingHierarchy | null> {
  const judged = await closingHierarchy(
    recorder.history.custody,
    ceremony,
    hall.clock.now(),
    (sha256) => hall.ledger.attachment(sha256)?.bytes,
  );
  if (judged === null) return null;
  for (const text of judged.findings) hall.console.warn(visible(text));
  hall.console.tell(
    `What was signed was judged together with what stands above and beside it: ${judged.verdict}.`,
  );
  return judged;
}

function peopleOf(hall: Hall, recorder: Recorder, parts: ClosingParts): PeopleInStep {
  return new PeopleInStep({
    console: hall.console,
    recorder,
    ceremony: parts.ceremony,
    step: parts.step.id,
    medium: (person, name) => hall.medium(person, name),
    attending: parts.attending,
    performers: parts.attending,
  });
}

async function whoIsReady(
  hall: Hall,
  people: PeopleInStep,
  parts: ClosingParts,
): Promise<{
  readonly ready: readonly Ready[];
  readonly missing: readonly { participant: Participant; reason: string }[];
}> {
  const ready: Ready[] = [];
  const missing: { participant: Participant; reason: string }[] = [];
  for (const participant of parts.attending) {
    const to = { person: participant.person, name: participant.card.name };
    const text = "do you cosign the head of this ledger?";
    try {
      if (!(await hall.console.agree({ step: parts.step.id, id: "agree", to, text }))) {
        missing.push({ participant, reason: "declined to cosign" });
        continue;
      }
      ready.push({ participant, signer: (await people.identify(participant)).signer });
    } catch (error) {
      if (!(error instanceof KeyriteError) || !error.code.startsWith("people.")) throw error;
      hall.console.warn(visible(messageOf(error)));
      missing.push({ participant, reason: messageOf(error) });
    }
  }
  return { ready, missing };
}

// A participant who cannot cosign is a recorded deviation, inside the head that the others cosign.
function recordMissing(
  recorder: Recorder,
  parts: ClosingParts,
  { person, role }: Participant,
  reason: string,
): void {
  recorder.append({
    type: "deviation.recorded",
    ceremony: parts.ceremony,
    step: parts.step.id,
    actors: [{ person, role, part: "recorded" }],
    description: `${person} did not cosign the head.`,
    data: { rule: "everybody cosigns the head", reason: reason.slice(0, 500) },
  });
}

/** Cosigns the present head with every open signer and leaves it on their media. */
export async function cosignHead(
  hall: Hall,
  recorder: Recorder,
  people: PeopleInStep,
  ready: readonly Ready[],
): Promise<Closing> {
  const { ledger } = recorder;
  const note = ledger.checkpoint() ?? "";
  const { text } = parseNote(note);
  const seconds = Math.floor(hall.clock.now() / 1000);
  const lines = ready.map(({ signer }) => signer.cosign(text, seconds));
  recorder.addCosignatures(lines);
  const head = note + lines.map((line) => `${line}\n`).join("");
  for (const { participant } of ready) {
    const medium = await people.medium(participant.person, participant.card.name);
    medium.writeHead(hall.genesis.origin, head);
  }
  const { size, root } = recorder.head();
  hall.console.tell(`${ready.length} people cosigned the head and carry it on their media.`);
  for (const line of digestLines(`Head of ${hall.genesis.origin}, size ${size}`, root)) {
    hall.console.tell(line);
  }
  return { size, root, head, cosigned: ready.map(({ participant }) => participant.person) };
}
