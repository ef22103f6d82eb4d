/** An open session whose token is in another process. */

import type { Secret } from "../../lib/secret.ts";
import type * as backup from "../backup.ts";
import type {
  GeneratedKey,
  GenerateRequest,
  KeyInfo,
  Session,
  SignRequest,
  TokenInfo,
} from "../token.ts";
import { keyForm } from "../recorded-key.ts";
import { exactAttributes } from "../restore-templates.ts";
import type { Call, HostProcess } from "./process.ts";
import type { SessionCall } from "./protocol.ts";

export class HostedSession implements Session {
  readonly info: TokenInfo;
  readonly #host: HostProcess;
  readonly #number: number;
  #open = true;

  /** @param number what the other process calls the session. */
  constructor(host: HostProcess, number: number, info: TokenInfo) {
    this.#host = host;
    this.#number = number;
    this.info = info;
  }

  keys(): Promise<readonly KeyInfo[]> {
    return this.#call("keys");
  }

  generateKeyPair(request: GenerateRequest): Promise<GeneratedKey> {
    return this.#call("generateKeyPair", request);
  }

  signAll(requests: readonly SignRequest[]): Promise<readonly Uint8Array[]> {
    return this.#call("signAll", requests);
  }

  oaepHashes(transport: backup.KeyName): Promise<readonly backup.OaepHash[]> {
    return this.#call("oaepHashes", transport);
  }

  wireFormats(): ReturnType<Session["wireFormats"]> {
    return this.#call("wireFormats");
  }

  establishKek(request: backup.EstablishKek): Promise<backup.EstablishedKek> {
    return this.#call("establishKek", request);
  }

  loadKek(request: backup.LoadKek): Promise<backup.Kek> {
    return this.#call("loadKek", request);
  }

  resealKek(request: backup.ResealKek): Promise<backup.Envelope> {
    return this.#call("resealKek", request);
  }

  importKek(value: Secret, request: backup.ImportKek): Promise<backup.Kek> {
    return this.#call("importKek", value, request);
  }

  exportedKek(): Promise<Secret> {
    return this.#call("exportedKek");
  }

  inspectKek(kek: backup.KekName): Promise<backup.Kek> {
    return this.#call("inspectKek", kek);
  }

  destroyKek(kek: backup.KekName): Promise<void> {
    return this.#call("destroyKek", kek);
  }

  inventory(): Promise<readonly backup.InventoryObject[]> {
    return this.#call("inventory");
  }

  lockKeys(keys: readonly backup.KeyName[]): Promise<readonly backup.LockedKey[]> {
    return this.#call("lockKeys", keys);
  }

  destroyKeys(keys: readonly backup.DoomedKey[]): Promise<number> {
    return this.#call("destroyKeys", keys);
  }

  destroyRemnants(ckaId: string): Promise<number> {
    return this.#call("destroyRemnants", ckaId);
  }

  lintObjects(knowledge?: backup.LintKnowledge): Promise<readonly backup.LintFinding[]> {
    return this.#call("lintObjects", knowledge ?? {});
  }

  settleStorage(): Promise<void> {
    return this.#call("settleStorage");
  }

  async logout(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#call("logout");
  }

  async *wrapAll(
    kek: backup.KekName,
    keys: readonly backup.KeyName[],
    formats?: readonly backup.WireFormat[],
  ): AsyncGenerator<readonly backup.WrappedKey[]> {
    const names = keys.map(({ spki, ckaId }) => ({ spki, ckaId }));
    const args = formats === undefined ? [kek, names] : [kek, names, formats];
    const stream = this.#host.stream(this.#asked("wrapAll", args));
    try {
      for (;;) {
        const event = await stream.next();
        if (event.kind !== "group") return;
        yield event.items as readonly backup.WrappedKey[];
        stream.more();
      }
    } finally {
      await stream.stop();
    }
  }

  async *unwrapAll(
    kek: backup.KekName,
    items: readonly backup.UnwrapItem[],
    { before, ...options }: backup.UnwrapOptions,
  ): AsyncGenerator<readonly backup.UnwrapOutcome[]> {
    const names = items.map(({ spki, ckaId, label, algorithm, format }) => {
      return { spki, ckaId, label, algorithm, format };
    });
    const brief = { ...options, brief: true };
    const stream = this.#host.stream(this.#asked("unwrapAll", [kek, names, brief]));
    let [at, ended] = [0, 0];
    try {
      for (;;) {
        const event = await stream.next();
        switch (event.kind) {
          case "over":
            return;
          case "wants": {
            const group = items.slice(at, at + event.count);
            at += group.length;
            await before?.(group);
            stream.go(group.map(({ blob }) => blob));
            break;
          }
          case "group": {
            const outcomes = event.items as readonly backup.UnwrapOutcome[];
            const group = items.slice(ended, ended + outcomes.length);
            ended += group.length;
            yield outcomes.map((one, index) => whole(one, group[index], options.as));
            stream.more();
          }
        }
      }
    } finally {
      await stream.stop();
    }
  }

  async #call<K extends SessionCall>(
    name: K,
    ...args: Parameters<Session[K]>
  ): Promise<Awaited<ReturnType<Session[K]>>> {
    const answer = await this.#host.call(this.#asked(name, args));
    return answer as Awaited<ReturnType<Session[K]>>;
  }

  #asked(name: Call["name"], args: readonly unknown[]): Call {
    return { name, session: this.#number, args, token: this.info.label };
  }
}

/** An outcome with its attributes, which are derived when somebody asks for them. */
function whole(
  one: backup.UnwrapOutcome,
  item: backup.UnwrapItem | undefined,
  as: backup.UnwrapOptions["as"],
): backup.UnwrapOutcome {
  if (one.status !== "ok" || one.exact === undefined || item === undefined) return one;
  const { exact, ...rest } = one;
  let derived: ReturnType<typeof exactAttributes> | undefined;
  const attributes = (): ReturnType<typeof exactAttributes> =>
    (derived ??= exactAttributes(exact, keyForm(item.spki, item.algorithm), as === "token"));
  return {
    ...rest,
    get privateAttributes() {
      return attributes().privateKey;
    },
    get publicAttributes() {
      return attributes().publicKey;
    },
  };
}
