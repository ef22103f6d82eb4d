/**
 * docs/verify.py against our verifier: on every good and every bad ledger that the tests of authority write,
 * and on files changed behind their backs, both find something at the same entries, or both find nothing.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import Sqlite from "better-sqlite3";
import { ACTIONS } from "../../src/actions/index.ts";
import { judgeLedger } from "../../src/cli/judge.ts";
import { overallVerdict } from "../../src/cli/verify-json.ts";
import { CITING_MEMBERS } from "../../src/ceremony/citations.ts";
import { FACT_MEMBERS } from "../../src/ceremony/facts.ts";
import { decodeEntry, encodeEntry } from "../../src/ledger/entry.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import { Hand } from "../support/hand.ts";
import { cleanEnvironment, ROOT } from "../support/rehearsed-site.ts";
import { foundedStage, script, STEP } from "../support/stage-scripts.ts";

const folder = mkdtempSync(join(tmpdir(), "keyrite-kept-"));
after(() => {
  rmSync(folder, { recursive: true });
});

/** Tests whose ledgers are kept: each case of theirs is a vector. */
const TESTS = [
  "facts",
  "left-out",
  "request",
  "resume",
  "machine",
  "key",
  "order",
  "founding",
  "people",
  "revoked",
  "dates",
  "renewals",
  "policy",
  "rules",
  "tail",
  "endings",
  "kek",
  "batches",
  "begun",
  "resumed",
];
/** Those whose ledgers are judged whole: whether each ceremony was performed as its script says. */
const WHOLE = ["agreements", "courses", "exceptions", "forged", "left-out", "plans"];

interface Kept {
  readonly test: string;
  readonly findings: readonly string[];
}
interface Judged {
  readonly size: number;
  readonly findings: readonly {
    readonly code: string;
    readonly seq: number | null;
    readonly text: string;
  }[];
  /** Whether anything is wrong that no later roll call adopted. */
  readonly broken: boolean;
}
interface Answer {
  readonly judged: Readonly<Record<string, Judged>>;
  readonly tables: {
    readonly actions: Readonly<Record<string, readonly [string, readonly string[]]>>;
    readonly facts: Readonly<Record<string, readonly string[]>>;
    readonly cited: Readonly<Record<string, readonly string[]>>;
  };
}

type Sql = (db: Sqlite.Database) => void;
const drop = (db: Sqlite.Database, ...triggers: readonly string[]): void => {
  for (const name of triggers) db.exec(`DROP TRIGGER ${name}`);
};
const SCHEMA_OF = "SELECT sql FROM sqlite_master WHERE name = ?";

/** Runs SQL that the file's triggers would refuse, and puts the triggers back. */
function behind(triggers: readonly string[], change: Sql): Sql {
  return (db) => {
    const sql = triggers.map((name) => String(db.prepare(SCHEMA_OF).pluck().get(name)));
    drop(db, ...triggers);
    change(db);
    for (const one of sql) db.exec(one);
  };
}

const body = (db: Sqlite.Database, seq: number): string =>
  String(db.prepare("SELECT body FROM entries WHERE seq = ?").pluck().get(seq));
const setBody =
  (seq: number, text: (db: Sqlite.Database) => string): Sql =>
  (db) => {
    behind(["entries_update"], () => {
      db.prepare("UPDATE entries SET body = ? WHERE seq = ?").run(text(db), seq);
    })(db);
  };

