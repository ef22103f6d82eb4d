/**
 * A ceremony, or a whole site, as a report: built from entries and custody as they stood at its end, so that the same
 * ledger gives the same report whenever it is printed. Pure.
 */

import { concerns } from "../ceremony/concerns.ts";
import type { ConformanceReport } from "../ceremony/conformance-report.ts";
import type { Genesis } from "../ceremony/genesis.ts";
import { cosignersOf, mayCosign } from "../ceremony/heads.ts";
import type { CeremonyRecord, History } from "../ceremony/history.ts";
import { keyStatuses, type KeyStatus } from "../ceremony/key-status.ts";
import { readScript } from "../ceremony/script.ts";
import { parseCheckpoint } from "../ledger/checkpoint.ts";
import { decodeEntry } from "../ledger/entry.ts";
import { parseTimestamp, timestamp } from "../lib/clock.ts";
import { hex } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { parseNote } from "../lib/note.ts";
import type { Reach, ReportLedger } from "./evidence.ts";
import { verdictOf } from "./report-ceremony.ts";
import { ReportCollector } from "./report-collect.ts";
import { kekParts, placeParts, shareSetParts, tokenParts } from "./report-custody.ts";
import { dueParts, matrixOf, notRecorded, peopleParts } from "./report-rules.ts";
import type { CeremonyPart, HeadPart, KeyPart, Report } from "./report-types.ts";

export type { Report } from "./report-types.ts";

export interface ReportSource {
  readonly genesis: Genesis;
  readonly ledger: ReportLedger;
  /** Folded up to the report's end and no further. */
  readonly history: History;
  /** What the conformance check of the whole ledger says; null when it was not asked. */
  readonly conformance: ConformanceReport | null;
  /** Id of the ceremony to report; null for the whole site. */
  readonly ceremony: string | null;
}

/** Keys that a report lists: those its ceremony touched first. */
const MOST_KEYS = 200;

/** @throws KeyriteError usage.bad-option when there is no such ceremony; ledger.damaged without a checkpoint */
export function reportModel(source: ReportSource): {
  readonly report: Report;
  readonly reach: Reach;
} {
  const { genesis, ledger, history, conformance, ceremony } = source;
  const records = history.ceremonies.filter(({ id }) => ceremony === null || id === ceremony);
  const [oldest] = records;
  if (oldest === undefined) {
    throw new KeyriteError("usage.bad-option", `the ledger has no ceremony ${ceremony ?? "yet"}`, {
      hints: ["keyrite status lists the ceremonies of the site"],
    });
  }
  const reach = reachOf(ledger, ceremony === null ? 0 : oldest.openedSeq, history.size);
  const collected = collect(ledger, reach, records, history);
  const head = headOf(source);
  const now = parseTimestamp(head.time) ?? 0;
  const statuses = keyStatuses(history.custody, history.policy, now);
  const keys = keyParts(statuses, collected, history, ceremony === null);
  const ceremonies = records.flatMap(({ id }) => {
    const judged = conformance?.ceremonies.find((one) => one.id === id);
    const fold = collected.ceremonies.get(id);
    return fold === undefined ? [] : [fold.part(judged)];
  });
  const { classes, controls } = collected.controls.index;
  const report: Report = {
    scope: ceremony === null ? "site" : "ceremony",
    origin: genesis.origin,
    assurance: genesis.assurance,
    genesis: genesis.sha256,
    ledgerKey: genesis.ledgerKey,
    head,
    conformance: wholeVerdict(conformance, ceremony, ceremonies),
    ceremonies,
    people: peopleParts(history.custody, ceremonies, head),
    tokens: tokenParts(history.custody),
    keys: keys.slice(0, MOST_KEYS),
    keysLeftOut: Math.max(0, keys.length - MOST_KEYS),
    shareSets: shareSetParts(history.custody),
    keks: kekParts(history.custody),
    places: placeParts(history.custody, statuses),
    certificates: collected.certificates,
    unresolved: concerns(history, statuses),
    notRecorded: notRecorded(ceremonies),
    due: dueParts(ceremonies, history.policy, head.time),
    matrix: matrixOf(ceremonies, scriptRefs(ledger, ceremonies)),
    controls: ceremony === null ? controls : [],
    classes: ceremony === null ? classes : [],
    evidence: [...collected.evidence.values()],
  };
  return { report, reach };
}

