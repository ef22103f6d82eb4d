/**
 * Performs a recorded ceremony over and over on paper: the same entries with new times, nonces and heads,
 * agreed to and cosigned with the people's own keys. What comes of it is a ledger that is believed whole.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { foldLedger, readSite, type Site } from "../../src/cli/site.ts";
import { ACTIONS } from "../../src/actions/index.ts";
import { vocabularyOf } from "../../src/ceremony/action.ts";
import { CustodyFold } from "../../src/ceremony/custody.ts";
import { custodyDigest } from "../../src/ceremony/custody-json.ts";
import { readFacts, subjectDigest } from "../../src/ceremony/step-authority.ts";
import { timestamp } from "../../src/lib/clock.ts";
import { signingKeyFromSeed } from "../../src/lib/ed25519.ts";
import { groupedHex, hex, sha256Hex, utf8 } from "../../src/lib/encoding.ts";
import { canonicalJson, type JsonObject } from "../../src/lib/json.ts";
import { formatNote, parseNote } from "../../src/lib/note.ts";
import { Secret } from "../../src/lib/secret.ts";
import { decodeEntry, type Entry, type EntryDraft } from "../../src/ledger/entry.ts";
import { LedgerStore } from "../../src/ledger/store.ts";
import { formatAgreement, parseAgreement, type Agreement } from "../../src/people/agreement.ts";
import { parseCard } from "../../src/people/card.ts";
import { openIdentity } from "../../src/people/identity.ts";
import type { Signer } from "../../src/people/signer.ts";

/** One transaction of the recorded ceremony. */
type Group = readonly Recorded[];

interface Recorded {
  readonly entry: Entry;
  readonly agreements: readonly Agreement[];
}

/** An agreement lives nine minutes, one less than the policy allows. */
const LIFE_MS = 540_000;
const PEOPLE = ["ana", "ben", "cleo", "eve"];

export class Replay {
  readonly #site: Site;
  readonly #ledger: LedgerStore;
  readonly #custody: CustodyFold;
  readonly #signers: ReadonlyMap<string, Signer>;
  readonly #groups: readonly Group[];
  readonly #plan: JsonObject;
  readonly #first: number;
  readonly #clock: { time: number };
  #count = 0;
  // Of the ceremony that is being repeated.
  #ceremony = "";
  #planDigest = "";
  #offset = 0;
  #nonce = "";
  #subject: string | null = null;
  #opened: Agreement["opened"] = { size: 0, root: "" };

