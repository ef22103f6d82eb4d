import assert from "node:assert/strict";
import { createPublicKey, diffieHellman, generateKeyPairSync } from "node:crypto";
import { describe, test } from "node:test";
import {
  decodeSecretKey,
  decryptWith,
  encodeSecretKey,
  encryptTo,
  kdfMilliseconds,
  recipientOf,
  scryptCostOf,
  scryptIdentity,
  scryptRecipient,
  whyRecipientRefused,
  x25519Identity,
  x25519Recipient,
} from "../../src/lib/age.ts";
import { decodeBech32, encodeBech32 } from "../../src/lib/bech32.ts";
import { fromHex, fromUtf8, utf8 } from "../../src/lib/encoding.ts";
import { fromHexBytes, hexBytes, splitLines } from "../../src/lib/secret-text.ts";
import { Secret } from "../../src/lib/secret.ts";
import { secretOf, seededRandom, textOf } from "../support/identities.ts";
import { age, ageKeygen, ageTyping, inFolder } from "../support/stock-age.ts";
import { writeFileSync } from "node:fs";

const MESSAGE = utf8("what was sealed\n");

function keyNumber(n: number): Secret {
  return Secret.take(seededRandom(`age key ${n}`).bytes(32));
}

function damage(file: Uint8Array, at: number): Uint8Array {
  return file.map((byte, i) => (i === at ? byte ^ 1 : byte));
}

describe("bech32", () => {
  // BIP 173: the checksum covers the prefix, and upper and lower case are never mixed.
  test("writes and reads what age writes", () => {
    const data = Uint8Array.from({ length: 32 }, (_, i) => i * 8);
    const text = encodeBech32("age", data);
    assert.deepEqual(decodeBech32("age", text), data);
    assert.equal(text.length, "age1".length + 52 + 6);
  });

  test("agrees with the valid strings of BIP 173", () => {
    assert.equal(fromUtf8(encodeBech32("a", new Uint8Array())), "a12uel5l");
    const split = "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w";
    const data = decodeBech32("split", utf8(split));
    assert.equal(fromUtf8(encodeBech32("split", data ?? new Uint8Array())), split);
  });

  const refused: Readonly<Record<string, [prefix: string, text: string]>> = {
    "another prefix": ["b", "a12uel5l"],
    "no separator": ["a", "a2uel5l0"],
    "a checksum too short": ["a", "a1uel5l"],
    "a letter outside the alphabet": ["a", "a12uel5b"],
    "one letter changed": ["a", "a12uel5q"],
    "upper case": ["a", "A12UEL5L"],
    "padding that is not zero": ["a", "a1" + "p" + "qqqqqq"],
  };
  for (const [name, [prefix, text]] of Object.entries(refused)) {
    test(`refuses ${name}`, () => {
      assert.equal(decodeBech32(prefix, utf8(text)), undefined);
    });
  }

  test("refuses every single changed letter of a recipient", () => {
    const text = encodeBech32("age", new Uint8Array(32).fill(7));
    for (let at = 0; at < text.length; at++) {
      assert.equal(decodeBech32("age", damage(text, at)), undefined, `letter ${at}`);
    }
  });
});

describe("secret text", () => {
  test("hex round trip", () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    assert.deepEqual(fromHexBytes(hexBytes(bytes)), bytes);
    assert.equal(fromUtf8(hexBytes(bytes)), Buffer.from(bytes).toString("hex"));
  });

  for (const text of ["a", "0g", "AB", " 0", "0\n"]) {
    test(`refuses ${JSON.stringify(text)} as hex`, () => {
      assert.equal(fromHexBytes(utf8(text)), undefined);
    });
  }

  test("lines end with a newline, and the last one keeps the rest", () => {
    assert.equal(splitLines(utf8("a\nb"), 9), undefined);
    assert.deepEqual(splitLines(utf8("a\nb\nc\n"), 2)?.map(fromUtf8), ["a", "b\nc"]);
  });
});