/** A file that is changed without the ledger's key: every one must be found out by both. */
const CHANGES: Readonly<Record<string, Sql>> = {
  "an entry said otherwise": setBody(3, (db) =>
    encodeEntry({ ...decodeEntry(body(db, 3)), description: "x" }),
  ),
  "an entry not canonical": setBody(3, (db) => body(db, 3).replace("{", "{ ")),
  "an entry twice": setBody(3, (db) => body(db, 2)),
  "an entry that is no JSON": setBody(3, () => "x"),
  "an entry gone": behind(["entries_delete"], (db) => db.exec("DELETE FROM entries WHERE seq = 3")),
  "the last entry gone": behind(["entries_delete"], (db) =>
    db.exec("DELETE FROM entries WHERE seq = (SELECT max(seq) FROM entries)"),
  ),
  "a node changed": behind(["nodes_update"], (db) =>
    db.exec("UPDATE nodes SET hash = zeroblob(32) WHERE pos = 4"),
  ),
  "a node gone": behind(["nodes_delete"], (db) =>
    db.exec("DELETE FROM nodes WHERE pos = (SELECT max(pos) FROM nodes)"),
  ),
  "a checkpoint unsigned": behind(["checkpoints_update"], (db) =>
    db.exec("UPDATE checkpoints SET note = 'x' WHERE size = 2"),
  ),
  "a checkpoint of another size": behind(["checkpoints_update"], (db) =>
    db.exec(
      "UPDATE checkpoints SET note = (SELECT note FROM checkpoints WHERE size = 1) WHERE size = 2",
    ),
  ),
  "the last checkpoint gone": behind(["checkpoints_delete", "cosignatures_delete"], (db) =>
    db.exec("DELETE FROM checkpoints WHERE size = (SELECT max(size) FROM checkpoints)"),
  ),
  "an attachment changed": behind(["attachments_update"], (db) =>
    db.exec(
      "UPDATE attachments SET bytes = x'00' WHERE sha256 = (SELECT min(sha256) FROM attachments)",
    ),
  ),
  "a cosignature that is none": (db) =>
    db.exec("INSERT INTO cosignatures (size, line) VALUES (1, 'x')"),
  "a trigger gone": (db) => {
    drop(db, "nodes_update");
  },
  "a table more": (db) => db.exec("CREATE TABLE extra (x)"),
  "a view more": (db) => db.exec("CREATE VIEW extra AS SELECT 1"),
  "another version": (db) => db.pragma("user_version = 2"),
  "another application": (db) => db.pragma("application_id = 7"),
};

let answer: Answer;
const kept = new Map<string, Kept>();

/** Where those of these tests leave theirs that did not run before this one. */
const own = join(folder, "left");

/** What a run of tests has left, by the path of the ledger. */
function left(from: string): ReadonlyMap<string, Kept> {
  const all = readdirSync(from).filter((name) => name.endsWith(".json"));
  return new Map(
    all.map((name) => {
      const one = JSON.parse(readFileSync(join(from, name), "utf8")) as Kept;
      return [join(from, name.replace(".json", ".db")), one];
    }),
  );
}

before(async () => {
  const files = [
    ...TESTS.map((name) => `test/unit/authority-${name}.test.ts`),
    ...WHOLE.map((name) => `test/unit/conformance-${name}.test.ts`),
  ];
  const given = process.env["KEPT_LEDGERS"];
  const ran = given === undefined ? [] : [...left(given)];
  const isOf =
    (file: string) =>
    ([, one]: readonly [string, Kept]) =>
      one.test.endsWith(file);
  const missing = files.filter((file) => !ran.some(isOf(file)));
  if (missing.length > 0) {
    mkdirSync(own);
    const env = { ...cleanEnvironment(), KEPT_LEDGERS: own };
    const words = ["--import", "tsx", "--test", "--test-concurrency=2", ...missing];
    const { status, stdout } = spawnSync(process.execPath, words, {
      ...{ cwd: ROOT, env, encoding: "utf8" },
    });
    assert.equal(status, 0, stdout.slice(-2000));
  }
  for (const one of [...ran, ...(missing.length > 0 ? left(own) : [])]) {
    if (!files.some((file) => isOf(file)(one))) continue;
    const [path, told] = one;
    const name = `${kept.size}.db`;
    copyFileSync(path, join(folder, name));
    kept.set(name, told);
  }
  const stage = await foundedStage();
  const hand = Hand.upTo(stage, script([STEP.clock]), "clock");
  hand.close();
  stage.ledger.close();
  const changes: Readonly<Record<string, Sql>> = { ...CHANGES, untouched: () => undefined };
  for (const [name, change] of Object.entries(changes)) {
    const path = join(folder, `change ${name}.db`);
    copyFileSync(join(stage.folder, "ledger.db"), path);
    const db = new Sqlite(path);
    change(db);
    db.close();
  }
  const bytes = readFileSync(join(stage.folder, "ledger.db"));
  writeFileSync(join(folder, "change cut short.db"), bytes.subarray(0, bytes.length - 4096));
  writeFileSync(join(folder, "change no SQLite.db"), "x".repeat(4096));
  stage.remove();
  const script2 = join(ROOT, "test", "support", "second-verifier.py");
  const args = [script2, join(ROOT, "docs", "verify.py"), folder];
  const python = spawnSync("python3", args, { encoding: "utf8", maxBuffer: 1 << 28 });
  assert.equal(python.status, 0, python.stderr);
  answer = JSON.parse(python.stdout) as Answer;
});

