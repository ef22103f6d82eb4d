/** A drill report as a page: verdict first, then what it rests on, and what it does not prove. */

import type { DrillReport, DrillStep } from "../ceremony/drill-report.ts";
import { drillReportBytes } from "../ceremony/drill-report.ts";
import { groupedHex, sha256Hex } from "../lib/encoding.ts";
import { CHART_STYLE, drillChart } from "./drill-chart.ts";
import { durationText } from "./duration.ts";
import { html, pageText, type Html, type Part } from "./page.ts";

const STYLE = `${CHART_STYLE}
.verdict { display: flex; align-items: center; gap: 1.2rem; margin: 1.2rem 0 .4rem; padding: .9rem 1.2rem; border: 2px solid; border-left-width: 10px; }
.verdict.pass { border-color: var(--good); } .verdict.fail { border-color: var(--bad); }
.verdict b { font-size: 1.9rem; letter-spacing: .06em; line-height: 1; } .verdict.pass b { color: var(--good); } .verdict.fail b { color: var(--bad); }
.verdict p { margin: 0; } ul { margin: .3rem 0 .8rem; padding-left: 1.3rem; } li { margin: .2rem 0; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.steps td { white-space: nowrap; } .steps td.outcome { white-space: normal; } .steps td.outcome, .verdict li { overflow-wrap: anywhere; }
`;

/** One self-contained HTML page; everything on it comes out of the report. */
export function drillPage(report: DrillReport): string {
  const drill = report.kind === "drill";
  return pageText({
    title: `Restore drill ${report.ceremony}: ${report.verdict.toUpperCase()}`,
    brand: drill ? "" : "REHEARSAL",
    style: STYLE,
    body: html`<header>
        <h1>${drill ? "Restore drill" : "Rehearsal of a restore drill"}</h1>
        <p class="soft">
          ${report.origin}, ceremony ${report.ceremony}, concluded ${report.concludedAt}.
        </p>
      </header>
      ${verdict(report)}
      <h2>Compared with the policy</h2>
      ${comparison(report)}
      <h2>Where the time went</h2>
      ${drillChart({ phases: report.phases, limit: limitOf(report) })}
      <h2>What it proved</h2>
      ${list(report.proved, "Nothing.")}
      <h2>What it did not prove</h2>
      ${list(report.notProved, "Nothing is excluded.")}
      <h2>What was drilled</h2>
      ${circumstances(report)}
      <h2>Steps</h2>
      ${stepTable(report.steps)}
      <footer>
        Drawn from drill-report.json, SHA-256
        <span class="hex">${groupedHex(sha256Hex(drillReportBytes(report)))}</span>, which the
        ledger holds.
      </footer>`,
  });
}

function limitOf({ recovery: { rtoMinutes } }: DrillReport): number | null {
  return rtoMinutes === null ? null : rtoMinutes * 60_000;
}

function verdict({ verdict: word, reasons, keys, kind }: DrillReport): Html {
  const said =
    word === "pass"
      ? `${keys.restored} of ${keys.expected} keys were restored, proved and destroyed again.`
      : "The drill failed:";
  return html`<section class="verdict ${word}">
    <b>${word.toUpperCase()}</b>
    <div>
      <p>${said}</p>
      ${reasons.length === 0 ? "" : list(reasons, "")}
      ${kind === "drill" ? "" : html`<p class="soft">A rehearsal on a test site: it never counts as a drill.</p>`}
    </div>
  </section>`;
}

function comparison({ recovery, recoveryPoint, keys }: DrillReport): Html {
  const { milliseconds, rtoMinutes } = recovery;
  const { ageDays, rpoDays, lost } = recoveryPoint;
  const rows: readonly (readonly [string, string, string, boolean | null])[] = [
    [
      "Recovery time, from roll call to the last key proved",
      milliseconds === null ? "never reached" : durationText(milliseconds),
      rtoMinutes === null ? "no rule" : `${rtoMinutes} min`,
      recovery.met,
    ],
    [
      "Age of the backup (recovery point)",
      ageDays === null ? "no backup" : `at most ${days(ageDays)}`,
      rpoDays === null ? "no rule" : days(rpoDays),
      recoveryPoint.met,
    ],
    [
      "Keys in no backup, older than that",
      rpoDays === null ? "not looked for" : lost.join(", ") || "none",
      rpoDays === null ? "no rule" : "none",
      rpoDays === null ? null : lost.length === 0,
    ],
    [
      "Keys restored and proved",
      `${keys.restored} of ${keys.expected}`,
      "all",
      keys.restored > 0 && keys.restored >= keys.expected,
    ],
    ["Copies left on the drill token", String(keys.left), "0", keys.left === 0],
  ];
  return html`<table>
    <thead>
      <tr>
        <th>What</th>
        <th>Measured</th>
        <th>Allowed</th>
        <th>Met</th>
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        ([what, measured, allowed, met]) =>
          html`<tr>
            <td>${what}</td>
            <td class="number">${measured}</td>
            <td class="number">${allowed}</td>
            <td>${metWord(met)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function days(count: number): string {
  return count === 1 ? "1 day" : `${count} days`;
}

function keyCount(count: number): string {
  return count === 1 ? "1 key" : `${count} keys`;
}

function metWord(met: boolean | null): Html {
  if (met === null) return html`<span class="soft">not judged</span>`;
  return met ? html`<span class="good">✓ yes</span>` : html`<span class="bad">✗ no</span>`;
}

function list(lines: readonly string[], none: string): Html {
  if (lines.length === 0) return html`<p>${none}</p>`;
  return html`<ul>
    ${lines.map((line) => html`<li>${line}</li>`)}
  </ul>`;
}

function circumstances({ token, backup, people, policy }: DrillReport): Html {
  const rows: readonly (readonly [string, Part])[] = [
    ["Token", `${token.name}: ${token.manufacturer} ${token.model}, serial ${token.serial}`],
    [
      "Backup",
      backup === null
        ? "none"
        : `${backup.id} of ${backup.madeAt}, ${keyCount(backup.keys)} under KEK ${backup.kek}, in ${backup.vaults.join(", ")}`,
    ],
    ...(backup === null
      ? []
      : [["backup.json", html`<span class="hex">${groupedHex(backup.sha256)}</span>`] as const]),
    ["People", people.map(({ person, role }) => `${person} (${role})`).join(", ")],
    ["Policy", html`<span class="hex">${groupedHex(policy)}</span>`],
  ];
  return html`<dl>
    ${rows.map(
      ([name, value]) =>
        html`<dt>${name}</dt>
          <dd>${value}</dd>`,
    )}
  </dl>`;
}

function stepTable(steps: readonly DrillStep[]): Html {
  return html`<table class="steps">
    <thead>
      <tr>
        <th>Step</th>
        <th>Action</th>
        <th>Outcome</th>
        <th>Opened</th>
        <th>Ended</th>
      </tr>
    </thead>
    <tbody>
      ${steps.map(
        ({ id, action, outcome, openedAt, endedAt, code, message }) =>
          html`<tr>
            <td>${id}</td>
            <td><code>${action}</code></td>
            <td class="outcome">
              ${
                outcome === "completed"
                  ? html`<span class="good">completed</span>`
                  : html`<span class="bad">${outcome}</span>`
              }${code === null ? "" : html`<br /><code>${code}</code> ${message ?? ""}`}
            </td>
            <td>${clock(openedAt)}</td>
            <td>${clock(endedAt)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

/** The time of day of an RFC 3339 time in UTC. */
function clock(time: string | null): string {
  return time === null ? "–" : time.slice(11, 23);
}
