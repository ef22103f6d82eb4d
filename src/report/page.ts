/**
 * Pages for people who would rather look than read: one self-contained HTML file, no network, good on
 * screen and on paper. Text enters through the `html` tag only, so nothing in it can become markup.
 */

import { visible } from "../lib/encoding.ts";

const MARKUP: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Markup that is known to be ours. */
export class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }
}

export type Part = Html | string | number | readonly Part[];

/** A template whose values are escaped, unless they are `Html` themselves; lists are joined. */
export function html(strings: TemplateStringsArray, ...values: readonly Part[]): Html {
  const rest = values.map((value, i) => `${markupOf(value)}${strings[i + 1] ?? ""}`);
  return new Html(`${strings[0] ?? ""}${rest.join("")}`);
}

function markupOf(part: Part): string {
  if (part instanceof Html) return part.markup;
  if (typeof part === "object") return part.map(markupOf).join("");
  // Control and bidi characters are made visible first: a page must not say other than it shows.
  return visible(String(part)).replace(/[&<>"']/g, (c) => MARKUP[c] ?? c);
}

export interface Page {
  readonly title: string;
  /** A word across the top of every printed sheet, e.g. TEST; empty for none. */
  readonly brand: string;
  readonly body: Html;
  /** Rules beyond the common style; ours, never data. */
  readonly style?: string;
}

// Everything is in the file, and nothing else may be fetched or run.
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

const STYLE = `
:root { --ink: #1b1f24; --soft: #5b6570; --line: #c9d0d8; --wash: #f3f5f7; --accent: #0b5d6b; --bad: #a3221b; --good: #1d6b35; }
* { box-sizing: border-box; }
html { font: 15px/1.5 "Source Sans 3", "Segoe UI", "Helvetica Neue", Arial, sans-serif; color: var(--ink); background: #e7eaee; }
body { max-width: 62rem; margin: 2rem auto; padding: 2.5rem 3rem; background: #fff; box-shadow: 0 1px 6px #0002; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .35rem; letter-spacing: -.01em; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; padding-bottom: .25rem; border-bottom: 2px solid var(--accent); }
p { margin: .4rem 0; } .soft { color: var(--soft); }
code, .hex { font: .86em/1.55 "JetBrains Mono", "DejaVu Sans Mono", Consolas, monospace; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; margin: .6rem 0 1rem; }
th, td { text-align: left; vertical-align: top; padding: .42rem .6rem; border: 1px solid var(--line); }
th { background: var(--wash); font-size: .82rem; letter-spacing: .03em; text-transform: uppercase; color: var(--soft); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.2rem; margin: .6rem 0; }
dt { color: var(--soft); } dd { margin: 0; }
.brand { float: right; border: 2px solid var(--bad); color: var(--bad); padding: .1rem .6rem; font-weight: 700; letter-spacing: .12em; }
.n { width: 2.6rem; text-align: right; font-variant-numeric: tabular-nums; }
.blank { min-width: 5.2rem; } td.box { width: 2.4rem; text-align: center; font-size: 1.25rem; line-height: 1; }
.ink td { height: 2.7rem; } .bad { color: var(--bad); } .good { color: var(--good); }
footer { margin-top: 2.5rem; padding-top: .6rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .85rem; }
@media print {
  html { font-size: 10.5pt; background: none; } body { margin: 0; padding: 0; max-width: none; box-shadow: none; }
  h2 { break-after: avoid; } tr, figure { break-inside: avoid; } thead { display: table-header-group; }
  @page { size: A4; margin: 16mm 14mm 18mm; }
}
`;

/** The whole document. */
export function pageText({ title, brand, body, style = "" }: Page): string {
  const document = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${new Html(POLICY)}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <style>
          ${new Html(STYLE + style)}
        </style>
      </head>
      <body>
        ${brand === "" ? "" : html`<span class="brand">${brand}</span>`} ${body}
      </body>
    </html> `;
  return document.markup;
}
