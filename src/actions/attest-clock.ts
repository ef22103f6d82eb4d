/** Two observers compare the machine's clock with a reference clock. */

import { defineAction } from "../ceremony/action.ts";
import { EVERYONE } from "../console/console.ts";
import { line } from "../ceremony/words.ts";
import { timestamp } from "../lib/clock.ts";
import { visible } from "../lib/encoding.ts";
import type { JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";
import { nothingIsLeft } from "./lib/settle-nothing.ts";

/** More than this and somebody should set the clock before going on: one day. */
const MOST_SECONDS = 86_400;

interface Reading extends JsonObject {
  readonly source: string;
  readonly offsetSeconds: number;
  readonly machine: string;
}

/** Records the reference and how far the machine's clock is from it, in seconds. */
export const attestClock = defineAction<Record<string, never>, Reading, Reading>({
  name: "attest-clock",
  control: "dual",
  params: () => z.strictObject({}),
  facts: ["clock.attested"],
  instruction: () => "Compare the clock of this machine with a reference clock.",
  forecast: () => ({ source: "reference", offsetSeconds: 0, machine: "" }),
  establishes: (_, { source, offsetSeconds }) => [
    { kind: "clock.attested", source, offsetSeconds },
  ],
  admits: (_, subject, fact) =>
    fact.kind === "clock.attested" &&
    fact.source === subject.source &&
    fact.offsetSeconds === subject.offsetSeconds,
  async subject(_, room) {
    const [observer] = room.people.performers;
    const to =
      observer === undefined ? EVERYONE : { person: observer.person, name: observer.card.name };
    const machine = timestamp(room.clock.now());
    room.console.tell(`The clock of this machine says ${machine} (UTC).`);
    room.console.tell("Compare it with a clock that does not depend on this machine, in UTC.");
    const source = await room.console.ask({
      id: "source",
      to,
      text: "reference clock",
      preset: "wall clock of the room",
      check: (answer) => (line.safeParse(answer).success ? undefined : "one line of text, please"),
    });
    room.console.tell("Count seconds: 0 when both agree, negative when this machine is behind.");
    const offset = await room.console.ask({
      id: "offset-seconds",
      to,
      text: "seconds this machine is ahead",
      preset: "0",
      check: (answer) =>
        /^-?\d{1,5}$/.test(answer) && Math.abs(Number(answer)) <= MOST_SECONDS
          ? undefined
          : "a whole number of seconds, at most a day; set the clock when it is off by more",
    });
    const data = { source, offsetSeconds: Number(offset), machine };
    return {
      data,
      shown: [
        `Reference: ${visible(source)}.`,
        `The machine's clock is ${offsetText(data.offsetSeconds)}.`,
      ],
    };
  },
  run: (_, __, { subject }) => Promise.resolve(subject),
  ...nothingIsLeft("Nothing but the record was to be made."),
});

function offsetText(seconds: number): string {
  if (seconds === 0) return "equal to it";
  return seconds > 0 ? `${seconds} s ahead of it` : `${-seconds} s behind it`;
}
