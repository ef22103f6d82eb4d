/** What this build puts into bundles beside the ledger: its digest, the verifier in Python, the report. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { LedgerStore } from "../ledger/store.ts";
import { utf8 } from "../lib/encoding.ts";
import { canonicalJson } from "../lib/json.ts";
import type { BundleFile, BundleTool } from "../report/bundle.ts";
import type { BundleReading } from "../report/bundle-reading.ts";
import { reportMarkdown } from "../report/report-markdown.ts";
import { reportPage } from "../report/report-page.ts";
import { packageRoot, software } from "./package-root.ts";
import { PAGE_SCRIPT } from "./page-script.ts";
import { reportJson, reportOf, WHOLE_SITE } from "./report-source.ts";

export function bundleTool(): BundleTool {
  const verifier = readFileSync(join(packageRoot(), "docs", "verify.py"));
  return { software: software(), verifier, reports };
}

/** The page carries the ledger that it checks itself by: beyond this many entries no browser would take it. */
const MOST_ON_A_PAGE = 20_000;

function* reports(ledger: LedgerStore, reading: BundleReading): Generator<BundleFile> {
  const { genesis, history, conformance } = reading;
  if (history.ceremonies.length === 0) return;
  const { report, evidence } = reportOf({ genesis, ledger, history, conformance }, WHOLE_SITE);
  yield { path: "report.json", bytes: utf8(canonicalJson(reportJson(report))) };
  yield { path: "report.md", bytes: utf8(reportMarkdown(report)) };
  if (history.size > MOST_ON_A_PAGE) return;
  yield { path: "report.html", bytes: utf8(reportPage(report, evidence, PAGE_SCRIPT)) };
}
