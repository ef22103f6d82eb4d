/** Documents that a step's subject cites by digest: read when a fact hangs on them, and once a begun step. */

import type { Cited } from "./action.ts";
import { signedDigest } from "./certificate-documents.ts";
import { readKeyList, type KeyListItem } from "./key-list.ts";

type Attachment = (sha256: string) => Uint8Array | undefined;
type KeyList = ReadonlyMap<string, KeyListItem>;

const NO_KEYS: KeyList = new Map();

// Steps that follow each other are often about the same keys. A list can have thousands: few are kept.
const MOST_KEPT = 4;
const recent = new WeakMap<Attachment, Map<string, KeyList>>();

function readRecent(attachment: Attachment, sha256: string): KeyList | undefined {
  const lists = recent.get(attachment) ?? new Map<string, KeyList>();
  recent.set(attachment, lists);
  const known = lists.get(sha256);
  if (known !== undefined) return known;
  const bytes = attachment(sha256);
  const list = bytes === undefined ? undefined : readKeyList(bytes);
  if (list === undefined) return undefined;
  const [oldest] = lists.keys();
  if (lists.size >= MOST_KEPT && oldest !== undefined) lists.delete(oldest);
  lists.set(sha256, list);
  return list;
}

/** Reads from these attachments; whoever keeps it keeps the lists, so it belongs to one begun step. */
export function citedFrom(
  attachment: Attachment,
  profiles: Readonly<Record<string, string>>,
): Cited {
  const lists = new Map<string, KeyList>();
  return {
    profile: (name) => (Object.hasOwn(profiles, name) ? profiles[name] : undefined),
    signedPart(sha256) {
      const der = attachment(sha256);
      return der === undefined ? undefined : signedDigest(der);
    },
    keyList(sha256) {
      const known = lists.get(sha256);
      if (known !== undefined) return known;
      const list = readRecent(attachment, sha256) ?? NO_KEYS;
      lists.set(sha256, list);
      return list;
    },
  };
}
