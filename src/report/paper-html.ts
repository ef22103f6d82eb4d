/** The paper script as a page for print: the same steps and numbers as on the screen and in the ledger. */

import type { Genesis } from "../ceremony/genesis.ts";
import type { Plan, PlanStep } from "../ceremony/plan.ts";
import { stringOf } from "../ceremony/record.ts";
import { fromHex, groupedHex } from "../lib/encoding.ts";
import { canonicalJson, isJsonObject, type Json } from "../lib/json.ts";
import { spokenWords } from "../lib/words.ts";
import { html, pageText, type Html } from "./page.ts";
import { SHEET_STYLE } from "./page-style.ts";

const EXCEPTIONS = 6;
const WORDS_OF_A_ROOT = 32;

const STYLE = `
.steps .id { font-weight: 600; } .refs { color: var(--soft); font-size: .82rem; }
table.steps td { padding: .55rem .6rem; } .steps td.by { width: 11.5rem; } .steps td.box, .steps td.blank { border: 1px solid var(--line); } .steps td.blank { width: 5.6rem; }
.params { display: grid; grid-template-columns: 1fr 1fr; column-gap: 2.2rem; } .params dl { display: contents; } .params div { display: flex; justify-content: space-between; gap: 1rem; border-bottom: 1px dotted var(--line); padding: .15rem 0; } .params span { color: var(--soft); } .params b { font-weight: 400; text-align: right; overflow-wrap: anywhere; }
.roll td:first-child { width: 12rem; } .roll td:nth-child(2), .roll td:nth-child(4) { width: 12rem; }
.words { columns: 4; font-size: .95rem; margin: .3rem 0 .8rem; padding: 0; list-style: none; }
.words li { border-bottom: 1px solid var(--line); height: 1.7rem; font-size: .75rem; color: var(--soft); }
.fill { display: inline-block; min-width: 9rem; border-bottom: 1px solid var(--ink); } .fields div { margin-top: .5rem; } .fields .fill { display: block; height: 1.5rem; } .filled-in { margin: .9rem 0; line-height: 2.2; }
.sheet { break-before: page; }
`;

/** The foot of every printed sheet: which plan it belongs to, and that no sheet is missing. */
function sheetFoot({ sha256 }: Plan): string {
  const short = groupedHex(sha256.slice(0, 16));
  return `@page { @bottom-left { content: "Plan ${short} …"; font: 8pt sans-serif; } @bottom-right { content: counter(page) " / " counter(pages); font: 8pt sans-serif; } }`;
}

/** One self-contained HTML page; it names roles, for the roll call fixes who fills them. */
export function paperPage(plan: Plan, genesis: Genesis): string {
  const { script } = plan;
  return pageText({
    title: `${script.title} – paper script`,
    brand: genesis.assurance === "test" ? "TEST" : "",
    style: SHEET_STYLE + STYLE + sheetFoot(plan),
    body: html`<header>
        <p class="eyebrow">Paper script · ${genesis.origin}</p>
        <h1>${script.title}</h1>
        <p class="lead">
          ${script.name} ${script.version}, for: ${script.policyRefs.join(", ") || "none"}.
        </p>
      </header>
      ${digests(plan, genesis)} ${roll(plan)}
      <h2>Steps</h2>
      <table class="steps">
        <thead>
          <tr>
            <th class="n">No.</th>
            <th>Activity</th>
            <th>By</th>
            <th class="box">Done</th>
            <th class="blank">Initials</th>
            <th class="blank">Time (UTC)</th>
          </tr>
        </thead>
        <tbody>
          ${plan.steps.map(stepRow)}
        </tbody>
      </table>
      ${exceptionSheet()} ${ending()}
      <footer>
        Plan ${groupedHex(plan.sha256)}. Step numbers are those on the screen, in the ledger and in
        the report.
      </footer>`,
  });
}

function digests(plan: Plan, genesis: Genesis): Html {
  const rows: readonly (readonly [string, string])[] = [
    ["Script", plan.script.sha256],
    ["Plan", plan.sha256],
    ["Policy", stringOf(plan.document, "policy") ?? genesis.policy],
    ["Genesis", genesis.sha256],
  ];
  return html`<h2>What is performed</h2>
    <dl>
      ${rows.map(
        ([name, digest]) =>
          html`<dt>${name}, SHA-256</dt>
            <dd class="hex">${groupedHex(digest)}</dd>`,
      )}
    </dl>
    <p>The plan in words, to compare with the screen at the roll call:</p>
    <p class="words-line">${spokenWords(fromHex(plan.sha256) ?? new Uint8Array()).join(" ")}</p>
    ${parameters(plan)}`;
}

