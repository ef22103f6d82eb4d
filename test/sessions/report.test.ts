/** `keyrite report` by its command: what it prints, which ceremony, and what every report has to hold. */

import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Report } from "../../src/report/report-types.ts";
import { evidenceIn, pageOf, reportedSite } from "../support/report-page.ts";
import { newFolder, refused, siteAt, succeeded } from "../support/rehearsed-site.ts";

const site = reportedSite();
const ids = site
  .entries()
  .filter(({ type }) => type === "ceremony.opened")
  .map(({ ceremony }) => ceremony ?? "");
const [founding = "", , , newest = ""] = ids;

function reportJson(args: readonly string[]): Report & { readonly schema: string } {
  const ran = succeeded(site.keyrite(["report", ...args, "--json"]));
  return JSON.parse(ran.stdout) as Report & { readonly schema: string };
}

const report = reportJson(["--trust", site.file("trust.txt")]);
const page = pageOf(site);
const [ceremony] = report.ceremonies;
assert.ok(ceremony !== undefined);

/** Numbers and ids of steps in a page's table. */
function stepsIn(html: string): readonly string[] {
  const cells = /<td class="n">(\d+)<\/td>\s*<td>\s*<span class="id">([^<]+)/g;
  return [...html.matchAll(cells)].map(([, n = "", id = ""]) => `${n} ${id}`);
}

describe("the fields that every report must hold", () => {
  test("dates, site, roles, names, and what each did", () => {
    assert.equal(report.schema, "keyrite/report/v1");
    assert.equal(ceremony.id, newest);
    assert.match(ceremony.openedAt, /^\d{4}-/);
    assert.ok(ceremony.endedAt !== null && ceremony.endedAt > ceremony.openedAt);
    assert.deepEqual(
      report.people.map(({ person, attended }) => [person, attended]),
      [
        ["ana", "ceremony-administrator"],
        ["ben", "custodian"],
        ["cleo", "custodian"],
        ["dan", null],
        ["eve", "internal-witness"],
      ],
    );
    const eve = report.people.find(({ person }) => person === "eve");
    assert.ok(
      eve?.acts.some(({ id, part }) => id === "generate-first" && part === "witnessed") === true,
    );
  });

  test("keys: fingerprint, algorithm, HSM, mechanism, attributes, copies", () => {
    const [key] = report.keys;
    const fact = site
      .entries()
      .flatMap(({ facts }) => facts)
      .find((one) => one.kind === "key.generated");
    assert.ok(key !== undefined);
    assert.equal(key.status.spki, fact?.["spki"]);
    assert.equal(key.generated?.mechanism, "CKM_EC_KEY_PAIR_GEN");
    const sensitive = key.generated.attributes.find(({ name }) => name === "CKA_SENSITIVE");
    assert.equal(sensitive?.private, "true");
    assert.match(report.tokens[0]?.serial ?? "", /^[0-9a-f]{16}$/);
    assert.deepEqual(
      key.status.tokens.map(({ token }) => token),
      ["alpha"],
    );
  });

  test("script, plan, software and module digests, the clock, the deviation, the head", () => {
    const digests = [
      ceremony.script.sha256,
      ceremony.plan,
      ceremony.software.sha256,
      ceremony.policy,
    ];
    for (const digest of [...digests, ceremony.modules[0]?.sha256 ?? "", report.head.root]) {
      assert.match(digest, /^[0-9a-f]{64}$/);
      assert.ok(page.includes(digest.match(/.{4}/g)?.join(" ") ?? ""), digest);
    }
    assert.equal(ceremony.clocks[0]?.source, "radio clock of the room");
    const [deviation] = ceremony.events.filter(({ kind }) => kind === "deviation.recorded");
    assert.match(deviation?.text ?? "", /^extractable-key: the vault media arrive tomorrow/);
    assert.equal(report.head.size, site.entries().length);
    assert.equal(report.head.cosigners.length, 4);
    assert.equal(report.conformance?.verdict, "CONFORMS WITH DEVIATIONS");
    assert.equal(reportJson([]).conformance?.verdict, "CANNOT TELL");
  });

  test("share sets with quorum and custodians, what is owed, what falls due, what nobody recorded", () => {
    const [set] = report.shareSets;
    assert.deepEqual([set?.threshold, set?.holders], [2, ["ben", "cleo", "dan"]]);
    assert.ok(report.unresolved.some((text) => text.includes("can be taken out of token alpha")));
    assert.ok(report.due.some(({ rule }) => rule.startsWith("Apple")));
    assert.ok(report.notRecorded.includes("the digest of the operating system's image"));
  });

  test("page and Markdown show all of it", () => {
    const { stdout } = succeeded(site.keyrite(["report"]));
    for (const text of [page, stdout]) {
      for (const word of [
        "ana",
        "radio clock of the room",
        "CKM_EC_KEY_PAIR_GEN",
        "vault media arrive tomorrow",
        "BR:6.1.5",
        "security officer",
        "2 of 3",
      ]) {
        assert.ok(text.replaceAll("\\", "").includes(word), word);
      }
    }
    for (const word of ['aria-label="The checkpoint above as a QR code"', "not recorded"]) {
      assert.ok(page.includes(word), word);
    }
  });
});

