/**
 * Finishing a close that was interrupted: the entry that ends the ceremony is on record, and not everybody it
 * names has cosigned its head yet, or carries it. Nothing is appended, for that would be another head.
 */

import { decodeEntry, type Entry } from "../ledger/entry.ts";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import { parseCheckpoint } from "../ledger/checkpoint.ts";
import { parseNote } from "../lib/note.ts";
import { hex, visible } from "../lib/encoding.ts";
import type { Participant } from "./action.ts";
import type { Closing } from "./closing.ts";
import type { Hall } from "./hall.ts";
import { cosignersOf, mayCosign } from "./heads.ts";
import type { History } from "./history.ts";
import { PeopleInStep } from "./people-in-step.ts";
import type { Recorder } from "./recorder.ts";
import { digestLines } from "./spoken.ts";
import { requireCarriedHeads } from "./finding.ts";

/** The end of the newest ceremony, as far as people have vouched for it. */
export interface UnfinishedClose {
  readonly ceremony: string;
  readonly state: "closed" | "abandoned";
  /** Size and root of the head that ended it; the root in hex. */
  readonly size: number;
  readonly root: string;
  /** Everybody who was to cosign it, in the order of the record. */
  readonly people: readonly Participant[];
  /** Those of them who have. */
  readonly cosigned: ReadonlySet<string>;
}

/** What of a ledger this looks at. */
export type EndSource = Pick<Recorder["ledger"], "entry" | "size" | "checkpoint" | "cosignatures">;

/**
 * How the newest ceremony ended; undefined while one is open, when nothing ended, or when something was recorded
 * since that a mistyped passphrase does not explain: the next roll call adopts that.
 */
export function endOf(
  { open, ceremonies, custody }: Pick<History, "open" | "ceremonies" | "custody">,
  ledger: EndSource,
): UnfinishedClose | undefined {
  const last = ceremonies.at(-1);
  const entry = newestEnd(ledger);
  if (open !== null || last === undefined || last.state === "open" || entry === undefined) {
    return undefined;
  }
  // Whoever owns the host can say a second time that it ended: nobody is asked to cosign that, and what lies before it.
  if (entry.seq !== last.endedSeq) return undefined;
  const size = entry.seq + 1;
  const note = ledger.checkpoint(size);
  if (note === undefined) return undefined;
  const lines = {
    checkpoint: () => note,
    cosignatures: () => ledger.cosignatures(size).map(({ line }) => line),
  };
  const people = entry.actors.flatMap(({ person, role }): Participant[] => {
    const known = custody.people.get(person);
    const held = known?.roles.find((one) => one === role);
    return known === undefined || held === undefined
      ? []
      : [{ person, role: held, card: known.card }];
  });
  const cosigned = cosignersOf(size, mayCosign({ custody, ceremonies }, entry.time), lines);
  return {
    ceremony: last.id,
    state: last.state,
    size,
    root: hex(parseCheckpoint(parseNote(note).text).root),
    people,
    cosigned: new Set(cosigned.map(({ person }) => person)),
  };
}

function newestEnd(ledger: EndSource): Entry | undefined {
  for (let seq = ledger.size - 1; seq >= 0; seq -= 1) {
    const text = ledger.entry(seq);
    const entry = text === undefined ? undefined : decodeEntry(text);
    if (entry?.type === "auth.failed") continue;
    const ends = entry?.type === "ceremony.closed" || entry?.type === "ceremony.abandoned";
    return ends && entry.outcome === "success" ? entry : undefined;
  }
  return undefined;
}

/** Whoever was to cosign and has not. */
export function notYetCosigned({ people, cosigned }: UnfinishedClose): readonly Participant[] {
  return people.filter(({ person }) => !cosigned.has(person));
}

/**
 * Has those who are here cosign the head that ended the ceremony, and leaves it on the media of everybody who has.
 * @param behind people who have cosigned it, and whose media do not hold it
 * @throws KeyriteError people.quorum-not-met when fewer than two people would vouch for it; ledger.* when the
 * ledger does not extend a head that one of them carries
 */
export async function finishClose(
  hall: Hall,
  recorder: Recorder,
  end: UnfinishedClose,
  behind: readonly Participant[],
): Promise<Closing> {
  const { console, terminal } = hall;
  terminal.begin(end.ceremony);
  console.heading(`Ceremony ${end.ceremony} is ${end.state}; its head is cosigned now`);
  for (const line of digestLines(`Head of ${hall.genesis.origin}, size ${end.size}`, end.root)) {
    console.tell(line);
  }
  const people = new PeopleInStep({
    console,
    recorder,
    ceremony: end.ceremony,
    step: "resume",
    medium: (person, name) => hall.medium(person, name),
    attending: end.people,
    performers: end.people,
  });
  try {
    const ready = await cosigners(hall, recorder, people, end);
    const total = end.cosigned.size + ready.length;
    if (total < 2) {
      throw new KeyriteError(
        "people.quorum-not-met",
        `${total} of at least 2 people can cosign the head`,
        { hints: ["a head that one person vouches for protects nobody; call another of them"] },
      );
    }
    const { text } = parseNote(recorder.ledger.checkpoint(end.size) ?? "");
    const seconds = Math.floor(hall.clock.now() / 1000);
    recorder.addCosignatures(
      ready.map(({ signer }) => signer.cosign(text, seconds)),
      end.size,
    );
    return await handOut(hall, recorder, people, end, [
      ...ready.map(({ participant }) => participant),
      ...behind,
    ]);
  } finally {
    people.end();
  }
}

interface Ready {
  readonly participant: Participant;
  readonly signer: Awaited<ReturnType<PeopleInStep["identify"]>>["signer"];
}

async function cosigners(
  hall: Hall,
  recorder: Recorder,
  people: PeopleInStep,
  end: UnfinishedClose,
): Promise<readonly Ready[]> {
  const ready: Ready[] = [];
  for (const participant of notYetCosigned(end)) {
    const to = { person: participant.person, name: participant.card.name };
    const text = "do you cosign the head of this ledger? no, also for somebody who is not here";
    if (!(await hall.console.agree({ step: "resume", id: "agree", to, text }))) continue;
    try {
      await requireCarriedHeads(hall, recorder, [participant], "when its head was to be cosigned");
      ready.push({ participant, signer: (await people.identify(participant)).signer });
    } catch (error) {
      if (!(error instanceof KeyriteError) || !error.code.startsWith("people.")) throw error;
      hall.console.warn(visible(messageOf(error)));
    }
  }
  return ready;
}

async function handOut(
  hall: Hall,
  recorder: Recorder,
  people: PeopleInStep,
  { ceremony, size, root }: UnfinishedClose,
  to: readonly Participant[],
): Promise<Closing> {
  const { ledger, history } = recorder;
  const lines = ledger.cosignatures(size).map(({ line }) => line);
  const head = (ledger.checkpoint(size) ?? "") + lines.map((line) => `${line}\n`).join("");
  for (const { person, card } of to) {
    (await people.medium(person, card.name)).writeHead(hall.genesis.origin, head);
    hall.console.tell(`${person} carries the head of ceremony ${ceremony} now.`);
  }
  const ended = history.ceremonies.at(-1)?.closedAt ?? "";
  const cosigned = cosignersOf(size, mayCosign(history, ended), {
    checkpoint: () => ledger.checkpoint(size),
    cosignatures: () => lines,
  }).map(({ person }) => person);
  return { size, root, head, cosigned };
}