/** What the fold, of which the findings were kept, leaves to others: steps left out, documents, cosignatures. */
const APART = ["conformance", "attachment.missing", "cosignature"];

test("both find something at the same entries of every ledger, good or bad", () => {
  const all = [...kept].filter(([, { test: file }]) => file.includes("/authority-"));
  assert.ok(all.filter(([, { findings }]) => findings.length === 0).length >= 20, "good ones");
  assert.ok(all.filter(([, { findings }]) => findings.length > 0).length >= 150, "bad ones");
  for (const [name, { test: file, findings }] of all) {
    const theirs = answer.judged[name]?.findings.filter(({ code }) => !APART.includes(code)) ?? [];
    const ours = new Set(findings.map((text) => Number(text.split(" ")[0])));
    const seqs = new Set(theirs.map(({ seq }) => seq));
    // Given the file alone, without a founding in entry 0 there is nothing to judge it by.
    if (theirs.some(({ code }) => code === "genesis")) {
      assert.ok(ours.size > 0 || answer.judged[name]?.size === 0, file);
      continue;
    }
    const said = `${file}\nours: ${findings.join("\n")}\ntheirs: ${JSON.stringify(theirs)}`;
    assert.deepEqual([...seqs].sort(), [...ours].sort(), said);
  }
});

test("C14, Q11, Q12: both say of the same ceremonies that they were not performed as written", async () => {
  let [bad, wrong] = [0, 0];
  for (const [name, { test: file }] of kept) {
    const said = answer.judged[name];
    assert.ok(said !== undefined);
    const judged = await judgeLedger(join(folder, name), {
      ...{ trust: undefined, heads: [], workers: 0 },
    });
    const cosignatures = judged.findings.filter(({ code }) => code === "cosignature");
    const theirs = said.findings.filter(({ code }) => code === "cosignature");
    const places = (list: readonly { readonly seq?: number | null }[]): unknown =>
      list.map(({ seq }) => seq);
    assert.deepEqual(places(theirs), places(cosignatures), file);
    wrong += cosignatures.length;
    if (!file.includes("/conformance-")) continue;
    const broken = judged.findings.length > 0 || overallVerdict(judged) === "DOES NOT CONFORM";
    assert.equal(said.broken, broken, JSON.stringify([file, name, judged.conformance, said]));
    bad += Number(broken);
  }
  assert.ok(bad >= 50, `${bad} bad ones`);
  assert.ok(wrong > 0, "cosignatures that do not verify");
});

test("C14, C15: both find every change made to a file behind its back, and nothing in the untouched one", () => {
  const names = Object.keys(answer.judged).filter((name) => name.startsWith("change "));
  assert.ok(names.length > Object.keys(CHANGES).length);
  for (const name of names) {
    const ours = verifyLedger(join(folder, name)).findings.length > 0;
    const theirs = (answer.judged[name]?.findings.length ?? 0) > 0;
    assert.deepEqual([name, theirs, ours], [name, name !== "change untouched.db", theirs]);
  }
});

test("its vocabulary is ours: actions, their control and facts, members of facts, what is cited", () => {
  const sorted = (record: Iterable<readonly [string, unknown]>): unknown =>
    [...record].sort(([a], [b]) => (a < b ? -1 : 1));
  const actions = ACTIONS.map(
    ({ name, control, facts }) => [name, [control, [...facts].sort()]] as const,
  );
  assert.deepEqual(sorted(Object.entries(answer.tables.actions)), sorted(actions));
  const facts = [...FACT_MEMBERS].map(
    ([kind, members]) => [kind, members.filter((member) => member !== "kind").sort()] as const,
  );
  assert.deepEqual(sorted(Object.entries(answer.tables.facts)), sorted(facts));
  const cited = Object.entries(CITING_MEMBERS).map(
    ([kind, members]) => [kind, [...members].sort()] as const,
  );
  assert.deepEqual(sorted(Object.entries(answer.tables.cited)), sorted(cited));
});
