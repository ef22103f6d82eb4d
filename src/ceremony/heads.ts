/** Heads people carry: whose cosignatures a checkpoint holds, and which head a medium brings along. */

import { checkSignature, cosignatureTime, parseNote, parseSignatureLine } from "../lib/note.ts";
import { cardKey, type Card } from "../people/card.ts";
import type { Enrolled } from "./custody.ts";
import type { History } from "./history.ts";
import { ableAt } from "./people-dates.ts";

/** What the ledger keeps outside its tree: checkpoint notes and the cosignatures on them. */
export interface CosignatureSource {
  /** The checkpoint note of a size, with the ledger's own signature. */
  checkpoint(size: number): string | undefined;
  /** Cosignature lines on the checkpoint of a size. */
  cosignatures(size: number): readonly string[];
}

export interface Cosigned {
  readonly person: string;
  /** Unix seconds. */
  readonly time: number;
}

/**
 * Who may vouch for the head that an entry made: whoever may act at its time and, where it ended a ceremony, whoever
 * is on the roll of that. They could act when it was called: a ceremony that began in time is finished after midnight.
 * @param at time of the entry
 */
export function mayCosign(
  { custody, ceremonies }: Pick<History, "custody" | "ceremonies">,
  at: string,
): readonly Enrolled[] {
  const last = ceremonies.at(-1);
  const roll = last?.closedAt === at ? last.attending : [];
  const able = new Set(ableAt(custody, at));
  return [...custody.people.values()].filter(
    (one) => able.has(one) || roll.some(({ person }) => person === one.person),
  );
}

/**
 * The enrolled people whose cosignature on the checkpoint of `size` is valid; each counts once. With
 * `enough` it ends when that many are found.
 */
export function cosignersOf(
  size: number,
  people: Iterable<Enrolled>,
  source: CosignatureSource,
  enough = Infinity,
): readonly Cosigned[] {
  const raw = source.cosignatures(size);
  const checkpoint = source.checkpoint(size);
  if (raw.length === 0 || checkpoint === undefined) return [];
  const lines = raw.map(parseSignatureLine);
  const { text } = parseNote(checkpoint);
  const found = new Map<string, Cosigned>();
  for (const enrolled of people) {
    if (found.size >= enough) break;
    const key = cardKey(enrolled.card, "cosignature");
    for (const line of lines) {
      if (line.name !== key.name || line.keyId !== key.keyId) continue;
      if (!checkSignature(text, line, key)) continue;
      found.set(enrolled.person, { person: enrolled.person, time: cosignatureTime(line) });
    }
  }
  return [...found.values()];
}

/** Whether a checkpoint note bears this person's valid cosignature. */
export function isCosignedBy(note: string, card: Card): boolean {
  const { text, signatures } = parseNote(note);
  const key = cardKey(card, "cosignature");
  return signatures.some((line) => checkSignature(text, line, key));
}

/** What `lastCosigned` looks through: every cosignature that a ledger keeps, by size. */
export interface AllCosignatures {
  checkpoint(size: number): string | undefined;
  cosignatures(): readonly { readonly size: number; readonly line: string }[];
}

/** Size of the newest head that bears this person's valid cosignature, or undefined. */
export function lastCosigned(who: Enrolled, ledger: AllCosignatures): number | undefined {
  const { name } = cardKey(who.card, "cosignature");
  return ledger.cosignatures().findLast(({ size, line }) => {
    if (!line.startsWith(`\u2014 ${name} `)) return false;
    const source = { checkpoint: () => ledger.checkpoint(size), cosignatures: () => [line] };
    return cosignersOf(size, [who], source).length > 0;
  })?.size;
}

/** Whether two or more enrolled people vouch for the checkpoint of `size`. */
export function isCosigned(
  size: number,
  people: Iterable<Enrolled>,
  source: CosignatureSource,
): boolean {
  return cosignersOf(size, people, source, 2).length >= 2;
}
