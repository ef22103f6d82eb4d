/** RFC 3161 time stamps on heads, made by openssl's authority: believed only when everything about them fits. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { KeyriteError } from "../../src/lib/errors.ts";
import { judgeTimestamp } from "../../src/pki/timestamp.ts";
import { siteAt, succeeded } from "../support/rehearsed-site.ts";
import { timeAuthority } from "../support/time-authority.ts";

const site = siteAt("founded");
const authority = timeAuthority(newFolder("tsa"));
const request = site.file("../head.tsq");
succeeded(site.keyrite(["timestamp", "request", "--out", request]));
const answer = authority.answer(request, site.file("../head.tsr"));
const response = new Uint8Array(readFileSync(answer));

function newFolder(name: string): string {
  const folder = join(site.folder, name);
  mkdirSync(folder);
  return folder;
}

function der(pem: string): Uint8Array {
  return new Uint8Array(
    execFileSync("openssl", ["x509", "-in", pem, "-outform", "DER"], {
      stdio: ["ignore", "pipe", "pipe"],
    }),
  );
}
const roots = [der(authority.root)];

test("an answer to our request is kept, and openssl agrees about it", () => {
  const words = ["timestamp", "accept", answer, "--request", request, "--root", authority.root];
  const accepted = succeeded(site.keyrite(words));
  assert.match(
    accepted.stderr,
    /CN=Stamp Authority, O=Example saw it at 20\d\d-.*Z: the head of size \d+/,
  );
  assert.equal(readdirSync(site.file("timestamps")).length, 1);
  succeeded(site.keyrite(words));
  assert.equal(readdirSync(site.file("timestamps")).length, 1, "kept once");
  const check = ["ts", "-verify", "-queryfile", request, "-in", answer, "-CAfile", authority.root];
  const said = execFileSync("openssl", check, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  assert.match(said, /Verification: OK/);
  const listed = succeeded(site.keyrite(["timestamp", "verify", "--root", authority.root]));
  assert.match(
    listed.stdout,
    /^CN=Stamp Authority, O=Example saw it at .*: the head of size \d+$/m,
  );
});

test("an authority below another root is not believed, and without a root nobody is", () => {
  const other = timeAuthority(newFolder("other"));
  const words = ["timestamp", "accept", answer, "--root", other.root];
  const ran = site.keyrite(words);
  assert.equal(ran.code, 6);
  assert.match(ran.stderr, /not below a root that you trust/);
  assert.equal(site.keyrite(["timestamp", "accept", answer]).code, 2);
});

test("a stamp on another ledger's head, or an answer to another request, is refused", () => {
  const elsewhere = siteAt("made");
  succeeded(elsewhere.rehearse("establish-site"));
  const foreign = elsewhere.keyrite(["timestamp", "accept", answer, "--root", authority.root]);
  assert.equal(foreign.code, 6);
  assert.match(foreign.stderr, /on none of this ledger's checkpoints/);
  const second = site.file("../second.tsq");
  succeeded(site.keyrite(["timestamp", "request", "--out", second]));
  const words = ["timestamp", "accept", answer, "--request", second, "--root", authority.root];
  const stale = site.keyrite(words);
  assert.equal(stale.code, 6);
  assert.match(stale.stderr, /it answers another request/);
});

test("every altered byte of a time stamp is refused, or leaves what it says as it was", () => {
  const honest = judgeTimestamp(response, { roots });
  let refused = 0;
  for (let at = 0; at < response.length; at += 1) {
    const bent = Uint8Array.from(response);
    bent[at] = (bent[at] ?? 0) ^ 1;
    try {
      const { time, authority: who, serial, policy, digest } = judgeTimestamp(bent, { roots });
      assert.deepEqual({ time, authority: who, serial, policy, digest }, honest, `byte ${at}`);
    } catch (error) {
      assert.ok(error instanceof KeyriteError, `byte ${at}: ${String(error)}`);
      refused += 1;
    }
  }
  assert.ok(refused > response.length * 0.9, `${refused} of ${response.length}`);
});

test("what is no time stamp is refused with a sentence", () => {
  for (const text of ["", "hello", "\u0030\u0003\u0002\u0001\u0002"]) {
    const file = site.file("../bad.tsr");
    writeFileSync(file, text, "latin1");
    const ran = site.keyrite(["timestamp", "accept", file, "--root", authority.root]);
    assert.equal(ran.code, 2, text);
    assert.match(ran.stderr, /the time stamp is refused/);
  }
});
