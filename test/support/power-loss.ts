/** Judges every state in which a power cut can leave the disk during a recorded run. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseCheckpoint } from "../../src/ledger/checkpoint.ts";
import { decodeEntry } from "../../src/ledger/entry.ts";
import { LedgerStore } from "../../src/ledger/store.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { fromUtf8, hex, sha256Hex } from "../../src/lib/encoding.ts";
import { parseNote, type VerifierKey } from "../../src/lib/note.ts";
import {
  DiskState,
  EVERYTHING,
  FileNode,
  NOTHING,
  type DiskModel,
  type Fate,
} from "./disk-model.ts";
import type { DiskCall } from "./disk-record.ts";

/** Of no interest after a power cut: the module's own files, its lock, and what the screen showed. */
const NOT_JUDGED = /^site\/(?:(?:tokens|transcripts)(?:\/|$)|module\.[^/]+\.lock$)/;
const LEDGER = "site/ledger.db";
const MOST_FAILURES = 5;
/** Whether these are there or not is all the same. */
const BESIDE = ["site/ledger.db-journal", "site/ledger.db.holder", "site/ledger.db.reserve"];
const HEAD = /^media\/[^/]+\/heads\//;

/** What a ledger file, with the journal beside it, comes to when it is opened. */
interface Found {
  readonly size: number;
  readonly root: string;
  readonly cosignatures: number;
}

export interface Tally {
  states: number;
  images: number;
  commits: number;
  calls: number;
  /** States in which something is missing that had been acknowledged. */
  lost: number;
  /** States in which the ledger does not verify, or a file is neither old nor new. */
  damaged: number;
  /** Commits that speak of what a power cut can still take away. */
  early: number;
}
type Wrong = "lost" | "damaged" | "early";

/** A state in which acknowledged entries are missing. */
class Lost extends Error {}

export class PowerLoss {
  readonly tally: Tally = {
    ...{ states: 0, images: 0, commits: 0, calls: 0 },
    ...{ lost: 0, damaged: 0, early: 0 },
  };
  /** What was wrong first, in words. */
  readonly failures: string[] = [];
  readonly #disk: DiskModel;
  readonly #folder: string;
  readonly #scratch: string;
  readonly #last: LedgerStore;
  readonly #key: VerifierKey;
  /** What was there when a commit was last acknowledged, and how large the ledger was when it first was. */
  readonly #settled = new Map<string, { readonly sha256: string; readonly size: number }>();
  readonly #images = new Map<string, Found>();
  readonly #verified = new Map<string, Found>();
  readonly #numbers = new Map<FileNode, number>();
  readonly #digests = new Map<FileNode, { readonly of: string; readonly sha256: string }>();
  /** Of the ledger, at every acknowledged commit. */
  readonly #sizes: number[] = [];
  #acknowledged: Found = { size: 0, root: "", cosignatures: 0 };

  /**
   * @param disk as it was before the run
   * @param folder as it is after the run
   * @param scratch a folder of the caller's, for ledgers to be opened in
   */
  constructor(disk: DiskModel, folder: string, scratch: string, key: VerifierKey) {
    this.#disk = disk;
    this.#folder = folder;
    this.#scratch = scratch;
    this.#key = key;
    this.#last = LedgerStore.open(join(folder, LEDGER));
    this.#settle();
  }

  close(): void {
    this.#last.close();
  }

