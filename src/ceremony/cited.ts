/** Documents that a step's subject cites by digest: read when a fact hangs on them, and once a begun step. */

import type { Cited } from "./action.ts";
import { readKeyList, type KeyListItem } from "./key-list.ts";

const NO_KEYS: ReadonlyMap<string, KeyListItem> = new Map();

/** Reads from these attachments; whoever keeps it keeps the lists, so it belongs to one begun step. */
export function citedFrom(attachment: (sha256: string) => Uint8Array | undefined): Cited {
  const lists = new Map<string, ReadonlyMap<string, KeyListItem>>();
  return {
    keyList(sha256) {
      const known = lists.get(sha256);
      if (known !== undefined) return known;
      const bytes = attachment(sha256);
      const list = (bytes === undefined ? undefined : readKeyList(bytes)) ?? NO_KEYS;
      lists.set(sha256, list);
      return list;
    },
  };
}
