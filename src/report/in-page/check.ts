/** All that a report page checks of itself, as a function from what it carries to what was found. */

import { spokenWords } from "../../lib/spoken-words.ts";
import { visible } from "../../lib/visible.ts";
import { judgeAgreements, openedSizes, type Judged } from "./agreements.ts";
import { equalBytes, fromHex, hex } from "./bytes.ts";
import type { PageCrypto } from "./crypto.ts";
import { readEntries, type ReadEntries, type ReadEntry } from "./entries.ts";
import type { Check, Evidence, Findings, ShownValue } from "./evidence.ts";
import { isSigned, readCheckpoint, readLine, readNote, type Note } from "./note.ts";
import { narrowed, rootsInAgreements } from "./narrow.ts";
import { readDocuments, readRoster, rollOf, whyLate, type Person, type Roster } from "./roster.ts";
import { leadsTo, leafHash, rootsAt, subtreesBefore } from "./tree.ts";

interface Head {
  readonly note: Note | undefined;
  readonly said: ReturnType<typeof readCheckpoint>;
  readonly cosignatures: readonly string[];
}

/** Computes everything again, from the bytes that the page carries. */
export async function checkPage(
  crypto: PageCrypto,
  evidence: Evidence,
  shown: readonly ShownValue[],
): Promise<Findings> {
  const read = await readEntries(crypto, evidence);
  const documents = await readDocuments(crypto, evidence.documents);
  const roster = await readRoster(crypto, read.bySeq, documents);
  const heads = evidence.checkpoints.map(({ note, cosignatures }): Head => {
    const parsed = readNote(note);
    return { note: parsed, said: readCheckpoint(parsed?.text ?? ""), cosignatures };
  });
  const sizes = new Set([...openedSizes(read.bySeq.values()), evidence.size]);
  for (const { said } of heads) if (said !== undefined) sizes.add(said.size);
  const before = evidence.before.map((root) => fromHex(root) ?? new Uint8Array());
  // Without entries there is nothing to compute a root from: proofs lead to it instead.
  const roots =
    evidence.entries.length === 0
      ? new Map<number, Uint8Array>()
      : await rootsAt(crypto, { from: evidence.from, before }, read.leaves, sizes);
  const computed = roots.get(evidence.size);
  const signed = [
    ...rootsInAgreements(read.bySeq.values()),
    ...heads.flatMap(({ said }) => (said === undefined ? [] : [{ ...said, root: hex(said.root) }])),
  ];
  // Where every entry has its place, the signed states of the ledger tell where one was changed.
  const range = read.faults.length === 0 ? narrowed(roots, signed, evidence.from) : [];
  const root = await rootCheck(crypto, evidence, heads.at(-1), computed, range);
  const agreements = await judgeAgreements({ crypto, bySeq: read.bySeq, roots, roster, documents });
  const missing = [...documents.problems, ...roster.problems];
  return {
    checks: [
      entriesCheck(evidence, read, root.problems.length === 0),
      root,
      await checkpointCheck(crypto, evidence, heads, roots, roster),
      {
        name: "cosignatures",
        what: "cosignatures",
        ...(await cosignatures(crypto, heads, roster, read.bySeq)),
      },
      { name: "agreements", what: "agreements", ...agreements },
      { name: "documents", what: "documents", count: evidence.documents.length, problems: missing },
      shownCheck(shown, read.bySeq, { root: computed, genesis: roster.genesis }),
    ],
    genesis: roster.genesis,
    size: evidence.size,
    root: computed === undefined ? null : hex(computed),
    hashes: crypto.hashes,
    signatures: crypto.signatures,
  };
}

function entriesCheck(evidence: Evidence, read: ReadEntries, sound: boolean): Check {
  // Entries that give the signed root are the right ones, whatever the page noted of them.
  const changed = read.changed.map((seq) =>
    sound
      ? `the hash that the page notes for entry ${seq} was changed; the entry is sound`
      : `entry ${seq} was changed: it does not have the hash it had`,
  );
  const count = evidence.entries.length + evidence.others.length;
  return { name: "entries", what: "entries", count, problems: [...read.faults, ...changed] };
}

async function rootCheck(
  crypto: PageCrypto,
  evidence: Evidence,
  newest: Head | undefined,
  computed: Uint8Array | undefined,
  range: readonly string[],
): Promise<Check> {
  const problems: string[] = [];
  const said = newest?.said;
  const { entries, from, size, before, others } = evidence;
  const sizes = `${size} entries`;
  if (said?.size !== size) problems.push(`there is no checkpoint of ${sizes}`);
  else if (entries.length > 0) {
    const whole = before.length === subtreesBefore(from) && computed !== undefined;
    if (!whole) problems.push(`the root of ${sizes} cannot be computed: some of them are missing`);
    else if (!equalBytes(computed, said.root)) {
      problems.push(
        `the entries give another root than the checkpoint of ${sizes} states`,
        ...range,
      );
    }
  }
  for (const { seq, text, path } of others) {
    const leaf = await leafHash(crypto, text);
    const hashes = path.map((part) => fromHex(part) ?? new Uint8Array());
    const proved =
      said !== undefined && (await leadsTo(crypto, leaf, { index: seq, size }, hashes, said.root));
    if (!proved) problems.push(`entry ${seq} was changed: its proof does not lead to the root`);
  }
  const count = entries.length > 0 ? 1 + others.length : others.length;
  return { name: "root", what: others.length === 0 ? "root" : "root and proofs", count, problems };
}

