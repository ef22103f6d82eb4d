/**
 * Reading a token back in a process of its own: whatever the one that wrote it holds in memory, a new one sees
 * only what the token has stored.
 */

import type { ModuleBinding, PublicKeyOnToken } from "../hsm/token.ts";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import { openHsm } from "./hosted.ts";

/** See `PublicKeysFromNewProcess`. @throws KeyriteError hsm.call-failed when it fails */
export async function publicKeysFromNewProcess(
  module: ModuleBinding,
  serial: string,
  label: string,
): Promise<readonly PublicKeyOnToken[]> {
  const hsm = openHsm();
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
}
