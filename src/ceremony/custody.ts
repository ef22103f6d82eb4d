/**
 * Custody: who and what holds which key, copy, share and role now. It is a fold of facts and never a
 * second store, so it cannot disagree with the ledger.
 */

import { shareAKey, type Card } from "../people/card.ts";
import { digestOf } from "../lib/encoding.ts";
import type { Json } from "../lib/json.ts";
import type { Fact, FactOf } from "./facts.ts";
import type { Assurance, Genesis } from "./genesis.ts";
import type { Role } from "./words.ts";

export interface Enrolled {
  readonly person: string;
  readonly roles: readonly Role[];
  readonly card: Card;
  readonly cardSha256: string;
  readonly reference: string;
}

export interface TokenCustody extends Omit<FactOf<"token.bound">, "kind"> {
  /** Current share sets by purpose: id and generation. */
  readonly sets: Readonly<Partial<Record<"activation" | "security-officer", ShareSetRef>>>;
}

export interface ShareSetRef {
  readonly set: string;
  readonly generation: number;
}

export type ShareSetCustody = Omit<FactOf<"share-set.made">, "kind">;
export type KeyCustody = Omit<FactOf<"key.generated">, "kind"> & { readonly ceremony: string };
export type CertificateCustody = Omit<FactOf<"certificate.issued">, "kind"> & {
  readonly ceremony: string;
};

export interface Attending {
  readonly person: string;
  readonly role: Role;
}

export interface Custody {
  readonly origin: string;
  readonly assurance: Assurance;
  /** SHA-256 of genesis.json. */
  readonly genesis: string;
  /** SHA-256 of the adopted policy, or null before founding. */
  readonly policy: string | null;
  readonly people: ReadonlyMap<string, Enrolled>;
  readonly tokens: ReadonlyMap<string, TokenCustody>;
  /** Share sets by `<set>.g<generation>`. */
  readonly shareSets: ReadonlyMap<string, ShareSetCustody>;
  /** Keys by SHA-256 of their SubjectPublicKeyInfo. */
  readonly keys: ReadonlyMap<string, KeyCustody>;
  /** Certificates by SHA-256 of their DER. */
  readonly certificates: ReadonlyMap<string, CertificateCustody>;
  /** Digest of the site.yaml that the people of the latest roll call agreed to. */
  readonly bindings: string | null;
  /** The open ceremony's roll: empty between ceremonies. */
  readonly attending: readonly Attending[];
  /** Tokens activated in the open ceremony. */
  readonly active: ReadonlySet<string>;
  /** Files of the open ceremony's outbox. */
  readonly files: ReadonlySet<string>;
}

/** Custody before the first entry. */
export function emptyCustody(genesis: Genesis): Custody {
  return {
    origin: genesis.origin,
    assurance: genesis.assurance,
    genesis: genesis.sha256,
    policy: null,
    people: new Map(),
    tokens: new Map(),
    shareSets: new Map(),
    keys: new Map(),
    certificates: new Map(),
    bindings: null,
    attending: [],
    active: new Set(),
    files: new Set(),
  };
}

/** Name of a share set in custody and in file names. */
export function shareSetName(ref: ShareSetRef): string {
  return `${ref.set}.g${ref.generation}`;
}

type Open<T> = { -readonly [K in keyof T]: Opened<T[K]> };
type Opened<T> =
  T extends ReadonlyMap<infer K, infer V> ? Map<K, V> : T extends ReadonlySet<infer V> ? Set<V> : T;

/** Custody being folded. Facts go in one by one; `custody` shows the present state. */
export class CustodyFold {
  readonly #state: Open<Custody>;