describe("X25519", () => {
  test("stock age opens ours, and ours opens stock age's, with keys of either", async () => {
    const identityFile = ageKeygen();
    const line = /AGE-SECRET-KEY-1\S+/.exec(identityFile)?.[0] ?? "";
    const stockKey = decodeSecretKey(utf8(line));
    assert.ok(stockKey);
    assert.equal(fromUtf8(encodeSecretKey(stockKey)), line);
    assert.match(identityFile, new RegExp(`public key: ${recipientOf(stockKey)}\n`));
    await inFolder(async (folder) => {
      for (const key of [stockKey, keyNumber(1)]) {
        const identity = `${folder}/identity-${recipientOf(key)}`;
        writeFileSync(identity, encodeSecretKey(key));
        const ours = await encryptTo([x25519Recipient(recipientOf(key))], MESSAGE);
        assert.equal(Buffer.compare(age(["-d", "-i", identity], ours), MESSAGE), 0);
        const theirs = age(["-r", recipientOf(key)], MESSAGE);
        assert.equal(textOf(await decryptWith([x25519Identity(key)], theirs)), fromUtf8(MESSAGE));
      }
    });
  });

  test("any of several recipients opens, and nobody else", async () => {
    const recipients = [1, 2].map((n) => x25519Recipient(recipientOf(keyNumber(n))));
    const file = await encryptTo(recipients, MESSAGE);
    for (const n of [1, 2]) {
      const identities = [x25519Identity(keyNumber(3)), x25519Identity(keyNumber(n))];
      assert.equal(textOf(await decryptWith(identities, file)), fromUtf8(MESSAGE));
    }
    await assert.rejects(decryptWith([x25519Identity(keyNumber(3))], file), {
      code: "people.authentication-failed",
      message: "the file is not sealed to this identity",
    });
  });

  test("Q01: every single-bit change of a file is refused", async () => {
    const file = await encryptTo([x25519Recipient(recipientOf(keyNumber(1)))], MESSAGE);
    const identity = x25519Identity(keyNumber(1));
    for (let bit = 0; bit < file.length * 8; bit++) {
      const changed = file.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      await assert.rejects(
        decryptWith([identity], changed),
        { name: "KeyriteError" },
        `bit ${bit}`,
      );
    }
  });

  test("damage behind the header is told from a foreign file", async () => {
    const file = await encryptTo([x25519Recipient(recipientOf(keyNumber(1)))], MESSAGE);
    for (const bad of [damage(file, file.length - 1), file.slice(0, -1), utf8("no age file\n")]) {
      await assert.rejects(decryptWith([x25519Identity(keyNumber(1))], bad), {
        code: "usage.bad-file",
      });
    }
  });

  const refusedRecipients: Readonly<Record<string, string>> = {
    "an empty text": "",
    "a secret key": "AGE-SECRET-KEY-1",
    "a post-quantum recipient": "age1pq1qqqqqqqqqqqqqqqqqqqqqqqqqq",
    "31 bytes": fromUtf8(encodeBech32("age", new Uint8Array(31).fill(9))),
    "the key zero, of small order": fromUtf8(encodeBech32("age", new Uint8Array(32))),
    "the key one, of small order": fromUtf8(encodeBech32("age", oneThenZeros())),
    "a key of order eight": fromUtf8(encodeBech32("age", orderEight())),
    "the other key of order eight": keyOf(
      "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    ),
    "a key of order four": keyOf(`ec${"ff".repeat(30)}7f`),
    "a key above the field prime": fromUtf8(encodeBech32("age", new Uint8Array(32).fill(0xff))),
    "a second spelling of a key by its top bit": fromUtf8(encodeBech32("age", topBit())),
    capitals: recipientOf(keyNumber(1)).toUpperCase(),
  };
  for (const [name, text] of Object.entries(refusedRecipients)) {
    test(`Q08: refuses ${name} as a recipient`, () => {
      assert.notEqual(whyRecipientRefused(text), undefined);
      assert.throws(() => x25519Recipient(text));
      if (name.includes("order")) assert.ok(!opensslAgreesWith(text), "and so does openssl");
    });
  }

  test("accepts the recipient of a key", () => {
    assert.equal(whyRecipientRefused(recipientOf(keyNumber(1))), undefined);
    assert.ok(opensslAgreesWith(recipientOf(keyNumber(1))));
  });

  test("refuses lower-case and shortened secret keys", () => {
    const text = encodeSecretKey(keyNumber(1));
    assert.equal(decodeSecretKey(utf8(fromUtf8(text).toLowerCase())), undefined);
    assert.equal(decodeSecretKey(text.subarray(0, -1)), undefined);
  });
});

/** OpenSSL refuses agreements that come out as zero (RFC 7748 §6.1). */
function opensslAgreesWith(recipient: string): boolean {
  const raw = decodeBech32("age", utf8(recipient)) ?? new Uint8Array();
  const key = Buffer.concat([Buffer.from("302a300506032b656e032100", "hex"), raw]);
  const { privateKey } = generateKeyPairSync("x25519");
  try {
    diffieHellman({
      privateKey,
      publicKey: createPublicKey({ key, format: "der", type: "spki" }),
    });
    return true;
  } catch {
    return false;
  }
}

function oneThenZeros(): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0));
}

