/** What a report page shows is compared with the entries that it carries: a page cannot say other than its ledger. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { stringOf } from "../../src/ceremony/record.ts";
import { decodeEntry } from "../../src/ledger/entry.ts";
import type { ShownValue } from "../../src/report/in-page/evidence.ts";
import {
  checkOf,
  evidenceIn,
  judged,
  pageOf,
  problemsOf,
  reportedSite,
  seqOf,
} from "../support/report-page.ts";

const page = pageOf(reportedSite());
const evidence = evidenceIn(page);
const generated = seqOf(evidence, ({ facts }) =>
  facts.some(({ kind }) => kind === "key.generated"),
);

describe("values that the page shows", () => {
  const fact = decodeEntry(evidence.entries[generated] ?? "").facts[0];
  const spki = stringOf(fact ?? {}, "spki") ?? "";
  const shown = (
    text: string,
    form: ShownValue["form"],
    at = "facts.0.spki",
  ): readonly ShownValue[] => [{ text, seq: generated, at, form }];

  test("are compared with the entries", async () => {
    const good = spki.match(/.{4}/g)?.join(" ") ?? "";
    assert.deepEqual(problemsOf(await judged(evidence, shown(`\n  ${good}\n`, "hex"))), []);
  });

  for (const [what, value] of [
    ["a digit of a fingerprint", shown("0000 0000", "hex")],
    ["words of another digest", shown("aardvark absurd", "words")],
    ["a member that is not there", shown(spki, "text", "facts.7.spki")],
    ["an inherited member", shown(spki, "text", "constructor.name")],
  ] as const) {
    test(`S02: ${what} is named`, async () => {
      const { problems } = checkOf(await judged(evidence, value), "shown");
      assert.equal(problems.length, 1);
      assert.match(problems[0] ?? "", new RegExp(`entry ${generated}`));
    });
  }

  test("there are such marks on fingerprints, words, people, times, instructions and what was shown", () => {
    const marks = [...page.matchAll(/data-seq="(-?\d+)" data-at="([\w.-]+)" data-as="(\w+)"/g)];
    const kinds = new Set(
      marks.map(([, , at = "", form = ""]) => `${at.replace(/\d+/g, "N")} ${form}`),
    );
    for (const kind of [
      "facts.N.spki hex",
      "facts.N.spki words",
      "actors.N.person text",
      "time clock",
      "description text",
      "data.shown.N text",
      "root hex",
      "genesis words",
      "data.plan hex",
    ]) {
      assert.ok(kinds.has(kind), `${kind} of ${[...kinds].join(", ")}`);
    }
  });
});
