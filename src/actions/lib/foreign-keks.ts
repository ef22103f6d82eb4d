/**
 * A KEK of another site: known here by the proofs in a backup of that site, and of use only where that site
 * sealed it to a transport key of ours.
 */

import type { Room } from "../../ceremony/action.ts";
import type { Custody } from "../../ceremony/custody.ts";
import { kekName, type EnvelopeCustody, type KekCustody } from "../../ceremony/custody-copies.ts";
import { condition, type Condition } from "../../ceremony/conditions.ts";
import type { FactOf } from "../../ceremony/facts.ts";
import { KeyriteError } from "../../lib/errors.ts";
import { chosenKek, kekIs, kekIsKnown, tokenOpens, type KekChoice } from "./kek-conditions.ts";
import { recordedKek } from "./keks.ts";
import { openBackup } from "./open-backup.ts";
import { transportOf } from "./transports.ts";

export type AdoptedKek = FactOf<"kek.adopted">;

export interface KekSource {
  readonly vault: string;
  readonly backup: string;
  /** The other site, when the backup and its KEK are not of this one. */
  readonly origin?: string | undefined;
}

/** What loading requires of a KEK: that it is known and can be opened, here or by another site's proofs. */
export function kekCanLoad(
  token: string,
  choice: KekChoice,
  from?: KekSource,
): readonly Condition[] {
  const origin = from?.origin;
  if (origin === undefined) {
    return [kekIsKnown(choice), kekIs("not-on", token, choice), tokenOpens(token, choice)];
  }
  return [
    condition(
      "from",
      ({ custody }) =>
        !custody.peers.has(origin) &&
        `the site ${origin} is not trusted here; trust-site comes first`,
    ),
    condition(
      "generation",
      () => choice.generation === undefined && "name the generation of another site's KEK",
    ),
    condition("kek", ({ custody }) => {
      const kek = chosenKek(custody, choice);
      if (kek === undefined || kek.origin === origin) return undefined;
      return `KEK ${kekName(kek)} is one of ${kek.origin}: two KEKs of one name cannot be told apart`;
    }),
    kekIs("not-on", token, choice),
    condition(
      "token",
      ({ custody }) =>
        !custody.transports.has(token) && `token ${token} has no transport key by then`,
    ),
  ];
}

/** A KEK to load, and what is recorded about it first when custody does not know it yet. */
export interface FoundKek {
  readonly record: KekCustody;
  readonly adopt: AdoptedKek | null;
}

/**
 * The KEK that a step means: by custody, else by the proofs in the other site's backup.
 * @throws KeyriteError script.refused, ledger.not-trusted, ledger.backup-damaged
 */
export async function findKek(
  room: Room,
  token: string,
  choice: KekChoice,
  from?: KekSource,
): Promise<FoundKek> {
  const known = chosenKek(room.custody, choice);
  if (from?.origin === undefined || known !== undefined) {
    return { record: recordedKek(room.custody, choice.kek, choice.generation), adopt: null };
  }
  const { backup, vault, origin } = from;
  const opened = await openBackup(room, { backup, from: vault, keys: [] });
  const { foreign } = opened;
  const kek = foreign?.kek;
  if (kek?.kek !== choice.kek || kek.generation !== choice.generation) {
    throw refused(`backup ${backup} is not under KEK ${choice.kek}.g${choice.generation ?? "?"}`);
  }
  if (opened.manifest.origin !== origin) {
    throw refused(`backup ${backup} is one of ${opened.manifest.origin}, not of ${origin}`);
  }
  const ours = ourEnvelopes(room.custody, foreign?.envelopes ?? []);
  const { spki } = transportOf(room.custody, token);
  if (!ours.some((envelope) => envelope.spki === spki)) {
    throw refused(`${origin} did not seal KEK ${kekName(kek)} to the transport key of ${token}`, [
      "that site sends it while it can: send-kek with peer, then a new backup",
    ]);
  }
  const { generation, mode, checkValue } = kek;
  const adopt: AdoptedKek = {
    ...{ kind: "kek.adopted", kek: kek.kek, generation, origin, mode, checkValue },
    envelopes: ours.map((envelope) => ({ ...envelope })),
  };
  return { record: asRecord(adopt), adopt };
}

/** A KEK as custody will know it once it is adopted. */
export function asRecord({
  kek,
  generation,
  origin,
  mode,
  checkValue,
  envelopes,
}: AdoptedKek): KekCustody {
  const byToken = new Map(envelopes.map((envelope) => [envelope.token, envelope]));
  const named = { kek, generation, origin, mode, checkValue };
  return { ...named, tokens: new Map(), envelopes: byToken, escrow: null };
}

// What the other site sealed to others is in its own ledger.
function ourEnvelopes(
  { transports }: Custody,
  envelopes: readonly EnvelopeCustody[],
): readonly EnvelopeCustody[] {
  const own = new Set([...transports.values()].map(({ spki }) => spki));
  return envelopes.filter(({ spki }) => own.has(spki));
}

function refused(message: string, hints: readonly string[] = []): KeyriteError {
  return new KeyriteError("script.refused", message, {
    hints: [...hints, "`keyrite backup verify DIR` shows what a backup says of itself"],
  });
}
