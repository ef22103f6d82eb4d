/** Judging a backup's folder alone: its papers, every wrapped key and envelope, and whose it is. */

import {
  envelopeName,
  kekFolder,
  parseKekFile,
  verifyEnvelope,
  type KekEnvelope,
} from "../backups/kek-file.ts";
import { blobName, LONGEST_BLOB, MANIFEST_LIMITS, verifyBlob } from "../backups/manifest.ts";
import type { Manifest } from "../backups/manifest.ts";
import type { VaultFolder } from "../ceremony/action.ts";
import { readManifest, type BackupPapers } from "../ceremony/backup-check.ts";
import type { EnvelopeCustody } from "../ceremony/custody-copies.ts";
import { verifyForeignBackup } from "../ceremony/foreign-backup.ts";
import { readGenesis } from "../ceremony/genesis.ts";
import { readProofs, type ProofFiles } from "../ceremony/proof-folder.ts";
import { fromUtf8, sha256Hex } from "../lib/encoding.ts";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import { parseNote } from "../lib/note.ts";
import { parseBackupText } from "../people/backup-note.ts";

export interface JudgedBackup {
  readonly verdict:
    | "CONSISTENT"
    | "CONSISTENT WITH ITS OWN GENESIS"
    | "CANNOT TELL"
    | "DAMAGED"
    /** Of another site than the one that the reader trusts: nothing else was judged. */
    | "FOREIGN";
  /** True when the digest of the genesis came from somewhere else than the folder itself. */
  readonly anchored: boolean;
  readonly papers:
    | {
        readonly backup: string;
        readonly origin: string;
        readonly assurance: "production" | "test";
        readonly time: string;
        readonly keys: number;
        readonly kek: string;
        readonly checkValue: string;
        /** Whether the KEK's value was ever outside an HSM. */
        readonly outside: boolean;
      }
    | undefined;
  /** People whose signatures were verified. */
  readonly signers: readonly string[];
  readonly problems: readonly string[];
  /** What could not be checked, one sentence each. */
  readonly unchecked: readonly string[];
}

const LONGEST_NOTE = 1 << 20;
const LONGEST_ENVELOPE = 4096;
const WITH_TOKEN =
  "whether the wrapped keys can be opened: only a token that holds the KEK can tell";

/**
 * Judges a folder.
 * @param genesis digest of the genesis that the reader trusts, if any.
 * @param removed SHA-256 of keys whose wrapped key is on record as destroyed in this backup; what is
 * there of them all the same is a finding.
 */
export async function judgeBackup(
  folder: VaultFolder,
  genesis: string | undefined,
  removed: ReadonlySet<string> = new Set(),
): Promise<JudgedBackup> {
  const read = await readPapers(folder);
  if (typeof read === "string") return refused([read], undefined);
  const manifest = readManifest(read.manifest);
  if (typeof manifest === "string") return refused([manifest], undefined);
  const kek = await kekFiles(folder, manifest);
  const contents = [...(await blobProblems(folder, manifest, removed)), ...kek.problems];
  const people = await judgePeople(folder, read, genesis);
  if (people.foreign !== undefined) {
    return { ...refused([people.foreign], manifest), verdict: "FOREIGN" };
  }
  const unproven = kek.envelopes.flatMap((one) => whyUnproven(one, people.envelopes) ?? []);
  const problems = [...people.problems, ...contents, ...unproven];
  const anchored = genesis !== undefined && people.proven;
  const left = whyLeftOut(kek.envelopes, people.envelopes);
  const unchecked = [...people.unchecked, ...left, WITH_TOKEN];
  const { signers } = people;
  if (problems.length > 0) return { ...refused(problems, manifest), signers, unchecked };
  const own = anchored ? "CONSISTENT" : "CONSISTENT WITH ITS OWN GENESIS";
  const verdict = people.proven ? own : "CANNOT TELL";
  return { verdict, anchored, papers: papersOf(manifest), signers, problems, unchecked };
}

function refused(problems: readonly string[], manifest: Manifest | undefined): JudgedBackup {
  const papers = manifest === undefined ? undefined : papersOf(manifest);
  const verdict = "DAMAGED";
  return { verdict, anchored: false, papers, signers: [], problems, unchecked: [WITH_TOKEN] };
}

function papersOf(manifest: Manifest): JudgedBackup["papers"] {
  const { backup, origin, assurance, time, kek } = manifest;
  return {
    ...{ backup, origin, assurance, time },
    keys: manifest.keys.length,
    kek: `${kek.name}.g${kek.generation}`,
    checkValue: kek.checkValue,
    outside: kek.hasExistedOutsideAnHsm,
  };
}

async function readPapers(folder: VaultFolder): Promise<BackupPapers | string> {
  try {
    const manifest = await folder.read("backup.json", MANIFEST_LIMITS.bytes);
    return { manifest, note: await folder.read("backup.note", LONGEST_NOTE) };
  } catch (error) {
    return problemOf(error);
  }
}

async function blobProblems(
  folder: VaultFolder,
  manifest: Manifest,
  removed: ReadonlySet<string>,
): Promise<readonly string[]> {
  const problems: string[] = [];
  const files = await folder.list();
  for (const key of manifest.keys) {
    if (removed.has(key.sha256)) {
      const name = blobName(key.sha256);
      if (files.includes(name)) problems.push(`${name} is on record as destroyed, and is there`);
      continue;
    }
    try {
      const problem = verifyBlob(key, await folder.read(blobName(key.sha256), LONGEST_BLOB));
      if (problem !== undefined) problems.push(problem);
    } catch (error) {
      problems.push(problemOf(error));
    }
  }
  const named = new Set(manifest.keys.map(({ sha256 }) => blobName(sha256)));
  for (const name of files) {
    if (name.startsWith("keys/") && !named.has(name)) {
      problems.push(`${name} is no wrapped key of this backup`);
    }
  }
  return problems;
}

