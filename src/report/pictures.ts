/** The pictures of a report as inline SVG: the course of time, where copies lie, and how many people open what. */

import { parseTimestamp } from "../lib/clock.ts";
import { durationText, ticks } from "./duration.ts";
import { html, type Html } from "./page.ts";
import type { CeremonyPart, KekPart, PlacePart, ShareSetPart, StepPart } from "./report-types.ts";

const WIDTH = 940;
const LABELS = 220;
const ROW = 22;
const TOP = 28;

/** One lane a step: hatched while people read and agree, solid while the machine works. */
export function timelinePicture({ steps, openedAt, endedAt }: CeremonyPart): Html {
  const from = parseTimestamp(openedAt) ?? 0;
  const last = steps.map(({ endedAt: at }) => parseTimestamp(at ?? "") ?? 0);
  const total = Math.max(parseTimestamp(endedAt ?? "") ?? 0, ...last) - from;
  const performed = steps.filter((step) => step.openedAt !== null);
  if (total <= 0 || performed.length === 0) return html`<p class="soft">Nothing was timed.</p>`;
  const scale = (WIDTH - LABELS - 16) / total;
  const height = TOP + performed.length * ROW + 6;
  const place = (at: string | null): number =>
    LABELS + ((parseTimestamp(at ?? "") ?? from) - from) * scale;
  return html`<figure>
    <svg
      class="picture"
      viewBox="0 0 ${WIDTH} ${height}"
      role="img"
      aria-label="Time line of the steps"
    >
      <defs>
        <pattern
          id="hatch"
          width="5"
          height="5"
          patternUnits="userSpaceOnUse"
          patternTransform="rotate(45)"
        >
          <rect class="hatch-ground" width="5" height="5" />
          <line class="hatch-line" x1="0" y1="0" x2="0" y2="5" />
        </pattern>
      </defs>
      ${ticks(total).map((at) => tick(at, LABELS + at * scale, height))}
      ${performed.map((step, row) => timelineRow(step, TOP + row * ROW, place))}
    </svg>
    <figcaption>
      From the opening on, ${durationText(total)} in all. Hatched: people read, open their
      identities and agree. Solid: the act itself.
    </figcaption>
  </figure>`;
}

function tick(at: number, x: number, height: number): Html {
  return html`<line class="grid" x1="${fixed(x)}" y1="${TOP - 6}" x2="${fixed(x)}" y2="${height}" />
    <text class="faint" x="${fixed(x)}" y="${TOP - 12}" text-anchor="middle">
      ${at === 0 ? "0" : durationText(at)}
    </text>`;
}

function timelineRow(step: StepPart, y: number, place: (at: string | null) => number): Html {
  const { n, id, openedAt, begunAt, endedAt, outcome } = step;
  const [start, middle, end] = [
    place(openedAt),
    place(begunAt ?? endedAt ?? openedAt),
    place(endedAt ?? begunAt ?? openedAt),
  ];
  const bar = (kind: string, from: number, to: number): Html =>
    // Nothing that happened is invisible, however short it was.
    html`<rect
      class="${kind}"
      x="${fixed(from)}"
      y="${y + 5}"
      width="${fixed(Math.max(1.5, to - from))}"
      height="12"
      rx="1.5"
    />`;
  return html`<g>
    <rect
      class="lane"
      x="${LABELS}"
      y="${y + 5}"
      width="${WIDTH - LABELS - 16}"
      height="12"
      rx="2"
    />
    <text class="faint" x="24" y="${y + 15}" text-anchor="end">${n}</text>
    <text x="34" y="${y + 15}">${clipped(id, 26)}</text>
    ${bar("people-bar", start, middle)}${bar(outcome === "completed" ? "machine" : "failed", middle, end)}
  </g>`;
}

const CARD = 280;
const LINE = 17;
const MOST_LINES = 8;

interface Card {
  readonly place: PlacePart;
  readonly lines: readonly string[];
  readonly height: number;
  readonly y: number;
}

/** HSMs on the left, vaults on the right; a curve where a key on an HSM is also in a backup there. */
export function custodyPicture(places: readonly PlacePart[], keks: readonly KekPart[]): Html {
  const tokens = stacked(
    places.filter(({ kind }) => kind === "token"),
    keks,
  );
  const vaults = stacked(
    places.filter(({ kind }) => kind === "vault"),
    keks,
  );
  if (tokens.length === 0) return html`<p class="soft">No HSM was in custody.</p>`;
  const height = Math.max(...[...tokens, ...vaults].map((card) => card.y + card.height)) + 12;
  const right = WIDTH - CARD;
  const curves = tokens.flatMap((from) =>
    vaults
      .filter((to) => to.place.keys.some((key) => from.place.keys.includes(key)))
      .map((to) => curve(from, to, right)),
  );
  return html`<figure>
    <svg
      class="picture"
      viewBox="0 0 ${WIDTH} ${height}"
      role="img"
      aria-label="Where keys and their copies lie"
    >
      <text class="faint" x="0" y="14">HSMs</text>
      <text class="faint" x="${right}" y="14">
        ${vaults.length === 0 ? "No backup in any vault" : "Vaults with wrapped keys"}
      </text>
      ${curves} ${tokens.map((card) => cardPicture(card, 0))}
      ${vaults.map((card) => cardPicture(card, right))}
    </svg>
    <figcaption>
      Every place that holds a key at the end of this report. A curve joins an HSM with a vault
      where the same key lies, wrapped. No wrapped key is in this file.
    </figcaption>
  </figure>`;
}

