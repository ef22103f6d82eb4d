/** Keys in SoftHSM that sign for the tests of certificates, through the same layer as in a ceremony. */

import type { Session } from "../../src/hsm/token.ts";
import type { KeyAlgorithm } from "../../src/lib/algorithms.ts";
import { PIN, request, SO_PIN } from "./hsm-asserts.ts";
import type { SigningKey } from "./issued-set.ts";
import { secret, type Rig } from "./rig.ts";
import { softhsmRig } from "./softhsm.ts";

/** A token in a folder of its own. */
export class TokenKeys {
  readonly #rig: Rig;
  readonly #session: Session;
  #made = 0;

  private constructor(rig: Rig, session: Session) {
    this.#rig = rig;
    this.#session = session;
  }

  static async open(): Promise<TokenKeys> {
    const rig = softhsmRig();
    const { serial, label } = await rig.hsm.initialize(
      rig.module,
      "issuing",
      secret(SO_PIN),
      secret(PIN),
    );
    return new TokenKeys(rig, await rig.hsm.login(rig.module, serial, label, secret(PIN)));
  }

  async key(algorithm: KeyAlgorithm): Promise<SigningKey> {
    const session = this.#session;
    this.#made += 1;
    const asked = request(algorithm, `key-${algorithm}-${this.#made}`);
    const { spki } = await session.generateKeyPair(asked);
    const { ckaId } = asked;
    return {
      spki,
      sign: async (scheme, message) => {
        const [signature] = await session.signAll([{ spki, ckaId, scheme, message }]);
        if (signature === undefined) throw new Error("a signature is missing");
        return signature;
      },
    };
  }

  async close(): Promise<void> {
    await this.#session.logout();
    await this.#rig.hsm.close();
    this.#rig.remove();
  }
}
