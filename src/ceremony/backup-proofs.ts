/**
 * What another site needs to believe a backup of ours, taken from the ledger after people cosigned it:
 * the genesis, the cosigned checkpoint, and proofs of the entries that record the backup, its KEK and the
 * enrolment of everybody who signed. Format: docs/formats/backup.md.
 */

import { decodeEntry, type Entry } from "../ledger/entry.ts";
import { formatProof } from "../ledger/proof.ts";
import type { LedgerStore } from "../ledger/store.ts";
import { utf8 } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { parseNote } from "../lib/note.ts";
import { parseAgreement } from "../people/agreement.ts";
import { formatCard } from "../people/card.ts";
import type { VaultFile, Vaults } from "./action.ts";
import type { Custody } from "./custody.ts";
import { everKnown } from "./custody-people.ts";
import type { Fact, FactOf } from "./facts.ts";
import type { Genesis } from "./genesis.ts";
import { cosignersOf } from "./heads.ts";
import type { History } from "./history.ts";
import { proofFiles } from "./proof-folder.ts";
import { readFacts } from "./step-authority.ts";

/** A site's ledger, verified and folded. */
export interface ProvableSite {
  readonly genesis: Genesis;
  readonly genesisBytes: Uint8Array;
  readonly ledger: LedgerStore;
  readonly history: History;
}

/**
 * The files of `proofs/` for one backup.
 * @throws KeyriteError usage.refused when custody holds no such backup, or no cosigned head covers it yet
 */
export function backupProofs(site: ProvableSite, backup: string): readonly VaultFile[] {
  const { custody } = site.history;
  const record = custody.backups.get(backup);
  if (record?.sha256 == null) throw unknownBackup(custody, backup);
  const found = findEntries(site);
  const completed = found.completed.get(backup);
  const kek = found.keks.get(`${record.kek}.g${record.generation}`);
  // Sent in a ceremony that is still open: it is proved with the next backup.
  const sent = (found.sent.get(`${record.kek}.g${record.generation}`) ?? []).filter(
    ({ seq }) => seq < site.history.cosigned,
  );
  const begun = completed?.refs["begun"];
  const wanted = [
    ...(begun === undefined ? [] : [begun]),
    ...[completed, kek, ...sent].flatMap((entry) => (entry === undefined ? [] : [entry.seq])),
  ];
  return provenFiles(site, found, wanted, record.signers);
}

/** What became of the proofs in one vault; `problem` when they could not be written. */
export interface WrittenProofs {
  readonly backup: string;
  readonly vault: string;
  readonly problem?: string;
}

/**
 * Writes `proofs/` into each copy of a backup that is on record; older proofs give way.
 * @throws KeyriteError as `backupProofs`; what is wrong with a vault is returned
 */
export async function writeProofs(
  site: ProvableSite,
  vaults: Vaults,
  backup: string,
): Promise<readonly WrittenProofs[]> {
  const files = backupProofs(site, backup);
  const written: WrittenProofs[] = [];
  for (const vault of site.history.custody.backups.get(backup)?.vaults ?? []) {
    try {
      const folder = await vaults.open(vault, backup);
      const older = (await folder.list()).filter((name) => name.startsWith("proofs/"));
      if (older.length > 0) await folder.remove(older);
      await folder.write(files);
      written.push({ backup, vault });
    } catch (error) {
      if (!(error instanceof KeyriteError)) throw error;
      written.push({ backup, vault, problem: error.message });
    }
  }
  return written;
}

function provenFiles(
  site: ProvableSite,
  found: FoundEntries,
  entries: readonly number[],
  signers: readonly string[],
): readonly VaultFile[] {
  const { genesisBytes, ledger, history } = site;
  const size = history.cosigned;
  if (size === 0 || entries.some((seq) => seq >= size)) throw notCosigned();
  const cosigners = cosignersOf(size, history.custody.people.values(), {
    checkpoint: (at) => ledger.checkpoint(at),
    cosignatures: (at) => ledger.cosignatures(at).map(({ line }) => line),
  });
  const people = new Set([...signers, ...cosigners.map(({ person }) => person)]);
  const enrolled = enrolmentsOf(people, site, found);
  const checkpoint = cosignedCheckpoint(ledger, size);
  const gone = found.revocations.map(({ seq }) => seq).filter((seq) => seq < size);
  const numbers = [...new Set([...entries, ...enrolled.entries, ...gone])].sort((a, b) => a - b);
  const proofs = new Map(
    numbers.map((seq) => [seq, proofOf(ledger, seq, size, checkpoint)] as const),
  );
  const cards = new Map(
    enrolled.people.flatMap((person) => {
      const known = everKnown(history.custody, person);
      return known === undefined ? [] : [[known.cardSha256, formatCard(known.card)] as const];
    }),
  );
  return proofFiles({ genesis: genesisBytes, checkpoint, proofs, cards });
}

interface FoundEntries {
  readonly completed: ReadonlyMap<string, Entry>;
  readonly keks: ReadonlyMap<string, Entry>;
  /** Entries that record one more envelope of a KEK, by its name. */
  readonly sent: ReadonlyMap<string, readonly Entry[]>;
  readonly enrolments: ReadonlyMap<string, Entry>;
  /** Entries that renewed somebody's dates, by person. */
  readonly renewals: ReadonlyMap<string, readonly Entry[]>;
  /** Entries that took somebody off the roster. */
  readonly revocations: readonly Entry[];
}

