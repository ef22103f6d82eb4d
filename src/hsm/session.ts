/** A logged-in session: one operation at a time, no handle kept between operations that differ. */

import { KeyriteError } from "../lib/errors.ts";
import type { Random } from "../lib/clock.ts";
import type { Secret } from "../lib/secret.ts";
import type * as backup from "./backup.ts";
import { unwrapAll, wrapAll, type BatchMeans } from "./batches.ts";
import { listObjects } from "./inventory.ts";
import {
  destroyKek,
  establishKek,
  exportedKek,
  importKek,
  loadKek,
  openKek,
  type KekMeans,
} from "./kek.ts";
import { generateKeyPair } from "./keys.ts";
import { lint } from "./lint.ts";
import { listKeys, type Context } from "./objects.ts";
import { byId, type ListedById } from "./match.ts";
import type { ModuleProfile } from "./profiles.ts";
import type { Handle } from "./raw.ts";
import { resealKek } from "./reseal.ts";
import { destroyKeys, destroyRemnants, lockKeys } from "./retire.ts";
import { sign } from "./sign.ts";
import { settleStorage } from "./storage.ts";
import type {
  GeneratedKey,
  GenerateRequest,
  KeyInfo,
  Session,
  SignRequest,
  TokenInfo,
} from "./token.ts";
import { openableHashes, ownTransport, transportKey } from "./transport.ts";
import { probeFormats, type Formats } from "./wire-formats.ts";

/** What a session is made of. */
export interface SessionParts {
  readonly context: Context;
  readonly slot: Handle;
  readonly info: TokenInfo;
  readonly profile: ModuleProfile;
  readonly tokenDir: string | undefined;
  readonly random: Random;
  /** Told once, when the session has ended. */
  readonly ended: () => void;
}

export class Pkcs11Session implements Session {
  readonly info: TokenInfo;
  readonly #parts: SessionParts;
  readonly #nonces = new Map<string, string>();
  readonly #batch: BatchMeans;
  #last: Promise<unknown> = Promise.resolve();
  #open = true;
  #formats: Promise<Formats> | undefined;
  /** What the group before of keys that are locked was found in; any other operation drops it. */
  #listed: ListedById | undefined;

  constructor(parts: SessionParts) {
    this.info = parts.info;
    this.#parts = parts;
    this.#batch = {
      slot: parts.slot,
      next: (work) => this.#next(work),
      means: () => this.#next((context) => this.#means(context)),
    };
  }

  keys(): Promise<readonly KeyInfo[]> {
    return this.#next((context) => listKeys(context));
  }

  generateKeyPair(request: GenerateRequest): Promise<GeneratedKey> {
    return this.#next((context) => {
      this.#refuseUnsupported(request);
      const { profile, random } = this.#parts;
      const formats = (): Promise<Formats> => this.#probed(context);
      return generateKeyPair(context, request, { profile, random, nonces: this.#nonces, formats });
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

  oaepHashes(transport: backup.KeyName): Promise<readonly backup.OaepHash[]> {
    return this.#next(async (context) => {
      const key = transportKey(transport.spki);
      const { random, formats } = await this.#means(context);
      const object = ownTransport(context, transport);
      return openableHashes(context, object, key, { random, check: formats.check });
    });
  }

  wireFormats(): Promise<{
    readonly wraps: readonly backup.WireFormat[];
    readonly unwraps: readonly backup.WireFormat[];
  }> {
    return this.#next(async (context) => {
      const { wraps, unwraps } = await this.#probed(context);
      return { wraps: [...wraps.keys()], unwraps: [...unwraps.keys()] };
    });
  }

  establishKek(request: backup.EstablishKek): Promise<backup.EstablishedKek> {
    return this.#withMeans((context, means) => establishKek(context, request, means));
  }

  loadKek(request: backup.LoadKek): Promise<backup.Kek> {
    return this.#withMeans((context, means) => loadKek(context, request, means));
  }

  resealKek(request: backup.ResealKek): Promise<backup.Envelope> {
    return this.#withMeans((context, means) => resealKek(context, request, means.formats));
  }

  importKek(value: Secret, request: backup.ImportKek): Promise<backup.Kek> {
    return this.#withMeans((context, means) => importKek(context, value, request, means));
  }

  exportedKek(): Promise<Secret> {
    return this.#next((context) => exportedKek(context));
  }

  inspectKek(kek: backup.KekName): Promise<backup.Kek> {
    return this.#withMeans((context, means) => openKek(context, kek, means).kek);
  }

  destroyKek(kek: backup.KekName): Promise<void> {
    return this.#withMeans((context, means) => {
      destroyKek(context, kek, means);
    });
  }

  wrapAll(
    kek: backup.KekName,
    keys: readonly backup.KeyName[],
    formats?: readonly backup.WireFormat[],
  ): AsyncIterable<readonly backup.WrappedKey[]> {
    return wrapAll(this.#batch, kek, keys, formats);
  }

  unwrapAll(
    kek: backup.KekName,
    items: readonly backup.UnwrapItem[],
    options: backup.UnwrapOptions,
  ): AsyncIterable<readonly backup.UnwrapOutcome[]> {
    return unwrapAll(this.#batch, kek, items, options);
  }

  inventory(): Promise<readonly backup.InventoryObject[]> {
    return this.#next((context) =>
      listObjects(context).map(
        ({ objectClass, label, ckaId, keyType, onToken, spkiSha256, extractable }) => ({
          ...{ objectClass, label, ckaId, keyType, onToken, spkiSha256, extractable },
        }),
      ),
    );
  }

  lockKeys(keys: readonly backup.KeyName[]): Promise<readonly backup.LockedKey[]> {
    const listed = this.#listed;
    return this.#withMeans(async (context, means) => {
      const objects = listed ?? byId(listObjects(context));
      const locked = await lockKeys(context, keys, { ...means, objects });
      this.#listed = objects;
      return locked;
    });
  }

  destroyKeys(keys: readonly backup.DoomedKey[]): Promise<number> {
    return this.#next((context) => destroyKeys(context, keys, this.#parts.random));
  }

  destroyRemnants(ckaId: string): Promise<number> {
    return this.#next((context) => destroyRemnants(context, ckaId));
  }

  lintObjects(knowledge: backup.LintKnowledge = {}): Promise<readonly backup.LintFinding[]> {
    return this.#next((context) => lint(listKeys(context, knowledge.classes), knowledge));
  }

  async settleStorage(): Promise<void> {
    const { tokenDir } = this.#parts;
    if (tokenDir !== undefined) await settleStorage(tokenDir);
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

  #withMeans<T>(work: (context: Context, means: KekMeans) => T | Promise<T>): Promise<T> {
    return this.#next(async (context) => work(context, await this.#means(context)));
  }

  async #means(context: Context): Promise<KekMeans> {
    const { profile, random } = this.#parts;
    return { profile, random, formats: await this.#probed(context) };
  }

  // Found out once: a token does not change what it wraps while it is open.
  #probed(context: Context): Promise<Formats> {
    const { slot, profile, random } = this.#parts;
    const mechanisms = context.module.mechanisms(slot);
    const { algorithms } = this.info;
    const probing = (this.#formats ??= probeFormats(context, {
      mechanisms,
      algorithms,
      profile,
      random,
    }));
    probing.catch(() => (this.#formats = undefined));
    return probing;
  }

  // A PKCS#11 session holds one operation: the next waits until the one before has ended.
  async #next<T>(work: (context: Context) => T | Promise<T>): Promise<T> {
    this.#listed = undefined;
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
