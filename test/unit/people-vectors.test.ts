/** The published vectors of cards, agreements and share sets are what this program accepts and refuses. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { decryptWith, recipientOf, scryptIdentity } from "../../src/lib/age.ts";
import { fromBase64, fromHex, fromUtf8, utf8 } from "../../src/lib/encoding.ts";
import { checkSignature, parseSignatureLine } from "../../src/lib/note.ts";
import { Secret } from "../../src/lib/secret.ts";
import { checkAgreement, formatAgreement } from "../../src/people/agreement.ts";
import { cardDigest, cardKey, parseCard } from "../../src/people/card.ts";
import { checkGenesisNote } from "../../src/people/genesis-note.ts";
import { openIdentity } from "../../src/people/identity.ts";
import { parseShareSet, shareSetDigest } from "../../src/shares/share-set.ts";
import { combine, openShare, type EnteredShare } from "../../src/shares/use-share-set.ts";
import { secretOf, textOf } from "../support/identities.ts";
import { ageTyping } from "../support/stock-age.ts";

function vectorsOf(name: string): unknown {
  const path = new URL(`../vectors/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(path, "utf8"));
}

function bytesOf(base64: string): Uint8Array {
  return fromBase64(base64) ?? new Uint8Array();
}

/** What our messages say for each class of failure that the vectors name. */
function pattern(classes: Readonly<Record<string, RegExp>>, expected: string): RegExp {
  const found = classes[expected];
  if (found === undefined) throw new Error(`the vectors expect "${expected}", which no class is`);
  return found;
}

const CARD = {
  form: /canonical|members|person id|normal form/,
  names: /key name|is named/,
  key: /of type|recipient|small order/,
};
const AGREEMENT = {
  form: /malformed|is not "|goes on/,
  kind: /first line/,
  "wrong signature": /signature of .* is wrong/,
  "number of signatures": /bears \d+ signatures/,
  "wrong signer": /not signed by|but ana signed it/,
};
const SHARE = {
  form: /holds something else/,
  "foreign set": /is of share set/,
  generation: /is of generation/,
  "wrong person": /is the share of/,
  altered: /altered/,
  "no holder": /holds no share/,
};

describe("cards and identities", () => {
  const vectors = vectorsOf("identity") as {
    readonly passphrase: string;
    readonly sealed: string;
    readonly content: string;
    readonly card: string;
    readonly digest: string;
    readonly refused: readonly { readonly expect: string; readonly card: string }[];
  };
  const sealed = bytesOf(vectors.sealed);
  const card = parseCard(utf8(vectors.card));

  test("the card has the digest", () => {
    assert.equal(cardDigest(card), vectors.digest);
  });

  test("the sealed identity has the content, here and in stock age, and belongs to the card", async () => {
    const passphrase = scryptIdentity(secretOf(vectors.passphrase));
    assert.equal(textOf(await decryptWith([passphrase], sealed)), vectors.content);
    const stock = await ageTyping(vectors.passphrase, ["-d", "sealed"], { sealed });
    assert.equal(fromUtf8(stock), vectors.content);
    (await openIdentity(sealed, secretOf(vectors.passphrase), card)).wipe();
  });

  for (const [i, { expect, card: text }] of vectors.refused.entries()) {
    test(`card ${i + 1} is refused: ${expect}`, () => {
      assert.throws(() => parseCard(utf8(text)), {
        code: "usage.bad-file",
        message: pattern(CARD, expect),
      });
    });
  }
});

describe("agreements and other notes", () => {
  const vectors = vectorsOf("agreement") as {
    readonly card: string;
    readonly agreements: readonly string[];
    readonly genesis: string;
    readonly checkpoint: string;
    readonly cosignature: string;
    readonly refused: readonly { readonly expect: string; readonly note: string }[];
  };
  const card = parseCard(utf8(vectors.card));

  for (const [i, note] of vectors.agreements.entries()) {
    test(`agreement ${i + 1} is accepted`, () => {
      assert.ok(note.startsWith(formatAgreement(checkAgreement(note, card))));
    });
  }

  test("the genesis statement and the cosignature are accepted", () => {
    assert.equal(checkGenesisNote(vectors.genesis, card).person, card.person);
    const line = parseSignatureLine(vectors.cosignature);
    assert.ok(checkSignature(vectors.checkpoint, line, cardKey(card, "cosignature")));
  });

  for (const [i, { expect, note }] of vectors.refused.entries()) {
    test(`note ${i + 1} is refused: ${expect}`, () => {
      assert.throws(() => checkAgreement(note, card), {
        code: "people.agreement-invalid",
        message: pattern(AGREEMENT, expect),
      });
    });
  }
});

describe("share sets", () => {
  const vectors = vectorsOf("share-set") as {
    readonly set: string;
    readonly digest: string;
    readonly activationKey: string;
    readonly sealed: string;
    readonly token: { readonly serial: string; readonly label: string };
    readonly pin: string;
    readonly shares: readonly { readonly person: string; readonly content: string }[];
    readonly refused: readonly {
      readonly person: string;
      readonly expect: string;
      readonly content: string;
    }[];
  };
  const set = parseShareSet(utf8(vectors.set));

  test("the set has the digest, and the activation key its recipient", () => {
    assert.equal(shareSetDigest(set), vectors.digest);
    const key = Secret.take(fromHex(vectors.activationKey) ?? new Uint8Array());
    assert.equal(recipientOf(key), set.recipient);
  });

  test("the shares match their commitments and open the PIN", async () => {
    const entered: EnteredShare[] = [];
    for (const { person, content } of vectors.shares) {
      // The page shows no share files, so the digest of the file is that of what is handed in here.
      await assert.rejects(
        openShare(set, person, utf8("file"), handing(content)),
        /re-encrypted since/,
      );
      const digits = /^share (.*)$/m.exec(content)?.[1] ?? "";
      entered.push({ person, share: Secret.take(fromHex(digits) ?? new Uint8Array()) });
    }
    const pin = await combine(set, entered, bytesOf(vectors.sealed), vectors.token);
    assert.equal(textOf(pin), vectors.pin);
  });

  for (const [i, { person, expect, content }] of vectors.refused.entries()) {
    test(`share ${i + 1} is refused: ${expect}`, async () => {
      await assert.rejects(openShare(set, person, utf8("file"), handing(content)), {
        code: "people.share-rejected",
        message: pattern(SHARE, expect),
      });
    });
  }
});

function handing(content: string): () => Promise<Secret> {
  return () => Promise.resolve(secretOf(content));
}
