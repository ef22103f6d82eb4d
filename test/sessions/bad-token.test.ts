/** Tokens that are not the ones meant: refused before a PIN is tried, on record, with nothing changed. */

import assert from "node:assert/strict";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { sha256Hex } from "../../src/lib/encoding.ts";
import { installedModule } from "../support/rig.ts";
import { ShimModule } from "../support/shim.ts";
import { makeProductionPeople } from "../support/production.ts";
import {
  CEREMONIES,
  initOptions,
  lastOf,
  newFolder,
  refused,
  RehearsedSite,
  siteAt,
  succeeded,
} from "../support/rehearsed-site.ts";

function refusedStep(site: RehearsedSite, step: string, code: string): void {
  const entry = lastOf(site, "step.refused");
  assert.deepEqual([entry.step, entry.data["code"]], [step, code]);
  succeeded(site.keyrite(["verify"]));
}

function edit(path: string, from: string | RegExp, to: string): void {
  const text = readFileSync(path, "utf8");
  const changed = text.replace(from, to);
  assert.notEqual(changed, text, `${String(from)} stands in ${path}`);
  writeFileSync(path, changed);
}

describe("a token that is not there, or another one", () => {
  test("absent: named, with the tokens that answer", () => {
    const site = siteAt("prepared");
    rmSync(site.file("tokens"), { recursive: true });
    const ran = site.rehearse("generate-root-ca");
    refused(ran, "hsm.token-absent", "no token has the serial", "one blank token");
    refusedStep(site, "inspect", "hsm.token-absent");
    refused(site.keyrite(["hsm", "inspect", "alpha"]), "hsm.token-absent");
  });

  test("H03: another device with the same label", () => {
    const site = siteAt("prepared");
    const other = siteAt("founded");
    succeeded(other.rehearse("initialize-token"));
    rmSync(site.file("tokens"), { recursive: true });
    cpSync(other.file("tokens"), site.file("tokens"), { recursive: true });
    const ran = site.rehearse("generate-root-ca");
    refused(ran, "hsm.wrong-token", "the token labelled alpha has the serial");
    refusedStep(site, "inspect", "hsm.wrong-token");
  });

  test("the serial in site.yaml is not the one in custody", () => {
    const site = siteAt("prepared");
    edit(site.file("site.yaml"), "serial: blank", "serial: 0123456789abcdef");
    const size = site.entries().length;
    const ran = site.rehearse("generate-root-ca");
    assert.equal(ran.code, 3, ran.stderr);
    assert.match(ran.stderr, /serial "0123456789abcdef", the ledger binds it to/);
    assert.equal(site.entries().length, size);
  });

  test("the serial in site.yaml names no token there is", () => {
    const site = siteAt("founded");
    edit(site.file("site.yaml"), "serial: blank", "serial: 0123456789abcdef");
    const ran = site.rehearse("initialize-token");
    refused(ran, "hsm.token-absent", "0123456789abcdef");
    refusedStep(site, "inspect", "hsm.token-absent");
  });

  test("not initialised: its ceremony comes first", () => {
    const site = siteAt("founded");
    refused(
      site.rehearse("generate-root-ca"),
      "script.refused",
      "alpha is not initialized by then",
    );
  });

  test("H15: the module file is missing, writable by others, relative, or exchanged", () => {
    const shim = new ShimModule();
    const site = siteAt("initialized", shim);
    const path = JSON.stringify(shim.path);
    const other = new ShimModule();
    writeFileSync(other.path, "\n", { flag: "a" });
    edit(site.file("site.yaml"), path, JSON.stringify(other.path));
    const exchanged = site.rehearse("generate-root-ca");
    assert.ok(exchanged.code === 3 || exchanged.code === 5, exchanged.stderr);
    assert.match(exchanged.stderr, /module/);
    assert.deepEqual(other.calls(), [], "nothing of it was used");
    edit(site.file("site.yaml"), JSON.stringify(other.path), '"/nowhere/libsofthsm2.so"');
    const missing = site.keyrite(["hsm", "list"]);
    refused(missing, "hsm.module-unavailable", "/nowhere/libsofthsm2.so");
  });
});

