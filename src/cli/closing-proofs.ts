/**
 * After the close: backups made in a ceremony get their proofs, which need the head that people have just
 * cosigned. A medium that is gone by then stops nothing; the proofs are written later.
 */

import { writeProofs, type WrittenProofs } from "../ceremony/backup-proofs.ts";
import type { Vaults } from "../ceremony/action.ts";
import { visible } from "../lib/encoding.ts";
import { messageOf } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import { tellLine } from "./output.ts";
import type { OpenSite } from "./site.ts";

/** Writes the proofs of every backup that a ceremony completed, and says what could not be written. */
export async function closingProofs(
  site: OpenSite,
  vaults: Vaults,
  ceremony: string,
): Promise<readonly WrittenProofs[]> {
  const now = { ...site, history: site.fold.history };
  const made = [...now.history.custody.backups.values()].filter(
    (one) => one.ceremony === ceremony && one.sha256 !== null,
  );
  const written: WrittenProofs[] = [];
  for (const { backup } of made) {
    try {
      written.push(...(await writeProofs(now, vaults, backup)));
    } catch (error) {
      // The ceremony is closed and cosigned: whatever is wrong here must not look like its failure.
      written.push({ backup, vault: "-", problem: messageOf(error) });
    }
  }
  for (const { backup, vault, problem } of written) {
    tellLine(
      problem === undefined
        ? `Proofs of ${backup} lie in vault ${vault}.`
        : `WARNING: no proofs in the copy of ${backup} in vault ${vault}: ${visible(problem)}\n` +
            `  when the medium is there: keyrite backup prove ${backup}`,
    );
  }
  return written;
}

/** Written proofs as they stand in documents under --json. */
export function proofsJson({ backup, vault, problem }: WrittenProofs): JsonObject {
  return { backup, vault, problem: problem ?? null };
}
