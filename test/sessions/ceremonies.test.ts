/** Every shipped ceremony, in order, from nothing; and that a rehearsal cannot drift from its script. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { refused, siteAt, succeeded, type RehearsedSite } from "../support/rehearsed-site.ts";
import { preparedFor, shippedInOrder } from "../support/shipped.ts";

interface Status {
  readonly open: unknown;
  readonly inDoubt: unknown;
  readonly size: number;
  readonly cosigned: number;
  readonly concerns: readonly string[];
  readonly ceremonies: readonly { readonly script: string; readonly state: string }[];
  readonly custody: Readonly<Record<string, unknown>>;
}

test("every shipped ceremony runs in order from nothing, and everything fits afterwards", () => {
  const site = siteAt("made");
  const order = shippedInOrder();
  for (const name of ["establish-site", "initialize-token", "generate-root-ca"]) {
    assert.ok(order.includes(name), `${name} ships`);
  }
  for (const ceremony of order) {
    succeeded(site.rehearse(ceremony, undefined, preparedFor(site, ceremony)));
  }
  const status = JSON.parse(succeeded(site.keyrite(["status", "--json"])).stdout) as Status;
  assert.deepEqual(
    status.ceremonies.map(({ script, state }) => [script, state]),
    order.map((script) => [script, "closed"]),
  );
  // Copies off site are what people carry there; nothing else is left to do.
  const due = status.concerns.filter((text) => !/^key [\w.-]+: it (is on|has) /.test(text));
  assert.deepEqual([status.open, status.inDoubt, due], [null, null, []]);
  assert.equal(status.cosigned, status.size);
  assert.equal(status.size, site.entries().length);
  assert.match(JSON.stringify(status.custody), /"root-g1"/);
  assert.match(JSON.stringify(status.custody), /"fay"/);
  const trust = ["--trust", site.file("trust.txt")];
  const verdict = succeeded(site.keyrite(["verify", ...trust])).stdout;
  assert.match(verdict, /^Integrity: CONSISTENT$/m);
  const { stdout } = succeeded(site.keyrite(["verify", ...trust, "--head", site.medium("ana")]));
  assert.match(stdout, /^Verdict: CONFORMS/m);
  assert.doesNotMatch(stdout, /CANNOT TELL|VIOLATION/);
  acceptedByOpenssl(site);
});

function openssl(...args: readonly string[]): string {
  return execFileSync("openssl", args, { encoding: "utf8", stdio: "pipe" });
}

/** What was issued verifies under the root it belongs to, strictly; lists and requests do so too. */
function acceptedByOpenssl(site: RehearsedSite): void {
  const outbox = site.file("outbox");
  const files = readdirSync(outbox, { recursive: true, encoding: "utf8" });
  const path = (name: string): string => {
    const found = files.find((one) => basename(one) === name);
    assert.ok(found, `${name} lies in the outbox`);
    return join(outbox, found);
  };
  const strict = ["verify", "-x509_strict", "-check_ss_sig", "-CAfile"];
  for (const [root, names] of Object.entries({
    "root-ca": ["root-ca"],
    "root-h1": ["root-h1", "issuing-h1", "issuing-h2", "partner-ca", "partner-cross"],
    "root-h1-renewed": ["root-h1-renewed", "issuing-h1"],
  })) {
    for (const name of names) {
      assert.match(openssl(...strict, path(`${root}.pem`), path(`${name}.pem`)), /: OK$/m);
    }
  }
  const subject = openssl("x509", "-noout", "-subject", "-in", path("root-ca.pem"));
  assert.match(subject, /CN ?= ?Demo Root G1/);
  const revoked = openssl(
    "crl",
    "-noout",
    "-text",
    "-inform",
    "DER",
    "-in",
    path("root-crl-3.crl"),
  );
  assert.match(revoked, /CRL Reason Code: \n +Cessation Of Operation/);
  openssl("crl", "-noout", "-in", path("root-crl-3.crl.pem"), "-CAfile", path("root-h1.pem"));
  openssl("req", "-noout", "-verify", "-in", path("issuing-h1-request.csr"));
  const chain = openssl("pkcs7", "-print_certs", "-noout", "-in", path("issuing-h1.p7b"));
  assert.deepEqual([...chain.matchAll(/^subject/gm)].length, 2);
}

test("each shipped ceremony has no objection when it is checked at its place", () => {
  const site = siteAt("generated");
  const set = ["--set", "person=fay", "--set", "role=custodian", "--set", "reference=file 1"];
  succeeded(site.keyrite(["check", "enroll-person", ...set]));
  succeeded(site.keyrite(["check", "record-deviation"]));
  succeeded(site.keyrite(["check", "change-policy"]));
  // These have been performed: their places are taken, and each refusal says which.
  refused(site.keyrite(["check", "establish-site"]), "script.refused", "already founded");
  refused(site.keyrite(["check", "initialize-token"]), "script.refused", "already bound");
  const root = ["--set", "key=root-g1", "--set", "subject=CN=X"];
  refused(site.keyrite(["check", "generate-root-ca", ...root]), "script.refused", "already holds");
});

test("an answer that nobody asks for, and one that is missing, fail the rehearsal", () => {
  for (const ceremony of ["establish-site", "record-deviation"]) {
    const stage = ceremony === "establish-site" ? "made" : "founded";
    const unused = siteAt(stage).rehearse(ceremony, ({ answers }) => {
      answers["clock"] = { ...answers["clock"], colour: { ana: "red" } };
    });
    refused(unused, "script.answers", "answers what nobody asked", "colour");
  }
  const missing = siteAt("made");
  const ran = missing.rehearse("establish-site", ({ answers }) => {
    delete answers["sheet"];
  });
  refused(ran, "script.answers", "no answer left for step .sheet.");
  assert.match(succeeded(missing.keyrite(["status"])).stdout, /sheet: refused/);
});
