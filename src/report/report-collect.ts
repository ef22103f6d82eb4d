/** Walks the entries that a report is about, once, and keeps what of them stands in it. */

import { citedDigests } from "../ceremony/citations.ts";
import type { CeremonyRecord } from "../ceremony/history.ts";
import { stringOf } from "../ceremony/record.ts";
import type { Entry, EntryFact } from "../ledger/entry.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import { ControlIndexer } from "./control-index.ts";
import type { ReportLedger } from "./evidence.ts";
import { CeremonyFold } from "./report-ceremony.ts";
import type { CertificatePart, EvidencePart, GenerationPart } from "./report-types.ts";

const SIGNED = ["certificate.issued", "certificate.imported", "csr.made", "crl.issued"];
const OPENING = ["script", "plan", "bindings", "policy"];
/** More documents than this are counted, not listed: a batch of ten thousand keys cites as many. */
const MOST_LISTED = 500;

export class ReportCollector {
  readonly ceremonies = new Map<string, CeremonyFold>();
  readonly generations = new Map<string, GenerationPart>();
  readonly touched = new Set<string>();
  readonly certificates: CertificatePart[] = [];
  readonly evidence = new Map<string, EvidencePart>();
  readonly controls = new ControlIndexer();
  readonly #records: ReadonlyMap<string, CeremonyRecord>;
  readonly #ledger: Pick<ReportLedger, "attachment">;
  readonly #doubted: ReadonlySet<number>;

  /** `doubted`: indexes of entries that the fold found fault with, which prove nothing. */
  constructor(
    records: readonly CeremonyRecord[],
    ledger: Pick<ReportLedger, "attachment">,
    doubted: ReadonlySet<number>,
  ) {
    this.#records = new Map(records.map((record) => [record.id, record]));
    this.#ledger = ledger;
    this.#doubted = doubted;
  }

  take(entry: Entry): void {
    this.#ceremony(entry)?.take(entry);
    this.#cite(entry);
    if (this.#doubted.has(entry.seq)) return;
    this.controls.take(entry);
    for (const [place, fact] of entry.facts.entries()) this.#fact(entry, fact, place);
  }

  #ceremony({ ceremony }: Entry): CeremonyFold | undefined {
    const record = this.#records.get(ceremony ?? "");
    if (record === undefined) return undefined;
    const known = this.ceremonies.get(record.id) ?? new CeremonyFold(record);
    this.ceremonies.set(record.id, known);
    return known;
  }

  #fact(entry: Entry, fact: EntryFact, place: number): void {
    const spki = stringOf(fact, "spki");
    if (spki !== undefined && this.touched.size < MOST_LISTED) this.touched.add(spki);
    if (fact.kind === "key.generated" && spki !== undefined) {
      this.generations.set(spki, generationOf(entry, fact, place));
    }
    if (SIGNED.includes(fact.kind)) this.certificates.push(certificateOf(entry, fact, place));
  }

  #cite(entry: Entry): void {
    for (const sha256 of citedDigests(entry)) {
      if (this.evidence.has(sha256) || this.evidence.size >= MOST_LISTED) continue;
      const found = this.#ledger.attachment(sha256);
      this.evidence.set(sha256, {
        sha256,
        mediaType: found?.mediaType ?? "missing",
        bytes: found?.bytes.length ?? 0,
        what: whatOf(entry, sha256),
        seq: entry.seq,
      });
    }
  }
}

const DOCUMENTS: Readonly<Record<string, string>> = {
  keyList: "key list",
  profileSha256: "profile",
};

function intentOf({ intent }: JsonObject): JsonObject {
  return isJsonObject(intent) ? intent : {};
}

function whatOf({ type, data, facts }: Entry, sha256: string): string {
  if (type === "ceremony.opened") return OPENING.find((name) => data[name] === sha256) ?? "";
  const citing = facts.find((fact) => Object.values(fact).includes(sha256));
  if (citing !== undefined) {
    const about = ["person", "label", "subject", "backup", "set", "token", "origin"];
    const name = about.flatMap((member) => stringOf(citing, member) ?? [])[0];
    return name === undefined ? citing.kind : `${citing.kind} ${name}`;
  }
  const named = [...Object.entries(data), ...Object.entries(intentOf(data))];
  const member = named.find(([, value]) => value === sha256)?.[0];
  return DOCUMENTS[member ?? "keyList"] ?? member ?? "";
}

function generationOf(entry: Entry, fact: JsonObject, place: number): GenerationPart {
  const evidence = entry.data["evidence"];
  const said = isJsonObject(evidence) ? evidence : {};
  const priv = attributesOf(said["privateAttributes"]);
  const pub = attributesOf(said["publicAttributes"]);
  const names = [...new Set([...priv.keys(), ...pub.keys()])];
  const waivers = said["waivers"];
  return {
    ceremony: entry.ceremony ?? "",
    seq: entry.seq,
    fact: place,
    at: entry.time,
    token: stringOf(fact, "token") ?? "",
    mechanism: stringOf(said, "mechanism") ?? "",
    heardBy: stringOf(said, "fingerprintHeardBy") ?? "",
    attributes: names.map((name) => ({
      name,
      private: priv.get(name) ?? "",
      public: pub.get(name) ?? "",
    })),
    waivers: Array.isArray(waivers) ? waivers.map(String) : [],
  };
}

function attributesOf(list: Json | undefined): ReadonlyMap<string, string> {
  const objects = Array.isArray(list) ? (list as readonly Json[]).filter(isJsonObject) : [];
  return new Map(
    objects.map((one) => [stringOf(one, "name") ?? "", textOf(one["value"])] as const),
  );
}

function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}

function certificateOf({ seq }: Entry, fact: EntryFact, place: number): CertificatePart {
  const said = (...names: readonly string[]): string =>
    names.flatMap((name) => stringOf(fact, name) ?? [])[0] ?? "";
  return {
    kind: fact.kind,
    seq,
    fact: place,
    subject: said("subject", "issuer"),
    serial: said("serial"),
    profile: said("profile"),
    notBefore: said("notBefore", "thisUpdate"),
    notAfter: said("notAfter", "nextUpdate"),
    sha256: said("sha256"),
    spki: said("spki", "issuerSpki"),
  };
}
