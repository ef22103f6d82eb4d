/** Where the command line finds the documents of a script: beside it, among the shipped ones, by a path. */

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { LONGEST_INPUT } from "../../src/ceremony/inputs.ts";
import { planInputs } from "../../src/cli/plan-inputs.ts";
import { fromUtf8, sha256Hex } from "../../src/lib/encoding.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { shippedProfile } from "../support/profiles.ts";

const folder = mkdtempSync(join(tmpdir(), "keyrite-inputs-"));
after(() => {
  rmSync(folder, { recursive: true });
});
mkdirSync(join(folder, "mine"));
mkdirSync(join(folder, "profiles"));
writeFileSync(join(folder, "profiles", "own.yaml"), "own\n");
writeFileSync(join(folder, "profiles", "tls-root.yaml"), "mine, and not the shipped one\n");
writeFileSync(join(folder, "secret.yaml"), "not a profile\n");
writeFileSync(join(folder, "a.csr"), "a request\n");
writeFileSync(join(folder, "long.csr"), new Uint8Array(LONGEST_INPUT + 1));
symlinkSync(join(folder, "a.csr"), join(folder, "link.csr"));

function inputs(read = new Map<string, Uint8Array>()) {
  return planInputs(join(folder, "mine", "script.yaml"), () => undefined, read);
}

test("a profile beside the script's folder comes before a shipped one", () => {
  const source = inputs();
  const profile = (name: string): Uint8Array | undefined => source.profile(name);
  assert.equal(fromUtf8(profile("own") ?? new Uint8Array()), "own\n");
  assert.match(fromUtf8(profile("tls-root") ?? new Uint8Array()), /^mine/);
  const shipped = sha256Hex(profile("private-root") ?? "");
  assert.equal(shipped, sha256Hex(shippedProfile("private-root")));
});

for (const name of ["../secret", "..", "/etc/passwd", "own.yaml", "", "a/b", "missing", "own\n"]) {
  test(`${JSON.stringify(name)} names no profile`, () => {
    assert.equal(inputs().profile(name), undefined);
  });
}

test("every profile that could be meant is known by its name", () => {
  const names = inputs().profiles();
  for (const name of ["own", "tls-root", "tls-subordinate", "ocsp-responder"]) {
    assert.equal(names.filter((one) => one === name).length, 1, name);
  }
});

test("what was taken in is kept with its bytes, so that a change is noticed", () => {
  const read = new Map<string, Uint8Array>();
  const source = inputs(read);
  source.file(join(folder, "a.csr"));
  source.profile("own");
  assert.deepEqual(
    [...read].map(([path, bytes]) => [path, fromUtf8(bytes)]),
    [
      [join(folder, "a.csr"), "a request\n"],
      [join(folder, "profiles", "own.yaml"), "own\n"],
    ],
  );
});

for (const [name, code] of [
  ["missing.csr", "site.missing"],
  ["long.csr", "usage.bad-file"],
  ["link.csr", "usage.bad-file"],
  ["profiles", "usage.bad-file"],
] as const) {
  test(`I01: ${name} is not taken in`, () => {
    assert.throws(
      () => inputs().file(join(folder, name)),
      (error) => error instanceof KeyriteError && error.code === code,
    );
  });
}
