/** `keyrite archive`: periods that chain, retention dates, and what makes no archive. */

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { sha256Hex } from "../../src/lib/encoding.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { keyrite, newFolder, refused, siteAt, succeeded } from "../support/rehearsed-site.ts";

const site = siteAt("initialized");
const out = newFolder();
const [first, second] = [join(out, "first"), join(out, "second")];
const read = (folder: string): JsonObject =>
  JSON.parse(readFileSync(join(folder, "archive.json"), "utf8")) as JsonObject;
succeeded(site.keyrite(["archive", first, "--tar", join(out, "first.tar")]));
const before = site.entries().length;
succeeded(site.rehearse("record-deviation"));

test("LG-13: archives chain, each naming the one before by digest, and each verifies by itself", () => {
  succeeded(site.keyrite(["archive", second, "--after", first]));
  const [one, two] = [read(first), read(second)];
  assert.deepEqual(
    [one["number"], one["previous"], one["from"], one["to"]],
    [1, "none", 0, before],
  );
  assert.deepEqual([two["number"], two["from"], two["to"]], [2, before, site.entries().length]);
  const named = two["previous"] as JsonObject;
  assert.equal(named["bundle"], sha256Hex(readFileSync(join(first, "bundle.json"))));
  assert.equal(named["root"], one["root"]);
  for (const archive of [first, second, join(out, "first.tar")]) {
    succeeded(keyrite(["verify", archive, "--trust", site.file("trust.txt")]));
  }
});

test("the folder and the .tar of an archive are one and the same predecessor", () => {
  const fromTar = join(newFolder(), "second");
  succeeded(site.keyrite(["archive", fromTar, "--after", join(out, "first.tar")]));
  assert.deepEqual(read(fromTar), read(second));
});

test("LG-11: a site with records and no CA key keeps them two years from the last one", () => {
  const retention = read(second)["retention"] as JsonObject;
  const { closed: at } = read(second);
  assert.ok(typeof at === "string");
  const closed = new Date(at);
  closed.setUTCFullYear(closed.getUTCFullYear() + 2);
  assert.equal(retention["until"], closed.toISOString());
});

test("C11: another ledger, an earlier state, and what is no archive are refused as predecessors", () => {
  const other = siteAt("initialized");
  succeeded(other.rehearse("record-deviation"));
  // The same beginning goes on otherwise: the second archive is of a fork.
  refused(other.keyrite(["archive", join(newFolder(), "x"), "--after", second]), "ledger.forked");
  const bundle = join(newFolder(), "bundle");
  succeeded(site.keyrite(["export", bundle]));
  for (const wrong of [bundle, site.site, site.file("ledger.db")]) {
    refused(site.keyrite(["archive", join(newFolder(), "x"), "--after", wrong]), "usage.bad-file");
  }
});

test("C17: a ledger that is shorter than the archive before makes none", () => {
  const short = siteAt("initialized");
  refused(short.keyrite(["archive", join(newFolder(), "x"), "--after", second]), "ledger.forked");
});

test("C18: a forged archive.json is found out, even with a manifest that fits", () => {
  for (const change of [
    { number: 7 },
    { from: 1 },
    { closed: "2020-01-01T00:00:00.000Z" },
    { previous: { ...(read(second)["previous"] as JsonObject), root: "0".repeat(64) } },
  ]) {
    const folder = join(newFolder(), "forged");
    succeeded(site.keyrite(["archive", folder, "--after", first]));
    const forged = JSON.stringify({ ...read(folder), ...change });
    writeFileSync(join(folder, "archive.json"), forged);
    const path = join(folder, "bundle.json");
    const manifest = JSON.parse(readFileSync(path, "utf8")) as {
      files: { path: string; sha256: string; bytes: number }[];
    };
    const listed = manifest.files.find((file) => file.path === "archive.json");
    assert.ok(listed);
    listed.sha256 = sha256Hex(forged);
    listed.bytes = forged.length;
    writeFileSync(path, JSON.stringify(manifest));
    refused(keyrite(["verify", folder]), "ledger.damaged");
  }
});

test("a period is closed only when its end is cosigned", () => {
  const open = siteAt("initialized");
  const declined = open.rehearse("record-deviation", (answers) => {
    answers.agree = { "roll-call": [] };
  });
  assert.notEqual(declined.code, 0);
  const ran = open.keyrite(["archive", join(newFolder(), "x")]);
  assert.ok(ran.code === 6 || ran.code === 7, ran.stderr);
  assert.match(ran.stderr, /is open|not cosigned/);
});
