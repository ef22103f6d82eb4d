/** The end of a report page: deviations, what is owed, requirements, evidence, checkpoint and ink. */

import { qrModules } from "../lib/qr.ts";
import { html, type Html } from "./page.ts";
import { qrPicture } from "./pictures.ts";
import {
  chip,
  dateTime,
  facts,
  hexLine,
  list,
  table,
  valueOf,
  type PageContext,
} from "./report-parts.ts";
import { heading } from "./report-top.ts";
import type { EventPart, MatrixRow, Report } from "./report-types.ts";

export function deviationsSection({ report }: PageContext): Html {
  const events = report.ceremonies.flatMap((ceremony) => ceremony.events);
  const deviations = events.filter(({ kind }) => kind === "deviation.recorded");
  const others = events.filter(({ kind }) => kind !== "deviation.recorded");
  const broken = report.conformance?.violations ?? [];
  return html`${heading("deviations")}
    ${
      broken.length === 0
        ? ""
        : html`<h3 class="bad">Rules that the record breaks</h3>
            ${list(
              broken.map(({ text }) => text),
              "",
            )}`
    }
    ${deviations.length === 0 ? html`<p><b>None.</b> No deviation was recorded.</p>` : eventTable(deviations)}
    <h3>Refusals, failures and interruptions</h3>
    ${others.length === 0 ? html`<p>None.</p>` : eventTable(others)}
    <h3>Not resolved</h3>
    ${list(report.unresolved, "Nothing is open.")}
    <h3>Not recorded in this ledger</h3>
    ${list(report.notRecorded, "Nothing is missing.")}
    <h3>What falls due</h3>
    ${table(
      ["By", "What", "Rule"],
      report.due.map(({ by, what, rule }) => [by, what, rule]),
    )}`;
}

function eventTable(events: readonly EventPart[]): Html {
  return table(
    ["Entry", "Time", "Kind", "Step", "What was recorded"],
    events.map(({ seq, time, kind, step, text }) => [seq, dateTime(time), kind, step ?? "–", text]),
  );
}

export function requirementsSection({ report }: PageContext): Html {
  const { matrix, controls, classes, scope } = report;
  return html`${heading("requirements")}
  ${
    matrix.length === 0
      ? html`<p>The script cites no requirement.</p>`
      : table(
          ["Requirement", "Served by", "Entry", ""],
          matrix.flatMap((row) => matrixRows(row, scope)),
        )
  }
  ${controls.length === 0 ? "" : controlTable(controls, classes)}`;
}

function matrixRows({ ref, steps, script }: MatrixRow, scope: Report["scope"]) {
  const name = html`<b>${ref}</b>`;
  const whole = script ? [[name, "the script as a whole", "", ""]] : [];
  return [
    ...whole,
    ...steps.map(({ ceremony, n, id, outcome, seq }) => [
      name,
      scope === "site" ? `${ceremony}, step ${n}, ${id}` : `step ${n}, ${id}`,
      seq === null ? "–" : String(seq),
      outcome === "completed" ? html`<span class="good">completed</span>` : chip(outcome, "bad"),
    ]),
  ];
}

function controlTable(controls: Report["controls"], classes: Report["classes"]): Html {
  const about = new Map(classes.map((row) => [row.id, row]));
  return html`<h3>Requirements, and whether the ledger shows them</h3>
    ${table(
      ["Requirement", "Text", "Shown", "Missing"],
      controls.map(({ regime, id, text, status, missing }) => [
        html`<b>${regime} ${id}</b>`,
        text,
        status === "proved"
          ? html`<span class="good">yes</span>`
          : chip(status, status === "missing" ? "bad" : "warn"),
        missing.map((one) => about.get(one)?.about ?? one).join("; "),
      ]),
    )}`;
}

export function evidenceSection({ report: { evidence } }: PageContext): Html {
  return html`${heading("evidence")}
    <p class="soft small">
      Documents that entries cite by digest; they lie in the ledger. Files in an outbox and on media
      are copies.
    </p>
    ${table(
      ["Document", "SHA-256", "Bytes", "Entry"],
      evidence.map(({ what, mediaType, sha256, bytes, seq }) => [
        html`${what}<br /><span class="soft">${mediaType}</span>`,
        hexLine(sha256),
        bytes,
        seq,
      ]),
    )}`;
}

export function checkpointSection(context: PageContext): Html {
  const { head, genesis, ledgerKey } = context.report;
  const root = { seq: -1, at: "root" };
  const known = { ...context, carries: () => true };
  return html`<div class="ending">${heading("checkpoint")}</div>
    <div class="head keep">
      <div>
        <p>
          The state of the ledger at the end: ${head.size} entries. Whoever signs below signs this
          root; a later ledger must extend it.
        </p>
        <p class="finger">${valueOf(known, head.root, root, "hex")}</p>
        <p class="words-line">${valueOf(known, head.root, root, "words")}</p>
        ${noteText(head.note)}
      </div>
      ${qrPicture(qrModules(head.note), "The checkpoint above as a QR code")}
    </div>
    ${facts([
      [
        "Cosigned by",
        head.cosigners.map(({ person, time }) => `${person} (${dateTime(time)})`).join(", ") ||
          "nobody",
      ],
      ["Ledger's verifier key", html`<span class="hex">${ledgerKey}</span>`],
      [
        "Genesis, SHA-256",
        html`<span class="hex"
          >${valueOf(known, genesis, { seq: -1, at: "genesis" }, "hex")}</span
        >`,
      ],
      [
        "Genesis in words",
        html`<span class="words-line"
          >${valueOf(known, genesis, { seq: -1, at: "genesis" }, "words")}</span
        >`,
      ],
    ])}`;
}

/** Line by line: a line break inside a value would be shown as an escape. */
function noteText(note: string): Html {
  const lines = note.trimEnd().split("\n");
  return html`<pre>${lines.map((line, i) => (i === 0 ? line : html`<br />${line}`))}</pre>`;
}

export function signatureSection({ report }: PageContext): Html {
  const there = report.people.filter(({ attended }) => attended !== null);
  const rows = [
    ...there.map(({ name, attended }) => [name, attended ?? ""]),
    ["", "security officer"],
    ["", "independent of management (for a root: auditor or notary)"],
  ];
  return html`<section class="signatures">
    ${heading("signatures")}
    <div class="choices">
      <div>☐ The script was followed without deviations.</div>
      <div>
        ☐ The script was followed but for the deviations that this report and the exception sheet
        list.
      </div>
      <div>☐ The script was not followed.</div>
    </div>
    <table class="ink sign">
      <thead>
        <tr>
          <th>Name</th>
          <th>Role</th>
          <th>Signature</th>
          <th class="blank">Date</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ([name = "", role = ""]) =>
            html`<tr>
              <td>${name}</td>
              <td>${role}</td>
              <td></td>
              <td></td>
            </tr>`,
        )}
      </tbody>
    </table>
    <p class="soft small">Root ${hexLine(report.head.root)}, ${report.head.size} entries.</p>
  </section>`;
}
