/** A scripted console over answers written in a test, and what it showed. */

import assert from "node:assert/strict";
import { readAnswers } from "../../src/console/answers.ts";
import type { ChoiceQuestion, Question, SecretQuestion } from "../../src/console/console.ts";
import { ScriptedConsole } from "../../src/console/scripted.ts";
import { fromUtf8, utf8 } from "../../src/lib/encoding.ts";
import { KeyriteError, type ErrorCode } from "../../src/lib/errors.ts";
import type { Secret } from "../../src/lib/secret.ts";
import { style } from "../../src/lib/style.ts";

export const HEAD = "keyrite: answers/v1\nagree: all\n";

export function answersOf(text: string): ReturnType<typeof readAnswers> {
  return readAnswers(utf8(text), "answers.yaml");
}

export interface Rehearsal {
  readonly room: ScriptedConsole;
  /** What was shown so far. */
  readonly shown: () => string;
}

export function rehearsal(
  text: string,
  extra: {
    readonly secretsFrom?: ReadonlyMap<string, readonly Secret[]>;
    readonly tty?: boolean;
  } = {},
): Rehearsal {
  const written: string[] = [];
  const room = new ScriptedConsole({
    answers: answersOf(text),
    output: { write: (part) => written.push(part) },
    style: style(0),
    clock: { monotonic: () => 1500 * written.length },
    tty: false,
    ...extra,
  });
  return { room, shown: () => written.join("") };
}

export const NAMES: Readonly<Record<string, string>> = { ana: "Ana Alvarez", ben: "Ben Bauer" };

export function question(id: string, person = "ana", step = "room"): Question {
  return { step, id, to: { person, name: NAMES[person] ?? person }, text: `say ${id}` };
}

export function passphraseOf(person: string): SecretQuestion {
  return { ...question("passphrase", person), purpose: "identity" };
}

export const role: ChoiceQuestion = {
  ...question("role"),
  choices: [
    { value: "custodian", label: "keeps a share" },
    { value: "recorder", label: "writes" },
  ],
};

export function isError(code: ErrorCode, ...words: readonly (string | RegExp)[]) {
  return (error: unknown): true => {
    assert.ok(error instanceof KeyriteError);
    assert.equal(error.code, code);
    const text = [error.message, ...error.hints].join("\n");
    for (const word of words) assert.match(text, new RegExp(word));
    return true;
  };
}

export async function typed(room: ScriptedConsole, person: string): Promise<string> {
  const secret = await room.askSecret(passphraseOf(person));
  const text = secret.use((bytes) => fromUtf8(bytes));
  secret.wipe();
  return text;
}
