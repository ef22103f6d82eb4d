/** Wrapping private keys for a backup: all of them looked at before the first is wrapped. */

import type { Random } from "../lib/clock.ts";
import { concat } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { IV_BYTES, WIRE_FORMATS } from "./aes-wrap.ts";
import { whyNotWrappable, type KeyName, type WireFormat, type WrappedKey } from "./backup.ts";
import { CKM } from "./constants.ts";
import { byId, matchKey } from "./match.ts";
import type { Listed } from "./inventory.ts";
import type { Context } from "./objects.ts";
import type { ModuleProfile } from "./profiles.ts";
import type { Handle } from "./raw.ts";
import { mechanismOf, type Formats } from "./wire-formats.ts";

/** Formats that tell of an alteration, most wanted first; CBC does not, so it must be asked for. */
export const AUTHENTICATED: readonly WireFormat[] = WIRE_FORMATS.filter(
  (format) => format !== "aes-cbc-pad",
);

export interface ToWrap {
  readonly name: KeyName;
  readonly spkiSha256: string;
  readonly object: Handle;
}

/**
 * Finds every key and refuses what cannot be wrapped, by name.
 * @throws KeyriteError hsm.object-missing, hsm.not-extractable, hsm.not-supported
 */
export async function keysToWrap(
  context: Context,
  listing: readonly Listed[],
  names: readonly KeyName[],
  { profile, random }: { readonly profile: ModuleProfile; readonly random: Random },
): Promise<readonly ToWrap[]> {
  const objects = byId(listing);
  const found: ToWrap[] = [];
  for (const name of names) {
    const { privateKey, key } = await matchKey(context, objects, name, random);
    const unwrappable = whyNotWrappable(profile.name, key.algorithm);
    if (unwrappable !== undefined) {
      throw new KeyriteError(
        "hsm.not-supported",
        `cannot back up ${privateKey.label}: ${unwrappable}`,
        {
          hints: ["choose another algorithm, or the vendor's own backup"],
        },
      );
    }
    // Asked of the attribute and not of the module, because NSS wraps what it must not.
    if (privateKey.extractable !== true) throw notExtractable(privateKey);
    found.push({ name, spkiSha256: key.spkiSha256, object: privateKey.handle });
  }
  return found;
}

/**
 * The format and mechanism to wrap with.
 * @throws KeyriteError hsm.not-supported
 */
export function chooseFormat(
  formats: Formats,
  allowed: readonly WireFormat[],
): { readonly format: WireFormat; readonly mechanism: number } {
  for (const format of allowed) {
    const mechanism = formats.wraps.get(format);
    if (mechanism !== undefined) return { format, mechanism };
  }
  throw new KeyriteError(
    "hsm.not-supported",
    `the token wraps private keys as ${[...formats.wraps.keys()].join(", ") || "nothing we know"}, and ${allowed.join(", ")} is asked for`,
    { hints: ["back up its keys with the vendor's own tools, and record that"] },
  );
}

/** Wraps one key. */
export function wrapOne(
  { module, session }: Context,
  kek: Handle,
  { name, spkiSha256, object }: ToWrap,
  { format, mechanism, random }: ReturnType<typeof chooseFormat> & { readonly random: Random },
): WrappedKey {
  const iv = random.bytes(IV_BYTES);
  const wrapped = module.wrapKeyNow(session, mechanismOf(mechanism, iv), kek, object);
  const blob = mechanism === CKM.AES_CBC_PAD ? concat(iv, wrapped) : wrapped;
  return { spki: name.spki, ckaId: name.ckaId, spkiSha256, blob, format };
}

function notExtractable({ label, ckaId }: Listed): KeyriteError {
  return new KeyriteError(
    "hsm.not-extractable",
    `the key ${label} with CKA_ID ${ckaId} cannot be extracted: it was generated without a backup, or is locked`,
    {
      hints: [
        "only a key generated with backup: wrap can be wrapped, and only before lock-key",
        "a key that exists in a backup already is backed up from there",
      ],
    },
  );
}
