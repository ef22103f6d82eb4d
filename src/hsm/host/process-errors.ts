/** How a module's process fails, in the words that operators read. */

import { visible } from "../../lib/encoding.ts";
import { KeyriteError, messageOf } from "../../lib/errors.ts";
import type { ModuleBinding } from "../token.ts";

export function notStarted({ name }: ModuleBinding, cause: Error): KeyriteError {
  return new KeyriteError("hsm.module-unavailable", `the process of module ${name} did not start`, {
    cause,
  });
}

export function ended({ name }: ModuleBinding, how: string, words: string): KeyriteError {
  const said = visible(words.trim().split("\n").at(-1) ?? "").slice(0, 300);
  return new KeyriteError(
    "hsm.module-ended",
    `the HSM's module process ended (module ${name}, ${how})`,
    {
      hints: [
        ...(said === "" ? [] : [`the last it said: ${said}`]),
        "what was under way on its tokens is in doubt: keyrite run --resume looks and settles it",
      ],
    },
  );
}

export function hangs({ name }: ModuleBinding, asked: string, patience: number): KeyriteError {
  return new KeyriteError(
    "hsm.module-ended",
    `module ${name}, asked ${asked}, gave no sign of life for ${patience / 1000} seconds within one call; its process was ended`,
    {
      hints: [
        "look at the HSM and its connection",
        "what was under way on its tokens is in doubt: keyrite run --resume looks and settles it",
        "a module that may take longer gets more patience in site.yaml",
      ],
    },
  );
}

/** At the end, when nothing is under way any more. */
export function endsNot({ name }: ModuleBinding, waited: number): KeyriteError {
  return new KeyriteError(
    "hsm.module-ended",
    `module ${name} did not end within ${waited / 1000} seconds; its process was ended`,
    { hints: ["nothing was under way on its tokens"] },
  );
}

/** What the room is told of a process that it waits for. */
export function isSilent(
  { name }: ModuleBinding,
  asked: string,
  { milliseconds, patience }: { readonly milliseconds: number; readonly patience: number },
): string {
  return [
    `The HSM has been silent for ${seconds(milliseconds)}: module ${name}, asked ${asked}.`,
    `It is waited for until ${seconds(patience)} are over. Look at the device and its connection: it may wait`,
    "for a touch, a card or its own keypad. Ctrl-C stops behind this call; Ctrl-C twice leaves at once, and",
    "keyrite run --resume then looks what became of it.",
  ].join(" ");
}

export function answersAgain({ name }: ModuleBinding, milliseconds: number): string {
  return `The HSM answers again, after ${seconds(milliseconds)} (module ${name}).`;
}

function seconds(milliseconds: number): string {
  return `${Math.round(milliseconds / 1000)} s`;
}

export function nonsense({ name }: ModuleBinding, cause: Error): KeyriteError {
  return new KeyriteError(
    "hsm.module-ended",
    `the process of module ${name} said what is no answer; it was ended`,
    { hints: ["its memory may be damaged: what was under way is in doubt"], cause },
  );
}

export function noLock(path: string, cause: unknown): KeyriteError {
  const how = cause === undefined ? "it is not a regular file" : messageOf(cause);
  return new KeyriteError("usage.bad-file", `cannot lock ${path}: ${how}`, {
    hints: ["links, pipes, folders and devices are refused: remove what stands there"],
    cause,
  });
}
