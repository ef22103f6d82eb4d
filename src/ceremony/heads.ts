/** Heads people carry: whose cosignatures a checkpoint holds, and which head a medium brings along. */

import {
  checkSignature,
  cosignatureTime,
  parseNote,
  parseSignatureLine,
  parseVerifierKey,
} from "../lib/note.ts";
import type { Card } from "../people/card.ts";
import type { Enrolled } from "./custody.ts";

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

/** The enrolled people whose cosignature on the checkpoint of `size` is valid; each counts once. */
export function cosignersOf(
  size: number,
  people: Iterable<Enrolled>,
  source: CosignatureSource,
): readonly Cosigned[] {
  const lines = source.cosignatures(size);
  const checkpoint = source.checkpoint(size);
  if (lines.length === 0 || checkpoint === undefined) return [];
  const { text } = parseNote(checkpoint);
  const found = new Map<string, Cosigned>();
  for (const enrolled of people) {
    const key = parseVerifierKey(enrolled.card.cosigning);
    for (const raw of lines) {
      const line = parseSignatureLine(raw);
      if (line.name !== key.name || line.keyId !== key.keyId) continue;
      if (!checkSignature(text, line, key)) continue;
      found.set(enrolled.person, { person: enrolled.person, time: cosignatureTime(line) });
    }
  }
  return [...found.values()];
}

/** Whether a checkpoint note bears this person's valid cosignature. */
export function isCosignedBy(note: string, { cosigning }: Card): boolean {
  const { text, signatures } = parseNote(note);
  const key = parseVerifierKey(cosigning);
  return signatures.some((line) => checkSignature(text, line, key));
}

export function countCosigners(
  size: number,
  people: Iterable<Enrolled>,
  source: CosignatureSource,
): number {
  return cosignersOf(size, people, source).length;
}