function stacked(places: readonly PlacePart[], keks: readonly KekPart[]): readonly Card[] {
  let y = 24;
  return places.map((place) => {
    const shown = place.keys.slice(0, MOST_LINES).map((key) => `key ${key}`);
    const more = place.keys.length - shown.length;
    const opens = keks.filter(
      ({ tokens }) => place.kind === "token" && tokens.includes(place.name),
    );
    const lines = [
      ...(shown.length === 0 ? ["no key"] : shown),
      ...(more > 0 ? [`and ${more} more`] : []),
      ...opens.map(({ kek }) => `opens KEK ${kek}`),
    ];
    const height = 62 + lines.length * LINE;
    const card = { place, lines, height, y };
    y += height + 14;
    return card;
  });
}

function cardPicture({ place, lines, height, y }: Card, x: number): Html {
  const { kind, name, site, offSite, container } = place;
  const said = [offSite ? "OFF SITE" : "on site", site, container].filter((part) => part !== null);
  const where = site === null && container === null ? ["nobody recorded where it is"] : said;
  return html`<g>
    <rect class="card-box" x="${x + 0.5}" y="${y}" width="${CARD - 1}" height="${height}" rx="4" />
    <rect class="card-head" x="${x + 1}" y="${y + 1}" width="${CARD - 2}" height="44" rx="4" />
    <text class="strong" x="${x + 14}" y="${y + 19}"
      >${kind === "token" ? "HSM" : "Vault"} ${name}</text
    >
    <text class="faint" x="${x + 14}" y="${y + 36}">${clipped(where.join(" · "), 44)}</text>
    ${lines.map(
      (line, i) =>
        html`<circle class="dot" cx="${x + 18}" cy="${y + 60 + i * LINE}" r="2.6" />
          <text x="${x + 28}" y="${y + 64.5 + i * LINE}">${clipped(line, 36)}</text>`,
    )}
  </g>`;
}

function curve(from: Card, to: Card, right: number): Html {
  const [y1, y2] = [from.y + 23, to.y + 23];
  const middle = (CARD + right) / 2;
  return html`<path
    class="flow"
    d="M${CARD} ${y1} C${middle} ${y1} ${middle} ${y2} ${right} ${y2}"
  />`;
}

/** People as circles; as many are filled as it takes to open. Which of them does not matter. */
export function quorumPicture(set: ShareSetPart): Html {
  const { threshold, holders, purpose, token } = set;
  const gap = Math.min(46, 300 / holders.length);
  const what =
    purpose === "kek"
      ? "the escrowed KEK"
      : `${purpose === "activation" ? "the PIN" : "the SO PIN"} of ${token}`;
  return html`<figure>
    <svg
      viewBox="0 0 400 92"
      width="400"
      role="img"
      aria-label="${threshold} of ${holders.length} open ${what}"
    >
      ${holders.map((holder, i) => {
        const x = 24 + i * gap;
        const filled = i < threshold;
        return html`<circle class="${filled ? "filled" : "ring"}" cx="${fixed(x)}" cy="26" r="17" />
          <text
            class="${filled ? "on-dot" : "on-ring"}"
            x="${fixed(x)}"
            y="30"
            text-anchor="middle"
          >
            ${holder.slice(0, 4)}
          </text>`;
      })}
      <text class="strong" x="6" y="68">
        any ${threshold} of ${holders.length} open ${clipped(what, 36)}
      </text>
      <text class="faint" x="6" y="85">
        set ${set.set}, generation ${set.generation}${set.current ? "" : ", not in use"}
      </text>
    </svg>
  </figure>`;
}

/** A QR code as one path, with its quiet zone. */
export function qrPicture(modules: readonly (readonly boolean[])[], about: string): Html {
  const size = modules.length + 8;
  const path = modules.flatMap((row, y) =>
    row.flatMap((dark, x) => (dark ? [`M${x + 4} ${y + 4}h1v1h-1z`] : [])),
  );
  return html`<svg
    class="qr"
    viewBox="0 0 ${size} ${size}"
    shape-rendering="crispEdges"
    role="img"
    aria-label="${about}"
  >
    <path d="${path.join("")}" />
  </svg>`;
}

function clipped(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

function fixed(value: number): string {
  return value.toFixed(1);
}
