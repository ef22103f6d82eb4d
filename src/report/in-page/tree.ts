/** The tree of RFC 6962 §2.1, computed again in the page: roots at the sizes that somebody signed. */

import { concat, equalBytes, utf8 } from "./bytes.ts";
import type { PageCrypto } from "./crypto.ts";

export function leafHash(crypto: PageCrypto, text: string): Promise<Uint8Array> {
  return crypto.sha256(concat(Uint8Array.of(0), utf8(text)));
}

function nodeHash(crypto: PageCrypto, left: Uint8Array, right: Uint8Array): Promise<Uint8Array> {
  return crypto.sha256(concat(Uint8Array.of(1), left, right));
}

/** Roots of the complete subtrees of a size, largest first. */
type Frontier = readonly Uint8Array[];

async function grown(
  crypto: PageCrypto,
  frontier: Frontier,
  size: number,
  leaf: Uint8Array,
): Promise<Frontier> {
  const roots = [...frontier];
  let node = leaf;
  // One join for every 1 at the low end of the old size.
  for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) {
    const left = roots.pop();
    if (left === undefined) break;
    node = await nodeHash(crypto, left, node);
  }
  return [...roots, node];
}

async function rootOf(crypto: PageCrypto, frontier: Frontier): Promise<Uint8Array> {
  const [last, ...rest] = frontier.toReversed();
  let root = last ?? (await crypto.sha256(new Uint8Array(0)));
  for (const left of rest) root = await nodeHash(crypto, left, root);
  return root;
}

/** The root at each wanted size from `from` on, as far as the leaves reach. */
export async function rootsAt(
  crypto: PageCrypto,
  start: { readonly from: number; readonly before: Frontier },
  leaves: readonly Uint8Array[],
  wanted: ReadonlySet<number>,
): Promise<ReadonlyMap<number, Uint8Array>> {
  const roots = new Map<number, Uint8Array>();
  let frontier = start.before;
  let size = start.from;
  if (wanted.has(size)) roots.set(size, await rootOf(crypto, frontier));
  for (const leaf of leaves) {
    frontier = await grown(crypto, frontier, size, leaf);
    size += 1;
    if (wanted.has(size)) roots.set(size, await rootOf(crypto, frontier));
  }
  return roots;
}

/** How many complete subtrees stand left of an index: what `before` must hold. */
export function subtreesBefore(from: number): number {
  let count = 0;
  for (let rest = from; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2;
  return count;
}

/** Whether a path leads from leaf `index` to the root of `size` (RFC 9162 §2.1.3.2). */
export async function leadsTo(
  crypto: PageCrypto,
  leaf: Uint8Array,
  place: { readonly index: number; readonly size: number },
  path: readonly Uint8Array[],
  root: Uint8Array,
): Promise<boolean> {
  let [position, last] = [place.index, place.size - 1];
  if (position > last) return false;
  let node = leaf;
  for (const sibling of path) {
    if (last === 0 || sibling.length !== 32) return false;
    if (position % 2 === 1 || position === last) {
      node = await nodeHash(crypto, sibling, node);
      while (position % 2 === 0 && position !== 0) {
        [position, last] = [position / 2, Math.floor(last / 2)];
      }
    } else node = await nodeHash(crypto, node, sibling);
    [position, last] = [Math.floor(position / 2), Math.floor(last / 2)];
  }
  return last === 0 && equalBytes(node, root);
}