  /** Performs the next call, and notes what has been acknowledged with it. */
  advance(call: DiskCall): void {
    if (NOT_JUDGED.test(call.path)) return;
    this.#disk.apply(call);
    this.tally.calls += 1;
    if (call.kind !== "says") return;
    this.tally.commits += 1;
    this.#acknowledged = this.#find(new DiskState(this.#disk, EVERYTHING));
    this.#counted("early", () => {
      assert.deepEqual(this.#loose(), [], "what an entry may speak of is durable before it is");
    });
    this.#settle();
  }

  #counted(wrong: Wrong, judging: () => void): void {
    try {
      judging();
    } catch (error) {
      const kind = error instanceof Lost ? "lost" : wrong;
      this.tally[kind] += 1;
      const why = error instanceof Error ? error.message : "no error";
      if (this.failures.length < MOST_FAILURES) {
        this.failures.push(`call ${this.tally.calls}, state ${this.tally.states}, ${kind}: ${why}`);
      }
    }
  }

  #settle(): void {
    const { size } = this.#acknowledged;
    this.#sizes.push(size);
    for (const [path, file] of new DiskState(this.#disk, EVERYTHING).files()) {
      const sha256 = this.#digest(file, EVERYTHING);
      if (this.#settled.get(path)?.sha256 !== sha256) this.#settled.set(path, { sha256, size });
    }
  }

  /** Whether a power cut right after this call differs from one before it. */
  matters({ kind, path }: DiskCall): boolean {
    return kind !== "says" && !NOT_JUDGED.test(path);
  }

  /** Judges the disk as it is found after a power cut now. */
  judge(fate: Fate): void {
    this.tally.states += 1;
    this.#counted("damaged", () => {
      const state = new DiskState(this.#disk, fate);
      const found = this.#find(state);
      const { size, cosignatures } = this.#acknowledged;
      if (found.size < size) throw new Lost(`${size - found.size} entries of ${size}`);
      if (found.cosignatures < cosignatures) throw new Lost("acknowledged cosignatures");
      this.#judgeFiles(state, found.size);
    });
  }

  /** After the last call: the replay is what the run left, and nothing of it can be lost any more. @throws when it is not */
  finish(): void {
    const state = new DiskState(this.#disk, EVERYTHING);
    const replayed = new Map([...state.files()].filter(([path]) => !NOT_JUDGED.test(path)));
    const real = readdirSync(this.#folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(this.#folder.length + 1))
      .filter((path) => !NOT_JUDGED.test(path));
    assert.deepEqual([...replayed.keys()].sort(), real.sort(), "the replay makes the same files");
    for (const [path, file] of replayed) {
      const same = state.content(file).equals(readFileSync(join(this.#folder, path)));
      assert.ok(same, `the replay of ${path} is what the run wrote`);
    }
    this.#counted("early", () => {
      assert.deepEqual(this.#loose(), [], "nothing can be lost after the command has ended");
    });
    this.#judgeOrder();
  }

  /** No entry may say that something was done with a file that was not there yet. */
  #judgeOrder(): void {
    const first = new Map<string, number>();
    for (const { sha256, size } of this.#settled.values()) {
      first.set(sha256, Math.min(size, first.get(sha256) ?? size));
    }
    let seq = 0;
    for (const text of this.#last.entries()) {
      const acknowledged = this.#sizes.find((size) => size > seq) ?? Infinity;
      const { type, outcome } = decodeEntry(text);
      for (const [digest] of text.matchAll(/\b[0-9a-f]{64}\b/g)) {
        const there = first.get(digest) ?? 0;
        if (there <= acknowledged || outcome === "pending") continue;
        assert.fail(`entry ${seq}, ${type}, cites a file that is there from size ${there} on`);
      }
      seq += 1;
    }
  }

  /** Present files that a power cut could take away or alter now, and removed ones it could bring back. */
  #loose(): readonly string[] {
    const state = new DiskState(this.#disk, NOTHING);
    const [present, durable] = [new DiskState(this.#disk, EVERYTHING).files(), state.files()];
    const paths = new Set([...present.keys(), ...durable.keys()]);
    return [...paths].filter((path) => {
      if (NOT_JUDGED.test(path) || BESIDE.includes(path)) return false;
      const file = present.get(path);
      return file !== durable.get(path) || (file !== undefined && file.changes.length > 0);
    });
  }

  #find(state: DiskState): Found {
    const [db, journal] = [state.file(LEDGER), state.file(`${LEDGER}-journal`)];
    const number = (file: FileNode): number => {
      const known = this.#numbers.get(file) ?? this.#numbers.size;
      this.#numbers.set(file, known);
      return known;
    };
    const key = `${state.key(db, number)} ${state.key(journal, number)}`;
    let found = this.#images.get(key);
    if (found === undefined) {
      assert.ok(db, "the ledger is there");
      const path = join(this.#scratch, "ledger.db");
      for (const side of ["", "-journal"]) rmSync(`${path}${side}`, { force: true });
      writeFileSync(path, state.content(db));
      if (journal !== undefined) writeFileSync(`${path}-journal`, state.content(journal));
      found = this.#opened(path);
      this.#images.set(key, found);
      this.tally.images += 1;
    }
    return found;
  }

  #opened(path: string): Found {
    const ledger = LedgerStore.open(path);
    try {
      const sha256 = sha256Hex(readFileSync(path));
      let found = this.#verified.get(sha256);
      if (found === undefined) {
        const { findings, size, root } = verifyLedger(ledger, { key: this.#key });
        assert.deepEqual(findings, [], "the ledger verifies");
        if (size > 0)
          assert.equal(root, hex(this.#last.rootAt(size)), "it is a part of what came to be");
        found = { size, root, cosignatures: ledger.cosignatures().length };
        this.#verified.set(sha256, found);
      }
      return found;
    } finally {
      ledger.close();
    }
  }

  #judgeFiles(state: DiskState, size: number): void {
    for (const path of this.#disk.files()) {
      if (NOT_JUDGED.test(path) || path === LEDGER || BESIDE.includes(path)) continue;
      const now = this.#disk.node(path);
      if (!(now instanceof FileNode)) continue;
      const file = state.file(path);
      if (HEAD.test(path)) this.#judgeHead(state, path, file, size);
      if (file === now && now.changes.length === 0) continue;
      const settled = this.#settled.get(path);
      if (settled === undefined) continue;
      const fresh = this.#digest(now, EVERYTHING);
      const found = file === undefined ? "missing" : sha256Hex(state.content(file));
      const whole = [settled.sha256, fresh].includes(found);
      assert.ok(whole, `${path} is as it was at size ${settled.size}, or what replaces that`);
    }
  }

  // A head that is ahead of its ledger would accuse an honest site of having lost entries.
  #judgeHead(state: DiskState, path: string, file: FileNode | undefined, size: number): void {
    if (file === undefined || path.endsWith(".new")) return;
    const { text } = parseNote(fromUtf8(state.content(file)));
    const head = parseCheckpoint(text);
    if (head.origin !== this.#last.origin) return;
    assert.ok(head.size <= size, `${path} is ahead of the ledger`);
    assert.equal(
      hex(head.root),
      hex(this.#last.rootAt(head.size)),
      `${path} is a head of this ledger`,
    );
  }

  #digest(file: FileNode, fate: Fate): string {
    const of = `${fate === NOTHING ? "-" : "+"}${file.version}.${file.changes.length}`;
    const known = this.#digests.get(file);
    if (known?.of === of) return known.sha256;
    const changes = fate(file, file.changes.length);
    const sha256 = sha256Hex(new DiskState(this.#disk, () => changes).content(file));
    this.#digests.set(file, { of, sha256 });
    return sha256;
  }
}
