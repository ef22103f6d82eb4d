/** Custody of a site with three tokens and the usual facts about copies, to be told others. */

import assert from "node:assert/strict";
import { CustodyFold, emptyCustody, type Custody } from "../../src/ceremony/custody.ts";
import type { Fact, FactKind, FactOf } from "../../src/ceremony/facts.ts";
import { parseFact } from "../../src/ceremony/facts.ts";
import type { Assurance } from "../../src/ceremony/genesis.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { formatVerifierKey, verifierKey } from "../../src/lib/note.ts";

export const sha = (text: string): string => sha256Hex(text);
export const id = (text: string): string => sha(text).slice(0, 32);
export const PEER = "example.org/dc2";

type Given<K extends FactKind> = Partial<Omit<FactOf<K>, "kind">>;

/** Facts that stand for what they say; members that a test is about are given. */
export const FACT = {
  bound: (token: string, more: Given<"token.bound"> = {}): Fact => ({
    kind: "token.bound",
    ...{ token, module: sha("module"), profile: "softhsm", serial: `serial-${token}` },
    ...{ label: token, manufacturer: "m", model: "m", firmware: "1", activation: "sealed" },
    ...more,
  }),
  activated: (token: string): Fact => ({
    kind: "token.activated",
    ...{ token, set: "aset", generation: 1, people: ["ana", "ben"] },
  }),
  generated: (label: string, more: Given<"key.generated"> = {}): Fact => ({
    kind: "key.generated",
    ...{ spki: sha(label), token: "alpha", label, ckaId: id(`${label}-alpha`) },
    ...{ algorithm: "p-256", purpose: "ca-signing", backup: "wrap" },
    ...more,
  }),
  transport: (token: string, more: Given<"transport.generated"> = {}): Fact => ({
    kind: "transport.generated",
    ...{ token, label: `${token}-transport`, ckaId: id(`transport-${token}`) },
    ...{ spki: sha(`transport-${token}`), algorithm: "rsa-3072", oaep: ["sha256", "sha1"] },
    ...more,
  }),
  kek: (kek: string, more: Given<"kek.established"> = {}): Fact => ({
    kind: "kek.established",
    ...{ kek, generation: 1, mode: "hsm-to-hsm", token: "alpha" },
    ckaId: id(`${kek}-${more.generation ?? 1}`),
    checkValue: sha(`${kek}-${more.generation ?? 1}`).slice(0, 16),
    envelopes: [envelopeFor("alpha"), envelopeFor("beta")],
    ...more,
  }),
  escrowSet: (more: Given<"share-set.made"> = {}): Fact => ({
    kind: "share-set.made",
    ...{ set: "kset", generation: 1, purpose: "kek", token: "alpha", threshold: 2 },
    ...{ holders: ["ana", "ben", "cleo"], sha256: sha("kset"), sealed: sha("sealed") },
    ...more,
  }),
  escrowed: (more: Given<"kek.escrowed"> = {}): Fact => ({
    kind: "kek.escrowed",
    ...{ kek: "paper", generation: 1, set: "kset", setGeneration: 1 },
    ...more,
  }),
  sent: (more: Given<"kek.sent"> = {}): Fact => ({
    kind: "kek.sent",
    ...{ kek: "vault", generation: 1, from: "alpha", envelope: envelopeFor("gamma") },
    ...more,
  }),
  loaded: (token: string, more: Given<"kek.loaded"> = {}): Fact => ({
    kind: "kek.loaded",
    ...{ kek: "vault", generation: 1, token, ckaId: id(`vault-${token}`) },
    checkValue: sha("vault-1").slice(0, 16),
    ...more,
  }),
  adopted: (more: Given<"kek.adopted"> = {}): Fact => ({
    kind: "kek.adopted",
    ...{ kek: "theirs", generation: 3, origin: PEER, mode: "hsm-to-hsm" },
    ...{ checkValue: sha("theirs").slice(0, 16), envelopes: [envelopeFor("beta")] },
    ...more,
  }),
  kekDestroyed: (token: string, more: Given<"kek.destroyed"> = {}): Fact => ({
    kind: "kek.destroyed",
    ...{ kek: "vault", generation: 1, token },
    ...more,
  }),
  locked: (label: string, token = "alpha"): Fact => ({
    kind: "key.locked",
    ...{ spki: sha(label), token },
  }),
  backedUp: (label: string, more: Given<"backup.made"> = {}): Fact => ({
    kind: "backup.made",
    ...{ spki: sha(label), backup: "backup-1", token: "alpha", kek: "vault", generation: 1 },
    ...{ format: "rfc5649", blob: sha(`blob ${label}`), provedOn: "alpha" },
    ...more,
  }),
  completed: (more: Given<"backup.completed"> = {}): Fact => ({
    kind: "backup.completed",
    ...{ backup: "backup-1", sha256: sha("backup.json"), keys: 1 },
    ...{ vaults: ["onsite", "offsite"], signers: ["ana", "ben"] },
    ...more,
  }),
  restored: (label: string, token: string, more: Given<"key.restored"> = {}): Fact => ({
    kind: "key.restored",
    ...{ spki: sha(label), token, label, ckaId: id(`${label}-${token}`), backup: "backup-1" },
    ...{ origin: "example.org/dc1", algorithm: "p-256" },
    ...more,
  }),
  cloned: (label: string, to: string, more: Given<"key.cloned"> = {}): Fact => ({
    kind: "key.cloned",
    ...{ spki: sha(label), from: "alpha", to, label, ckaId: id(`${label}-${to}`), method: "wrap" },
    ...more,
  }),
  gone: (label: string, place: "token" | "backup", name: string): Fact => ({
    kind: "copy.destroyed",
    ...{ spki: sha(label), place, name },
  }),
  retained: (label: string, place: "token" | "backup", name: string): Fact => ({
    kind: "copy.retained",
    ...{ spki: sha(label), place, name, reason: "the courier is on strike" },
  }),
  keyGone: (label: string): Fact => ({
    kind: "key.destroyed",
    ...{ spki: sha(label), reason: "end of life" },
  }),
  retired: (token: string, serial = `serial-${token}`): Fact => ({
    kind: "token.retired",
    ...{ token, serial, reason: "end of life" },
  }),
  moved: (more: Given<"copy.moved"> = {}): Fact => ({
    kind: "copy.moved",
    ...{ place: "backup", name: "backup-1", vault: "offsite", site: "dc9", offSite: true },
    ...{ container: "bag 4711", holders: ["ana"] },
    ...more,
  }),
  trusted: (more: Given<"site.trusted"> = {}): Fact => ({
    kind: "site.trusted",
    ...{ origin: PEER, genesis: sha("genesis of dc2"), ledgerKey: ledgerKey(PEER) },
    ...{ checkpoint: sha("checkpoint"), size: 40, root: sha("root 40") },
    ...more,
  }),
  drilled: (more: Given<"drill.concluded"> = {}): Fact => ({
    kind: "drill.concluded",
    ...{ drill: "drill", verdict: "pass", token: "beta", backup: "backup-1", keys: 1 },
    ...{ seconds: 300, reasons: [], report: sha("report") },
    ...more,
  }),
  deviation: (rule: string): Fact => ({ kind: "deviation.recorded", rule, reason: "it had to be" }),
} as const;

