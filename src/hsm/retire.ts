/** The end of a key's time as extractable, and of a key: locking and destroying, both proved. */

import { KeyriteError } from "../lib/errors.ts";
import type { Random } from "../lib/clock.ts";
import { IV_BYTES, KEK_BYTES } from "./aes-wrap.ts";
import { attributesToJson, encode, readAttributes, type Attributes } from "./attributes.ts";
import type { DoomedKey, KeyName, LockedKey } from "./backup.ts";
import { listObjects, type Listed } from "./inventory.ts";
import type { KekMeans } from "./kek.ts";
import { byId, matchKey, type ListedById, type Matched } from "./match.ts";
import { destroyQuietly, idBytes, type Context } from "./objects.ts";
import { orRefused } from "./refused.ts";
import { knownKek } from "./throw-away.ts";
import type { Handle } from "./raw.ts";
import { mechanismOf } from "./wire-formats.ts";

/** See `BackupSession.lockKeys`. */
export async function lockKeys(
  context: Context,
  names: readonly KeyName[],
  { objects, ...means }: KekMeans & { readonly objects: ListedById },
): Promise<readonly LockedKey[]> {
  const matched: Matched[] = [];
  for (const name of names) matched.push(await matchKey(context, objects, name, means.random));
  const kek = knownKek(context, means.random.bytes(KEK_BYTES));
  try {
    return matched.map(({ privateKey }) => lock(context, privateKey, kek, means));
  } finally {
    destroyQuietly(context, kek);
  }
}

function lock(
  context: Context,
  { handle, ckaId }: Listed,
  kek: Handle,
  { profile, formats }: KekMeans,
): LockedKey {
  const { module, session } = context;
  const read = (): Attributes =>
    readAttributes(module, session, handle, [
      "EXTRACTABLE",
      "SENSITIVE",
      "NEVER_EXTRACTABLE",
      "MODIFIABLE",
    ]);
  // The one attribute of a private key that is ever changed, and only in this direction.
  if (read().get("EXTRACTABLE") !== false) {
    module.setAttributes(session, handle, [encode("EXTRACTABLE", false)]);
  }
  const attributes = read();
  if (attributes.get("EXTRACTABLE") !== false || attributes.get("SENSITIVE") !== true) {
    throw notLocked(ckaId, "CKA_EXTRACTABLE or CKA_SENSITIVE does not read as asked");
  }
  if (!wraps(context, kek, handle, formats.wrapping)) {
    const waivers = formats.wrapping.length === 0 ? [NOT_TRIED] : [];
    return { ckaId, attributes: attributesToJson(attributes), waivers };
  }
  const waiver = profile.ignoresExtractable;
  if (waiver === undefined) throw notLocked(ckaId, "the token wraps it all the same");
  return { ckaId, attributes: attributesToJson(attributes), waivers: [waiver] };
}

// Where nothing wraps, that a locked key is not wrapped shows nothing.
const NOT_TRIED =
  "the token wraps no private key in any way that is known: that a locked key cannot leave it was read, and could not be tried";

// Under a KEK that nobody will ever know; the result is dropped at once. One way out is enough.
function wraps(
  { module, session }: Context,
  kek: Handle,
  object: Handle,
  mechanisms: readonly number[],
): boolean {
  return mechanisms.some((mechanism) => {
    const how = mechanismOf(mechanism, new Uint8Array(IV_BYTES));
    return orRefused(() => module.wrapKeyNow(session, how, kek, object)) !== undefined;
  });
}

function notLocked(ckaId: string, what: string): KeyriteError {
  return new KeyriteError(
    "hsm.attribute-differs",
    `the key with CKA_ID ${ckaId} is not locked: ${what}`,
    {
      hints: ["the key can still leave the token: destroy it, or record a deviation"],
    },
  );
}

/** See `BackupSession.destroyKeys`. */
export async function destroyKeys(
  context: Context,
  keys: readonly DoomedKey[],
  random: Random,
): Promise<number> {
  const objects = byId(listObjects(context));
  const doomed: Listed[] = [];
  for (const key of keys) doomed.push(...(await objectsOf(context, objects, key, random)));
  for (const { handle } of doomed) context.module.destroyObject(context.session, handle);
  const gone = new Set(keys.map(({ ckaId }) => ckaId));
  const left = listObjects(context).filter(
    ({ ckaId, objectClass }) => objectClass !== "secret" && gone.has(ckaId),
  );
  const [first] = left;
  if (first === undefined) return doomed.length;
  throw new KeyriteError(
    "hsm.bad-output",
    `${left.length} objects are still there after they were destroyed, the first with CKA_ID ${first.ckaId}`,
    { hints: ["the token needs examining, or initialising again"] },
  );
}

/** See `BackupSession.destroyRemnants`. */
export function destroyRemnants(context: Context, ckaId: string): number {
  idBytes(ckaId);
  const of = (): readonly Listed[] => listObjects(context).filter((one) => one.ckaId === ckaId);
  const remnants = of();
  for (const { handle } of remnants) context.module.destroyObject(context.session, handle);
  const { length } = of();
  if (length === 0) return remnants.length;
  throw new KeyriteError(
    "hsm.bad-output",
    `${length} objects with CKA_ID ${ckaId} are still there after they were destroyed`,
    { hints: ["the token needs examining, or initialising again"] },
  );
}

async function objectsOf(
  context: Context,
  objects: ReadonlyMap<string, readonly Listed[]>,
  { ckaId, spki }: DoomedKey,
  random: Random,
): Promise<readonly Listed[]> {
  idBytes(ckaId);
  if (spki !== undefined) {
    const { privateKey, publicKeys } = await matchKey(context, objects, { ckaId, spki }, random);
    return [privateKey, ...publicKeys];
  }
  const found = (objects.get(ckaId) ?? []).filter(({ objectClass }) => objectClass !== "secret");
  if (found.length > 0) return found;
  throw new KeyriteError("hsm.object-missing", `the token holds no key with CKA_ID ${ckaId}`, {
    hints: ["`keyrite hsm inspect` lists the objects"],
  });
}
