/** The first screen of a report: what it is about, the verdict, the page's check of itself, the numbers. */

import type { Missing } from "../ceremony/conformance-report.ts";
import { html, type Html } from "./page.ts";
import { dateTime, list } from "./report-parts.ts";
import type { CeremonyPart, Report, VerdictPart } from "./report-types.ts";

export function header(report: Report): Html {
  const [only] = report.ceremonies;
  const site = report.scope === "site" || only === undefined;
  return html`<header>
    <p class="eyebrow">${site ? "Site report" : "Ceremony report"} · ${report.origin}</p>
    <h1>${site ? "Everything on record" : only.title}</h1>
    <p class="lead">
      ${
        site
          ? `${report.ceremonies.length} ceremonies up to ${dateTime(report.head.time)}`
          : `${only.id}, ${dateTime(only.openedAt)} to ${dateTime(only.endedAt)}, ${stateText(only)}`
      }
    </p>
  </header>`;
}

function stateText({ state }: CeremonyPart): string {
  switch (state) {
    case "open":
      return "still open";
    case "closed":
      return "closed";
    case "abandoned":
      return "abandoned";
  }
}

const TONES: Readonly<Record<VerdictPart["verdict"], string>> = {
  CONFORMS: "good-panel",
  "CONFORMS WITH DEVIATIONS": "warn-panel",
  "CANNOT TELL": "warn-panel",
  "DOES NOT CONFORM": "bad-panel",
};

export function panels(report: Report): Html {
  return html`<div class="panels">
    ${verdictPanel(report)}
    <section class="panel self" id="self-check">
      <h2>This page, checked by itself</h2>
      <p class="word">NOT CHECKED</p>
      <p>
        Open this file in a browser with scripts switched on: it computes tree, checkpoint,
        cosignatures and agreements again, from the bytes that it carries.
      </p>
    </section>
  </div>`;
}

function verdictPanel(report: Report): Html {
  const { conformance, scope } = report;
  if (conformance === null) {
    return html`<section class="panel warn-panel" id="verdict">
      <h2>Verdict</h2>
      <p class="word">NOT JUDGED</p>
    </section>`;
  }
  const { verdict, violations, exceptions, missing } = conformance;
  const deviating = exceptions.filter(({ deviates }) => deviates);
  return html`<section class="panel ${TONES[verdict]}" id="verdict">
    <h2>Was it performed as written?</h2>
    <p class="word" id="verdict-word">${verdict}</p>
    <p>${verdictText(conformance, scope)}</p>
    ${violations.length === 0 ? "" : list(firstOf(violations.map(({ text }) => text)), "")}
    ${deviating.length === 0 ? "" : list(firstOf(deviating.map(({ text }) => text)), "")}
    ${missing.length === 0 ? "" : list(firstOf(missing.map((one) => missingText(one, verdict))), "")}
    ${verdict === "DOES NOT CONFORM" ? "" : verifiedList(report)}
    <p class="soft small">Judged by keyrite from the whole ledger, not by this page.</p>
  </section>`;
}

function missingText({ text, remedy }: Missing, verdict: VerdictPart["verdict"]): string {
  return verdict === "CANNOT TELL" ? `${text}: ${remedy}` : `not excluded: ${text}`;
}

/** What the verdict rests on, each with what was found. */
function verifiedList({ ceremonies, conformance }: Report): Html {
  const steps = ceremonies.flatMap((one) => one.steps);
  const agreed = steps.filter((step) => step.agreed > 0).length;
  const rows: readonly (readonly [boolean | null, string])[] = [
    [conformance?.anchored ?? false, "the ledger is the one on the genesis sheet"],
    [all(ceremonies.map((one) => one.asWritten)), "the plan is what comes out of the script"],
    [agreed > 0, `${agreed} steps with the agreements they need`],
    [all(ceremonies.map((one) => one.custodyAgrees)), "custody is what the entries establish"],
    [all(ceremonies.map((one) => one.cosigners.length > 1)), "two people or more cosigned the end"],
  ];
  return html`<ul class="verified">
    ${rows.map(
      ([ok, text]) =>
        html`<li class="${ok === true ? "ok" : "wrong"}">
          <b class="mark">${ok === true ? "✓" : ok === null ? "?" : "✗"}</b> ${text}
        </li>`,
    )}
  </ul>`;
}

/** True when all are; null when one could not be told and none is false. */
function all(values: readonly (boolean | null)[]): boolean | null {
  if (values.includes(false)) return false;
  return values.includes(null) ? null : true;
}

function verdictText({ verdict, anchored }: VerdictPart, scope: Report["scope"]): string {
  const what = scope === "site" ? "every ceremony" : "every step of the script";
  switch (verdict) {
    case "CONFORMS":
      return `By the people and in the order required: ${what}. The ledger is the trusted one.`;
    case "CONFORMS WITH DEVIATIONS":
      return `By the people required: ${what}, but for what is recorded here.`;
    case "CANNOT TELL":
      return anchored
        ? "Nothing speaks against it, but something that a verdict needs is missing:"
        : "Nothing speaks against it, but nothing outside the ledger vouches for it either:";
    case "DOES NOT CONFORM":
      return "The record breaks a rule:";
  }
}

function firstOf(texts: readonly string[]): readonly string[] {
  const more = texts.length - 6;
  return more > 0 ? [...texts.slice(0, 6), `and ${more} more, below`] : texts;
}

export function tiles(report: Report): Html {
  const { ceremonies, head, keys, keysLeftOut } = report;
  const steps = ceremonies.flatMap((ceremony) => ceremony.steps);
  const people = new Set(ceremonies.flatMap(({ attending }) => attending.map((a) => a.person)));
  const done = steps.filter(({ outcome }) => outcome === "completed").length;
  const deviations = ceremonies.flatMap(({ events }) =>
    events.filter(({ kind }) => kind === "deviation.recorded"),
  ).length;
  const tile = (value: number | string, what: string): Html =>
    html`<div><b>${value}</b><span>${what}</span></div>`;
  return html`<div class="tiles">
      ${tile(`${done} / ${steps.length}`, "steps completed")}
      ${tile(people.size, "people at the roll call")}
      ${tile(keys.length + keysLeftOut, report.scope === "site" ? "keys in custody" : "keys touched")}
      ${tile(deviations, "deviations")}
    </div>
    <p class="soft small">
      Entries 0 to ${head.size - 1} of the ledger stand behind this report.
    </p>`;
}

export const SECTIONS: readonly (readonly [id: string, title: string])[] = [
  ["performed", "What was performed"],
  ["people", "People and roles"],
  ["course", "Course of the ceremony"],
  ["keys", "Keys"],
  ["custody", "Custody"],
  ["quorums", "Share quorums"],
  ["deviations", "Deviations"],
  ["requirements", "Requirements"],
  ["evidence", "Evidence"],
  ["checkpoint", "Final checkpoint"],
  ["signatures", "Signatures"],
];

export function contents({ scope }: Report): Html {
  const there = SECTIONS.filter(([id]) => scope === "ceremony" || id !== "course");
  return html`<nav>${there.map(([id, title]) => html`<a href="#${id}">${title}</a> `)}</nav>`;
}

/** A section's heading, as the contents name it. */
export function heading(id: string): Html {
  const title = SECTIONS.find(([one]) => one === id)?.[1] ?? id;
  return html`<h2 id="${id}">${title}</h2>`;
}
