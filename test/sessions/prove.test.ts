/** `keyrite prove` and `keyrite verify-proof`: one entry, proved under a cosigned head, checked without a ledger. */

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { keyrite, newFolder, refused, siteAt, succeeded } from "../support/rehearsed-site.ts";
import type { JsonObject } from "../../src/lib/json.ts";

const site = siteAt("generated");
const folder = newFolder();
const proof = join(folder, "entry.tlog-proof");
const trust = ["--trust", site.file("trust.txt")];
const genesis = ["--genesis", site.file("genesis.json")];
succeeded(site.keyrite(["prove", "5", "--out", proof]));
const text = readFileSync(proof, "utf8");

/** The proof with something changed. */
function changed(change: (text: string) => string): string {
  const path = join(newFolder(), "changed.tlog-proof");
  writeFileSync(path, change(text));
  return path;
}

test("a proof is a C2SP tlog-proof, the same whether written or printed, and checked offline", () => {
  assert.match(text, /^c2sp\.org\/tlog-proof@v1\nextra [A-Za-z0-9+/=]+\nindex 5\n/);
  assert.equal(succeeded(site.keyrite(["prove", "5"])).stdout, text);
  const ran = succeeded(keyrite(["verify-proof", proof, ...trust, ...genesis, "--json"]));
  const said = JSON.parse(ran.stdout) as JsonObject;
  assert.equal(said["schema"], "keyrite/verify-proof/v1");
  assert.equal(said["verdict"], "INCLUDED AND COSIGNED");
  assert.equal(said["anchored"], true);
  assert.equal((said["entry"] as JsonObject)["seq"], 5);
  assert.ok((said["cosigners"] as readonly string[]).length >= 2);
});

test("without cards of cosigners it says so, and never more than that it is included", () => {
  const ran = succeeded(keyrite(["verify-proof", proof, ...trust]));
  assert.match(ran.stdout, /^Verdict: INCLUDED$/m);
  assert.match(ran.stdout, /^Not excluded: that the ledger's owner alone/m);
  const one = ["--card", join(site.medium("eve"), "keyrite", "card.json")];
  assert.match(
    succeeded(keyrite(["verify-proof", proof, ...trust, ...one])).stdout,
    /Cosigned by eve/,
  );
});

test("without a trusted key nothing is proved; with a genesis alone it is not anchored", () => {
  refused(keyrite(["verify-proof", proof]), "ledger.not-trusted");
  const ran = succeeded(keyrite(["verify-proof", proof, ...genesis]));
  assert.match(ran.stdout, /COSIGNED \(not anchored\)/);
  const other = join(folder, "other-trust.txt");
  writeFileSync(other, `genesis ${"0".repeat(64)}\n`);
  refused(keyrite(["verify-proof", proof, "--trust", other, ...genesis]), "ledger.not-trusted");
});

test("C14: a changed entry, index, hash, head or cosignature proves nothing", () => {
  const flips: Readonly<Record<string, (text: string) => string>> = {
    entry: (t) => t.replace(/extra (.{20})./, (_, head: string) => `extra ${head}A`),
    index: (t) => t.replace("index 5", "index 6"),
    hash: (t) =>
      t.replace(/\n[A-Za-z0-9+/]{43}=\n/, `\n${Buffer.alloc(32, 1).toString("base64")}\n`),
    size: (t) =>
      t.replace(
        /\n(\d+)\n([A-Za-z0-9+/]{43}=)\n\n—/,
        (_, size: string, root: string) => `\n${Number(size) + 1}\n${root}\n\n—`,
      ),
    cosignature: (t) =>
      t.replace(/(— example\.org\/people\/ana .{60})./, (_, head: string) => `${head}A`),
    end: (t) => t.slice(0, -2),
    nothing: () => "",
  };
  for (const [name, flip] of Object.entries(flips)) {
    const path = changed(flip);
    assert.notEqual(readFileSync(path, "utf8"), text, name);
    const ran = keyrite(["verify-proof", path, ...trust, ...genesis]);
    assert.equal(ran.code, 6, `${name}: ${ran.stdout}${ran.stderr}`);
  }
});

test("what is not there, and what nobody cosigned, cannot be proved", () => {
  refused(site.keyrite(["prove", "999999"]), "usage.bad-option", "there is no entry");
  refused(site.keyrite(["prove", "-1"]), "usage.bad-option");
  refused(site.keyrite(["prove", "5", "--out", proof]), "site.file-exists");
  const open = siteAt("founded");
  succeeded(open.rehearse("initialize-token"));
  const cosigned = open.entries().length;
  succeeded(open.keyrite(["prove", String(cosigned - 1)]));
  const declined = open.rehearse("record-deviation", (answers) => {
    answers.agree = { "roll-call": [] };
  });
  assert.notEqual(declined.code, 0);
  refused(open.keyrite(["prove", String(cosigned)]), "ledger.not-trusted", "nobody has cosigned");
});
