/** A statement recorded under a person's name: it establishes no facts. */

import { defineAction, type Room } from "../ceremony/action.ts";
import { label, line, slug } from "../ceremony/words.ts";
import { EVERYONE, type Addressee } from "../console/console.ts";
import { visible } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";
import { nothingIsLeft } from "./lib/settle-nothing.ts";

const field = z.strictObject({ type: z.enum(["label", "text"]), about: line });
const params = () =>
  z.strictObject({
    statement: line,
    fields: z.record(slug, field).default({}),
  });
type Params = z.infer<ReturnType<typeof params>>;

interface Statement extends JsonObject {
  readonly statement: string;
  readonly fields: readonly { readonly id: string; readonly value: string }[];
}

/** Asks the performer whether a statement is so, and for the values that go with it. */
export const attest = defineAction<Params, Statement, Statement>({
  name: "attest",
  control: "none",
  params,
  facts: [],
  instruction: (p) => `Attest: ${p.statement}`,
  forecast: (p) => ({ statement: p.statement, fields: [] }),
  async subject(p, room) {
    const to = performer(room);
    const fields: { id: string; value: string }[] = [];
    for (const [id, { type, about }] of Object.entries(p.fields)) {
      const check = (answer: string): string | undefined => whyRefused(type, answer);
      fields.push({ id, value: await room.console.ask({ id, to, text: about, check }) });
    }
    const answer = await room.console.choose({
      id: "so",
      to,
      text: "is the statement true, as it stands above?",
      choices: [
        { value: "yes", label: "yes, it is so" },
        { value: "no", label: "no, it is not, or an answer above is wrong" },
      ],
      preset: "yes",
    });
    if (answer !== "yes") {
      throw new KeyriteError("people.declined", `${to.person} does not attest: ${p.statement}`, {
        hints: ["make it so, or correct the answers, by trying again; or stop the ceremony"],
      });
    }
    const shown = fields.map(({ id, value }) => `For the record, ${id}: ${visible(value)}`);
    return { data: { statement: p.statement, fields }, shown };
  },
  run: (_, __, { subject }) => Promise.resolve(subject),
  ...nothingIsLeft("Nothing but the record was to be made."),
});

function performer(room: Room): Addressee {
  const [first] = room.people.performers;
  return first === undefined ? EVERYONE : { person: first.person, name: first.card.name };
}

function whyRefused(type: "label" | "text", answer: string): string | undefined {
  const result = (type === "label" ? label : line).safeParse(answer);
  return result.success ? undefined : result.error.issues[0]?.message;
}
