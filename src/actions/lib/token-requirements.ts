/** What a token must be able to do before keys are brought onto it, looked up without unwrapping any. */

import type { Room } from "../../ceremony/action.ts";
import type { NamedKey } from "../../ceremony/key-choice.ts";
import type { WireFormat } from "../../hsm/backup.ts";
import { KeyriteError } from "../../lib/errors.ts";

/**
 * The token opens the format of these keys, knows their algorithms, and holds none of them yet.
 * @throws KeyriteError hsm.not-supported, hsm.object-exists
 */
export async function requireTokenFor(
  room: Room,
  token: string,
  keys: readonly (NamedKey & { readonly format: WireFormat })[],
): Promise<void> {
  const session = room.tokens.session(token);
  const { unwraps } = await session.wireFormats();
  const format = keys.find((key) => !unwraps.includes(key.format))?.format;
  if (format !== undefined) {
    throw new KeyriteError(
      "hsm.not-supported",
      `token ${token} does not open ${format}; it opens ${unwraps.join(", ") || "nothing we know"}`,
      { hints: ["restore onto a token that does, or back the keys up again in another format"] },
    );
  }
  const unknown = keys.find(({ algorithm }) => !session.info.algorithms.includes(algorithm));
  if (unknown !== undefined) {
    throw new KeyriteError(
      "hsm.not-supported",
      `token ${token} has no ${unknown.algorithm}, which key ${unknown.label} is`,
      { hints: [`it has ${session.info.algorithms.join(", ")}`] },
    );
  }
  const inventory = await session.inventory();
  const taken = {
    ids: new Set(inventory.map(({ ckaId }) => ckaId)),
    labels: new Set(inventory.map(({ label }) => label)),
    spkis: new Set(inventory.map(({ spkiSha256 }) => spkiSha256)),
  };
  const there = keys.find(
    ({ ckaId, label, spki }) =>
      taken.ids.has(ckaId) || taken.labels.has(label) || taken.spkis.has(spki),
  );
  if (there === undefined) return;
  throw new KeyriteError(
    "hsm.object-exists",
    `token ${token} holds an object of key ${there.label} already, or one with its CKA_ID ${there.ckaId}`,
    {
      hints: [
        "nothing was unwrapped: a second object of the same name could not be told from the first",
        "keyrite hsm inspect shows it; destroy it in a step of its own if it is not wanted",
      ],
    },
  );
}
