/** One walk over all entries of a ledger: authority, conformance, heads, and what is missing. */

import { ACTIONS } from "../actions/index.ts";
import { vocabularyOf } from "../ceremony/action.ts";
import { citedDigests, citedTypes } from "../ceremony/citations.ts";
import { Conformance } from "../ceremony/conformance.ts";
import type { Genesis } from "../ceremony/genesis.ts";
import { HistoryFold } from "../ceremony/history-fold.ts";
import type { HistorySources } from "../ceremony/history.ts";
import { Transactions } from "../ceremony/transactions.ts";
import type { Entry } from "../ledger/entry.ts";
import type { LedgerStore } from "../ledger/store.ts";
import type { Visit } from "../ledger/verify.ts";
import { parseVerifierKey } from "../lib/note.ts";
import { HeadsWatch } from "./judge-heads.ts";
import type { JudgedFinding, JudgeOptions } from "./judge.ts";

/** Takes the entries one by one; read `fold`, `conformance`, `heads` and `missing` when all were taken. */
export class Walk {
  readonly fold: HistoryFold;
  readonly conformance: Conformance;
  readonly heads: HeadsWatch;
  readonly transactions = new Transactions();
  readonly missing: JudgedFinding[] = [];
  /** Attachments that are stored as something else than what cites them says. */
  readonly mistyped: JudgedFinding[] = [];
  readonly visit: Visit;

  constructor(ledger: LedgerStore, genesis: Genesis, { heads, build }: JudgeOptions) {
    const sources: HistorySources = {
      genesis,
      vocabulary: vocabularyOf(ACTIONS),
      attachment: (sha256) => ledger.attachment(sha256)?.bytes,
      cosignatures: {
        checkpoint: (size) => ledger.checkpoint(size),
        cosignatures: (size) => ledger.cosignatures(size).map(({ line }) => line),
      },
    };
    this.fold = new HistoryFold(sources);
    const built = build === undefined ? {} : { build };
    this.conformance = new Conformance(this.fold, { ...sources, ...built });
    this.heads = new HeadsWatch(heads, genesis.origin, parseVerifierKey(genesis.ledgerKey));
    const attached = new Set<string>();
    const typed = new Set<string>();
    this.visit = (entry, seq, root) => {
      this.fold.take(entry, root);
      this.conformance.take(entry);
      this.heads.take(seq, root);
      this.transactions.take(entry);
      this.missing.push(...uncited(ledger, attached, entry, seq));
      this.mistyped.push(...mistyped(ledger, typed, entry));
    };
  }
}

/** `attached` keeps what was found before: thousands of entries cite the same documents. */
function uncited(
  ledger: LedgerStore,
  attached: Set<string>,
  entry: Entry,
  seq: number,
): readonly JudgedFinding[] {
  const isMissing = (sha256: string): boolean => {
    if (attached.has(sha256)) return false;
    if (ledger.attachment(sha256) === undefined) return true;
    attached.add(sha256);
    return false;
  };
  return citedDigests(entry)
    .filter(isMissing)
    .map((sha256) => ({
      code: "attachment.missing",
      seq,
      text: `entry ${seq}: the attachment ${sha256} that it cites is missing`,
    }));
}

/** Nothing in the tree covers the media type of an attachment, but what cites it says what it is. */
function mistyped(ledger: LedgerStore, typed: Set<string>, entry: Entry): readonly JudgedFinding[] {
  const found: JudgedFinding[] = [];
  for (const [sha256, type] of citedTypes(entry)) {
    if (typed.has(sha256)) continue;
    typed.add(sha256);
    const stored = ledger.attachment(sha256)?.mediaType;
    if (stored === undefined || stored === type) continue;
    const text = `entry ${entry.seq}: the attachment ${sha256} is stored as ${stored}, it is cited as ${type}`;
    found.push({ code: "attachment.type", seq: entry.seq, text });
  }
  return found;
}
