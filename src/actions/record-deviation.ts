/** Puts a departure from the script or the rules on record: what, why, agreed by two. */

import { defineAction } from "../ceremony/action.ts";
import { EVERYONE } from "../console/console.ts";
import { line } from "../ceremony/words.ts";
import { visible } from "../lib/encoding.ts";
import type { JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";
import { nothingIsLeft } from "./lib/settle-nothing.ts";

interface Deviation extends JsonObject {
  readonly rule: string;
  readonly reason: string;
}

/** A rule that is named in the script is one that planning can foresee to be waived. */
const params = () => z.strictObject({ rule: line.optional() });
type Params = z.infer<ReturnType<typeof params>>;

export const recordDeviation = defineAction<Params, Deviation, Deviation>({
  name: "record-deviation",
  control: "dual",
  params,
  facts: ["deviation.recorded"],
  instruction: ({ rule }) =>
    rule === undefined
      ? "Record a deviation: which rule or step was not followed, and why."
      : `Record a deviation from the rule ${rule}, and why.`,
  forecast: ({ rule }) => ({ rule: rule ?? "planned", reason: "planned" }),
  establishes: (_, { rule, reason }) => [{ kind: "deviation.recorded", rule, reason }],
  admits: (p, subject, fact) =>
    fact.kind === "deviation.recorded" &&
    fact.rule === subject.rule &&
    (p.rule === undefined || fact.rule === p.rule) &&
    fact.reason === subject.reason,
  async subject(p, room) {
    const [first] = room.people.performers;
    const to = first === undefined ? EVERYONE : { person: first.person, name: first.card.name };
    const check = (answer: string): string | undefined =>
      line.safeParse(answer).success ? undefined : "one line of text, please";
    const rule =
      p.rule ??
      (await room.console.ask({
        id: "rule",
        to,
        text: "which rule or step was not followed",
        check,
      }));
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
  ...nothingIsLeft("Nothing but the record was to be made."),
});