function wholeVerdict(
  conformance: ConformanceReport | null,
  ceremony: string | null,
  ceremonies: readonly CeremonyPart[],
): Report["conformance"] {
  if (conformance === null) return null;
  const { anchored, violations } = conformance;
  if (ceremony === null) return verdictOf(conformance, anchored);
  const own = ceremonies[0]?.conformance ?? null;
  if (own === null) return null;
  // What is wrong with the whole ledger is wrong with each of its ceremonies, and what it lacks they lack too.
  return {
    verdict: violations.length > 0 ? "DOES NOT CONFORM" : own.verdict,
    anchored,
    violations: [...violations, ...own.violations],
    exceptions: own.exceptions,
    missing: [...conformance.missing, ...own.missing],
  };
}

function reachOf(ledger: ReportLedger, first: number, size: number): Reach {
  const authority: number[] = [];
  let seq = 0;
  for (const text of ledger.entries()) {
    if (seq >= first) break;
    if (/"kind":"(person\.enrolled|person\.renewed|person\.revoked|policy\.adopted)"/.test(text))
      authority.push(seq);
    seq += 1;
  }
  return { first, size, authority };
}

function collect(
  ledger: ReportLedger,
  { first, size }: Reach,
  records: readonly CeremonyRecord[],
  { findings }: History,
): ReportCollector {
  const doubted = new Set(findings.map(({ seq }) => seq));
  const collector = new ReportCollector(records, ledger, doubted);
  let seq = first;
  for (const text of ledger.entries(first)) {
    if (seq >= size) break;
    collector.take(decodeEntry(text));
    seq += 1;
  }
  return collector;
}

function headOf({ ledger, history }: ReportSource): HeadPart {
  const { size } = history;
  const note = ledger.checkpoint(size);
  if (note === undefined) {
    throw new KeyriteError("ledger.damaged", `the ledger has no checkpoint of size ${size}`);
  }
  const { root } = parseCheckpoint(parseNote(note).text);
  const people = cosignersOf(size, mayCosign(history, history.lastTime ?? ""), {
    checkpoint: (at) => ledger.checkpoint(at),
    cosignatures: (at) => ledger.cosignatures(at).map(({ line }) => line),
  });
  const cosigners = people.map(({ person, time }) => ({ person, time: timestamp(time * 1000) }));
  return { size, root: hex(root), time: history.lastTime ?? "", note, cosigners };
}

function keyParts(
  statuses: readonly KeyStatus[],
  { touched, generations }: ReportCollector,
  { custody }: History,
  all: boolean,
): readonly KeyPart[] {
  const parts = statuses.map((status) => ({
    status,
    touched: touched.has(status.spki),
    ceremony: custody.keys.get(status.spki)?.ceremony ?? "",
    generated: generations.get(status.spki) ?? null,
  }));
  return all ? parts : parts.filter((key) => key.touched);
}

/** The requirements that whole scripts cite, by ceremony: plans repeat those of steps alone. */
function scriptRefs(
  ledger: ReportLedger,
  ceremonies: readonly CeremonyPart[],
): ReadonlyMap<string, readonly string[]> {
  return new Map(
    ceremonies.map(({ id, script }) => {
      const bytes = ledger.attachment(script.sha256)?.bytes;
      return [id, bytes === undefined ? [] : refsOf(bytes)] as const;
    }),
  );
}

function refsOf(bytes: Uint8Array): readonly string[] {
  try {
    const reading = readScript(bytes, "script.yaml");
    return reading.ok ? reading.script.policyRefs : [];
  } catch {
    return [];
  }
}
