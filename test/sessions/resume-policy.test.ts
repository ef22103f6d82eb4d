/** SIGKILL while a policy changes: the copy may be in place before it is in force, and no command is refused for it. */

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { refused, siteAt, succeeded, type RehearsedSite } from "../support/rehearsed-site.ts";

const PRELOAD = join(import.meta.dirname, "..", "support", "kill-at-file.mjs");
const TWO = { ana: "ceremony-administrator", eve: "internal-witness" };

/** Killed while the change is made; the copy is the new one already. */
function killed(): {
  readonly site: RehearsedSite;
  readonly before: string;
  readonly next: string;
} {
  const site = siteAt("founded");
  const before = readFileSync(site.file("policy.yaml"), "utf8");
  const next = `${before}# newer\n`;
  writeFileSync(site.file("policy.next.yaml"), next);
  const env = {
    ...{ NODE_OPTIONS: `--import ${PRELOAD}`, KEYRITE_KILL_FILE: "policy.yaml.new" },
    KEYRITE_KILL_WHEN: "sync",
  };
  const ran = site.rehearse("change-policy", undefined, [], { env });
  assert.equal(ran.signal, "SIGKILL", ran.stderr);
  writeFileSync(site.file("policy.yaml"), next);
  return { site, before, next };
}

for (const settle of ["finish", "undo"] as const) {
  test(`C02: killed while the policy changes, two people ${settle}`, () => {
    const { site, next } = killed();
    succeeded(site.keyrite(["status"]));
    const ran = site.rehearse(
      "change-policy",
      (answers) => {
        answers.answers = { resume: { present: TWO }, change: { settle: { room: settle } } };
      },
      ["--resume"],
    );
    succeeded(ran);
    assert.match(ran.stderr, /The copy policy\.yaml is the new one already/);
    // Undone, it is performed anew: the new one is in force either way.
    assert.equal(readFileSync(site.file("policy.yaml"), "utf8"), next);
    succeeded(site.keyrite(["status"]));
  });
}

test("C02: killed while the policy changes, and given up: the copy in force is put back", () => {
  const { site, before } = killed();
  const ran = site.rehearse(
    "change-policy",
    (answers) => {
      answers.answers = { abandon: { present: TWO } };
    },
    ["--abandon"],
  );
  succeeded(ran);
  assert.equal(readFileSync(site.file("policy.yaml"), "utf8"), before);
  succeeded(site.keyrite(["status"]));
  writeFileSync(site.file("policy.yaml"), `${before}# by hand\n`);
  refused(site.keyrite(["status"]), "ledger.policy-differs", "adopted");
});
