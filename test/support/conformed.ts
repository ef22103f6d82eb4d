/** Conformance of a stage's ledger, judged anew from its entries as an auditor would. */

import { vocabularyOf } from "../../src/ceremony/action.ts";
import {
  Conformance,
  type CeremonyConformance,
  type ConformanceEnding,
  type ConformanceReport,
} from "../../src/ceremony/conformance.ts";
import { HistoryFold } from "../../src/ceremony/history-fold.ts";
import type { HistorySources } from "../../src/ceremony/history.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { parseVerifierKey } from "../../src/lib/note.ts";
import type { Stage } from "./stage.ts";

export interface Conforming extends Partial<ConformanceEnding> {
  /** Digests of attachments that the file does not hold. */
  readonly without?: readonly string[];
  /** Names of actions that the judging build does not have. */
  readonly unknown?: readonly string[];
  readonly build?: string;
}

/** Judged with an anchor and the newest head, unless the test says otherwise. */
export function conformed(stage: Stage, given: Conforming = {}): ConformanceReport {
  const { ledger } = stage;
  const { without = [], unknown = [], build, ...ending } = given;
  const actions = stage.actions.filter(({ name }) => !unknown.includes(name));
  const sources: HistorySources = {
    genesis: stage.site.genesis,
    vocabulary: vocabularyOf(actions),
    attachment: (sha256) =>
      without.includes(sha256) ? undefined : ledger.attachment(sha256)?.bytes,
    cosignatures: {
      checkpoint: (size) => ledger.checkpoint(size),
      cosignatures: (size) => ledger.cosignatures(size).map(({ line }) => line),
    },
  };
  const fold = new HistoryFold(sources);
  const conformance = new Conformance(fold, {
    ...sources,
    ...(build === undefined ? {} : { build }),
  });
  const { origin, ledgerKey } = stage.site.genesis;
  const { findings } = verifyLedger(ledger, {
    origin,
    key: parseVerifierKey(ledgerKey),
    visit: (entry, _, root) => {
      fold.take(entry, root);
      conformance.take(entry);
    },
  });
  return conformance.report({
    anchored: true,
    untrusted: [],
    heads: [ledger.size],
    foreignHeads: [],
    integrity: findings,
    attachments: [],
    ...ending,
  });
}

/** The newest ceremony of a report. */
export function newest(report: ConformanceReport): CeremonyConformance {
  const last = report.ceremonies.at(-1);
  if (last === undefined) throw new Error("the ledger holds no ceremony");
  return last;
}

/** `code step n seq` of every violation of the newest ceremony. */
export function violated(stage: Stage): readonly string[] {
  return newest(conformed(stage)).violations.map(
    ({ code, step, n, seq }) => `${code} ${step ?? "-"} ${n ?? "-"} ${seq ?? "-"}`,
  );
}
