/**
 * Custody: who and what holds which key, copy, share and role now. It is a fold of facts and never a
 * second store, so it cannot disagree with the ledger.
 */

import { hasSpkiForm } from "../backups/spki.ts";
import type { Card } from "../people/card.ts";
import { CertificatesFold, writableCertificates } from "./certificates-fold.ts";
import { CopiesFold } from "./copies-fold.ts";
import type { GivenUp } from "./copies-unproved.ts";
import { without, writable, type CopyContext } from "./copies-state.ts";
import { NO_CERTIFICATES, type CertificatesCustody } from "./custody-certificates.ts";
import { attachLog, explainLogs, type DeviceLogsCustody } from "./device-logs.ts";
import { NO_COPIES, type CopiesCustody, type DrillCustody } from "./custody-copies.ts";
import { enrol, renew, revoke, type Enrolled, type Former } from "./custody-people.ts";
import { isCertificateFact, isCopyFact, type Fact, type FactOf } from "./facts.ts";
import type { ShareSetRef } from "./generations.ts";
import { shareSetName } from "./generations.ts";
import type { Assurance, Genesis } from "./genesis.ts";
import type { Dated } from "./people-dates.ts";
import { datesRequired, type Policy } from "./policy.ts";
import type { Role } from "./words.ts";

export interface TokenCustody extends Omit<FactOf<"token.bound">, "kind"> {
  /** Current share sets by purpose: id and generation. */
  readonly sets: Readonly<Partial<Record<"activation" | "security-officer", ShareSetRef>>>;
}

export type ShareSetCustody = Omit<FactOf<"share-set.made">, "kind">;
export type KeyCustody = Omit<FactOf<"key.generated">, "kind"> & { readonly ceremony: string };
export type { CertificateCustody } from "./custody-certificates.ts";
export type { Enrolled } from "./custody-people.ts";

export interface Attending {
  readonly person: string;
  readonly role: Role;
}

export interface Custody extends CopiesCustody, CertificatesCustody, DeviceLogsCustody {
  readonly origin: string;
  readonly assurance: Assurance;
  /** SHA-256 of genesis.json. */
  readonly genesis: string;
  /** SHA-256 of the adopted policy, or null before founding. */
  readonly policy: string | null;
  /** Records without whose date nobody may act, by the adopted policy. */
  readonly requiredDates: readonly Dated[];
  readonly people: ReadonlyMap<string, Enrolled>;
  /** Whoever was on the roster and was revoked: nobody who may act. */
  readonly former: ReadonlyMap<string, Former>;
  readonly tokens: ReadonlyMap<string, TokenCustody>;
  /** Share sets by `<set>.g<generation>`. */
  readonly shareSets: ReadonlyMap<string, ShareSetCustody>;
  /** Keys by SHA-256 of their SubjectPublicKeyInfo. */
  readonly keys: ReadonlyMap<string, KeyCustody>;
  /** Digest of the site.yaml that the people of the latest roll call agreed to. */
  readonly bindings: string | null;
  /** The open ceremony's roll: empty between ceremonies. */
  readonly attending: readonly Attending[];
  /** Tokens activated in the open ceremony. */
  readonly active: ReadonlySet<string>;
  /** Files of the open ceremony's outbox. */
  readonly files: ReadonlySet<string>;
  /** Tokens that held an extractable key when the open ceremony began: they owe a backup and a lock. */
  readonly owing: ReadonlySet<string>;
  /** Tokens that were activated in the open ceremony, whether they still are or not. */
  readonly touched: ReadonlySet<string>;
  /** Rules that the open ceremony's deviations waive. */
  readonly waived: ReadonlySet<string>;
}

/** Custody before the first entry. */
export function emptyCustody(genesis: Genesis): Custody {
  return {
    origin: genesis.origin,
    assurance: genesis.assurance,
    genesis: genesis.sha256,
    policy: null,
    requiredDates: [],
    people: new Map(),
    former: new Map(),
    tokens: new Map(),
    shareSets: new Map(),
    keys: new Map(),
    bindings: null,
    attending: [],
    active: new Set(),
    files: new Set(),
    owing: new Set(),
    touched: new Set(),
    waived: new Set(),
    deviceLogs: new Map(),
    ...NO_CERTIFICATES,
    ...NO_COPIES,
  };
}

export { shareSetName } from "./generations.ts";

type Open<T> = { -readonly [K in keyof T]: Opened<T[K]> };
type Opened<T> =
  T extends ReadonlyMap<infer K, infer V>
    ? Map<K, V>
    : T extends ReadonlySet<infer V>
      ? Set<V>
      : T extends readonly DrillCustody[]
        ? DrillCustody[]
        : T;

/** Where a fact stands, and how the card it names is found. */
export interface FactContext extends CopyContext {
  /** Resolves a card digest. */
  readonly card: (sha256: string) => Card | undefined;
  /** The policy that is adopted; absent where that is only foreseen. */
  readonly policy?: Policy | undefined;
  /** Resolves the digest of any other attachment. */
  readonly document?: (sha256: string) => Uint8Array | undefined;
}

