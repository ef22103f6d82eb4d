/** Two observers compare the machine's clock with a reference clock. */

import { defineAction } from "../ceremony/action.ts";
import { line } from "../ceremony/words.ts";
import { timestamp } from "../lib/clock.ts";
import { visible } from "../lib/encoding.ts";
import type { JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";

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
  params: z.strictObject({}),
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
    const to = { person: observer?.person ?? "room", name: observer?.card.name ?? "Everyone" };
    const machine = timestamp(room.clock.now());
    room.console.tell(`This machine's clock says ${machine}.`);
    const source = await room.console.ask({
      id: "source",
      to,
      text: "which reference clock do you read",
      preset: "wall clock of the room",
      check: (answer) => (line.safeParse(answer).success ? undefined : "one line of text, please"),
    });
    const offset = await room.console.ask({
      id: "offset-seconds",
      to,
      text: "how many seconds is this machine ahead of it (0 when equal, negative when behind)",
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
        `This machine is ahead of it by ${data.offsetSeconds} s.`,
      ],
    };
  },
  run: (_, __, { subject }) => Promise.resolve(subject),
});
