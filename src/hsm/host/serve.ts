/**
 * The module's side: does what is asked through its pipe, one module and nothing else, and is over when the
 * pipe is.
 */

import { KeyriteError } from "../../lib/errors.ts";
import { Secret } from "../../lib/secret.ts";
import type { KekName, KeyName, UnwrapItem, UnwrapOptions, WireFormat } from "../backup.ts";
import type { Hsm, ModuleBinding, Session } from "../token.ts";
import { FramePipe, type Crossing } from "./pipe.ts";
import {
  failureOf,
  isOfKind,
  SESSION_CALLS,
  type Answer,
  type ModuleCall,
  type Request,
  type SessionCall,
} from "./protocol.ts";
import { StreamGate } from "./stream-gate.ts";

export interface Serving {
  readonly hsm: Hsm;
  /** Descriptor of the pipe. */
  readonly pipe: number;
  /** Taken before the module is: nobody else of this site has it in a process then. */
  readonly lock: () => Promise<void>;
  /** Told when the pipe has ended. */
  readonly ended: () => void;
}

type Call = Extract<Request, { kind: "call" }>;

/** Serves until the pipe ends. */
export function serve(serving: Serving): void {
  new Server(serving);
}

class Server {
  readonly #hsm: Hsm;
  readonly #lock: () => Promise<void>;
  readonly #pipe: FramePipe;
  readonly #sessions = new Map<number, Session>();
  readonly #gates = new Map<number, StreamGate>();
  #numbered = 0;

  constructor({ hsm, pipe, lock, ended }: Serving) {
    this.#hsm = hsm;
    this.#lock = lock;
    this.#pipe = new FramePipe(pipe, {
      message: (message) => {
        this.#take(message);
      },
      ended: () => {
        for (const gate of this.#gates.values()) gate.stop();
        ended();
      },
    });
  }

  #take(message: unknown): void {
    if (!isOfKind<Request>(message, ["call", "go", "more", "stop"])) {
      throw new Error("a message is none");
    }
    const gate = this.#gates.get(message.id);
    switch (message.kind) {
      case "call":
        void this.#answer(message);
        return;
      case "go":
        gate?.go(message.blobs);
        return;
      case "more":
        gate?.more();
        return;
      case "stop":
        gate?.stop();
        return;
    }
  }

  async #answer(call: Call): Promise<void> {
    const { id } = call;
    try {
      const value = await this.#performAndWipe(call);
      this.#send({ kind: "done", id, value, ...this.#counted() });
      wipeSecrets([value]);
    } catch (error) {
      this.#send({ kind: "failed", id, error: failureOf(error), ...this.#counted() });
    }
  }

  // Before the answer leaves: whoever has it may rely on the PIN being gone from here.
  async #performAndWipe(call: Call): Promise<unknown> {
    try {
      return await this.#perform(call);
    } finally {
      wipeSecrets(call.args);
    }
  }

  #perform(call: Call): Promise<unknown> {
    const { name } = call;
    if (name === "wrapAll" || name === "unwrapAll") return this.#stream(call, name);
    if (call.session === 0) return this.#ofModule(name as ModuleCall, call.args);
    return this.#ofSession(call, name as SessionCall);
  }

  async #ofModule(name: ModuleCall, args: readonly unknown[]): Promise<unknown> {
    const hsm = this.#hsm;
    const [module, first, second, third] = args as [ModuleBinding, string, string, Secret];
    switch (name) {
      case "start":
        return this.#lock();
      case "tokens":
        return hsm.tokens(module);
      case "find":
        return hsm.find(module, first, second);
      case "initialize": {
        const [, label, soPin, userPin] = args as [ModuleBinding, string, Secret, Secret];
        return hsm.initialize(module, label, soPin, userPin);
      }
      case "completeInitialization": {
        const [, serial, label, soPin, userPin] = args as [
          ModuleBinding,
          string,
          string,
          Secret,
          Secret,
        ];
        return hsm.completeInitialization(module, serial, label, soPin, userPin);
      }
      case "wipe":
        return hsm.wipe(module, first, second, third);
      case "login": {
        const session = await hsm.login(module, first, second, third);
        this.#numbered += 1;
        this.#sessions.set(this.#numbered, session);
        return { session: this.#numbered, info: session.info };
      }
      case "publicObjects":
        return hsm.publicObjects(module, first, second);
      case "publicKeys":
        return hsm.publicKeys(module, first, second);
      case "close":
        return hsm.close();
    }
  }

  async #ofSession({ session: number, args }: Call, name: SessionCall): Promise<unknown> {
    if (!SESSION_CALLS.includes(name)) throw new Error(`there is no call ${name}`);
    const session = this.#session(number);
    if (name === "logout") this.#sessions.delete(number);
    type Loose = Record<SessionCall, (...args: readonly unknown[]) => Promise<unknown>>;
    return (session as unknown as Loose)[name](...args);
  }

  #session(number: number): Session {
    const session = this.#sessions.get(number);
    if (session !== undefined) return session;
    throw new KeyriteError("internal.bug", "a session was used after logout");
  }

  async #stream({ id, session, args }: Call, name: "wrapAll" | "unwrapAll"): Promise<void> {
    const gate = new StreamGate();
    this.#gates.set(id, gate);
    try {
      const groups =
        name === "wrapAll"
          ? this.#session(session).wrapAll(...(args as [KekName, KeyName[], WireFormat[]?]))
          : this.#unwrap(id, gate, this.#session(session), args);
      for await (const items of groups) {
        this.#send({ kind: "group", id, items });
        await gate.taken(name === "wrapAll" ? 2 : 1);
      }
    } finally {
      this.#gates.delete(id);
    }
  }

  // A wrapped key comes when its group may begin, and goes when the group has been taken.
  #unwrap(
    id: number,
    gate: StreamGate,
    session: Session,
    args: readonly unknown[],
  ): ReturnType<Session["unwrapAll"]> {
    const [kek, names, options] = args as [KekName, Omit<UnwrapItem, "blob">[], UnwrapOptions];
    const items = names.map((name) => ({ ...name, blob: NOTHING }));
    let at = 0;
    return session.unwrapAll(kek, items, {
      ...options,
      before: async (group) => {
        this.#send({ kind: "wants", id, count: group.length });
        const blobs = await gate.leave();
        for (const [index, blob] of blobs.entries()) {
          const item = items[at + index];
          if (item !== undefined) item.blob = blob;
        }
        at += group.length;
      },
    });
  }

  #counted(): Pick<Extract<Answer, { kind: "done" }>, "metered" | "calls"> {
    const { logins, milliseconds } = this.#hsm.counters;
    return { metered: [logins, milliseconds], calls: this.#hsm.journal() };
  }

  #send(answer: Answer): void {
    this.#pipe.send(answer as unknown as Crossing);
  }
}

function wipeSecrets(values: readonly unknown[]): void {
  for (const value of values) if (value instanceof Secret) value.wipe();
}

const NOTHING: Uint8Array = new Uint8Array(0);
