/** Entries and plans as plain data, for parts of the fold that are tried without a ledger around them. */

import type { RecordedPlan, RecordedStep } from "../../src/ceremony/plan-document.ts";
import type { Entry } from "../../src/ledger/entry.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import { ORIGIN } from "./ledger-fixture.ts";

export const CEREMONY = "20261123-staged-abcd";
const START = Date.UTC(2026, 10, 23, 9);

/** RFC 3339 time of the entry with this index: one a minute. */
export function timeAt(seq: number): string {
  return new Date(START + seq * 60_000).toISOString();
}

/** An entry of the ceremony that says nothing beyond its type. */
export function plainEntry(type: Entry["type"], seq: number, changes: Partial<Entry> = {}): Entry {
  return {
    ...{ v: 1, origin: ORIGIN, seq, time: timeAt(seq), type, outcome: "success", source: "auto" },
    ...{ ceremony: CEREMONY, step: null, actors: [], description: "Plain.", policyRefs: [] },
    ...{ agreements: [], facts: [], data: {}, refs: {}, ...changes },
  };
}

/** A recorded step; its digest is that of its id. */
export function plainStep(n: number, id: string, action: string): RecordedStep {
  const instruction = `Perform ${id}.`;
  return { n, id, action, by: [], with: {}, instruction, sha256: sha256Hex(id) };
}

/** A recorded plan of these steps, on a machine without modules. */
export function plainPlan(steps: readonly RecordedStep[]): RecordedPlan {
  return {
    sha256: sha256Hex("the plan"),
    script: { name: "staged", version: "1.0.0", sha256: sha256Hex("the script") },
    software: sha256Hex("the build"),
    bindings: sha256Hex("the bindings"),
    modules: {},
    profiles: {},
    steps,
  };
}
