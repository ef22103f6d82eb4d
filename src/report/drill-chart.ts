/** The phases of a drill as a chart: bars along one time line, drawn as SVG that needs no network. */

import type { DrillPhase, PhaseName } from "../ceremony/drill-report.ts";
import { durationText, ticks } from "./duration.ts";
import { html, type Html } from "./page.ts";

export const PHASE_TITLES: Readonly<Record<PhaseName, string>> = {
  room: "Roll call, clock, statements",
  activation: "Activation (people)",
  kek: "KEK",
  checks: "Checks before any unwrap",
  restore: "Restore and proof",
  destruction: "Destruction of the copies",
};

const WIDTH = 900;
const LABELS = 210;
const VALUES = 120;
const ROW = 38;
const BAR = 20;
const TOP = 34;
const BOTTOM = 14;

/** Colours that differ in print without colour too: people are hatched, machines are solid. */
export const CHART_STYLE = `
figure { margin: .8rem 0 1.2rem; } figcaption { color: var(--soft); font-size: .85rem; margin-top: .3rem; }
svg.chart { width: 100%; height: auto; display: block; font: 13px "Source Sans 3", "Segoe UI", Arial, sans-serif; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
.chart text { fill: var(--ink); } .chart .tick { fill: var(--soft); font-size: 11px; } .chart .value { font-variant-numeric: tabular-nums; }
.chart .grid { stroke: var(--line); stroke-width: 1; } .chart .lane { fill: var(--wash); }
.chart .machine { fill: var(--accent); } .chart .people { fill: url(#hatch); stroke: var(--accent); stroke-width: 1; }
.hatch-ground { fill: var(--paper); } .hatch-line { stroke: var(--accent); stroke-width: 3; }
.chart .limit { stroke: var(--bad); stroke-width: 2; stroke-dasharray: 6 4; } .chart .limit-text { fill: var(--bad); font-weight: 600; }
`;

export interface ChartInput {
  readonly phases: readonly DrillPhase[];
  /** Allowed time of recovery in milliseconds, drawn as a line when it is in reach. */
  readonly limit: number | null;
}

/** One figure; an empty one says that nothing was measured. */
export function drillChart({ phases, limit }: ChartInput): Html {
  const total = phases.reduce((sum, { people, machine }) => sum + people + machine, 0);
  if (total === 0) return html`<p class="soft">No phase was measured.</p>`;
  const span = limit !== null && limit <= 2 * total ? Math.max(total, limit) : total;
  const scale = (WIDTH - LABELS - VALUES) / span;
  const height = TOP + phases.length * ROW + BOTTOM;
  let start = 0;
  const rows = phases.map((phase, index) => {
    const row = phaseRow(phase, { start, scale, y: TOP + index * ROW });
    start += phase.people + phase.machine;
    return row;
  });
  return html`<figure>
    <svg
      class="chart"
      viewBox="0 0 ${WIDTH} ${height}"
      role="img"
      aria-label="Duration of each phase of the drill"
    >
      <defs>
        <pattern
          id="hatch"
          width="6"
          height="6"
          patternUnits="userSpaceOnUse"
          patternTransform="rotate(45)"
        >
          <rect class="hatch-ground" width="6" height="6" />
          <line class="hatch-line" x1="0" y1="0" x2="0" y2="6" />
        </pattern>
      </defs>
      ${phases.map((_, index) => lane(index))}
      ${ticks(span).map((at) => tickMark(at, LABELS + at * scale, height))} ${rows}
      ${limit !== null && limit <= span ? limitMark(limit, LABELS + limit * scale, height) : ""}
    </svg>
    <figcaption>
      Time from the roll call on, phase after phase. Solid: reading, checking and the HSM. Hatched:
      people agreeing and opening their
      identities.${
        limit !== null && limit > span
          ? html` The allowed ${durationText(limit)} lie beyond the right edge.`
          : ""
      }
    </figcaption>
  </figure>`;
}

function lane(index: number): Html {
  const y = TOP + index * ROW + (ROW - BAR) / 2;
  return html`<rect
    class="lane"
    x="${LABELS}"
    y="${y}"
    width="${WIDTH - LABELS - VALUES}"
    height="${BAR}"
    rx="3"
  />`;
}

function tickMark(at: number, x: number, height: number): Html {
  const place = fixed(x);
  return html`<line
      class="grid"
      x1="${place}"
      y1="${TOP - 6}"
      x2="${place}"
      y2="${height - BOTTOM + 4}"
    /><text class="tick" x="${place}" y="${TOP - 12}" text-anchor="middle"
      >${at === 0 ? "0" : durationText(at)}</text
    >`;
}

function phaseRow(
  { name, people, machine }: DrillPhase,
  { start, scale, y }: { readonly start: number; readonly scale: number; readonly y: number },
): Html {
  const top = y + (ROW - BAR) / 2;
  const text = y + ROW / 2 + 4.5;
  const from = LABELS + start * scale;
  // Nothing that happened is invisible, however short it was.
  const width = (ms: number): number => (ms === 0 ? 0 : Math.max(1.5, ms * scale));
  const bar = (kind: string, x: number, ms: number): Html | "" =>
    ms === 0
      ? ""
      : html`<rect
          class="${kind}"
          x="${fixed(x)}"
          y="${fixed(top)}"
          width="${fixed(width(ms))}"
          height="${BAR}"
          rx="2"
        />`;
  return html`<g
    ><title>
      ${PHASE_TITLES[name]}: ${durationText(people + machine)}, of which people
      ${durationText(people)}
    </title>
    <text x="0" y="${fixed(text)}">${PHASE_TITLES[name]}</text>
    ${bar("people", from, people)}${bar("machine", from + width(people), machine)}
    <text class="value" x="${WIDTH}" y="${fixed(text)}" text-anchor="end"
      >${durationText(people + machine)}</text
    ></g
  >`;
}

function limitMark(limit: number, x: number, height: number): Html {
  const place = fixed(x);
  return html`<line
      class="limit"
      x1="${place}"
      y1="${TOP - 4}"
      x2="${place}"
      y2="${height - BOTTOM + 6}"
    /><text class="limit-text" x="${fixed(x - 5)}" y="${height - 2}" text-anchor="end"
      >allowed ${durationText(limit)}</text
    >`;
}

function fixed(value: number): string {
  return value.toFixed(1);
}
