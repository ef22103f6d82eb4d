/**
 * The Merkle tree of RFC 6962 §2.1 over SHA-256: hashes, a frontier that grows entry by entry, and
 * inclusion and consistency proofs. Sizes are JavaScript integers below 2^53.
 */

import { hash } from "node:crypto";
import { concat, equalBytes } from "../lib/encoding.ts";

/** The root of the empty tree: SHA-256 of nothing. */
export const EMPTY_ROOT: Uint8Array = digest(new Uint8Array(0));

const pair = new Uint8Array(65);
pair[0] = 0x01;
let scratch = Buffer.alloc(65_536);

/** SHA-256(00 ‖ entry). A string stands for its UTF-8 bytes. */
export function leafHash(entry: Uint8Array | string): Uint8Array {
  if (typeof entry !== "string") return digest(concat(Uint8Array.of(0x00), entry));
  // One buffer for all entries: joining two per entry costs as much as the hash.
  const most = entry.length * 3 + 1;
  if (scratch.length < most) scratch = Buffer.alloc(most);
  const length = scratch.write(entry, 1, "utf8");
  return digest(scratch.subarray(0, length + 1));
}

/** The leaf hash of an entry that stands behind the byte 00 already. */
export function prefixedLeafHash(prefixed: Uint8Array): Uint8Array {
  return digest(prefixed);
}

/** SHA-256(01 ‖ left ‖ right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  pair.set(left, 1);
  pair.set(right, 33);
  return digest(pair);
}

// A Buffer by way of a string: hash() itself makes one at twice the cost.
function digest(bytes: Uint8Array): Uint8Array {
  return Buffer.from(hash("sha256", bytes, "binary"), "latin1");
}

/** A complete subtree's hash: `level` 0 is a leaf, node `index` of a level covers index·2^level on. */
export type NodeReader = (level: number, index: number) => Uint8Array;

/**
 * Where a complete node stands when nodes are numbered as they become complete: after each leaf
 * the leaf itself, then every parent it completes. So a growing tree only ever appends nodes.
 */
export function nodePosition(level: number, index: number): number {
  return completeNodes((index + 1) * 2 ** level - 1) + level;
}

/** How many complete nodes, leaves included, a tree of `size` leaves has: 2·size − popcount(size). */
export function completeNodes(size: number): number {
  let count = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) count += rest;
  return count;
}

/** The left edge of a growing tree: what is needed to add a leaf and to name the root. */
export class Frontier {
  // Roots of the complete subtrees, largest first; one for each 1 in the binary form of the size.
  #roots: Uint8Array[] = [];
  #size = 0;
  /** Of this size, once somebody asked: after a step was opened, several do. */
  #root: Uint8Array | undefined;

  /** The frontier of a tree whose complete nodes can be read. */
  static at(size: number, node: NodeReader): Frontier {
    const frontier = new Frontier();
    frontier.#roots = subtrees(0, size).map(({ level, index }) => node(level, index));
    frontier.#size = size;
    return frontier;
  }

  /** The frontier of a tree of `size` leaves whose `roots` another frontier gave. */
  static of(size: number, roots: readonly Uint8Array[]): Frontier {
    const rest = [...roots];
    const frontier = Frontier.at(size, () => {
      const root = rest.shift();
      if (root === undefined) throw new Error("the roots do not fit the size");
      return root;
    });
    if (rest.length > 0) throw new Error("the roots do not fit the size");
    return frontier;
  }

  get size(): number {
    return this.#size;
  }

  /** Roots of the complete subtrees, largest first: with the size they say everything of the tree. */
  get roots(): readonly Uint8Array[] {
    return this.#roots;
  }

  copy(): Frontier {
    const copy = new Frontier();
    copy.#roots = [...this.#roots];
    copy.#size = this.#size;
    return copy;
  }

  /** Adds a leaf hash and returns the nodes it completes in `nodePosition` order, itself first. */
  append(leaf: Uint8Array): readonly Uint8Array[] {
    const completed = [leaf];
    let node = leaf;
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2) {
      const left = this.#roots.pop();
      if (left === undefined) throw new Error("the frontier does not fit its size");
      node = nodeHash(left, node);
      completed.push(node);
    }
    this.#roots.push(node);
    this.#size += 1;
    this.#root = undefined;
    return completed;
  }

  root(): Uint8Array {
    this.#root ??= joinRight(this.#roots);
    return this.#root;
  }
}

/** The root hash over a list of entries (RFC 6962 §2.1). */
export function treeHash(entries: Iterable<Uint8Array | string>): Uint8Array {
  const frontier = new Frontier();
  for (const entry of entries) frontier.append(leafHash(entry));
  return frontier.root();
}

/** The root of the first `size` leaves of a tree whose complete nodes can be read. */
export function rootOf(size: number, node: NodeReader): Uint8Array {
  return rangeHash(0, size, node);
}

/**
 * The inclusion proof of leaf `index` in the tree of `size` leaves (RFC 6962 §2.1.1).
 * @throws RangeError unless 0 ≤ index < size.
 */
