/** `keyrite prove` writes the tlog-proof of one entry; `keyrite verify-proof` checks one, offline. */

import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { readGenesis, type Genesis } from "../ceremony/genesis.ts";
import { digestLines } from "../ceremony/spoken.ts";
import { decodeEntry, type Entry } from "../ledger/entry.ts";
import { formatProof, parseProof, verifyProof, type Proven } from "../ledger/proof.ts";
import { LedgerStore } from "../ledger/store.ts";
import { fromUtf8, hex, utf8, visible } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { readBounded, writeNewFile } from "../lib/files.ts";
import { parseNote, parseVerifierKey, type VerifierKey } from "../lib/note.ts";
import { cardKey, parseCard } from "../people/card.ts";
import { printJson, printLine } from "./output.ts";
import { siteFolder } from "./site.ts";
import { readTrust } from "./verify.ts";

const LONGEST_PROOF = 1_200_000;

export interface ProveOptions {
  readonly site?: string;
  readonly ledger?: string;
  readonly out?: string;
  readonly json?: boolean;
}

/**
 * Proves an entry under the newest checkpoint that two or more people cosigned.
 * @throws KeyriteError usage.bad-option; ledger.not-trusted when no such checkpoint covers the entry
 */
export function prove(seqText: string, options: ProveOptions): void {
  const seq = /^(?:0|[1-9][0-9]{0,15})$/.test(seqText) ? Number(seqText) : NaN;
  const ledger = LedgerStore.open(ledgerFile(options));
  try {
    const text = Number.isSafeInteger(seq) ? ledger.entry(seq) : undefined;
    if (text === undefined) {
      throw new KeyriteError("usage.bad-option", `there is no entry ${visible(seqText)}`, {
        hints: [`the ledger holds the entries 0 to ${ledger.size - 1}`],
      });
    }
    const size = cosignedSize(ledger, seq);
    const proof = formatProof({
      extra: utf8(text),
      index: seq,
      hashes: ledger.inclusionProof(seq, size),
      checkpoint: noteOf(ledger, size),
    });
    verifyProof(proof, ledgerKeyOf(ledger));
    tell(decodeEntry(text), size, proof, options);
  } finally {
    ledger.close();
  }
}

function tell(entry: Entry, size: number, proof: string, { out, json }: ProveOptions): void {
  if (out !== undefined) writeNewFile(resolve(out), utf8(proof), { mode: 0o644 });
  if (json === true) {
    const { seq, type, ceremony } = entry;
    printJson("prove", { seq, type, ceremony, size, file: out ?? null, proof });
  } else if (out === undefined) process.stdout.write(proof);
  else
    printLine(`Entry ${entry.seq} (${entry.type}) is proved under the checkpoint of size ${size}`);
}

function cosignedSize(ledger: LedgerStore, seq: number): number {
  const lines = new Map<number, number>();
  for (const { size } of ledger.cosignatures()) lines.set(size, (lines.get(size) ?? 0) + 1);
  const sizes = [...lines].filter(([, count]) => count >= 2).map(([size]) => size);
  const newest = Math.max(0, ...sizes);
  if (newest > seq) return newest;
  throw new KeyriteError(
    "ledger.not-trusted",
    `nobody has cosigned a checkpoint that covers entry ${seq}`,
    {
      hints: [
        newest === 0
          ? "people cosign the ledger when a ceremony is closed"
          : `entries 0 to ${newest - 1} can be proved; the next close covers the others`,
      ],
    },
  );
}

function noteOf(ledger: LedgerStore, size: number): string {
  const lines = ledger.cosignatures(size).map(({ line }) => `${line}\n`);
  return `${ledger.checkpoint(size) ?? ""}${lines.join("")}`;
}

// What is handed out is checked first: a damaged ledger makes no proof.
function ledgerKeyOf(ledger: LedgerStore): VerifierKey {
  const founding = decodeEntry(ledger.entry(0) ?? "").data["genesis"];
  const bytes = typeof founding === "string" ? ledger.attachment(founding)?.bytes : undefined;
  if (bytes !== undefined) return parseVerifierKey(readGenesis(bytes).ledgerKey);
  throw new KeyriteError("ledger.damaged", "the genesis of the ledger is not attached");
}

function ledgerFile({ ledger, site }: ProveOptions): string {
  const path = ledger === undefined ? siteFolder(site) : resolve(ledger);
  if (!existsSync(path)) throw new KeyriteError("ledger.missing", `there is no ledger at ${path}`);
  return statSync(path).isDirectory() ? join(path, "ledger.db") : path;
}

export interface VerifyProofOptions {
  readonly trust?: string;
  readonly words?: string;
  readonly genesis?: string;
  readonly card: readonly string[];
  readonly json?: boolean;
}

/** A person whose cosignature is looked for, and by which paper they are known. */
interface Known {
  readonly person: string;
  readonly key: VerifierKey;
}

