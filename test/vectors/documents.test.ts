/** The published vectors of genesis, plan and judged agreements are what the engine and the fold do. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { judgeAgreement, type Expected } from "../../src/ceremony/authority.ts";
import { foundingFacts } from "../../src/ceremony/founding.ts";
import { readGenesis } from "../../src/ceremony/genesis.ts";
import { readPlanDocument } from "../../src/ceremony/plan-document.ts";
import { subjectDigest } from "../../src/ceremony/step-authority.ts";
import type { Entry, EntryFact } from "../../src/ledger/entry.ts";
import { parseTimestamp } from "../../src/lib/clock.ts";
import { sha256Hex, utf8 } from "../../src/lib/encoding.ts";
import { messageOf } from "../../src/lib/errors.ts";
import { canonicalJson, type JsonObject } from "../../src/lib/json.ts";
import { parseCard } from "../../src/people/card.ts";

function vectorsOf(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`${name}.json`, import.meta.url), "utf8"));
}

interface Case {
  readonly name: string;
  readonly expect: string;
}

describe("genesis", () => {
  const vectors = vectorsOf("genesis") as {
    readonly genesis: string;
    readonly sha256: string;
    readonly facts: readonly EntryFact[];
    readonly notes: readonly string[];
    readonly refused: readonly (Case & { readonly genesis: string })[];
    readonly void: readonly (Case & { readonly notes: readonly string[] })[];
  };
  const REFUSED: Readonly<Record<string, RegExp>> = {
    form: /not canonical|not a valid genesis|created/,
    assurance: /assurance/,
    "wrong person": /has the card of/,
    "same person": /present the same/,
    "ledger key": /ledger key/,
  };
  const VOID: Readonly<Record<string, RegExp>> = {
    missing: /did not sign/,
    "another genesis": /signed another genesis/,
    assurance: /says production/,
    "wrong signer": /not signed by/,
    "number of signatures": /bears 2 signatures/,
    "no founder": /who is no founder/,
    "wrong signature": /signature of .* is wrong/,
  };
  const genesis = readGenesis(utf8(vectors.genesis));

  test("the good one has the digest and is what its founders signed", () => {
    assert.equal(genesis.sha256, vectors.sha256);
    assert.deepEqual(judged(vectors.notes), vectors.facts);
  });

  for (const { name, expect, genesis: text } of vectors.refused) {
    test(`refused, ${expect}: ${name}`, () => {
      assert.throws(() => readGenesis(utf8(text)), matching(REFUSED, expect));
    });
  }

  for (const { name, expect, notes } of vectors.void) {
    test(`founding void, ${expect}: ${name}`, () => {
      const result = judged(notes);
      assert.ok(typeof result === "string", "the founding was taken");
      assert.ok(matching(VOID, expect)(new Error(result)));
    });
  }

  test("a founding whose facts are not those of the genesis is void", () => {
    const facts = vectors.facts.map((fact) =>
      fact["person"] === "ben" ? { ...fact, roles: ["auditor"] } : fact,
    );
    assert.match(String(judged(vectors.notes, facts)), /facts are not those/);
    assert.match(String(judged(vectors.notes, vectors.facts.slice(1))), /facts are not those/);
  });

  function judged(notes: readonly string[], facts = vectors.facts): unknown {
    const entry = { seq: 0, data: { genesis: genesis.sha256 }, agreements: notes, facts };
    return foundingFacts(entry as unknown as Entry, genesis, () => utf8(vectors.genesis));
  }
});

describe("plan", () => {
  const vectors = vectorsOf("plan") as {
    readonly plan: string;
    readonly sha256: string;
    readonly steps: readonly string[];
    readonly subject: Subject;
    readonly emptySubject: Subject;
    readonly refused: readonly (Case & { readonly plan: string })[];
  };
  interface Subject {
    readonly data: JsonObject;
    readonly shown: readonly string[];
    readonly sha256: string;
  }

  test("the document has the digests of plan and steps", () => {
    const read = readPlanDocument(vectors.plan);
    assert.equal(read?.sha256, vectors.sha256);
    assert.deepEqual(
      read.steps.map((step) => step.sha256),
      vectors.steps,
    );
  });

  test("subjects have the digests", () => {
    for (const { data, shown, sha256 } of [vectors.subject, vectors.emptySubject]) {
      assert.equal(subjectDigest(data, shown), sha256);
      assert.notEqual(subjectDigest(data, [...shown, ""]), sha256);
    }
  });

  for (const { name, expect, plan } of vectors.refused) {
    test(`refused, ${expect}: ${name}`, () => {
      assert.equal(classOf(plan), expect);
    });
  }

  // As the fold reads it: the attachment is found by its digest, and is canonical when both agree.
  function classOf(plan: string): string {
    const read = readPlanDocument(plan);
    if (read === undefined) return "form";
    const cited = sha256Hex(plan) === vectors.sha256 && read.sha256 === vectors.sha256;
    return cited ? "accepted" : "digest";
  }
});

describe("agreements, judged against the ledger", () => {
  const { judged } = vectorsOf("agreement") as {
    readonly judged: {
      readonly roster: Readonly<Record<string, JsonObject>>;
      readonly expected: Expected;
      readonly at: string;
      readonly minutes: number;
      readonly cases: readonly (Case & { readonly note: string })[];
    };
  };
  const ANOTHER: Readonly<Record<string, RegExp>> = {
    ...Object.fromEntries(
      ["origin", "ceremony", "decision", "plan", "step", "subject", "policy", "nonce"].map((n) => [
        n,
        new RegExp(`for another ${n}$`),
      ]),
    ),
    software: /for another build/,
    opened: /for another head/,
    expired: /had expired/,
    "too long": /lives longer/,
    "unknown person": /not on the roster/,
    "wrong signer": /not signed by/,
  };

  for (const { name, expect, note } of judged.cases) {
    test(`Q11: ${expect}: ${name}`, () => {
      const window = { at: parseTimestamp(judged.at) ?? NaN, minutes: judged.minutes };
      const result = judgeAgreement(note, judged.expected, window, (person) => {
        const card = judged.roster[person];
        return card === undefined
          ? `${person} is not on the roster`
          : parseCard(utf8(canonicalJson(card)));
      });
      if (expect === "counts") assert.ok(result.ok, JSON.stringify(result));
      else assert.ok(!result.ok && matching(ANOTHER, expect)(new Error(result.problem)));
    });
  }
});

function matching(classes: Readonly<Record<string, RegExp>>, expected: string) {
  return (error: unknown): true => {
    const pattern = classes[expected];
    assert.ok(pattern, `the vectors expect "${expected}", which no class is`);
    assert.match(messageOf(error), pattern);
    return true;
  };
}
