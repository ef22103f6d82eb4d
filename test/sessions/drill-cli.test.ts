/**
 * The restore drill as a line of a crontab: nobody at the keyboard, one JSON document, exit 0 on PASS alone.
 * The drill HSM is of another vendor than the HSM that holds the keys.
 */

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { installedModule } from "../support/rig.ts";
import {
  CEREMONIES,
  FOUNDERS,
  initOptions,
  newFolder,
  RehearsedSite,
  succeeded,
  VAULTS,
  type Ran,
} from "../support/rehearsed-site.ts";

const site = new RehearsedSite(newFolder());
const DRILL = ["run", "restore-drill", "--json"];
const ANSWERS = ["--answers", join(CEREMONIES, "restore-drill", "answers.yaml")];

/** SoftHSM holds the keys and their copy; the drills are on NSS. */
function makeSite(): void {
  for (const person of Object.keys(FOUNDERS)) succeeded(site.makeIdentity(person));
  for (const vault of VAULTS) mkdirSync(site.vault(vault), { recursive: true });
  const shipped = readFileSync(join(CEREMONIES, "policy.yaml"), "utf8");
  const policy = join(site.folder, "policy.yaml");
  writeFileSync(
    policy,
    shipped
      .replace("hsms:\n", 'hsms:\n  - { manufacturer: "Mozilla Foundation" }\n')
      .replace(/^drills:.*$/m, "drills: { maxAgeDays: 90, rtoMinutes: 5, rpoDays: 7 }"),
  );
  const options = initOptions(site, { policy }).map((word) =>
    word === "gamma=soft" ? "gamma=nss" : word,
  );
  const nss = ["--module", `nss=nss:${installedModule("nss")}`];
  succeeded(site.keyrite(["init", "--site", site.site, ...options, ...nss]));
}

interface Document {
  readonly ceremony: string;
  readonly state: string;
  readonly failure: { readonly code: string } | null;
  readonly drill: {
    readonly kind: string;
    readonly verdict: string;
    readonly keys: number;
    readonly reasons: readonly string[];
  };
}

function told(ran: Ran): Document {
  return JSON.parse(ran.stdout) as Document;
}

test("a drill on the other vendor's HSM passes unattended, and leaves a report and a page", () => {
  makeSite();
  for (const name of ["establish-site", "initialize-token", "prepare-backup", "generate-root-ca"]) {
    succeeded(site.rehearse(name));
  }
  const { ceremony, drill, failure, state } = told(succeeded(site.keyrite([...DRILL, ...ANSWERS])));
  assert.deepEqual(
    [drill.kind, drill.verdict, drill.keys, drill.reasons, failure, state],
    ["rehearsal", "pass", 1, [], null, "closed"],
  );
  const outbox = site.file(join("outbox", ceremony));
  const report = JSON.parse(readFileSync(join(outbox, "drill-report.json"), "utf8")) as {
    readonly token: { readonly manufacturer: string };
    readonly notProved: readonly string[];
    readonly recovery: { readonly milliseconds: number; readonly met: boolean };
  };
  assert.equal(report.token.manufacturer, "Mozilla Foundation");
  assert.ok(report.recovery.met && report.recovery.milliseconds > 0);
  assert.ok(report.notProved.some((line) => line.includes("SoftHSM")));
  const page = readFileSync(join(outbox, "drill-report.html"), "utf8");
  assert.match(page, /<b>PASS<\/b>/);
  assert.match(page, /<svg/);
});

test("a vault that is away can be inserted, and the step tried again, in the same ceremony", () => {
  const vault = site.vault("onsite");
  renameSync(vault, `${vault}-away`);
  const ran = site.rehearse("restore-drill", ({ answers }) => {
    answers["load"] = { again: { room: ["again", "stop"] } };
  });
  renameSync(`${vault}-away`, vault);
  assert.notEqual(ran.code, 0);
  const asked = /step 5 has not begun, and the refusal is recorded\. What now\?/g;
  assert.equal(ran.stderr.match(asked)?.length, 2);
});

test("it fails with an exit code and a reason while a vault is away, and passes again afterwards", () => {
  const vault = site.vault("onsite");
  renameSync(vault, `${vault}-away`);
  const failed = site.keyrite([...DRILL, ...ANSWERS]);
  renameSync(`${vault}-away`, vault);
  assert.notEqual(failed.code, 0);
  const { drill, failure, ceremony, state } = told(failed);
  assert.deepEqual([drill.verdict, state], ["fail", "closed"]);
  assert.match(drill.reasons.join("\n"), /step load .*vault onsite/);
  assert.ok(failure);
  assert.match(failed.stderr, /hint: /);
  const page = readFileSync(site.file(join("outbox", ceremony, "drill-report.html")), "utf8");
  assert.match(page, /<b>FAIL<\/b>/);

  assert.equal(told(succeeded(site.keyrite([...DRILL, ...ANSWERS]))).drill.verdict, "pass");
  assert.match(
    succeeded(site.keyrite(["verify", "--trust", site.file("trust.txt")])).stdout,
    /^Integrity: CONSISTENT$/m,
  );
  const status = succeeded(site.keyrite(["status"])).stdout;
  assert.match(status, /rehearsal FAIL/);
  assert.match(status, /it never counts/);
});

test("the drill HSM is retired, and wiping one without a security officer is said to be that", () => {
  const ran = succeeded(site.rehearse("retire-token"));
  assert.match(ran.stderr, /no security officer's PIN was needed/);
  assert.doesNotMatch(succeeded(site.keyrite(["status"])).stdout, /^ {2}gamma\b/m);
});