  constructor(start: Custody) {
    this.#state = {
      ...start,
      people: new Map(start.people),
      tokens: new Map(start.tokens),
      shareSets: new Map(start.shareSets),
      keys: new Map(start.keys),
      certificates: new Map(start.certificates),
      active: new Set(start.active),
      files: new Set(start.files),
    };
  }

  get custody(): Custody {
    return this.#state;
  }

  /**
   * Takes one fact whose authority was already judged. `card` resolves a card digest.
   * @returns why the fact contradicts custody, or undefined when it was taken.
   */
  apply(
    fact: Fact,
    ceremony: string,
    card: (sha256: string) => Card | undefined,
  ): string | undefined {
    const state = this.#state;
    switch (fact.kind) {
      case "policy.adopted":
        state.policy = fact.sha256;
        return undefined;
      case "person.enrolled":
        return this.#enrol(fact, card(fact.card));
      case "people.present":
        state.attending = fact.attending;
        state.bindings = fact.bindings;
        return undefined;
      case "token.bound":
        return this.#bind(fact);
      case "share-set.made":
        return this.#makeShareSet(fact);
      case "token.activated":
        if (!state.tokens.has(fact.token)) return `token ${fact.token} is not bound`;
        state.active.add(fact.token);
        return undefined;
      case "token.deactivated":
        state.active.delete(fact.token);
        return undefined;
      case "key.generated":
        if (state.keys.has(fact.spki)) return `key ${fact.spki} is already in custody`;
        state.keys.set(fact.spki, { ...without(fact), ceremony });
        return undefined;
      case "certificate.issued":
        if (!state.keys.has(fact.issuerSpki)) return "the issuer's key is not in custody";
        state.certificates.set(fact.sha256, { ...without(fact), ceremony });
        state.files.add(fact.file);
        return undefined;
      case "clock.attested":
      case "deviation.recorded":
        return undefined;
    }
  }

  /** Ends the open ceremony: nobody attends and nothing is active any more. */
  endCeremony(): void {
    this.#state.attending = [];
    this.#state.active.clear();
    this.#state.files.clear();
  }

  #enrol(fact: FactOf<"person.enrolled">, card: Card | undefined): string | undefined {
    if (card === undefined) return `the card of ${fact.person} is not attached`;
    if (card.person !== fact.person) return `the card names ${card.person}, not ${fact.person}`;
    if (card.assurance !== this.#state.assurance) {
      return `the identity of ${fact.person} is of ${card.assurance} assurance`;
    }
    if (this.#state.people.has(fact.person)) return `${fact.person} is already enrolled`;
    for (const other of this.#state.people.values()) {
      if (shareAKey(card, other.card)) {
        return `${fact.person} presents a key of ${other.person}`;
      }
    }
    const { person, roles, reference } = fact;
    this.#state.people.set(person, { person, roles, card, cardSha256: fact.card, reference });
    return undefined;
  }

  #bind(fact: FactOf<"token.bound">): string | undefined {
    const bound = this.#state.tokens.get(fact.token);
    if (bound !== undefined) return `token ${fact.token} is already bound to ${bound.serial}`;
    this.#state.tokens.set(fact.token, { ...without(fact), sets: {} });
    return undefined;
  }

  #makeShareSet(fact: FactOf<"share-set.made">): string | undefined {
    const token = this.#state.tokens.get(fact.token);
    if (token === undefined) return `token ${fact.token} is not bound`;
    const name = shareSetName(fact);
    if (this.#state.shareSets.has(name)) return `share set ${name} already exists`;
    this.#state.shareSets.set(name, without(fact));
    const sets = { ...token.sets, [fact.purpose]: { set: fact.set, generation: fact.generation } };
    this.#state.tokens.set(fact.token, { ...token, sets });
    return undefined;
  }
}

function without<F extends { readonly kind: string }>(fact: F): Omit<F, "kind"> {
  return Object.fromEntries(Object.entries(fact).filter(([name]) => name !== "kind")) as Omit<
    F,
    "kind"
  >;
}

/** Digest of custody: what `ceremony.closed` states and everybody cosigns. */
export function custodyDigest(custody: Custody): string {
  return digestOf(custodyJson(custody));
}

/** Custody as JSON, with maps as objects: what `status --json` shows and the digest covers. */
export function custodyJson(custody: Custody): Json {
  const people = [...custody.people.values()].map(({ person, roles, cardSha256, reference }) => [
    person,
    { roles: [...roles], card: cardSha256, reference },
  ]);
  return {
    origin: custody.origin,
    assurance: custody.assurance,
    genesis: custody.genesis,
    policy: custody.policy,
    people: Object.fromEntries(people) as Json,
    tokens: Object.fromEntries(custody.tokens) as unknown as Json,
    shareSets: Object.fromEntries(custody.shareSets) as Json,
    keys: Object.fromEntries(custody.keys) as Json,
    certificates: Object.fromEntries(custody.certificates) as Json,
    bindings: custody.bindings,
  };
}
