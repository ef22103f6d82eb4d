/** `keyrite verify` as an auditor uses it: anchors, heads in every form, one ceremony, forged ledgers, exit codes. */

import assert from "node:assert/strict";
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { LedgerStore } from "../../src/ledger/store.ts";
import { signingKeyFromSeed } from "../../src/lib/ed25519.ts";
import { fromHex } from "../../src/lib/encoding.ts";
import { draft } from "../support/ledger-fixture.ts";
import {
  newFolder,
  refused,
  siteAt,
  succeeded,
  type RehearsedSite,
} from "../support/rehearsed-site.ts";

const site = siteAt("initialized");
const TRUST = ["--trust", site.file("trust.txt")];
const HEAD = ["--head", site.medium("eve")];

interface Verdict {
  readonly verdict: string;
  readonly integrity: string;
  readonly size: number;
  readonly missing: readonly { readonly code: string; readonly remedy: string }[];
  readonly violations: readonly { readonly code: string; readonly seq: number | null }[];
  readonly heads: readonly {
    readonly result: string;
    readonly from: number | null;
    readonly to: number | null;
  }[];
  readonly ceremonies: readonly { readonly id: string; readonly verdict: string }[];
}

function judged(of: RehearsedSite, ...args: readonly string[]): Verdict {
  return JSON.parse(of.keyrite(["verify", "--json", ...args]).stdout) as Verdict;
}

/** Size and words of the newest head, as they stand on paper. */
function paper(of: RehearsedSite): {
  readonly words: string;
  readonly hex: string;
  readonly size: number;
} {
  const { stdout } = of.keyrite(["verify"]);
  const size = Number(/, (\d+) entries$/m.exec(stdout)?.[1]);
  const lines = stdout.split("\n").filter((line) => /^ {4}\S+( \S+){7}$/.test(line));
  const hex = lines.filter((line) => /^[0-9a-f ]+$/.test(line)).join(" ");
  const words = lines.filter((line) => !/^[0-9a-f ]+$/.test(line)).join(" ");
  assert.equal(words.trim().split(/\s+/).length, 32);
  return { size, hex, words };
}

test("with anchor and head it conforms, exit 0, with a line for every ceremony", () => {
  const { stdout } = succeeded(site.keyrite(["verify", ...TRUST, ...HEAD]));
  assert.match(
    stdout,
    /^ {2}\S+-establish-site-\S+ {2}closed {2}CONFORMS {2}4 of 4 steps, 5 people, 5 cosigned$/m,
  );
  assert.match(stdout, /^Integrity: CONSISTENT$/m);
  assert.match(stdout, /^Verdict: CONFORMS$/m);
  assert.doesNotMatch(stdout, /roll-call/);
});

test("without anchor, without head, or with an old one nothing conforms: what is missing and who brings it", () => {
  const cases: readonly (readonly [readonly string[], readonly string[]])[] = [
    [[], ["anchor", "head"]],
    [HEAD, ["anchor"]],
    [TRUST, ["head"]],
  ];
  for (const [args, codes] of cases) {
    const verdict = judged(site, ...args);
    assert.equal(verdict.verdict, "CANNOT TELL");
    assert.deepEqual(verdict.missing.map(({ code }) => code).toSorted(), codes);
    assert.ok(verdict.missing.every(({ remedy }) => remedy.length > 20));
    const { stdout } = succeeded(site.keyrite(["verify", ...args]));
    assert.match(stdout, /^Cannot tell: /m);
    assert.match(stdout, /^Next: give /m);
  }
  const unanchored = judged(site, ...HEAD).ceremonies.map((one) => one.verdict);
  assert.deepEqual([...new Set(unanchored)], ["CANNOT TELL"]);
  const older = siteAt("founded").medium("eve");
  assert.deepEqual(
    judged(site, ...TRUST, "--head", older).missing.map(({ code }) => code),
    ["head"],
  );
});

test("a head is a file, a medium, its folder of heads, words or hex on paper, or another copy of the ledger", () => {
  const { size, words, hex } = paper(site);
  const copy = join(newFolder(), "copy.db");
  copyFileSync(site.file("ledger.db"), copy);
  const forms = [
    join(site.medium("eve"), "heads", "pki.example.org~rehearsal~test.note"),
    site.medium("eve"),
    join(site.medium("eve"), "heads"),
    `${size} ${words}`,
    `size ${size} ${words}`.replace("size ", "").toUpperCase(),
    `${size} ${hex}`,
    copy,
  ];
  for (const form of forms) {
    const verdict = judged(site, ...TRUST, "--head", form);
    assert.equal(verdict.verdict, "CONFORMS", form);
    assert.equal(verdict.heads[0]?.result, "extends");
  }
});

