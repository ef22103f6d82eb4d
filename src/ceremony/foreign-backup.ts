/**
 * A backup that another site made, judged by proofs alone: it is recorded in a ledger whose head that
 * site's people cosigned, and its signers were on the roster when it was made. Whether it is restored,
 * people here decide.
 */

import type { Entry } from "../ledger/entry.ts";
import { equalBytes, fromHex, sha256Hex } from "../lib/encoding.ts";
import type { Card } from "../people/card.ts";
import { checkBackup, readManifest, type BackupPapers } from "./backup-check.ts";
import type { EnvelopeCustody, PeerCustody } from "./custody-copies.ts";
import type { FactKind, FactOf } from "./facts.ts";
import type { ProofFiles } from "./proof-folder.ts";
import { proveLedger, type ProvenLedger } from "./proven-ledger.ts";
import { beganWith, whyLate } from "./proven-people.ts";
import { readFacts } from "./step-authority.ts";
import type { Manifest } from "../backups/manifest.ts";

export interface ForeignPapers extends BackupPapers {
  readonly proofs: ProofFiles;
}

/** How a KEK came into the other site's custody: made there, or taken from yet another site. */
export type KekFact = FactOf<"kek.established"> | FactOf<"kek.adopted">;

/** What the proofs establish of a backup. */
export interface ForeignBackup {
  readonly manifest: Manifest;
  readonly kek: KekFact;
  /** Its envelopes: those made with it, and those that were sent later. */
  readonly envelopes: readonly EnvelopeCustody[];
  readonly signers: readonly string[];
  /** Time of its entry, RFC 3339. */
  readonly made: string;
}

export interface ForeignVerdict {
  /** One sentence each; the backup may be used only when there is none. */
  readonly problems: readonly string[];
  /** What these proofs cannot show, one sentence each: it goes into the record of the restore. */
  readonly unchecked: readonly string[];
  /** Present when there is no problem. */
  readonly found?: ForeignBackup;
}

type Peer = Pick<PeerCustody, "origin" | "genesis" | "ledgerKey" | "size" | "root">;

/** Judges a backup of another site by what this site's people adopted of it. */
export function verifyForeignBackup(papers: ForeignPapers, peer: Peer): ForeignVerdict {
  const { ledger, problems } = proveLedger(papers.proofs, peer.genesis);
  if (ledger === undefined) return { problems, unchecked: [] };
  const peerProblems = peerDifferences(ledger, peer);
  if (peerProblems.length > 0) return { problems: peerProblems, unchecked: [] };
  const recorded = backupEntry(ledger, sha256Hex(papers.manifest));
  if (recorded === undefined) {
    return { problems: ["no proven entry records this backup.json"], unchecked: [] };
  }
  return judgeRecorded(papers, ledger, recorded, uncheckedOf(ledger, peer));
}

interface RecordedBackup {
  readonly entry: Entry;
  readonly fact: FactOf<"backup.completed">;
}

function judgeRecorded(
  papers: ForeignPapers,
  ledger: ProvenLedger,
  { entry, fact }: RecordedBackup,
  unchecked: readonly string[],
): ForeignVerdict {
  const signers = fact.signers.map((person) => signerAt(ledger, person, entry));
  const strangers = signers.filter((signer) => typeof signer === "string");
  if (strangers.length > 0) return { problems: strangers, unchecked };
  const kek = kekOf(papers, ledger, entry.seq);
  if (typeof kek === "string") return { problems: [kek], unchecked };
  const { origin, assurance } = ledger.genesis;
  const { manifest, problems } = checkBackup(papers, {
    ...{ backup: fact.backup, origin, ceremony: entry.ceremony ?? "", assurance },
    ...{ sha256: fact.sha256, keys: fact.keys, kek },
    signers: signers.filter((signer) => typeof signer !== "string"),
  });
  if (manifest === undefined || problems.length > 0) return { problems, unchecked };
  const envelopes = [...kek.envelopes, ...sentLater(ledger, kek)];
  const found = { manifest, kek, envelopes, signers: fact.signers, made: entry.time };
  return { problems, unchecked, found };
}

function peerDifferences({ genesis, checkpoint }: ProvenLedger, peer: Peer): readonly string[] {
  if (genesis.origin !== peer.origin || genesis.ledgerKey !== peer.ledgerKey) {
    return [`its origin or ledger key is not what was adopted for ${peer.origin}`];
  }
  const root = fromHex(peer.root) ?? new Uint8Array();
  if (checkpoint.size === peer.size && !equalBytes(checkpoint.root, root)) {
    return [
      `its ledger of size ${peer.size} is not the one adopted here: ${peer.origin} has two histories`,
    ];
  }
  return [];
}

function uncheckedOf({ checkpoint }: ProvenLedger, peer: Peer): readonly string[] {
  const gap =
    checkpoint.size === peer.size
      ? []
      : [
          `whether the ledger of size ${checkpoint.size}, in which the backup is recorded, and the ` +
            `one of size ${peer.size} adopted here are one history`,
        ];
  return [
    ...gap,
    `what ${peer.origin} recorded after entry ${checkpoint.size - 1}: a newer backup, or the ` +
      "destruction of a key, may stand there",
  ];
}

/** The proven entry that completed the backup with this backup.json. */
function backupEntry(ledger: ProvenLedger, sha256: string): RecordedBackup | undefined {
  return factsOf(ledger, "backup.completed").find(({ fact }) => fact.sha256 === sha256);
}

/** The card of somebody who could act when an entry was made, or why they could not. */
function signerAt(
  { people, genesis, entries }: ProvenLedger,
  person: string,
  completed: Entry,
): Card | string {
  const known = people.get(person);
  if (
    known === undefined ||
    known.since >= completed.seq ||
    (known.until ?? Infinity) <= completed.seq
  ) {
    return `its signer ${person} is not proven to have been on the roster of ${genesis.origin}`;
  }
  // What they agreed to in time they also sign past midnight: of a long list that is hours later.
  const begun = entries.get(completed.refs["begun"] ?? -1);
  const when = begun !== undefined && beganWith(known.card, begun, completed) ? begun : completed;
  const late = whyLate(known, when.time, when.seq);
  return late === undefined ? known.card : `its signer could not act then: ${late}`;
}

function kekOf(papers: ForeignPapers, ledger: ProvenLedger, before: number): KekFact | string {
  const made = factsOf(ledger, "kek.established");
  const known = [...made, ...factsOf(ledger, "kek.adopted")];
  const established = known.filter(({ entry }) => entry.seq < before);
  const read = readManifest(papers.manifest);
  if (typeof read === "string") return read;
  const { name, generation } = read.kek;
  const found = established.find(({ fact }) => fact.kek === name && fact.generation === generation);
  return found?.fact ?? `no proven entry establishes the KEK ${name}.g${generation} before it`;
}

function sentLater(ledger: ProvenLedger, { kek, generation }: KekFact): readonly EnvelopeCustody[] {
  return factsOf(ledger, "kek.sent")
    .filter(({ fact }) => fact.kek === kek && fact.generation === generation)
    .map(({ fact }) => fact.envelope);
}

function factsOf<K extends FactKind>(
  ledger: ProvenLedger,
  kind: K,
): readonly { readonly entry: Entry; readonly fact: FactOf<K> }[] {
  return [...ledger.entries.values()]
    .filter(({ type }) => type === "step.completed")
    .flatMap((entry) => {
      const facts = readFacts(entry);
      if (typeof facts === "string") return [];
      return facts
        .filter((fact): fact is FactOf<K> & typeof fact => fact.kind === kind)
        .map((fact) => ({ entry, fact: fact }));
    });
}
