/** What a bundle is made from: one pass over a ledger that verifies, folds, and notes where its proofs stand. */

import type { Vocabulary } from "../ceremony/action.ts";
import type { ConformanceReport } from "../ceremony/conformance-report.ts";
import { Conformance } from "../ceremony/conformance.ts";
import { readGenesis, type Genesis } from "../ceremony/genesis.ts";
import { HistoryFold } from "../ceremony/history-fold.ts";
import type { History } from "../ceremony/history.ts";
import { stringOf } from "../ceremony/record.ts";
import { decodeEntry, type Entry } from "../ledger/entry.ts";
import type { Finding } from "../ledger/findings.ts";
import type { LedgerStore } from "../ledger/store.ts";
import { verifyLedger } from "../ledger/verify.ts";
import { KeyriteError } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import { parseVerifierKey } from "../lib/note.ts";
import { BundlePapers } from "./bundle-papers.ts";
import { ControlIndexer, type ControlIndex } from "./control-index.ts";

export interface BundleReading {
  readonly genesis: Genesis;
  readonly history: History;
  /** Lower-case hex. */
  readonly root: string;
  readonly papers: BundlePapers;
  readonly index: ControlIndex;
  /** Software and modules of every ceremony, in order, each combination once. */
  readonly tools: readonly JsonObject[];
  /** When keys were recorded as destroyed, by SPKI digest. */
  readonly destroyed: ReadonlyMap<string, string>;
  /** As far as the ledger alone can show it. */
  readonly conformance: ConformanceReport;
  /** What is wrong with the file itself; empty for a ledger that can be bundled. */
  readonly findings: readonly Finding[];
}

// A bundle brings neither trust nor heads: whoever checks it does.
const UNANCHORED = {
  anchored: false,
  untrusted: [],
  heads: [],
  foreignHeads: [],
  attachments: [],
} as const;

/**
 * Reads a ledger for its bundle.
 * @throws KeyriteError ledger.damaged when it has no genesis to judge it by
 */
export function readForBundle(ledger: LedgerStore, vocabulary: Vocabulary): BundleReading {
  const genesis = attachedGenesis(ledger);
  const sources = {
    genesis,
    vocabulary,
    attachment: (sha256: string) => ledger.attachment(sha256)?.bytes,
    cosignatures: {
      checkpoint: (size: number) => ledger.checkpoint(size),
      cosignatures: (size: number) => ledger.cosignatures(size).map(({ line }) => line),
    },
  };
  const fold = new HistoryFold(sources);
  const conformance = new Conformance(fold, sources);
  const papers = new BundlePapers();
  const indexer = new ControlIndexer();
  const tools = new Map<string, JsonObject>();
  const destroyed = new Map<string, string>();
  const verdict = verifyLedger(ledger, {
    origin: genesis.origin,
    key: parseVerifierKey(genesis.ledgerKey),
    visit: (entry, seq, root) => {
      const found = fold.history.findings.length;
      fold.take(entry, root);
      conformance.take(entry);
      const { findings, cosigned } = fold.history;
      // What has no authority proves nothing, and names no file.
      if (findings.length > found) return;
      papers.take(entry);
      indexer.take(entry);
      if (cosigned === seq + 1) indexer.cosigned(entry);
      noteTool(tools, entry);
      for (const fact of entry.facts) {
        const spki = fact.kind === "key.destroyed" ? stringOf(fact, "spki") : undefined;
        if (spki !== undefined) destroyed.set(spki, entry.time);
      }
    },
  });
  const { findings, root } = verdict;
  const { history } = fold;
  return {
    genesis,
    history,
    root,
    papers,
    index: indexer.index,
    tools: [...tools.values()],
    destroyed,
    conformance: conformance.report({ ...UNANCHORED, integrity: findings }),
    findings,
  };
}

function noteTool(tools: Map<string, JsonObject>, { type, data, seq, ceremony }: Entry): void {
  if (type !== "ceremony.opened") return;
  const { software = null, modules = null } = data;
  const key = JSON.stringify([software, modules]);
  if (!tools.has(key)) tools.set(key, { software, modules, first: { ceremony, seq } });
}

function attachedGenesis(ledger: LedgerStore): Genesis {
  const first = ledger.entry(0);
  const sha256 = first === undefined ? undefined : stringOf(decodeEntry(first).data, "genesis");
  const bytes = sha256 === undefined ? undefined : ledger.attachment(sha256)?.bytes;
  if (bytes !== undefined) return readGenesis(bytes);
  throw new KeyriteError("ledger.damaged", "the ledger is empty, or its genesis is not attached", {
    hints: ["a bundle can be made after the founding ceremony, keyrite run establish-site"],
  });
}