async function checkpointCheck(
  crypto: PageCrypto,
  { origin }: Evidence,
  heads: readonly Head[],
  roots: ReadonlyMap<number, Uint8Array>,
  { ledgerKey }: Roster,
): Promise<Check> {
  const problems: string[] = [];
  for (const { note, said } of heads) {
    const [line, ...more] = note?.lines ?? [];
    if (note === undefined || said === undefined || line === undefined || more.length > 0) {
      problems.push("a checkpoint is malformed");
      continue;
    }
    const name = `the checkpoint of ${said.size} entries`;
    const root = roots.get(said.size);
    if (said.origin !== origin) problems.push(`${name} is of another ledger`);
    if (ledgerKey === undefined || !(await isSigned(crypto, note.text, line, ledgerKey))) {
      problems.push(`${name} is not signed by the ledger's key`);
    }
    if (root !== undefined && !equalBytes(root, said.root)) {
      problems.push(`${name} states another root than the entries give`);
    }
  }
  return { name: "checkpoints", what: "checkpoints", count: heads.length, problems };
}

async function cosignatures(
  crypto: PageCrypto,
  heads: readonly Head[],
  { people }: Roster,
  entries: ReadonlyMap<number, ReadEntry>,
): Promise<Judged> {
  const problems: string[] = [];
  let count = 0;
  for (const { note, said, cosignatures: lines } of heads) {
    // Without the entry that made the head nobody can tell whether somebody could act then.
    const last = entries.get((said?.size ?? 0) - 1);
    const roll = last === undefined ? new Set<string>() : rollOf(entries, last);
    for (const text of lines) {
      count += 1;
      const line = readLine(text);
      const on = `on the checkpoint of ${said?.size ?? 0} entries`;
      const signer = [...people.values()].find(
        ({ cosigning }) => cosigning.name === line?.name && cosigning.id === line.id,
      );
      if (line === undefined) problems.push(`a cosignature ${on} is malformed`);
      else if (signer === undefined || signer.since >= (said?.size ?? 0)) {
        problems.push(`a cosignature ${on} is by ${line.name}, who is not on the roster`);
      } else if (signer.until !== null && signer.until < (said?.size ?? 0)) {
        problems.push(`a cosignature ${on} is by ${line.name}, who was off the roster by then`);
      } else if (last !== undefined && !roll.has(signer.person) && isLate(signer, last)) {
        problems.push(`a cosignature ${on} is by ${line.name}, who could not act any more`);
      } else if (!(await isSigned(crypto, note?.text ?? "", line, signer.cosigning))) {
        problems.push(`the cosignature of ${signer.person} ${on} does not verify`);
      }
    }
  }
  return { count, problems };
}

function isLate(person: Person, { time, seq }: ReadEntry): boolean {
  return whyLate(person, time, seq + 1) !== undefined;
}

/** What the page computes and also shows: in place of an entry these bear the index -1. */
interface Computed {
  readonly root: Uint8Array | undefined;
  readonly genesis: string | null;
}

function shownCheck(
  shown: readonly ShownValue[],
  bySeq: ReadonlyMap<number, ReadEntry>,
  { root, genesis }: Computed,
): Check {
  const computed = new Map([
    ["root", root === undefined ? undefined : hex(root)],
    ["genesis", genesis ?? undefined],
  ]);
  const problems = shown.flatMap(({ text, seq, at, form }) => {
    const value = seq === -1 ? computed.get(at) : memberAt(bySeq.get(seq), at);
    const where = seq === -1 ? `the ${at}` : `entry ${seq}`;
    if (value === undefined) return [`the page shows ${at} of ${where}, which is not there`];
    const expected = plain(written(value, form));
    if (plain(text) === expected) return [];
    return [`the page shows "${plain(text)}" where ${where} says "${expected}"`];
  });
  return { name: "shown", what: "values shown", count: shown.length, problems };
}

function memberAt(entry: ReadEntry | undefined, path: string): string | undefined {
  let value: unknown = entry?.value;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}

function written(value: string, form: ShownValue["form"]): string {
  switch (form) {
    case "text":
      return visible(value);
    case "hex":
      return value.match(/.{1,4}/g)?.join(" ") ?? "";
    case "clock":
      return value.slice(11, 23);
    case "words":
      return spokenWords(fromHex(value) ?? new Uint8Array()).join(" ");
  }
}

/** Line breaks of the page are no part of what it says. */
function plain(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
