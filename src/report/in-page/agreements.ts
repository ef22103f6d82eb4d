/**
 * Agreements, judged in the page: each is signed by the person it names, and says the very step, screen, policy,
 * software and head of the ledger at which it was used. Who has to agree is judged by `keyrite verify`.
 */

import { canonicalJson, isJsonObject } from "../../lib/json.ts";
import { hex } from "./bytes.ts";
import type { PageCrypto } from "./crypto.ts";
import { objectAt, objectsAt, textAt, type ReadEntry } from "./entries.ts";
import { isSigned, readKey, readNote } from "./note.ts";
import {
  digestOfText,
  jsonOf,
  whyLate,
  type Documents,
  type Person,
  type Roster,
} from "./roster.ts";

export interface Judging {
  readonly crypto: PageCrypto;
  readonly bySeq: ReadonlyMap<number, ReadEntry>;
  readonly roots: ReadonlyMap<number, Uint8Array>;
  readonly roster: Roster;
  readonly documents: Documents;
}

export interface Judged {
  readonly count: number;
  readonly problems: readonly string[];
}

/** The texts of an entry's agreements. */
export function agreementsOf({ value }: ReadEntry): readonly string[] {
  const list = value["agreements"];
  return Array.isArray(list) ? list.map(String) : [];
}

/** Ledger sizes whose roots agreements state. */
export function openedSizes(entries: Iterable<ReadEntry>): ReadonlySet<number> {
  const sizes = new Set<number>();
  for (const entry of entries) {
    for (const note of agreementsOf(entry)) {
      const size = /^opened ([0-9]+) /m.exec(note)?.[1];
      if (size !== undefined) sizes.add(Number(size));
    }
  }
  return sizes;
}

const OTHER_HEAD = "head of the ledger: the entries before it were not these";

/** Every agreement in the carried entries: how many there are, and what is wrong with which. */
export async function judgeAgreements(judging: Judging): Promise<Judged> {
  const problems: string[] = [];
  let count = 0;
  let policy = "";
  const used = new Set<string>();
  const heads: string[] = [];
  for (const entry of [...judging.bySeq.values()].sort((a, b) => a.seq - b.seq)) {
    for (const note of agreementsOf(entry)) {
      count += 1;
      const problem =
        entry.type === "ledger.created"
          ? await genesisProblem(judging, entry, note)
          : await agreementProblem(judging, entry, note, policy, used);
      if (problem === undefined) continue;
      const text = `entry ${entry.seq}: ${problem}`;
      if (problem.endsWith(OTHER_HEAD)) heads.push(text);
      else problems.push(text);
    }
    for (const fact of objectsAt(entry.value, "facts")) {
      if (fact["kind"] === "policy.adopted") policy = textAt(fact, "sha256");
    }
  }
  // One changed entry makes every later agreement name another head: one is named, the rest are counted.
  const [first, ...more] = heads;
  if (first !== undefined) problems.push(first);
  if (more.length > 0) problems.push(`and ${more.length} more agreements behind it`);
  return { count, problems };
}

/** The lines of a note's text as values by their first word. */
function valuesOf(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split("\n").map((line) => {
      const space = line.indexOf(" ");
      return [line.slice(0, space), line.slice(space + 1)] as const;
    }),
  );
}

async function genesisProblem(
  { crypto, roster }: Judging,
  { value, data }: ReadEntry,
  text: string,
): Promise<string | undefined> {
  const note = readNote(text);
  const [line, ...more] = note?.lines ?? [];
  if (note === undefined || line === undefined || more.length > 0)
    return "a founder's note is malformed";
  const says = valuesOf(note.text);
  const name = says.get("person") ?? "";
  const person = roster.people.get(name);
  if (!note.text.startsWith("keyrite/genesis/v1\n"))
    return `the note of ${name} is of another kind`;
  if (person === undefined) return `${name} is no founder`;
  if (!(await isSigned(crypto, note.text, line, person.signing))) {
    return `the founder's note of ${name} is not signed by ${name}`;
  }
  if (says.get("origin") !== textAt(value, "origin"))
    return `the note of ${name} is for another ledger`;
  const same = says.get("genesis") === textAt(data, "genesis");
  return same ? undefined : `the note of ${name} is for another genesis`;
}