export function inclusionProof(index: number, size: number, node: NodeReader): Uint8Array[] {
  if (!isSize(index) || !isSize(size) || index >= size) {
    throw new RangeError(`there is no leaf ${index} in a tree of ${size}`);
  }
  const proof: Uint8Array[] = [];
  for (let [from, to] = [0, size]; to - from > 1;) {
    const middle = from + splitPoint(to - from);
    const left = index < middle;
    proof.unshift(left ? rangeHash(middle, to, node) : rangeHash(from, middle, node));
    [from, to] = left ? [from, middle] : [middle, to];
  }
  return proof;
}

/**
 * The consistency proof between the trees of `older` and `newer` leaves (RFC 6962 §2.1.2). Empty
 * when the sizes are equal or the older tree is empty; `verifyConsistency` refuses the latter.
 * @throws RangeError unless 0 ≤ older ≤ newer.
 */
export function consistencyProof(older: number, newer: number, node: NodeReader): Uint8Array[] {
  if (!isSize(older) || !isSize(newer) || older > newer) {
    throw new RangeError(`a tree of ${newer} does not extend one of ${older}`);
  }
  if (older === 0 || older === newer) return [];
  const proof: Uint8Array[] = [];
  let [from, to] = [0, newer];
  while (older !== to) {
    const middle = from + splitPoint(to - from);
    const left = older <= middle;
    proof.unshift(left ? rangeHash(middle, to, node) : rangeHash(from, middle, node));
    [from, to] = left ? [from, middle] : [middle, to];
  }
  // The old tree's own root starts the proof only where the verifier cannot know it.
  if (from !== 0) proof.unshift(rangeHash(from, to, node));
  return proof;
}

/** Whether a proof leads from leaf `index` to `root` (RFC 9162 §2.1.3.2). */
export function verifyInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!isSize(index) || !isSize(size) || index >= size || leaf.length !== 32) return false;
  let [position, last] = [index, size - 1];
  let node = leaf;
  for (const sibling of proof) {
    if (last === 0 || sibling.length !== 32) return false;
    if (position % 2 === 1 || position === last) {
      node = nodeHash(sibling, node);
      while (position % 2 === 0 && position !== 0) [position, last] = [half(position), half(last)];
    } else {
      node = nodeHash(node, sibling);
    }
    [position, last] = [half(position), half(last)];
  }
  return last === 0 && equalBytes(node, root);
}

/** Whether a proof shows that the newer tree extends the older, not empty one (RFC 9162 §2.1.4.2). */
export function verifyConsistency(
  older: number,
  newer: number,
  olderRoot: Uint8Array,
  newerRoot: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  // Every tree extends the empty one: a proof of that proves nothing, and is none.
  if (!isSize(older) || !isSize(newer) || older === 0 || older > newer) return false;
  if (older === newer) return proof.length === 0 && equalBytes(olderRoot, newerRoot);
  const path = 2 ** levelWithin(older) === older ? [olderRoot, ...proof] : proof;
  const [first, ...rest] = path;
  if (first === undefined || path.some((node) => node.length !== 32)) return false;
  let [position, last] = [older - 1, newer - 1];
  while (position % 2 === 1) [position, last] = [half(position), half(last)];
  let [olderNode, newerNode] = [first, first];
  for (const sibling of rest) {
    if (last === 0) return false;
    if (position % 2 === 1 || position === last) {
      olderNode = nodeHash(sibling, olderNode);
      newerNode = nodeHash(sibling, newerNode);
      while (position % 2 === 0 && position !== 0) [position, last] = [half(position), half(last)];
    } else {
      newerNode = nodeHash(newerNode, sibling);
    }
    [position, last] = [half(position), half(last)];
  }
  return last === 0 && equalBytes(olderNode, olderRoot) && equalBytes(newerNode, newerRoot);
}

// The complete subtrees that cover [from, to) from left to right, from being where a split puts it.
function subtrees(from: number, to: number): { level: number; index: number }[] {
  const found: { level: number; index: number }[] = [];
  for (let at = from; at < to;) {
    const level = levelWithin(to - at);
    found.push({ level, index: at / 2 ** level });
    at += 2 ** level;
  }
  return found;
}

function rangeHash(from: number, to: number, node: NodeReader): Uint8Array {
  return joinRight(subtrees(from, to).map(({ level, index }) => node(level, index)));
}

function joinRight(roots: readonly Uint8Array[]): Uint8Array {
  let right = roots.at(-1);
  if (right === undefined) return EMPTY_ROOT;
  for (let at = roots.length - 2; at >= 0; at -= 1) {
    const left = roots[at];
    if (left !== undefined) right = nodeHash(left, right);
  }
  return right;
}

// The largest power of two below `size`, for sizes above one.
function splitPoint(size: number): number {
  return 2 ** levelWithin(size - 1);
}

// The largest level whose subtree is not wider than `size`. Math.log2 rounds near 2^53.
function levelWithin(size: number): number {
  let level = 0;
  while (2 ** (level + 1) <= size) level += 1;
  return level;
}

function half(value: number): number {
  return Math.floor(value / 2);
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
