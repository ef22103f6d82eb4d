/**
 * Tokens by the names scripts use. Every look at a token applies the binding, custody and the policy's
 * list, so a token of another serial, another module file or another maker is never touched.
 */

import type {
  Hsm,
  ModuleBinding,
  PublicKeyOnToken,
  Session,
  TokenInfo,
  WipedToken,
} from "../hsm/token.ts";
import { KeyriteError } from "../lib/errors.ts";
import { visible } from "../lib/encoding.ts";
import type { Secret } from "../lib/secret.ts";
import type { TokenRoom } from "./action.ts";
import type { Bindings, TokenBinding } from "./bindings.ts";
import type { Custody } from "./custody.ts";
import type { Assurance } from "./genesis.ts";
import type { Policy } from "./policy.ts";

/** Starts a process of its own that tells the public keys on a token, and ends. */
export type PublicKeysFromNewProcess = (
  module: ModuleBinding,
  serial: string,
  label: string,
) => Promise<readonly PublicKeyOnToken[]>;

export interface TokenRoomParts {
  readonly hsm: Hsm;
  readonly bindings: Bindings;
  readonly assurance: Assurance;
  /** Module digests of the plan: what was agreed is what runs. */
  readonly modules: Readonly<Record<string, string>>;
  readonly custody: () => Custody;
  readonly policy: () => Policy;
  readonly publicKeysFromNewProcess: PublicKeysFromNewProcess;
}

export class BoundTokens implements TokenRoom {
  readonly #parts: TokenRoomParts;
  readonly #sessions = new Map<string, Session>();

  constructor(parts: TokenRoomParts) {
    this.#parts = parts;
  }

  async inspect(token: string): Promise<TokenInfo> {
    const binding = await this.#binding(token);
    const bound = this.#parts.custody().tokens.get(token);
    const serial = bound?.serial ?? binding.serial;
    const info = await this.#parts.hsm.find(binding.module, serial, bound?.label ?? token);
    this.#requireAllowed(token, info);
    return info;
  }

  async initialize(
    token: string,
    label: string,
    soPin: Secret,
    userPin: Secret,
  ): Promise<TokenInfo> {
    await this.inspect(token);
    const { module } = await this.#binding(token);
    return this.#parts.hsm.initialize(module, label, soPin, userPin);
  }

  async initialized(token: string): Promise<readonly TokenInfo[]> {
    const { module } = await this.#binding(token);
    return (await this.#parts.hsm.tokens(module)).filter(({ initialized }) => initialized);
  }

  async completeInitialization(
    token: string,
    { serial, label }: Pick<TokenInfo, "serial" | "label">,
    soPin: Secret,
    userPin: Secret,
  ): Promise<TokenInfo> {
    const { module } = await this.#binding(token);
    this.#requireAllowed(token, await this.#parts.hsm.find(module, serial, label));
    return this.#parts.hsm.completeInitialization(module, serial, label, soPin, userPin);
  }

  async wipe(token: string, soPin: Secret): Promise<WipedToken> {
    if (this.#sessions.has(token)) {
      throw new KeyriteError("hsm.call-failed", `token ${token} is active and cannot be wiped`, {
        hints: ["deactivate it first"],
      });
    }
    const { module } = await this.#binding(token);
    const info = await this.inspect(token);
    return this.#parts.hsm.wipe(module, info.serial, info.label, soPin);
  }

  async activate(token: string, pin: Secret): Promise<void> {
    const { module } = await this.#binding(token);
    const info = await this.inspect(token);
    const session = await this.#parts.hsm.login(module, info.serial, info.label, pin);
    this.#sessions.set(token, session);
  }

  session(token: string): Session {
    const session = this.#sessions.get(token);
    if (session === undefined) {
      throw new KeyriteError("hsm.call-failed", `token ${token} is not active`);
    }
    return session;
  }

  async publicKeysFromNewProcess(token: string): Promise<readonly PublicKeyOnToken[] | undefined> {
    const { module } = await this.#binding(token);
    const { serial, label } = this.session(token).info;
    if (module.tokenDir === undefined) return undefined;
    return this.#parts.publicKeysFromNewProcess(module, serial, label);
  }

  async deactivate(token: string): Promise<void> {
    await this.session(token).logout();
    this.#sessions.delete(token);
  }

  /** Logs out of whatever is still active; what fails here is not worth hiding another error. */
  async deactivateAll(): Promise<void> {
    for (const [token, session] of this.#sessions) {
      this.#sessions.delete(token);
      await session.logout().catch(() => undefined);
    }
  }

  logins(): number {
    return this.#parts.hsm.counters.logins;
  }

  // H15: only the module whose digest people agreed to is loaded, whatever the file is by then.
  async #binding(token: string): Promise<TokenBinding> {
    const binding = this.#parts.bindings.tokens.get(token);
    if (binding === undefined) {
      throw new KeyriteError("site.bindings", `token ${token} has no binding in site.yaml`);
    }
    const agreed = this.#parts.modules[binding.module.name];
    const found = await this.#parts.hsm.moduleDigest(binding.module);
    if (agreed === undefined || agreed !== found) {
      throw new KeyriteError(
        "hsm.module-differs",
        `the module file ${visible(binding.module.path)} changed after the plan was agreed to`,
        { hints: [`agreed SHA-256: ${agreed ?? "none"}`, `found SHA-256:  ${found}`] },
      );
    }
    return { ...binding, module: { ...binding.module, digest: agreed } };
  }

  #requireAllowed(token: string, info: TokenInfo): void {
    const reason = whyNotAllowed(info, this.#parts.policy(), this.#parts.assurance);
    if (reason === undefined) return;
    throw new KeyriteError("hsm.not-allowed", `token ${token} may not be used here: ${reason}`, {
      hints: ["bind a token on the policy's list, or change the policy in a ceremony"],
    });
  }
}

/** Why the policy keeps a token out, or undefined. */
export function whyNotAllowed(
  info: Pick<TokenInfo, "profile" | "manufacturer" | "model" | "firmware" | "moduleDigest">,
  policy: Policy,
  assurance: Assurance,
): string | undefined {
  const software =
    info.profile !== "generic" || /softhsm|nss/i.test(info.manufacturer + info.model);
  if (assurance === "production" && software) {
    return `${visible(info.model)} is a software token and the site is a production site`;
  }
  const listed = policy.hsms.some(
    (rule) =>
      rule.manufacturer === info.manufacturer &&
      (rule.model === undefined || rule.model === info.model) &&
      (rule.firmware === undefined || rule.firmware === info.firmware) &&
      (rule.moduleDigest === undefined
        ? assurance === "test"
        : rule.moduleDigest === info.moduleDigest),
  );
  if (listed) return undefined;
  return `"${visible(info.manufacturer)}", model "${visible(info.model)}", is not on the policy's list`;
}