describe("which ceremony", () => {
  test("an older one is told as it was at its own end", () => {
    const older = reportJson([founding]);
    assert.equal(older.ceremonies[0]?.id, founding);
    assert.deepEqual(older.tokens, []);
    assert.equal(older.head.size, (older.ceremonies[0].endedSeq ?? 0) + 1);
    assert.equal(evidenceIn(pageOf(site, [founding])).size, older.head.size);
  });

  test("all: the whole site, with what its ledger shows of each requirement", () => {
    const whole = reportJson(["all"]);
    assert.deepEqual(
      whole.ceremonies.map(({ id }) => id),
      ids,
    );
    assert.ok(whole.controls.some(({ status }) => status === "missing"));
    assert.ok(whole.controls.some(({ status }) => status !== "missing"));
    assert.match(pageOf(site, ["all"]), /Everything on record/);
  });

  test("the same ledger gives the same page", () => {
    assert.equal(pageOf(site), page);
  });

  test("U05: one that does not exist, or none at all, is refused with what there is", () => {
    refused(site.keyrite(["report", "20200101-nothing-aaaa"]), "usage.bad-option", newest);
    refused(siteAt("made").keyrite(["report"]), "usage.bad-option", "no ceremony that is closed");
  });
});

describe("where it goes", () => {
  test("--out writes a new file, and nothing that exists is replaced", () => {
    const file = join(newFolder(), "report.html");
    const ran = succeeded(site.keyrite(["report", "--html", "--out", file]));
    assert.equal(ran.stdout, "");
    const first = readFileSync(file, "utf8");
    refused(site.keyrite(["report", "--md", "--out", file]), "site.file-exists");
    assert.equal(readFileSync(file, "utf8"), first);
  });

  test("--html and --md together are refused before anything is written", () => {
    const file = join(newFolder(), "report");
    refused(site.keyrite(["report", "--html", "--md", "--out", file]), "usage.bad-option");
    assert.equal(existsSync(file), false);
  });

  test("a ledger that does not verify has no report", () => {
    const spoilt = siteAt("founded");
    const path = spoilt.file("ledger.db");
    const bytes = readFileSync(path);
    const at = bytes.indexOf("radio clock of the room");
    assert.ok(at > 0);
    bytes[at] = 0x52;
    writeFileSync(path, bytes);
    const ran = refused(spoilt.keyrite(["report", "--html"]), "ledger.damaged");
    assert.equal(ran.stdout, "");
  });
});

test("paper script and report number the steps alike, as the plan does", () => {
  const before = siteAt("prepared");
  const paper = succeeded(
    before.keyrite([
      ...["paper", "generate-issuing-keys", "--html", "--set", "first=a1", "--set", "second=b1"],
    ]),
  );
  const planned = stepsIn(paper.stdout);
  assert.ok(planned.length > 8);
  assert.deepEqual(stepsIn(page), planned);
  assert.deepEqual(
    ceremony.steps.map(({ n, id }) => `${n} ${id}`),
    planned,
  );
});
