/** SIGKILL in the middle of generate-key, before and after the key exists: in doubt, never guessed. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { rule, ShimModule } from "../support/shim.ts";
import {
  lastOf,
  refused,
  siteAt,
  succeeded,
  type AnswersChange,
  type RehearsedSite,
} from "../support/rehearsed-site.ts";

interface Status {
  readonly open: { readonly id: string } | null;
  readonly inDoubt: {
    readonly id: string;
    readonly action: string;
    readonly begunSeq: number;
    readonly intent: { readonly ckaId: string };
  } | null;
}

interface Inspected {
  readonly objects: readonly { readonly ckaId: string; readonly label: string }[];
}

function statusOf(site: RehearsedSite): Status {
  return JSON.parse(succeeded(site.keyrite(["status", "--json"])).stdout) as Status;
}

/** The CA keys on the token; its transport key was made before. */
function objectsOn(site: RehearsedSite): Inspected["objects"] {
  const { stdout } = succeeded(site.keyrite(["hsm", "inspect", "alpha", "--json"]));
  return (JSON.parse(stdout) as Inspected).objects.filter(({ label }) => label !== "transport");
}

function abandon(site: RehearsedSite, present: Readonly<Record<string, string>>, agree?: string[]) {
  const change: AnswersChange = (answers) => {
    answers.answers = { abandon: { present: { ...present } } };
    if (agree !== undefined) answers.agree = { generate: agree };
  };
  return site.rehearse("generate-root-ca", change, ["--abandon"]);
}

const TWO = { ana: "ceremony-administrator", eve: "internal-witness" };
const shim = new ShimModule();

for (const kill of ["before", "after"] as const) {
  describe(`C02: killed ${kill} C_GenerateKeyPair has done its work`, () => {
    const site = siteAt("prepared", shim);
    shim.calls();
    const env = shim.with(rule("C_GenerateKeyPair", 1, `kill-${kill}`));
    const killed = site.rehearse("generate-root-ca", undefined, [], { env });
    const calls = shim.calls();
    const intent = lastOf(site, "step.begun");
    const ckaId = String((intent.data["intent"] as Readonly<Record<string, unknown>>)["ckaId"]);

    test("the intent is on record with its CKA_ID, the outcome is not", () => {
      assert.equal(killed.signal, "SIGKILL", killed.stderr);
      assert.equal(calls.at(-1), "C_GenerateKeyPair", "the kill was in that very call");
      assert.equal(intent.step, "generate");
      assert.match(ckaId, /^[0-9a-f]{32}$/);
      assert.equal(site.entries().at(-1)?.seq, intent.seq);
      succeeded(site.keyrite(["verify"]));
    });

    test("the token holds what it holds, and the CKA_ID finds it", () => {
      const found = objectsOn(site).map((object) => object.ckaId);
      assert.deepEqual([...new Set(found)], kill === "before" ? [] : [ckaId]);
    });

    test("status shows the doubt with its CKA_ID, in words and as JSON", () => {
      const { stdout } = succeeded(site.keyrite(["status"]));
      assert.match(stdout, /IN DOUBT: step \d+ \(generate, generate-key\) was begun at/);
      assert.match(stdout, new RegExp(`look on the token for an object with CKA_ID ${ckaId}`));
      const { inDoubt, open } = statusOf(site);
      assert.deepEqual(
        [inDoubt?.id, inDoubt?.action, inDoubt?.begunSeq, inDoubt?.intent.ckaId],
        ["generate", "generate-key", intent.seq, ckaId],
      );
      assert.equal(open?.id, intent.ceremony);
    });

    test("any other run exits 7, shows the CKA_ID and touches no token", () => {
      const size = site.entries().length;
      shim.calls();
      for (const ceremony of ["record-deviation", "generate-root-ca"]) {
        const ran = site.rehearse(ceremony);
        refused(ran, "halted.in-doubt", "is still open", `CKA_ID ${ckaId}`, "--abandon");
      }
      assert.equal(site.entries().length, size);
      assert.deepEqual(shim.acts(), []);
    });

    test("one person cannot end it, nor two of whom one declines", () => {
      refused(abandon(site, { ana: "ceremony-administrator" }), "people.quorum-not-met", "two");
      refused(abandon(site, TWO, ["ana"]), "people.declined", "eve declined");
      assert.equal(statusOf(site).inDoubt?.intent.ckaId, ckaId);
      refused(site.rehearse("record-deviation"), "halted.in-doubt");
    });

    test("two people end it, the doubt on record; then a ceremony makes another key", () => {
      succeeded(abandon(site, TWO));
      const ended = lastOf(site, "ceremony.abandoned");
      assert.match(JSON.stringify(ended.data), new RegExp(ckaId));
      assert.equal(ended.agreements.length, 2);
      assert.deepEqual([statusOf(site).open, statusOf(site).inDoubt], [null, null]);
      assert.match(
        succeeded(site.keyrite(["status"])).stdout,
        new RegExp(`RED: ceremony .* in doubt at .*: token alpha may hold .* CKA_ID ${ckaId}`),
      );
      succeeded(
        site.rehearse("generate-root-ca", ({ set }) => {
          set["key"] = "root-g2";
        }),
      );
      assert.match(succeeded(site.keyrite(["verify"])).stdout, /^Integrity: CONSISTENT/m);
      const labels = new Set(objectsOn(site).map(({ label }) => label));
      assert.deepEqual(
        [...labels].sort(),
        kill === "before" ? ["root-g2"] : ["root-g1", "root-g2"],
      );
    });

    test("H10: the label of a key that a crash left on the token is not taken again", () => {
      if (kill === "before") assert.ok(!objectsOn(site).some(({ label }) => label === "root-g1"));
      else {
        const ran = site.rehearse("generate-root-ca", ({ set }) => {
          set["subject"] = "CN=Again,O=Example,C=DE";
        });
        refused(ran, "hsm.object-exists", "root-g1");
      }
    });
  });
}

test("C02: killed before C_InitToken the step is in doubt as well, and two people end it", () => {
  const site = siteAt("founded", shim);
  const env = shim.with(rule("C_InitToken", 1, "kill-before"));
  const ran = site.rehearse("initialize-token", undefined, [], { env });
  assert.equal(ran.signal, "SIGKILL", ran.stderr);
  const { inDoubt } = statusOf(site);
  assert.equal(inDoubt?.id, "initialize");
  refused(site.rehearse("record-deviation"), "halted.in-doubt", "initialize");
  succeeded(abandon(site, TWO));
  succeeded(site.rehearse("record-deviation"));
});
