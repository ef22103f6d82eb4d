/**
 * Reading a token back in a process of its own: whatever the one that wrote it holds in memory, a new one sees
 * only what the token has stored.
 */

import { KeyriteError, messageOf } from "../lib/errors.ts";
import type { PublicKeysFromNewProcess } from "../ceremony/token-room.ts";
import { openHsm } from "./hosted.ts";

/** @param told sentences for whoever waits for it. @throws KeyriteError hsm.call-failed when it fails */
export function publicKeysFromNewProcess(told: (words: string) => void): PublicKeysFromNewProcess {
  return async (module, serial, label) => {
    const hsm = openHsm(told);
    try {
      return await hsm.publicKeys(module, serial, label);
    } catch (cause) {
      const what = `a new process could not read the token: ${messageOf(cause)}`;
      throw new KeyriteError("hsm.call-failed", what, {
        hints: ["keyrite hsm list shows whether the token answers at all"],
        cause,
      });
    } finally {
      await hsm.close().catch(() => undefined);
    }
  };
}
