/**
 * What the call journals in the outcomes of steps say was done on each token and no device log has shown yet:
 * the ledger's side of the match. Bounded by the tokens of the site, whatever the ledger's length.
 */

import type { Entry } from "../ledger/entry.ts";
import type { DeviceActKind } from "../hsm/device-log.ts";
import { isExact, kindOfCall, over, type ActCounts, type Acts } from "./device-match.ts";
import { tokenOfDeviation } from "./device-logs.ts";
import type { Fact, FactOf } from "./facts.ts";
import { callsOf } from "./step-calls.ts";

/** What the newest log did not show, and what was done since. */
interface Awaited {
  readonly left: ActCounts;
  readonly since: ActCounts;
}

const NONE: ActCounts = { done: 0, failed: 0 };
const OUTCOMES: readonly Entry["type"][] = ["step.completed", "step.failed", "step.refused"];

export class LedgerActs {
  /** By serial, then by kind. */
  readonly #awaited = new Map<string, Map<DeviceActKind, Awaited>>();
  /** Serials by the names of tokens. */
  readonly #serials = new Map<string, string>();

  /** Takes the calls of an entry. */
  take({ type, data }: Entry): void {
    if (!OUTCOMES.includes(type)) return;
    for (const [serial, call, , ckr, count] of callsOf(data)) {
      const kind = kindOfCall(call);
      if (kind === undefined) continue;
      const { left, since } = this.#kinds(serial).get(kind) ?? { left: NONE, since: NONE };
      const more = ckr === "CKR_OK" ? { done: count, failed: 0 } : { done: 0, failed: count };
      this.#kinds(serial).set(kind, { left, since: plus(since, more) });
    }
  }

  /** Takes a fact that custody has taken: a log shows acts, a deviation explains what it did not show. */
  fact(fact: Fact): void {
    if (fact.kind === "token.bound") this.#serials.set(fact.token, fact.serial);
    else if (fact.kind === "device-log.attached") this.#shown(fact);
    else if (fact.kind === "deviation.recorded") this.#waive(tokenOfDeviation(fact.rule));
    else if (fact.kind === "token.retired") {
      this.#awaited.delete(this.#serials.get(fact.token) ?? "");
    }
  }

  /** What the next log of the token with this serial should show. */
  of(serial: string): Acts {
    const kinds = [...(this.#awaited.get(serial) ?? [])];
    return new Map(kinds.map(([kind, { left, since }]) => [kind, plus(left, since)]));
  }

  #kinds(serial: string): Map<DeviceActKind, Awaited> {
    const known = this.#awaited.get(serial) ?? new Map<DeviceActKind, Awaited>();
    this.#awaited.set(serial, known);
    return known;
  }

  // What was done after the log was read off, or never reached the device, is left. Where each call is an
  // act it is awaited until a log shows it; elsewhere one log long, or it would excuse acts for ever.
  #shown({ token, acts }: FactOf<"device-log.attached">): void {
    const kinds = this.#kinds(this.#serials.get(token) ?? "");
    for (const [kind, { left, since }] of kinds) {
      const seen = acts.find(({ act }) => act === kind) ?? NONE;
      const unseen = (of: "done" | "failed"): number => over(left[of] + since[of], seen[of]);
      const done = isExact(kind) ? unseen("done") : Math.min(unseen("done"), since.done);
      const failed = Math.min(unseen("failed"), since.failed);
      kinds.set(kind, { left: { done, failed }, since: NONE });
    }
  }

  #waive(token: string | undefined): void {
    const serial = token === undefined ? undefined : this.#serials.get(token);
    if (serial === undefined) return;
    const kinds = this.#kinds(serial);
    for (const [kind, { since }] of kinds) kinds.set(kind, { left: NONE, since });
  }
}

function plus(one: ActCounts, other: ActCounts): ActCounts {
  return { done: one.done + other.done, failed: one.failed + other.failed };
}
