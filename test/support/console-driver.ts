/** Drives the program `console-session.ts` at a terminal: prompts asked, keys pressed, outcomes read. */

import { program } from "./program.ts";
import { Pty } from "./pty.ts";

export const SECRET = "(not shown): ";
export const CTRL_C = "\u0003";
export const CTRL_D = "\u0004";
export const CTRL_U = "\u0015";
export const BACKSPACE = "\u007f";
export const ESC = "\u001b";

/** Runs prompts in a program of their own, at a terminal of its own. */
export async function session(
  prompts: readonly string[],
  drive: (pty: Pty) => Promise<void>,
  env: NodeJS.ProcessEnv = {},
): Promise<Pty> {
  const pty = new Pty([process.execPath, ...program("console-session"), ...prompts], {
    env: { ...process.env, NO_COLOR: "", TERM: "xterm", ...env },
  });
  try {
    await drive(pty);
  } finally {
    pty.close();
  }
  return pty;
}

/** Waits for what came of a prompt, and lets the program go on to the next. */
export async function outcome(pty: Pty, text: string | RegExp): Promise<void> {
  await pty.expect(text);
  pty.kill("USR2");
}

/** Long enough for a wrong answer to have had its effect. */
export function moment(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 300));
}
