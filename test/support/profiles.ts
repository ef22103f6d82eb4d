/** Profiles as they ship, and the documents that a stage plans with. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { InputSource } from "../../src/ceremony/inputs.ts";
import type { LedgerStore } from "../../src/ledger/store.ts";
import { KeyriteError } from "../../src/lib/errors.ts";

const FOLDER = join(import.meta.dirname, "..", "..", "ceremonies", "profiles");

/** The bytes of a shipped profile, or undefined when there is none of that name. */
export function profileThatShips(name: string): Uint8Array | undefined {
  const path = join(FOLDER, `${name}.yaml`);
  return existsSync(path) ? readFileSync(path) : undefined;
}

/** The bytes of a shipped profile that is there. */
export function shippedProfile(name: string): Uint8Array {
  const bytes = profileThatShips(name);
  if (bytes === undefined) throw new Error(`no profile ${name} ships`);
  return bytes;
}

/** Shipped profiles, files that a test lends by the paths that `set` gives, and what the ledger holds. */
export function stageInputs(
  lent: ReadonlyMap<string, Uint8Array>,
  ledger: LedgerStore,
): InputSource {
  return {
    file(path) {
      const bytes = lent.get(path);
      if (bytes !== undefined) return bytes;
      throw new KeyriteError(
        "site.missing",
        `cannot read ${path}: there is no such file or folder`,
      );
    },
    profile: profileThatShips,
    profiles: () => ["tls-root"],
    attachment: (sha256) => ledger.attachment(sha256)?.bytes,
  };
}
