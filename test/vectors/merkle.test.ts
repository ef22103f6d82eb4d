/** The tree of RFC 6962 against published roots and proofs, good ones and bad ones. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { hex } from "../../src/lib/encoding.ts";
import {
  completeNodes,
  prefixedLeafHash,
  consistencyProof,
  EMPTY_ROOT,
  Frontier,
  inclusionProof,
  leafHash,
  nodeHash,
  nodePosition,
  rootOf,
  treeHash,
  verifyConsistency,
  verifyInclusion,
} from "../../src/ledger/merkle.ts";

interface Vectors {
  readonly tree: { readonly leaves: readonly string[]; readonly roots: readonly string[] };
  readonly inclusion: {
    readonly cases: readonly {
      readonly case: string;
      readonly index: number;
      readonly size: number;
      readonly leaf: string;
      readonly root: string;
      readonly proof: readonly string[];
      readonly valid: boolean;
    }[];
  };
  readonly consistency: {
    readonly cases: readonly {
      readonly case: string;
      readonly older: number;
      readonly newer: number;
      readonly olderRoot: string;
      readonly newerRoot: string;
      readonly proof: readonly string[];
      readonly valid: boolean;
    }[];
  };
}

const vectors = JSON.parse(
  readFileSync(new URL("merkle.json", import.meta.url), "utf8"),
) as Vectors;
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));
const leaves = vectors.tree.leaves.map(bytes);

test("roots of 0 to 8 leaves are the published ones", () => {
  assert.equal(vectors.tree.roots.length, 9);
  for (const [size, root] of vectors.tree.roots.entries()) {
    assert.equal(hex(treeHash(leaves.slice(0, size))), root, `${size} leaves`);
  }
});

test("a leaf hashes the same as bytes and as text, and unlike a node of the same bytes", () => {
  for (const text of ["", "a", "é", "\0", "x".repeat(70_000)]) {
    assert.deepEqual(leafHash(text), leafHash(new TextEncoder().encode(text)));
  }
  const [left, right] = [leafHash("l"), leafHash("r")];
  assert.notDeepEqual(leafHash(Buffer.concat([left, right])), nodeHash(left, right));
});

for (const [number, vector] of vectors.inclusion.cases.entries()) {
  test(`inclusion ${number}: ${vector.case} is ${vector.valid ? "accepted" : "refused"}`, () => {
    const proof = vector.proof.map(bytes);
    const { index, size } = vector;
    const verdict = verifyInclusion(bytes(vector.leaf), index, size, proof, bytes(vector.root));
    assert.equal(verdict, vector.valid);
  });
}

for (const [number, vector] of vectors.consistency.cases.entries()) {
  test(`consistency ${number}: ${vector.case} is ${vector.valid ? "accepted" : "refused"}`, () => {
    const proof = vector.proof.map(bytes);
    const roots = [bytes(vector.olderRoot), bytes(vector.newerRoot)] as const;
    assert.equal(verifyConsistency(vector.older, vector.newer, ...roots, proof), vector.valid);
  });
}

/** A tree of `size` leaves as the store keeps it: nodes in the order in which they are completed. */
function grown(size: number): { nodes: Uint8Array[]; roots: Uint8Array[]; leaves: Uint8Array[] } {
  const frontier = new Frontier();
  const tree = { nodes: [] as Uint8Array[], roots: [frontier.root()], leaves: [] as Uint8Array[] };
  for (let seq = 0; seq < size; seq += 1) {
    const leaf = leafHash(`entry ${seq}`);
    tree.leaves.push(leaf);
    tree.nodes.push(...frontier.append(leaf));
    tree.roots.push(frontier.root());
  }
  return tree;
}

const tree = grown(33);
const node = (level: number, index: number): Uint8Array =>
  tree.nodes[nodePosition(level, index)] ?? assert.fail(`no node ${level}/${index}`);
const at = (list: readonly Uint8Array[], position: number): Uint8Array =>
  list[position] ?? assert.fail(`nothing at ${position}`);