export function envelopeFor(token: string): FactOf<"kek.sent">["envelope"] {
  return { token, spki: sha(`transport-${token}`), oaep: "sha256", sha256: sha(`for ${token}`) };
}

/** Compressed base point of edwards25519: a public key that every check accepts. */
const BASE_POINT = new Uint8Array(32).fill(0x66).fill(0x58, 0, 1);

export function ledgerKey(name: string): string {
  return formatVerifierKey(verifierKey(name, "ed25519", BASE_POINT));
}

/** A KEK on alpha and beta, and the key root-g1 in a completed backup under it, still extractable. */
export const BACKED_UP: readonly Fact[] = [
  ...["alpha", "beta", "gamma"].flatMap((token) => [FACT.bound(token), FACT.transport(token)]),
  FACT.kek("vault"),
  FACT.loaded("beta"),
  FACT.generated("root-g1"),
  FACT.backedUp("root-g1"),
  FACT.completed(),
];

/** A fold that facts are told, one ceremony after another, a minute each. */
export class CopiesDesk {
  readonly #fold: CustodyFold;
  #minute = 0;
  #ceremony = 1;

  constructor(facts: readonly Fact[] = [], assurance: Assurance = "production") {
    const origin = assurance === "test" ? "example.org/dc1/test" : "example.org/dc1";
    const genesis = { origin, assurance, created: "", policy: "", ledgerKey: "", founders: [] };
    const enrolled = ["ana", "ben", "cleo"].map((person) => {
      const keys = { signing: "", cosigning: "", recipient: "" };
      const keyName = `example.org/people/${person}`;
      const card = {
        keyrite: "card/v1",
        person,
        name: person,
        keyName,
        ...keys,
        assurance,
      } as const;
      return [person, { person, roles: [], card, cardSha256: sha(person), reference: "" }] as const;
    });
    const start = emptyCustody({ ...genesis, sha256: sha("genesis of dc1") });
    this.#fold = new CustodyFold({ ...start, people: new Map(enrolled) });
    this.#fold.beginCeremony();
    this.take(...facts);
  }

  get custody(): Custody {
    return this.#fold.custody;
  }

  /** Takes facts that contradict nothing. */
  take(...facts: readonly Fact[]): this {
    for (const fact of facts) assert.equal(this.refusal(fact), undefined, JSON.stringify(fact));
    return this;
  }

  /** Why a fact is not taken; the fact has the form that a ledger demands. */
  refusal(fact: Fact): string | undefined {
    assert.equal(typeof parseFact(fact as unknown as JsonObject), "object", JSON.stringify(fact));
    this.#minute += 1;
    const ceremony = `ceremony-${this.#ceremony}`;
    return this.#fold.apply(fact, { ceremony, at: this.now(), card: () => undefined });
  }

  /** Time of the newest entry. */
  now(): string {
    return new Date(Date.UTC(2026, 0, 1, 0, this.#minute)).toISOString();
  }

  nextCeremony(): this {
    this.#ceremony += 1;
    this.#fold.beginCeremony();
    return this;
  }
}
