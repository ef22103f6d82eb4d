/** Another site's backup is believed by its proofs alone, and by nothing less. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { verifyForeignBackup, type ForeignPapers } from "../../src/ceremony/foreign-backup.ts";
import { parseProof, formatProof } from "../../src/ledger/proof.ts";
import { fromUtf8, utf8 } from "../../src/lib/encoding.ts";
import { formatNote, parseNote } from "../../src/lib/note.ts";
import { backedUp } from "../support/backup-stage.ts";
import { CAST } from "../support/stage-scripts.ts";
import { papersOf, peerOf, proveNewest, siteWithBackup } from "../support/two-sites.ts";

const stage = await siteWithBackup();
const papers = papersOf(stage);
const peer = peerOf(stage, papers.proofs.checkpoint);

/** What each proven entry is for. */
function proofOf(what: (text: string) => boolean): string {
  const found = papers.proofs.proofs.find((proof) =>
    what(fromUtf8(parseProof(proof).extra ?? new Uint8Array())),
  );
  assert.ok(found, "there is such a proof");
  return found;
}
const BACKUP = proofOf((text) => text.includes('"kind":"backup.completed"'));
const KEK = proofOf((text) => text.includes('"kind":"kek.established"'));
const ENROLMENT = proofOf((text) => text.includes('"kind":"person.enrolled"'));
const BEGUN = proofOf((text) => text.includes('"step":"enroll"') && text.includes("step.begun"));
const OPENED = proofOf((text) => text.includes('"type":"step.opened"'));

function without(proof: string): ForeignPapers {
  const proofs = papers.proofs.proofs.filter((one) => one !== proof);
  return { ...papers, proofs: { ...papers.proofs, proofs } };
}

/** The papers with another checkpoint everywhere: its signature lines are what a test makes of them. */
function recosigned(change: (lines: readonly string[]) => readonly string[]): ForeignPapers {
  const { text, signatures } = parseNote(papers.proofs.checkpoint);
  const checkpoint = formatNote(text, change(signatures.map(({ line }) => line)));
  const proofs = papers.proofs.proofs.map((proof) =>
    formatProof({ ...parseProof(proof), checkpoint }),
  );
  return { ...papers, proofs: { ...papers.proofs, checkpoint, proofs } };
}

describe("a backup of another site", () => {
  test("is believed by its proofs, with a signer who joined after the founding", () => {
    const { problems, unchecked, found } = verifyForeignBackup(papers, peer);
    assert.deepEqual(problems, []);
    assert.ok(found);
    assert.deepEqual(found.signers, ["fay", "eve"]);
    assert.equal(found.manifest.keys.length, 1);
    assert.equal(found.kek.kek, "backup-kek");
    assert.deepEqual(
      unchecked.map((text) => text.slice(0, 14)),
      ["what example.o"],
    );
  });

  const altered: Readonly<Record<string, readonly [ForeignPapers, RegExp]>> = {
    "whose backup is not proven": [without(BACKUP), /no proven entry records/],
    "whose KEK is not proven": [without(KEK), /no proven entry establishes the KEK backup-kek.g1/],
    "whose signer is not proven to be enrolled": [without(ENROLMENT), /signer fay is not proven/],
    "whose signer's agreements are not proven": [without(BEGUN), /fay: the entries that show who/],
    "whose signer's step is not proven": [without(OPENED), /fay: the entries that show who/],
    "whose signer's card is missing": [
      { ...papers, proofs: { ...papers.proofs, cards: [] } },
      /fay: their card is not here/,
    ],
    "under a checkpoint of one person": [
      recosigned(([ledger = "", first = ""]) => [ledger, first]),
      /only [a-z]+ of its proven roster cosigned/,
    ],
    "under a checkpoint of nobody": [
      recosigned(([ledger = ""]) => [ledger]),
      /nobody of its proven roster cosigned/,
    ],
    "under a checkpoint that the ledger did not sign": [
      recosigned(([, ...people]) => people),
      /is not signed by the ledger key/,
    ],
    "with a forged cosignature": [
      recosigned(([ledger = "", first = "", second = "", ...rest]) => [
        ledger,
        `${first.slice(0, -12)}AAAAAAAAAAA=`,
        second,
        ...rest,
      ]),
      /the signature of .* is wrong/,
    ],
    "with another manifest": [
      { ...papers, manifest: utf8(`${fromUtf8(papers.manifest)} `) },
      /no proven entry records/,
    ],
    "with another note": [
      { ...papers, note: utf8(fromUtf8(papers.note).replace(/\nbackup \S/, "\nbackup x")) },
      /backup\.note: /,
    ],
    "without a note": [{ ...papers, note: new Uint8Array() }, /backup\.note: /],
  };
  for (const [what, [changed, words]] of Object.entries(altered)) {
    test(`${what} is not`, () => {
      const { problems, found } = verifyForeignBackup(changed, peer);
      assert.equal(found, undefined);
      assert.match(problems.join("\n"), words);
    });
  }

  const others: Readonly<Record<string, readonly [Partial<typeof peer>, RegExp]>> = {
    "another genesis": [{ genesis: "0".repeat(64) }, /not the adopted 000/],
    "another origin": [{ origin: "example.org/dc9/test" }, /origin or ledger key/],
    "another ledger key": [{ ledgerKey: "x" }, /origin or ledger key/],
    "another root of the same size": [{ root: "0".repeat(64) }, /has two histories/],
  };
  for (const [what, [change, words]] of Object.entries(others)) {
    test(`is not where ${what} was adopted`, () => {
      const { problems, found } = verifyForeignBackup(papers, { ...peer, ...change });
      assert.equal(found, undefined);
      assert.match(problems.join("\n"), words);
    });
  }

  test("says that it could not compare heads of two sizes", () => {
    const { problems, unchecked } = verifyForeignBackup(papers, { ...peer, size: peer.size - 1 });
    assert.deepEqual(problems, []);
    assert.match(unchecked.join("\n"), /are one history/);
  });

  test("the proof of one entry does not stand in for that of another", () => {
    const mixed = formatProof({ ...parseProof(BACKUP), extra: parseProof(KEK).extra });
    const changed = {
      ...papers,
      proofs: { ...papers.proofs, proofs: [...without(BACKUP).proofs.proofs, mixed] },
    };
    assert.match(
      verifyForeignBackup(changed, peer).problems.join(),
      /does not lead from its entry/,
    );
  });
});

test("proofs are written anew under a later head, and still hold", async () => {
  await stage.run(backedUp(["root-g2"]), CAST);
  const written = await proveNewest(stage);
  assert.deepEqual(
    written.map(({ vault, problem }) => [vault, problem]),
    [
      ["onsite", undefined],
      ["offsite", undefined],
    ],
  );
  const again = await proveNewest(stage);
  assert.equal(again.length, 2);
  const later = papersOf(stage);
  const { problems, found } = verifyForeignBackup(later, peerOf(stage, later.proofs.checkpoint));
  assert.deepEqual(problems, []);
  assert.deepEqual(found?.signers, ["ana", "eve"]);
});
