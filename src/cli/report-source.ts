/** What a report is drawn from: the ledger folded up to the report's end, and the judgement of the whole. */

import type { ConformanceReport } from "../ceremony/conformance-report.ts";
import { vocabularyOf, type Vocabulary } from "../ceremony/action.ts";
import { ACTIONS } from "../actions/index.ts";
import type { Genesis } from "../ceremony/genesis.ts";
import type { CeremonyRecord, History } from "../ceremony/history.ts";
import { HistoryFold } from "../ceremony/history-fold.ts";
import { decodeEntry } from "../ledger/entry.ts";
import { Frontier, leafHash } from "../ledger/merkle.ts";
import { KeyriteError } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import { evidenceOf, type ReportLedger } from "../report/evidence.ts";
import type { Evidence } from "../report/in-page/evidence.ts";
import { reportModel, type Report } from "../report/report-model.ts";

/** `all` asks for the whole site. */
export const WHOLE_SITE = "all";

export interface ReportInput {
  readonly genesis: Genesis;
  /** A ledger that was verified. */
  readonly ledger: ReportLedger;
  /** Its history as a whole. */
  readonly history: History;
  readonly conformance: ConformanceReport | null;
}

/**
 * The report of a ceremony by its id, of the newest closed one, or of the whole site.
 * @throws KeyriteError usage.bad-option, ledger.damaged
 */
export function reportOf(
  input: ReportInput,
  asked: string | undefined,
): { readonly report: Report; readonly evidence: Evidence } {
  const { ledger, genesis, conformance } = input;
  const ceremony = asked === WHOLE_SITE ? null : chosen(input.history, asked);
  const size = ceremony === null ? ledger.size : endOf(ledger, input.history, ceremony);
  const history =
    size === input.history.size
      ? input.history
      : foldTo(ledger, genesis, size, vocabularyOf(ACTIONS));
  const id = ceremony?.id ?? null;
  const { report, reach } = reportModel({ genesis, ledger, history, conformance, ceremony: id });
  return { report, evidence: evidenceOf(ledger, reach) };
}

function chosen({ ceremonies }: History, asked: string | undefined): CeremonyRecord {
  const found =
    asked === undefined
      ? ceremonies.findLast(({ state }) => state === "closed")
      : ceremonies.find(({ id }) => id === asked);
  if (found !== undefined) return found;
  const what = asked === undefined ? "no ceremony that is closed" : `no ceremony ${asked}`;
  const known = ceremonies.slice(-5).map(({ id }) => id);
  throw new KeyriteError("usage.bad-option", `the ledger has ${what}`, {
    hints: [
      ...(known.length === 0 ? [] : [`newest: ${known.join(", ")}`]),
      "keyrite status lists them all; keyrite report all reports the whole site",
    ],
  });
}

/** Entries up to a ceremony's last one; an open ceremony reaches to the end of the ledger. */
function endOf(
  ledger: ReportLedger,
  { ceremonies }: History,
  { id, openedSeq }: CeremonyRecord,
): number {
  const next = ceremonies.find((one) => one.openedSeq > openedSeq);
  const limit = next?.openedSeq ?? ledger.size;
  let seq = openedSeq;
  let end = limit;
  for (const text of ledger.entries(openedSeq)) {
    if (seq >= limit) break;
    const { type, ceremony } = decodeEntry(text);
    if (ceremony === id && (type === "ceremony.closed" || type === "ceremony.abandoned"))
      end = seq + 1;
    seq += 1;
  }
  return end;
}

/** Custody changes with every later ceremony: a report says what held at its own end. */
function foldTo(
  ledger: ReportLedger,
  genesis: Genesis,
  size: number,
  vocabulary: Vocabulary,
): History {
  const fold = new HistoryFold({
    genesis,
    vocabulary,
    attachment: (sha256) => ledger.attachment(sha256)?.bytes,
    cosignatures: {
      checkpoint: (at) => ledger.checkpoint(at),
      cosignatures: (at) => ledger.cosignatures(at).map(({ line }) => line),
    },
  });
  const frontier = new Frontier();
  for (const text of ledger.entries()) {
    if (frontier.size >= size) break;
    frontier.append(leafHash(text));
    fold.take(decodeEntry(text), () => frontier.root());
  }
  return fold.history;
}

/** A report as JSON: its members as they are, nothing of it undefined. */
export function reportJson(report: Report): JsonObject {
  return JSON.parse(JSON.stringify(report)) as JsonObject;
}
