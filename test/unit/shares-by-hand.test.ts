import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { decodeSecretKey, encodeSecretKey, recipientOf } from "../../src/lib/age.ts";
import { fromHex, fromUtf8, sha256, utf8 } from "../../src/lib/encoding.ts";
import { canonicalJson, type JsonObject } from "../../src/lib/json.ts";
import { Secret } from "../../src/lib/secret.ts";
import { combineShares, proveSplit, splitSecret } from "../../src/shares/shamir.ts";
import { parseShareSet, shareSetDigest } from "../../src/shares/share-set.ts";
import { combineByHand } from "../support/by-hand.ts";
import { seededRandom } from "../support/identities.ts";
import { makeSet, personOf, PIN, shareFile } from "../support/share-sets.ts";
import { age, ageTyping, inFolder } from "../support/stock-age.ts";

describe("a share set without Keyrite", () => {
  test("stock age and a combine of a few lines open the PIN", () =>
    inFolder(async (folder) => {
      const made = await makeSet(3, 5);
      const shares: Uint8Array[] = [];
      for (const name of ["eve", "ana", "cleo"]) {
        const { sealed, passphrase } = personOf(name);
        const share = shareFile(made, name);
        const text = await ageTyping(passphrase, ["-d", "-i", "sealed", "share"], {
          sealed,
          share,
        });
        const digits = /^share ([0-9a-f]{66})$/m.exec(fromUtf8(text))?.[1] ?? "";
        shares.push(fromHex(digits) ?? new Uint8Array());
      }
      const key = Secret.take(combineByHand(shares));
      assert.equal(recipientOf(key), made.set.recipient);
      writeFileSync(`${folder}/key`, encodeSecretKey(key));
      const opened = fromUtf8(age(["-d", "-i", `${folder}/key`], made.sealed));
      assert.equal(
        opened,
        `keyrite/sealed/v1
set salpha
generation 1
purpose activation
threshold 3
serial 0123456789abcdef
label alpha
pin ${PIN}
`,
      );
    }));
});

describe("splitting", () => {
  const secret = (): Secret => Secret.take(seededRandom("split").bytes(32));
  const parts = async (k: number, n: number): Promise<Uint8Array[]> =>
    (await splitSecret(secret(), n, k)).map((share) => share.use((bytes) => bytes));

  test("the library and the combine by hand agree", async () => {
    const shares = await parts(3, 5);
    const back = await combineShares(shares.slice(1, 4).map((share) => Secret.copy(share)));
    assert.equal(
      Buffer.compare(combineByHand(shares.slice(1, 4)), seededRandom("split").bytes(32)),
      0,
    );
    assert.ok(back.use((bytes) => Buffer.compare(bytes, seededRandom("split").bytes(32)) === 0));
  });

  test("Q06: a dealer who gives one inconsistent share is found out", async () => {
    for (let at = 0; at < 5; at++) {
      const shares = await parts(3, 5);
      const bad = shares.map((share, i) => share.map((b, j) => (i === at && j === 4 ? b ^ 1 : b)));
      await assert.rejects(
        proveSplit(seededRandom("split").bytes(32), bad, 3),
        /does not lead back/,
      );
    }
  });

  test("Q06: a dealer who needs more shares than he says is found out", async () => {
    const shares = await parts(4, 5);
    await assert.rejects(
      proveSplit(seededRandom("split").bytes(32), shares, 3),
      /does not lead back/,
    );
    await proveSplit(seededRandom("split").bytes(32), shares, 4);
  });

  test("Q02: places that are zero or taken twice are refused", async () => {
    const [one = new Uint8Array(33), two = new Uint8Array(33)] = await parts(2, 2);
    const at = (share: Uint8Array, place: number): Secret =>
      Secret.take(share.map((byte, i) => (i === 32 ? place : byte)));
    await assert.rejects(combineShares([at(one, 0), at(two, 1)]), /place zero/);
    await assert.rejects(combineShares([at(one, 5), at(two, 5)]), /one place/);
    await assert.rejects(combineShares([at(one, 1)]));
    await assert.rejects(combineShares([at(one, 1), Secret.take(two.slice(1))]));
  });

  test("Q05: with one share of two, every secret is still possible", async () => {
    const [known = new Uint8Array()] = await splitOneByte();
    const secrets = new Set<number>();
    for (let guess = 0; guess < 256; guess++) {
      const x = known[1] === 1 ? 2 : 1;
      const both = [known, Uint8Array.of(guess, x)].map((share) => Secret.copy(share));
      (await combineShares(both)).use((bytes) => secrets.add(bytes[0] ?? 0));
    }
    assert.equal(secrets.size, 256);
  });
});

async function splitOneByte(): Promise<Uint8Array[]> {
  const shares = await splitSecret(Secret.take(Uint8Array.of(42)), 2, 2);
  return shares.map((share) => share.use((bytes) => bytes));
}

