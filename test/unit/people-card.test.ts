import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { encodeBech32 } from "../../src/lib/bech32.ts";
import { fromHex, fromUtf8, sha256Hex, utf8 } from "../../src/lib/encoding.ts";
import { canonicalJson, type JsonObject } from "../../src/lib/json.ts";
import { cardDigest, formatCard, parseCard } from "../../src/people/card.ts";
import { makePerson } from "../support/identities.ts";

const ana = await makePerson("ana");
const ben = await makePerson("ben");

describe("cards", () => {
  test("a card is read back, and its digest is that of the file", () => {
    const bytes = formatCard(ana.card);
    assert.deepEqual(parseCard(bytes), ana.card);
    assert.equal(cardDigest(ana.card), sha256Hex(bytes));
    assert.equal(ana.card.keyName, "example.org/people/ana");
  });

  /** A verifier key with any name, type byte and key: what a hostile card may hold. */
  const vkey = (name: string, material: string): string => {
    const bytes = fromHex(material) ?? new Uint8Array();
    const id = sha256Hex(`${name}\n`, bytes).slice(0, 8);
    return `${name}+${id}+${Buffer.from(bytes).toString("base64")}`;
  };
  const smallOrder = "0100000000000000000000000000000000000000000000000000000000000000";
  const keyName = ana.card.keyName;

  const refused: Readonly<Record<string, [change: JsonObject, message: RegExp]>> = {
    "another kind": [{ keyrite: "card/v2" }, /keyrite/],
    "an unknown member": [{ role: "custodian" }, /members/],
    "a number as name": [{ name: 7 }, /name is not a text/],
    "an unknown assurance": [{ assurance: "high" }, /assurance/],
    "a person in capitals": [{ person: "Ana" }, /person id/],
    "a person of one letter": [{ person: "a" }, /person id/],
    "an empty name": [{ name: "" }, /name is empty/],
    "a name with a line break": [{ name: "Ana\nBen" }, /invisible/],
    "a name with a right-to-left override": [{ name: "Ana \u202eneB" }, /invisible/],
    "a name that is not in normal form C": [{ name: "Ame\u0301lie" }, /normal form C/],
    "a very long name": [{ name: "a".repeat(101) }, /longer/],
    "the key name of somebody else": [{ keyName: "example.org/people/ben" }, /key name/],
    "a key name without a domain": [{ keyName: "/people/ana" }, /key name/],
    "Q08: keys named after somebody else": [
      { signing: ben.card.signing, cosigning: ben.card.cosigning },
      /named example.org\/people\/ben/,
    ],
    "a cosigning key in the place of the signing key": [
      { signing: ana.card.cosigning },
      /type cosignature/,
    ],
    "a signing key in the place of the cosigning key": [
      { cosigning: ana.card.signing },
      /type ed25519/,
    ],
    "two different keys": [
      { cosigning: vkey(keyName, `04${otherKey()}`) },
      /signing and cosigning key differ/,
    ],
    "Q08: a key of small order": [
      {
        signing: vkey(keyName, `01${smallOrder}`),
        cosigning: vkey(keyName, `04${smallOrder}`),
      },
      /small order/,
    ],
    "a key with a wrong id": [
      { signing: ana.card.signing.replace(/\+\w{8}\+/, "+00000000+") },
      /id/,
    ],
    "Q08: a recipient of small order": [
      { recipient: fromUtf8(encodeBech32("age", new Uint8Array(32))) },
      /small order/,
    ],
    "no recipient": [{ recipient: "age1" }, /recipient/],
  };
  for (const [name, [change, message]] of Object.entries(refused)) {
    test(`refuses ${name}`, () => {
      const bytes = utf8(canonicalJson({ ...ana.card, ...change }));
      assert.throws(() => parseCard(bytes), { code: "usage.bad-file", message });
    });
  }

  const text = fromUtf8(formatCard(ana.card));
  const refusedTexts: Readonly<Record<string, string>> = {
    "Q13: a repeated member": text.replace('"person":"ana"', '"person":"ben","person":"ana"'),
    "white space": `${text}\n`,
    "members in another order": `{"person":"ana",${text.slice(1).replace('"person":"ana",', "")}`,
    "a missing member": text.replace('"person":"ana",', ""),
    "no object": "[]",
    "no JSON": "{",
    "a prototype": text.replace('"name"', '"__proto__"'),
  };
  for (const [name, changed] of Object.entries(refusedTexts)) {
    test(`refuses ${name}`, () => {
      assert.notEqual(changed, text);
      assert.throws(() => parseCard(utf8(changed)), { code: "usage.bad-file" });
    });
  }

  test("refuses bytes that are not UTF-8", () => {
    const bytes = formatCard(ana.card).map((byte) => (byte === 0x45 ? 0xff : byte));
    assert.throws(() => parseCard(bytes), { code: "usage.bad-file" });
  });
});

function otherKey(): string {
  return Buffer.from(ben.card.signing.split("+").slice(2).join("+"), "base64")
    .subarray(1)
    .toString("hex");
}
