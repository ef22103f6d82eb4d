/**
 * The process that one module lives in, seen from Keyrite: started when it is first needed, watched while it
 * owes an answer, and given up with a clear error when it ends or hangs.
 */

import type { ChildProcess } from "node:child_process";
import type { KeyriteError } from "../../lib/errors.ts";
import { addRows, type JournalRow } from "../journal.ts";
import type { ModuleBinding } from "../token.ts";
import { FramePipe, type Crossing } from "./pipe.ts";
import { inWords } from "./call-words.ts";
import * as say from "./process-errors.ts";
import { errorOf, isOfKind, type Answer, type Metered, type Request } from "./protocol.ts";
import { HostStream } from "./host-stream.ts";
import { start, type HostLaunch, type Stdio } from "./launch.ts";
import { Silence } from "./silence.ts";

/** Where a binding names no other. */
const PATIENCE_MS = 600_000;
/** A key of 4096 bits takes some HSMs this long; whoever waits longer wants to know for what. */
const NOTICE_MS = 15_000;
const LOOK_MS = 1000;
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
/** A call; `token` is the label of the token that it is about. */
export type Call = Pick<Asked, "name" | "session" | "args"> & { readonly token?: string };

export class HostProcess {
  readonly #module: ModuleBinding;
  readonly #child: ChildProcess;
  readonly #pipe: FramePipe;
  readonly #monotonic: () => number;
  readonly #look: number;
  readonly #silence: Silence;
  /** What was asked and not answered yet, in words; the oldest is what is waited for. */
  readonly #asked = new Map<number, string>();
  readonly #pending = new Map<number, Pending>();
  readonly #streams = new Map<number, HostStream>();
  readonly #exited: Promise<void>;
  #numbered = 0;
  #failure: KeyriteError | undefined;
  #lastWords = "";
  metered: Metered = [0, 0];
  #calls: readonly JournalRow[] = [];

  /** @param ends of a pair of sockets: ours and the process's, which is closed here. */
  constructor(module: ModuleBinding, launch: HostLaunch, ends: readonly [number, number]) {
    this.#module = module;
    this.#monotonic = launch.monotonic;
    this.#look = launch.look ?? LOOK_MS;
    this.#silence = this.#watched(launch.told);
    let allSaid: () => void = () => undefined;
    const said = new Promise<void>((resolve) => {
      allSaid = resolve;
    });
    this.#pipe = new FramePipe(ends[0], {
      message: (message) => {
        this.#take(message);
      },
      ended: (error) => {
        if (error !== undefined) this.#giveUp(say.nonsense(module, error));
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
      this.#silence.sign();
    });
    // Descriptors of a process that is gone: that it is gone is told by its exit.
    for (const stream of [stderr, beats]) stream.on("error", () => undefined);
    this.#child.once("error", (error) => {
      this.#fail(say.notStarted(module, error));
    });
    this.#child.once("close", (code, signal) => {
      // What it had answered before it ended is an answer.
      void said.then(() => {
        this.#fail(say.ended(module, signal ?? `exit code ${String(code)}`, this.#lastWords));
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
  call(asked: Call): Promise<unknown> {
    return this.#silence.whileWaiting(() => this.#answer(asked));
  }

  async #answer({ name, session, args, token }: Call): Promise<unknown> {
    const id = this.#number(name, token);
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
    });
    this.#send({ kind: "call", id, name, session, args });
    return answer;
  }

  /** A call that answers group by group. */
  stream({ name, session, args, token }: Call): HostStream {
    const id = this.#number(name, token);
    const stream = new HostStream(id, {
      send: (request) => {
        this.#send(request);
      },
      awaiting: (body) => this.#silence.whileWaiting(body),
      over: () => {
        this.#streams.delete(id);
        this.#asked.delete(id);
      },
    });
    this.#streams.set(id, stream);
    this.#send({ kind: "call", id, name, session, args });
    return stream;
  }

  #number(name: Asked["name"], token: string | undefined): number {
    if (this.#failure !== undefined) throw this.#failure;
    this.#numbered += 1;
    this.#asked.set(this.#numbered, inWords(name, token));
    return this.#numbered;
  }

  #watched(told: HostLaunch["told"]): Silence {
    const module = this.#module;
    const patience = module.patience === undefined ? PATIENCE_MS : module.patience * 1000;
    const asked = (): string => this.#asked.values().next().value ?? "nothing";
    return new Silence({
      ...{ monotonic: this.#monotonic, look: this.#look },
      ...{ patience, notice: Math.min(NOTICE_MS, patience / 2) },
      silent: (milliseconds) => {
        told(say.isSilent(module, asked(), { milliseconds, patience }));
      },
      again: (milliseconds) => {
        told(say.answersAgain(module, milliseconds));
      },
      givenUp: () => {
        this.#giveUp(say.hangs(module, asked(), patience));
      },
    });
  }

  /** Finalises the module and waits until the process is gone. @throws KeyriteError as the module fails to end */
  async close(): Promise<void> {
    const end = this.#monotonic() + CLOSING_MS;
    const late = setInterval(() => {
      if (this.#monotonic() > end) this.#giveUp(say.endsNot(this.#module, CLOSING_MS));
    }, this.#look);
    try {
      if (this.#failure === undefined) {
        await this.#answer({ name: "close", session: 0, args: [] });
      }
    } finally {
      this.#failure ??= say.ended(this.#module, "it was closed", "");
      this.#pipe.end();
      await this.#gone();
      clearInterval(late);
    }
  }

  // A process that the system itself cannot end must not hold up Keyrite: its lock tells who comes next.
  async #gone(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const given = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSING_MS + LAST_MOMENT_MS);
    });
    await Promise.race([this.#exited, given]);
    clearTimeout(timer);
    this.#child.unref();
  }

  #send(request: Request): void {
    this.#silence.asked();
    this.#pipe.send(request as unknown as Crossing);
  }

  #take(message: unknown): void {
    this.#silence.sign();
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
    this.#asked.delete(message.id);
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
