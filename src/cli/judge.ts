/** Judging a ledger file alone: integrity, authority, anchor, heads. One file is enough. */

import { ACTIONS } from "../actions/index.ts";
import { vocabularyOf } from "../ceremony/action.ts";
import { readGenesis, type Assurance, type Genesis } from "../ceremony/genesis.ts";
import type { CeremonyRecord } from "../ceremony/history.ts";
import { HistoryFold } from "../ceremony/history-fold.ts";
import { citedDigests } from "../ceremony/citations.ts";
import { stringOf } from "../ceremony/record.ts";
import { decodeEntry, type Entry } from "../ledger/entry.ts";
import { compareHead } from "../ledger/heads.ts";
import { LedgerStore } from "../ledger/store.ts";
import { verifyLedger } from "../ledger/verify.ts";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import { parseVerifierKey } from "../lib/note.ts";

export interface Trust {
  readonly genesis: string;
  readonly keys: readonly string[];
}

export interface JudgedFinding {
  readonly code: string;
  readonly seq?: number;
  readonly text: string;
}

export interface Judged {
  /** CONFORMS is for a conformance check of each step; this verdict never says it. */
  readonly verdict:
    | "CONSISTENT"
    | "CONSISTENT WITH ITS OWN GENESIS"
    | "NOT THE TRUSTED LEDGER"
    | "CANNOT TELL"
    | "DAMAGED";
  readonly anchored: boolean;
  readonly origin: string;
  /** As the attached genesis says; null when it could not be read. */
  readonly assurance: Assurance | null;
  readonly size: number;
  readonly root: string;
  readonly cosigned: number;
  readonly ceremonies: readonly CeremonyRecord[];
  readonly findings: readonly JudgedFinding[];
  readonly heads: readonly {
    readonly file: string;
    readonly text: string;
    readonly ok: boolean;
    /** Size of the head; 0 when it could not be read. */
    readonly size: number;
  }[];
  /** What this verdict could not exclude, one sentence each. */
  readonly limits: readonly string[];
}

export interface JudgeOptions {
  readonly trust: Trust | undefined;
  readonly heads: readonly { readonly file: string; readonly note: string }[];
}

export function judgeLedger(path: string, options: JudgeOptions): Promise<Judged> {
  const first = verifyLedger(path);
  if (first.findings.length > 0) return Promise.resolve(damaged(first, first.findings));
  const ledger = LedgerStore.open(path);
  try {
    return Promise.resolve(judgeOpen(ledger, options));
  } finally {
    ledger.close();
  }
}

function damaged(
  verdict: { readonly origin: string; readonly size: number; readonly root: string },
  findings: readonly JudgedFinding[],
): Judged {
  return {
    verdict: "DAMAGED",
    anchored: false,
    origin: verdict.origin,
    assurance: null,
    size: verdict.size,
    root: verdict.root,
    cosigned: 0,
    ceremonies: [],
    findings,
    heads: [],
    limits: [],
  };
}

function judgeOpen(ledger: LedgerStore, options: JudgeOptions): Judged {
  const genesis = attachedGenesis(ledger);
  if (typeof genesis === "string") return cannotTell(ledger, genesis);
  const fold = new HistoryFold({
    genesis,
    vocabulary: vocabularyOf(ACTIONS),
    attachment: (sha256) => ledger.attachment(sha256)?.bytes,
    cosignatures: {
      checkpoint: (size) => ledger.checkpoint(size),
      cosignatures: (size) => ledger.cosignatures(size).map(({ line }) => line),
    },
  });
  const missing: JudgedFinding[] = [];
  const verdict = verifyLedger(ledger, {
    origin: genesis.origin,
    key: parseVerifierKey(genesis.ledgerKey),
    visit: (entry, seq, root) => {
      fold.take(entry, root);
      missing.push(...uncited(ledger, entry, seq));
    },
  });
  const { history } = fold;
  const trusted = trustFindings(genesis, options.trust);
  const heads = options.heads.map((head) => judgeHead(ledger, genesis, head));
  const findings: readonly JudgedFinding[] = [
    ...verdict.findings,
    ...history.findings,
    ...trusted,
    ...heads
      .filter((head) => !head.ok)
      .map(({ file, text }) => ({ code: "head", text: `${file}: ${text}` })),
    ...missing,
  ];
  const anchored = options.trust !== undefined && trusted.length === 0;
  return {
    verdict: verdictOf(findings.length, missing.length, trusted.length, anchored),
    anchored,
    origin: genesis.origin,
    assurance: genesis.assurance,
    size: verdict.size,
    root: verdict.root,
    cosigned: history.cosigned,
    ceremonies: history.ceremonies,
    findings,
    heads,
    limits: limits(history.cosigned, verdict.size, anchored, heads),
  };
}

