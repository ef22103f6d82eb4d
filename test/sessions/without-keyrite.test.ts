/** A token's PIN opened with stock age and a Shamir combine of a few lines; and it logs in. */

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createHsm } from "../../src/hsm/hsm.ts";
import { ageSecretKey, combineByHand } from "../support/by-hand.ts";
import { secretOf } from "../support/identities.ts";
import { identityFileOf, shareFileOf, shareIn, shareSetOf } from "../support/opened.ts";
import { newFolder, siteAt, type RehearsedSite } from "../support/rehearsed-site.ts";
import { installedModule, systemRandom } from "../support/rig.ts";
import { age, ageTyping } from "../support/stock-age.ts";

type Purpose = "activation" | "security-officer";

/** The lines inside the sealed file, by stock age and the shares of these people. */
async function openedByHand(
  site: RehearsedSite,
  purpose: Purpose,
  people: readonly string[],
): Promise<string> {
  const found = shareSetOf(site, purpose);
  const shares: Uint8Array[] = [];
  for (const person of people) {
    const text = await ageTyping(`${person} drill`, ["-d", "-i", "identity", "share"], {
      identity: readFileSync(identityFileOf(site, person)),
      share: readFileSync(shareFileOf(site, person, found)),
    });
    shares.push(shareIn(Buffer.from(text).toString("utf8")));
  }
  const key = join(newFolder(), "key");
  writeFileSync(key, `${ageSecretKey(combineByHand(shares))}\n`);
  const copy = join(site.medium(people[0] ?? ""), "sealed", `${found.name}.age`);
  return Buffer.from(age(["-d", "-i", key], readFileSync(copy))).toString("utf8");
}

test("the sealed PIN is opened without Keyrite, by any two holders, and logs in", async () => {
  const site = siteAt("generated");
  const opened = await openedByHand(site, "activation", ["ben", "dan"]);
  const pin = /^pin (.+)$/m.exec(opened)?.[1];
  assert.ok(pin, "the sealed file holds a PIN");
  assert.match(opened, /^keyrite\/sealed\/v1\nset s/);
  assert.match(opened, /\nlabel alpha\n/);
  assert.equal(await openedByHand(site, "activation", ["cleo", "ben"]), opened);
  const officer = await openedByHand(site, "security-officer", ["cleo", "dan"]);
  const officerPin = /^pin (.+)$/m.exec(officer)?.[1];
  assert.ok(officerPin);
  assert.notEqual(officerPin, pin);

  const hsm = createHsm({
    setEnvironment: (name, value) => {
      process.env[name] = value;
    },
    random: systemRandom,
    monotonic: () => performance.now(),
  });
  const module = {
    name: "soft",
    profile: "softhsm",
    path: installedModule("softhsm"),
    tokenDir: site.file("tokens"),
  } as const;
  try {
    const tokens = await hsm.tokens(module);
    const serial = tokens.find((token) => token.label === "alpha")?.serial ?? "";
    for (const wrong of [officerPin, `${pin.slice(0, -1)}${pin.endsWith("0") ? "1" : "0"}`]) {
      await assert.rejects(hsm.login(module, serial, "alpha", secretOf(wrong)), {
        code: "hsm.pin-rejected",
      });
    }
    const session = await hsm.login(module, serial, "alpha", secretOf(pin));
    await session.logout();
  } finally {
    await hsm.close();
  }
});

test("Q02: one share alone opens nothing", async () => {
  const site = siteAt("generated");
  await assert.rejects(openedByHand(site, "activation", ["ben"]), /no identity matched/);
});
