/**
 * The documents of a ledger under names that people understand: which attachment is the script of which
 * ceremony, whose card, which certificate. What no entry explains keeps its digest for a name.
 */

import { stringOf } from "../ceremony/record.ts";
import type { Entry, EntryFact } from "../ledger/entry.ts";
import { isPlainPath } from "../lib/tar.ts";

/** Members of `ceremony.opened` that are digests of documents, with the names of their files. */
const OPENED = {
  script: "script.yaml",
  plan: "plan.json",
  bindings: "site.yaml",
  policy: "policy.yaml",
} as const;

/** Where the document lies that a fact of this kind cites: the member with its digest, and the file's name. */
type Place = readonly [member: string, path: (fact: EntryFact, sha256: string) => string];

const said = (fact: EntryFact, name: string): string => {
  const value = fact[name];
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
};

const PLACES: Readonly<Record<string, readonly Place[]>> = {
  "policy.adopted": [["sha256", (_, sha256) => `policies/${sha256}.yaml`]],
  "person.enrolled": [["card", (fact) => `cards/${said(fact, "person")}.json`]],
  "share-set.made": [
    ["sha256", (fact) => `share-sets/${said(fact, "set")}.g${said(fact, "generation")}.json`],
  ],
  "key.generated": [["spki", (_, sha256) => `keys/${sha256}.spki`]],
  "key.restored": [["spki", (_, sha256) => `keys/${sha256}.spki`]],
  "transport.generated": [["spki", (_, sha256) => `keys/${sha256}.spki`]],
  "backup.completed": [["sha256", (fact) => `backups/${said(fact, "backup")}/backup.json`]],
  "drill.concluded": [["report", (_, sha256) => `drills/${sha256}.json`]],
  "site.trusted": [
    ["genesis", (_, sha256) => `peers/${sha256}.json`],
    ["checkpoint", (_, sha256) => `peers/${sha256}.checkpoint`],
  ],
};

/** Folder and ending by media type, for documents of facts that no row above names. */
const BY_TYPE: Readonly<Record<string, readonly [folder: string, ending: string]>> = {
  "application/pkix-cert": ["certificates", "der"],
  "application/pkix-crl": ["crls", "der"],
  "application/pkcs10": ["requests", "der"],
  "application/pkix-spki": ["keys", "spki"],
  "application/ocsp-response": ["ocsp", "der"],
  "application/timestamp-query": ["timestamps", "tsq"],
  "application/timestamp-reply": ["timestamps", "tsr"],
  "application/json": ["attachments", "json"],
  "application/yaml": ["attachments", "yaml"],
  "text/plain": ["attachments", "txt"],
};

/** Collects names while entries pass by; only what people gave authority to may name a file. */
export class BundlePapers {
  readonly #taken = new Set<string>();
  /** Paths by digest. */
  readonly #paths = new Map<string, string[]>();

  /** Takes an entry that the fold believes. */
  take(entry: Entry): void {
    if (entry.type === "ledger.created") {
      this.#add("genesis.json", stringOf(entry.data, "genesis"));
    }
    if (entry.type === "ceremony.opened" && entry.ceremony !== null) {
      for (const [member, name] of Object.entries(OPENED)) {
        this.#add(`ceremonies/${entry.ceremony}/${name}`, stringOf(entry.data, member));
      }
    }
    for (const fact of entry.facts) {
      for (const [member, path] of PLACES[fact.kind] ?? []) {
        const sha256 = said(fact, member);
        this.#add(path(fact, sha256), sha256);
      }
    }
  }

  /** The paths of one attachment: those that entries gave it, or one by its media type. */
  pathsOf(sha256: string, mediaType: string): readonly string[] {
    const named = this.#paths.get(sha256);
    if (named !== undefined) return named;
    const [folder, ending] = BY_TYPE[mediaType] ?? ["attachments", "bin"];
    return [`${folder}/${sha256}.${ending}`];
  }

  // Whoever names a file first keeps it: a second document of that name goes by its digest.
  #add(path: string, sha256: string | undefined): void {
    if (sha256 === undefined || this.#taken.has(path) || !isPlainPath(path)) return;
    this.#taken.add(path);
    this.#paths.set(sha256, [...(this.#paths.get(sha256) ?? []), path]);
  }
}