function parameters(plan: Plan): Html {
  const params = plan.document["params"];
  const values = isJsonObject(params) ? Object.entries(params) : [];
  if (values.length === 0) return html``;
  return html`<h3>Parameters</h3>
    <div class="params">
      ${values.map(
        ([name, value]) =>
          html`<div>
            <span>${name}</span>
            <b>${stated(value)}</b>
          </div>`,
      )}
    </div>`;
}

function roll(plan: Plan): Html {
  const places = Object.entries(plan.script.roles).flatMap(([role, count]) =>
    new Array<string>(count).fill(role),
  );
  return html`<h2>Roll call</h2>
    <table class="ink roll">
      <thead>
        <tr>
          <th>Role</th>
          <th>Name</th>
          <th>Document seen</th>
          <th>Signature</th>
          <th class="blank">Initials</th>
        </tr>
      </thead>
      <tbody>
        ${places.map(
          (role) =>
            html`<tr>
              <td>${role}</td>
              <td></td>
              <td></td>
              <td></td>
              <td></td>
            </tr>`,
        )}
      </tbody>
    </table>
    <p class="filled-in">
      Date <span class="fill"></span> Place <span class="fill"></span> Recording
      <span class="fill"></span>
    </p>`;
}

function stepRow(step: PlanStep): Html {
  const by = step.by === "everyone" ? "everyone" : step.by.join(", ");
  const fields = blanks(step);
  const refs =
    step.policyRefs.length === 0 ? "" : html`<div class="refs">${step.policyRefs.join(", ")}</div>`;
  return html`<tr>
    <td class="n">${step.n}</td>
    <td><span class="id">${step.id}</span><br />${step.instruction}${fields}${refs}</td>
    <td class="by">${by}</td>
    <td class="box">☐</td>
    <td class="blank"></td>
    <td class="blank"></td>
  </tr>`;
}

/** What the step asks for, as blanks to fill in by hand. */
function blanks(step: PlanStep): Html | string {
  const fields = step.values["fields"];
  if (!isJsonObject(fields)) return "";
  return html`<div class="fields">
    ${Object.entries(fields).map(([id, field]) => {
      const about = isJsonObject(field) ? stringOf(field, "about") : undefined;
      return html`<div>${about ?? id}: <span class="fill"></span></div>`;
    })}
  </div>`;
}

function exceptionSheet(): Html {
  const empty = new Array<Html>(EXCEPTIONS).fill(
    html`<tr>
      <td></td>
      <td></td>
      <td></td>
      <td></td>
      <td></td>
    </tr>`,
  );
  return html`<section class="sheet">
    <h2>Exception sheet</h2>
    <p>
      Whatever was not as written: one row each, initialled by two people. What is not on this sheet
      and not in the ledger did not happen.
    </p>
    <table class="ink">
      <thead>
        <tr>
          <th class="n">Step</th>
          <th>What was expected</th>
          <th>What happened</th>
          <th>What was decided</th>
          <th class="blank">Initials of two</th>
        </tr>
      </thead>
      <tbody>
        ${empty}
      </tbody>
    </table>
  </section>`;
}

function ending(): Html {
  const words = Array.from({ length: WORDS_OF_A_ROOT }, (_, i) => html`<li>${i + 1}</li>`);
  return html`<h2>After the ceremony</h2>
    <p>Ledger: size <span class="fill"></span>. Its root in words, as read from the screen:</p>
    <ol class="words">
      ${words}
    </ol>
    <p>
      ☐ The script was followed without deviations. &emsp; ☐ The script was followed with the
      deviations listed on the exception sheet.
    </p>
    <table class="ink">
      <thead>
        <tr>
          <th>Role</th>
          <th>Name</th>
          <th>Signature</th>
          <th class="blank">Date</th>
        </tr>
      </thead>
      <tbody>
        <tr>
          <td>ceremony-administrator</td>
          <td></td>
          <td></td>
          <td></td>
        </tr>
        <tr>
          <td>internal-witness</td>
          <td></td>
          <td></td>
          <td></td>
        </tr>
      </tbody>
    </table>`;
}

function stated(value: Json): string {
  return typeof value === "string" ? value : canonicalJson(value);
}
