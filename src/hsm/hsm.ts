/** All HSMs of the process behind one door: finding, initialising, and logging in to tokens. */

import { KeyriteError } from "../lib/errors.ts";
import type { Random } from "../lib/clock.ts";
import type { Secret } from "../lib/secret.ts";
import { Meter, type CallWatch } from "./meter.ts";
import type { JournalRow } from "./journal.ts";
import { readModuleFile } from "./module-file.ts";
import { listObjects } from "./inventory.ts";
import { listKeys, type Context } from "./objects.ts";
import { loadModule } from "./pkcs11.ts";
import type { Handle, UserType } from "./raw.ts";
import { Registry, type LoadModule, type OpenModule } from "./registry.ts";
import { Pkcs11Session } from "./session.ts";
import type { SetEnvironment } from "./token-directory.ts";
import { listTokens, locate, paddedLabel, type LocatedToken } from "./tokens.ts";
import type {
  Hsm,
  HsmCounters,
  KeyInfo,
  ModuleBinding,
  PublicKeyOnToken,
  Session,
  TokenInfo,
  WipedToken,
} from "./token.ts";
import { refuseLockedOfficer, refuseLogin } from "./pin-state.ts";
import { refuseLabelTaken, refusePinLength, refuseSwapped } from "./refuse-login.ts";
import { wipe } from "./wipe.ts";

/** What the HSM layer may touch of the process. */
export interface HsmCapabilities {
  readonly setEnvironment: SetEnvironment;
  readonly random: Random;
  /** Milliseconds of a clock that never goes back. */
  readonly monotonic: () => number;
  /** Told of every PKCS#11 call, where somebody waits for signs of life. */
  readonly watch?: CallWatch;
  /** Other than the real one only where a test stands between us and the module. */
  readonly load?: LoadModule;
}

/** The HSMs of this process through PKCS#11. */
export function createHsm(capabilities: HsmCapabilities): Hsm {
  return new Pkcs11Hsm(capabilities);
}

class Pkcs11Hsm implements Hsm {
  readonly #meter: Meter;
  readonly #registry: Registry;
  readonly #random: Random;
  readonly #sessions = new Set<Session>();

  constructor({ setEnvironment, random, monotonic, watch, load = loadModule }: HsmCapabilities) {
    this.#meter = new Meter(monotonic, watch);
    this.#registry = new Registry(setEnvironment, load, this.#meter);
    this.#random = random;
  }

  get counters(): HsmCounters {
    return { logins: this.#meter.logins, milliseconds: Math.round(this.#meter.milliseconds) };
  }

  journal(): readonly JournalRow[] {
    return this.#meter.journal.take();
  }

  async moduleDigest(binding: ModuleBinding): Promise<string> {
    return (await readModuleFile(binding.path)).digest;
  }

  async tokens(binding: ModuleBinding): Promise<readonly TokenInfo[]> {
    const module = await this.#registry.module(binding);
    return listTokens(module).map(({ info }) => info);
  }

  async find(binding: ModuleBinding, serial: string, label: string): Promise<TokenInfo> {
    return locate(await this.#registry.module(binding), serial, label).info;
  }

  async initialize(
    binding: ModuleBinding,
    label: string,
    soPin: Secret,
    userPin: Secret,
  ): Promise<TokenInfo> {
    const module = await this.#registry.module(binding);
    const padded = paddedLabel(label);
    const blank = locate(module, "blank", label);
    refuseLabelTaken(module, label);
    for (const pin of [soPin, userPin]) refusePinLength(blank.info, pin);
    const token = this.#initializeToken(module, blank, padded, soPin);
    this.#setUserPin(module, token, soPin, userPin);
    return this.#proveUserPin(binding, token.info, userPin);
  }

  async completeInitialization(
    binding: ModuleBinding,
    serial: string,
    label: string,
    soPin: Secret,
    userPin: Secret,
  ): Promise<TokenInfo> {
    const module = await this.#registry.module(binding);
    const token = locate(module, serial, label);
    if (!token.info.userPinSet) {
      refuseLockedOfficer(token.info);
      this.#setUserPin(module, token, soPin, userPin);
    }
    return this.#proveUserPin(binding, token.info, userPin);
  }

  // A fresh session proves that the PIN is the one that is sealed and shared.
  async #proveUserPin(
    binding: ModuleBinding,
    { serial, label }: TokenInfo,
    userPin: Secret,
  ): Promise<TokenInfo> {
    const proved = await this.login(binding, serial, label, userPin);
    await proved.logout();
    return locate(await this.#registry.module(binding), serial, label).info;
  }

  async wipe(
    binding: ModuleBinding,
    serial: string,
    label: string,
    soPin: Secret,
  ): Promise<WipedToken> {
    const module = await this.#registry.module(binding);
    return wipe(module, locate(module, serial, label), soPin, {
      random: this.#random,
      login: (session, user, pin) => {
        this.#loginOnce(module, session, user, pin);
      },
    });
  }

  async login(
    binding: ModuleBinding,
    serial: string,
    label: string,
    pin: Secret,
  ): Promise<Session> {
    const module = await this.#registry.module(binding);
    const { slot, info } = locate(module, serial, label);
    refuseLogin(info);
    refusePinLength(info, pin);
    const session = module.raw.openSession(slot, "read-write");
    try {
      refuseSwapped(module, slot, info);
      this.#loginOnce(module, session, "user", pin);
    } catch (error) {
      closeQuietly(module, session);
      throw error;
    }
    const opened: Session = new Pkcs11Session({
      context: { module: module.raw, session },
      slot,
      info,
      profile: module.profile,
      tokenDir: module.tokenDir,
      random: this.#random,
      ended: () => this.#sessions.delete(opened),
    });
    this.#sessions.add(opened);
    return opened;
  }

  publicObjects(
    binding: ModuleBinding,
    serial: string,
    label: string,
  ): Promise<readonly KeyInfo[]> {
    // Another session's login opens private objects to this one too: only public ones are told.
    return this.#looking(binding, serial, label, (context) =>
      listKeys(context).filter((key) => key.attributes["CKA_PRIVATE"] === false),
    );
  }

  publicKeys(
    binding: ModuleBinding,
    serial: string,
    label: string,
  ): Promise<readonly PublicKeyOnToken[]> {
    return this.#looking(binding, serial, label, (context) =>
      listObjects(context).flatMap(({ objectClass, onToken, spkiSha256, ckaId }) =>
        objectClass === "public" && onToken && spkiSha256 !== undefined
          ? [{ spkiSha256, ckaId }]
          : [],
      ),
    );
  }

