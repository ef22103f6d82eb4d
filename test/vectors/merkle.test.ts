/** The tree of RFC 6962 against published roots and proofs, good ones and bad ones. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { hex } from "../../src/lib/encoding.ts";
import {
  completeNodes,
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
  ] as const) {
    assert.throws(() => inclusionProof(index, size, node), RangeError);
  }
  for (const [older, newer] of [
    [4, 3],
    [-1, 3],
    [1.5, 3],
    [1, NaN],
  ] as const) {
    assert.throws(() => consistencyProof(older, newer, node), RangeError);
  }
});