describe("share-set.json", async () => {
  const made = await makeSet(2, 3);
  const value = JSON.parse(fromUtf8(made.json)) as JsonObject;
  const holders = value["holders"] as readonly JsonObject[];

  test("is read back, and its digest is that of the file", () => {
    assert.deepEqual(parseShareSet(made.json), made.set);
    assert.equal(shareSetDigest(made.set), Buffer.from(sha256(made.json)).toString("hex"));
    assert.ok(!fromUtf8(made.json).includes(PIN));
  });

  const first = holders[0] ?? {};
  const changedHolder = (change: JsonObject): JsonObject => ({
    holders: [{ ...first, ...change }, ...holders.slice(1)],
  });
  const refused: Readonly<Record<string, readonly [JsonObject, RegExp]>> = {
    "another kind": [{ keyrite: "share-set/v2" }, /keyrite is not "share-set\/v1"/],
    "an unknown member": [{ note: "x" }, /it is not exactly its canonical form/],
    "a threshold of one": [{ threshold: 1 }, /1 of 3 is not a threshold/],
    "a threshold above the holders": [{ threshold: 4 }, /4 of 3 is not a threshold/],
    "a threshold as text": [{ threshold: "2" }, /threshold is not a whole number from 1/],
    "a fraction": [{ generation: 1.5 }, /generation is not a whole number from 1/],
    "a generation zero": [{ generation: 0 }, /generation is not a whole number from 1/],
    "an unknown purpose": [{ purpose: "signing" }, /the purpose is unknown/],
    "a short digest": [{ sealed: "00" }, /sealed is malformed/],
    "an id that is no slug": [{ id: "s/alpha" }, /id is malformed/],
    "an id that is no text": [{ id: true }, /id is malformed/],
    "holders that are no list": [{ holders: {} }, /holders is not a list/],
    "a holder that is no object": [
      { holders: [null, ...holders.slice(1)] },
      /a holder is not a JSON object/,
    ],
    "a holder with an unknown member": [
      changedHolder({ share: "00" }),
      /it is not exactly its canonical form/,
    ],
    "a holder whose name is no slug": [changedHolder({ person: "Ana" }), /person is malformed/],
    "a holder with a long digest": [changedHolder({ file: "0".repeat(65) }), /file is malformed/],
    "places that do not count up": [changedHolder({ index: 2 }), /its places are not 1 to n/],
    "Q08: one person twice": [
      changedHolder({ person: holders[1]?.["person"] ?? "" }),
      /two holders have the same person/,
    ],
    "Q08: one recipient twice": [
      changedHolder({ recipient: holders[1]?.["recipient"] ?? "" }),
      /two holders have the same recipient/,
    ],
    "one commitment twice": [
      changedHolder({ commitment: holders[1]?.["commitment"] ?? "" }),
      /two holders have the same commitment/,
    ],
    "one file twice": [
      changedHolder({ file: holders[1]?.["file"] ?? "" }),
      /two holders have the same file/,
    ],
    "no recipient": [{ recipient: "age1" }, /the share set is refused: a recipient /],
    "a recipient of another kind": [{ recipient: "ssh-ed25519 AAAA" }, /recipient is malformed/],
  };
  const HINTS = ["use share-set.json as it was written when the set was made"];
  for (const [name, [change, message]] of Object.entries(refused)) {
    test(`refuses ${name}`, () => {
      const bytes = utf8(canonicalJson({ ...value, ...change }));
      assert.throws(() => parseShareSet(bytes), { code: "usage.bad-file", message, hints: HINTS });
    });
  }

  test("255 holders are the most", () => {
    const crowd = Array.from({ length: 256 }, (_, i) => ({
      index: i + 1,
      person: `p${i}`,
      recipient: recipientOf(Secret.take(sha256(`${i}`))),
      commitment: Buffer.from(sha256(`c${i}`)).toString("hex"),
      file: Buffer.from(sha256(`f${i}`)).toString("hex"),
    }));
    const bytes = (n: number): Uint8Array =>
      utf8(canonicalJson({ ...value, holders: crowd.slice(0, n) }));
    assert.equal(parseShareSet(bytes(255)).holders.length, 255);
    assert.throws(() => parseShareSet(bytes(256)), /it has more than 255 holders/);
  });

  const canonical = /it is not exactly its canonical form/;
  for (const [name, [text, message]] of Object.entries<readonly [string, RegExp]>({
    "no JSON": ["{", /it is not JSON/],
    "a list": ["[]", /it is not a JSON object/],
    "white space at the end": [`${fromUtf8(made.json)}\n`, canonical],
    "Q13: a repeated member": [
      fromUtf8(made.json).replace('"id":', '"id":"sother","id":'),
      canonical,
    ],
  })) {
    test(`refuses ${name}`, () => {
      assert.throws(() => parseShareSet(utf8(text)), { code: "usage.bad-file", message });
    });
  }

  test("an activation key is a stock age key", () => {
    const key = Secret.take(seededRandom("2 of 3  1").bytes(32));
    assert.equal(recipientOf(key), made.set.recipient);
    assert.equal(decodeSecretKey(encodeSecretKey(key))?.length, 32);
  });
});