  private constructor(folder: string, signers: ReadonlyMap<string, Signer>) {
    this.#site = readSite(folder);
    this.#signers = signers;
    const clock = { time: 0 };
    this.#clock = clock;
    const seed = Buffer.from(readFileSync(join(folder, "ledger.key"), "utf8").trim(), "hex");
    this.#ledger = LedgerStore.open(join(folder, "ledger.db"), {
      write: {
        clock: { now: () => clock.time, monotonic: () => clock.time },
        key: signingKeyFromSeed(seed),
      },
    });
    const { history } = foldLedger(this.#ledger, this.#site, vocabularyOf(ACTIONS), "newest");
    clock.time = Date.parse(history.lastTime ?? "");
    this.#custody = new CustodyFold(history.custody);
    const last = history.ceremonies.at(-1);
    if (last === undefined) throw new Error("there is no ceremony to repeat");
    this.#first = last.openedSeq;
    this.#groups = recordedGroups(this.#ledger, last.openedSeq);
    this.#plan = readJson(this.#ledger, last.plan?.sha256 ?? "");
  }

  /** On a copy of an exercised site, which it changes; the people's media are read only. */
  static async open(folder: string, media: string): Promise<Replay> {
    const signers = new Map<string, Signer>();
    for (const person of PEOPLE) signers.set(person, await signerOf(media, person));
    return new Replay(folder, signers);
  }

  get size(): number {
    return this.#ledger.size;
  }

  close(): void {
    this.#ledger.close();
  }

  /** One more ceremony, cosigned. */
  perform(): void {
    this.#offset = this.#ledger.size - this.#first;
    this.#count += 1;
    const tag = this.#count
      .toString(32)
      .padStart(4, "0")
      .replace(/[0189w-z]/g, shifted);
    this.#ceremony = `${timestamp(this.#clock.time).slice(0, 10).replaceAll("-", "")}-restore-exercise-${tag}`;
    this.#custody.beginCeremony();
    const plan = utf8(
      canonicalJson({ ...this.#plan, custody: custodyDigest(this.#custody.custody) }),
    );
    this.#planDigest = sha256Hex(plan);
    const attached = [{ mediaType: "application/json", bytes: plan }];
    const previous = this.#head();
    for (const group of this.#groups) this.#append(group, previous, attached);
    this.#custody.endCeremony();
    const { text } = parseNote(this.#ledger.checkpoint() ?? "");
    const seconds = Math.floor(this.#clock.time / 1000);
    this.#ledger.addCosignatures(
      this.#ledger.size,
      [...this.#signers.values()].map((signer) => signer.cosign(text, seconds)),
    );
  }

  #append(
    group: Group,
    previous: { readonly note: string; readonly size: number; readonly root: string },
    attached: readonly { readonly mediaType: string; readonly bytes: Uint8Array }[],
  ): void {
    const isOpening = group[0]?.entry.type === "ceremony.opened";
    // A millisecond for some ten entries: the last one must not lie in the future.
    if (group[0]?.entry.type === "step.opened") this.#clock.time += 1;
    const time = timestamp(this.#clock.time);
    const drafts = group.map((one) => this.#draft(one, previous));
    this.#ledger.append(drafts, isOpening ? attached : []);
    for (const { entry } of group) {
      const facts = readFacts(entry);
      if (typeof facts === "string") throw new Error(facts);
      for (const fact of facts) {
        const place = { ceremony: this.#ceremony, at: time, card: () => undefined };
        const problem = this.#custody.apply(fact, place);
        if (problem !== undefined) throw new Error(`entry ${entry.seq}: ${problem}`);
      }
    }
    if (group[0]?.entry.type !== "step.opened") return;
    this.#opened = { size: this.#ledger.size, root: hex(this.#ledger.root()) };
  }

  #draft(
    { entry, agreements }: Recorded,
    previous: { readonly note: string; readonly size: number; readonly root: string },
  ): EntryDraft {
    const refs = Object.fromEntries(
      Object.entries(entry.refs).map(([name, seq]) => [name, seq + this.#offset]),
    );
    return {
      type: entry.type,
      outcome: entry.outcome,
      source: entry.source,
      step: entry.step,
      actors: entry.actors,
      description: entry.description,
      policyRefs: entry.policyRefs,
      facts: entry.facts,
      refs,
      ceremony: this.#ceremony,
      data: this.#data(entry, previous),
      agreements: agreements.map((agreement) => this.#agree(agreement)),
    };
  }

  #data(
    { type, data, step }: Entry,
    previous: { readonly note: string; readonly size: number; readonly root: string },
  ): JsonObject {
    if (type === "ceremony.opened") {
      return { ...data, plan: this.#planDigest, previous: previous.note };
    }
    if (type === "ceremony.closed") {
      return { ...data, custody: custodyDigest(this.#custody.custody) };
    }
    const isRoll = step === "roll-call";
    if (type === "step.opened") return this.#openedData(data, isRoll ? previous : undefined);
    if (!isRoll) return data;
    const name = type === "step.begun" ? "intent" : "evidence";
    return { ...data, [name]: this.#roll(data[name], previous) };
  }

  #openedData(
    data: JsonObject,
    head: { readonly size: number; readonly root: string } | undefined,
  ): JsonObject {
    this.#nonce = sha256Hex(`nonce ${this.#ledger.size}`).slice(0, 32);
    this.#subject = typeof data["subject"] === "string" ? data["subject"] : null;
    if (head === undefined) return { ...data, nonce: this.#nonce };
    const lines = (data["shown"] as readonly string[]).map((line) =>
      line.replace(
        /: size \d+, root .*$/,
        `: size ${head.size}, root ${groupedHex(head.root.slice(0, 16))} …`,
      ),
    );
    const intent = this.#groups
      .flat()
      .find(({ entry }) => entry.type === "step.begun" && entry.step === "roll-call")?.entry.data[
      "intent"
    ];
    this.#subject = subjectDigest(this.#roll(intent, head), lines);
    return { ...data, nonce: this.#nonce, shown: lines, subject: this.#subject };
  }

  /** The roll with the heads that people carry by now. */
  #roll(
    roll: unknown,
    { size, root }: { readonly size: number; readonly root: string },
  ): JsonObject {
    const known = roll as JsonObject & { readonly heads: readonly JsonObject[] };
    return { ...known, heads: known.heads.map((head) => ({ ...head, size, root })) };
  }

  #agree(agreement: Agreement): string {
    const signer = this.#signers.get(agreement.person);
    if (signer === undefined) throw new Error(`nobody signs for ${agreement.person}`);
    const text = formatAgreement({
      ...agreement,
      ceremony: this.#ceremony,
      plan: this.#planDigest,
      subject: this.#subject,
      opened: this.#opened,
      nonce: this.#nonce,
      expires: timestamp(this.#clock.time + LIFE_MS),
    });
    return formatNote(text, [signer.signNote(text)]);
  }

  #head(): { readonly note: string; readonly size: number; readonly root: string } {
    const { size } = this.#ledger;
    const lines = this.#ledger.cosignatures(size).map(({ line }) => `${line}\n`);
    const note = (this.#ledger.checkpoint() ?? "") + lines.join("");
    return { note, size, root: hex(this.#ledger.root()) };
  }
}

// Base 32 here has the letters a to z and the digits 2 to 7.
function shifted(digit: string): string {
  const other = { "0": "w", "1": "x", "8": "y", "9": "z" } as Readonly<Record<string, string>>;
  return other[digit] ?? digit;
}

function recordedGroups(ledger: LedgerStore, from: number): readonly Group[] {
  const sizes = new Set([...ledger.checkpoints()].map(({ size }) => size));
  const groups: Recorded[][] = [];
  let group: Recorded[] = [];
  for (const text of ledger.entries(from)) {
    const entry = decodeEntry(text);
    const agreements = entry.agreements.map((note) => parseAgreement(parseNote(note).text));
    group.push({ entry, agreements });
    if (!sizes.has(entry.seq + 1)) continue;
    groups.push(group);
    group = [];
  }
  return groups;
}

function readJson(ledger: LedgerStore, sha256: string): JsonObject {
  const { bytes } = ledger.attachment(sha256) ?? {};
  if (bytes === undefined) throw new Error(`attachment ${sha256} is missing`);
  return JSON.parse(new TextDecoder().decode(bytes)) as JsonObject;
}

async function signerOf(media: string, person: string): Promise<Signer> {
  const folder = join(media, person, "keyrite");
  const card = parseCard(new Uint8Array(readFileSync(join(folder, "card.json"))));
  const passphrase = Secret.take(utf8(`${person} drill`));
  const opened = await openIdentity(readFileSync(join(folder, "identity.age")), passphrase, card);
  passphrase.wipe();
  return opened.signer;
}
