/**
 * A KEK sent on to a token that came later: out of its envelope here as an extractable session object,
 * into another envelope, and gone again.
 */

import { KeyriteError } from "../lib/errors.ts";
import { encode } from "./attributes.ts";
import type { Envelope, ResealKek } from "./backup.ts";
import { checkValueOn } from "./check-value.ts";
import { CKK, CKO } from "./constants.ts";
import { destroyQuietly, type Context } from "./objects.ts";
import type { RawAttribute } from "./raw.ts";
import { open, ownTransport, sealTo, transportKey } from "./transport.ts";
import type { Formats } from "./wire-formats.ts";

/** See `BackupSession.resealKek`. */
export function resealKek(
  context: Context,
  { transport, envelope, checkValue, to }: ResealKek,
  { check }: Pick<Formats, "check">,
): Envelope {
  refuseMisaddressed(envelope, transportKey(transport.spki).spkiSha256);
  // Read before anything is opened: a bad receiver must not cost an extractable KEK.
  transportKey(to.spki);
  const opener = ownTransport(context, transport);
  const opened = open(context, opener, envelope.envelope, envelope.oaep, SENT_ON);
  let gone = false;
  try {
    requireChecked(checkValueOn(context, opened, check), checkValue);
    const sealed = sealTo(context, opened, to);
    requireChecked(checkValueOn(context, opened, check), checkValue);
    gone = destroyQuietly(context, opened);
    if (gone) return sealed;
  } finally {
    if (!gone) destroyQuietly(context, opened);
  }
  // An extractable KEK that stays is worth an alarm, even when its envelope was made.
  throw new KeyriteError("hsm.bad-output", "the opened KEK could not be destroyed again", {
    hints: ["deactivate the token now: the session object ends with the session"],
  });
}

/** @throws KeyriteError hsm.wrong-kek for an envelope to another transport key. */
export function refuseMisaddressed(
  { spkiSha256 }: Pick<Envelope, "spkiSha256">,
  own: string,
): void {
  if (spkiSha256 === own) return;
  throw new KeyriteError("hsm.wrong-kek", "the envelope is addressed to another transport key", {
    hints: ["choose the envelope made for this token's transport key"],
  });
}

function requireChecked(found: string, recorded: string): void {
  if (found === recorded) return;
  throw new KeyriteError(
    "hsm.wrong-kek",
    `the KEK in the envelope has the check value ${found}, not ${recorded}`,
    { hints: ["the envelope holds another KEK, or another generation of it: nothing was sent"] },
  );
}

/** It wraps its check value and nothing else; sensitive, so that only a wrap takes it out. */
const SENT_ON: readonly RawAttribute[] = [
  encode("CLASS", CKO.SECRET_KEY),
  encode("KEY_TYPE", CKK.AES),
  encode("TOKEN", false),
  encode("PRIVATE", true),
  encode("SENSITIVE", true),
  encode("EXTRACTABLE", true),
  encode("ENCRYPT", false),
  encode("DECRYPT", false),
  encode("WRAP", true),
  encode("UNWRAP", false),
];
