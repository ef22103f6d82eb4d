/**
 * The part of custody that says where each key is: copies on tokens and in backups, the KEKs and
 * transport keys that open them, the places they lie at, other sites, and drills.
 */

import type { Json, JsonObject } from "../lib/json.ts";
import type { FactOf } from "./facts.ts";

/** A key on a token. */
export interface TokenCopy {
  readonly token: string;
  readonly label: string;
  readonly ckaId: string;
  /** How it came there. */
  readonly origin: "generated" | "restored" | "wrap" | "native";
  /** True from generation with `backup: wrap` until the key is locked: an open obligation. */
  readonly extractable: boolean;
  /**
   * When a challenge signature last proved it, RFC 3339; empty for one that came to the token in a step that was
   * given up before it was read back.
   */
  readonly proved: string;
}

/** A key in a backup; the backup counts once it is completed. */
export interface BackupCopy {
  readonly backup: string;
  /** SHA-256 of the wrapped key. */
  readonly blob: string;
  /** When it was last opened and proved, RFC 3339. */
  readonly proved: string;
}

export interface Restored extends Recorded {
  readonly backup: string;
  /** The site that made the backup. */
  readonly origin: string;
}

/** Every copy of one key. */
export interface KeyCopies {
  readonly tokens: ReadonlyMap<string, TokenCopy>;
  readonly backups: ReadonlyMap<string, BackupCopy>;
  /** Copies that nobody could destroy, `place name` to the reason. */
  readonly retained: ReadonlyMap<string, string>;
  /** The last restore here from a backup, or null. */
  readonly restored: Restored | null;
  /** When a drill that counts last proved it, RFC 3339, or null: a rehearsal never does. */
  readonly drilled: string | null;
  readonly destroyed: boolean;
}

export interface BackupCustody {
  readonly backup: string;
  readonly kek: string;
  readonly generation: number;
  /** SHA-256 of backup.json, or null while it is being made. */
  readonly sha256: string | null;
  /** How many keys were wrapped into it. */
  readonly keys: number;
  readonly vaults: readonly string[];
  readonly signers: readonly string[];
  readonly made: string;
  readonly ceremony: string;
}

export type TransportCustody = Omit<FactOf<"transport.generated">, "kind">;
export type EnvelopeCustody = FactOf<"kek.established">["envelopes"][number];

export interface KekCustody {
  readonly kek: string;
  readonly generation: number;
  /** Origin of the site that established it. */
  readonly origin: string;
  readonly mode: "hsm-to-hsm" | "escrowed";
  readonly checkValue: string;
  /** CKA_ID by token that holds it. */
  readonly tokens: ReadonlyMap<string, string>;
  /** By token whose transport key opens it. */
  readonly envelopes: ReadonlyMap<string, EnvelopeCustody>;
  /** Share set of an escrowed value: its id and generation. */
  readonly escrow: { readonly set: string; readonly generation: number } | null;
}

/** Where a token or a backup is kept; key `token alpha` or `backup ID vault`. */
export type PlaceCustody = Omit<FactOf<"copy.moved">, "kind"> & { readonly since: string };
export type PeerCustody = Omit<FactOf<"site.trusted">, "kind">;
export type DrillCustody = Omit<FactOf<"drill.concluded">, "kind"> & {
  readonly at: string;
  readonly ceremony: string;
};

export interface CopiesCustody {
  /** Transport keys by token. */
  readonly transports: ReadonlyMap<string, TransportCustody>;
  /** KEKs by `<kek>.g<generation>`. */
  readonly keks: ReadonlyMap<string, KekCustody>;
  /** Copies by SHA-256 of the key's SubjectPublicKeyInfo. */
  readonly copies: ReadonlyMap<string, KeyCopies>;
  readonly backups: ReadonlyMap<string, BackupCustody>;
  readonly places: ReadonlyMap<string, PlaceCustody>;
  /** Other sites by origin. */
  readonly peers: ReadonlyMap<string, PeerCustody>;
  readonly drills: readonly DrillCustody[];
}

/** When and where a fact was recorded. */
export interface Recorded {
  readonly ceremony: string;
  /** Time of the entry, RFC 3339. */
  readonly at: string;
}

export const NO_COPIES: CopiesCustody = {
  transports: new Map(),
  keks: new Map(),
  copies: new Map(),
  backups: new Map(),
  places: new Map(),
  peers: new Map(),
  drills: [],
};

export { kekName } from "./generations.ts";

/** Key of a place in custody. */
export function placeKey(place: "token" | "backup", name: string, vault: string): string {
  return place === "token" ? `token ${name}` : `backup ${name} ${vault}`;
}

/** This part of custody as JSON, with maps as objects. */
export function copiesJson(custody: CopiesCustody): JsonObject {
  const plain = <V>(map: ReadonlyMap<string, V>, value: (entry: V) => Json): Json =>
    Object.fromEntries([...map].map(([name, entry]) => [name, value(entry)]));
  const asIs = (entry: unknown): Json => entry as Json;
  return {
    transports: plain(custody.transports, asIs),
    keks: plain(custody.keks, (kek) => ({
      ...kek,
      tokens: plain(kek.tokens, asIs),
      envelopes: plain(kek.envelopes, asIs),
    })),
    copies: plain(custody.copies, (key) => ({
      tokens: plain(key.tokens, asIs),
      backups: plain(key.backups, asIs),
      retained: plain(key.retained, asIs),
      restored: asIs(key.restored),
      drilled: key.drilled,
      destroyed: key.destroyed,
    })),
    backups: plain(custody.backups, asIs),
    places: plain(custody.places, asIs),
    peers: plain(custody.peers, asIs),
    drills: custody.drills.map((drill) => ({ ...drill, reasons: [...drill.reasons] })),
  };
}
