/** Which attachments an entry cites: a missing one makes a verdict impossible. */

import type { Entry } from "../ledger/entry.ts";
import type { MediaType } from "../ledger/media-types.ts";
import { isJsonObject, type JsonObject } from "../lib/json.ts";
import type { FactKind } from "./facts.ts";
import { stringOf } from "./record.ts";

/** The members of facts that are digests of attachments. */
export const CITING_MEMBERS: Readonly<Partial<Record<FactKind, readonly string[]>>> = {
  "policy.adopted": ["sha256"],
  "share-set.made": ["sha256"],
  "certificate.issued": ["sha256", "profileSha256"],
  "certificate.imported": ["sha256"],
  "csr.made": ["sha256"],
  "crl.issued": ["sha256", "tbs"],
  "device-log.attached": ["sha256"],
  "person.enrolled": ["card"],
  "key.generated": ["spki"],
  "key.restored": ["spki"],
  "transport.generated": ["spki"],
  "backup.completed": ["sha256"],
  "site.trusted": ["genesis", "checkpoint"],
  "drill.concluded": ["report"],
};

const ENDS: readonly Entry["type"][] = ["ceremony.closed", "ceremony.abandoned"];

/** Digests of attachments, as hex, that a verifier of this entry needs. */
export function citedDigests(entry: Entry): readonly string[] {
  const { data } = entry;
  if (entry.type === "step.completed") return factDigests(entry);
  if (entry.type === "step.begun") return listDigests(data);
  if (entry.type === "ledger.created") {
    return [...present([stringOf(data, "genesis")]), ...factDigests(entry)];
  }
  if (ENDS.includes(entry.type)) return present([stringOf(data, "transcript")]);
  if (entry.type === "plan.amended") return present([stringOf(data, "bindings")]);
  if (entry.type !== "ceremony.opened") return [];
  return present(["script", "plan", "bindings", "policy"].map((name) => stringOf(data, name)));
}

function factDigests(entry: Entry): readonly string[] {
  return entry.facts.flatMap((fact) => {
    const kind = stringOf(fact, "kind") ?? "";
    const members = Object.hasOwn(CITING_MEMBERS, kind) ? CITING_MEMBERS[kind as FactKind] : [];
    return present((members ?? []).map((name) => stringOf(fact, name)));
  });
}

const SPKI = "application/pkix-spki";

/** The media types of what facts cite; what is not listed is taken as it is stored. */
const TYPES: Readonly<Partial<Record<FactKind, Readonly<Record<string, MediaType>>>>> = {
  "policy.adopted": { sha256: "application/yaml" },
  "share-set.made": { sha256: "application/json" },
  "certificate.issued": { sha256: "application/pkix-cert", profileSha256: "application/yaml" },
  "certificate.imported": { sha256: "application/pkix-cert" },
  "csr.made": { sha256: "application/pkcs10" },
  "crl.issued": { sha256: "application/pkix-crl", tbs: "application/octet-stream" },
  "device-log.attached": { sha256: "application/octet-stream" },
  "person.enrolled": { card: "application/json" },
  "key.generated": { spki: SPKI },
  "key.restored": { spki: SPKI },
  "transport.generated": { spki: SPKI },
  "backup.completed": { sha256: "application/json" },
  "site.trusted": { genesis: "application/json", checkpoint: "text/plain" },
  "drill.concluded": { report: "application/json" },
};

/** The members of an entry's data that cite, by the type of what they cite. */
const DATA_TYPES: Readonly<Record<string, MediaType>> = {
  genesis: "application/json",
  script: "application/yaml",
  plan: "application/json",
  bindings: "application/yaml",
  policy: "application/yaml",
  transcript: "text/plain",
};

/** The media types that an entry's citations must have, by digest. */
export function citedTypes(entry: Entry): ReadonlyMap<string, MediaType> {
  const types = new Map<string, MediaType>();
  const cite = (from: JsonObject, members: Readonly<Record<string, MediaType>>): void => {
    for (const [name, type] of Object.entries(members)) {
      const sha256 = stringOf(from, name);
      if (sha256 !== undefined) types.set(sha256, type);
    }
  };
  if (entry.type === "step.begun") {
    for (const sha256 of listDigests(entry.data)) types.set(sha256, "application/json");
  } else if (entry.type !== "step.completed") cite(entry.data, DATA_TYPES);
  for (const fact of entry.facts) {
    const kind = stringOf(fact, "kind") ?? "";
    cite(fact, (Object.hasOwn(TYPES, kind) ? TYPES[kind as FactKind] : undefined) ?? {});
  }
  return types;
}

/** Without the list of keys that people agreed to nobody can judge the facts about them. */
function listDigests(data: JsonObject): readonly string[] {
  const { intent } = data;
  if (!isJsonObject(intent)) return [];
  const parts = [intent, ...Object.values(intent).filter(isJsonObject)];
  return present(parts.map((part) => stringOf(part, "keyList")));
}

function present(values: readonly (string | undefined)[]): readonly string[] {
  return values.filter((value) => value !== undefined);
}
