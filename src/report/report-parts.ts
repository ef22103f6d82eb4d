/** Small parts that every section of a report page uses. */

import { fromHex, groupedHex } from "../lib/encoding.ts";
import { spokenWords } from "../lib/words.ts";
import { Html, html, type Part } from "./page.ts";
import type { Report } from "./report-types.ts";

export interface PageContext {
  readonly report: Report;
  /** Whether the page carries an entry, so that what it shows of it can be compared. */
  readonly carries: (seq: number) => boolean;
}

export type ValueForm = "text" | "hex" | "words";

/** What a value is the copy of: a member of an entry, or with index -1 what the page computes itself. */
export interface Source {
  readonly seq: number | null;
  readonly at: string;
}

/** A value that stands in an entry, marked so that the page can compare the two. */
export function valueOf(
  { carries }: Pick<PageContext, "carries">,
  value: string,
  { seq, at }: Source,
  form: ValueForm = "text",
): Html {
  const text = written(value, form);
  if (seq === null || (seq !== -1 && !carries(seq))) return html`${text}`;
  return new Html(
    html`<span data-seq="${seq}" data-at="${at}" data-as="${form}">${text}</span>`.markup,
  );
}

function written(value: string, form: ValueForm): string {
  switch (form) {
    case "text":
      return value;
    case "hex":
      return groupedHex(value);
    case "words":
      return spokenWords(fromHex(value) ?? new Uint8Array()).join(" ");
  }
}

/** A word that must not be overlooked: the colour only repeats what the word says. */
export function chip(word: string, tone: "good" | "bad" | "warn" | "soft"): Html {
  return html`<span class="chip ${tone}">${word}</span>`;
}

/** `2026-11-24 03:40:27 UTC`, or a dash. */
export function dateTime(time: string | null): string {
  return time === null || time === "" ? "–" : `${time.slice(0, 10)} ${time.slice(11, 19)} UTC`;
}

/** `03:40:27.950`: time of the day alone, for steps of a ceremony whose date stands above. */
export function clockTime(time: string | null): string {
  return time === null ? "–" : time.slice(11, 23);
}

/** Rows of a definition list; a value that nobody recorded says so. */
export function facts(rows: readonly (readonly [string, Part])[]): Html {
  return html`<dl>
    ${rows.map(
      ([name, value]) =>
        html`<dt>${name}</dt>
          <dd>${value === "" ? html`<span class="warn">not recorded</span>` : value}</dd>`,
    )}
  </dl>`;
}

export function hexLine(digest: string): Html {
  return html`<span class="hex">${groupedHex(digest)}</span>`;
}

/** The first 16 digits: enough to find a thing in a table, never to compare it. */
export function shortHex(digest: string): Html {
  return html`<span class="hex short" title="${digest}"
    >${groupedHex(digest.slice(0, 16))} …</span
  >`;
}

export function table(
  head: readonly (string | Html)[],
  rows: readonly (readonly Part[])[],
  className = "",
): Html {
  return html`<table class="${className}">
    <thead>
      <tr>
        ${head.map((cell) => html`<th>${cell}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (row) =>
          html`<tr>
            ${row.map((cell) => html`<td>${cell}</td>`)}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

export function list(items: readonly Part[], none: string): Html {
  if (items.length === 0) return html`<p>${none}</p>`;
  return html`<ul class="plain">
    ${items.map((item) => html`<li>${item}</li>`)}
  </ul>`;
}