test("nodes in completion order give every root, and a frontier resumes from them", () => {
  assert.deepEqual(rootOf(0, node), EMPTY_ROOT);
  for (let size = 0; size <= 33; size += 1) {
    assert.deepEqual(rootOf(size, node), at(tree.roots, size));
    assert.deepEqual(Frontier.at(size, node).root(), at(tree.roots, size));
    assert.equal(tree.nodes.length >= completeNodes(size), true);
  }
  assert.equal(completeNodes(33), tree.nodes.length);
});

test("every inclusion proof up to 33 leaves verifies, and for no neighbour", () => {
  for (let size = 1; size <= 33; size += 1) {
    for (let seq = 0; seq < size; seq += 1) {
      const proof = inclusionProof(seq, size, node);
      const root = at(tree.roots, size);
      assert.ok(verifyInclusion(at(tree.leaves, seq), seq, size, proof, root));
      assert.ok(!verifyInclusion(at(tree.leaves, (seq + 1) % 33), seq, size, proof, root));
      assert.ok(!verifyInclusion(at(tree.leaves, seq), seq + 1, size, proof, root));
    }
  }
});

test("every consistency proof up to 33 leaves verifies, and with no other root", () => {
  for (let newer = 1; newer <= 33; newer += 1) {
    for (let older = 1; older <= newer; older += 1) {
      const proof = consistencyProof(older, newer, node);
      const [from, to] = [at(tree.roots, older), at(tree.roots, newer)];
      assert.ok(verifyConsistency(older, newer, from, to, proof));
      assert.ok(!verifyConsistency(older, newer, at(tree.roots, older - 1), to, proof));
      assert.ok(!verifyConsistency(older, newer, from, at(tree.roots, newer - 1), proof));
    }
  }
});

test("proofs are only made for what the tree holds", () => {
  for (const [index, size] of [
    [3, 3],
    [4, 3],
    [-1, 3],
    [0.5, 3],
    [NaN, 3],
    [0, 0],
    [0, -1],
    [0, 1.5],
    [2 ** 53, 2 ** 53 + 2],
    [0, Infinity],
  ] as const) {
    const message = `there is no leaf ${index} in a tree of ${size}`;
    assert.throws(() => inclusionProof(index, size, node), { name: "RangeError", message });
  }
  for (const [older, newer] of [
    [4, 3],
    [-1, 3],
    [1.5, 3],
    [1, NaN],
    [-1, -1],
    [1, 2 ** 53],
  ] as const) {
    const message = `a tree of ${newer} does not extend one of ${older}`;
    assert.throws(() => consistencyProof(older, newer, node), { name: "RangeError", message });
  }
});

test("nothing is proved to or from the empty tree, and nothing of equal trees", () => {
  for (let size = 0; size <= 33; size += 1) {
    assert.deepEqual(consistencyProof(0, size, node), []);
    assert.deepEqual(consistencyProof(size, size, node), []);
    const [empty, root] = [at(tree.roots, 0), at(tree.roots, size)];
    assert.equal(verifyConsistency(0, size, empty, root, []), false);
    assert.equal(verifyConsistency(size, size, root, root, []), size > 0);
    assert.equal(verifyConsistency(size, size, root, root, [root]), false);
    assert.equal(verifyConsistency(size, size, root, EMPTY_ROOT, []), false);
  }
});