/**
 * Checks a proof with nothing but keys.
 * @throws KeyriteError ledger.damaged when it proves nothing; ledger.not-trusted without a trusted key
 */
export function verifyProofFile(file: string, options: VerifyProofOptions): void {
  const text = readText(resolve(file), LONGEST_PROOF);
  const trust = readTrust(options);
  const genesis =
    options.genesis === undefined
      ? undefined
      : readGenesis(readBounded(resolve(options.genesis), 1 << 20));
  if (genesis !== undefined && trust !== undefined && genesis.sha256 !== trust.genesis) {
    throw notTrusted(`the genesis has the digest ${genesis.sha256}, you trust ${trust.genesis}`);
  }
  const key = trustedKey(text, trust?.keys ?? [], genesis);
  const known = knownPeople(genesis, options.card);
  const proven = verifyProof(
    text,
    key,
    known.map((one) => one.key),
  );
  const cosigners = known
    .filter((one) => proven.signers.includes(one.key))
    .map(({ person }) => person);
  show(proven, cosigners, unknownLines(text, key, proven), options, trust !== undefined);
}

function readText(path: string, most: number): string {
  try {
    return fromUtf8(readBounded(path, most));
  } catch (cause) {
    if (cause instanceof KeyriteError) throw cause;
    throw new KeyriteError("ledger.damaged", `${path} is not UTF-8`, { cause });
  }
}

function trustedKey(
  text: string,
  keys: readonly string[],
  genesis: Genesis | undefined,
): VerifierKey {
  const [origin = ""] = parseNote(parseProof(text).checkpoint).text.split("\n");
  const all = [...keys, ...(genesis === undefined ? [] : [genesis.ledgerKey])];
  const found = all.map((one) => parseVerifierKey(one)).find(({ name }) => name === origin);
  if (found !== undefined) return found;
  throw notTrusted(`no key that you trust is that of the ledger ${visible(origin)}`);
}

function notTrusted(message: string): KeyriteError {
  return new KeyriteError("ledger.not-trusted", message, {
    hints: [
      "give --trust trust.txt, compared with the genesis sheet: it names the ledger's key",
      "or --genesis genesis.json with --words, the 32 words on the sheet",
    ],
  });
}

function knownPeople(genesis: Genesis | undefined, cards: readonly string[]): readonly Known[] {
  const founders = genesis?.founders.map(({ card }) => card) ?? [];
  const given = cards.map((file) => parseCard(readBounded(resolve(file), 16_384)));
  const all = new Map([...founders, ...given].map((card) => [card.person, card]));
  return [...all].map(([person, card]) => ({ person, key: cardKey(card, "cosignature") }));
}

function unknownLines(text: string, key: VerifierKey, { signers }: Proven): number {
  const { signatures } = parseNote(parseProof(text).checkpoint);
  const known = [key, ...signers];
  return signatures.filter(
    ({ name, keyId }) => !known.some((one) => one.name === name && one.keyId === keyId),
  ).length;
}

function show(
  { entry, checkpoint }: Proven,
  cosigners: readonly string[],
  unknown: number,
  { json }: VerifyProofOptions,
  anchored: boolean,
): void {
  const verdict = cosigners.length >= 2 ? "INCLUDED AND COSIGNED" : "INCLUDED";
  const limits = [
    "that the entry had authority: a proof shows that it stands in the ledger, keyrite verify judges authority",
    ...(anchored
      ? []
      : ["that the genesis was made up: give --trust FILE or --words from the sheet"]),
    ...(cosigners.length >= 2
      ? []
      : [
          "that the ledger's owner alone made the checkpoint: give --genesis or --card of those who cosigned",
        ]),
  ];
  if (json === true) {
    printJson("verify-proof", {
      verdict,
      anchored,
      origin: checkpoint.origin,
      size: checkpoint.size,
      root: hex(checkpoint.root),
      cosigners: [...cosigners],
      unknownSignatures: unknown,
      entry: JSON.parse(JSON.stringify(entry)) as never,
      notExcluded: limits,
    });
    return;
  }
  printLine(`Entry ${entry.seq} of ${visible(checkpoint.origin)}, ${entry.time}: ${entry.type}`);
  if (entry.ceremony !== null)
    printLine(`  ${visible(entry.ceremony)} ${visible(entry.step ?? "")}`);
  printLine(`  ${visible(entry.description)}`);
  for (const line of digestLines(`Checkpoint of size ${checkpoint.size}`, hex(checkpoint.root)))
    printLine(line);
  printLine(
    `Cosigned by ${cosigners.length === 0 ? "nobody known here" : cosigners.map(visible).join(", ")}; ${unknown} other signatures`,
  );
  for (const text of limits) printLine(`Not excluded: ${text}`);
  printLine(`Verdict: ${verdict}${anchored ? "" : " (not anchored)"}`);
}
