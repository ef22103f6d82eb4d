/**
 * The process that one module lives in, seen from Keyrite: started when it is first needed, watched while it
 * owes an answer, and given up with a clear error when it ends or hangs.
 */

import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, constants, fstatSync, openSync } from "node:fs";
import type { Readable } from "node:stream";
import type { KeyriteError } from "../../lib/errors.ts";
import { addRows, type JournalRow } from "../journal.ts";
import type { ModuleBinding } from "../token.ts";
import { FramePipe, type Crossing } from "./pipe.ts";
import { ended, hangs, noLock, nonsense, notStarted } from "./process-errors.ts";
import { errorOf, isOfKind, type Answer, type Metered, type Request } from "./protocol.ts";
import { HostStream } from "./host-stream.ts";

/** How module processes are started and watched. */
export interface HostLaunch {
  /** The program and its words; it serves what comes on descriptor 3. */
  readonly command: readonly [file: string, ...words: string[]];
  /** All that its environment holds besides what the binding names. */
  readonly environment: Readonly<Record<string, string>>;
  /** Reads a variable that a binding names. */
  readonly variable: (name: string) => string | undefined;
  readonly monotonic: () => number;
  /** File that the process of a module holds a lock on as long as it lives; none for a mere look. */
  readonly lockFile?: (module: ModuleBinding) => string;
}

/** Where a binding names no other. */
const PATIENCE_MS = 600_000;
const MOST_LOOKS_MS = 1000;
/** How long a module has for C_Finalize. */
const CLOSING_MS = 10_000;
/** How long what a process said last may take to arrive when it is gone. */
const LAST_MOMENT_MS = 1000;
const LAST_WORDS = 2000;

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

type Asked = Extract<Request, { kind: "call" }>;

export class HostProcess {
  readonly #module: ModuleBinding;
  readonly #child: ChildProcess;
  readonly #pipe: FramePipe;
  readonly #monotonic: () => number;
  readonly #patience: number;
  readonly #pending = new Map<number, Pending>();
  readonly #streams = new Map<number, HostStream>();
  readonly #exited: Promise<void>;
  #lastSign: number;
  #watch: NodeJS.Timeout | undefined;
  #numbered = 0;
  #failure: KeyriteError | undefined;
  #lastWords = "";
  metered: Metered = [0, 0];
  #calls: readonly JournalRow[] = [];

