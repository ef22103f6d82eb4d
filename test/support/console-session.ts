/**
 * A program for the terminal tests: asks the questions named in its arguments through the real
 * console, one after the other, prints what came of each, and waits for SIGUSR2 in between.
 */

import { once } from "node:events";
import type { OperatorConsole } from "../../src/console/console.ts";
import { requireTerminal, TerminalConsole } from "../../src/console/terminal.ts";
import { openTerminalInput } from "../../src/console/terminal-input.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { style, styleLevel } from "../../src/lib/style.ts";

const recorded: string[] = [];
const ana = { person: "ana", name: "Ana Alvarez" };
const base = { step: "step", to: ana };
const LONG = "word ".repeat(40).trim();

const PROMPTS: Readonly<Record<string, (room: OperatorConsole) => Promise<string>>> = {
  ask: (room) =>
    room.ask({
      ...base,
      id: "camera",
      text: "number of the camera",
      check: (answer) => (answer.startsWith("CAM-") ? undefined : "a camera is named CAM-…"),
    }),
  preset: (room) => room.ask({ ...base, id: "place", text: "place", preset: "vault" }),
  long: (room) => room.ask({ ...base, id: "long", text: LONG }),
  choose: (room) =>
    room.choose({
      ...base,
      id: "role",
      text: "your role",
      choices: [
        { value: "custodian", label: "custodian, keeps a share" },
        { value: "internal-witness", label: "internal witness" },
      ],
    }),
  agree: async (room) => String(await room.agree({ ...base, id: "agree", text: "do you agree" })),
  identity: (room) => secret(room, "identity"),
  new: (room) => secret(room, "new"),
  work: async (room) => {
    const progress = room.progress("working");
    progress.report(1, 2);
    await new Promise((resolve) => setTimeout(resolve, 1200));
    progress.end();
    return "worked";
  },
  /** What the terminal record holds so far, in one line. */
  transcript: () => Promise.resolve(JSON.stringify(recorded)),
  pid: () => Promise.resolve(String(process.pid)),
  warn: (room) => {
    room.heading("Step 1");
    room.warn("mind the \u001b[31mgap");
    return Promise.resolve("warned");
  },
};

/** The digest of a passphrase: so that the screen shows nothing of it, and the test can compare. */
async function secret(room: OperatorConsole, purpose: "identity" | "new"): Promise<string> {
  const typed = await room.askSecret({ ...base, id: "secret", text: "your passphrase", purpose });
  const digest = typed.use((bytes) => sha256Hex(bytes));
  typed.wipe();
  return digest;
}

async function outcome(name: string, room: OperatorConsole): Promise<string> {
  try {
    return (await PROMPTS[name]?.(room)) ?? "unknown prompt";
  } catch (error) {
    if (!(error instanceof KeyriteError)) throw error;
    return error.code;
  }
}

requireTerminal(process.stdin, process.stderr);
const terminated = new AbortController();
process.on("SIGTERM", () => {
  terminated.abort();
});
const level = styleLevel({
  tty: process.stderr.isTTY,
  noColor: process.env["NO_COLOR"],
  term: process.env["TERM"],
});
const room = new TerminalConsole({
  input: openTerminalInput(0),
  output: process.stderr,
  style: style(level),
  clock: { monotonic: () => performance.now() },
  size: () => process.stderr.columns,
  signal: terminated.signal,
  record: (text) => recorded.push(text),
});
for (const name of process.argv.slice(2)) {
  const told = await outcome(name, room);
  const stay = setInterval(() => undefined, 1000);
  const next = once(process, "SIGUSR2");
  room.tell(`[${name}: ${told}]`);
  await next;
  clearInterval(stay);
}
room.tell(`[waited: ${room.waitedMs > 0 ? "some time" : "no time"}]`);