async function agreementProblem(
  judging: Judging,
  entry: ReadEntry,
  text: string,
  policy: string,
  used: Set<string>,
): Promise<string | undefined> {
  const note = readNote(text);
  const [line, ...more] = note?.lines ?? [];
  if (note === undefined || line === undefined || more.length > 0)
    return "an agreement is malformed";
  const says = valuesOf(note.text);
  const name = says.get("person") ?? "";
  if (!note.text.startsWith("keyrite/agreement/v1\n"))
    return `the note of ${name} is of another kind`;
  const signer = judging.roster.people.get(name) ?? (await candidate(judging, entry, name));
  if (signer === undefined) return `${name}, who agrees, is not on the roster`;
  if (signer.until !== null && signer.until < entry.seq) {
    return `${name}, who agrees, was taken off the roster at entry ${signer.until}`;
  }
  const late = whyLate(signer, entry.time, entry.seq);
  if (late !== undefined) return `${name}, who agrees, could not act any more: ${late}`;
  if (!(await isSigned(judging.crypto, note.text, line, signer.signing))) {
    return `the agreement of ${name} is not signed by ${name}`;
  }
  const nonce = `${name} ${says.get("nonce") ?? ""}`;
  if (used.has(nonce)) return `the agreement of ${name} was used before`;
  used.add(nonce);
  const other = await difference(judging, entry, says, policy);
  return other === undefined ? undefined : `the agreement of ${name} is for another ${other}`;
}

/** Somebody who is being enrolled signs with the card that the room was shown. */
async function candidate(
  { crypto, documents }: Judging,
  { data, seq }: ReadEntry,
  name: string,
): Promise<Person | undefined> {
  const named = objectAt(objectAt(data, "intent"), "candidate");
  if (textAt(named, "person") !== name) return undefined;
  const card = jsonOf(documents, textAt(named, "card")) ?? {};
  const signing = await readKey(crypto, textAt(card, "signing"));
  if (signing === undefined) return undefined;
  return {
    person: name,
    roles: ["candidate"],
    signing,
    cosigning: signing,
    since: seq,
    until: null,
    dates: [],
  };
}

/** The step, the screen or the state of the ledger that an agreement does not fit, or undefined. */
async function difference(
  { crypto, bySeq, roots }: Judging,
  entry: ReadEntry,
  says: ReadonlyMap<string, string>,
  policy: string,
): Promise<string | undefined> {
  const opened = bySeq.get(Number(objectAt(entry.value, "refs")["opened"]));
  if (opened?.type !== "step.opened") return "step: the entry that opened it is not here";
  const ceremony = textAt(entry.value, "ceremony");
  const ceremonyOpened = [...bySeq.values()].find(
    ({ type, value }) => type === "ceremony.opened" && value["ceremony"] === ceremony,
  );
  const size = opened.seq + 1;
  const root = roots.get(size);
  const software = textAt(objectAt(ceremonyOpened?.data ?? {}, "software"), "sha256");
  const { n, subject } = opened.data;
  const expected: readonly (readonly [string, string, string])[] = [
    ["origin", textAt(entry.value, "origin"), "ledger"],
    ["ceremony", ceremony, "ceremony"],
    ["plan", textAt(ceremonyOpened?.data ?? {}, "plan"), "plan"],
    ["step", `${typeof n === "number" ? n : ""} ${textAt(opened.data, "step")}`, "step"],
    ["nonce", textAt(opened.data, "nonce"), "nonce"],
    ["subject", typeof subject === "string" ? subject : "-", "subject"],
    ["software", software, "build of the software"],
  ];
  const other = expected.find(([line, value]) => says.get(line) !== value);
  if (other !== undefined) return other[2];
  if (policy !== "" && says.get("policy") !== policy) return "policy";
  if ((says.get("expires") ?? "") < entry.time) return "time: it had expired";
  const shown = await shownDifference(crypto, entry, opened);
  if (shown !== undefined) return shown;
  // Without the entries before it the root cannot be computed again; the leaf still is proved.
  const same = root === undefined || says.get("opened") === `${size} ${hex(root)}`;
  return same ? undefined : OTHER_HEAD;
}

async function shownDifference(
  crypto: PageCrypto,
  entry: ReadEntry,
  opened: ReadEntry,
): Promise<string | undefined> {
  const { subject, shown } = opened.data;
  if (entry.type !== "step.begun" || typeof subject !== "string") return undefined;
  const { decision, begun, settled, intent } = entry.data;
  const settles = typeof decision === "string";
  const data = settles
    ? { begun: begun ?? null, intent: intent ?? {}, settled: settled ?? null }
    : intent;
  if (!isJsonObject(data) || shown === undefined) return "screen";
  const digest = await digestOfText(crypto, canonicalJson({ data, shown }));
  return digest === subject ? undefined : "screen: what was shown is not what is recorded";
}
