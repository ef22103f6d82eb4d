/** What commands print: data on standard output, talk and errors on standard error. */

import { visible } from "../lib/encoding.ts";
import { KeyriteError, exitCodeOf, messageOf, type EXIT } from "../lib/errors.ts";
import type { Json, JsonObject } from "../lib/json.ts";

let lost: Error | undefined;

/**
 * From now on an output that goes away is noted instead of ending the process on the spot: that could be
 * in the middle of a step, before its outcome is on record.
 */
export function watchOutputs(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error) => {
      lost ??= error;
    });
  }
}

/** What went wrong with an output, once everything written so far was tried. */
export async function lostOutput(): Promise<Error | undefined> {
  await new Promise((resolve) => setImmediate(resolve));
  return lost;
}

/** Whether an output is gone, as far as it is known yet. */
export function isOutputLost(): boolean {
  return lost !== undefined;
}

export function printLine(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function tellLine(text: string): void {
  process.stderr.write(`${text}\n`);
}

let printed = false;

/** The one document of a command under --json. */
export function printJson(command: string, body: JsonObject): void {
  printed = true;
  const document: Json = { schema: `keyrite/${command}/v1`, ...body };
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}

export interface ErrorDisplay {
  readonly debug: boolean;
  readonly json: boolean;
}

/** What to do when an error says nothing of its own: the first word of its code names who acts. */
const NEXT: Readonly<Record<keyof typeof EXIT, string>> = {
  internal: "this is a bug of ours: run again with --debug and report it",
  usage: "keyrite COMMAND --help shows what it takes, with examples",
  site: "keyrite doctor says what is wrong with the site, and what to do",
  script: "correct it; then keyrite check says whether it can be performed",
  people: "the people in the room decide; keyrite status shows where the ceremony stands",
  hsm: "call the HSM administrator; keyrite hsm list shows the tokens that answer",
  ledger: "change nothing, keep a copy of the ledger as it is, and call the auditor",
  halted: "keyrite status shows what is open and what is in doubt",
  interrupted: "start the command again when everybody is ready",
};

function hintsOf(error: unknown): readonly string[] {
  if (!(error instanceof KeyriteError)) return [NEXT.internal];
  if (error.hints.length > 0) return error.hints;
  return [NEXT[error.code.slice(0, error.code.indexOf(".")) as keyof typeof EXIT]];
}

/**
 * Shows an error: the message, its hints on lines of their own, no stack unless asked for.
 * @returns the exit code that says who acts next
 */
export function showError(error: unknown, { debug, json }: ErrorDisplay): number {
  const exit = exitCodeOf(error);
  const known = error instanceof KeyriteError;
  const code = known ? error.code : "internal.bug";
  const hints = hintsOf(error);
  const message = known ? messageOf(error) : `internal error: ${messageOf(error)}`;
  for (const [i, line] of message.split("\n").entries()) {
    tellLine(i === 0 ? `keyrite: ${visible(line)}` : `  ${visible(line)}`);
  }
  for (const hint of hints) tellLine(`  hint: ${visible(hint)}`);
  tellLine(`  (${code}, exit ${exit})`);
  if (debug && error instanceof Error) tellLine(error.stack ?? "");
  // A command that has judged something has said so in its own document: there is never a second one.
  if (json && !printed) printJson("error", { code, exit, message, hints: [...hints] });
  return exit;
}
