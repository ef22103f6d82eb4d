/** Which attachments an entry cites: a missing one makes a verdict impossible. */

import type { Entry } from "../ledger/entry.ts";
import { isJsonObject, type JsonObject } from "../lib/json.ts";
import type { FactKind } from "./facts.ts";
import { stringOf } from "./record.ts";

/** The members of facts that are digests of attachments. */
export const CITING_MEMBERS: Readonly<Partial<Record<FactKind, readonly string[]>>> = {
  "policy.adopted": ["sha256"],
  "share-set.made": ["sha256"],
  "certificate.issued": ["sha256"],
  "person.enrolled": ["card"],
  "key.generated": ["spki"],
  "key.restored": ["spki"],
  "transport.generated": ["spki"],
  "backup.completed": ["sha256"],
  "site.trusted": ["genesis", "checkpoint"],
  "drill.concluded": ["report"],
};

/** Digests of attachments, as hex, that a verifier of this entry needs. */
export function citedDigests(entry: Entry): readonly string[] {
  const { data } = entry;
  if (entry.type === "step.completed") return factDigests(entry);
  if (entry.type === "step.begun") return listDigests(data);
  if (entry.type === "ledger.created") {
    return [...present([stringOf(data, "genesis")]), ...factDigests(entry)];
  }
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
