/** What the parts of the HSM suite hand on to each other. */

import assert from "node:assert/strict";
import type { GeneratedKey, Session, TokenInfo } from "../../src/hsm/token.ts";
import type { KeyAlgorithm } from "../../src/lib/algorithms.ts";
import { secret, type Rig } from "../support/rig.ts";

/** The state that goes from test to test, as a token's does. */
export class SuiteState {
  readonly made = new Map<KeyAlgorithm, GeneratedKey>();
  #rig: Rig | undefined;
  #token: TokenInfo | undefined;
  #session: Session | undefined;

  get rig(): Rig {
    return this.#rig ?? assert.fail("there is no rig yet");
  }
  set rig(rig: Rig) {
    this.#rig = rig;
  }

  get token(): TokenInfo {
    return this.#token ?? assert.fail("no token was initialised");
  }
  set token(token: TokenInfo) {
    this.#token = token;
  }

  get session(): Session {
    return this.#session ?? assert.fail("nobody is logged in");
  }
  set session(session: Session) {
    this.#session = session;
  }

  key(algorithm: KeyAlgorithm): GeneratedKey {
    return this.made.get(algorithm) ?? assert.fail(`${algorithm} was not generated`);
  }

  login(pin: string, serial = this.token.serial, label = this.token.label): Promise<Session> {
    return this.rig.hsm.login(this.rig.module, serial, label, secret(pin));
  }

  /** C_Login calls made while `work` runs. */
  async countLogins(work: () => Promise<unknown>): Promise<number> {
    const start = this.rig.hsm.counters.logins;
    await work();
    return this.rig.hsm.counters.logins - start;
  }
}
