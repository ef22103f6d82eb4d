/** Weight and colour of words on a terminal. They only repeat what the words say. */

import { Chalk } from "chalk";

export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
}

/** What decides about colour; the command line reads it from the process. */
export interface Surroundings {
  readonly tty: boolean;
  /** NO_COLOR: any text but the empty one switches colour off (no-color.org). */
  readonly noColor: string | undefined;
  /** TERM */
  readonly term: string | undefined;
}

/** 1, the sixteen basic colours, or 0 for plain text. */
export function styleLevel(surroundings: Surroundings): 0 | 1 {
  const { tty, noColor, term } = surroundings;
  // Chalk itself ignores NO_COLOR on a terminal, so its own detection is not asked.
  return tty && (noColor ?? "") === "" && term !== "dumb" ? 1 : 0;
}

export function style(level: 0 | 1): Style {
  const { bold, dim, red, green, yellow } = new Chalk({ level });
  return { bold, dim, red, green, yellow };
}
