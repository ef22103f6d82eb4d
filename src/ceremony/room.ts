/** Makes the room of one step: the capabilities an action may touch, and nothing else. */

import { sha256Hex } from "../lib/encoding.ts";
import type { Room, Standing, StepConsole, StepProgress } from "./action.ts";
import type { Hall } from "./hall.ts";
import type { CeremonyRecord } from "./history.ts";
import type { PeopleInStep } from "./people-in-step.ts";
import type { Attached, Recorder } from "./recorder.ts";
import type { BoundTokens } from "./token-room.ts";

export interface RoomParts {
  readonly hall: Hall;
  readonly recorder: Recorder;
  readonly ceremony: string;
  readonly step: string;
  readonly people: PeopleInStep;
  readonly tokens: BoundTokens;
  readonly standing: Standing;
  /** Filled by `attach`. */
  readonly attached: Attached[];
}

export function makeRoom(parts: RoomParts): Room {
  const { hall, recorder, ceremony, step, people, tokens, standing, attached } = parts;
  return {
    step,
    ceremony,
    origin: hall.genesis.origin,
    assurance: hall.genesis.assurance,
    console: stepConsole(hall, step),
    tokens,
    people,
    get custody() {
      return recorder.history.custody;
    },
    get policy() {
      return recorder.history.policy ?? hall.policy;
    },
    ledgerActs: (serial) => recorder.history.acts.of(serial),
    standing,
    outbox: hall.outbox(ceremony),
    files: hall.files,
    vaults: hall.vaults,
    progress: () => progressOf(recorder.history.open),
    clock: hall.clock,
    random: hall.random,
    attach(mediaType, bytes) {
      attached.push({ mediaType, bytes });
      return sha256Hex(bytes);
    },
    profile(name) {
      const profiles = recorder.history.open?.plan?.profiles ?? {};
      const digest = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
      return digest === undefined ? undefined : recorder.ledger.attachment(digest)?.bytes;
    },
    attachment: (sha256) => recorder.ledger.attachment(sha256)?.bytes,
  };
}

function progressOf(open: CeremonyRecord | null): readonly StepProgress[] {
  return (open?.plan?.steps ?? []).flatMap(({ id, action }) => {
    const outcome = open?.steps.get(id);
    const times = open?.progress.get(id);
    return outcome === undefined || times === undefined ? [] : [{ id, action, outcome, ...times }];
  });
}

function stepConsole({ console }: Hall, step: string): StepConsole {
  return {
    tell(text) {
      console.tell(text);
    },
    warn(text) {
      console.warn(text);
    },
    progress: (text) => console.progress(text),
    ask: (question) => console.ask({ ...question, step }),
    choose: (question) => console.choose({ ...question, step }),
  };
}
