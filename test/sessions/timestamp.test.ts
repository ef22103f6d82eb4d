/** RFC 3161 time stamps on heads, made by openssl's authority: believed only when everything about them fits. */

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { sha256Hex } from "../../src/lib/encoding.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { canonicalJson, type JsonObject } from "../../src/lib/json.ts";
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

test("a bundle brings the stamps along, and says that they are still to be believed", () => {
  const folder = site.file("../evidence");
  const tar = site.file("../evidence.tar");
  succeeded(site.keyrite(["export", folder, "--tar", tar]));
  const [name = ""] = readdirSync(join(folder, "timestamps"));
  assert.deepEqual(readFileSync(join(folder, "timestamps", name)), Buffer.from(response));
  const verified = succeeded(site.keyrite(["verify", folder]));
  assert.match(verified.stdout, /authority of the time stamp in it can be believed/);
  const python = spawnSync("python3", [join(folder, "verify.py"), folder], { encoding: "utf8" });
  assert.doesNotMatch(python.stdout, /bundle/, python.stderr);
  for (const place of [folder, tar]) {
    const words = ["timestamp", "verify", place, "--root", authority.root];
    assert.match(succeeded(site.keyrite(words)).stdout, /^CN=Stamp Authority, O=Example saw it at/);
  }
  const other = timeAuthority(newFolder("not-it"));
  assert.equal(site.keyrite(["timestamp", "verify", tar, "--root", other.root]).code, 6);
});

test("C18: a stamp on something else, or under another name, is no part of a bundle", () => {
  const kept = site.file("timestamps");
  const [name = ""] = readdirSync(kept);
  const wrong = join(kept, name.replace(/^\d+/, "2"));
  copyFileSync(join(kept, name), wrong);
  const ran = site.keyrite(["export", site.file("../wrong")]);
  assert.equal(ran.code, 2);
  assert.match(ran.stderr, /is none of this ledger's: its name is that of another answer/);
  rmSync(wrong);
  const bundle = site.file("../forged");
  succeeded(site.keyrite(["export", bundle]));
  const foreign = authority.answer(foreignRequest(), site.file("../foreign.tsr"));
  const bytes = readFileSync(foreign);
  const path = `timestamps/2-${sha256Hex(bytes).slice(0, 8)}.tsr`;
  writeFileSync(join(bundle, path), bytes);
  list(bundle, path, bytes);
  const verified = site.keyrite(["verify", bundle]);
  assert.equal(verified.code, 6, verified.stdout);
  assert.match(verified.stdout, /on none of this ledger's checkpoints/);
});

/** A request for a stamp on another site's head. */
function foreignRequest(): string {
  const elsewhere = siteAt("made");
  succeeded(elsewhere.rehearse("establish-site"));
  const out = elsewhere.file("../head.tsq");
  succeeded(elsewhere.keyrite(["timestamp", "request", "--out", out]));
  return out;
}

interface Manifest extends JsonObject {
  readonly files: { readonly path: string; readonly sha256: string; readonly bytes: number }[];
}

/** Has the manifest list one more file, as whoever holds a bundle can. */
function list(bundle: string, path: string, bytes: Uint8Array): void {
  const place = join(bundle, "bundle.json");
  const manifest = JSON.parse(readFileSync(place, "utf8")) as Manifest;
  manifest.files.push({ path, sha256: sha256Hex(bytes), bytes: bytes.length });
  manifest.files.sort((a, b) => (a.path < b.path ? -1 : 1));
  writeFileSync(place, canonicalJson(manifest));
}

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
