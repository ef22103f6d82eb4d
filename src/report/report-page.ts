/** A report as one HTML file that needs nothing else: it reads, prints, and checks itself. */

import type { Evidence } from "./in-page/evidence.ts";
import { groupedHex } from "../lib/encoding.ts";
import { dataText, html, pageText } from "./page.ts";
import { SHEET_STYLE } from "./page-style.ts";
import { courseSection, peopleSection, performedSection } from "./report-course.ts";
import {
  checkpointSection,
  deviationsSection,
  evidenceSection,
  requirementsSection,
  signatureSection,
} from "./report-ending.ts";
import { custodySection, keysSection, quorumSection } from "./report-keys-section.ts";
import type { PageContext } from "./report-parts.ts";
import { REPORT_STYLE } from "./report-style.ts";
import { contents, header, panels, tiles } from "./report-top.ts";
import type { Report } from "./report-types.ts";

/** The whole document; `script` is the page's own, as the build bundles it. */
export function reportPage(report: Report, evidence: Evidence, script: string): string {
  const carried = new Set(evidence.others.map(({ seq }) => seq));
  const end = evidence.from + evidence.entries.length;
  const context: PageContext = {
    report,
    carries: (seq) => carried.has(seq) || (seq >= evidence.from && seq < end),
  };
  const [only] = report.ceremonies;
  const about = report.scope === "site" || only === undefined ? report.origin : only.id;
  return pageText({
    title: `Report ${about}`,
    brand: report.assurance === "test" ? "TEST" : "",
    style: SHEET_STYLE + REPORT_STYLE + sheetFoot(report),
    script,
    data: { id: "carried", json: dataText(evidence) },
    body: html`${header(report)} ${panels(report)} ${tiles(report)} ${contents(report)}
      ${performedSection(context)} ${peopleSection(context)} ${courseSection(context)}
      ${keysSection(context)} ${custodySection(context)} ${quorumSection(context)}
      ${deviationsSection(context)} ${requirementsSection(context)} ${evidenceSection(context)}
      ${checkpointSection(context)} ${signatureSection(context)}
      <footer>
        Drawn by Keyrite from the ledger alone, as it stood after entry ${report.head.size - 1}. The
        same ledger gives the same page.
      </footer>`,
  });
}

/** The foot of every printed sheet: whose end it belongs to, and that no sheet is missing. */
function sheetFoot({ head }: Report): string {
  const root = `${head.size} entries, root ${groupedHex(head.root.slice(0, 16))} …`;
  return `@page { @bottom-left { content: "${root}"; font: 8pt sans-serif; } @bottom-right { content: counter(page) " / " counter(pages); font: 8pt sans-serif; } }`;
}
