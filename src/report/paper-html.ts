/** The paper script as a page for print: the same steps and numbers as on the screen and in the ledger. */

import type { Genesis } from "../ceremony/genesis.ts";
import type { Plan, PlanStep } from "../ceremony/plan.ts";
import { stringOf } from "../ceremony/record.ts";
import { fromHex, groupedHex } from "../lib/encoding.ts";
import { canonicalJson, isJsonObject, type Json } from "../lib/json.ts";
import { spokenWords } from "../lib/words.ts";
import { html, pageText, type Html } from "./page.ts";

const EXCEPTIONS = 6;
const WORDS_OF_A_ROOT = 32;

const STYLE = `
.steps td:nth-child(2) { width: 46%; } .steps .id { font-weight: 600; } .refs { color: var(--soft); font-size: .85rem; }
.words { columns: 4; font-size: .95rem; margin: .3rem 0 .8rem; padding: 0; list-style: none; }
.words li { border-bottom: 1px solid var(--line); height: 1.7rem; font-size: .75rem; color: var(--soft); }
.fill { display: inline-block; min-width: 9rem; border-bottom: 1px solid var(--ink); }
.sheet { break-before: page; }
`;

/** One self-contained HTML page; it names roles, for the roll call fixes who fills them. */
export function paperPage(plan: Plan, genesis: Genesis): string {
  const { script } = plan;
  return pageText({
    title: `${script.title} – paper script`,
    brand: genesis.assurance === "test" ? "TEST" : "",
    style: STYLE,
    body: html`<header>
        <h1>${script.title}</h1>
        <p class="soft">
          Script ${script.name} ${script.version} at ${genesis.origin}. References:
          ${script.policyRefs.join(", ") || "none"}.
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
        Plan ${groupedHex(plan.sha256)}. Step numbers are those on the screen and in the ledger.
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
    <p>
      The plan in words, to compare with the screen at the roll call:
      <em>${spokenWords(fromHex(plan.sha256) ?? new Uint8Array()).join(" ")}</em>
    </p>
    ${parameters(plan)}`;
}

function parameters(plan: Plan): Html {
  const params = plan.document["params"];
  const values = isJsonObject(params) ? Object.entries(params) : [];
  if (values.length === 0) return html``;
  return html`<table>
    <thead>
      <tr>
        <th>Parameter</th>
        <th>Value</th>
      </tr>
    </thead>
    <tbody>
      ${values.map(
        ([name, value]) =>
          html`<tr>
            <td>${name}</td>
            <td>${stated(value)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function roll(plan: Plan): Html {
  const places = Object.entries(plan.script.roles).flatMap(([role, count]) =>
    new Array<string>(count).fill(role),
  );
  return html`<h2>Roll call</h2>
    <table class="ink">
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
    <p>
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
    <td>${by}</td>
    <td class="box">☐</td>
    <td></td>
    <td></td>
  </tr>`;
}

/** What the step asks for, as blanks to fill in by hand. */
function blanks(step: PlanStep): Html | string {
  const fields = step.values["fields"];
  if (!isJsonObject(fields)) return "";
  return html`${Object.entries(fields).map(([id, field]) => {
    const about = isJsonObject(field) ? stringOf(field, "about") : undefined;
    return html`<div>${about ?? id}: <span class="fill"></span></div>`;
  })}`;
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
