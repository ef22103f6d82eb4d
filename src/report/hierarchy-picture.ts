/**
 * The tree of a hierarchy drawn as SVG: one box for each certificate, with its lists. Certificates that have issued
 * nothing stand side by side while they are few, and one below the other when they are many.
 */

import type { CertificatePart } from "../pki/hierarchy.ts";
import {
  type Branch,
  listInWords,
  revokedInWords,
  shortName,
  standingInWords,
  type Tree,
} from "./hierarchy-tree.ts";
import { html, type Html } from "./page.ts";

export const PICTURE_STYLE = `
figure { margin: .8rem 0 1.2rem; overflow-x: auto; } figcaption { color: var(--soft); font-size: .85rem; margin-top: .3rem; }
svg.tree { width: 100%; height: auto; display: block; font: 13px "Source Sans 3", "Segoe UI", Arial, sans-serif; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
.tree rect.box { fill: #fff; stroke: var(--accent); stroke-width: 1.5; } .tree .root rect.box { fill: var(--wash); stroke-width: 2.5; }
.tree .leaf rect.box { stroke: var(--soft); } .tree .cross rect.box { stroke-dasharray: 6 3; }
.tree .wrong rect.box { stroke: var(--bad); stroke-width: 2.5; } .tree .revoked rect.box { fill: #fbeeee; stroke: var(--bad); }
.tree text { fill: var(--ink); } .tree .name { font-weight: 700; font-size: 14px; } .tree .soft { fill: var(--soft); font-size: 12px; } .tree .bad { fill: var(--bad); font-weight: 600; font-size: 12px; }
svg.wide { width: auto; max-width: none; } @media print { svg.wide { width: 100%; } }
.tree .list { fill: var(--wash); stroke: var(--line); } .tree path { fill: none; stroke: var(--soft); stroke-width: 1.5; }
`;

const BOX = 284;
const GAP = 22;
const LINE = 17;
const PAD = 12;
const LEVEL_GAP = 46;
/** Characters that a line of a box holds; names are set larger. */
const CHARACTERS = { name: 34, soft: 46, bad: 44 };
/** Room for the strokes at the edges. */
const EDGE = 4;
const NARROWEST = 760;
/** Where a page ends: what is wider keeps its size and is scrolled. */
const WIDEST = 1240;
/** Certificates without any below them that stand side by side; more of them are stacked. */
const MOST_BESIDE = 3;
const STACK_GAP = 12;
/** Room at the left of a stack for the line that leads to it. */
const INDENT = 26;

interface Placed {
  readonly branch: Branch;
  readonly x: number;
  readonly lines: readonly Line[];
  /** Side by side, a level below. */
  readonly children: readonly Placed[];
  /** One below the other, beginning a level below. */
  readonly stack: readonly Placed[];
}
interface Line {
  readonly text: string;
  readonly look: "name" | "soft" | "bad";
}

/** The figure; `wrong` are the files that an error is about. */
export function hierarchyPicture({ tops }: Tree, wrong: ReadonlySet<string>): Html {
  if (tops.length === 0) return html`<p class="soft">There is no certificate to draw.</p>`;
  let next = 0;
  const place = (branch: Branch): Placed => {
    const lines = linesOf(branch);
    const leaves = branch.below.filter(({ below }) => below.length === 0);
    const stacked = leaves.length > MOST_BESIDE ? leaves : [];
    const children = branch.below.filter((one) => !stacked.includes(one)).map(place);
    const stack = stacked.map((leaf) => ({
      ...{ branch: leaf, x: next + INDENT, lines: linesOf(leaf), children: [], stack: [] },
    }));
    if (stack.length > 0) next += INDENT + BOX + GAP;
    const columns = [...children, ...stack.slice(0, 1)];
    const [first, last] = [columns[0], columns.at(-1)];
    // Over the middle of what stands below it, or in the next free column.
    const x = first === undefined || last === undefined ? next : (first.x + last.x) / 2;
    if (first === undefined) next += BOX + GAP;
    return { branch, x, lines, children, stack };
  };
  const placed = tops.map(place);
  const heights = levelHeights(placed);
  const width = Math.max(next - GAP, NARROWEST) + 2 * EDGE;
  const shift = (width - (next - GAP)) / 2;
  const height = 2 * EDGE + Math.max(...placed.map((one) => reach(one, heights, 0)));
  const drawn = placed.map((one) => boxes(one, { heights, level: 0, shift, wrong }));
  return html`<figure>
    <svg
      class="${width > WIDEST ? "tree wide" : "tree"}"
      viewBox="0 0 ${width} ${height}"
      width="${width}"
      height="${height}"
      role="img"
      aria-label="Tree of the hierarchy"
    >
      ${drawn}
    </svg>
    <figcaption>
      An arrow leads from the key that signed to what it signed. Dashed: a cross-certificate. Red:
      revoked, or broken by an error below.
    </figcaption>
  </figure>`;
}

