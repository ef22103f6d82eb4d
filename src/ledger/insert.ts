/** What an append puts into the tables: entries with the tree nodes they complete, and what they cite. */

import { sha256Hex } from "../lib/encoding.ts";
import { completeNodes, leafHash, type Frontier } from "./merkle.ts";
import type { Rows } from "./rows.ts";

/** Public material that an entry cites by its SHA-256. */
export interface Attachment {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** Inserts the entry that follows the frontier, and moves the frontier behind it. */
export function insertEntry(rows: Rows, frontier: Frontier, text: string): void {
  rows.insertEntry(frontier.size, text);
  let pos = completeNodes(frontier.size);
  for (const node of frontier.append(leafHash(text))) {
    rows.insertNode(pos, node);
    pos += 1;
  }
}

/** Keeps an attachment, once. */
export function insertAttachment(rows: Rows, { mediaType, bytes }: Attachment): void {
  const sha256 = sha256Hex(bytes);
  if (!rows.hasAttachment(sha256)) rows.insertAttachment(sha256, mediaType, bytes);
}
