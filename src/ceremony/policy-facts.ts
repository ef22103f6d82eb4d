/**
 * Facts under the policy in force at their entry. The engine asks the same before it acts; here it is asked
 * of a record whose engine was perhaps another one.
 */

import type { Fact, FactOf } from "./facts.ts";
import type { Assurance } from "./genesis.ts";
import { separationProblem, shareRule, type Policy } from "./policy.ts";
import { whyNotAllowed } from "./token-room.ts";

/** Why the policy forbids what a fact says, or undefined. Before one is adopted nothing is forbidden. */
export function againstPolicy(
  policy: Policy | null,
  fact: Fact,
  assurance: Assurance,
): string | undefined {
  if (policy === null) return undefined;
  if (fact.kind === "person.enrolled") return separationProblem(policy, fact.roles);
  if (fact.kind === "share-set.made") return otherShares(policy, fact);
  if (fact.kind === "token.bound") {
    return whyNotAllowed({ ...fact, moduleDigest: fact.module }, policy, assurance);
  }
  if (fact.kind === "key.generated" && !policy.algorithms.includes(fact.algorithm)) {
    return `the policy does not allow ${fact.algorithm}`;
  }
  const escrowed = fact.kind === "kek.established" && fact.mode === "escrowed";
  return escrowed && policy.kek.escrow !== "allowed"
    ? "the policy forbids an escrowed KEK"
    : undefined;
}

function otherShares(
  policy: Policy,
  { purpose, threshold, holders }: FactOf<"share-set.made">,
): string | undefined {
  const rule = shareRule(policy, purpose);
  if (rule.threshold === threshold && rule.holders === holders.length) return undefined;
  return `the policy wants ${rule.threshold} of ${rule.holders} shares, it is made of ${threshold} of ${holders.length}`;
}
