/** What is checked of a ledger's end before anything is built on it. */

import { timestamp, type Clock } from "../lib/clock.ts";
import { equalBytes } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { parseNote, verifierKey, verifyNote } from "../lib/note.ts";
import { parseCheckpoint } from "./checkpoint.ts";
import { decodeEntry } from "./entry.ts";
import { Frontier, leafHash } from "./merkle.ts";
import type { Rows } from "./rows.ts";

export interface Tail {
  readonly origin: string;
  readonly frontier: Frontier;
  /** The newest checkpoint's note; undefined in an empty ledger. */
  readonly note: string | undefined;
  /** Time of the last entry; empty in an empty ledger. */
  readonly time: string;
}

/**
 * The end of a ledger, its last entry, tree nodes and newest checkpoint agreeing with each other
 * and, when given, with the ledger's public key.
 * @throws KeyriteError ledger.damaged when they do not.
 */
export function readTail(rows: Rows, publicKey: Uint8Array | undefined): Tail {
  const origin = rows.origin();
  const size = rows.size();
  const newest = rows.newestCheckpoint();
  if (newest === undefined) {
    if (size !== 0) throw damaged("the ledger has entries but no checkpoint");
    return { origin, frontier: new Frontier(), note: undefined, time: "" };
  }
  const frontier = Frontier.at(size, (level, index) => rows.node(level, index));
  const last = rows.entry(size - 1) ?? "";
  const note = parseNote(newest.note);
  const head = parseCheckpoint(note.text);
  const fits =
    head.origin === origin &&
    head.size === size &&
    equalBytes(head.root, frontier.root()) &&
    equalBytes(leafHash(last), rows.node(0, size - 1));
  if (!fits) throw damaged("the newest checkpoint does not fit the last entry");
  if (publicKey !== undefined) {
    const key = verifierKey(origin, "ed25519", publicKey);
    if (verifyNote(note, [key]).length === 0) {
      throw damaged("the newest checkpoint was not signed with this ledger key");
    }
  }
  return { origin, frontier, note: newest.note, time: decodeEntry(last).time };
}

/** @throws KeyriteError site.clock when the clock is behind the last entry */
export function timeAfter({ time: last }: Tail, clock: Clock): string {
  const time = timestamp(clock.now());
  if (time >= last) return time;
  throw new KeyriteError(
    "site.clock",
    `the clock says ${time}, before the last entry of the ledger at ${last}`,
    { hints: ["set the machine's clock to UTC, then run the command again"] },
  );
}

function damaged(message: string): KeyriteError {
  return new KeyriteError("ledger.damaged", message);
}
