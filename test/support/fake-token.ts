/** The token of the fake module: its PINs, its one login state, its sessions. */

import { ckrError } from "../../src/hsm/ckr.ts";
import { ALGORITHMS, type AlgorithmFacts } from "../../src/hsm/algorithms.ts";
import { TOKEN_FLAG } from "../../src/hsm/constants.ts";
import type { Handle, RawModule, UserType } from "../../src/hsm/raw.ts";
import { fromUtf8, hex } from "../../src/lib/encoding.ts";
import type { Secret } from "../../src/lib/secret.ts";
import type { FakeKeyPair, NonceSource } from "./fake-keys.ts";
import { FakeObjects } from "./fake-objects.ts";
import { WRAP_MECHANISMS } from "./fake-wrapping.ts";

export interface FakeOptions {
  /** FAKE0001 when absent. */
  readonly serial?: string;
  /** Flags that the token shows besides the honest ones. */
  readonly flags?: number;
  readonly nonces?: NonceSource;
  /** Hands out key pairs instead of making them, e.g. always the same. */
  readonly keyPairs?: (facts: AlgorithmFacts) => FakeKeyPair | undefined;
  /** What becomes of CKA_UNWRAP_TEMPLATE; obeyed when absent. */
  readonly unwrapTemplate?: "refused" | "ignored";
  /** True for a module that wraps what is not extractable; or the mechanisms by which it does. */
  readonly wrapsAnything?: boolean | readonly number[];
  /** True for a module that wraps no private key. */
  readonly keepsPrivateKeys?: boolean;
  /** Mechanisms that it lacks. */
  readonly lacks?: readonly number[];
}

const SLOT = 7n;
const MAX_PIN = 64;
const MIN_PIN = 4;

export class FakeToken {
  protected readonly options: FakeOptions;
  protected readonly objects = new FakeObjects();
  /** Sessions with a signature under way: they take no other operation. */
  protected readonly busy = new Set<Handle>();
  readonly #sessions = new Set<Handle>();
  #running = false;
  #label: string | undefined;
  #soPin = "";
  #userPin: string | undefined;
  #user: UserType | undefined;
  #wrongPins = 0;

  constructor(options: FakeOptions) {
    this.options = options;
  }

  /** Whether the user is logged in, and so sees private objects. */
  protected get loggedIn(): boolean {
    return this.#user === "user";
  }

  initialize(): void {
    if (this.#running) throw ckrError("C_Initialize", 0x191);
    this.#running = true;
  }

  finalize(): void {
    this.#running = false;
    this.#user = undefined;
    this.#sessions.clear();
  }

  slots(): readonly Handle[] {
    if (!this.#running) throw ckrError("C_GetSlotList", 0x190);
    return [SLOT];
  }

  tokenInfo(slot: Handle): ReturnType<RawModule["tokenInfo"]> {
    if (slot !== SLOT) throw ckrError("C_GetTokenInfo", 0x03);
    const initialized = this.#label !== undefined;
    return {
      label: this.#label ?? "",
      serial: initialized ? (this.options.serial ?? "FAKE0001") : "",
      manufacturer: "Keyrite tests",
      model: "fake",
      firmware: "1.0",
      hardware: "1.0",
      flags:
        (initialized ? TOKEN_FLAG.TOKEN_INITIALIZED : 0) |
        (this.#userPin === undefined ? 0 : TOKEN_FLAG.USER_PIN_INITIALIZED) |
        (this.#wrongPins > 0 ? 0x1_0000 : 0) |
        (this.options.flags ?? 0),
      minPinLength: MIN_PIN,
      maxPinLength: MAX_PIN,
    };
  }

  mechanisms(): readonly number[] {
    const all = Object.values(ALGORITHMS).flatMap(({ generate, sign }) => [generate, sign]);
    return [...all, ...WRAP_MECHANISMS].filter((one) => this.options.lacks?.includes(one) !== true);
  }

  keySizes(): { readonly min: number; readonly max: number } {
    return { min: 112, max: 8192 };
  }

  openSession(slot: Handle): Handle {
    if (slot !== SLOT) throw ckrError("C_OpenSession", 0x03);
    if (this.#label === undefined) throw ckrError("C_OpenSession", 0xe1);
    const session = this.objects.fresh();
    this.#sessions.add(session);
    return session;
  }

  closeSession(session: Handle): void {
    this.check("C_CloseSession", session);
    this.#sessions.delete(session);
    this.objects.endSession(session);
    if (this.#sessions.size === 0) this.#user = undefined;
  }

  login(session: Handle, user: UserType, pin: Secret | undefined): void {
    this.check("C_Login", session);
    if (this.#user === user) throw ckrError("C_Login", 0x100);
    if (this.#user !== undefined) throw ckrError("C_Login", 0x104);
    const right = user === "user" ? this.#userPin : this.#soPin;
    if (right === undefined) throw ckrError("C_Login", 0x102);
    if (pin?.use(hex) !== right) {
      if (user === "user") this.#wrongPins += 1;
      throw ckrError("C_Login", 0xa0);
    }
    if (user === "user") this.#wrongPins = 0;
    this.#user = user;
  }

  logout(session: Handle): void {
    this.check("C_Logout", session);
    if (this.#user === undefined) throw ckrError("C_Logout", 0x101);
    this.#user = undefined;
  }

  initToken(slot: Handle, soPin: Secret, label: Uint8Array): void {
    if (slot !== SLOT) throw ckrError("C_InitToken", 0x03);
    if (this.#sessions.size > 0) throw ckrError("C_InitToken", 0xb6);
    if (label.length !== 32) throw ckrError("C_InitToken", 0x07);
    const officer = soPin.use(hex);
    if (this.#label !== undefined && officer !== this.#soPin) throw ckrError("C_InitToken", 0xa0);
    this.#label = fromUtf8(label).trimEnd();
    this.#soPin = officer;
    this.#userPin = undefined;
    this.objects.clear();
  }

  initPin(session: Handle, userPin: Secret): void {
    this.check("C_InitPIN", session);
    if (this.#user !== "security-officer") throw ckrError("C_InitPIN", 0x101);
    this.#userPin = userPin.use(hex);
  }

  setPin(session: Handle, oldPin: Secret, newPin: Secret): void {
    this.check("C_SetPIN", session);
    const officer = this.#user === "security-officer";
    if (oldPin.use(hex) !== (officer ? this.#soPin : this.#userPin)) {
      throw ckrError("C_SetPIN", 0xa0);
    }
    if (officer) this.#soPin = newPin.use(hex);
    else this.#userPin = newPin.use(hex);
  }

  protected checkIdle(call: string, session: Handle): void {
    this.check(call, session);
    if (this.busy.has(session)) throw ckrError(call, 0x90);
  }

  protected check(call: string, session: Handle): void {
    if (!this.#sessions.has(session)) throw ckrError(call, 0xb3);
  }
}
