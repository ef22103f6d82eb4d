/** A logged-in session: one operation at a time, no handle kept between operations. */

import { KeyriteError } from "../lib/errors.ts";
import type { Random } from "../lib/clock.ts";
import { generateKeyPair } from "./keys.ts";
import { listKeys, type Context } from "./objects.ts";
import type { ModuleProfile } from "./profiles.ts";
import { sign } from "./sign.ts";
import type {
  GeneratedKey,
  GenerateRequest,
  KeyInfo,
  Session,
  SignRequest,
  TokenInfo,
} from "./token.ts";

/** What a session is made of. */
export interface SessionParts {
  readonly context: Context;
  readonly info: TokenInfo;
  readonly profile: ModuleProfile;
  readonly random: Random;
  /** Told once, when the session has ended. */
  readonly ended: () => void;
}

export class Pkcs11Session implements Session {
  readonly info: TokenInfo;
  readonly #parts: SessionParts;
  readonly #nonces = new Map<string, string>();
  #last: Promise<unknown> = Promise.resolve();
  #open = true;

  constructor(parts: SessionParts) {
    this.info = parts.info;
    this.#parts = parts;
  }

  keys(): Promise<readonly KeyInfo[]> {
    return this.#next((context) => listKeys(context));
  }

  generateKeyPair(request: GenerateRequest): Promise<GeneratedKey> {
    return this.#next((context) => {
      this.#refuseUnsupported(request);
      const { profile, random } = this.#parts;
      return generateKeyPair(context, request, { profile, random, nonces: this.#nonces });
    });
  }

  signAll(requests: readonly SignRequest[]): Promise<readonly Uint8Array[]> {
    return this.#next(async (context) => {
      const signatures: Uint8Array[] = [];
      for (const request of requests) {
        signatures.push(await sign(context, request, this.#nonces));
      }
      return signatures;
    });
  }

  async logout(): Promise<void> {
    if (!this.#open) return;
    await this.#next(({ module, session }) => {
      this.#open = false;
      try {
        module.logout(session);
      } finally {
        this.#parts.ended();
        module.closeSession(session);
      }
    });
  }

  #refuseUnsupported(request: GenerateRequest): void {
    if (this.info.algorithms.includes(request.algorithm)) return;
    throw new KeyriteError(
      "hsm.not-supported",
      `token ${this.info.label} does not make ${request.algorithm} keys`,
      { hints: [`it makes ${this.info.algorithms.join(", ") || "none that we know"}`] },
    );
  }

  // A PKCS#11 session holds one operation: the next waits until the one before has ended.
  async #next<T>(work: (context: Context) => T | Promise<T>): Promise<T> {
    const before = this.#last;
    const run = async (): Promise<T> => {
      await before.catch(() => undefined);
      if (!this.#open) throw new KeyriteError("internal.bug", "a session was used after logout");
      return work(this.#parts.context);
    };
    const now = run();
    this.#last = now.catch(() => undefined);
    return now;
  }
}
