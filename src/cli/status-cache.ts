/**
 * A large ledger's status, kept beside it when a ceremony closes. Whoever only looks is spared the fold over
 * every entry; `run` and `verify` always fold anew.
 */

import { join } from "node:path";
import type { History } from "../ceremony/history.ts";
import { believedKept, formatKept, type StatusHistory } from "../ceremony/status-history.ts";
import { judgeCheckpoint } from "../ledger/checkpoint.ts";
import { decodeEntry } from "../ledger/entry.ts";
import { leafHash, verifyInclusion } from "../ledger/merkle.ts";
import type { LedgerStore } from "../ledger/store.ts";
import type { SigningKey } from "../lib/ed25519.ts";
import { equalBytes, fromUtf8, hex, sha256Hex, utf8 } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { readIfPresent, replaceFile } from "../lib/files.ts";
import { formatNote, parseNote, parseVerifierKey, signatureLine, verifyNote } from "../lib/note.ts";
import type { Genesis } from "../ceremony/genesis.ts";

const FILE = "status.cache";
// Another form of `StatusHistory` gets another number: an older file then fits nothing.
const KIND = "keyrite/status-cache/v4";
/** A ledger that is folded in less than half a second is folded. */
const FEWEST_ENTRIES = 5000;
const LONGEST = 1 << 28;

/** What a cache is made for and from. */
export interface CachePlace {
  readonly folder: string;
  readonly genesis: Pick<Genesis, "origin" | "ledgerKey">;
}

/** Keeps the status of a ledger that has just been folded, if it is large and nothing is open. */
export function keepStatus(
  { folder, genesis }: CachePlace,
  ledger: LedgerStore,
  history: History,
  key: SigningKey,
  fewest = FEWEST_ENTRIES,
): void {
  const body = history.size < fewest ? undefined : formatKept(history);
  if (body === undefined) return;
  const text = statement(genesis.origin, history.size, hex(ledger.root()), body);
  const { name } = parseVerifierKey(genesis.ledgerKey);
  const note = formatNote(text, [signatureLine(text, name, key)]);
  replaceFile(join(folder, FILE), utf8(`${note}\n${body}`), { mode: 0o644 });
}

/** What the ledger's key signs: for which ledger and head the cache is. */
function statement(origin: string, size: number, root: string, body: string): string {
  const lines = [KIND, origin, `${size} ${root}`, sha256Hex(body)];
  return `${lines.join("\n")}\n`;
}

/** The kept status, or undefined when there is none that fits this ledger and head. */
export function keptStatus(
  { folder, genesis }: CachePlace,
  ledger: LedgerStore,
  fewest = FEWEST_ENTRIES,
): StatusHistory | undefined {
  if (ledger.size < fewest) return undefined;
  const bytes = readIfPresent(join(folder, FILE), LONGEST);
  if (bytes === undefined) return undefined;
  try {
    const [note = "", body = ""] = atThird(fromUtf8(bytes));
    const read = parseNote(note);
    const fits = read.text === statement(genesis.origin, ledger.size, hex(ledger.root()), body);
    const signed = verifyNote(read, [parseVerifierKey(genesis.ledgerKey)]).length === 1;
    const last = provenLast(ledger, genesis);
    if (!fits || !signed || last === undefined) return undefined;
    return believedKept(body, last, {
      checkpoint: (size) => ledger.checkpoint(size),
      cosignatures: (size) => ledger.cosignatures(size).map(({ line }) => line),
    });
  } catch (error) {
    // A file that nobody can read is as good as none: the fold says what is true.
    if (error instanceof KeyriteError || error instanceof SyntaxError) return undefined;
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** The note, and what stands behind its signature line and an empty one. */
function atThird(text: string): readonly [string, string] | readonly [] {
  const signatures = text.indexOf("\n\n");
  const end = text.indexOf("\n\n", signatures + 2);
  return signatures < 0 || end < 0 ? [] : [text.slice(0, end + 1), text.slice(end + 2)];
}

/** The last entry, once the newest checkpoint is signed and proves it. */
function provenLast(
  ledger: LedgerStore,
  { origin, ledgerKey }: CachePlace["genesis"],
): ReturnType<typeof decodeEntry> | undefined {
  const { size } = ledger;
  const [text, note] = [ledger.entry(size - 1), ledger.checkpoint(size)];
  if (text === undefined || note === undefined) return undefined;
  const { root, fault } = judgeCheckpoint(note, { origin, size, key: parseVerifierKey(ledgerKey) });
  if (root === undefined || fault !== undefined) return undefined;
  const proof = ledger.inclusionProof(size - 1, size);
  const proved = verifyInclusion(leafHash(text), size - 1, size, proof, root);
  return proved && equalBytes(root, ledger.root()) ? decodeEntry(text) : undefined;
}
