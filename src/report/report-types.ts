/** The shape of a report: what `--json` prints, and what page and Markdown are drawn from. Types alone. */

import type {
  ConformanceVerdict,
  Exception,
  Missing,
  Violation,
} from "../ceremony/conformance-report.ts";
import type { Former } from "../ceremony/custody-people.ts";
import type { KeyStatus, Whereabouts } from "../ceremony/key-status.ts";
import type { ClassRow, ControlRow } from "./control-index.ts";

export interface Report {
  readonly scope: "ceremony" | "site";
  readonly origin: string;
  readonly assurance: "production" | "test";
  /** SHA-256 of genesis.json, which the ink of the genesis sheet anchors. */
  readonly genesis: string;
  readonly ledgerKey: string;
  readonly head: HeadPart;
  readonly conformance: VerdictPart | null;
  readonly ceremonies: readonly CeremonyPart[];
  readonly people: readonly PersonPart[];
  readonly tokens: readonly TokenPart[];
  readonly keys: readonly KeyPart[];
  /** Keys in custody that the report does not list, to stay readable. */
  readonly keysLeftOut: number;
  readonly shareSets: readonly ShareSetPart[];
  readonly keks: readonly KekPart[];
  readonly places: readonly PlacePart[];
  readonly certificates: readonly CertificatePart[];
  /** What somebody still has to do or to look at, one sentence each. */
  readonly unresolved: readonly string[];
  /** What a report should hold and the ledger does not say. */
  readonly notRecorded: readonly string[];
  readonly due: readonly DuePart[];
  readonly matrix: readonly MatrixRow[];
  /** Only for a whole site: the requirements and classes of events by which its ledger shows them. */
  readonly controls: readonly ControlRow[];
  readonly classes: readonly ClassRow[];
  readonly evidence: readonly EvidencePart[];
}

/** The checkpoint that ends what the report is about. */
export interface HeadPart {
  readonly size: number;
  /** 64 hex digits. */
  readonly root: string;
  readonly time: string;
  readonly note: string;
  readonly cosigners: readonly { readonly person: string; readonly time: string }[];
}

export interface VerdictPart {
  readonly verdict: ConformanceVerdict;
  readonly anchored: boolean;
  readonly violations: readonly Violation[];
  readonly exceptions: readonly Exception[];
  readonly missing: readonly Missing[];
}

export interface CeremonyPart {
  readonly id: string;
  readonly title: string;
  readonly caClass: string;
  readonly state: "open" | "closed" | "abandoned";
  readonly script: { readonly name: string; readonly version: string; readonly sha256: string };
  /** Whether the plan is what comes out of the script; null when nobody has judged it. */
  readonly asWritten: boolean | null;
  readonly plan: string;
  readonly bindings: string;
  readonly policy: string;
  readonly software: { readonly name: string; readonly version: string; readonly sha256: string };
  readonly modules: readonly { readonly module: string; readonly sha256: string }[];
  readonly openedSeq: number;
  readonly openedAt: string;
  readonly endedSeq: number | null;
  readonly endedAt: string | null;
  /** Digest of custody as the close claims it, or null. */
  readonly custody: string | null;
  /** Whether custody derived from the entries is what the close claims; null when nobody judged it. */
  readonly custodyAgrees: boolean | null;
  /** Who cosigned the ledger at its end. */
  readonly cosigners: readonly string[];
  readonly attending: readonly { readonly person: string; readonly role: string }[];
  readonly steps: readonly StepPart[];
  readonly statements: readonly StatementPart[];
  readonly clocks: readonly ClockPart[];
  /** Refusals, failures, deviations and whatever else was out of the plain course, in order. */
  readonly events: readonly EventPart[];
  readonly conformance: VerdictPart | null;
}

export interface StepPart {
  readonly n: number;
  readonly id: string;
  readonly action: string;
  readonly instruction: string;
  readonly by: "everyone" | readonly string[];
  readonly outcome: "not performed" | "opened" | "in doubt" | "completed" | "failed" | "refused";
  /** Entries of the newest attempt; null where there is none. */
  readonly openedSeq: number | null;
  readonly begunSeq: number | null;
  readonly endedSeq: number | null;
  readonly openedAt: string | null;
  readonly begunAt: string | null;
  readonly endedAt: string | null;
  readonly attempts: number;
  readonly people: readonly ActPart[];
  /** Whether these people signed agreements, or are only named. */
  readonly agreed: number;
  /** The lines that the room read. */
  readonly shown: readonly string[];
  readonly facts: readonly string[];
  readonly items: number;
  readonly policyRefs: readonly string[];
}

