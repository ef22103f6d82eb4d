/** Judging a ledger file alone: integrity, authority, anchor, heads. One file is enough. */

import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { everEnrolled } from "../ceremony/custody-people.ts";
import { readGenesis, type Assurance, type Genesis } from "../ceremony/genesis.ts";
import type { CeremonyRecord } from "../ceremony/history.ts";
import type { ConformanceReport } from "../ceremony/conformance.ts";
import { stringOf } from "../ceremony/record.ts";
import { decodeEntry } from "../ledger/entry.ts";
import { LedgerStore } from "../ledger/store.ts";
import { verifyLedgerInThreads } from "../ledger/verify-threads.ts";
import { verifyLedger, type FindingCode, type LedgerVerdict } from "../ledger/verify.ts";
import { sha256Hex } from "../lib/encoding.ts";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import { parseVerifierKey } from "../lib/note.ts";
import { checkpointFindings } from "./judge-checkpoints.ts";
import { cosignatureFindings } from "./judge-cosignatures.ts";
import type { HeadGiven } from "./heads-given.ts";
import type { JudgedHead } from "./judge-heads.ts";
import { keepHeapSmall, peopleKeys, verifyProgress } from "./judge-work.ts";
import { Walk } from "./judge-walk.ts";

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
  /** What the file itself is worth; whether scripts were followed is in `conformance`. */
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
  readonly heads: readonly JudgedHead[];
  /** Null when the file could not be read so far. */
  readonly conformance: ConformanceReport | null;
  /** What this verdict could not exclude, one sentence each. */
  readonly limits: readonly string[];
}

export interface JudgeOptions {
  readonly trust: Trust | undefined;
  readonly heads: readonly HeadGiven[];
  /** Digest of the build that judges. */
  readonly build?: string;
  /** Threads besides the main one; by default what the machine and the ledger's size suggest. */
  readonly workers?: number;
}

/** Fewer entries are verified on one thread: starting others would take longer. */
const MANY = 5000;

/**
 * Judges the ledger of a file, which is never changed: every byte, signature and claim in it.
 * @throws KeyriteError ledger.missing, site.locked, site.permissions when there is nothing to judge
 */
export async function judgeLedger(path: string, options: JudgeOptions): Promise<Judged> {
  // Opening for good would finish what a killed process left unfinished; here that is a finding.
  const unfinished = existsSync(`${path}-journal`) ? brokenLedger(path) : undefined;
  if (unfinished !== undefined) return unfinished;
  const ledger = openLedger(path);
  if (!(ledger instanceof LedgerStore)) return ledger;
  try {
    return await judgeOpen(ledger, options);
  } catch (error) {
    // What is no ledger at all may stop the fold before anybody has said so.
    const broken = brokenLedger(ledger);
    if (broken === undefined) throw error;
    return broken;
  } finally {
    ledger.close();
  }
}

function openLedger(path: string): LedgerStore | Judged {
  try {
    return LedgerStore.open(path);
  } catch (error) {
    const isDamaged = error instanceof KeyriteError && error.code === "ledger.damaged";
    const broken = isDamaged ? brokenLedger(path) : undefined;
    if (broken === undefined) throw error;
    return broken;
  }
}

/** The judgement of a ledger whose file alone shows that it was changed, or undefined. */
function brokenLedger(ledger: LedgerStore | string): Judged | undefined {
  const verdict = verifyLedger(ledger);
  return verdict.findings.length > 0 ? damaged(verdict, verdict.findings) : undefined;
}

/** Threads beside the main one, which has enough to do with what they have verified. */
function workersFor(size: number): number {
  const cores = availableParallelism();
  return size < MANY || cores < 2 ? 0 : Math.min(4, Math.max(2, cores - 1));
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
    conformance: null,
    limits: [],
  };
}

async function judgeOpen(ledger: LedgerStore, options: JudgeOptions): Promise<Judged> {
  const genesis = attachedGenesis(ledger);
  if (typeof genesis === "string") return brokenLedger(ledger) ?? cannotTell(ledger, genesis);
  const key = parseVerifierKey(genesis.ledgerKey);
  let walk = new Walk(ledger, genesis, options);
  const many = ledger.size >= MANY;
  if (many) keepHeapSmall();
  const progress = verifyProgress(many ? ledger.size : 0);
  const verdict = await verifyLedgerInThreads(ledger, {
    origin: genesis.origin,
    key,
    begin() {
      walk = new Walk(ledger, genesis, options);
      return walk.visit;
    },
    workers: options.workers ?? workersFor(ledger.size),
    people: peopleKeys(ledger),
    progress(done, total) {
      progress.report(done, total);
    },
  });
  progress.end();
  const altered = verdict.findings.some(({ code }) => !BY_TRUST.includes(code));
  if (altered) return damaged(verdict, verdict.findings);
  return concluded(ledger, genesis, options, { verdict, walk });
}

/** What a file alone does not show: it takes the ledger's key and origin to find. */
const BY_TRUST: readonly FindingCode[] = ["origin.differs", "checkpoint.signature"];

function concluded(
  ledger: LedgerStore,
  genesis: Genesis,
  options: JudgeOptions,
  { verdict, walk }: { readonly verdict: LedgerVerdict; readonly walk: Walk },
): Judged {
  const { conformance, missing } = walk;
  const { history } = walk.fold;
  const untrusted = trustFindings(genesis, options.trust);
  const heads = walk.heads.judge(ledger);
  const anchored = options.trust !== undefined && untrusted.length === 0;
  const foreignHeads = heads.filter((head) => !head.ok).map(headFinding);
  const besides = [
    ...walk.mistyped,
    ...checkpointFindings(ledger, walk.transactions.ended(verdict.size)),
    ...cosignatureFindings(ledger, everEnrolled(history.custody)),
  ];
  const report = conformance.report({
    anchored,
    untrusted: untrusted.map(({ text }) => text),
    heads: heads.filter((head) => head.ok).map(({ size }) => size),
    foreignHeads: foreignHeads.map(({ text }) => text),
    integrity: [...verdict.findings, ...besides],
    attachments: missing,
  });
  const unbelieved = history.findings.filter(({ seq }) => !conformance.isAdopted(seq));
  const findings: readonly JudgedFinding[] = [
    ...verdict.findings,
    ...besides,
    ...unbelieved,
    ...untrusted,
    ...foreignHeads,
    ...missing,
  ];
  return {
    verdict: verdictOf(findings.length, missing.length, untrusted.length, anchored),
    anchored,
    origin: genesis.origin,
    assurance: genesis.assurance,
    size: verdict.size,
    root: verdict.root,
    cosigned: history.cosigned,
    ceremonies: history.ceremonies,
    findings,
    heads,
    conformance: report,
    limits: limits(history.cosigned, verdict.size, anchored, heads),
  };
}

function headFinding({ file, text }: JudgedHead): JudgedFinding {
  return { code: "head", text: `${file}: ${text}` };
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
  try {
    const sha256 = stringOf(decodeEntry(text).data, "genesis") ?? "";
    const bytes = ledger.attachment(sha256)?.bytes;
    if (bytes === undefined || sha256Hex(bytes) !== sha256) return "its genesis is not attached";
    return readGenesis(bytes);
  } catch (error) {
    return messageOf(error);
  }
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
    list.push("that its end was cut off: give --head with a head that somebody carries");
  else if (newest < size)
    list.push(`that entries after ${newest - 1} were replaced or cut off: give a newer --head`);
  if (cosigned < size) list.push(`entries ${cosigned} to ${size - 1} are not cosigned by anybody`);
  return list;
}
