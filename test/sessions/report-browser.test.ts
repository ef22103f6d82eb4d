/** A report page in a real browser: it verifies itself, names what was tampered with, and runs nothing but its own. */

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { Chromium } from "../support/chromium.ts";
import {
  evidenceIn,
  pageOf,
  reportedSite,
  seqOf,
  withEntry,
  withEvidence,
} from "../support/report-page.ts";

const browser = new Chromium();
after(() => {
  browser.close();
});
const page = pageOf(reportedSite());
const evidence = evidenceIn(page);

interface Said {
  readonly state: string | undefined;
  /** Number of things checked, by check. */
  readonly counts: ReadonlyMap<string, number>;
  readonly problems: readonly string[];
}

function saidBy(dom: string): Said {
  const checks = [...dom.matchAll(/data-check="(\w+)" data-count="(\d+)"/g)];
  return {
    state: /<html[^>]* data-self-check="(\w+)"/.exec(dom)?.[1],
    counts: new Map(checks.map(([, name = "", count]) => [name, Number(count)])),
    problems: [...dom.matchAll(/<li class="problem">([^<]*)/g)].map(([, text = ""]) => text),
  };
}

function broken(tampered: string, words: RegExp): void {
  const dom = browser.open(tampered);
  const { state, problems } = saidBy(dom);
  assert.equal(state, "broken");
  assert.match(dom, /id="verdict-word">NOT TO BE RELIED ON</);
  assert.ok(
    problems.some((text) => words.test(text)),
    problems.join("; ") || "nothing was named",
  );
}

test("the page of a real ceremony holds together, and says what it checked", () => {
  const dom = browser.open(page);
  const { state, counts, problems } = saidBy(dom);
  assert.deepEqual(problems, []);
  assert.equal(state, "verified");
  assert.equal(counts.get("entries"), evidence.size);
  for (const name of ["root", "checkpoints", "cosignatures", "agreements", "documents", "shown"]) {
    assert.ok((counts.get(name) ?? 0) > 0, name);
  }
  assert.match(dom, /HOLDS TOGETHER/);
  assert.match(dom, /id="verdict-word">\s*CONFORMS WITH DEVIATIONS/);
  assert.match(dom, /Hashes and signatures by the browser/);
  assert.match(dom, /Compare with the genesis sheet/);
});

describe("a tampered copy says what broke", () => {
  const last = evidence.checkpoints.at(-1);
  assert.ok(last !== undefined);
  const earlier = evidence.checkpoints.slice(0, -1);
  const flipped = (text: string): string =>
    text.replace(/.(?=.{20}$)/s, (c) => (c === "A" ? "B" : "A"));

  test("C14: an entry", () => {
    const changed = withEntry(evidence, 20, (text) =>
      text.replace(/"description":"./, '"description":"X'),
    );
    broken(withEvidence(page, changed), /^entry 20 was changed/);
  });

  test("C14: a removed entry", () => {
    const entries = evidence.entries.filter((_, i) => i !== 33);
    broken(withEvidence(page, { ...evidence, entries }), /^entry 33 is missing/);
  });

  test("C14: entries in another order", () => {
    const [a = "", b = ""] = evidence.entries.slice(40, 42);
    const entries = evidence.entries.with(40, b).with(41, a);
    broken(withEvidence(page, { ...evidence, entries }), /^entry 40 stands behind entry 41/);
  });

  test("C15: the root", () => {
    const note = last.note.replace(/\n[A-Za-z0-9+/]{43}=\n/, `\n${"A".repeat(43)}=\n`);
    const checkpoints = [...earlier, { ...last, note }];
    broken(withEvidence(page, { ...evidence, checkpoints }), /entries give another root/);
  });

  test("Q12: a cosignature", () => {
    const [first = "", ...others] = last.cosignatures;
    const checkpoints = [...earlier, { ...last, cosignatures: [flipped(first), ...others] }];
    broken(
      withEvidence(page, { ...evidence, checkpoints }),
      /^the cosignature of ana on the checkpoint/,
    );
  });

  test("Q11: an agreement", () => {
    const seq = seqOf(
      evidence,
      ({ type, agreements }) => type === "step.begun" && agreements.length === 2,
    );
    const changed = withEntry(evidence, seq, (text) =>
      text.replace(/"agreements":\["(.*?)"/, (all: string) => flipped(all)),
    );
    broken(
      withEvidence(page, changed),
      new RegExp(`^entry ${seq}: the agreement of \\w+ is not signed`),
    );
  });

  test("S02: a fingerprint on the page, with the evidence as it was", () => {
    const changed = page.replace(
      /(data-at="facts\.0\.spki" data-as="hex"[^>]*>\s*)[0-9a-f]{4}/,
      "$10000",
    );
    assert.notEqual(changed, page);
    broken(changed, /^the page shows "0000 .*" where entry \d+ says/);
  });

  test("evidence that is no JSON is never taken for checked", () => {
    const dom = browser.open(page.replace('id="carried">{', 'id="carried">'));
    assert.equal(saidBy(dom).state, "broken");
    assert.match(dom, /could not check itself/);
  });
});

describe("nothing else runs or loads", () => {
  test("S07: a script that was put in, inline or in an attribute, does not run", () => {
    const dom = browser.open(
      page
        .replace(
          "<body>",
          '<body><script>document.title = "owned";</script><img src="x" onerror="document.title = \'owned\'">',
        )
        .replace(
          "</body>",
          '<script src="data:text/javascript,document.title=%22owned%22"></script></body>',
        ),
    );
    assert.doesNotMatch(dom, /<title>\s*owned/);
    assert.equal(saidBy(dom).state, "verified");
  });

  test("a changed script of the page does not run: the page stays unchecked", () => {
    const dom = browser.open(page.replace("HOLDS TOGETHER", "HOLDS TOGETHER."));
    assert.equal(saidBy(dom).state, undefined);
    assert.match(dom, /NOT CHECKED/);
  });

  test("the page names no address that could be fetched", () => {
    const markup = page.replace(/<script[^]*?<\/script>/g, "");
    assert.doesNotMatch(markup, /(?:src|href|action|data)="(?!#)[^"]|url\((?!#)|@import/);
  });
});
