/** Under --json every command prints exactly one document, whose schema names the command. */

import assert from "node:assert/strict";
import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  initOptions,
  keyrite,
  newFolder,
  siteAt,
  succeeded,
  type Ran,
} from "../support/rehearsed-site.ts";

type Document = Readonly<Record<string, unknown>>;

/** The one document on standard output. */
function documentOf(ran: Ran, schema: string): Document {
  const document = JSON.parse(ran.stdout) as Document;
  assert.equal(document["schema"], `keyrite/${schema}/v1`);
  return document;
}

const generated = siteAt("generated");
const SUBJECT = ["--set", "subject=CN=R,O=Example,C=DE"];
const PEOPLE = join(import.meta.dirname, "..", "..", "ceremonies", "people.yaml");

test("commands that look print one document", () => {
  const cases: readonly (readonly [readonly string[], string, string])[] = [
    [["status"], "status", "custody"],
    [["verify"], "verify", "verdict"],
    [["verify", "--trust", generated.file("trust.txt")], "verify", "anchored"],
    [["check", "generate-root-ca", "--set", "key=r2", ...SUBJECT], "check", "plan"],
    [["check", "generate-root-ca", "--set", "key=r2", ...SUBJECT, "--tokens"], "check", "plan"],
    [["paper", "generate-root-ca", "--set", "key=r2", ...SUBJECT], "paper", "markdown"],
    [["prove", "5"], "prove", "proof"],
    [["hsm", "list"], "hsm-list", "modules"],
    [["hsm", "inspect", "alpha"], "hsm-inspect", "objects"],
    [["identity", "show", "--medium", generated.medium("ana")], "identity", "card"],
  ];
  for (const [words, schema, member] of cases) {
    const document = documentOf(succeeded(generated.keyrite([...words, "--json"])), schema);
    assert.ok(member in document, `${schema} has ${member}`);
  }
  const doctor = documentOf(generated.keyrite(["doctor", "--json"]), "doctor");
  assert.ok(Array.isArray(doctor["checks"]));
});

test("commands that make something print one document", () => {
  const site = siteAt("made");
  const medium = join(newFolder(), "fay");
  const person = ["--person", "fay", "--name", "Fay", "--domain", "example.org"];
  const made = ["identity", "new", "--medium", medium, ...person, "--answers", PEOPLE, "--json"];
  documentOf(succeeded(keyrite(made)), "identity");
  const place = join(newFolder(), "site");
  const init = ["init", "--site", place, ...initOptions(site), "--json"];
  documentOf(succeeded(site.keyrite(init)), "init");
  for (const command of ["export", "archive"]) {
    const bundle = [command, join(newFolder(), "bundle"), "--json"];
    assert.ok("bundle" in documentOf(succeeded(generated.keyrite(bundle)), command));
  }
  const demo = ["demo", "record-deviation", "--out", join(newFolder(), "demo"), "--json"];
  const shown = documentOf(succeeded(keyrite(demo)), "demo");
  assert.deepEqual(shown["ceremonies"], ["record-deviation"]);
});

test("run ends with timings and the peak of its memory", () => {
  const site = siteAt("prepared");
  const ran = succeeded(site.rehearse("generate-root-ca", undefined, ["--json"]));
  const document = documentOf(ran, "run");
  assert.equal(document["state"], "closed");
  assert.equal(document["size"], site.entries().length);
  const timings = document["timings"] as Readonly<Record<string, number>>;
  assert.deepEqual(Object.keys(timings), ["pkcs11Ms", "kdfMs", "waitMs", "totalMs"]);
  const { pkcs11Ms = -1, kdfMs = -1, waitMs = -1, totalMs = -1 } = timings;
  for (const value of [pkcs11Ms, kdfMs, totalMs]) assert.ok(value > 0);
  assert.equal(waitMs, 0, "nobody is waited for in a rehearsal");
  assert.ok(pkcs11Ms + kdfMs < totalMs);
  const peak = document["peakRssMiB"];
  assert.ok(typeof peak === "number" && peak > 20 && peak < 1000, String(peak));
});

test("a refusal is one document too, with code, exit, message and hints", () => {
  const cases: readonly (readonly [Ran, string])[] = [
    [keyrite(["status", "--json", "--site", newFolder()]), "site.missing"],
    [keyrite(["run", "--force", "--json"]), "usage.bad-option"],
    [generated.keyrite(["run", "record-deviation", "--json"]), "usage.no-terminal"],
    [generated.keyrite(["hsm", "inspect", "delta", "--json"]), "usage.bad-option"],
    [
      siteAt("founded").rehearse(
        "record-deviation",
        ({ passphrases }) => {
          passphrases["eve"] = "wrong drill";
        },
        ["--json"],
      ),
      "people.authentication-failed",
    ],
  ];
  for (const [ran, code] of cases) {
    const { hints, ...document } = documentOf(ran, "error");
    assert.deepEqual([document["code"], document["exit"]], [code, ran.code]);
    assert.ok(Array.isArray(hints) && hints.length > 0);
    assert.equal(typeof document["message"], "string");
  }
});

test("a judgement that ends badly stays one document: its own", () => {
  const objections = generated.keyrite(["check", "generate-root-ca", "--set", "kye=x", "--json"]);
  assert.equal(objections.code, 3);
  assert.equal(documentOf(objections, "check")["ok"], false);

  const site = siteAt("founded");
  const bytes = readFileSync(site.file("ledger.db"));
  const at = bytes.lastIndexOf("ceremony.closed");
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(site.file("ledger.db"), bytes);
  const damaged = site.keyrite(["verify", "--json"]);
  assert.equal(damaged.code, 6);
  const judged = documentOf(damaged, "verify");
  assert.deepEqual([judged["verdict"], judged["integrity"]], ["DOES NOT CONFORM", "DAMAGED"]);
  const doctor = site.keyrite(["doctor", "--json"]);
  assert.notEqual(doctor.code, 0);
  assert.equal(documentOf(doctor, "doctor")["ok"], false);
});

test("S08: doctor does not pass over a site that lost its genesis, or a folder that is named and is none", () => {
  const site = siteAt("founded");
  rmSync(site.file("genesis.json"));
  for (const args of [[], ["--site", site.file("nowhere")]]) {
    const ran = site.keyrite(["doctor", "--json", ...args]);
    assert.notEqual(ran.code, 0);
    const { ok, checks } = documentOf(ran, "doctor");
    assert.equal(ok, false);
    assert.match(
      JSON.stringify(checks),
      /"name":"site","ok":false.*is not a site: it has no genesis/,
    );
  }
});

test("doctor names a file of a share set or KEK that is lost or not the one on record", () => {
  const site = siteAt("prepared");
  const whole = documentOf(site.keyrite(["doctor", "--json"]), "doctor")["checks"];
  assert.match(JSON.stringify(whole), /\d+ files of share sets and KEKs are as recorded/);
  const [kek = ""] = readdirSync(site.file("keks"));
  const envelopes = readdirSync(site.file(`keks/${kek}`)).filter((f) => f.endsWith(".envelope"));
  rmSync(site.file(`keks/${kek}/${envelopes[0] ?? ""}`));
  const [set = ""] = readdirSync(site.file("share-sets"));
  appendFileSync(site.file(`share-sets/${set}/sealed.age`), "\n");
  const ran = site.keyrite(["doctor"]);
  assert.notEqual(ran.code, 0);
  assert.match(ran.stdout, /sealed\.age is not the file on record.*, and 1 more/);
  assert.match(ran.stdout, /hint: keks\/.*envelope/);
});
