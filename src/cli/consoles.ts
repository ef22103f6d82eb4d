/** The console of a command: people at a terminal, or the answers of a rehearsal on a test site. */

import { closeSync } from "node:fs";
import type { Assurance } from "../ceremony/genesis.ts";
import type { OperatorConsole } from "../console/console.ts";
import { readAnswers } from "../console/answers.ts";
import { ScriptedConsole } from "../console/scripted.ts";
import { requireTerminal, TerminalConsole } from "../console/terminal.ts";
import { Transcript } from "../console/transcript.ts";
import { openTerminalInput } from "../console/terminal-input.ts";
import { KeyriteError } from "../lib/errors.ts";
import { fromUtf8, visible } from "../lib/encoding.ts";
import { readBounded, readDescriptor } from "../lib/files.ts";
import { Secret } from "../lib/secret.ts";
import { style, styleLevel, type Style } from "../lib/style.ts";
import { isOutputLost } from "./output.ts";
import { swapWarning } from "./swap.ts";
import { environment, systemClock } from "./system.ts";

export interface ConsoleOptions {
  readonly answers?: string;
  readonly answersFd?: string;
}

export interface OpenedConsole {
  readonly console: OperatorConsole;
  /** What the room reads and types, from the first line on. */
  readonly transcript: Transcript;
  /** Parameter values that an answers file brings along. */
  readonly set: Readonly<Record<string, string>>;
  interrupted(): boolean;
  close(): void;
}

/** @throws KeyriteError usage.no-terminal, usage.refused for answers on a production site */
export function openConsole(assurance: Assurance, options: ConsoleOptions): OpenedConsole {
  const interrupts = watchInterrupts();
  const transcript = new Transcript(systemClock);
  const { record } = transcript;
  if (options.answers === undefined) {
    try {
      requireTerminal(process.stdin, process.stderr);
    } catch (error) {
      interrupts.close();
      throw error;
    }
    const console = new TerminalConsole({
      input: openTerminalInput(0),
      output: process.stderr,
      style: errorStyle(),
      clock: systemClock,
      size: () => process.stderr.columns,
      signal: interrupts.signal,
      record,
    });
    const warning = swapWarning();
    if (warning !== undefined) console.warn(visible(warning));
    return { console, transcript, set: {}, ...interrupts };
  }
  if (assurance === "production") {
    interrupts.close();
    throw new KeyriteError(
      "usage.refused",
      "answers from a file are refused on a production site",
      {
        hints: ["people answer at a terminal; rehearse on a test site"],
      },
    );
  }
  const answers = readAnswers(readBounded(options.answers, 1 << 20), options.answers);
  const secrets = options.answersFd === undefined ? undefined : readSecrets(options.answersFd);
  const console = new ScriptedConsole({
    answers,
    output: process.stderr,
    style: errorStyle(),
    clock: systemClock,
    tty: process.stderr.isTTY,
    record,
    ...(secrets === undefined ? {} : { secretsFrom: secrets }),
  });
  const set = Object.fromEntries([...answers.set].map(([name, value]) => [name, String(value)]));
  return { console, transcript, set, ...interrupts };
}

interface Interrupts {
  readonly signal: AbortSignal;
  interrupted(): boolean;
  close(): void;
}

// The first signal lets the present HSM call end and is recorded; a second one leaves at once.
function watchInterrupts(): Interrupts {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(130);
    process.stderr.write(
      "\nkeyrite: interrupted; stopping after the present step (again: at once)\n",
    );
    controller.abort();
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;
  for (const name of signals) process.on(name, onSignal);
  return {
    signal: controller.signal,
    // A room that cannot see what it agrees to any more goes no further.
    interrupted: () => controller.signal.aborted || isOutputLost(),
    close() {
      for (const name of signals) process.off(name, onSignal);
    },
  };
}

/** Bytes. */
const MOST_SECRETS = 1 << 16;

/** Passphrases from a descriptor, one `person passphrase` a line, as bytes. */
function readSecrets(descriptor: string): ReadonlyMap<string, readonly Secret[]> {
  const fd = Number(descriptor);
  if (!Number.isSafeInteger(fd) || fd < 3) {
    throw new KeyriteError(
      "usage.bad-option",
      `--answers-fd ${descriptor} is not a descriptor above 2`,
    );
  }
  const bytes = readDescriptor(fd, MOST_SECRETS);
  closeSync(fd);
  const secrets = new Map<string, Secret[]>();
  let at = 0;
  while (at < bytes.length) {
    const newline = bytes.indexOf(0x0a, at);
    const end = newline === -1 ? bytes.length : newline;
    const space = bytes.indexOf(0x20, at);
    if (space > at && space < end) {
      const person = fromUtf8(bytes.subarray(at, space));
      const list = secrets.get(person) ?? [];
      list.push(Secret.copy(bytes.subarray(space + 1, end)));
      secrets.set(person, list);
    }
    at = end + 1;
  }
  bytes.fill(0);
  return secrets;
}

/** Weight and colour for standard error. */
/** How talk on standard error is styled. */
export function errorStyle(): Style {
  return style(
    styleLevel({
      tty: process.stderr.isTTY,
      noColor: environment("NO_COLOR"),
      term: environment("TERM"),
    }),
  );
}
