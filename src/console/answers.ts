/**
 * The answers file of a rehearsal: who answers what at which step. Its passphrases are published
 * fixtures of test sites, which is why they may be text here and nowhere else.
 */

import { objectionsError } from "../lib/objection.ts";
import { check, z } from "../lib/schema.ts";
import { readYaml } from "../lib/yaml.ts";

const word = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9-]*$/, "not a name\nuse letters, digits and dashes, a letter first");
const person = z
  .string()
  .regex(/^[a-z][a-z0-9-]{1,30}$/, "not a person id\nuse 2 to 31 of a-z, 0-9 and dashes");
const oneOrMore = z
  .union([z.string(), z.array(z.string()).min(1)])
  .transform((given) => (typeof given === "string" ? [given] : given));

export const answersSchema = z.strictObject({
  keyrite: z.literal("answers/v1"),
  /** Ceremonies that must have run before. */
  after: z.array(word).default([]),
  /** Parameters of the script, as `--set` gives them. */
  set: z.record(word, z.union([z.string(), z.int(), z.boolean()])).default({}),
  /** Person: passphrase, or a list of which the last repeats. */
  passphrases: z.record(person, oneOrMore).default({}),
  /** Step: question: person: answer, or a list for repeated asking. */
  answers: z.record(word, z.record(word, z.record(person, oneOrMore))).default({}),
  /** Whoever is left out declines. */
  agree: z.union([z.literal("all"), z.record(word, z.array(person))]),
});

/** The answers to one question put to one person, in the order of asking. */
export interface RecordedAnswers {
  readonly step: string;
  readonly question: string;
  readonly person: string;
  readonly answers: readonly string[];
}

/** Who agrees at a step. */
export interface RecordedAgreement {
  readonly step: string;
  readonly person: string;
}

export interface Answers {
  readonly file: string;
  readonly after: readonly string[];
  readonly set: ReadonlyMap<string, string | number | boolean>;
  readonly passphrases: ReadonlyMap<string, readonly string[]>;
  readonly answers: readonly RecordedAnswers[];
  readonly agree: "all" | readonly RecordedAgreement[];
}

/**
 * Reads an answers file strictly.
 * @throws KeyriteError script.unreadable for what is no YAML of ours, script.answers for the rest.
 */
export function readAnswers(bytes: Uint8Array, file: string): Answers {
  const checked = check(answersSchema, readYaml(bytes, file));
  if (!checked.ok) throw objectionsError("script.answers", checked.objections);
  const { after, set, passphrases, answers, agree } = checked.value;
  return {
    file,
    after,
    set: new Map(Object.entries(set)),
    passphrases: new Map(Object.entries(passphrases)),
    answers: Object.entries(answers).flatMap(([step, questions]) =>
      Object.entries(questions).flatMap(([question, people]) =>
        Object.entries(people).map(([person, given]) => ({
          step,
          question,
          person,
          answers: given,
        })),
      ),
    ),
    agree:
      agree === "all"
        ? agree
        : Object.entries(agree).flatMap(([step, people]) =>
            people.map((person) => ({ step, person })),
          ),
  };
}
