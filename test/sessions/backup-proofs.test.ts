/** What `keyrite run` leaves beside a backup after the close, and how it is judged and written anew. */

import assert from "node:assert/strict";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
} from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { backUpEscrowed, onlyBackup, preparedSite } from "../support/escrowed-site.ts";
import { refused, succeeded } from "../support/rehearsed-site.ts";

interface Run {
  readonly proofs: readonly {
    readonly backup: string;
    readonly vault: string;
    readonly problem: string | null;
  }[];
}
interface Verdict {
  readonly schema: string;
  readonly verdict: string;
  readonly anchored: boolean;
  readonly signers: readonly string[];
  readonly findings: readonly string[];
  readonly notChecked: readonly string[];
}

const site = preparedSite();
const ran = succeeded(backUpEscrowed(site, "p-256", ["--json"]));
const trust = ["--trust", site.file("trust.txt")];

test("run writes the proofs into every copy, and says so", () => {
  const { proofs } = JSON.parse(ran.stdout) as Run;
  const backup = basename(onlyBackup(site, "onsite"));
  assert.deepEqual(proofs, [
    { backup, vault: "onsite", problem: null },
    { backup, vault: "offsite", problem: null },
  ]);
  for (const vault of ["onsite", "offsite"]) {
    const names = readdirSync(join(onlyBackup(site, vault), "proofs"));
    assert.ok(names.includes("genesis.json") && names.includes("checkpoint"));
    // Its signers are founders, so nothing but the backup, when it was begun, and its KEK needs proof.
    assert.equal(names.filter((name) => name.endsWith(".tlog-proof")).length, 3);
  }
});

test("a backup is judged without the site, by its trust file", () => {
  const folder = onlyBackup(site, "offsite");
  const text = succeeded(site.keyrite(["backup", "verify", folder, ...trust])).stdout;
  assert.match(text, /^Verdict: CONSISTENT$/m);
  assert.match(text, /^Signed by ana and eve$/m);
  assert.match(text, /^This KEK has existed outside an HSM$/m);
  assert.match(text, /^TEST – not of a production site$/m);
  const env = { KEYRITE_SITE: "/nowhere" };
  const json = succeeded(site.keyrite(["backup", "verify", folder, ...trust, "--json"], { env }));
  const verdict = JSON.parse(json.stdout) as Verdict;
  assert.equal(verdict.schema, "keyrite/backup-verify/v1");
  assert.deepEqual([verdict.verdict, verdict.anchored], ["CONSISTENT", true]);
  assert.deepEqual([verdict.signers, verdict.findings], [["ana", "eve"], []]);
  assert.ok(verdict.notChecked.length > 0, "it says what it could not check");
  const own = succeeded(site.keyrite(["backup", "verify", folder])).stdout;
  assert.match(own, /^Verdict: CONSISTENT WITH ITS OWN GENESIS \(not anchored\)$/m);
});

test("H18: an altered backup is refused with what is wrong, for the auditor to act", () => {
  const folder = onlyBackup(site, "offsite");
  const [key = ""] = readdirSync(join(folder, "keys"));
  appendFileSync(join(folder, "keys", key), "x");
  const ended = site.keyrite(["backup", "verify", folder, ...trust, "--json"]);
  refused(ended, "ledger.backup-damaged", "does not verify", key);
  assert.equal((JSON.parse(ended.stdout) as Verdict).verdict, "DAMAGED");
  const elsewhere = join(folder, "..", "backup-20200101-aaaa");
  cpSync(onlyBackup(site, "onsite"), elsewhere, { recursive: true });
  const swapped = site.keyrite(["backup", "verify", elsewhere, ...trust]);
  rmSync(elsewhere, { recursive: true });
  refused(swapped, "ledger.backup-damaged", `it is backup ${basename(folder)}, in a folder that`);
  const inside = site.keyrite(["backup", "verify", join(folder, "keys")]);
  refused(inside, "usage.bad-file", "is not the folder of a backup", "VAULT/backup-");
  const above = site.keyrite(["backup", "verify", join(folder, "..")]);
  refused(above, "usage.bad-file", "is not the folder of a backup", `in it: ${basename(folder)}`);
  refused(site.keyrite(["backup", "verify", "/nowhere"]), "usage.bad-file", "there is no backup");
});

test("proofs that are gone are written anew; a medium that is gone is named", () => {
  const folder = onlyBackup(site, "onsite");
  const backup = basename(folder);
  rmSync(join(folder, "proofs"), { recursive: true });
  const bare = site.keyrite(["backup", "verify", folder, ...trust]);
  refused(bare, "ledger.not-trusted", "who signed it", "backup prove");
  assert.match(bare.stdout, /^Verdict: CANNOT TELL \(not anchored\)$/m);
  const away = `${site.vault("offsite")}-away`;
  renameSync(site.vault("offsite"), away);
  refused(site.keyrite(["backup", "prove", backup]), "site.disk", "vault offsite");
  assert.ok(existsSync(join(folder, "proofs", "checkpoint")), "the other copy has its proofs");
  succeeded(site.keyrite(["backup", "prove", backup, "--vault", `offsite=${away}`]));
  succeeded(site.keyrite(["backup", "verify", folder, ...trust]));
  renameSync(away, site.vault("offsite"));
  refused(site.keyrite(["backup", "prove", "backup-x"]), "usage.refused", "no completed backup");
});

test("--vault overrides where a vault is, for the backup and for its proofs", () => {
  const other = preparedSite();
  const elsewhere = join(other.folder, "elsewhere");
  mkdirSync(elsewhere);
  const ended = succeeded(
    backUpEscrowed(other, "p-256", ["--json", "--vault", `offsite=${elsewhere}`]),
  );
  const { proofs } = JSON.parse(ended.stdout) as Run;
  assert.deepEqual(
    proofs.map(({ vault, problem }) => [vault, problem]),
    [
      ["onsite", null],
      ["offsite", null],
    ],
  );
  assert.deepEqual(readdirSync(other.vault("offsite")), []);
  const [backup = ""] = readdirSync(elsewhere);
  succeeded(other.keyrite(["backup", "verify", join(elsewhere, backup)]));
});
