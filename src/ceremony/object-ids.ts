/**
 * Which CKA_IDs each token bears, by custody. It is derived from custody and makes one question cheap
 * that is asked for every key of ten thousand: is this id taken there?
 */

import type { CopiesCustody } from "./custody-copies.ts";

export class ObjectIds {
  readonly #byToken = new Map<string, Map<string, string>>();

  constructor(custody: CopiesCustody) {
    for (const [spki, { tokens }] of custody.copies) {
      for (const { token, ckaId } of tokens.values()) this.add(token, ckaId, `key ${spki}`);
    }
    for (const { token, ckaId } of custody.transports.values()) {
      this.add(token, ckaId, "its transport key");
    }
    for (const [name, { tokens }] of custody.keks) {
      for (const [token, ckaId] of tokens) this.add(token, ckaId, `KEK ${name}`);
    }
  }

  add(token: string, ckaId: string, holder: string): void {
    const ids = this.#byToken.get(token) ?? new Map<string, string>();
    this.#byToken.set(token, ids.set(ckaId, holder));
  }

  remove(token: string, ckaId: string): void {
    this.#byToken.get(token)?.delete(ckaId);
  }

  dropToken(token: string): void {
    this.#byToken.delete(token);
  }

  /** Why a new object on the token cannot bear the id: two of one id cannot be told apart there. */
  taken(token: string, ckaId: string): string | undefined {
    const holder = this.#byToken.get(token)?.get(ckaId);
    return holder && `on token ${token} ${holder} bears the CKA_ID ${ckaId} already`;
  }
}
