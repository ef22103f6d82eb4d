/** Cosigning by file: whoever vouches for a ledger elsewhere sees that it only grew, and signs nothing else. */

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { siteAt, succeeded, type Ran } from "../support/rehearsed-site.ts";

const site = siteAt("founded");
const trust = site.file("trust.txt");
const olga = site.medium("olga");
succeeded(site.makeIdentity("olga"));

const answers = join(site.folder, "cosign-answers.yaml");
writeFileSync(
  answers,
  JSON.stringify({
    keyrite: "answers/v1",
    after: [],
    set: {},
    passphrases: { olga: "olga drill" },
    answers: {},
    agree: "all",
  }),
);

let files = 0;
function newFile(name: string): string {
  files += 1;
  return join(site.folder, `${files}-${name}`);
}

function request(old: number, from = site): string {
  const out = newFile("request");
  succeeded(from.keyrite(["cosign", "request", "--old", String(old), "--out", out]));
  return out;
}

function sign(file: string, out = newFile("answer"), trusted = trust): Ran & { out: string } {
  const words = ["cosign", "sign", file, "--medium", olga, "--trust", trusted, "--out", out];
  return { ...site.keyrite([...words, "--answers", answers]), out };
}

const key = (): string =>
  (JSON.parse(readFileSync(join(olga, "keyrite", "card.json"), "utf8")) as { cosigning: string })
    .cosigning;

test("an auditor away from the site cosigns its head, and the site keeps the cosignature", () => {
  const ran = sign(request(0));
  succeeded(ran);
  assert.match(ran.stderr, /You carry no head of it yet: compare these words/);
  assert.equal(readdirSync(join(olga, "heads")).length, 1);
  const unknown = site.keyrite(["cosign", "accept", ran.out]);
  assert.equal(unknown.code, 6);
  assert.match(unknown.stderr, /nobody known here cosigns as example\.org\/people\/olga/);
  const accepted = succeeded(site.keyrite(["cosign", "accept", ran.out, "--key", key()]));
  assert.match(accepted.stderr, /olga cosigned the head of size \d+/);
  succeeded(site.keyrite(["cosign", "accept", ran.out, "--key", key()]));
  succeeded(site.keyrite(["verify", "--trust", trust]));
});

test("later the request has to start where the cosigner's head ends, and the proof to lead on", () => {
  const size = site.entries().length;
  succeeded(site.rehearse("record-deviation"));
  const wrong = sign(request(1));
  assert.equal(wrong.code, 6);
  assert.match(wrong.stderr, new RegExp(`starts from size 1, the head you carry has size ${size}`));
  const good = request(size);
  const text = readFileSync(good, "utf8");
  const [first = "", hash = "", ...rest] = text.split("\n");
  const flipped = `${hash.startsWith("A") ? "B" : "A"}${hash.slice(1)}`;
  const forged = newFile("request");
  writeFileSync(forged, [first, flipped, ...rest].join("\n"));
  const refused = sign(forged);
  assert.equal(refused.code, 6);
  assert.match(refused.stderr, /does not extend your head of size/);
  assert.ok(!existsSync(refused.out));
  const ran = sign(good);
  assert.match(succeeded(ran).stderr, new RegExp(`extends the ${size} that you vouched for`));
  succeeded(site.keyrite(["cosign", "accept", ran.out, "--key", key()]));
});

test("C15: an older copy of the ledger gets no cosignature: entries would be cut off", () => {
  const old = siteAt("founded");
  const head = site.entries().length;
  const file = request(0, old);
  const text = readFileSync(file, "utf8").replace(/^old 0\n/, `old ${head}\n`);
  const stale = newFile("request");
  writeFileSync(stale, text);
  const ran = sign(stale);
  assert.equal(ran.code, 6);
  assert.match(ran.stderr, /your head has \d+: entry \d+ is the first missing one/);
});

test("a ledger that is not the trusted one, or a file that is no request, gets nothing signed", () => {
  const size = site.entries().length;
  const other = newFile("trust");
  const line = readFileSync(trust, "utf8").split("\n")[0] ?? "";
  writeFileSync(other, `${line}\n`);
  const untrusted = sign(request(size), newFile("answer"), other);
  assert.equal(untrusted.code, 6);
  assert.match(untrusted.stderr, /nothing here says which key signs/);
  for (const text of ["", "old x\n\n", "old 0\nzz\n\nx\n", "hello", `old 0\n\n${"a".repeat(90)}`]) {
    const file = newFile("request");
    writeFileSync(file, text);
    const ran = sign(file);
    assert.equal(ran.code, 6, text);
    assert.doesNotMatch(ran.stderr, /\n {4}at /);
  }
  const file = newFile("answer");
  writeFileSync(file, "nonsense\n");
  assert.equal(site.keyrite(["cosign", "accept", file]).code, 6);
  const far = site.keyrite(["cosign", "request", "--old", "999999", "--out", newFile("r")]);
  assert.equal(far.code, 2);
});