/** The verdict by how many findings there are, and how many of them are of the two milder kinds. */
function verdictOf(
  all: number,
  missing: number,
  trust: number,
  anchored: boolean,
): Judged["verdict"] {
  if (all === 0) return anchored ? "CONSISTENT" : "CONSISTENT WITH ITS OWN GENESIS";
  if (all === missing) return "CANNOT TELL";
  return all === trust ? "NOT THE TRUSTED LEDGER" : "DAMAGED";
}

function cannotTell(ledger: LedgerStore, reason: string): Judged {
  const text = `the ledger cannot be judged: ${reason}`;
  return {
    ...damaged({ origin: ledger.origin, size: ledger.size, root: "" }, [{ code: "genesis", text }]),
    verdict: "CANNOT TELL",
  };
}

function attachedGenesis(ledger: LedgerStore): Genesis | string {
  const text = ledger.entry(0);
  if (text === undefined) return "it is empty";
  const sha256 = stringOf(decodeEntry(text).data, "genesis");
  const bytes = sha256 === undefined ? undefined : ledger.attachment(sha256)?.bytes;
  if (bytes === undefined) return "its genesis is not attached";
  try {
    return readGenesis(bytes);
  } catch (error) {
    return messageOf(error);
  }
}

function uncited(ledger: LedgerStore, entry: Entry, seq: number): readonly JudgedFinding[] {
  return citedDigests(entry)
    .filter((sha256) => ledger.attachment(sha256) === undefined)
    .map((sha256) => ({
      code: "attachment.missing",
      seq,
      text: `entry ${seq}: the attachment ${sha256} that it cites is missing`,
    }));
}

function trustFindings(genesis: Genesis, trust: Trust | undefined): readonly JudgedFinding[] {
  if (trust === undefined) return [];
  const findings: JudgedFinding[] = [];
  if (trust.genesis !== genesis.sha256) {
    findings.push({
      code: "trust",
      text: `the ledger's genesis is ${genesis.sha256}, you trust ${trust.genesis}`,
    });
  }
  if (trust.keys.length > 0 && !trust.keys.includes(genesis.ledgerKey)) {
    findings.push({ code: "trust", text: "the ledger's key is not among the keys you trust" });
  }
  return findings;
}

function judgeHead(
  ledger: LedgerStore,
  genesis: Genesis,
  head: { readonly file: string; readonly note: string },
): Judged["heads"][number] {
  const { file } = head;
  try {
    const result = compareHead(ledger, head.note, parseVerifierKey(genesis.ledgerKey));
    const { size } = result.head;
    switch (result.result) {
      case "extends":
        return { file, size, ok: true, text: `extended by the ledger (size ${result.head.size})` };
      case "shorter":
        return {
          file,
          size,
          ok: false,
          text: `the ledger is shorter than this head of size ${result.head.size}: entry ${result.firstMissing} is the first missing one`,
        };
      case "forked":
        return {
          file,
          size,
          ok: false,
          text: `the ledger differs from this head of size ${result.head.size}, first at one of entries ${result.from} to ${result.to}`,
        };
    }
  } catch (error) {
    if (!(error instanceof KeyriteError)) throw error;
    return { file, size: 0, ok: false, text: messageOf(error) };
  }
}

function limits(
  cosigned: number,
  size: number,
  anchored: boolean,
  heads: Judged["heads"],
): readonly string[] {
  const list: string[] = [];
  if (!anchored)
    list.push("that the whole ledger was made up: give --trust FILE or --words from the sheet");
  const newest = Math.max(0, ...heads.map((head) => head.size));
  if (heads.length === 0)
    list.push("that its end was cut off: give --head FILE, a head that somebody carries");
  else if (newest < size)
    list.push(`that entries after ${newest - 1} were replaced or cut off: give a newer --head`);
  if (cosigned < size) list.push(`entries ${cosigned} to ${size - 1} are not cosigned by anybody`);
  return list;
}
