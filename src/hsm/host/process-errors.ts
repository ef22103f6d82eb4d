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

export function hangs({ name }: ModuleBinding, patience: number): KeyriteError {
  return new KeyriteError(
    "hsm.module-ended",
    `module ${name} gave no sign of life for ${patience / 1000} seconds within one call; its process was ended`,
    {
      hints: [
        "look at the HSM and its connection",
        "what was under way on its tokens is in doubt: keyrite run --resume looks and settles it",
        "a module that may take longer gets more patience in site.yaml",
      ],
    },
  );
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