describe("the policy's list", () => {
  function siteWithPolicy(from: string, to: string): RehearsedSite {
    const made = siteAt("made");
    const policy = join(newFolder(), "policy.yaml");
    cpSync(join(CEREMONIES, "policy.yaml"), policy);
    edit(policy, from, to);
    rmSync(made.site, { recursive: true });
    succeeded(made.keyrite(["init", ...initOptions(made, { policy })]));
    succeeded(made.rehearse("establish-site"));
    return made;
  }

  test("a token that is not on it is neither initialised nor looked at for long", () => {
    const site = siteWithPolicy("SoftHSM project", "Acme");
    const ran = site.rehearse("initialize-token");
    refused(ran, "hsm.not-allowed", "SoftHSM", "not on the policy's list");
    refusedStep(site, "inspect", "hsm.not-allowed");
    const check = site.keyrite(["check", "initialize-token", "--tokens"]);
    refused(check, "hsm.not-allowed", "not on the policy's list");
  });

  test("an algorithm that is not on it is an objection", () => {
    const site = siteAt("prepared");
    const ran = siteWithPolicy("p-256, p-384, p-521]", "p-256]").rehearse("generate-root-ca");
    refused(ran, "script.refused", "the policy does not allow p-384");
    succeeded(
      site.keyrite([
        "check",
        "generate-root-ca",
        "--set",
        "key=a",
        "--set",
        "subject=CN=a,O=Example,C=DE",
      ]),
    );
  });
});

/** A founding script that also looks at the token. */
const FOUNDING = `keyrite: script/v1
name: found-with-a-look
version: 1.0.0
title: Found the site and look at its token
founding: true
caClass: none
policyRefs: ["CPS:5.2.1"]
roles: { ceremony-administrator: 1, internal-witness: 1 }
steps:
  - { id: roll-call, action: roll-call, by: everyone }
  - { id: inspect, action: inspect-token, by: [ceremony-administrator], with: { token: alpha } }
  - { id: close, action: close, by: everyone }
`;

test("H15: a production site takes no unpinned module, no software token, no answers, no test identity, no demo", async () => {
  const site = new RehearsedSite(newFolder());
  await makeProductionPeople(site);
  const origin = "pki.example.org/dc1";
  const policy = join(newFolder(), "policy.yaml");
  cpSync(join(CEREMONIES, "policy.yaml"), policy);
  const cheap = site.keyrite(["init", ...initOptions(site, { origin, policy })]);
  refused(cheap, "script.refused", "no policy for production", "17");

  edit(policy, "logN: 12", "logN: 17");
  const unpinned = site.keyrite(["init", ...initOptions(site, { origin, policy })]);
  refused(unpinned, "script.refused", "must name model, firmware and moduleDigest");
  const half = join(newFolder(), "policy.yaml");
  cpSync(policy, half);
  edit(half, '"SoftHSM project"', '"SoftHSM project", model: "SoftHSM v2", firmware: "2.6"');
  const nearly = site.keyrite(["init", ...initOptions(site, { origin, policy: half })]);
  refused(nearly, "script.refused", "moduleDigest on a production site");
  const digest = sha256Hex(readFileSync(installedModule("softhsm")));
  const listed = `model: "SoftHSM v2", firmware: "2.6", moduleDigest: "${digest}"`;
  edit(policy, '"SoftHSM project"', `"SoftHSM project", ${listed}`);
  succeeded(site.keyrite(["init", ...initOptions(site, { origin, policy })]));
  const script = join(newFolder(), "script.yaml");
  writeFileSync(script, FOUNDING);
  succeeded(site.keyrite(["check", script]));
  const look = site.keyrite(["check", script, "--tokens"]);
  refused(look, "hsm.not-allowed", "software token and the site is a production site");
  const inspected = succeeded(site.keyrite(["hsm", "inspect", "alpha"]));
  assert.match(inspected.stdout, /^Policy .*software token/m);

  const answers = ["--answers", site.writeAnswers("establish-site")];
  refused(site.keyrite(["run", "establish-site", ...answers]), "usage.refused", "production");
  refused(site.keyrite(["run", "establish-site"]), "usage.no-terminal", "not a terminal");
  for (const [KEYRITE_SITE, cwd, out] of [
    [site.site, newFolder(), join(newFolder(), "demo")],
    [newFolder(), site.site, join(newFolder(), "demo")],
    [newFolder(), newFolder(), site.file("demo")],
  ] as const) {
    const ran = site.keyrite(["demo", "--out", out], { cwd, env: { KEYRITE_SITE } });
    refused(ran, "usage.refused", "is a production site");
  }

  const test = siteAt("made");
  const mixed = ["init", "--site", join(newFolder(), "site")];
  const options = initOptions(test, { origin, policy });
  refused(test.keyrite([...mixed, ...options]), "people.role-not-held", "test assurance");
  assert.deepEqual(site.entries(), [], "nothing of all this was recorded as a ceremony");
});
