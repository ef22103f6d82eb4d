/**
 * Cosignatures of people: each one that bears the key of somebody on the roster must verify. Those of keys
 * that the ledger does not know are for whoever knows them.
 */

import type { Enrolled } from "../ceremony/custody.ts";
import type { LedgerStore } from "../ledger/store.ts";
import { checkSignature, parseNote, parseSignatureLine, type VerifierKey } from "../lib/note.ts";
import { cardKey } from "../people/card.ts";
import type { JudgedFinding } from "./judge.ts";

/** The cosignatures that do not verify, of a ledger whose rows are sound. */
export function cosignatureFindings(
  ledger: LedgerStore,
  people: readonly Enrolled[],
): readonly JudgedFinding[] {
  const keys = new Map<string, { readonly person: string; readonly key: VerifierKey }>();
  for (const { person, card } of people) {
    const key = cardKey(card, "cosignature");
    keys.set(`${key.name} ${key.keyId}`, { person, key });
  }
  const findings: JudgedFinding[] = [];
  for (const { size, line: text } of ledger.cosignatures()) {
    const line = parseSignatureLine(text);
    const known = keys.get(`${line.name} ${line.keyId}`);
    const checkpoint = ledger.checkpoint(size);
    if (known === undefined || checkpoint === undefined) continue;
    if (checkSignature(parseNote(checkpoint).text, line, known.key)) continue;
    const said = `the cosignature of ${known.person} on size ${size} does not verify`;
    findings.push({ code: "cosignature", seq: size - 1, text: said });
  }
  return findings;
}
