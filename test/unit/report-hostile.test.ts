/** Reports of hostile ledgers and of large ones: text stays text, and a page carries only what it can. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LedgerStore } from "../../src/ledger/store.ts";
import { evidenceOf, type Reach } from "../../src/report/evidence.ts";
import type { Evidence } from "../../src/report/in-page/evidence.ts";
import { dataText } from "../../src/report/page.ts";
import { paperPage } from "../../src/report/paper-html.ts";
import { reportMarkdown } from "../../src/report/report-markdown.ts";
import { reportPage } from "../../src/report/report-page.ts";
import type { Report } from "../../src/report/report-types.ts";
import { qrModules } from "../../src/lib/qr.ts";
import {
  checkOf,
  evidenceIn,
  judged,
  pageOf,
  problemsOf,
  reportedSite,
} from "../support/report-page.ts";
import { succeeded } from "../support/rehearsed-site.ts";

const site = reportedSite();
const evidence = evidenceIn(pageOf(site));
const ran = succeeded(site.keyrite(["report", "all", "--json"]));
const report = JSON.parse(ran.stdout) as Report;

const HOSTILE = `</script><script>alert(1)</script>"'><img src=x onerror=alert(1)> | \u202Egnp.exe \u001b[2J`;

/** Every text of a value made hostile, but those that other code has to read. */
function poisoned<T>(value: T, name = ""): T {
  if (typeof value === "string") {
    const kept =
      /^([0-9a-f]{64}|\d{4}-\d\d-\d\dT.*|CONFORMS.*|CANNOT TELL|closed|completed|site|token|vault|text|proved|missing|in part)$/;
    return (
      kept.test(value) || ["note", "kind"].includes(name) ? value : `${value}${HOSTILE}`
    ) as T;
  }
  if (Array.isArray(value)) return value.map((one: unknown) => poisoned(one)) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]: [string, unknown]) => [key, poisoned(member, key)]),
  ) as T;
}

describe("whatever a ledger says stays text", () => {
  const hostile = poisoned(report);

  test("I04: on the page", () => {
    const page = reportPage(hostile, evidence, "");
    const markup = page.replace(/<script type="application\/json"[^]*?<\/script>/, "");
    assert.doesNotMatch(markup, /<script|<img|\u202e|\u001b/);
    assert.match(markup, /&lt;script&gt;alert\(1\)/);
    assert.match(markup, /\\u\{202e\}gnp\.exe/);
  });

  test("I04: in Markdown, where it can neither end a cell nor begin markup", () => {
    const text = reportMarkdown(hostile);
    assert.doesNotMatch(text, /(?<!\\)<|\u202e|\u001b/);
    const cells = text
      .split("\n")
      .filter((line) => line.startsWith("| ") && line.includes("script"));
    assert.ok(cells.length > 10);
    for (const line of cells) assert.ok(line.includes("\\|"), line);
  });

  test("I04: in the data that the page carries", () => {
    const bad: Evidence = { ...evidence, origin: HOSTILE };
    const text = dataText(bad);
    assert.doesNotMatch(text, /<|\u202e|\u001b/);
    assert.deepEqual(JSON.parse(text), bad);
  });

  test("a text beyond what a QR code holds is refused, not cut", () => {
    assert.equal(qrModules("x").length, 21);
    assert.throws(() => qrModules("x".repeat(3000)), RangeError);
  });
});

describe("large ledgers", () => {
  const ledger = LedgerStore.open(site.file("ledger.db"));
  const entries = site.entries();
  const first = entries.findLast(({ type }) => type === "ceremony.opened")?.seq ?? 0;
  const authority = entries
    .filter(
      ({ seq, facts }) => seq < first && facts.some(({ kind }) => /^(person|policy)\./.test(kind)),
    )
    .map(({ seq }) => seq);
  const reach: Reach = { first, size: ledger.size, authority };

  test("the entries of the ceremony alone: everything before them is summed up in a few hashes", async () => {
    const part = evidenceOf(ledger, reach, 100_000);
    assert.equal(part.from, first);
    assert.equal(part.entries.length, ledger.size - first);
    const found = await judged(part);
    assert.deepEqual(problemsOf(found), []);
    assert.ok(checkOf(found, "agreements").count > 10);
  });

  test("C14: there too a changed entry is named, and so is a changed summary", async () => {
    const part = evidenceOf(ledger, reach, 100_000);
    const entries = part.entries.with(
      3,
      (part.entries[3] ?? "").replace(/"description":"./, '"description":"X'),
    );
    const changed = checkOf(await judged({ ...part, entries }), "entries");
    assert.match(changed.problems.join(), new RegExp(`entry ${first + 3} was changed`));
    const before = part.before.with(0, "00".repeat(32));
    const root = checkOf(await judged({ ...part, before }), "root");
    assert.match(root.problems.join(), /give another root/);
  });

  test("not even those: steps alone, each with its proof", async () => {
    const part = evidenceOf(ledger, reach, 1000);
    assert.deepEqual(part.entries, []);
    assert.ok(part.others.length > 20);
    assert.deepEqual(problemsOf(await judged(part)), []);
    const [other, ...rest] = part.others;
    assert.ok(other !== undefined);
    const text = other.text.replace(/"description":"./, '"description":"X');
    const found = checkOf(await judged({ ...part, others: [{ ...other, text }, ...rest] }), "root");
    assert.match(found.problems.join(), new RegExp(`entry ${other.seq} was changed`));
  });
});

test("I04: a paper script of hostile text stays text", () => {
  const step = {
    n: 1,
    id: "x",
    action: "attest",
    by: "everyone" as const,
    policyRefs: [],
    values: {},
    instruction: HOSTILE,
  };
  const script = {
    title: HOSTILE,
    name: "x",
    version: "1.0.0",
    policyRefs: [HOSTILE],
    roles: {},
    sha256: "00".repeat(32),
  };
  const plan = {
    script,
    sha256: "11".repeat(32),
    document: { params: { name: HOSTILE } },
    steps: [step],
  };
  const page = paperPage(
    plan as never,
    { origin: "x", assurance: "test", policy: "22".repeat(32), sha256: "33".repeat(32) } as never,
  );
  assert.doesNotMatch(page, /<script|<img|\u202e|\u001b/);
  assert.match(page, /&lt;script&gt;alert\(1\)/);
});
