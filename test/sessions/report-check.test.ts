/**
 * A report page checks itself: whole it holds together, and whatever is changed in what it carries is named. The same
 * code as in the browser runs here; test/sessions/report-browser.test.ts runs it there.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decodeEntry } from "../../src/ledger/entry.ts";
import { leafHash } from "../../src/ledger/merkle.ts";
import { checkPage } from "../../src/report/in-page/check.ts";
import { PLAIN } from "../../src/report/in-page/crypto.ts";
import type { Check, Evidence } from "../../src/report/in-page/evidence.ts";
import {
  checkOf,
  evidenceIn,
  judged,
  pageOf,
  problemsOf,
  reportedSite,
  seqOf,
  withEntry,
} from "../support/report-page.ts";

const evidence = evidenceIn(pageOf(reportedSite()));
const begun = seqOf(
  evidence,
  ({ type, agreements }) => type === "step.begun" && agreements.length === 2,
);

test("whole, it holds together, by the browser's means and by the page's own", async () => {
  for (const found of [await judged(evidence), await checkPage(PLAIN, evidence, [])]) {
    assert.deepEqual(problemsOf(found), []);
    assert.ok(checkOf(found, "agreements").count > 30);
    assert.ok(checkOf(found, "cosignatures").count > 10);
    assert.equal(checkOf(found, "entries").count, evidence.size);
    assert.equal(found.root?.length, 64);
  }
});

/** A text with the character at a place, seen from its end, replaced by another of the same kind. */
function otherAt(text: string, place: number): string {
  const at = text.length - 1 - place;
  const other = text[at] === "A" ? "B" : "A";
  return `${text.slice(0, at)}${other}${text.slice(at + 1)}`;
}

function withLast(
  change: (last: Evidence["checkpoints"][number]) => Evidence["checkpoints"][number],
): Evidence {
  const last = evidence.checkpoints.at(-1);
  assert.ok(last !== undefined);
  return { ...evidence, checkpoints: [...evidence.checkpoints.slice(0, -1), change(last)] };
}

function swapped(first: number): readonly string[] {
  const entries = [...evidence.entries];
  [entries[first], entries[first + 1]] = [entries[first + 1] ?? "", entries[first] ?? ""];
  return entries;
}

const withoutAt = <T>(list: readonly T[], index: number): readonly T[] =>
  list.filter((_, i) => i !== index);

