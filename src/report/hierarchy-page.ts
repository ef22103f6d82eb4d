/** A hierarchy as a page: verdict, picture, what is wrong, and every part with its digests. */

import { groupedHex } from "../lib/encoding.ts";
import type { CertificatePart, CrlPart, CsrPart, HierarchyReport } from "../pki/hierarchy.ts";
import { hierarchyPicture, PICTURE_STYLE } from "./hierarchy-picture.ts";
import { RULES } from "./hierarchy-text.ts";
import {
  countsInWords,
  listInWords,
  revokedInWords,
  standingInWords,
  treeOf,
} from "./hierarchy-tree.ts";
import { html, type Html, pageText } from "./page.ts";

const STYLE = `${PICTURE_STYLE}
.verdict { margin: 1.2rem 0 .4rem; padding: .9rem 1.2rem; border: 2px solid; border-left-width: 10px; }
.verdict.pass { border-color: var(--good); } .verdict.fail { border-color: var(--bad); }
.verdict b { font-size: 1.7rem; letter-spacing: .05em; line-height: 1; } .verdict.pass b { color: var(--good); } .verdict.fail b { color: var(--bad); }
td.error { color: var(--bad); font-weight: 700; } td { overflow-wrap: anywhere; } td.short { white-space: nowrap; } .parts td:first-child { width: 9rem; } td p { margin: 0 0 .2rem; }
`;

/** One self-contained HTML page; everything on it comes out of the report. */
export function hierarchyPage(report: HierarchyReport): string {
  const { verdict, judgedAt, trust, findings, parts } = report;
  const tree = treeOf(report);
  const wrong = new Set(
    findings
      .filter(({ severity }) => severity === "error")
      .flatMap(({ files: [file = ""] }) => file),
  );
  const certificates = parts.filter((part) => part.kind === "certificate");
  return pageText({
    title: `Hierarchy: ${verdict}`,
    brand: "",
    style: STYLE,
    body: html`<header>
        <h1>Certificate hierarchy</h1>
        <p class="soft">Judged at ${judgedAt}, by the rules of ${RULES[trust]}.</p>
      </header>
      <section class="verdict ${verdict === "CONSISTENT" ? "pass" : "fail"}">
        <b>${verdict}</b>
        <p>${countsInWords(report)}; ${findingCount(report)}.</p>
      </section>
      <h2>The tree</h2>
      ${hierarchyPicture(tree, wrong)}
      <h2>Findings</h2>
      ${findingTable(report)}
      <h2>Certificates</h2>
      ${certificates.length === 0 ? html`<p>None.</p>` : certificateTable(certificates)}
      ${listTable(parts.filter((part) => part.kind === "crl"))} ${requestTable(tree.requests)}
      <footer>
        Fingerprints are SHA-256 of the DER encoding, which may differ from that of the file.
      </footer>`,
  });
}

function findingCount({ findings }: HierarchyReport): string {
  const errors = findings.filter(({ severity }) => severity === "error").length;
  const warnings = findings.length - errors;
  if (findings.length === 0) return "no rule is broken";
  const words = [plural(errors, "error"), plural(warnings, "warning")];
  return words.filter((word) => !word.startsWith("0 ")).join(", ");
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

function table(heads: readonly string[], rows: readonly Html[]): Html {
  return html`<table class="parts">
    <thead>
      <tr>
        ${heads.map((head) => html`<th>${head}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`;
}

function findingTable({ findings }: HierarchyReport): Html {
  if (findings.length === 0) return html`<p>No rule is broken.</p>`;
  const rows = findings.map(
    ({ severity, files, message, rule, source }) =>
      html`<tr>
        <td class="short ${severity}">${severity}</td>
        <td>${files.join(", ")}</td>
        <td>${message}</td>
        <td>${rule}<br /><span class="soft">${source}</span></td>
      </tr>`,
  );
  return table(["", "Files", "What", "Rule"], rows);
}

function certificateTable(parts: readonly CertificatePart[]): Html {
  const rows = parts.map((part) => {
    const revoked = revokedInWords(part);
    return html`<tr>
      <td>${part.file}</td>
      <td>
        <p><b>${part.subject}</b></p>
        <p class="soft">${standingInWords(part)}; issued by ${part.issuer}</p>
        ${revoked === undefined ? "" : html`<p class="bad">${revoked}</p>`}
      </td>
      <td>
        <p>${part.key}, ${part.notBefore.slice(0, 10)} to ${part.notAfter.slice(0, 10)}</p>
        <p class="soft">Serial <span class="hex">${part.serial}</span></p>
        <p class="soft">Key <span class="hex">${groupedHex(part.spkiSha256)}</span></p>
        <p class="soft">Certificate <span class="hex">${groupedHex(part.sha256)}</span></p>
      </td>
    </tr>`;
  });
  return table(["File", "Subject", "Key, validity, fingerprints"], rows);
}

function listTable(parts: readonly CrlPart[]): Html | string {
  if (parts.length === 0) return "";
  const rows = parts.map(
    (part) =>
      html`<tr>
        <td>${part.file}</td>
        <td>${part.issuer}</td>
        <td>
          <p>${listInWords(part)}</p>
          <p class="soft">
            Made at ${part.thisUpdate}; <span class="hex">${groupedHex(part.sha256)}</span>
          </p>
        </td>
      </tr>`,
  );
  return html`<h2>Revocation lists</h2>
    ${table(["File", "Issuer", "List"], rows)}`;
}

function requestTable(parts: readonly CsrPart[]): Html | string {
  if (parts.length === 0) return "";
  const rows = parts.map(
    (part) =>
      html`<tr>
        <td>${part.file}</td>
        <td>${part.subject}</td>
        <td>${part.key}</td>
        <td>${part.answeredBy.length === 0 ? "no certificate yet" : part.answeredBy.join(", ")}</td>
      </tr>`,
  );
  return html`<h2>Requests</h2>
    ${table(["File", "Subject", "Key", "Certificates of its key"], rows)}`;
}