test("words that are no head: not on the list, too few, no size, no file", () => {
  const { size, words } = paper(site);
  const [first = "", ...rest] = words.trim().split(/\s+/);
  for (const [form, text] of [
    [`${size} nonsense ${rest.join(" ")}`, /word 1, "nonsense", is not on the list/],
    [`${size} ${rest.join(" ")} ${first}`, /word 1, /],
    [`${size} ${first} ${rest.slice(0, -1).join(" ")}`, /31 words were given/],
    [words, /there is no head at/],
    ["/nowhere/head.note", /there is no head at/],
  ] as const) {
    refused(site.keyrite(["verify", "--head", form]), "usage.bad-option", text);
  }
  const empty = newFolder();
  refused(site.keyrite(["verify", "--head", empty]), "ledger.damaged", /holds no head of/);
});

test("C11: a fork is named with its first differing index: a range by heads, exactly by another copy", () => {
  const [one, other] = [siteAt("initialized"), siteAt("initialized")];
  const shared = judged(one).size;
  for (const forked of [one, other]) {
    // Each side goes on without knowing of the other.
    succeeded(forked.rehearse("record-deviation"));
  }
  const [head] = judged(one, "--head", other.medium("ana")).heads;
  assert.deepEqual([head?.result, head?.from, head?.to], ["forked", 0, judged(other).size - 1]);
  const narrowed = judged(one, "--head", other.medium("ana"), "--head", site.medium("ana"))
    .heads[0];
  assert.deepEqual([narrowed?.from, narrowed?.to], [shared, judged(other).size - 1]);
  const [exact] = judged(one, "--head", other.file("ledger.db")).heads;
  assert.deepEqual([exact?.from, exact?.to], [shared, shared]);
  const ran = one.keyrite(["verify", "--head", other.file("ledger.db")]);
  refused(ran, "ledger.damaged", new RegExp(`first at entry ${shared}`));
  assert.match(ran.stdout, /^Verdict: DOES NOT CONFORM$/m);
});

test("C17: a ledger that was cut back is shorter than the words on the paper", () => {
  const later = siteAt("initialized");
  succeeded(later.rehearse("record-deviation"));
  const { size, words } = paper(later);
  const ran = site.keyrite(["verify", "--head", `${size} ${words}`]);
  const first = judged(site).size;
  refused(ran, "ledger.damaged", new RegExp(`entry ${first} is the first missing one`));
});

test("one ceremony, or all of them, step by step: people, roles, results", () => {
  const [, second] = judged(site).ceremonies;
  assert.ok(second);
  const { stdout } = succeeded(
    site.keyrite(["verify", ...TRUST, ...HEAD, "--ceremony", second.id]),
  );
  assert.match(stdout, /^ {4}script initialize-token 1\.\d+\.\d+: the plan is as written$/m);
  assert.match(
    stdout,
    /^ +\d+ {2}initialize \(initialize-token\) {2}completed {2}2\S+Z {2}entries \d+ to \d+$/m,
  );
  assert.match(stdout, /^ +agreed by ana \(ceremony-administrator\), eve \(internal-witness\)$/m);
  assert.match(stdout, /^ {4}custody at the close is what the entries establish$/m);
  assert.doesNotMatch(stdout, /establish-site/);
  const all = succeeded(site.keyrite(["verify", "--verbose"])).stdout;
  assert.match(all, /establish-site[\s\S]*initialize-token/);
  refused(site.keyrite(["verify", "--ceremony", "20260101-none-aaaa"]), "usage.bad-option");
});

test("an entry that the ledger's owner appends fits the file, and no ceremony: exit 6", () => {
  const forged = siteAt("initialized");
  const seed = fromHex(readFileSync(forged.file("ledger.key"), "utf8").trim());
  assert.ok(seed);
  const clock = { now: () => Date.now(), monotonic: () => 0 };
  const ledger = LedgerStore.open(forged.file("ledger.db"), {
    write: { clock, key: signingKeyFromSeed(seed) },
  });
  const { size } = ledger;
  ledger.append([draft("forged", { type: "step.completed", facts: [], step: "generate" })]);
  ledger.close();
  const verdict = judged(forged, ...TRUST, ...HEAD);
  assert.equal(verdict.verdict, "DOES NOT CONFORM");
  assert.deepEqual(
    verdict.violations.map(({ code, seq }) => [code, seq]),
    [["order", size]],
  );
  const ran = forged.keyrite(["verify", ...TRUST, ...HEAD]);
  refused(ran, "ledger.damaged", `entry ${size}: it belongs to no ceremony that is open`);
  assert.match(ran.stdout, /vouched for by nobody/);
});

test("the words of another sheet are not of this ledger", () => {
  const zero = Array.from({ length: 16 }, () => "aardvark adroitness").join(" ");
  const ran = site.keyrite(["verify", "--words", zero, ...HEAD]);
  refused(ran, "ledger.damaged", /the ledger's genesis is/);
  assert.match(ran.stdout, /^Verdict: DOES NOT CONFORM$/m);
});