const TAMPERED: readonly (readonly [string, Evidence, Check["name"], RegExp])[] = [
  [
    "C14: a byte of an entry",
    withEntry(evidence, 20, (text) => text.replace(/"description":"./, '"description":"X')),
    "entries",
    /^entry 20 was changed/,
  ],
  [
    "C14: a removed entry",
    { ...evidence, entries: withoutAt(evidence.entries, 33) },
    "entries",
    /^entry 33 is missing$/,
  ],
  [
    "C14: a removed entry and its hash",
    {
      ...evidence,
      entries: withoutAt(evidence.entries, 33),
      leaves: withoutAt(evidence.leaves, 33),
    },
    "entries",
    /^entry 33 is missing$/,
  ],
  [
    "C14: the last entry cut off",
    { ...evidence, entries: evidence.entries.slice(0, -1) },
    "entries",
    new RegExp(`^entry ${evidence.size - 1} is missing$`),
  ],
  [
    "C14: two entries in another order",
    { ...evidence, entries: swapped(40) },
    "entries",
    /^entry 40 stands behind entry 41$/,
  ],
  [
    "C14: an entry twice",
    {
      ...evidence,
      entries: [
        ...evidence.entries.slice(0, 5),
        evidence.entries[4] ?? "",
        ...evidence.entries.slice(5),
      ],
    },
    "entries",
    /^entry 4 stands there twice$/,
  ],
  [
    "C14: an entry that is no JSON",
    withEntry(evidence, 7, (text) => text.slice(1)),
    "entries",
    /^entry 7 is not JSON$/,
  ],
  [
    "C14: an entry with a blank",
    withEntry(evidence, 7, (text) => text.replace(":", ": ")),
    "entries",
    /^entry 7 is not in canonical form$/,
  ],
  [
    "C14: an entry of another ledger",
    withEntry(evidence, 7, (text) => text.replace(/"origin":"pki/, '"origin":"pko')),
    "entries",
    /^entry 7 is of another ledger$/,
  ],
  [
    "C15: the root in the checkpoint",
    withLast((last) => ({
      ...last,
      note: last.note.replace(
        /\n([^\n])([^\n]{43})\n/,
        (_all, first: string, rest: string) => `\n${first === "A" ? "B" : "A"}${rest}\n`,
      ),
    })),
    "root",
    /entries give another root/,
  ],
  [
    "C15: the ledger's signature",
    withLast((last) => ({ ...last, note: otherAt(last.note, 20) })),
    "checkpoints",
    new RegExp(`^the checkpoint of ${evidence.size} entries is not signed by the ledger's key$`),
  ],
  [
    "C15: no checkpoint of this size",
    { ...evidence, checkpoints: evidence.checkpoints.slice(0, -1) },
    "root",
    /there is no checkpoint of/,
  ],
  [
    "Q12: a cosignature",
    withLast((last) => ({
      ...last,
      cosignatures: [otherAt(last.cosignatures[0] ?? "", 20), ...last.cosignatures.slice(1)],
    })),
    "cosignatures",
    /^the cosignature of ana on the checkpoint of \d+ entries does not verify$/,
  ],
  [
    "Q12: a cosignature in a stranger's name",
    withLast((last) => ({
      ...last,
      cosignatures: last.cosignatures.map((line) => line.replace("people/ana", "people/eva")),
    })),
    "cosignatures",
    /people\/eva, who is not on the roster$/,
  ],
  [
    "Q12: a cosignature moved to another checkpoint",
    withLast((last) => ({ ...last, cosignatures: evidence.checkpoints[0]?.cosignatures ?? [] })),
    "cosignatures",
    /^the cosignature of \w+ on the checkpoint of \d+ entries does not verify$/,
  ],
  [
    "a changed card",
    {
      ...evidence,
      documents: evidence.documents.map((one, i) =>
        i === 0 ? { ...one, base64: `AAAA${one.base64.slice(4)}` } : one,
      ),
    },
    "documents",
    /^the document [0-9a-f]{64} \(\S+\) was changed/,
  ],
  [
    "no card of anybody",
    { ...evidence, documents: [] },
    "documents",
    /genesis that entry 0 cites is not here/,
  ],
];

describe("what was tampered with is named", () => {
  for (const [what, tampered, name, words] of TAMPERED) {
    test(what, async () => {
      const { problems } = checkOf(await judged(tampered), name);
      assert.ok(
        problems.some((text) => words.test(text)),
        `${name}: ${problems.join("; ")}`,
      );
    });
  }

  test("Q11: an agreement's signature, with the leaf hash made to fit", async () => {
    const tampered = withEntry(evidence, begun, (text) => {
      const { agreements } = decodeEntry(text);
      const note = agreements[0] ?? "";
      return text.replace(JSON.stringify(note), JSON.stringify(otherAt(note, 20)));
    });
    const { problems } = checkOf(await judged(tampered), "agreements");
    assert.match(
      problems[0] ?? "",
      new RegExp(`^entry ${begun}: the agreement of \\w+ is not signed`),
    );
  });

  test("C15: an entry and its noted hash, both made to fit: the place is narrowed by what people signed", async () => {
    const tampered = withEntry(evidence, 50, (text) =>
      text.replace(/"description":"./, '"description":"X'),
    );
    const leaves = tampered.entries.map((text) => Buffer.from(leafHash(text)).toString("hex"));
    const { problems } = checkOf(await judged({ ...tampered, leaves }), "root");
    const [, from, to] = /entries (\d+) to (\d+)$/.exec(problems[1] ?? "") ?? [];
    assert.ok(Number(from) <= 50 && 50 <= Number(to), problems.join("; "));
    assert.ok(Number(to) - Number(from) < 6, problems.join("; "));
  });

  test("Q11: an agreement used for another step", async () => {
    const agreements = decodeEntry(evidence.entries[begun] ?? "").agreements;
    const other = seqOf(
      evidence,
      ({ type, seq, agreements: own }) => type === "step.begun" && seq < begun && own.length === 2,
    );
    const tampered = withEntry(evidence, other, (text) => {
      const own = JSON.stringify(decodeEntry(text).agreements);
      return text.replace(own, JSON.stringify(agreements));
    });
    const { problems } = checkOf(await judged(tampered), "agreements");
    assert.ok(
      problems.some((text) => text.startsWith(`entry ${other}: the agreement of`)),
      problems.join("; "),
    );
  });

  test("Q11: what the room was shown", async () => {
    const opened = Number(decodeEntry(evidence.entries[begun] ?? "").refs["opened"]);
    const tampered = withEntry(evidence, opened, (text) =>
      text.replace(/"shown":\["./, '"shown":["X'),
    );
    const { problems } = checkOf(await judged(tampered), "agreements");
    assert.ok(
      problems.some((text) => text.startsWith(`entry ${begun}: `) && /head|screen/.test(text)),
      problems.join("; "),
    );
  });

  test("only a noted hash: the entry is said to be sound", async () => {
    const leaves = evidence.leaves.map((leaf, i) => (i === 9 ? "00".repeat(32) : leaf));
    const { problems } = checkOf(await judged({ ...evidence, leaves }), "entries");
    assert.deepEqual(problems, [
      "the hash that the page notes for entry 9 was changed; the entry is sound",
    ]);
  });

  test("every byte position of an entry, tried at many places, breaks something", async () => {
    for (let seq = 0; seq < evidence.size; seq += 9) {
      const tampered = withEntry(evidence, seq, (text) => otherAt(text, 31 + (seq % 50)));
      const found = problemsOf(await judged(tampered));
      assert.ok(
        found.some((text) => text.includes(`entry ${seq}`)),
        `entry ${seq}: ${found.join("; ")}`,
      );
    }
  });
});
