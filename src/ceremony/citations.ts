/** Which attachments an entry cites: a missing one makes a verdict impossible. */

import type { Entry } from "../ledger/entry.ts";
import { stringOf } from "./record.ts";

/** Digests of attachments, as hex, that a verifier of this entry needs. */
export function citedDigests(entry: Entry): readonly string[] {
  const { data } = entry;
  if (entry.type === "step.completed") return factDigests(entry);
  if (entry.type === "ledger.created") {
    return [...present([stringOf(data, "genesis")]), ...factDigests(entry)];
  }
  if (entry.type !== "ceremony.opened") return [];
  return present(["script", "plan", "bindings", "policy"].map((name) => stringOf(data, name)));
}

function factDigests(entry: Entry): readonly string[] {
  return entry.facts.flatMap((fact) => {
    switch (fact.kind) {
      case "policy.adopted":
      case "share-set.made":
      case "certificate.issued":
        return present([stringOf(fact, "sha256")]);
      case "person.enrolled":
        return present([stringOf(fact, "card")]);
      case "key.generated":
        return present([stringOf(fact, "spki")]);
      default:
        return [];
    }
  });
}

function present(values: readonly (string | undefined)[]): readonly string[] {
  return values.filter((value) => value !== undefined);
}