/** What is wrong with the files of the KEK, and the envelopes that kek.json names. */
async function kekFiles(
  folder: VaultFolder,
  { kek }: Manifest,
): Promise<{ readonly problems: readonly string[]; readonly envelopes: readonly KekEnvelope[] }> {
  const place = kekFolder({ kek: kek.name, generation: kek.generation });
  const problems: string[] = [];
  let envelopes: readonly KekEnvelope[] = [];
  try {
    const file = parseKekFile(await folder.read(`${place}/kek.json`, 1 << 20));
    if (
      file.kek !== kek.name ||
      file.generation !== kek.generation ||
      file.mode !== kek.mode ||
      file.checkValue !== kek.checkValue
    ) {
      problems.push(`${place}/kek.json is about another KEK than backup.json`);
    }
    envelopes = file.envelopes;
    for (const envelope of envelopes) {
      const name = `${place}/${envelopeName(envelope.token)}`;
      const problem = verifyEnvelope(envelope, await folder.read(name, LONGEST_ENVELOPE));
      if (problem !== undefined) problems.push(`${place}/${problem}`);
    }
  } catch (error) {
    problems.push(problemOf(error));
  }
  return { problems, envelopes };
}

// Nobody signs kek.json: whoever exchanges an envelope and its digest together shows by the record alone.
function whyUnproven(
  { token, sha256: spki, oaep, envelope }: KekEnvelope,
  proven: readonly EnvelopeCustody[] | undefined,
): string | undefined {
  const isSame = (one: EnvelopeCustody): boolean =>
    one.token === token && one.spki === spki && one.oaep === oaep && one.sha256 === envelope;
  if (proven === undefined || proven.some(isSame)) return undefined;
  return `${envelopeName(token)}, as kek.json names it, is none that the proofs record`;
}

// No proof tells which tokens were retired by then, so a missing envelope is said, not condemned.
function whyLeftOut(
  named: readonly KekEnvelope[],
  proven: readonly EnvelopeCustody[] | undefined,
): readonly string[] {
  return (proven ?? [])
    .filter(({ token }) => !named.some((one) => one.token === token))
    .map(
      ({ token }) =>
        `why kek.json names no ${envelopeName(token)}, which the proofs record: token ${token} was ` +
        "retired or sealed to after this backup, or somebody took it out; that token cannot restore from here alone",
    );
}

interface JudgedPeople {
  /** Why the backup is of another site than the trusted one. */
  readonly foreign?: string;
  readonly proven: boolean;
  readonly signers: readonly string[];
  readonly problems: readonly string[];
  readonly unchecked: readonly string[];
  /** Envelopes of its KEK that the proofs record; absent without sound proofs. */
  readonly envelopes?: readonly EnvelopeCustody[];
}

async function judgePeople(
  folder: VaultFolder,
  papers: BackupPapers,
  trusted: string | undefined,
): Promise<JudgedPeople> {
  let proofs: ProofFiles;
  try {
    if (!(await folder.list()).some((name) => name.startsWith("proofs/"))) {
      return withoutProofs(papers);
    }
    proofs = await readProofs(folder);
    const { origin, ledgerKey, sha256 } = readGenesis(proofs.genesis);
    if (trusted !== undefined && sha256 !== trusted) {
      const foreign = `it is a backup of ${origin}, whose genesis is ${sha256}, not the trusted ${trusted}`;
      return { proven: false, signers: [], problems: [], unchecked: [], foreign };
    }
    const peer = { origin, ledgerKey, genesis: sha256, size: 0, root: "" };
    const verdict = verifyForeignBackup({ ...papers, proofs }, peer);
    const { problems, found } = verdict;
    // There is no adopted checkpoint here that its own could be compared with.
    const unchecked = verdict.unchecked.filter((text) => !text.startsWith("whether the ledger"));
    return {
      ...{ proven: found !== undefined, signers: found?.signers ?? [], problems },
      ...(found === undefined ? {} : { envelopes: found.envelopes }),
      unchecked: trusted === undefined ? [WITHOUT_TRUST, ...unchecked] : unchecked,
    };
  } catch (error) {
    return { proven: false, signers: [], problems: [problemOf(error)], unchecked: [] };
  }
}

const WITHOUT_TRUST =
  "whether its genesis is that of the site: compare with the signed sheet, or give --trust FILE";

// Without proofs nobody's key is known, so of the note only the digest can be compared.
function withoutProofs({ manifest, note }: BackupPapers): JudgedPeople {
  const digest = signedDigest(note);
  const problems =
    digest === sha256Hex(manifest)
      ? []
      : ["backup.note: it is not a statement over this backup.json"];
  const unchecked = [
    "who signed it, and whether it is on record: it has no proofs (keyrite backup prove writes them)",
  ];
  return { proven: false, signers: [], problems, unchecked };
}

function signedDigest(note: Uint8Array): string | undefined {
  try {
    return parseBackupText(parseNote(fromUtf8(note)).text).sha256;
  } catch {
    return undefined;
  }
}

function problemOf(error: unknown): string {
  if (error instanceof KeyriteError) return messageOf(error);
  throw error;
}
