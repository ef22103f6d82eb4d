/**
 * C14: a real ledger, changed at random in its file, its pages, its cells and its rows. Every change of its
 * logical content is named; of every other one the content is proven equal. FAULTS=full makes 100,000.
 */

import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { headGiven } from "../../src/cli/heads-given.ts";
import { judgeLedger, type Judged } from "../../src/cli/judge.ts";
import { readTrust } from "../../src/cli/verify.ts";
import { readGenesis } from "../../src/ceremony/genesis.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { parseVerifierKey } from "../../src/lib/note.ts";
import { contentOf, differences } from "../support/ledger-content.ts";
import { Dice, KINDS, mutate, type Kind } from "../support/random-mutations.ts";
import { figure, SEED, sized } from "../support/fault-run.ts";
import { siteAt } from "../support/rehearsed-site.ts";

const COUNT = sized(1_000, 100_000);
/** Every so many, what the file alone shows is judged whole as well: the two must agree. */
const SAMPLE = 50;

const site = siteAt("generated");
const folder = mkdtempSync(
  join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "keyrite-mutants-"),
);
after(() => {
  rmSync(folder, { recursive: true });
});
const path = join(folder, "ledger.db");
const original = Uint8Array.from(readFileSync(site.file("ledger.db")));
const genesis = readGenesis(readFileSync(site.file("genesis.json")));
const known = { origin: genesis.origin, key: parseVerifierKey(genesis.ledgerKey) };
const options = {
  trust: readTrust({ trust: site.file("trust.txt") }),
  heads: [headGiven(site.medium("ana"))],
  workers: 0,
};

copyFileSync(site.file("ledger.db"), path);
const before = contentOf(path) ?? assert.fail("the ledger cannot be read");
const sound = await judgeLedger(path, options);

/** What was found, as `code seq`; undefined when the file is refused as none. */
async function judged(): Promise<Judged | undefined> {
  try {
    return await judgeLedger(path, options);
  } catch (error) {
    if (error instanceof KeyriteError && error.code.startsWith("ledger.")) return undefined;
    throw error;
  }
}

/** Everything that a judgement names, to be compared with the sound ledger's. */
function naming(verdict: Judged): readonly string[] {
  const { conformance, findings } = verdict;
  const named = findings.map(({ code, seq, text }) => `${code} ${seq ?? "-"} ${text}`);
  const exceptions = conformance?.ceremonies.flatMap((one) => one.exceptions) ?? [];
  const missing = conformance?.missing.map(({ text }) => text) ?? [];
  return [...named, ...exceptions.map(({ text }) => text), ...missing];
}

const ofSound = new Set(naming(sound));

interface Outcome {
  readonly named: boolean;
  /** Indexes that were named. */
  readonly at: readonly number[];
}

/** Judges the file by its own first, which is the larger part of every judgement, and whole where that is silent. */
async function outcome(whole: boolean): Promise<Outcome> {
  const quick = verifyLedger(path, { ...known, signatures: "newest" });
  const at = quick.findings.flatMap(({ seq }) => seq ?? []);
  if (quick.findings.length > 0 && !whole) return { named: true, at };
  const verdict = await judged();
  if (verdict === undefined) return { named: true, at };
  const fresh = naming(verdict).filter((one) => !ofSound.has(one));
  assert.ok(fresh.length > 0 || quick.findings.length === 0, "what the file shows, verify says");
  return {
    named: fresh.length > 0,
    at: [...at, ...verdict.findings.flatMap(({ seq }) => seq ?? [])],
  };
}

test("the sound ledger conforms, and its content reads the same twice", () => {
  assert.equal(sound.conformance?.verdict, "CONFORMS", JSON.stringify(sound.findings));
  assert.deepEqual(differences(before, contentOf(path) ?? new Map()), []);
  assert.ok(sound.size > 100);
});

test(`C14: ${COUNT} random changes: all that alter the content are named, 0 pass`, async () => {
  const dice = new Dice(SEED);
  const counts = { altered: 0, unreadable: 0, equal: 0, passed: 0 };
  const passed: string[] = [];
  for (let i = 0; i < COUNT; i += 1) {
    const kind: Kind = KINDS[i % KINDS.length] ?? "bit";
    const done = mutate(original, path, kind, dice);
    const content = contentOf(path);
    const rows = content === undefined ? [] : differences(before, content);
    const about = `mutation ${i} of seed ${SEED}: ${done}: ${rows.slice(0, 3).join(", ")}`;
    const whole = i % SAMPLE === 0;
    if (content !== undefined && rows.length === 0 && !whole) {
      counts.equal += 1;
      continue;
    }
    const found = await outcome(whole);
    if (content === undefined) {
      counts.unreadable += 1;
    } else if (rows.length === 0) {
      counts.equal += 1;
      continue;
    } else {
      counts.altered += 1;
      requireIndex(rows, found, about);
    }
    if (found.named) continue;
    counts.passed += 1;
    passed.push(about);
  }
  const { unreadable: notOpened, ...others } = counts;
  figure("C14", "random changes of a ledger file", { mutants: COUNT, ...others, notOpened });
  assert.deepEqual(passed, []);
  assert.ok(counts.altered > COUNT / 4);
});

/** Where one entry alone was changed, that entry is named. */
function requireIndex(rows: readonly string[], { at, named }: Outcome, about: string): void {
  const [only, second] = rows;
  if (!named) return;
  if (second !== undefined || only?.startsWith("entries ") !== true) return;
  const seq = Number(only.split(" ")[1]);
  assert.ok(at.includes(seq), `${about}: entry ${seq} is not among ${at.join(", ")}`);
}
