/**
 * What a conformance check says: of every ceremony and every step whether it was performed as written,
 * by whom, and what was out of the plain course. Types alone. Format: docs/formats/verdict.md.
 */

import type { Attending } from "./custody.ts";

export type ConformanceVerdict =
  "CONFORMS" | "CONFORMS WITH DEVIATIONS" | "CANNOT TELL" | "DOES NOT CONFORM";

/** What a verdict could not be based on. */
export interface Missing {
  readonly code:
    | "anchor"
    | "head"
    | "cosignature"
    | "attachment"
    | "vocabulary"
    | "open"
    | "genesis"
    | "ceremony";
  /** Index of the entry it concerns; null when it concerns none, or all. */
  readonly seq: number | null;
  /** One lower-case sentence; may hold untrusted text, which whoever prints it escapes. */
  readonly text: string;
  /** What to do about it. */
  readonly remedy: string;
}

/** A rule that the record breaks: the ceremony does not conform. */
export interface Violation {
  readonly code:
    | "authority"
    | "order"
    | "custody"
    | "missing-step"
    | "extra-step"
    | "repeated-step"
    | "reordered-step"
    | "script"
    | "plan"
    | "roles"
    | "batch"
    | "head"
    | "integrity"
    | "trust";
  readonly seq: number | null;
  /** Id of the step, and its number in the plan. */
  readonly step: string | null;
  readonly n: number | null;
  readonly text: string;
}

/** Something out of the plain course that is on record: always named, and mostly a deviation. */
export interface Exception {
  readonly kind:
    | "deviation"
    | "refusal"
    | "failure"
    | "item-failure"
    | "doubt"
    | "undone"
    | "finished"
    | "skipped"
    | "resumption"
    | "reactivation"
    | "amendment"
    | "tail"
    | "abandonment"
    | "not-cosigned"
    | "authentication"
    | "wording"
    | "older-head";
  /** Whether it keeps a ceremony from conforming without deviations. */
  readonly deviates: boolean;
  readonly seq: number;
  readonly time: string;
  readonly step: string | null;
  readonly n: number | null;
  readonly text: string;
  /** Who agreed to it, where somebody had to. */
  readonly people: readonly Named[];
}

/** A person in a role. */
export interface Named {
  readonly person: string;
  readonly role: string;
}

export interface StepConformance {
  readonly n: number;
  readonly id: string;
  readonly action: string;
  readonly instruction: string;
  /** `unknown` for an action that this build does not have. */
  readonly control: "none" | "single" | "dual" | "everyone" | "unknown";
  readonly by: "everyone" | readonly string[];
  /** `closed` is the success of the reserved close. */
  readonly outcome:
    | "completed"
    | "closed"
    | "failed"
    | "refused"
    | "skipped"
    | "in doubt"
    | "opened"
    | "not performed";
  /** How often it was opened to be performed. */
  readonly attempts: number;
  /** Of the newest attempt. */
  readonly openedSeq: number | null;
  readonly begunSeq: number | null;
  readonly endedSeq: number | null;
  readonly openedAt: string | null;
  readonly begunAt: string | null;
  readonly endedAt: string | null;
  /**
   * Whose agreements counted (signature, role, head and freshness, as the fold judged them), with the time
   * at which each expired; for a statement the person who made it.
   */
  readonly people: readonly StepPerson[];
  /** Kinds of the facts that were believed, each once. */
  readonly facts: readonly string[];
  /** Null for a step that is no batch; `expected` is null where nobody said how many. */
  readonly items: {
    readonly completed: number;
    readonly failed: number;
    readonly expected: number | null;
  } | null;
}

export interface StepPerson extends Named {
  readonly expires: string | null;
}

export interface CeremonyConformance {
  readonly id: string;
  readonly title: string;
  readonly caClass: string;
  readonly state: "open" | "closed" | "abandoned";
  readonly verdict: ConformanceVerdict;
  readonly openedSeq: number;
  readonly openedAt: string;
  readonly endedSeq: number | null;
  readonly endedAt: string | null;
  readonly script: {
    readonly name: string;
    readonly version: string;
    readonly sha256: string;
    /** Whether the plan is what comes out of the attached script; null when that cannot be said. */
    readonly asWritten: boolean | null;
  };
  /** Digest of the plan that every agreement names; null when it is missing. */
  readonly plan: string | null;
  readonly drill: boolean;
  readonly attending: readonly Attending[];
  readonly roles: readonly RoleConformance[];
  readonly steps: readonly StepConformance[];
  /** The digest stated at the close, and what the entries establish. Null unless it was closed. */
  readonly custody: {
    readonly claimed: string;
    readonly derived: string;
    readonly agrees: boolean;
  } | null;
  /** The head at its end; null while it is open. */
  readonly head: {
    readonly size: number;
    readonly cosigners: readonly { readonly person: string; readonly time: number }[];
  } | null;
  readonly violations: readonly Violation[];
  readonly exceptions: readonly Exception[];
  readonly missing: readonly Missing[];
}

/** Least number of people that the script wants in a role, and how many were called. */
export interface RoleConformance {
  readonly role: string;
  readonly needed: number;
  readonly present: number;
}

export interface ConformanceReport {
  /** The worst of all: DOES NOT CONFORM, CANNOT TELL, CONFORMS WITH DEVIATIONS, CONFORMS. */
  readonly verdict: ConformanceVerdict;
  readonly anchored: boolean;
  /** Of no ceremony. */
  readonly violations: readonly Violation[];
  /** Of no ceremony: mistyped passphrases of the founding, strays that people adopted. */
  readonly exceptions: readonly Exception[];
  /** Of the whole. */
  readonly missing: readonly Missing[];
  readonly ceremonies: readonly CeremonyConformance[];
  /** Newest size that two enrolled people cosigned. */
  readonly cosigned: number;
  readonly size: number;
}

/** What is known besides the entries when the report is made. */
export interface ConformanceEnding {
  /** A trust file or the words of the genesis sheet were given, and this ledger fits them. */
  readonly anchored: boolean;
  /** Why this is not the ledger that is trusted, one sentence each. */
  readonly untrusted: readonly string[];
  /** Sizes of the heads held outside that the ledger extends. */
  readonly heads: readonly number[];
  /** Heads that the ledger does not extend, one sentence each. */
  readonly foreignHeads: readonly string[];
  /** What is wrong with the file itself. */
  readonly integrity: readonly { readonly seq?: number; readonly text: string }[];
  /** Attachments that entries cite and the file does not hold. */
  readonly attachments: readonly { readonly seq?: number; readonly text: string }[];
}
