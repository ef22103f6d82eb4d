/** The picture of a hierarchy: every certificate has a box of its own that no other one touches. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { CertificatePart } from "../../src/pki/hierarchy.ts";
import { hierarchyPicture } from "../../src/report/hierarchy-picture.ts";
import type { Branch } from "../../src/report/hierarchy-tree.ts";

let made = 0;

function certificate(name: string): CertificatePart {
  made += 1;
  return {
    ...{ kind: "certificate", file: `${name}-${made}.cer`, sha256: "00".repeat(32) },
    ...{ standing: "subordinate", subject: `CN=${name}`, issuer: "CN=Root", serial: "01" },
    ...{ key: "P-256", spkiSha256: "00".repeat(32), signature: "ecdsa-sha256", pathLength: 0 },
    ...{ notBefore: "2026-11-24T00:00:00Z", notAfter: "2036-11-24T00:00:00Z" },
    ...{ signedBy: null, revoked: made % 5 === 0 ? REVOKED : null },
  };
}
const REVOKED = { at: "2026-11-25T00:00:00Z", reason: "superseded", list: "root.crl" };

const branch = (name: string, ...below: readonly Branch[]): Branch => ({
  ...{ certificate: certificate(name), lists: [], below },
});
const leaves = (count: number): readonly Branch[] =>
  Array.from({ length: count }, (_, at) => branch(`Issuing ${at}`));

const TREES: Readonly<Record<string, readonly Branch[]>> = {
  "a root alone": [branch("Root")],
  "a root and three": [branch("Root", ...leaves(3))],
  "a root and twelve": [branch("Root", ...leaves(12))],
  "a root whose twelve stand beside two that have more below": [
    branch(
      "Root",
      branch("A", ...leaves(7)),
      ...leaves(12),
      branch("B", branch("C", ...leaves(4))),
    ),
  ],
  "two roots with stacks": [branch("Root 1", ...leaves(5)), branch("Root 2", ...leaves(9))],
};

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function boxesIn(svg: string): readonly Box[] {
  const rects = svg.matchAll(
    /<rect\s+class="box"\s+x="([\d.]+)"\s+y="([\d.]+)"\s+width="([\d.]+)"\s+height="([\d.]+)"/g,
  );
  return Array.from(rects, ([, ...all]) => {
    const [x = 0, y = 0, width = 0, height = 0] = all.map(Number);
    return { x, y, width, height };
  });
}

const count = (tops: readonly Branch[]): number =>
  tops.reduce((sum, { below }) => sum + 1 + count(below), 0);

for (const [what, tops] of Object.entries(TREES)) {
  test(`${what}: every box stands alone and inside the picture`, () => {
    const tree = { tops, lists: [], requests: [], unreadable: [] };
    const svg = hierarchyPicture(tree, new Set()).markup;
    const [, width = 0, height = 0] = (/viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(svg) ?? []).map(
      Number,
    );
    const boxes = boxesIn(svg);
    assert.equal(boxes.length, count(tops));
    for (const [at, a] of boxes.entries()) {
      assert.ok(a.x >= 0 && a.y >= 0 && a.x + a.width <= width && a.y + a.height <= height);
      for (const b of boxes.slice(at + 1)) {
        const apart =
          a.x + a.width < b.x ||
          b.x + b.width < a.x ||
          a.y + a.height < b.y ||
          b.y + b.height < a.y;
        assert.ok(apart, JSON.stringify([a, b]));
      }
    }
  });
}

test("a root with many below it fits a page: they are stacked", () => {
  const tree = { tops: [branch("Root", ...leaves(20))], lists: [], requests: [], unreadable: [] };
  const svg = hierarchyPicture(tree, new Set()).markup;
  assert.ok(Number(/viewBox="0 0 ([\d.]+)/.exec(svg)?.[1]) < 800);
});