  /** @param ends of a pair of sockets: ours and the process's, which is closed here. */
  constructor(module: ModuleBinding, launch: HostLaunch, ends: readonly [number, number]) {
    this.#module = module;
    this.#monotonic = launch.monotonic;
    this.#patience = module.patience === undefined ? PATIENCE_MS : module.patience * 1000;
    this.#lastSign = launch.monotonic();
    let allSaid: () => void = () => undefined;
    const said = new Promise<void>((resolve) => {
      allSaid = resolve;
    });
    this.#pipe = new FramePipe(ends[0], {
      message: (message) => {
        this.#take(message);
      },
      ended: (error) => {
        if (error !== undefined) this.#giveUp(nonsense(module, error));
        allSaid();
      },
    });
    this.#child = start(module, launch, ends[1]);
    const [, , stderr, , beats] = this.#child.stdio as unknown as Stdio;
    this.#exited = new Promise((resolve) =>
      this.#child.once("close", () => {
        resolve();
      }),
    );
    // A process that the module leaves behind holds our pipes open: what was said last has a moment to arrive,
    // then they are closed here, or nobody would hear that the module's own is gone.
    this.#child.once("exit", () => {
      const late = setTimeout(() => {
        stderr.destroy();
        beats.destroy();
        this.#pipe.destroy();
      }, LAST_MOMENT_MS);
      void Promise.all([this.#exited, said]).then(() => {
        clearTimeout(late);
      });
    });
    stderr.on("data", (chunk: Buffer) => {
      this.#lastWords = (this.#lastWords + chunk.toString("latin1")).slice(-LAST_WORDS);
    });
    beats.on("data", () => {
      this.#sign();
    });
    // Descriptors of a process that is gone: that it is gone is told by its exit.
    for (const stream of [stderr, beats]) stream.on("error", () => undefined);
    this.#child.once("error", (error) => {
      this.#fail(notStarted(module, error));
    });
    this.#child.once("close", (code, signal) => {
      // What it had answered before it ended is an answer.
      void said.then(() => {
        this.#fail(ended(module, signal ?? `exit code ${String(code)}`, this.#lastWords));
      });
    });
  }

  /** What ended it, or undefined while it lives. */
  get failure(): KeyriteError | undefined {
    return this.#failure;
  }

  /** Takes the PKCS#11 calls of all answers since this was last asked. */
  journal(): readonly JournalRow[] {
    const calls = this.#calls;
    this.#calls = [];
    return calls;
  }

  /** One call and its answer. @throws KeyriteError as the call does, and hsm.module-ended */
  async call(name: Asked["name"], session: number, args: readonly unknown[]): Promise<unknown> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#numbered += 1;
    const id = this.#numbered;
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
    });
    this.#send({ kind: "call", id, name, session, args });
    return this.awaiting(() => answer);
  }

  /** A call that answers group by group. */
  stream(name: Asked["name"], session: number, args: readonly unknown[]): HostStream {
    if (this.#failure !== undefined) throw this.#failure;
    this.#numbered += 1;
    const id = this.#numbered;
    const stream = new HostStream(id, {
      send: (request) => {
        this.#send(request);
      },
      awaiting: (body) => this.awaiting(body),
      over: () => this.#streams.delete(id),
    });
    this.#streams.set(id, stream);
    this.#send({ kind: "call", id, name, session, args });
    return stream;
  }

  #waiting = 0;

  /** Waits for the process: from here on its silence is watched. */
  async awaiting<T>(body: () => Promise<T>): Promise<T> {
    if (this.#waiting === 0) this.#sign();
    this.#waiting += 1;
    const look = Math.max(1, Math.min(MOST_LOOKS_MS, this.#patience / 4));
    this.#watch ??= setInterval(() => {
      this.#look();
    }, look);
    try {
      return await body();
    } finally {
      this.#waiting -= 1;
      if (this.#waiting === 0) {
        clearInterval(this.#watch);
        this.#watch = undefined;
      }
    }
  }

  /** Finalises the module and waits until the process is gone. */
  async close(): Promise<void> {
    const late = setTimeout(() => {
      this.#child.kill("SIGKILL");
    }, CLOSING_MS);
    try {
      if (this.#failure === undefined) await this.call("close", 0, []);
    } finally {
      this.#failure ??= ended(this.#module, "it was closed", "");
      this.#pipe.end();
      await this.#gone();
      clearTimeout(late);
    }
  }

  // A process that the system itself cannot end must not hold up Keyrite: its lock tells who comes next.
  async #gone(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const given = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSING_MS + MOST_LOOKS_MS);
    });
    await Promise.race([this.#exited, given]);
    clearTimeout(timer);
    this.#child.unref();
  }

  #send(request: Request): void {
    this.#sign();
    this.#pipe.send(request as unknown as Crossing);
  }

  #sign(): void {
    this.#lastSign = this.#monotonic();
  }

  #look(): void {
    const silence = this.#monotonic() - this.#lastSign;
    if (silence > this.#patience) this.#giveUp(hangs(this.#module, this.#patience));
  }

  #take(message: unknown): void {
    this.#sign();
    if (!isOfKind<Answer>(message, ["done", "failed", "wants", "group"])) {
      throw new Error("an answer is none");
    }
    if (message.kind === "done" || message.kind === "failed") {
      this.metered = message.metered;
      this.#calls = addRows(this.#calls, message.calls);
    }
    const stream = this.#streams.get(message.id);
    if (stream !== undefined) {
      stream.take(message);
      return;
    }
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (message.kind === "done") pending?.resolve(message.value);
    if (message.kind === "failed") pending?.reject(errorOf(message.error));
  }

  #giveUp(error: KeyriteError): void {
    this.#fail(error);
    this.#child.kill("SIGKILL");
  }

  #fail(error: KeyriteError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    for (const { reject } of this.#pending.values()) reject(error);
    for (const stream of this.#streams.values()) stream.fail(error);
    this.#pending.clear();
  }
}

/** Descriptors of the process: none to read, none to print on, what it complains, the pipe, signs of life. */
type Stdio = readonly [null, null, Readable, null, Readable, ...unknown[]];

function start(module: ModuleBinding, launch: HostLaunch, pipe: number): ChildProcess {
  const [file, ...words] = launch.command;
  const named = (module.environment ?? []).flatMap((name) => {
    const value = launch.variable(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  const descriptors = [pipe];
  try {
    const lockFile = launch.lockFile?.(module);
    const lock = lockFile === undefined ? "ignore" : openLock(lockFile);
    if (lock !== "ignore") descriptors.push(lock);
    return spawn(file, words, {
      stdio: ["ignore", "ignore", "pipe", pipe, "pipe", lock],
      env: { ...launch.environment, ...Object.fromEntries(named) },
      // In a session of its own no key at the terminal reaches it, and it has no terminal to ask at.
      detached: true,
    });
  } finally {
    for (const descriptor of descriptors) closeSync(descriptor);
  }
}

function openLock(path: string): number {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, flags, 0o600);
    if (fstatSync(descriptor).isFile()) return descriptor;
  } catch (cause) {
    throw noLock(path, cause);
  }
  closeSync(descriptor);
  throw noLock(path, undefined);
}
