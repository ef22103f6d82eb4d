/** A command on a real terminal, as a test drives it: wait for words on the screen, type, look. */

import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { screenOf } from "./screen.ts";

const DRIVER = fileURLToPath(new URL("pty.py", import.meta.url));

export interface PtyOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly columns?: number;
  readonly rows?: number;
}

export interface Ending {
  readonly exit: number | null;
  readonly signal: number | null;
}

interface Message {
  readonly pid?: number;
  readonly out?: string;
  readonly termios?: string;
  readonly fields?: unknown;
  readonly exit?: number | null;
  readonly signal?: number | null;
}

export class Pty {
  readonly #driver: ChildProcessWithoutNullStreams;
  readonly #replies = new Map<string, (fields: unknown) => void>();
  readonly #chunks: Buffer[] = [];
  readonly #ended: Promise<Ending>;
  #wake: () => void = () => undefined;
  #seen = 0;
  #asked = 0;
  #over = false;
  /** Process id of the command, once something of it has been seen. */
  pid = 0;
  /** All termios fields when the command had ended; undefined after a hang-up. */
  finalTermios: unknown;

  constructor(command: readonly string[], options: PtyOptions = {}) {
    const { columns = 120, rows = 40, env = process.env, cwd = process.cwd() } = options;
    this.#driver = spawn("python3", [DRIVER, String(columns), String(rows), ...command], {
      env,
      cwd,
    });
    this.#driver.stderr.pipe(process.stderr);
    this.#ended = new Promise((resolve) => {
      createInterface({ input: this.#driver.stdout }).on("line", (line) => {
        this.#receive(JSON.parse(line) as Message, resolve);
      });
    });
  }

  /** Whether the command has ended. */
  get over(): boolean {
    return this.#over;
  }

  /** Everything written so far, as bytes. */
  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** The screen as a person sees it, with everything that scrolled above it. */
  get text(): string {
    return screenOf(this.bytes.toString("utf8"));
  }

  /**
   * Waits until `wanted` stands on the screen behind what the last call found.
   * @throws Error with the rest of the screen when it does not come, or the command ends first.
   */
  async expect(wanted: string | RegExp, timeoutMs = 20_000): Promise<string> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const rest = this.text.slice(this.#seen);
      const index = typeof wanted === "string" ? rest.indexOf(wanted) : rest.search(wanted);
      if (index >= 0) {
        const found = typeof wanted === "string" ? wanted : (wanted.exec(rest)?.[0] ?? "");
        this.#seen += index + found.length;
        return found;
      }
      if (this.#over || Date.now() > deadline) {
        throw new Error(`${String(wanted)} did not come; the screen went on with:\n${rest}`);
      }
      await this.#change(deadline - Date.now());
    }
  }

  send(typed: string | Uint8Array): void {
    this.#command({ send: Buffer.from(typed).toString("base64") });
  }

  /** Waits for a prompt, then types a line. */
  async answer(prompt: string | RegExp, line: string): Promise<void> {
    await this.expect(prompt);
    this.send(`${line}\r`);
  }

  /** Sends a signal to the command, by its name without SIG. */
  kill(signal: string): void {
    this.#command({ signal });
  }

  /** Closes the terminal under the command. */
  hangUp(): void {
    this.#command({ hangup: true });
  }

  /** All termios fields of the terminal now. */
  termios(): Promise<unknown> {
    const id = String(++this.#asked);
    return new Promise((resolve) => {
      this.#replies.set(id, resolve);
      this.#command({ termios: id });
    });
  }

  /** How the command ended. */
  async end(): Promise<Ending> {
    const ending = await this.#ended;
    if (this.#driver.exitCode === null) await once(this.#driver, "close");
    return ending;
  }

  /** Kills what is left; for the end of a test that may have failed half-way. */
  close(): void {
    if (!this.#over) this.#driver.stdin.end();
  }

  #command(command: object): void {
    if (!this.#over) this.#driver.stdin.write(`${JSON.stringify(command)}\n`);
  }

  #receive(message: Message, end: (ending: Ending) => void): void {
    if (message.pid !== undefined) this.pid = message.pid;
    if (message.out !== undefined) this.#chunks.push(Buffer.from(message.out, "base64"));
    if (message.termios === "end") this.finalTermios = message.fields;
    else if (message.termios !== undefined) this.#replies.get(message.termios)?.(message.fields);
    if (message.exit !== undefined) {
      this.#over = true;
      this.#driver.stdin.end();
      end({ exit: message.exit, signal: message.signal ?? null });
    }
    this.#wake();
  }

  #change(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** The flag that lets a terminal show what is typed, out of termios fields. */
export function echoes(fields: unknown): boolean {
  const ECHO = 0o10;
  const local: unknown = Array.isArray(fields) ? fields[3] : undefined;
  if (typeof local !== "number") throw new Error("these are no termios fields");
  return (local & ECHO) !== 0;
}
