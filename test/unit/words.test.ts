import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fromHex, fromUtf8 } from "../../src/lib/encoding.ts";
import { passphraseWords, spokenWords } from "../../src/lib/words.ts";
import { seededRandom } from "../support/identities.ts";

function spoken(hex: string): string {
  return spokenWords(fromHex(hex) ?? new Uint8Array()).join(" ");
}

describe("spoken words", () => {
  // The published example of the PGP word list.
  test("say the published fingerprint", () => {
    assert.equal(
      spoken("e58294f2e9a227486e8b061b31cc528fd7fa3f19"),
      "topmost Istanbul Pluto vagabond treadmill Pacific brackish dictator goldfish Medusa " +
        "afflict bravado chatter revolver Dupont midsummer stopwatch whimsical cowbell bottomless",
    );
  });

  test("are 512 different words, the two lists apart", () => {
    const words = Array.from({ length: 256 }, (_, i) => spokenWords(Uint8Array.of(i, i))).flat();
    assert.equal(new Set(words.map((word) => word.toLowerCase())).size, 512);
    assert.ok(words.every((word) => /^[A-Za-z]+$/.test(word)));
  });

  test("differ when two bytes are swapped or one is left out", () => {
    assert.notEqual(spoken("0102"), spoken("0201"));
    assert.ok(!spoken("010203").endsWith(spoken("0203")));
  });
});

describe("generated passphrases", () => {
  test("S01: are bytes of as many words as asked, and print as nothing", async () => {
    const passphrase = await passphraseWords(seededRandom("words"), 6);
    assert.match(passphrase.use(fromUtf8), /^[a-z]+( [a-z]+){5}$/);
    assert.equal(String(passphrase), "[secret]");
  });

  test("reach the first and the last word of the list, from the low eleven bits", async () => {
    const fixed = (bytes: number[]): Promise<string> =>
      passphraseWords({ bytes: () => Uint8Array.from(bytes) }, bytes.length / 2).then((secret) =>
        secret.use(fromUtf8),
      );
    assert.equal(await fixed([0, 0, 7, 255]), "abandon zoo");
    assert.equal(await fixed([0xf8, 0, 0xff, 255]), "abandon zoo");
  });

  test("differ with the random bytes", async () => {
    const random = seededRandom("two");
    const [one, two] = [await passphraseWords(random, 6), await passphraseWords(random, 6)];
    assert.notEqual(one.use(fromUtf8), two.use(fromUtf8));
  });
});
