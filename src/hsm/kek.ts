/**
 * Key encryption keys on a token: made or brought in, proved by their check value, and looked at anew
 * before every use.
 */

import { KeyriteError } from "../lib/errors.ts";
import type { Random } from "../lib/clock.ts";
import type { Secret } from "../lib/secret.ts";
import { KEK_BYTES } from "./aes-wrap.ts";
import { attributesToJson, encode } from "./attributes.ts";
import type { EstablishedKek, EstablishKek, ImportKek, Kek, KekName, LoadKek } from "./backup.ts";
import { checkValueOn, wrappedCheckKey } from "./check-value.ts";
import { CKK, CKM, CKO } from "./constants.ts";
import {
  KEK_UNWRAPS,
  kekExpectation,
  unwrapResiduals,
  withUnwrapTemplate,
} from "./kek-template.ts";
import { askedTemplate, requireObject } from "./object-check.ts";
import { destroyQuietly, findBy, idBytes, refuseTaken, type Context } from "./objects.ts";
import type { ModuleProfile } from "./profiles.ts";
import type { Handle, RawAttribute, RawTemplate } from "./raw.ts";
import { refuseMisaddressed } from "./reseal.ts";
import { open, openableHashes, ownTransport, sealTo, transportKey } from "./transport.ts";
import type { Formats } from "./wire-formats.ts";

export interface KekMeans {
  readonly profile: ModuleProfile;
  readonly random: Random;
  readonly formats: Formats;
}

/** See `BackupSession.establishKek`. */
export async function establishKek(
  context: Context,
  request: EstablishKek,
  means: KekMeans,
): Promise<EstablishedKek> {
  refuseTaken(context, request.label, request.ckaId);
  const own = transportKey(request.ownTransport.spki);
  // Read before anything is made: a bad transport key must not leave half a KEK.
  for (const { spki } of request.transports) transportKey(spki);
  const opener = ownTransport(context, request.ownTransport);
  const { random, formats } = means;
  const oaep = openableHashes(context, opener, own, { random, check: formats.check });
  const born = await sessionKey(context, BORN);
  try {
    const envelopes = [{ spki: own.spki, oaep }, ...request.transports].map((transport) =>
      sealTo(context, born, transport),
    );
    const [first] = envelopes;
    if (first === undefined) throw new KeyriteError("internal.bug", "no envelope was made");
    const kek = await bringIn(context, request, means, {
      checkValue: checkValueOn(context, born, formats.check),
      make: (template) => open(context, opener, first.envelope, first.oaep, template),
    });
    return { ...kek, envelopes };
  } finally {
    destroyQuietly(context, born);
  }
}

/** See `BackupSession.loadKek`. */
export async function loadKek(context: Context, request: LoadKek, means: KekMeans): Promise<Kek> {
  refuseTaken(context, request.label, request.ckaId);
  const { envelope, transport, checkValue } = request;
  refuseMisaddressed(envelope, transportKey(transport.spki).spkiSha256);
  const opener = ownTransport(context, transport);
  return bringIn(context, request, means, {
    checkValue,
    make: (template) => open(context, opener, envelope.envelope, envelope.oaep, template),
  });
}

/** See `BackupSession.importKek`. */
export function importKek(
  context: Context,
  value: Secret,
  request: ImportKek,
  means: KekMeans,
): Promise<Kek> {
  refuseTaken(context, request.label, request.ckaId);
  if (value.length !== KEK_BYTES) {
    throw new KeyriteError("hsm.wrong-kek", `a KEK has ${KEK_BYTES} bytes, not ${value.length}`, {
      hints: ["the shares or the sealed file are not those of a KEK"],
    });
  }
  return value.use((bytes) =>
    bringIn(context, request, means, {
      checkValue: request.checkValue,
      make: (template) =>
        context.module.createObjectNow(context.session, [encode("VALUE", bytes), ...template]),
    }),
  );
}

/** See `BackupSession.exportedKek`. */
export async function exportedKek(context: Context): Promise<Secret> {
  const born = await sessionKey(context, READABLE);
  try {
    return context.module.readValue(context.session, born, KEK_BYTES);
  } finally {
    destroyQuietly(context, born);
  }
}

interface Origin {
  /** What it must have; absent when it is new and its value came from outside. */
  readonly checkValue: string | undefined;
  readonly make: (template: RawTemplate) => Handle;
}

