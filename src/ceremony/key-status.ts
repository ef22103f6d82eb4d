/**
 * Per key, what custody says of its copies and what the policy misses: where they are, when each was
 * last proved, and when a drill that counts last brought the key back. Pure.
 */

import { parseTimestamp } from "../lib/clock.ts";
import type { KeyAlgorithm } from "../lib/algorithms.ts";
import type { JsonObject } from "../lib/json.ts";
import { openersOf } from "./copies-query.ts";
import type { Custody } from "./custody.ts";
import { kekName, placeKey, type KeyCopies, type PlaceCustody } from "./custody-copies.ts";
import type { Policy } from "./policy.ts";

/** Where a copy lies; what nobody recorded is taken to be on site, and in no container. */
export interface Whereabouts extends JsonObject {
  readonly site: string | null;
  readonly offSite: boolean;
  readonly container: string | null;
  readonly holders: readonly string[];
}

export interface TokenCopyStatus extends Whereabouts {
  readonly token: string;
  readonly origin: "generated" | "restored" | "wrap" | "native";
  readonly extractable: boolean;
  readonly proved: string;
}

export interface BackupCopyStatus extends JsonObject {
  readonly backup: string;
  /** A backup that was never completed does not count. */
  readonly completed: boolean;
  readonly kek: string;
  readonly proved: string;
  readonly vaults: readonly ({ readonly vault: string } & Whereabouts)[];
}

interface CountedKey extends JsonObject {
  /** SHA-256 of the key's SubjectPublicKeyInfo. */
  readonly spki: string;
  readonly label: string;
  readonly algorithm: KeyAlgorithm;
  /** What its generation said of backups. */
  readonly backup: "wrap" | "native" | "never";
  readonly destroyed: boolean;
  readonly tokens: readonly TokenCopyStatus[];
  readonly backups: readonly BackupCopyStatus[];
  /** The backup that it last came back from; one of another site is no copy that this site keeps. */
  readonly restored: {
    readonly backup: string;
    readonly origin: string;
    readonly at: string;
  } | null;
  /** Copies that stay although they were to be destroyed, `token alpha` or `backup ID`, and why. */
  readonly retained: readonly { readonly copy: string; readonly reason: string }[];
  /** Copies that count: one a token, one a vault of each completed backup. */
  readonly onSite: number;
  readonly offSite: number;
  readonly lastProof: string | null;
  /** The last drill that counts; a rehearsal never does. */
  readonly lastDrill: string | null;
}

export interface KeyStatus extends CountedKey {
  /** What the policy asks for and is not there, one sentence each. */
  readonly missing: readonly string[];
}

const DAY = 86_400_000;

/** Every key in custody, in the order in which they came into it. `now` in milliseconds since 1970. */
export function keyStatuses(
  custody: Custody,
  policy: Policy | null,
  now: number,
): readonly KeyStatus[] {
  return [...custody.copies].flatMap(([spki, copies]): readonly KeyStatus[] => {
    const counted = countedStatus(custody, spki, copies);
    if (counted === undefined) return [];
    return [{ ...counted, missing: missing(custody, policy, counted, now) }];
  });
}

function countedStatus(custody: Custody, spki: string, copies: KeyCopies): CountedKey | undefined {
  const key = custody.keys.get(spki);
  if (key === undefined) return undefined;
  const { places } = custody;
  const { restored } = copies;
  const tokens = [...copies.tokens.values()].map(({ token, origin, extractable, proved }) => {
    const place = whereabouts(places.get(placeKey("token", token, token)));
    return { token, origin, extractable, proved, ...place };
  });
  const backups = [...copies.backups.values()].map(({ backup, proved }): BackupCopyStatus => {
    const made = custody.backups.get(backup);
    const vaults = (made?.vaults ?? []).map((vault) => {
      return { vault, ...whereabouts(places.get(placeKey("backup", backup, vault))) };
    });
    const completed = made !== undefined && made.sha256 !== null;
    return { backup, completed, kek: made === undefined ? "" : kekName(made), proved, vaults };
  });
  const whole = backups.filter(({ completed }) => completed);
  const lying = [...tokens, ...whole.flatMap(({ vaults }) => vaults)];
  const offSite = lying.filter((copy) => copy.offSite).length;
  const proofs = readBack([...tokens, ...whole])
    .map(({ proved }) => proved)
    .toSorted();
  return {
    ...{ spki, label: key.label, algorithm: key.algorithm, backup: key.backup },
    destroyed: copies.destroyed,
    tokens,
    backups,
    restored: restored && { backup: restored.backup, origin: restored.origin, at: restored.at },
    retained: [...copies.retained].map(([copy, reason]) => ({ copy, reason })),
    onSite: lying.length - offSite,
    offSite,
    lastProof: proofs.at(-1) ?? null,
    lastDrill: copies.drilled,
  };
}

