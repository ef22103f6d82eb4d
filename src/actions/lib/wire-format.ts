/** The form in which wrapped keys go from one token to another, found out by trying. */

import type { Room } from "../../ceremony/action.ts";
import type { WireFormat } from "../../hsm/backup.ts";
import { KeyriteError } from "../../lib/errors.ts";

/** Most wanted first; CBC is not authenticated, so it is never chosen. */
const FORMATS: readonly WireFormat[] = ["rfc5649", "rfc3394", "rfc3394-pkcs7"];

/**
 * What one token proved to wrap and the other to unwrap: a mechanism number means different things to vendors.
 * @throws KeyriteError hsm.not-supported
 */
export async function agreedFormat(
  room: Room,
  source: string,
  prover: string,
): Promise<WireFormat> {
  const { wraps } = await room.tokens.session(source).wireFormats();
  const { unwraps } = await room.tokens.session(prover).wireFormats();
  const format = FORMATS.find((one) => wraps.includes(one) && unwraps.includes(one));
  if (format !== undefined) return format;
  throw new KeyriteError(
    "hsm.not-supported",
    `token ${source} wraps private keys as ${wraps.join(", ") || "nothing we know"}, and token ${prover} opens ${unwraps.join(", ") || "nothing we know"}`,
    { hints: ["prove the backup on a token that opens what the other wraps, or back up natively"] },
  );
}