function keyOf(hexText: string): string {
  return fromUtf8(encodeBech32("age", fromHex(hexText) ?? new Uint8Array()));
}

function orderEight(): Uint8Array {
  // The u coordinate of a point of order 8 on Curve25519.
  const hex = "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800";
  return fromHex(hex) ?? new Uint8Array();
}

function topBit(): Uint8Array {
  const raw = decodeBech32("age", utf8(recipientOf(keyNumber(1)))) ?? new Uint8Array(32);
  return raw.map((byte, i) => (i === 31 ? byte | 0x80 : byte));
}

describe("scrypt", () => {
  test("stock age opens ours with the passphrase typed at a terminal", async () => {
    const sealed = await encryptTo([scryptRecipient(secretOf("pass phräse"), 10)], MESSAGE);
    const opened = await ageTyping("pass phräse", ["-d", "sealed"], { sealed });
    assert.equal(Buffer.compare(opened, MESSAGE), 0);
  });

  test("ours opens what stock age sealed to a typed passphrase", async () => {
    const theirs = await ageTyping("typed twice", ["-p", "plain"], { plain: MESSAGE });
    assert.equal(scryptCostOf(theirs), 18);
    const before = kdfMilliseconds();
    const opened = await decryptWith([scryptIdentity(secretOf("typed twice"))], theirs);
    assert.equal(textOf(opened), fromUtf8(MESSAGE));
    assert.ok(kdfMilliseconds() - before > 50, "the derivation was not measured");
  });

  test("Q07: a wrong passphrase is told from damage", async () => {
    const file = await encryptTo([scryptRecipient(secretOf("right"), 4)], MESSAGE);
    await assert.rejects(decryptWith([scryptIdentity(secretOf("wrong"))], file), {
      code: "people.authentication-failed",
      message: "the passphrase is wrong",
    });
    await assert.rejects(
      decryptWith([scryptIdentity(secretOf("right"))], damage(file, file.length - 1)),
      { code: "usage.bad-file" },
    );
  });

  test("refuses a cost above the limit without deriving anything", async () => {
    const file = await encryptTo([scryptRecipient(secretOf("pass"), 6)], MESSAGE);
    const dear = Buffer.from(file);
    dear.write("63", dear.indexOf(" 6\n") + 1);
    const before = kdfMilliseconds();
    await assert.rejects(decryptWith([scryptIdentity(secretOf("pass"), { maxLogN: 5 })], file), {
      code: "usage.bad-file",
      message: /cost 2\^6 is too high/,
    });
    await assert.rejects(decryptWith([scryptIdentity(secretOf("pass"))], dear));
    assert.equal(kdfMilliseconds(), before);
  });

  test("a passphrase is the only recipient of a file", async () => {
    const both = [scryptRecipient(secretOf("pass"), 2), x25519Recipient(recipientOf(keyNumber(1)))];
    await assert.rejects(encryptTo(both, MESSAGE), /only recipient/);
    await assert.rejects(encryptTo([], MESSAGE), /needs a recipient/);
    const stanzas = (
      await Promise.all(both.map((one) => one.wrapFileKey(new Uint8Array(16))))
    ).flat();
    await assert.rejects(scryptIdentity(secretOf("pass")).unwrapFileKey(stanzas), /not the only/);
  });

  for (const logN of [0, -1, 1.5, 21, NaN]) {
    test(`refuses to seal at the cost 2^${logN}`, () => {
      assert.throws(() => scryptRecipient(secretOf("pass"), logN), RangeError);
    });
  }

  test("no cost is read from a file that is not sealed to a passphrase", async () => {
    const file = await encryptTo([x25519Recipient(recipientOf(keyNumber(1)))], MESSAGE);
    assert.equal(scryptCostOf(file), undefined);
    assert.equal(scryptCostOf(utf8("age-encryption.org/v1\n-> scrypt short 10\n")), undefined);
  });

  test("S03: borrowed passphrases and keys are not wiped", async () => {
    const passphrase = secretOf("again");
    const file = await encryptTo([scryptRecipient(passphrase, 2)], MESSAGE);
    textOf(await decryptWith([scryptIdentity(passphrase)], file));
    textOf(await decryptWith([scryptIdentity(passphrase)], file));
    assert.equal(passphrase.wiped, false);
  });
});
