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
  const refused: Readonly<Record<string, JsonObject>> = {
    "another kind": { keyrite: "share-set/v2" },
    "an unknown member": { note: "x" },
    "a threshold of one": { threshold: 1 },
    "a threshold above the holders": { threshold: 4 },
    "a threshold as text": { threshold: "2" },
    "a fraction": { generation: 1.5 },
    "an unknown purpose": { purpose: "signing" },
    "a short digest": { sealed: "00" },
    "holders that are no list": { holders: {} },
    "a holder that is no object": { holders: [null, ...holders.slice(1)] },
    "a holder with an unknown member": changedHolder({ share: "00" }),
    "places that do not count up": changedHolder({ index: 2 }),
    "Q08: one person twice": changedHolder({ person: holders[1]?.["person"] ?? "" }),
    "Q08: one recipient twice": changedHolder({ recipient: holders[1]?.["recipient"] ?? "" }),
    "one commitment twice": changedHolder({ commitment: holders[1]?.["commitment"] ?? "" }),
    "one file twice": changedHolder({ file: holders[1]?.["file"] ?? "" }),
    "no recipient": { recipient: "age1" },
  };
  for (const [name, change] of Object.entries(refused)) {
    test(`refuses ${name}`, () => {
      const bytes = utf8(canonicalJson({ ...value, ...change }));
      assert.throws(() => parseShareSet(bytes), { code: "usage.bad-file" });
    });
  }

  for (const [name, text] of Object.entries({
    "no JSON": "{",
    "a list": "[]",
    "white space at the end": `${fromUtf8(made.json)}\n`,
    "Q13: a repeated member": fromUtf8(made.json).replace('"id":', '"id":"sother","id":'),
  })) {
    test(`refuses ${name}`, () => {
      assert.throws(() => parseShareSet(utf8(text)), { code: "usage.bad-file" });
    });
  }

  test("an activation key is a stock age key", () => {
    const key = Secret.take(seededRandom("2 of 3  1").bytes(32));
    assert.equal(recipientOf(key), made.set.recipient);
    assert.equal(decodeSecretKey(encodeSecretKey(key))?.length, 32);
  });
});
