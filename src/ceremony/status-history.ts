/**
 * What `status` shows of a history, and the form in which it is kept between ceremonies, so that looking at a
 * ledger of a million entries needs no fold over all of them. Format: docs/formats/status.md.
 */

import type { Entry } from "../ledger/entry.ts";
import { formatTagged, parseTagged } from "../lib/tagged-json.ts";
import { custodyDigest } from "./custody-json.ts";
import { isCosigned, type CosignatureSource } from "./heads.ts";
import type { CeremonyRecord, History } from "./history.ts";
import { ableAt } from "./people-dates.ts";
import { stringOf } from "./record.ts";

export type StatusCeremony = Pick<
  CeremonyRecord,
  | "id"
  | "title"
  | "script"
  | "version"
  | "state"
  | "openedAt"
  | "closedAt"
  | "unjudged"
  | "deviations"
  | "doubt"
  | "unsettled"
>;

export interface StatusHistory extends Pick<
  History,
  "size" | "lastTime" | "custody" | "open" | "cosigned" | "findings"
> {
  readonly ceremonies: readonly StatusCeremony[];
}

/** A history between ceremonies as text, or undefined while something is open or not cosigned. */
export function formatKept(history: History): string | undefined {
  const { size, lastTime, custody, cosigned, findings } = history;
  if (history.open !== null || cosigned !== size || size === 0) return undefined;
  const ceremonies = history.ceremonies.map((one): StatusCeremony => {
    const { id, title, script, version, state, openedAt, closedAt } = one;
    const { deviations, doubt, unsettled, unjudged } = one;
    const said = { id, title, script, version, state, openedAt, closedAt };
    return { ...said, deviations, doubt, unsettled, unjudged };
  });
  return formatTagged({ size, lastTime, custody, cosigned, findings, ceremonies });
}

/**
 * What `formatKept` wrote, if it is still what the ledger says: nothing was appended since, and its custody has
 * the digest that the last entry states, a close that two or more people of that custody cosigned.
 * @param last the ledger's last entry
 * @returns undefined when it is not, and everything has to be folded anew
 */
export function believedKept(
  text: string,
  last: Entry,
  cosignatures: CosignatureSource,
): StatusHistory | undefined {
  // Its writer was this build: the ledger's key signed it.
  const kept = parseTagged(text) as Omit<StatusHistory, "open">;
  const { size, custody } = kept;
  if (size !== last.seq + 1 || last.type !== "ceremony.closed") return undefined;
  if (stringOf(last.data, "custody") !== custodyDigest(custody)) return undefined;
  // Of the roll nothing is kept: a close after midnight that only the roll bears out is folded anew.
  const cosigned = isCosigned(size, ableAt(custody, last.time), cosignatures);
  return cosigned ? { ...kept, open: null } : undefined;
}