test("no proof holds with sizes that are none, hashes that are none, or more or fewer of them", () => {
  const [leaf, root, from] = [at(tree.leaves, 5), at(tree.roots, 13), at(tree.roots, 6)];
  const inclusion = inclusionProof(5, 13, node);
  const consistency = consistencyProof(6, 13, node);
  assert.ok(verifyInclusion(leaf, 5, 13, inclusion, root));
  assert.ok(verifyConsistency(6, 13, from, root, consistency));
  for (const [index, size] of [
    [-1, 13],
    [5.5, 13],
    [13, 13],
    [5, NaN],
    [5, 2 ** 53],
    [21, 29],
  ] as const) {
    assert.equal(verifyInclusion(leaf, index, size, inclusion, root), false, `${index} ${size}`);
  }
  for (const [older, newer] of [
    [-6, 13],
    [6.5, 13],
    [13, 6],
    [6, NaN],
    [6, 2 ** 53],
    [22, 29],
  ] as const) {
    const verdict = verifyConsistency(older, newer, from, root, consistency);
    assert.equal(verdict, false, `${older} ${newer}`);
  }
  const others = (proof: readonly Uint8Array[]): (readonly Uint8Array[])[] => [
    [],
    proof.slice(1),
    proof.slice(0, -1),
    [...proof, leaf],
    [leaf, ...proof],
    proof.map((hash) => hash.subarray(0, 31)),
    proof.map((hash) => Buffer.concat([hash, hash])),
    ...proof.map((_, changed) => proof.map((hash, i) => (i === changed ? EMPTY_ROOT : hash))),
  ];
  for (const proof of others(inclusion)) {
    assert.equal(verifyInclusion(leaf, 5, 13, proof, root), false);
  }
  for (const proof of others(consistency)) {
    assert.equal(verifyConsistency(6, 13, from, root, proof), false);
  }
  assert.equal(verifyInclusion(leaf.subarray(1), 5, 13, inclusion, root), false);
  assert.equal(verifyInclusion(leaf, 5, 13, inclusion, EMPTY_ROOT), false);
  assert.equal(verifyConsistency(6, 13, EMPTY_ROOT, root, consistency), false);
  assert.equal(verifyConsistency(6, 13, from, EMPTY_ROOT, consistency), false);
  // The only leaf is the root, and takes no proof.
  assert.ok(verifyInclusion(leaf, 0, 1, [], leaf));
  assert.equal(verifyInclusion(leaf, 0, 1, [leaf], leaf), false);
});

test("places of nodes are counted exactly, in small trees and near 2^53", () => {
  assert.deepEqual(
    [0, 1, 2, 3, 4, 7, 8].map((size) => completeNodes(size)),
    [0, 1, 3, 4, 7, 11, 15],
  );
  assert.deepEqual(
    [
      [0, 0],
      [0, 1],
      [1, 0],
      [0, 2],
      [2, 0],
      [1, 1],
    ].map(([level = 0, index = 0]) => nodePosition(level, index)),
    [0, 1, 2, 3, 6, 5],
  );
  assert.equal(completeNodes(2 ** 52), 2 ** 53 - 1);
  assert.equal(completeNodes(2 ** 51 + 1), 2 ** 52);
});

test("a frontier goes on from its roots, apart from the one it was copied from", () => {
  const frontier = new Frontier();
  for (const [seq, leaf] of tree.leaves.slice(0, 11).entries()) {
    assert.equal(frontier.size, seq);
    assert.equal(frontier.append(leaf).length, completeNodes(seq + 1) - completeNodes(seq));
  }
  const again = Frontier.of(11, frontier.roots);
  const copy = frontier.copy();
  for (const one of [again, copy]) {
    assert.deepEqual([one.size, one.root()], [11, at(tree.roots, 11)]);
    one.append(at(tree.leaves, 11));
    assert.deepEqual([one.size, one.root()], [12, at(tree.roots, 12)]);
  }
  assert.deepEqual([frontier.size, frontier.root()], [11, at(tree.roots, 11)]);
  const message = "the roots do not fit the size";
  for (const [size, roots] of [
    [11, frontier.roots.slice(1)],
    [10, frontier.roots],
    [0, frontier.roots],
    [11, []],
  ] as const) {
    assert.throws(() => Frontier.of(size, roots), { message });
  }
});

test("a leaf that stands behind its zero hashes as it does alone", () => {
  for (const text of ["", "a", "ü".repeat(40_000)]) {
    assert.deepEqual(prefixedLeafHash(Buffer.from(`\0${text}`)), leafHash(text));
  }
});
