/**
 * Agreements: one person's signature over one decision about one step. The text is exact, so that
 * it means one thing and can be checked without Keyrite. Format: docs/formats/agreement.md.
 */

import { parseTimestamp } from "../lib/clock.ts";
import { KeyriteError } from "../lib/errors.ts";
import type { Note } from "../lib/note.ts";
import { isPersonId, type Card } from "./card.ts";
import { isDigest, isOrigin, NoteReader, readNote, requireSoleSignature } from "./note-text.ts";

export const AGREEMENT = "keyrite/agreement/v1";

/** What was decided; a waiver names its rule, an adoption the ledger size it adopts. */
export type Decision =
  "agree" | "decline" | "finish" | "undo" | "abandon" | `waive ${string}` | `adopt ${number}`;

export interface Agreement {
  readonly origin: string;
  /** Ceremony id, `YYYYMMDD-<script>-<4 base32>`. */
  readonly ceremony: string;
  readonly person: string;
  readonly role: string;
  readonly decision: Decision;
  /** SHA-256 of the plan. This and every digest: 64 lower-case hex. */
  readonly plan: string;
  readonly step: { readonly n: number; readonly digest: string };
  /** SHA-256 of the run-time values that were shown in full, or null when there were none. */
  readonly subject: string | null;
  readonly policy: string;
  readonly software: string;
  /** The checkpoint right after `step.opened`: size, and root in hex. */
  readonly opened: { readonly size: number; readonly root: string };
  /** 128 bits in hex; (person, nonce) works once. */
  readonly nonce: string;
  /** RFC 3339 UTC with milliseconds. */
  readonly expires: string;
}

/**
 * The text that is signed.
 * @throws KeyriteError people.agreement-invalid when a value does not fit its grammar
 */
export function formatAgreement(agreement: Agreement): string {
  const { step, opened } = agreement;
  const text = [
    AGREEMENT,
    `origin ${agreement.origin}`,
    `ceremony ${agreement.ceremony}`,
    `person ${agreement.person}`,
    `role ${agreement.role}`,
    `decision ${agreement.decision}`,
    `plan ${agreement.plan}`,
    `step ${step.n} ${step.digest}`,
    `subject ${agreement.subject ?? "-"}`,
    `policy ${agreement.policy}`,
    `software ${agreement.software}`,
    `opened ${opened.size} ${opened.root}`,
    `nonce ${agreement.nonce}`,
    `expires ${agreement.expires}`,
    "",
  ].join("\n");
  // What we would not read back, nobody shall sign: a value could otherwise smuggle in a line.
  parseAgreement(text);
  return text;
}

/**
 * Reads the text of an agreement: every line once, in order, in its one form.
 * @throws KeyriteError people.agreement-invalid
 */
export function parseAgreement(text: string): Agreement {
  const lines = new NoteReader(text, AGREEMENT, invalid);
  const agreement: Agreement = {
    origin: lines.value("origin", FORM.origin),
    ceremony: lines.value("ceremony", FORM.ceremony),
    person: lines.value("person", isPersonId),
    role: lines.value("role", isSlug),
    decision: readDecision(lines.value("decision", isDecision)),
    plan: lines.value("plan", FORM.plan),
    step: readStep(lines.value("step", FORM.step)),
    subject: readSubject(lines.value("subject", FORM.subject)),
    policy: lines.value("policy", FORM.policy),
    software: lines.value("software", FORM.software),
    opened: readOpened(lines.value("opened", FORM.opened)),
    nonce: lines.value("nonce", FORM.nonce),
    expires: lines.value("expires", (v) => parseTimestamp(v) !== undefined),
  };
  lines.end();
  return agreement;
}

/**
 * The agreement in a signed note that holds exactly one signature, by the card's signing key. Whether
 * it fits a step, is fresh and was not used before is for the caller to judge.
 * @throws KeyriteError people.agreement-invalid
 */
export function checkAgreement(note: string, card: Card): Agreement {
  const read = readAgreement(note);
  requireSignedBy(read, card);
  return read.agreement;
}

/** An agreement as its note reads, before anybody knows who signed it. */
export interface UncheckedAgreement {
  readonly note: Note;
  readonly agreement: Agreement;
}

/**
 * Reads a note, whose person then says by which card it is to be checked.
 * @throws KeyriteError people.agreement-invalid
 */
export function readAgreement(text: string): UncheckedAgreement {
  const note = readNote(text, invalid);
  return { note, agreement: parseAgreement(note.text) };
}

/** Refuses what is not signed by this card alone, as `checkAgreement`. */
export function requireSignedBy({ note, agreement }: UncheckedAgreement, card: Card): void {
  requireSoleSignature(note, card, invalid);
  if (agreement.person !== card.person) {
    throw invalid(`it names ${agreement.person} but ${card.person} signed it`);
  }
}

// People agree to one step side by side, and to one plan all day: a large ledger says the same again and again.
function remembering(accepts: (value: string) => boolean): (value: string) => boolean {
  let last: string | undefined;
  return (value) => {
    if (value === last) return true;
    const good = accepts(value);
    if (good) last = value;
    return good;
  };
}

const FORM = {
  origin: remembering(isOrigin),
  ceremony: remembering(isCeremonyId),
  plan: remembering(isDigest),
  step: remembering(isNumberAndDigest),
  subject: remembering((value) => value === "-" || isDigest(value)),
  policy: remembering(isDigest),
  software: remembering(isDigest),
  opened: remembering(isNumberAndDigest),
  nonce: remembering((value) => /^[0-9a-f]{32}$/.test(value)),
} as const;

function isCeremonyId(text: string): boolean {
  return /^[0-9]{8}-[a-z][a-z0-9-]*-[a-z2-7]{4}$/.test(text);
}

function isSlug(text: string): boolean {
  return /^[a-z][a-z0-9-]*$/.test(text);
}

function isCount(text: string): boolean {
  return /^(0|[1-9][0-9]*)$/.test(text) && Number.isSafeInteger(Number(text));
}

function isNumberAndDigest(text: string): boolean {
  const [number = "", digest = "", ...more] = text.split(" ");
  return isCount(number) && isDigest(digest) && more.length === 0;
}

function isDecision(text: string): boolean {
  if (/^(agree|decline|finish|undo|abandon)$/.test(text)) return true;
  if (text.startsWith("adopt ")) return isCount(text.slice("adopt ".length));
  return /^waive [A-Za-z0-9][A-Za-z0-9.:_-]{0,99}$/.test(text);
}

function readDecision(text: string): Decision {
  // The grammar was checked by `isDecision`, which the type cannot express.
  return text as Decision;
}

function readStep(text: string): Agreement["step"] {
  const [n = "", digest = ""] = text.split(" ");
  return { n: Number(n), digest };
}

function readOpened(text: string): Agreement["opened"] {
  const [size = "", root = ""] = text.split(" ");
  return { size: Number(size), root };
}

function readSubject(text: string): string | null {
  return text === "-" ? null : text;
}

function invalid(problem: string): KeyriteError {
  return new KeyriteError("people.agreement-invalid", `the agreement is refused: ${problem}`);
}
