/** Documents that the ledger holds beside its entries: read when an entry's meaning hangs on them. */

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
