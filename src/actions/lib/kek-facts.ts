/** A new generation of a KEK on paper: what is asked for, agreed to, foreseen and recorded. */

import type { Custody } from "../../ceremony/custody.ts";
import type { EnvelopeCustody } from "../../ceremony/custody-copies.ts";
import type { Fact, FactKind, FactOf } from "../../ceremony/facts.ts";
import { label, role, slug, type Role } from "../../ceremony/words.ts";
import { hex, utf8 } from "../../lib/encoding.ts";
import type { JsonObject } from "../../lib/json.ts";
import { z } from "../../lib/schema.ts";
import { kekEvidence, type KekEvidence } from "./keks.ts";
import type { SetIntent } from "./new-share-sets.ts";
import type { Opener } from "./transports.ts";

export interface KekParams {
  readonly kek: string;
  readonly token: string;
  /** Tokens that shall open it; its own is always among them. Empty for an escrowed KEK. */
  readonly for: readonly string[];
  readonly escrow: boolean;
  /** Who holds the shares of an escrowed KEK. */
  readonly holders: Role;
}

/** What a step that makes a generation of a KEK is given. */
export function kekParams(): z.Schema<KekParams> {
  return z.strictObject({
    kek: slug,
    token: label,
    for: z.array(label).default([]),
    escrow: z.boolean().default(false),
    holders: role.default("custodian"),
  });
}

export interface KekIntent extends JsonObject {
  readonly kek: string;
  readonly generation: number;
  readonly mode: "hsm-to-hsm" | "escrowed";
  readonly ckaId: string;
  readonly serial: string;
  /** Its own token first. Empty for an escrowed KEK. */
  readonly openers: readonly Opener[];
  readonly fingerprintsHeardBy: readonly string[];
  readonly shareSet: SetIntent | null;
}

export interface KekMade extends KekIntent {
  readonly object: KekEvidence;
  readonly envelopes: readonly EnvelopeCustody[];
  readonly shares: FactOf<"share-set.made"> | null;
}

/** All tokens that shall open a KEK, its own first. */
export function openingTokens(p: Pick<KekParams, "token" | "for">): readonly string[] {
  return [...new Set([p.token, ...p.for])];
}

/** The facts of a generation that was made. */
export function kekFacts(p: KekParams, made: KekMade): readonly Fact[] {
  const { kek, generation, mode, ckaId, object, envelopes, shares } = made;
  const { checkValue } = object;
  const established: Fact = {
    kind: "kek.established",
    ...{ kek, generation, mode, token: p.token, ckaId, checkValue },
    envelopes: envelopes.map((envelope) => ({ ...envelope })),
  };
  if (shares === null) return [established];
  const { set, generation: setGeneration } = shares;
  return [shares, established, { kind: "kek.escrowed", kek, generation, set, setGeneration }];
}

/** Whether a fact is what people agreed to: all of it that could be known beforehand. */
export function admitsKek(p: KekParams, intent: KekIntent, fact: Fact): boolean {
  if (fact.kind === "kek.established") return admitsEstablished(p, intent, fact);
  const { kek, generation, shareSet } = intent;
  if (shareSet === null) return false;
  if (fact.kind === "share-set.made") {
    return (
      fact.purpose === "kek" &&
      fact.token === p.token &&
      fact.set === shareSet.set &&
      fact.generation === 1 &&
      fact.threshold === shareSet.threshold &&
      fact.holders.join() === shareSet.holders.join()
    );
  }
  return (
    fact.kind === "kek.escrowed" &&
    fact.kek === kek &&
    fact.generation === generation &&
    fact.set === shareSet.set &&
    fact.setGeneration === 1
  );
}

/** The kinds of fact that make a generation what was agreed to. */
export function owesKek(_: KekParams, { shareSet }: KekIntent): readonly FactKind[] {
  return shareSet === null
    ? ["kek.established"]
    : ["share-set.made", "kek.established", "kek.escrowed"];
}

function admitsEstablished(
  p: KekParams,
  { kek, generation, mode, ckaId, openers }: KekIntent,
  fact: FactOf<"kek.established">,
): boolean {
  return (
    fact.kek === kek &&
    kek === p.kek &&
    fact.generation === generation &&
    fact.mode === mode &&
    fact.token === p.token &&
    fact.ckaId === ckaId &&
    fact.envelopes.length === openers.length &&
    fact.envelopes.every((envelope, at) => isFor(openers[at], envelope))
  );
}

/** Whether an envelope is to the transport key that two people confirmed. */
export function isFor(opener: Opener | undefined, envelope: EnvelopeCustody): boolean {
  return (
    opener?.token === envelope.token &&
    opener.spki === envelope.spki &&
    opener.oaep.includes(envelope.oaep)
  );
}

/** The transport keys as planning knows them; requirements object to those that are missing. */
export function plannedOpeners(p: KekParams, { transports }: Custody): readonly Opener[] {
  if (p.escrow) return [];
  return openingTokens(p).flatMap((token) => {
    const known = transports.get(token);
    return known === undefined ? [] : [{ token, spki: known.spki, oaep: known.oaep }];
  });
}

/** A generation as planning foresees it. */
export function plannedKek(p: KekParams, generation: number, openers: readonly Opener[]): KekMade {
  const digest = "0".repeat(64);
  const mode = p.escrow ? "escrowed" : "hsm-to-hsm";
  const set = `planned-${hex(utf8(p.kek)).slice(0, 16)}-g${generation}`;
  const shareSet = { set, threshold: 2, holders: ["planned-a", "planned-b"] };
  const found = { ckaId: "00", checkValue: "0".repeat(16), attributes: {}, waivers: [] };
  return {
    ...{ kek: p.kek, generation, mode, ckaId: "00", serial: "planned", openers },
    fingerprintsHeardBy: ["planned-a", "planned-b"],
    shareSet: p.escrow ? shareSet : null,
    object: kekEvidence({ kek: p.kek, generation, mode }, found, []),
    envelopes: openers.map(({ token, spki }) => ({ token, spki, oaep: "sha1", sha256: digest })),
    shares: p.escrow
      ? {
          kind: "share-set.made",
          ...shareSet,
          generation: 1,
          purpose: "kek",
          token: p.token,
          sha256: digest,
          sealed: digest,
        }
      : null,
  };
}
