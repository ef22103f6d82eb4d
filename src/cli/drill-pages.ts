/** What a drill leaves besides its record: the page of its report, and what `run --json` tells of it. */

import { DRILL_FILE, readDrillReport } from "../ceremony/drill-report.ts";
import type { DrillCustody } from "../ceremony/custody-copies.ts";
import { KeyriteError } from "../lib/errors.ts";
import { utf8 } from "../lib/encoding.ts";
import type { JsonObject } from "../lib/json.ts";
import { drillPage } from "../report/drill-page.ts";
import type { OpenSite } from "./site.ts";
import { outbox } from "./site-files.ts";

/** The page beside the report. */
export const DRILL_PAGE = DRILL_FILE.replace(/\.json$/, ".html");

/**
 * Writes the page of a drill's report beside it.
 * @returns the drill that the ceremony was; null for any other ceremony
 * @throws KeyriteError ledger.damaged, site.*
 */
export async function drillPageOf(site: OpenSite, ceremony: string): Promise<JsonObject | null> {
  const drill = site.history.custody.drills.findLast((one) => one.ceremony === ceremony);
  if (drill === undefined) return null;
  const bytes = site.ledger.attachment(drill.report)?.bytes;
  const report = bytes === undefined ? undefined : readDrillReport(bytes);
  if (report === undefined) {
    throw new KeyriteError("ledger.damaged", `the drill report ${drill.report} is not attached`);
  }
  await outbox(site.folder, ceremony).writeOnce(DRILL_PAGE, utf8(drillPage(report)));
  return drillJson(drill);
}

function drillJson(drill: DrillCustody): JsonObject {
  const { drill: kind, verdict, token, backup, keys, seconds, reasons, report } = drill;
  return { kind, verdict, token, backup, keys, seconds, reasons: [...reasons], report };
}
