/**
 * Heads that people carry: whether this ledger extends the checkpoints they cosigned. Only this
 * shows a ledger that was cut short or rewritten as a whole.
 */

import { equalBytes } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { parseNote, verifyNote, type VerifierKey } from "../lib/note.ts";
import { parseCheckpoint, type Checkpoint } from "./checkpoint.ts";
import { Frontier, leafHash } from "./merkle.ts";
import type { LedgerStore } from "./store.ts";

/**
 * What a head says of a ledger. `forked` names the range, both ends included, in which the first
 * differing index lies: a head holds one root, which says that entries differ but not which. `from`
 * is narrowed by other heads that this ledger does extend.
 */
export type HeadComparison = { readonly head: Checkpoint } & (
  | { readonly result: "extends" }
  | { readonly result: "shorter"; readonly firstMissing: number }
  | { readonly result: "forked"; readonly from: number; readonly to: number }
);

/**
 * Compares one head with a ledger, whose root at that size is recomputed from entry bytes.
 * @throws KeyriteError ledger.damaged when the head is malformed or wrongly signed; ledger.not-trusted
 * when it is of another ledger or not signed by `key`.
 */
export function compareHead(
  store: LedgerStore,
  headNote: string,
  key: VerifierKey,
): HeadComparison {
  const [comparison] = compareHeads(store, [headNote], key);
  if (comparison === undefined) throw new KeyriteError("internal.bug", "a head was not compared");
  return comparison;
}

/** Compares several heads in one reading of the ledger; answers in the order of `headNotes`. */
export function compareHeads(
  store: LedgerStore,
  headNotes: readonly string[],
  key: VerifierKey,
): readonly HeadComparison[] {
  const heads = headNotes.map((note) => readHead(note, store.origin, key));
  const roots = rootsAt(store, new Set(heads.map(({ size }) => size)));
  return compareRoots(heads, roots, store.size);
}

/**
 * Compares heads with the roots of a ledger of `size` entries, as they were recomputed from entry bytes at
 * the sizes of the heads that are not larger.
 */
export function compareRoots(
  heads: readonly Checkpoint[],
  roots: ReadonlyMap<number, Uint8Array>,
  size: number,
): readonly HeadComparison[] {
  const fits = (head: Checkpoint): boolean => {
    const root = roots.get(head.size);
    return root !== undefined && equalBytes(root, head.root);
  };
  return heads.map((head) => {
    if (head.size > size) return { head, result: "shorter", firstMissing: size };
    if (fits(head)) return { head, result: "extends" };
    // Only a shorter head narrows: a longer one that fits contradicts this one.
    const shorter = heads.filter((one) => one.size < head.size && fits(one));
    const from = Math.max(0, ...shorter.map((one) => one.size));
    return { head, result: "forked", from, to: head.size - 1 };
  });
}

/**
 * The first index at which two ledgers hold different entries: where one ends, if it is the other's
 * beginning; undefined when they are equal.
 */
export function firstDifference(a: LedgerStore, b: LedgerStore): number | undefined {
  const others = b.entries()[Symbol.iterator]();
  let index = 0;
  for (const entry of a.entries()) {
    const other = others.next();
    if (other.done === true || other.value !== entry) {
      others.return?.();
      return index;
    }
    index += 1;
  }
  const more = others.next().done !== true;
  others.return?.();
  return more ? index : undefined;
}

/**
 * Reads a head of this origin that its ledger's key signed.
 * @throws KeyriteError as `compareHead`
 */
export function readHead(headNote: string, origin: string, key: VerifierKey): Checkpoint {
  const note = parseNote(headNote);
  const head = parseCheckpoint(note.text);
  if (head.origin !== origin) {
    throw new KeyriteError("ledger.not-trusted", `the head is of ${head.origin}, not of ${origin}`);
  }
  if (!verifyNote(note, [key]).includes(key)) {
    throw new KeyriteError("ledger.not-trusted", `the head is not signed by the key of ${origin}`);
  }
  return head;
}

function rootsAt(store: LedgerStore, sizes: ReadonlySet<number>): ReadonlyMap<number, Uint8Array> {
  const roots = new Map<number, Uint8Array>();
  const frontier = new Frontier();
  if (sizes.has(0)) roots.set(0, frontier.root());
  const largest = Math.max(0, ...sizes);
  for (const text of store.entries()) {
    if (frontier.size >= largest) break;
    frontier.append(leafHash(text));
    if (sizes.has(frontier.size)) roots.set(frontier.size, frontier.root());
  }
  return roots;
}