// Most entries of a large ledger record one key each: they are not decoded.
const KINDS = [
  '"backup.completed"',
  '"kek.established"',
  '"kek.adopted"',
  '"kek.sent"',
  '"person.enrolled"',
  '"person.renewed"',
  '"person.revoked"',
];

/** The entries that established these facts; entries without authority are passed over. */
function findEntries({ ledger, history }: ProvableSite): FoundEntries {
  const refused = new Set(history.findings.map(({ seq }) => seq));
  const completed = new Map<string, Entry>();
  const keks = new Map<string, Entry>();
  const sent = new Map<string, readonly Entry[]>();
  const enrolments = new Map<string, Entry>();
  const renewals = new Map<string, readonly Entry[]>();
  const revocations: Entry[] = [];
  for (const text of ledger.entries()) {
    if (!KINDS.some((kind) => text.includes(kind))) continue;
    const entry = decodeEntry(text);
    if (entry.type !== "step.completed" || refused.has(entry.seq)) continue;
    for (const fact of factsIn(entry)) {
      if (fact.kind === "backup.completed") completed.set(fact.backup, entry);
      if (isOrigin(fact)) keks.set(`${fact.kek}.g${fact.generation}`, entry);
      if (fact.kind === "kek.sent") {
        const name = `${fact.kek}.g${fact.generation}`;
        sent.set(name, [...(sent.get(name) ?? []), entry]);
      }
      if (fact.kind === "person.enrolled" && isCurrent(history.custody, fact)) {
        enrolments.set(fact.person, entry);
      }
      if (fact.kind === "person.renewed") {
        renewals.set(fact.person, [...(renewals.get(fact.person) ?? []), entry]);
      }
      if (fact.kind === "person.revoked") revocations.push(entry);
    }
  }
  return { completed, keks, sent, enrolments, renewals, revocations };
}

/** A KEK came into custody by being made here, or from another site. */
function isOrigin(fact: Fact): fact is FactOf<"kek.established" | "kek.adopted"> {
  return fact.kind === "kek.established" || fact.kind === "kek.adopted";
}

function isCurrent(custody: Custody, fact: FactOf<"person.enrolled">): boolean {
  return everKnown(custody, fact.person)?.cardSha256 === fact.card;
}

function factsIn(entry: Entry): readonly Fact[] {
  const facts = readFacts(entry);
  return typeof facts === "string" ? [] : facts;
}

/** Entries and people of every enrolment that leads from the founders to these people, and of their renewals. */
function enrolmentsOf(
  people: ReadonlySet<string>,
  { genesis, ledger, history }: ProvableSite,
  { enrolments, renewals }: FoundEntries,
): { readonly entries: readonly number[]; readonly people: readonly string[] } {
  const entries: number[] = [];
  const later: string[] = [];
  const founders = new Set(genesis.founders.map(({ person }) => person));
  const seen = new Set<string>();
  const queue = [...people];
  for (let person = queue.pop(); person !== undefined; person = queue.pop()) {
    if (seen.has(person)) continue;
    seen.add(person);
    const enrolled = founders.has(person) ? undefined : enrolments.get(person);
    if (enrolled !== undefined) later.push(person);
    const renewed = (renewals.get(person) ?? []).filter(({ seq }) => seq < history.cosigned);
    for (const completed of [...(enrolled === undefined ? [] : [enrolled]), ...renewed]) {
      const { opened, begun } = completed.refs;
      const begunText = begun === undefined ? undefined : ledger.entry(begun);
      if (opened === undefined || begun === undefined || begunText === undefined) continue;
      entries.push(opened, begun, completed.seq);
      queue.push(...agreedIn(decodeEntry(begunText)));
    }
  }
  return { entries, people: later };
}

function agreedIn(begun: Entry): readonly string[] {
  return begun.agreements.map((note) => parseAgreement(parseNote(note).text).person);
}

function cosignedCheckpoint(ledger: LedgerStore, size: number): string {
  const lines = ledger.cosignatures(size).map(({ line }) => `${line}\n`);
  return `${ledger.checkpoint(size) ?? ""}${lines.join("")}`;
}

function proofOf(ledger: LedgerStore, seq: number, size: number, checkpoint: string): string {
  const extra = utf8(ledger.entry(seq) ?? "");
  return formatProof({ extra, index: seq, hashes: ledger.inclusionProof(seq, size), checkpoint });
}

function unknownBackup(custody: Custody, backup: string): KeyriteError {
  const known = [...custody.backups.values()].filter(({ sha256 }) => sha256 !== null);
  return new KeyriteError("usage.refused", `no completed backup ${backup} is on record`, {
    hints: [
      known.length === 0
        ? "this site has made none"
        : `on record: ${known.map((one) => one.backup).join(", ")}`,
    ],
  });
}

function notCosigned(): KeyriteError {
  return new KeyriteError("usage.refused", "no cosigned head covers this yet", {
    hints: ["close the ceremony first: its people cosign the head at the end"],
  });
}
