/**
 * Gathers what a report carries of the ledger so that it can check itself: all entries up to its end, or, where they
 * are too many, those of its ceremony with the roots of everything before it.
 */

import { citedDigests } from "../ceremony/citations.ts";
import { stringOf } from "../ceremony/record.ts";
import { decodeEntry, type Entry } from "../ledger/entry.ts";
import { leafHash } from "../ledger/merkle.ts";
import { base64, hex } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { isJsonObject } from "../lib/json.ts";
import type { CarriedCheckpoint, CarriedDocument, Evidence } from "./in-page/evidence.ts";

/** The ledger as far as a report reads it. */
export interface ReportLedger {
  readonly origin: string;
  readonly size: number;
  entries(from?: number): Iterable<string>;
  entry(seq: number): string | undefined;
  checkpoint(size?: number): string | undefined;
  cosignatures(size?: number): readonly { readonly size: number; readonly line: string }[];
  attachment(
    sha256: string,
  ): { readonly mediaType: string; readonly bytes: Uint8Array } | undefined;
  inclusionProof(seq: number, size: number): readonly Uint8Array[];
}

/** The part of a ledger that a report is about. */
export interface Reach {
  /** Index of the first entry of its first ceremony. */
  readonly first: number;
  /** Entries that its newest checkpoint covers. */
  readonly size: number;
  /** Indexes of entries before `first` that enrolled or revoked people or adopted a policy. */
  readonly authority: readonly number[];
}

/** Bytes of entries that a page may carry before it leaves out what lies before its ceremony. */
export const MOST_BYTES = 6 << 20;
/** A long key list is no help to a reader, and the ledger has it. */
const LONGEST_DOCUMENT = 1 << 18;

/** @throws KeyriteError ledger.damaged when the ledger has no checkpoint of the report's size */
export function evidenceOf(ledger: ReportLedger, reach: Reach, most = MOST_BYTES): Evidence {
  const whole = textsFrom(ledger, 0, reach.size, most);
  const ranged = whole ?? textsFrom(ledger, reach.first, reach.size, most);
  const from = whole !== undefined ? 0 : ranged !== undefined ? reach.first : reach.size;
  const entries = ranged ?? [];
  const others = (
    ranged === undefined ? [...reach.authority, ...steps(ledger, reach)] : reach.authority
  )
    .filter((seq) => seq < from)
    .map((seq) => ({
      seq,
      text: ledger.entry(seq) ?? "",
      path: ledger.inclusionProof(seq, reach.size).map(hex),
    }));
  const checkpoints = carriedCheckpoints(ledger, from, reach.size);
  return {
    keyrite: "report-evidence/v1",
    origin: ledger.origin,
    size: reach.size,
    from,
    // The way from a tree's last leaf to its root passes exactly the complete subtrees before it.
    before:
      from === 0 || from === reach.size
        ? []
        : ledger
            .inclusionProof(from, from + 1)
            .map(hex)
            .toReversed(),
    entries,
    leaves: entries.map((text) => hex(leafHash(text))),
    others,
    checkpoints,
    documents: documentsOf(ledger, [...entries, ...others.map(({ text }) => text)], reach.first),
  };
}

function textsFrom(
  ledger: ReportLedger,
  from: number,
  size: number,
  most: number,
): readonly string[] | undefined {
  const texts: string[] = [];
  let bytes = 0;
  for (const text of ledger.entries(from)) {
    if (from + texts.length >= size) break;
    bytes += text.length;
    if (bytes > most) return undefined;
    texts.push(text);
  }
  return texts;
}

/** What remains of a ceremony that is too long to carry: its entries without those of single keys. */
function steps(ledger: ReportLedger, { first, size }: Reach): readonly number[] {
  const found: number[] = [];
  let seq = first;
  for (const text of ledger.entries(first)) {
    if (seq >= size) break;
    if (!/"group":[0-9]/.test(text)) found.push(seq);
    seq += 1;
  }
  return found;
}

function carriedCheckpoints(
  ledger: ReportLedger,
  from: number,
  size: number,
): readonly CarriedCheckpoint[] {
  const cosigned = new Set(ledger.cosignatures().map((one) => one.size));
  const sizes = [...cosigned].filter((one) => one >= Math.max(from, 1) && one < size);
  return [...sizes.sort((a, b) => a - b), size].map((one) => {
    const note = ledger.checkpoint(one);
    if (note === undefined) {
      throw new KeyriteError("ledger.damaged", `the ledger has no checkpoint of size ${one}`);
    }
    return { note, cosignatures: ledger.cosignatures(one).map(({ line }) => line) };
  });
}

function documentsOf(
  ledger: ReportLedger,
  texts: readonly string[],
  first: number,
): readonly CarriedDocument[] {
  const wanted = new Set<string>();
  for (const text of texts) {
    const entry = decodeEntry(text);
    const all = entry.seq >= first || entry.seq === 0;
    for (const sha256 of all ? citedDigests(entry) : cardsOf(entry)) wanted.add(sha256);
    const card = candidateCard(entry);
    if (card !== undefined) wanted.add(card);
  }
  return [...wanted].sort().flatMap((sha256) => {
    const found = ledger.attachment(sha256);
    if (found === undefined || found.bytes.length > LONGEST_DOCUMENT) return [];
    return [{ sha256, mediaType: found.mediaType, base64: base64(found.bytes) }];
  });
}

function cardsOf({ facts }: Entry): readonly string[] {
  return facts
    .filter((fact) => fact.kind === "person.enrolled")
    .map((fact) => stringOf(fact, "card") ?? "");
}

function candidateCard({ data }: Entry): string | undefined {
  const { intent } = data;
  const candidate = isJsonObject(intent) ? intent["candidate"] : undefined;
  return isJsonObject(candidate) ? stringOf(candidate, "card") : undefined;
}
