/** What keys must read back as after they came onto a token, by their public keys. */

import type { NamedKey } from "../../ceremony/key-choice.ts";
import type { AttributeTemplate } from "../../backups/manifest.ts";
import type { KeyAlgorithm } from "../../lib/algorithms.ts";

/** Looks templates up by SHA-256 of the public key; for a key that is none of these it throws. */
export async function restoredTemplates(
  keys: readonly NamedKey[],
): Promise<(spki: string) => AttributeTemplate> {
  // Only a step that restores pays for the templates of the HSM layer.
  const { restoredAttributes } = await import("../../hsm/restore-templates.ts");
  const algorithms = new Map(keys.map(({ spki, algorithm }) => [spki, algorithm]));
  const made = new Map<KeyAlgorithm, AttributeTemplate>();
  return (spki) => {
    const algorithm = algorithms.get(spki);
    if (algorithm === undefined) throw new Error(`nobody asked for key ${spki}`);
    const known = made.get(algorithm) ?? restoredAttributes(algorithm);
    made.set(algorithm, known);
    return known;
  };
}
