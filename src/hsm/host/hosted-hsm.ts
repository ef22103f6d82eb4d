/**
 * All modules, each in a process of its own: one that crashes or hangs takes nothing of Keyrite with it,
 * and what it keeps in memory is not ours.
 */

import type { Secret } from "../../lib/secret.ts";
import { addRows, type JournalRow } from "../journal.ts";
import { readModuleFile, requireAgreed } from "../module-file.ts";
import type {
  Hsm,
  HsmCounters,
  KeyInfo,
  ModuleBinding,
  PublicKeyOnToken,
  Session,
  TokenInfo,
  WipedToken,
} from "../token.ts";
import { HostedSession } from "./hosted-session.ts";
import type { HostLaunch } from "./launch.ts";
import { HostProcess } from "./process.ts";
import type { ModuleCall } from "./protocol.ts";

/** Modules in processes that are started when they are first needed. */
export function hostedHsm(launch: HostLaunch): Hsm {
  return new HostedHsm(launch);
}

class HostedHsm implements Hsm {
  readonly #launch: HostLaunch;
  /** By the path of the module. */
  readonly #hosts = new Map<string, Promise<HostProcess>>();
  /** What processes that are gone have counted. */
  readonly #before = { logins: 0, milliseconds: 0 };
  readonly #alive = new Set<HostProcess>();
  /** Calls of processes that are gone. */
  #calls: readonly JournalRow[] = [];

  constructor(launch: HostLaunch) {
    this.#launch = launch;
  }

  get counters(): HsmCounters {
    let { logins, milliseconds } = this.#before;
    for (const { metered } of this.#alive) {
      logins += metered[0];
      milliseconds += metered[1];
    }
    return { logins, milliseconds };
  }

  journal(): readonly JournalRow[] {
    const calls = addRows(this.#calls, ...[...this.#alive].map((host) => host.journal()));
    this.#calls = [];
    return calls;
  }

  // A file is read for that, and nothing of it executed.
  async moduleDigest(module: ModuleBinding): Promise<string> {
    return (await readModuleFile(module.path)).digest;
  }

  tokens(module: ModuleBinding): Promise<readonly TokenInfo[]> {
    return this.#call("tokens", undefined, module) as Promise<readonly TokenInfo[]>;
  }

  find(module: ModuleBinding, serial: string, label: string): Promise<TokenInfo> {
    return this.#call("find", label, module, serial, label) as Promise<TokenInfo>;
  }

  initialize(
    module: ModuleBinding,
    label: string,
    soPin: Secret,
    userPin: Secret,
  ): Promise<TokenInfo> {
    return this.#call("initialize", label, module, label, soPin, userPin) as Promise<TokenInfo>;
  }

  completeInitialization(
    module: ModuleBinding,
    ...rest: [serial: string, label: string, soPin: Secret, userPin: Secret]
  ): Promise<TokenInfo> {
    return this.#call("completeInitialization", rest[1], module, ...rest) as Promise<TokenInfo>;
  }

  wipe(module: ModuleBinding, serial: string, label: string, soPin: Secret): Promise<WipedToken> {
    return this.#call("wipe", label, module, serial, label, soPin) as Promise<WipedToken>;
  }

  async login(module: ModuleBinding, serial: string, label: string, pin: Secret): Promise<Session> {
    const host = await this.#host(module);
    const args = [bare(module), serial, label, pin];
    const answer = await host.call({ name: "login", session: 0, args, token: label });
    const { session, info } = answer as { readonly session: number; readonly info: TokenInfo };
    return new HostedSession(host, session, info);
  }

  publicObjects(module: ModuleBinding, serial: string, label: string): Promise<readonly KeyInfo[]> {
    return this.#call("publicObjects", label, module, serial, label) as Promise<readonly KeyInfo[]>;
  }

  publicKeys(
    module: ModuleBinding,
    serial: string,
    label: string,
  ): Promise<readonly PublicKeyOnToken[]> {
    return this.#call("publicKeys", label, module, serial, label) as Promise<
      readonly PublicKeyOnToken[]
    >;
  }

  /** Ends every process. The first failure is thrown after all were tried. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const starting of this.#hosts.values()) {
      try {
        await (await starting).close();
      } catch (error) {
        failures.push(error);
      }
    }
    this.#hosts.clear();
    if (failures.length > 0) throw failures[0];
  }

  async #call(
    name: ModuleCall,
    token: string | undefined,
    module: ModuleBinding,
    ...rest: readonly unknown[]
  ) {
    const host = await this.#host(module);
    const about = token === undefined ? {} : { token };
    return host.call({ name, session: 0, args: [bare(module), ...rest], ...about });
  }

  // Judged here before a process is made for it: what is no module of ours is not started.
  async #host(module: ModuleBinding): Promise<HostProcess> {
    const file = await readModuleFile(module.path);
    requireAgreed(module, file);
    const { path } = file;
    const present = await this.#hosts.get(path)?.catch(() => undefined);
    if (present !== undefined && present.failure === undefined) return present;
    if (present !== undefined) this.#bury(present);
    const starting = this.#start(module);
    this.#hosts.set(path, starting);
    starting.catch(() => this.#hosts.delete(path));
    return starting;
  }

  async #start(module: ModuleBinding): Promise<HostProcess> {
    // Loaded when a module is first needed: commands that look at files only do without.
    const { socketPair } = await import("../../lib/system-calls.ts");
    const host = new HostProcess(module, this.#launch, socketPair());
    this.#alive.add(host);
    try {
      await host.call({ name: "start", session: 0, args: [] });
      return host;
    } catch (error) {
      await host.close().catch(() => undefined);
      throw error;
    }
  }

  #bury(host: HostProcess): void {
    this.#alive.delete(host);
    this.#calls = addRows(this.#calls, host.journal());
    this.#before.logins += host.metered[0];
    this.#before.milliseconds += host.metered[1];
  }
}

// What the other process needs of a binding; its environment it has already.
function bare({ name, profile, path, digest, tokenDir }: ModuleBinding): ModuleBinding {
  return {
    ...{ name, profile, path },
    ...(digest === undefined ? {} : { digest }),
    ...(tokenDir === undefined ? {} : { tokenDir }),
  };
}
