/** Bad shares at activation: each named with its holder when it is entered, and no PIN is ever tried. */

import assert from "node:assert/strict";
import { copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { encryptTo, x25519Recipient } from "../../src/lib/age.ts";
import { utf8 } from "../../src/lib/encoding.ts";
import { parseCard } from "../../src/people/card.ts";
import { ShimModule } from "../support/shim.ts";
import { shareFileOf, shareSetOf, shareTextOf, type FoundSet } from "../support/opened.ts";
import {
  lastOf,
  messageIn,
  refused,
  siteAt,
  succeeded,
  type RehearsedSite,
} from "../support/rehearsed-site.ts";

const shim = new ShimModule();

type Spoil = (site: RehearsedSite, found: FoundSet) => void | Promise<void>;

/** Seals a text to ben and puts it in the place of his share. */
async function replaceShare(site: RehearsedSite, found: FoundSet, text: string): Promise<void> {
  const card = parseCard(readFileSync(join(site.medium("ben"), "keyrite", "card.json")));
  const file = await encryptTo([x25519Recipient(card.recipient)], utf8(text));
  writeFileSync(shareFileOf(site, "ben", found), file);
}

async function changeShare(
  site: RehearsedSite,
  found: FoundSet,
  change: (text: string) => string,
): Promise<void> {
  const before = await shareTextOf(site, "ben", found);
  await replaceShare(site, found, change(before));
}

function flipByte(path: string, at: number): void {
  const bytes = readFileSync(path);
  const place = at < 0 ? bytes.length + at : at;
  bytes[place] = (bytes[place] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

const SPOILED: readonly (readonly [string, Spoil, RegExp])[] = [
  [
    "Q03: of another set",
    async (site, found) => {
      const other = shareSetOf(site, "security-officer");
      await replaceShare(site, found, await shareTextOf(site, "ben", other));
    },
    /it is of share set s/,
  ],
  [
    "Q03: of an older generation",
    (site, found) =>
      changeShare(site, found, (text) => text.replace("generation 1", "generation 7")),
    /it is of generation 7, which is not in use/,
  ],
  [
    "Q02: the share of another holder",
    (site, found) => {
      copyFileSync(shareFileOf(site, "cleo", found), shareFileOf(site, "ben", found));
    },
    /it is the share of cleo/,
  ],
  [
    "Q01: one byte of its header flipped",
    (site, found) => {
      flipByte(shareFileOf(site, "ben", found), 40);
    },
    /the file is (altered|damaged)/,
  ],
  [
    "Q01: its last byte flipped",
    (site, found) => {
      flipByte(shareFileOf(site, "ben", found), -1);
    },
    /the file is (altered|damaged)/,
  ],
  [
    "Q01: one digit of the share changed and sealed again by its holder",
    (site, found) =>
      changeShare(site, found, (text) =>
        text.replace(
          /share (.)(.{65})\n/,
          (_, first: string, rest: string) => `share ${first === "0" ? "1" : "0"}${rest}\n`,
        ),
      ),
    /its content was altered and re-encrypted/,
  ],
  [
    "Q01: the right share, sealed again by its holder",
    (site, found) => changeShare(site, found, (text) => text),
    /it was re-encrypted since it was issued/,
  ],
  [
    "Q02: not there",
    (site, found) => {
      rmSync(shareFileOf(site, "ben", found));
    },
    /the medium of ben holds no share of set s/,
  ],
  [
    "Q01: a file of another kind in its place",
    (site, found) => {
      rmSync(shareFileOf(site, "ben", found));
      copyFileSync(site.file("genesis.json"), shareFileOf(site, "ben", found));
    },
    /the file is (altered|damaged)/,
  ],
];

for (const [name, spoil, words] of SPOILED) {
  test(`${name}: refused with its holder, zero logins`, async () => {
    const site = siteAt("initialized", shim);
    await spoil(site, shareSetOf(site, "activation"));
    shim.calls();
    const ran = site.rehearse("generate-issuing-keys");
    refused(ran, "people.share-rejected", "ben", words);
    assert.deepEqual(shim.acts(), [], "no login, no key");
    const entry = lastOf(site, "step.refused");
    assert.equal(entry.step, "activate");
    assert.equal(entry.data["code"], "people.share-rejected");
    assert.match(messageIn(entry), words);
    const begun = site.entries().filter((e) => e.type === "step.begun" && e.step === "activate");
    assert.equal(begun.length, 1, "only the activation of the ceremony before");
    succeeded(site.keyrite(["verify"]));
  });
}

test("Q04: with the bad share's holder replaced by another the same media activate the token", () => {
  const site = siteAt("initialized", shim);
  rmSync(shareFileOf(site, "ben", shareSetOf(site, "activation")));
  shim.calls();
  const ran = site.rehearse("generate-issuing-keys", ({ answers, passphrases }) => {
    const present = answers["roll-call"]?.["present"];
    assert.ok(present);
    delete present["ben"];
    present["dan"] = "custodian";
    passphrases["dan"] = "dan drill";
  });
  succeeded(ran);
  assert.equal(shim.calls().filter((call) => call === "C_Login").length, 1);
});

test("Q01: a sealed PIN that was changed is not used; an unchanged copy on a medium is", () => {
  const site = siteAt("initialized", shim);
  const found = shareSetOf(site, "activation");
  flipByte(join(found.folder, "sealed.age"), -1);
  const copies = ["ben", "cleo"].map((one) =>
    join(site.medium(one), "sealed", `${found.name}.age`),
  );
  for (const copy of copies) flipByte(copy, 30);
  shim.calls();
  const ran = site.rehearse("generate-issuing-keys");
  refused(ran, "people.share-rejected", "no copy of the sealed secret");
  assert.deepEqual(shim.acts(), []);
  const [copy = ""] = copies;
  flipByte(copy, 30);
  // The activation had begun, so two people end that ceremony first.
  abandon(site);
  succeeded(site.rehearse("generate-issuing-keys"));
});

function abandon(site: RehearsedSite): void {
  succeeded(
    site.rehearse(
      "generate-issuing-keys",
      (answers) => {
        answers.answers = {
          abandon: { present: { ana: "ceremony-administrator", eve: "internal-witness" } },
        };
      },
      ["--abandon"],
    ),
  );
}
