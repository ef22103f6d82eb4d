/**
 * The named conditions that actions require. Each is checked when planning, against custody as the
 * script will have made it, and again right before acting.
 */

import type { KeyAlgorithm } from "../lib/algorithms.ts";
import { copiesOn, keyLabelled } from "./copies-query.ts";
import type { Custody } from "./custody.ts";
import { whyNotEnrolled, whyNotNew } from "./custody-people.ts";
import type { Policy } from "./policy.ts";

/** What conditions are judged against. */
export interface Situation {
  readonly custody: Custody;
  readonly policy: Policy;
  /** Vaults that the bindings name, when planning; the act itself finds out whether one is there. */
  readonly vaults?: ReadonlySet<string>;
  /** When it is planned, in milliseconds since 1970; a plan that is put together again has none. */
  readonly nowMs?: number | undefined;
}

export interface Condition {
  /** Which parameter of the step to blame, for the place in the script. */
  readonly param: string;
  /** Why it does not hold, or undefined when it holds. */
  unmet(situation: Situation): string | undefined;
}

/** Makes a condition out of why it is unmet; false stands for met. */
export function condition(
  param: string,
  unmet: (situation: Situation) => string | undefined | false,
): Condition {
  return {
    param,
    unmet: (situation) => {
      const problem = unmet(situation);
      return problem === false ? undefined : problem;
    },
  };
}

export function tokenIsBound(token: string): Condition {
  return condition(
    "token",
    ({ custody }) => !custody.tokens.has(token) && `token ${token} is not initialized by then`,
  );
}

export function tokenIsUnbound(token: string): Condition {
  return condition("token", ({ custody }) => {
    const bound = custody.tokens.get(token);
    return bound !== undefined && `token ${token} is already bound to serial ${bound.serial}`;
  });
}

export function tokenIsActive(token: string, param = "token"): Condition {
  return condition(
    param,
    ({ custody }) => !custody.active.has(token) && `token ${token} is not active by then`,
  );
}

export function tokenIsInactive(token: string): Condition {
  return condition(
    "token",
    ({ custody }) => custody.active.has(token) && `token ${token} is already active by then`,
  );
}

export function tokenHasShares(token: string): Condition {
  return condition(
    "token",
    ({ custody }) =>
      custody.tokens.get(token)?.sets.activation === undefined &&
      `token ${token} has no activation share set`,
  );
}

export function keyLabelIsFree(token: string, label: string): Condition {
  return condition(
    "key",
    ({ custody }) =>
      copiesOn(custody, token).some((copy) => copy.label === label) &&
      `token ${token} already holds a key labelled ${label}`,
  );
}

export function keyIsOn(token: string, label: string): Condition {
  return condition(
    "key",
    ({ custody }) =>
      keyLabelled(custody, token, label) === undefined &&
      `key ${label} is not on token ${token} by then`,
  );
}

export function fileIsFree(file: string): Condition {
  return condition(
    "file",
    ({ custody }) =>
      custody.files.has(file) && `the file ${file} is already written by an earlier step`,
  );
}

export function personIsNew(person: string): Condition {
  return condition("person", ({ custody }) => whyNotNew(custody, person));
}

export function personIsOnRoster(person: string): Condition {
  return condition(
    "person",
    ({ custody }) => !custody.people.has(person) && whyNotEnrolled(custody, person),
  );
}

export function algorithmIsAllowed(algorithm: KeyAlgorithm): Condition {
  return condition(
    "algorithm",
    ({ policy }) =>
      !policy.algorithms.includes(algorithm) && `the policy does not allow ${algorithm}`,
  );
}

export function always(param: string, problem: string | undefined): Condition {
  return condition(param, () => problem);
}
