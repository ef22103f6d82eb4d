/** SIGKILL of a real run, then `keyrite run --resume`: nothing twice, nothing missing. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { rule, ShimModule } from "../support/shim.ts";
import {
  lastOf,
  refused,
  siteAt,
  succeeded,
  type AnswersChange,
  type Ran,
  type RehearsedSite,
} from "../support/rehearsed-site.ts";

interface Inspected {
  readonly objects: readonly { readonly ckaId: string; readonly label: string }[];
}

interface Status {
  readonly open: { readonly id: string } | null;
  readonly inDoubt: { readonly id: string; readonly done: number } | null;
}

function labelsOn(site: RehearsedSite, token: string): readonly string[] {
  const { stdout } = succeeded(site.keyrite(["hsm", "inspect", token, "--json"]));
  return (JSON.parse(stdout) as Inspected).objects.map(({ label }) => label);
}

function statusOf(site: RehearsedSite): Status {
  return JSON.parse(succeeded(site.keyrite(["status", "--json"])).stdout) as Status;
}

const TWO = { ana: "ceremony-administrator", eve: "internal-witness" };

/** Resumes a shipped ceremony; `steps` are those of its steps that are still asked about. */
function resume(
  site: RehearsedSite,
  ceremony: string,
  steps: readonly string[],
  settle: Readonly<Record<string, string>>,
  more: AnswersChange = () => undefined,
): Ran {
  return site.rehearse(
    ceremony,
    (answers) => {
      const kept = Object.entries(answers.answers).filter(([step]) => steps.includes(step));
      answers.answers = { ...Object.fromEntries(kept), resume: { present: TWO } };
      for (const [step, answer] of Object.entries(settle)) {
        answers.answers[step] = { ...answers.answers[step], settle: { room: answer } };
      }
      more(answers);
    },
    ["--resume"],
  );
}

const shim = new ShimModule();

for (const [kill, settle] of [
  ["before", "finish"],
  ["after", "undo"],
] as const) {
  describe(`C02: killed ${kill} C_GenerateKeyPair has done its work, and resumed`, () => {
    const site = siteAt("prepared", shim);
    const env = shim.with(rule("C_GenerateKeyPair", 1, `kill-${kill}`));
    const killed = site.rehearse("generate-root-ca", undefined, [], { env });
    const { ceremony } = lastOf(site, "step.begun");

    test("one person does not resume it, nor two of whom one declines", () => {
      assert.equal(killed.signal, "SIGKILL", killed.stderr);
      const alone = resume(site, "generate-root-ca", [], {}, (answers) => {
        answers.answers["resume"] = { present: { ana: "ceremony-administrator" } };
      });
      refused(alone, "people.quorum-not-met", "one is present");
      const declined = resume(site, "generate-root-ca", [], {}, (answers) => {
        answers.agree = { resume: ["ana"] };
      });
      refused(declined, "people.declined", "eve declined", "--resume");
      assert.equal(statusOf(site).inDoubt?.id, "generate");
    });

    test("another script or other parameters are not resumed, and nothing is done undecided", () => {
      refused(
        site.rehearse("record-deviation", undefined, ["--resume"]),
        "usage.refused",
        "script",
      );
      const undecided = resume(site, "generate-root-ca", [], {});
      refused(undecided, "halted.in-doubt", "stays as it was found", "--abandon");
      const set = site.rehearse("generate-root-ca", undefined, ["--resume", "--set", "key=other"]);
      refused(set, "usage.bad-option", "keeps its parameters");
    });

    test(`two people go on and ${settle}: there is one key, and the ceremony is closed`, () => {
      const ran = resume(site, "generate-root-ca", ["generate", "storage"], { generate: settle });
      succeeded(ran);
      assert.equal(statusOf(site).open, null);
      assert.equal(lastOf(site, "ceremony.closed").ceremony, ceremony);
      const keys = labelsOn(site, "alpha").filter((label) => label === "root-g1");
      assert.equal(keys.length, 1, "one public object; the private one needs a login to be seen");
      assert.match(succeeded(site.keyrite(["verify"])).stdout, /^Integrity: CONSISTENT/m);
      refused(resume(site, "generate-root-ca", [], {}), "usage.refused", "no ceremony is open");
    });
  });
}

test("killed in the middle of a restore, the rest is restored: nothing twice, nothing missing", () => {
  const site = siteAt("prepared", shim);
  succeeded(site.rehearse("generate-issuing-keys"));
  succeeded(site.rehearse("back-up-ca-keys"));
  const env = shim.with(rule("C_UnwrapKey/token", 1, "kill-after"));
  const killed = site.rehearse("restore-ca-keys", undefined, [], { env });
  assert.equal(killed.signal, "SIGKILL", killed.stderr);
  const status = statusOf(site);
  assert.equal(status.inDoubt?.id, "restore");
  succeeded(resume(site, "restore-ca-keys", ["storage"], { restore: "finish" }));
  assert.equal(statusOf(site).open, null);
  const restored = site
    .entries()
    .filter(({ type, data }) => type === "step.completed" && data["item"] !== undefined)
    .flatMap(({ facts }) => facts.filter(({ kind }) => kind === "key.restored"));
  assert.equal(restored.length, 2);
  assert.match(succeeded(site.keyrite(["verify"])).stdout, /^Integrity: CONSISTENT/m);
});

for (const [crash, settle] of [
  ["before", "finish"],
  ["after", "undo"],
] as const) {
  test(`C02: a module that crashes ${crash} its work fails the step with a sentence, and the step is resumed`, () => {
    const site = siteAt("prepared", shim);
    const env = shim.with(rule("C_GenerateKeyPair", 1, `crash-${crash}`));
    const ran = site.rehearse("generate-root-ca", undefined, [], { env });
    refused(ran, "hsm.module-ended", "module process ended .module soft, SIGSEGV", "--resume");
    assert.match(ran.stderr, /the last it said: and complain/);
    const failed = lastOf(site, "step.failed");
    assert.deepEqual([failed.step, failed.data["code"]], ["generate", "hsm.module-ended"]);
    succeeded(resume(site, "generate-root-ca", ["generate", "storage"], { generate: settle }));
    assert.equal(statusOf(site).open, null);
    assert.equal(labelsOn(site, "alpha").filter((label) => label === "root-g1").length, 1);
  });
}

test("C02: a run after one that was killed alone waits for its module's process, then settles what it left", () => {
  const site = siteAt("prepared", shim);
  const env = shim.with(rule("C_GenerateKeyPair", 1, "kill-before:parent"));
  const killed = site.rehearse("generate-root-ca", undefined, [], { env });
  assert.equal(killed.signal, "SIGKILL", killed.stderr);
  const ran = resume(site, "generate-root-ca", ["generate", "storage"], { generate: "undo" });
  succeeded(ran);
  assert.match(ran.stderr, /found on token alpha|is on token alpha|destroyed/, "the pair is there");
  assert.equal(labelsOn(site, "alpha").filter((label) => label === "root-g1").length, 1);
});
