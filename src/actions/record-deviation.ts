/** Puts a departure from the script or the rules on record: what, why, agreed by two. */

import { defineAction } from "../ceremony/action.ts";
import { EVERYONE } from "../console/console.ts";
import { line } from "../ceremony/words.ts";
import { visible } from "../lib/encoding.ts";
import type { JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";

interface Deviation extends JsonObject {
  readonly rule: string;
  readonly reason: string;
}

export const recordDeviation = defineAction<Record<string, never>, Deviation, Deviation>({
  name: "record-deviation",
  control: "dual",
  params: () => z.strictObject({}),
  facts: ["deviation.recorded"],
  instruction: () => "Record a deviation: which rule or step was not followed, and why.",
  forecast: () => ({ rule: "planned", reason: "planned" }),
  establishes: (_, { rule, reason }) => [{ kind: "deviation.recorded", rule, reason }],
  admits: (_, subject, fact) =>
    fact.kind === "deviation.recorded" &&
    fact.rule === subject.rule &&
    fact.reason === subject.reason,
  async subject(_, room) {
    const [first] = room.people.performers;
    const to = first === undefined ? EVERYONE : { person: first.person, name: first.card.name };
    const check = (answer: string): string | undefined =>
      line.safeParse(answer).success ? undefined : "one line of text, please";
    const rule = await room.console.ask({
      id: "rule",
      to,
      text: "which rule or step was not followed",
      check,
    });
    const reason = await room.console.ask({
      id: "reason",
      to,
      text: "what happened, and why",
      check,
    });
    return {
      data: { rule, reason },
      shown: [`Not followed: ${visible(rule)}`, `Reason: ${visible(reason)}`],
    };
  },
  run: (_, __, { subject }) => Promise.resolve(subject),
});
