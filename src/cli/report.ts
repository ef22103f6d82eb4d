/** `keyrite report`: a ceremony, or the whole site, as a page, as Markdown or as JSON. */

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { KeyriteError } from "../lib/errors.ts";
import { writeNewFile } from "../lib/files.ts";
import { utf8, visible } from "../lib/encoding.ts";
import { reportMarkdown } from "../report/report-markdown.ts";
import { reportPage } from "../report/report-page.ts";
import type { Report } from "../report/report-types.ts";
import { headGiven } from "./heads-given.ts";
import { judgeLedger } from "./judge.ts";
import { printJson, printLine, tellLine } from "./output.ts";
import { software } from "./package-root.ts";
import { PAGE_SCRIPT } from "./page-script.ts";
import { reportJson, reportOf } from "./report-source.ts";
import { openSite, siteFolder } from "./site.ts";
import { readTrust } from "./verify.ts";

export interface ReportOptions {
  readonly site?: string;
  readonly trust?: string;
  readonly words?: string;
  readonly head: readonly string[];
  readonly html?: boolean;
  readonly md?: boolean;
  readonly json?: boolean;
  readonly out?: string;
}

export async function report(asked: string | undefined, options: ReportOptions): Promise<void> {
  if (options.html === true && options.md === true) {
    throw new KeyriteError("usage.bad-option", "a report is a page or Markdown, not both", {
      hints: ["say --html or --md; with --out make one file of each"],
    });
  }
  refuseExisting(options.out);
  const site = openSite(siteFolder(options.site), { write: false, signatures: "all" });
  try {
    const judged = await judgeLedger(site.ledger.path, {
      trust: readTrust(options),
      heads: options.head.map(headGiven),
      build: software().sha256,
    });
    const { genesis, ledger, history } = site;
    const { conformance } = judged;
    const made = reportOf({ genesis, ledger, history, conformance }, asked);
    const text =
      options.html === true
        ? reportPage(made.report, made.evidence, PAGE_SCRIPT)
        : reportMarkdown(made.report);
    print(made.report, text, options);
    refuseNonconforming(made.report);
  } finally {
    site.ledger.close();
  }
}

/** Said before the work, and again by the file system if somebody was quicker. */
function refuseExisting(out: string | undefined): void {
  if (out === undefined || !existsSync(out)) return;
  throw new KeyriteError(
    "site.file-exists",
    `${out} exists already, and no report replaces a file`,
    {
      hints: ["name a new file with --out, or remove that one first"],
    },
  );
}

function print(made: Report, text: string, { html, md, json, out }: ReportOptions): void {
  if (out !== undefined) {
    const content = json === true && html !== true && md !== true ? jsonText(made) : text;
    writeNewFile(resolve(out), utf8(content), { mode: 0o644 });
    tellLine(`Report written to ${visible(out)}`);
    if (json === true)
      printJson("report", { file: out, verdict: made.conformance?.verdict ?? null });
  } else if (json === true) printJson("report", reportJson(made));
  else printLine(text);
}

function jsonText(made: Report): string {
  return `${JSON.stringify({ schema: "keyrite/report/v1", ...reportJson(made) }, null, 2)}\n`;
}

/** The report was made, and says that the auditor has to act. */
function refuseNonconforming({ conformance }: Report): void {
  if (conformance?.verdict !== "DOES NOT CONFORM") return;
  throw new KeyriteError(
    "ledger.not-conforming",
    "what the ledger records was not performed as its scripts say",
    {
      hints: conformance.violations.slice(0, 3).map(({ text }) => text),
    },
  );
}
