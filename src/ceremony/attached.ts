/** Documents that the ledger holds beside its entries: read when an entry's meaning hangs on them. */

import { parseCard, type Card } from "../people/card.ts";
import { readPolicy, type Policy } from "./policy.ts";

export interface Attachments {
  readonly attachment: (sha256: string) => Uint8Array | undefined;
}

/** An attached document as `read` understands it; undefined when it is missing or refused. */
export function readAttached<T>(
  source: Attachments,
  sha256: string,
  read: (bytes: Uint8Array) => T,
): T | undefined {
  const bytes = source.attachment(sha256);
  if (bytes === undefined) return undefined;
  try {
    return read(bytes);
  } catch {
    return undefined;
  }
}

export function attachedCard(source: Attachments, sha256: string): Card | undefined {
  return readAttached(source, sha256, parseCard);
}

/** The attached policy of this digest; one that was read already is not read twice. */
export function attachedPolicy(
  source: Attachments & { readonly policy?: Policy },
  sha256: string,
): Policy | undefined {
  if (source.policy?.sha256 === sha256) return source.policy;
  return readAttached(source, sha256, (bytes) => readPolicy(bytes, "policy.yaml"));
}
