/** Says on the page what its check of itself found: what was checked, how often, and what is wrong where. */

import { spokenWords } from "../../lib/spoken-words.ts";
import { visible } from "../../lib/visible.ts";
import { fromHex } from "./bytes.ts";
import type { PageDocument, PageElement } from "./dom.ts";
import type { Check, Findings, ShownValue } from "./evidence.ts";

const MOST_NAMED = 20;
const FORMS = ["hex", "words", "clock"] as const;

/** The values on the page that claim to stand in an entry. */
export function shownValues(document: PageDocument): readonly ShownValue[] {
  return Array.from(document.querySelectorAll("[data-at]"), (element) => {
    const form = FORMS.find((one) => one === element.getAttribute("data-as"));
    return {
      text: element.textContent ?? "",
      seq: Number(element.getAttribute("data-seq")),
      at: element.getAttribute("data-at") ?? "",
      form: form ?? "text",
    };
  });
}

/** Fills the panel; the document's `data-self-check` then says `verified` or `broken`. */
export function showFindings(document: PageDocument, panel: PageElement, found: Findings): void {
  const make = (
    name: string,
    className: string,
    ...children: readonly (PageElement | string)[]
  ) => {
    const element = document.createElement(name);
    element.className = className;
    element.append(...children);
    return element;
  };
  const wrong = found.checks.reduce((sum, { problems }) => sum + problems.length, 0);
  document.documentElement.setAttribute("data-self-check", wrong === 0 ? "verified" : "broken");
  if (wrong > 0) voidVerdict(document);
  panel.className = wrong === 0 ? "panel self good-panel" : "panel self bad-panel";
  const list = make("ul", "checks", ...found.checks.map((check) => checkItem(make, check)));
  panel.replaceChildren(
    make("h2", "panel-title", "This page, checked by itself"),
    make("p", "word", wrong === 0 ? "HOLDS TOGETHER" : "DOES NOT HOLD TOGETHER"),
    make("p", "", headline(found, wrong)),
    list,
    ...anchor(make, found),
    make("p", "soft small", limits(found)),
  );
}

/** A verdict in green must not stand beside a page that does not hold together. */
export function voidVerdict(document: PageDocument): void {
  const panel = document.getElementById("verdict");
  const word = document.getElementById("verdict-word");
  if (panel !== null) panel.className = "panel bad-panel";
  if (word !== null) word.textContent = "NOT TO BE RELIED ON";
}

type Make = (
  name: string,
  className: string,
  ...children: readonly (PageElement | string)[]
) => PageElement;

function headline({ size }: Findings, wrong: number): string {
  if (wrong === 0) return `Computed just now from the ${size} entries' bytes in this file.`;
  const things = wrong === 1 ? "1 thing is" : `${wrong} things are`;
  return `${things} wrong. Do not rely on anything that this page says.`;
}

function checkItem(make: Make, { name, what, count, problems }: Check): PageElement {
  const ok = problems.length === 0;
  const item = make("li", ok ? "ok" : "wrong");
  item.setAttribute("data-check", name);
  item.setAttribute("data-count", String(count));
  item.append(
    make("b", "mark", ok ? "✓" : "✗"),
    ` ${count} ${what}${ok ? "" : `: ${problems.length} wrong`}`,
  );
  if (ok) return item;
  const named = problems.slice(0, MOST_NAMED).map((text) => make("li", "problem", visible(text)));
  const more = problems.length - MOST_NAMED;
  if (more > 0) named.push(make("li", "problem", `and ${more} more`));
  item.append(make("ul", "problems", ...named));
  return item;
}

// What nobody can compute from the page alone has to be compared with paper.
function anchor(make: Make, { genesis }: Findings): readonly PageElement[] {
  if (genesis === null) return [];
  const words = spokenWords(fromHex(genesis) ?? new Uint8Array()).join(" ");
  return [
    make("p", "small", "Compare with the genesis sheet that was signed in ink:"),
    make("p", "words-line", words),
  ];
}

function limits({ hashes, signatures }: Findings): string {
  const by =
    hashes === "browser" && signatures === "browser"
      ? "Hashes and signatures by the browser."
      : "This browser lacks what is needed, so a slower script in the page computed it.";
  return `${by} Without the sheet the page cannot say whose ledger this is, nor whether its end was cut off; whoever can change the page can change its script. An auditor runs keyrite verify, or docs/verify.py.`;
}