function whereabouts(place: PlaceCustody | undefined): Whereabouts {
  if (place === undefined) return { site: null, offSite: false, container: null, holders: [] };
  const { site, offSite, container, holders } = place;
  return { site, offSite, container, holders: [...holders] };
}

function missing(
  custody: Custody,
  policy: Policy | null,
  key: CountedKey,
  now: number,
): readonly string[] {
  // A key that was never to leave its token has one copy for ever; a destroyed one needs none.
  if (policy === null || key.destroyed || key.backup === "never") return [];
  return [
    ...backupMissing(custody.origin, key),
    ...copiesMissing(policy, key),
    ...(custody.assurance === "production" ? drillMissing(policy, key, now) : []),
  ];
}

function backupMissing(
  origin: string,
  { backup, tokens, backups, restored }: CountedKey,
): readonly string[] {
  const cloned = readBack(tokens).some(
    (copy) => copy.origin === "native" || copy.origin === backup,
  );
  if (cloned) return [];
  if (backup === "native") {
    return ["its backup by the vendor's tools is due; record-native-backup proves it"];
  }
  // What came from another site's backup is in that site's keeping, and cannot be wrapped here again.
  const elsewhere = restored !== null && restored.origin !== origin;
  if (elsewhere || backups.some(({ completed }) => completed)) return [];
  return ["it is in no completed backup, and on no token that it was cloned to"];
}

/** Copies that count: those of a step that was given up before it read them back do not. */
function readBack<C extends { readonly proved: string }>(copies: readonly C[]): readonly C[] {
  return copies.filter(({ proved }) => proved !== "");
}

function copiesMissing(
  { copies }: Policy,
  { tokens, backups, offSite }: CountedKey,
): readonly string[] {
  const list: string[] = [];
  const { length } = readBack(tokens);
  if (length < copies.tokens) {
    list.push(`it is on ${plural(length, "token")}; the policy wants ${copies.tokens}`);
  }
  if (offSite < copies.offSite) {
    const kept = [...tokens, ...backups.flatMap(({ vaults }) => vaults)];
    const unknown = kept.filter(({ site }) => site === null).length;
    const places =
      unknown === 0 ? "" : ` (${plural(unknown, "place")} not recorded: see record-custody)`;
    list.push(
      `it has ${plural(offSite, "copy")} off site; the policy wants ${copies.offSite}${places}`,
    );
  }
  return list;
}

function drillMissing(
  { drills }: Policy,
  { lastDrill, backups }: CountedKey,
  now: number,
): readonly string[] {
  if (!backups.some(({ completed }) => completed)) return [];
  const every = `the policy wants one every ${plural(drills.maxAgeDays, "day")}`;
  if (lastDrill === null) return [`no drill has brought it back yet; ${every}`];
  const days = Math.floor((now - (parseTimestamp(lastDrill) ?? 0)) / DAY);
  if (days <= drills.maxAgeDays) return [];
  return [`the last drill that brought it back was ${plural(days, "day")} ago; ${every}`];
}

/** A number with its noun, e.g. `1 copy`, `2 copies`, `3 keys`. */
export function plural(count: number, noun: string): string {
  if (count === 1) return `1 ${noun}`;
  return `${count} ${/[^aeiou]y$/.test(noun) ? `${noun.slice(0, -1)}ie` : noun}s`;
}

/** KEKs that too few tokens can open: one more loss, and what is wrapped under them is gone. */
export function thinKeks(custody: Custody): readonly string[] {
  return [...custody.keks.values()].flatMap((kek) => {
    const openers = openersOf(custody, kek);
    // Shares open an escrowed KEK on any token; another site's is that site's to look after.
    if (openers.length > 1 || kek.escrow !== null || kek.origin !== custody.origin) return [];
    const who = openers.length === 0 ? "no token" : `only token ${openers.join()}`;
    return [`${who} can open KEK ${kekName(kek)}; send it to another token`];
  });
}
