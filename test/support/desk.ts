/**
 * People at a terminal: waits for each prompt, finds out who is asked what, and types what that person
 * has decided to type, mistakes included. An answer that nobody asked for fails the test.
 */

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Pty } from "./pty.ts";

/** What one person, or everybody (`*`), types when asked something; the last answer repeats. */
export interface Habit {
  readonly who: string;
  readonly asked: RegExp;
  readonly types: readonly (string | (() => string))[];
}

/** A prompt as a person reads it. */
export interface Prompt {
  /** Person id, or `Everyone`. */
  readonly who: string;
  /** The question, also when it stands on lines above the prompt. */
  readonly question: string;
  /** Where its line begins on the screen. */
  readonly at: number;
}

// The cursor waits one column behind a prompt. Behind a question told on a line of its own it does not, and
// a terminal may show that before its line feed; what is typed at it comes too early and is dropped.
const ADDRESSED = /^(?:[^\n(]+ \(([a-z0-9-]+)\)|(Everyone)), (.*): $/;
const SHELL = "$ ";
const PATIENCE_MS = 30_000;

export class Desk {
  readonly pty: Pty;
  readonly #patienceMs: number;
  #answeredAt = -1;

  constructor(pty: Pty, patienceMs = PATIENCE_MS) {
    this.pty = pty;
    this.#patienceMs = patienceMs;
  }

  /**
   * Answers prompts until the shell prompts, or the command has ended.
   * @param look is told of each prompt while it waits, before its answer is typed
   * @throws Error for a prompt nobody has an answer to, AssertionError for answers left over
   */
  async answer(
    habits: readonly Habit[],
    look: (prompt: Prompt) => Promise<void> = () => Promise.resolve(),
  ): Promise<void> {
    const taken = new Map<Habit, number>();
    for (;;) {
      const prompt = await this.#next();
      if (prompt === undefined) break;
      const habit = habits.find(
        ({ who, asked }) => (who === "*" || who === prompt.who) && asked.test(prompt.question),
      );
      if (habit === undefined) {
        throw new Error(`nobody knows what ${prompt.who} types at: ${prompt.question}`);
      }
      await look(prompt);
      const count = taken.get(habit) ?? 0;
      taken.set(habit, count + 1);
      const answer = habit.types[Math.min(count, habit.types.length - 1)] ?? "";
      const typed = typeof answer === "string" ? answer : answer();
      // A control character is a key of its own; everything else is ended by Enter.
      this.pty.send(/^\p{Cc}$/u.test(typed) ? typed : `${typed}\r`);
    }
    for (const habit of habits) {
      const { who, asked, types } = habit;
      const count = taken.get(habit) ?? 0;
      const all = `${who} was asked ${String(asked)} ${count} of ${types.length} times`;
      assert.ok(count >= types.length, all);
    }
  }

  /** Types a command at the shell, line by line. */
  async command(lines: string): Promise<void> {
    for (const line of lines.split("\n")) {
      await this.#shell();
      this.#answeredAt = this.#lastLine();
      this.pty.send(`${line}\r`);
    }
  }

  /** The exit code of the last command. */
  async exit(): Promise<number> {
    await this.command('echo "exit code $?"');
    await this.#shell();
    return Number(/exit code (\d+)\n[^\n]*$/.exec(this.pty.text)?.[1]);
  }

  async #shell(): Promise<void> {
    await this.#until(
      () => /^(?:\$|>) $/.test(this.#line()) && this.#lastLine() > this.#answeredAt,
    );
  }

  async #next(): Promise<Prompt | undefined> {
    let prompt: Prompt | undefined;
    await this.#until(() => {
      if (this.#lastLine() <= this.#answeredAt) return this.pty.over;
      prompt = this.#prompt();
      return prompt !== undefined || this.#line() === SHELL || this.pty.over;
    });
    if (prompt !== undefined) this.#answeredAt = prompt.at;
    return prompt;
  }

  #prompt(): Prompt | undefined {
    const found = ADDRESSED.exec(this.#line());
    if (found === null) return undefined;
    const who = found[1] ?? found[2] ?? "";
    const asked = found[3] ?? "";
    const at = this.#lastLine();
    if (!/^(?:number, 1 to|your answer)/.test(asked)) return { who, question: asked, at };
    // The question stands above: the last line addressed to the same person that is no such prompt.
    const lines = this.pty.text.slice(0, at).split("\n");
    const name = who === "Everyone" ? "Everyone, " : `(${who}), `;
    const begins = lines.findLastIndex(
      (line) => line.includes(name) && !/, (?:number, 1 to|your answer)/.test(line),
    );
    return { who, question: lines.slice(begins).join(" "), at };
  }

  #line(): string {
    return this.pty.text.slice(this.#lastLine());
  }

  #lastLine(): number {
    return this.pty.text.lastIndexOf("\n") + 1;
  }

  async #until(arrived: () => boolean): Promise<void> {
    const deadline = performance.now() + this.#patienceMs;
    while (!arrived()) {
      if (performance.now() > deadline) {
        throw new Error(`nothing came; the screen ends with:\n${this.pty.text.slice(-2000)}`);
      }
      await sleep(10);
    }
  }
}