  /** Looks at a token in a session of its own, which sees what needs no login. */
  async #looking<T>(
    binding: ModuleBinding,
    serial: string,
    label: string,
    look: (context: Context) => T,
  ): Promise<T> {
    const module = await this.#registry.module(binding);
    const { slot } = locate(module, serial, label);
    const session = module.raw.openSession(slot, "read-only");
    try {
      return look({ module: module.raw, session });
    } finally {
      closeQuietly(module, session);
    }
  }

  async close(): Promise<void> {
    for (const session of this.#sessions) await session.logout().catch(() => undefined);
    await this.#registry.close();
  }

  #initializeToken(
    module: OpenModule,
    blank: LocatedToken,
    label: Uint8Array,
    soPin: Secret,
  ): LocatedToken {
    if (module.profile.initialization === "blank-officer") return blank;
    const before = new Set(listTokens(module).map(identity));
    module.raw.initToken(blank.slot, soPin, label);
    // The serial changes here on some modules, and slots may: what is new now is the token.
    const fresh = listTokens(module).filter(
      (token) => token.info.initialized && !before.has(identity(token)),
    );
    const [token] = fresh;
    if (token !== undefined && fresh.length === 1) return token;
    throw new KeyriteError(
      "hsm.bad-output",
      `after C_InitToken ${fresh.length} tokens are new, not one`,
      { hints: ["list the tokens with `keyrite hsm list` and compare serials"] },
    );
  }

  #setUserPin(module: OpenModule, token: LocatedToken, soPin: Secret, userPin: Secret): void {
    const { raw, profile } = module;
    const session = raw.openSession(token.slot, "read-write");
    try {
      const officer = profile.initialization === "blank-officer" ? undefined : soPin;
      this.#loginOnce(module, session, "security-officer", officer);
      raw.initPin(session, userPin);
      raw.logout(session);
    } finally {
      // Also ends the officer's login when a call failed.
      closeQuietly(module, session);
    }
  }

  #loginOnce(module: OpenModule, session: Handle, user: UserType, pin: Secret | undefined): void {
    this.#meter.countLogin();
    module.raw.login(session, user, pin);
  }
}

function identity({ info }: LocatedToken): string {
  return JSON.stringify([info.initialized, info.serial, info.label]);
}

function closeQuietly(module: OpenModule, session: Handle): void {
  try {
    module.raw.closeSession(session);
  } catch {
    // The session is gone either way; the error before this one is what people must see.
  }
}