/** Custody being folded. Facts go in one by one; `custody` shows the present state. */
export class CustodyFold {
  readonly #state: Open<Custody>;
  readonly #copies: CopiesFold;
  readonly #certificates: CertificatesFold;

  constructor(start: Custody) {
    this.#state = {
      ...start,
      people: new Map(start.people),
      former: new Map(start.former),
      tokens: new Map(start.tokens),
      shareSets: new Map(start.shareSets),
      keys: new Map(start.keys),
      active: new Set(start.active),
      files: new Set(start.files),
      owing: new Set(start.owing),
      touched: new Set(start.touched),
      waived: new Set(start.waived),
      deviceLogs: new Map(start.deviceLogs),
      ...writableCertificates(start),
      ...writable(start),
    };
    this.#copies = new CopiesFold(this.#state);
    this.#certificates = new CertificatesFold(this.#state);
  }

  get custody(): Custody {
    return this.#state;
  }

  /**
   * Takes one fact whose authority was already judged.
   * @returns why the fact contradicts custody, or undefined when it was taken.
   */
  apply(fact: Fact, context: FactContext): string | undefined {
    const state = this.#state;
    const { ceremony, card } = context;
    if (isCopyFact(fact)) {
      const problem = this.#copies.apply(fact, context);
      if (problem !== undefined) return problem;
      if (fact.kind === "key.restored") this.#adopt(fact, ceremony);
      if (fact.kind === "token.retired") this.#retire(fact.token);
      return undefined;
    }
    if (isCertificateFact(fact)) return this.#certificates.apply(fact, context);
    switch (fact.kind) {
      case "policy.adopted":
        state.policy = fact.sha256;
        if (context.policy !== undefined) state.requiredDates = datesRequired(context.policy);
        return undefined;
      case "person.enrolled":
        return enrol(state, fact, card(fact.card));
      case "person.renewed":
        return renew(state, fact, context);
      case "person.revoked":
        return revoke(state, fact, context);
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
        state.touched.add(fact.token);
        return undefined;
      case "token.deactivated":
        state.active.delete(fact.token);
        return undefined;
      case "key.generated":
        return this.#generate(fact, context);
      case "deviation.recorded":
        state.waived.add(fact.rule);
        explainLogs(state, fact.rule);
        return undefined;
      case "device-log.attached":
        if (!state.tokens.has(fact.token)) return `token ${fact.token} is not bound`;
        attachLog(state, fact, context);
        return undefined;
      case "clock.attested":
        return undefined;
    }
  }

  /** Begins a ceremony: what earlier ones left extractable is owed. */
  beginCeremony(): void {
    this.endCeremony();
    for (const { tokens } of this.#state.copies.values()) {
      for (const copy of tokens.values()) if (copy.extractable) this.#state.owing.add(copy.token);
    }
  }

  /** After an interruption no token is active any more: sessions end with the process that held them. */
  loseSessions(): void {
    this.#state.active.clear();
  }

  /** Takes back what a ceremony that was given up in the middle of a batch has not proved. */
  unprove(given: GivenUp): void {
    this.#copies.unprove(given);
  }

  /** Ends the open ceremony: nobody attends and nothing is active any more. */
  endCeremony(): void {
    this.#state.attending = [];
    this.#state.active.clear();
    this.#state.files.clear();
    this.#state.owing.clear();
    this.#state.touched.clear();
    this.#state.waived.clear();
  }

  #generate(fact: FactOf<"key.generated">, context: FactContext): string | undefined {
    if (this.#state.keys.has(fact.spki)) return `key ${fact.spki} is already in custody`;
    const spki = context.document?.(fact.spki);
    if (spki !== undefined && !hasSpkiForm(spki, fact.algorithm)) {
      return `the attached public key is no ${fact.algorithm} key`;
    }
    const problem = this.#copies.generate(fact, context);
    if (problem !== undefined) return problem;
    this.#state.keys.set(fact.spki, { ...without(fact), ceremony: context.ceremony });
    return undefined;
  }

  #retire(token: string): void {
    const { tokens, active, owing, deviceLogs } = this.#state;
    for (const named of [tokens, active, owing, deviceLogs]) named.delete(token);
  }

  // A key of another site comes into custody when it is restored here for the first time.
  #adopt(fact: FactOf<"key.restored">, ceremony: string): void {
    if (this.#state.keys.has(fact.spki)) return;
    const { spki, token, label, ckaId, algorithm } = fact;
    const key = { spki, token, label, ckaId, algorithm, backup: "wrap" } as const;
    this.#state.keys.set(spki, { ...key, purpose: "ca-signing", ceremony });
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
    // The set of an escrowed KEK opens no token.
    if (fact.purpose === "kek") return undefined;
    const sets = { ...token.sets, [fact.purpose]: { set: fact.set, generation: fact.generation } };
    this.#state.tokens.set(fact.token, { ...token, sets });
    return undefined;
  }
}