// A KEK that is not right is destroyed at once: nothing was wrapped under it yet.
async function bringIn(
  context: Context,
  { label, ckaId }: { readonly label: string; readonly ckaId: string },
  means: KekMeans,
  { checkValue, make }: Origin,
): Promise<Kek> {
  const expected = kekExpectation(means.profile, { label, ckaId });
  const object = await withUnwrapTemplate(
    means.profile,
    KEK_UNWRAPS,
    askedTemplate(expected),
    make,
  );
  try {
    const found = checkValueOn(context, object, means.formats.check);
    const kek = judge(context, object, { label, ckaId }, means);
    if (checkValue !== undefined && found !== checkValue) throw wrongKek(ckaId, found, checkValue);
    if (oneKek(context, ckaId) === undefined) throw notOne(context, ckaId);
    return kek;
  } catch (error) {
    destroyQuietly(context, object);
    throw error;
  }
}

/** The KEK by its CKA_ID, judged. See `BackupSession.inspectKek`. */
export function openKek(
  context: Context,
  { ckaId, checkValue }: KekName,
  means: KekMeans,
): { readonly kek: Kek; readonly object: Handle } {
  const object = oneKek(context, ckaId);
  if (object === undefined) throw notOne(context, ckaId);
  const kek = judge(context, object, { ckaId }, means);
  if (kek.checkValue !== checkValue) throw wrongKek(ckaId, kek.checkValue, checkValue);
  return { kek, object };
}

/** See `BackupSession.destroyKek`. */
export function destroyKek(context: Context, name: KekName, means: KekMeans): void {
  const { object } = openKek(context, name, means);
  context.module.destroyObject(context.session, object);
  if (findBy(context, "ID", idBytes(name.ckaId), CKO.SECRET_KEY).length === 0) return;
  throw new KeyriteError("hsm.bad-output", `the KEK with CKA_ID ${name.ckaId} is still there`, {
    hints: ["the token said that it was destroyed: it needs examining"],
  });
}

function judge(
  context: Context,
  object: Handle,
  name: { readonly label?: string; readonly ckaId: string },
  { profile, formats }: KekMeans,
): Kek {
  const expected = kekExpectation(profile, name);
  const checked = requireObject(context, object, expected, `the KEK with CKA_ID ${name.ckaId}`, [
    "do not use this KEK: establish another and back up again",
  ]);
  const wrapped = wrappedCheckKey(context, object, formats.check);
  const residuals = unwrapResiduals(context, profile, (template) =>
    context.module.unwrapKeyNow(
      context.session,
      { mechanism: formats.check },
      object,
      wrapped,
      template,
    ),
  );
  return {
    ckaId: name.ckaId,
    checkValue: checkValueOn(context, object, formats.check),
    attributes: attributesToJson(checked.attributes),
    waivers: [...new Set([...checked.waived, ...residuals])],
  };
}

function oneKek(context: Context, ckaId: string): Handle | undefined {
  const found = findBy(context, "ID", idBytes(ckaId), CKO.SECRET_KEY);
  return found.length === 1 ? found[0] : undefined;
}

function notOne(context: Context, ckaId: string): KeyriteError {
  const { length } = findBy(context, "ID", idBytes(ckaId), CKO.SECRET_KEY);
  const count = length === 0 ? "no secret key" : `${length} secret keys`;
  return new KeyriteError("hsm.object-missing", `the token holds ${count} with CKA_ID ${ckaId}`, {
    hints: ["load the KEK from its envelope, or inspect what is there"],
  });
}

function wrongKek(ckaId: string, found: string, recorded: string): KeyriteError {
  return new KeyriteError(
    "hsm.wrong-kek",
    `the KEK with CKA_ID ${ckaId} has the check value ${found}, not ${recorded}`,
    {
      hints: ["this is another KEK, or another generation of it: nothing was wrapped or unwrapped"],
    },
  );
}

async function sessionKey(
  { module, session }: Context,
  more: readonly RawAttribute[],
): Promise<Handle> {
  const template = [
    encode("CLASS", CKO.SECRET_KEY),
    encode("KEY_TYPE", CKK.AES),
    encode("TOKEN", false),
    encode("PRIVATE", true),
    encode("EXTRACTABLE", true),
    encode("VALUE_LEN", KEK_BYTES),
    ...more,
  ];
  return module.generateKey(session, CKM.AES_KEY_GEN, template);
}

const UNUSED: readonly RawAttribute[] = [
  encode("ENCRYPT", false),
  encode("DECRYPT", false),
  encode("UNWRAP", false),
];
/** Extractable as long as the envelopes take; it wraps only its check value. */
const BORN: readonly RawAttribute[] = [...UNUSED, encode("SENSITIVE", true), encode("WRAP", true)];
/** To be read once: for escrow. */
const READABLE: readonly RawAttribute[] = [
  ...UNUSED,
  encode("SENSITIVE", false),
  encode("WRAP", false),
];
