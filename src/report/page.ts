/**
 * Pages for people who would rather look than read: one self-contained HTML file, no network, good on
 * screen and on paper. Text enters through the `html` tag only, so nothing in it can become markup.
 */

import { base64, sha256, visible } from "../lib/encoding.ts";
import { PAGE_STYLE } from "./page-style.ts";

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
  /** The one script that may run, ours, and what it reads as JSON text; see `dataText`. */
  readonly script?: string;
  readonly data?: { readonly id: string; readonly json: string };
}

/**
 * JSON as the content of an element that only holds data: no `<` in it can end the element, and who reads the file in
 * an editor is not deceived by characters that reorder or hide.
 */
export function dataText(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (char) =>
      `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}${char.length > 1 ? `\\u${char.charCodeAt(1).toString(16)}` : ""}`,
  );
}

// Everything is in the file: nothing may be fetched, and nothing but these very bytes may style or run.
function policy(style: string, script: string): string {
  const allow = (text: string): string => `'sha256-${base64(sha256(text))}'`;
  const scripts = script === "" ? "" : `; script-src ${allow(script)}`;
  return `default-src 'none'; style-src ${allow(style)}${scripts}; img-src data:; base-uri 'none'; form-action 'none'`;
}

/** The whole document. */
export function pageText({ title, brand, body, style = "", script = "", data }: Page): string {
  const rules = PAGE_STYLE + style;
  // Elements whose digest the policy names hold exactly that text, without any white space around it.
  const styling = new Html(`<style>${rules}</style>`);
  const carried = new Html(
    data === undefined
      ? ""
      : `<script type="application/json" id="${data.id}">${data.json}</script>`,
  );
  const running = new Html(script === "" ? "" : `<script>${script}</script>`);
  const document = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${new Html(policy(rules, script))}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        ${styling}
      </head>
      <body>
        ${brand === "" ? "" : html`<span class="brand">${brand}</span>`} ${body}
        ${carried}${running}
      </body>
    </html> `;
  return document.markup;
}