function linesOf({ certificate, lists }: Branch): readonly Line[] {
  const { subject, key, notBefore, notAfter } = certificate;
  const revoked = revokedInWords(certificate);
  const soft = (text: string): Line => ({ text, look: "soft" });
  return [
    { text: shortName(subject), look: "name" },
    soft(standingInWords(certificate)),
    soft(`${key}, ${notBefore.slice(0, 10)} to ${notAfter.slice(0, 10)}`),
    ...(revoked === undefined ? [] : [{ text: revoked, look: "bad" } as const]),
    ...lists.map((list) => soft(listInWords(list))),
  ];
}

function levelHeights(placed: readonly Placed[]): readonly number[] {
  if (placed.length === 0) return [];
  const tallest = Math.max(...placed.map(({ lines }) => boxHeight(lines)));
  return [tallest, ...levelHeights(placed.flatMap(({ children }) => children))];
}

function boxHeight(lines: readonly Line[]): number {
  return 2 * PAD + lines.length * LINE;
}

/** How far down a branch comes, from the top of the first level. */
function reach(
  { lines, children, stack }: Placed,
  heights: readonly number[],
  top: number,
): number {
  const below = top + (heights[0] ?? 0) + LEVEL_GAP;
  return Math.max(
    top + boxHeight(lines),
    ...children.map((child) => reach(child, heights.slice(1), below)),
    ...stack.slice(0, 1).map(() => below + stackHeight(stack)),
  );
}

function stackHeight(stack: readonly Placed[]): number {
  return stack.reduce((sum, { lines }) => sum + boxHeight(lines) + STACK_GAP, -STACK_GAP);
}

interface Sheet {
  readonly heights: readonly number[];
  readonly level: number;
  readonly shift: number;
  readonly wrong: ReadonlySet<string>;
}

function boxes(placed: Placed, sheet: Sheet): Html {
  const { lines, children, stack } = placed;
  const { heights, level, shift, wrong } = sheet;
  const x = placed.x + shift;
  const y = EDGE + heights.slice(0, level).reduce((sum, one) => sum + one + LEVEL_GAP, 0);
  const bottom = y + boxHeight(lines);
  const nextY = y + (heights[level] ?? 0) + LEVEL_GAP;
  const arrows = children.map((child) =>
    arrow(x + BOX / 2, bottom, child.x + shift + BOX / 2, nextY),
  );
  let at = nextY;
  const stacked = stack.map((leaf) => {
    const [top, leafX] = [at, leaf.x + shift];
    at += boxHeight(leaf.lines) + STACK_GAP;
    const middle = top + boxHeight(leaf.lines) / 2;
    // One line leads along the whole stack: drawn once for each box it would get thicker.
    const from =
      leaf === stack.at(-1)
        ? `M${x + BOX / 2},${bottom} V${nextY - LEVEL_GAP / 2} H${leafX - INDENT / 2} V${middle}`
        : `M${leafX - INDENT / 2},${middle}`;
    return html`${sideArrow(from, leafX, middle)} ${box(leaf, leafX, top, wrong)}`;
  });
  return html`${arrows} ${box(placed, x, y, wrong)} ${stacked}
  ${children.map((child) => boxes(child, { ...sheet, level: level + 1 }))}`;
}

function box({ branch, lines }: Placed, x: number, y: number, wrong: ReadonlySet<string>): Html {
  return html`<g class="${looksOf(branch.certificate, wrong)}">
    <title>${branch.certificate.subject} [${branch.certificate.file}]</title>
    <rect class="box" x="${x}" y="${y}" width="${BOX}" height="${boxHeight(lines)}" rx="4" />
    ${lines.map(
      ({ text, look }, at) =>
        html`<text class="${look}" x="${x + PAD}" y="${y + PAD + LINE * (at + 0.75)}">
          ${clipped(text, CHARACTERS[look])}
        </text>`,
    )}
  </g>`;
}

function looksOf({ standing, revoked, file }: CertificatePart, wrong: ReadonlySet<string>): string {
  const kinds = {
    root: "root",
    cross: "cross",
    subordinate: "ca",
    "ocsp-responder": "leaf",
    "end-entity": "leaf",
  };
  const looks = [
    kinds[standing],
    revoked === null ? "" : "revoked",
    wrong.has(file) ? "wrong" : "",
  ];
  return looks.filter((look) => look !== "").join(" ");
}

function arrow(fromX: number, fromY: number, toX: number, toY: number): Html {
  const middle = toY - LEVEL_GAP / 2;
  const head = `M${toX - 4},${toY - 7} L${toX},${toY - 1} L${toX + 4},${toY - 7}`;
  return html`<path d="M${fromX},${fromY} V${middle} H${toX} V${toY - 1} ${head}" />`;
}

/** To the left side of a box in a stack. */
function sideArrow(from: string, toX: number, toY: number): Html {
  const head = `M${toX - 7},${toY - 4} L${toX - 1},${toY} L${toX - 7},${toY + 4}`;
  return html`<path d="${from} H${toX - 1} ${head}" />`;
}

function clipped(text: string, most: number): string {
  const characters = Array.from(text);
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join("")}…`;
}