export interface ActPart {
  readonly person: string;
  readonly role: string;
  readonly part: string;
}

export interface StatementPart {
  readonly step: string;
  readonly n: number;
  readonly seq: number;
  readonly by: string;
  readonly statement: string;
  readonly fields: readonly { readonly id: string; readonly value: string }[];
}

export interface ClockPart {
  readonly seq: number;
  readonly time: string;
  readonly source: string;
  readonly offsetSeconds: number;
  readonly people: readonly string[];
}

export interface EventPart {
  readonly seq: number;
  readonly time: string;
  readonly kind: string;
  readonly step: string | null;
  readonly text: string;
}

export interface PersonPart {
  readonly person: string;
  readonly name: string;
  /** Roles on the roster, and the one attended in; null for who was not there. */
  readonly roles: readonly string[];
  readonly attended: string | null;
  readonly card: string;
  readonly reference: string;
  readonly acts: readonly {
    readonly ceremony: string;
    readonly n: number;
    readonly id: string;
    readonly part: string;
  }[];
  readonly cosigned: string | null;
  /** The last days on which they may act, where they are stated. */
  readonly vettedUntil?: string;
  readonly trainedUntil?: string;
  /** When and why they were taken off the roster; absent for who is on it. */
  readonly revoked?: Former["revoked"];
}

export interface TokenPart extends Whereabouts {
  readonly token: string;
  readonly serial: string;
  readonly manufacturer: string;
  readonly model: string;
  readonly firmware: string;
  readonly profile: string;
  readonly module: string;
  readonly activation: string;
}

export interface KeyPart {
  readonly status: KeyStatus;
  readonly touched: boolean;
  /** The ceremony in which it came into custody. */
  readonly ceremony: string;
  readonly generated: GenerationPart | null;
}

/** How a key came to be; null when that lies outside the report. */
export interface GenerationPart {
  readonly ceremony: string;
  readonly seq: number;
  /** Place of the fact among the entry's. */
  readonly fact: number;
  readonly at: string;
  readonly token: string;
  readonly mechanism: string;
  readonly heardBy: string;
  readonly attributes: readonly {
    readonly name: string;
    readonly private: string;
    readonly public: string;
  }[];
  readonly waivers: readonly string[];
}

export interface ShareSetPart {
  readonly set: string;
  readonly generation: number;
  readonly purpose: string;
  readonly token: string;
  readonly threshold: number;
  readonly holders: readonly string[];
  readonly sha256: string;
  readonly sealed: string;
  readonly current: boolean;
}

export interface KekPart {
  readonly kek: string;
  readonly mode: string;
  readonly checkValue: string;
  readonly tokens: readonly string[];
  readonly openers: readonly string[];
  readonly escrow: string | null;
}

/** A place where copies lie: a token, or a vault with its backups. */
export interface PlacePart extends Whereabouts {
  readonly kind: "token" | "vault";
  readonly name: string;
  /** Labels of the keys there, and the backups that hold them. */
  readonly keys: readonly string[];
  readonly backups: readonly string[];
}

export interface CertificatePart {
  readonly kind: string;
  readonly seq: number;
  readonly fact: number;
  readonly subject: string;
  readonly serial: string;
  readonly profile: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly sha256: string;
  readonly spki: string;
}

export interface DuePart {
  readonly what: string;
  readonly by: string;
  readonly rule: string;
}

export interface MatrixRow {
  readonly ref: string;
  /** Where the requirement is cited: the whole script, or a step. */
  readonly steps: readonly {
    readonly ceremony: string;
    readonly n: number;
    readonly id: string;
    readonly outcome: StepPart["outcome"];
    readonly seq: number | null;
  }[];
  readonly script: boolean;
}

export interface EvidencePart {
  readonly sha256: string;
  readonly mediaType: string;
  readonly bytes: number;
  readonly what: string;
  readonly seq: number;
}
