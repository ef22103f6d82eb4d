/** What a report carries of the ledger so that it can check itself. Format: docs/formats/report.md. */

export interface Evidence {
  readonly keyrite: "report-evidence/v1";
  readonly origin: string;
  /** Entries that the newest checkpoint here covers. */
  readonly size: number;
  /** Index of the first of `entries`; what lies before it is summed up in `before`. */
  readonly from: number;
  /** Roots, in hex, of the complete subtrees over the entries before `from`, largest first. */
  readonly before: readonly string[];
  /** The exact texts of the entries from `from` up to `size`; empty when they are too many to carry. */
  readonly entries: readonly string[];
  /** The leaf hash of each of `entries` in hex: names what was changed, proves nothing. */
  readonly leaves: readonly string[];
  /** Other entries that are needed, each with its inclusion proof in the newest checkpoint. */
  readonly others: readonly ProvenEntry[];
  /** Cosigned checkpoints within reach and the newest one, which stands last. */
  readonly checkpoints: readonly CarriedCheckpoint[];
  readonly documents: readonly CarriedDocument[];
}

export interface ProvenEntry {
  readonly seq: number;
  readonly text: string;
  /** Hashes in hex, from the leaf's sibling up to the root's child. */
  readonly path: readonly string[];
}

export interface CarriedCheckpoint {
  /** The whole signed note. */
  readonly note: string;
  /** Cosignature lines without LF. */
  readonly cosignatures: readonly string[];
}

export interface CarriedDocument {
  /** SHA-256 in hex, as the ledger cites it. */
  readonly sha256: string;
  readonly mediaType: string;
  readonly base64: string;
}

/** A value on the page that claims to be a member of an entry. */
export interface ShownValue {
  /** The text as it stands on the page. */
  readonly text: string;
  readonly seq: number;
  /** Member names and list places, joined by dots: `facts.0.spki`. */
  readonly at: string;
  /** How the value is written: as it is, as hex in groups, in words, or a time without its date. */
  readonly form: "text" | "hex" | "words" | "clock";
}

/** One kind of check and what came of it. */
export interface Check {
  readonly name:
    "entries" | "root" | "checkpoints" | "cosignatures" | "agreements" | "documents" | "shown";
  /** What was looked at, in words that follow a number. */
  readonly what: string;
  readonly count: number;
  /** What is wrong, one sentence each; it names the entry, person or document. */
  readonly problems: readonly string[];
}

export interface Findings {
  readonly checks: readonly Check[];
  /** SHA-256 of the genesis in hex, as the page computed it; null when it carries none. */
  readonly genesis: string | null;
  readonly size: number;
  /** The root that the page computed, in hex; null when it could not. */
  readonly root: string | null;
  readonly hashes: "browser" | "page";
  readonly signatures: "browser" | "page";
}
