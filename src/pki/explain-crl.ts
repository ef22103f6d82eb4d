/** A revocation list in plain words. */

import type { CrlEntryView, CrlHeader } from "./crl-read.ts";
import { extensionLines } from "./explain-extensions.ts";
import {
  algorithmInWords,
  count as counted,
  field,
  hexLines,
  nameLines,
  timeInWords,
} from "./explain-parts.ts";

/** Entries beyond these are counted and not shown: nobody reads a thousand of them in a room. */
const SHOWN = 50;

const REASON_WORDS: Readonly<Record<string, string>> = {
  keyCompromise: "its key is compromised",
  cACompromise: "the CA's key is compromised",
  affiliationChanged: "its subject's name or standing has changed",
  superseded: "another certificate stands in its place",
  cessationOfOperation: "it is not needed any more",
  certificateHold: "it is on hold",
  removeFromCRL: "it is taken off the list",
  privilegeWithdrawn: "its privilege is withdrawn",
  aACompromise: "the attribute authority is compromised",
};

/**
 * The header of a list and its first 50 entries, in lines of at most 96 columns; `count` is how many
 * there are.
 */
export function explainCrl(
  header: CrlHeader,
  count: number,
  entries: Iterable<CrlEntryView>,
): readonly string[] {
  return [
    ...field("issuer", nameLines(header.issuer)),
    ...field("made at", [timeInWords(header.thisUpdate)]),
    ...field("next one due", [timeInWords(header.nextUpdate)]),
    ...header.extensions.flatMap((extension) => extensionLines(extension)),
    ...field("signature", [algorithmInWords(header.signature)]),
    ...field("format", [`X.509 revocation list, version ${header.version}`]),
    ...field("revoked", [count === 0 ? "nothing" : counted(count, "certificate")]),
    ...first(entries).flatMap(entryLines),
    ...(count > SHOWN ? field("", [`and ${count - SHOWN} more, which are not shown`]) : []),
  ];
}

function first(entries: Iterable<CrlEntryView>): readonly CrlEntryView[] {
  const found: CrlEntryView[] = [];
  for (const entry of entries) {
    if (found.length === SHOWN) break;
    found.push(entry);
  }
  return found;
}

function entryLines({ serial, revokedAt, reason, others }: CrlEntryView): readonly string[] {
  const why = reason === null ? "no reason is given" : (REASON_WORDS[reason] ?? reason);
  return field("  serial number", [
    ...hexLines(serial),
    `since ${timeInWords(revokedAt)}: ${why}${reason === null ? "" : ` (${reason})`}`,
    ...others.map((oid) => `unknown entry extension ${oid}`),
  ]);
}
