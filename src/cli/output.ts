/** What commands print: data on standard output, talk and errors on standard error. */

import { visible } from "../lib/encoding.ts";
import { KeyriteError, exitCodeOf, messageOf } from "../lib/errors.ts";
import type { Json, JsonObject } from "../lib/json.ts";

export function printLine(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function tellLine(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** The one document of a command under --json. */
export function printJson(command: string, body: JsonObject): void {
  const document: Json = { schema: `keyrite/${command}/v1`, ...body };
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}

export interface ErrorDisplay {
  readonly debug: boolean;
  readonly json: boolean;
}

/**
 * Shows an error: the message, its hints on lines of their own, no stack unless asked for.
 * @returns the exit code that says who acts next
 */
export function showError(error: unknown, { debug, json }: ErrorDisplay): number {
  const exit = exitCodeOf(error);
  const known = error instanceof KeyriteError;
  const code = known ? error.code : "internal.bug";
  const hints = known
    ? error.hints
    : ["this is a bug of ours: run again with --debug and report it"];
  const message = known ? messageOf(error) : `internal error: ${messageOf(error)}`;
  for (const [i, line] of message.split("\n").entries()) {
    tellLine(i === 0 ? `keyrite: ${visible(line)}` : `  ${visible(line)}`);
  }
  for (const hint of hints) tellLine(`  hint: ${visible(hint)}`);
  tellLine(`  (${code}, exit ${exit})`);
  if (debug && error instanceof Error) tellLine(error.stack ?? "");
  if (json) printJson("error", { code, exit, message, hints: [...hints] });
  return exit;
}
