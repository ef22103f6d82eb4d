/** The part of custody that says where the log of each device ended that was attached, and what is open about it. */

import type { FactOf } from "./facts.ts";

/** The newest log of a token; the counts are those that no deviation has explained. */
export type DeviceLogCustody = Omit<FactOf<"device-log.attached">, "kind" | "acts"> & {
  readonly at: string;
  readonly ceremony: string;
};

export interface DeviceLogsCustody {
  /** By token. */
  readonly deviceLogs: ReadonlyMap<string, DeviceLogCustody>;
}

interface State {
  readonly deviceLogs: Map<string, DeviceLogCustody>;
}

const RULE = "device-log ";

/** The rule that a deviation names to explain what the logs of a token do not. */
export function deviationOf(token: string): string {
  return `${RULE}${token}`;
}

/** The token whose logs a deviation explains, or undefined for one from another rule. */
export function tokenOfDeviation(rule: string): string | undefined {
  return rule.startsWith(RULE) ? rule.slice(RULE.length) : undefined;
}

/**
 * Takes an attached log. What an earlier one left unexplained stays: no later log tells more of it. What the
 * device did not show yet, a later one may show, so only the newest count stands.
 */
export function attachLog(
  { deviceLogs }: State,
  fact: FactOf<"device-log.attached">,
  context: { readonly ceremony: string; readonly at: string },
): void {
  const { token, sha256, format, first, last, lastDigest, missing } = fact;
  const known = deviceLogs.get(fact.token);
  deviceLogs.set(fact.token, {
    ...{ token, sha256, format, first, last, lastDigest, missing },
    unexplained: fact.unexplained + (known?.unexplained ?? 0),
    problems: fact.problems + (known?.problems ?? 0),
    ...{ at: context.at, ceremony: context.ceremony },
  });
}

/** Takes a deviation: people have put on record what it was about the logs of a token. */
export function explainLogs({ deviceLogs }: State, rule: string): void {
  const known = deviceLogs.get(tokenOfDeviation(rule) ?? "");
  if (known === undefined) return;
  deviceLogs.set(known.token, { ...known, unexplained: 0, missing: 0, problems: 0 });
}
