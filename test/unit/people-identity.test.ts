import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { encryptTo, recipientOf, scryptRecipient, x25519Recipient } from "../../src/lib/age.ts";
import { encodeBech32 } from "../../src/lib/bech32.ts";
import { fromUtf8, utf8 } from "../../src/lib/encoding.ts";
import { Secret } from "../../src/lib/secret.ts";
import type { Card } from "../../src/people/card.ts";
import { createIdentity, openIdentity, type NewIdentity } from "../../src/people/identity.ts";
import { makePerson, secretOf, seededRandom, textOf } from "../support/identities.ts";
import { tracesOf } from "../support/secret-traces.ts";
import { age, ageTyping } from "../support/stock-age.ts";

const ana = await makePerson("ana");
const ben = await makePerson("ben");

describe("identities", () => {
  const wanted = (change: Partial<NewIdentity> = {}): NewIdentity => ({
    person: "cleo",
    name: "Cléo Example",
    domain: "example.org",
    assurance: "test",
    passphrase: secretOf("cleo drill"),
    logN: 2,
    random: seededRandom("cleo"),
    ...change,
  });

  test("stock age opens the sealed file and uses it as an identity", async () => {
    const { sealed, card } = await createIdentity(wanted());
    const text = fromUtf8(await ageTyping("cleo drill", ["-d", "sealed"], { sealed }));
    const lines = text.split("\n");
    assert.deepEqual(lines.slice(0, 5), [
      "# keyrite identity v1",
      "# person cleo",
      "# name Cléo Example",
      "# key-name example.org/people/cleo",
      "# assurance test",
    ]);
    assert.match(lines[5] ?? "", /^# signing-seed [0-9a-f]{64}$/);
    assert.match(lines[6] ?? "", /^AGE-SECRET-KEY-1/);
    const letter = await encryptTo([x25519Recipient(card.recipient)], utf8("for cleo"));
    const args = ["-d", "-i", "sealed", "letter"];
    assert.equal(fromUtf8(await ageTyping("cleo drill", args, { sealed, letter })), "for cleo");
  });

  test("an opened identity opens what stock age sealed to its card", async () => {
    const file = age(["-r", ana.card.recipient], utf8("for ana"));
    assert.equal(textOf(await ana.opened.opener.open(file)), "for ana");
    await assert.rejects(ben.opened.opener.open(file), { code: "people.authentication-failed" });
  });

  test("Q07: a wrong passphrase is told from a damaged file and a foreign card", async () => {
    const open = (sealed: Uint8Array, passphrase: string, card: Card): Promise<unknown> =>
      openIdentity(sealed, secretOf(passphrase), card);
    await assert.rejects(open(ana.sealed, "wrong", ana.card), {
      code: "people.authentication-failed",
      message: "the passphrase of ana is wrong",
    });
    await assert.rejects(open(ana.sealed, ana.passphrase, ben.card), {
      code: "people.medium",
      message: /that of ana with another card/,
    });
    await assert.rejects(open(ana.sealed.slice(0, -1), ana.passphrase, ana.card), {
      code: "people.medium",
      message: /damaged/,
    });
    await assert.rejects(open(utf8("# keyrite identity v1\n"), ana.passphrase, ana.card), {
      code: "people.medium",
    });
  });

  test("Q08: an identity that was replaced by one with the same names is refused", async () => {
    const impostor = await makePerson("ana", "test", "another ana");
    assert.equal(impostor.card.keyName, ana.card.keyName);
    await assert.rejects(openIdentity(impostor.sealed, secretOf("ana drill"), ana.card), {
      code: "people.medium",
    });
  });

  test("an identity sealed to a key instead of a passphrase is refused", async () => {
    const key = x25519Recipient(recipientOf(Secret.take(new Uint8Array(32).fill(3))));
    const sealed = await encryptTo([key], utf8("# keyrite identity v1\n"));
    await assert.rejects(openIdentity(sealed, secretOf("x"), ana.card), {
      code: "people.medium",
      message: /not sealed under a passphrase/,
    });
  });

  const seed = "00".repeat(32);
  const secretKey = "AGE-SECRET-KEY-1";
  for (const [name, content] of Object.entries({
    "an empty file": "",
    "a bare stock identity": `${secretKey}\n`,
    "no newline at the end": `# keyrite identity v1\n# signing-seed ${seed}`,
    "a seed in capitals": identityText(seed.replaceAll("0", "A")),
    "a short seed": identityText(seed.slice(2)),
    "a line too many": `${identityText(seed)}\n`,
    "another head": identityText(seed).replace("identity v1", "identity v2"),
    "an unknown assurance": identityText(seed).replace("assurance test", "assurance high"),
    "a secret key of another kind": identityText(seed).replace(/AGE-SECRET-KEY-1\w+/, "AGE-KEY-1"),
  })) {
    test(`refuses ${name} as the content of an identity`, async () => {
      const sealed = await encryptTo([scryptRecipient(secretOf("x"), 2)], utf8(content));
      await assert.rejects(openIdentity(sealed, secretOf("x"), ana.card), {
        code: "people.medium",
        message: /does not hold an identity/,
      });
    });
  }

  test("S03: after wipe neither interface works", async () => {
    const { opened, card } = await makePerson("dora");
    const file = await encryptTo([x25519Recipient(card.recipient)], utf8("late"));
    opened.wipe();
    opened.wipe();
    assert.throws(() => opened.signer.cosign(`example.org/x\n0\n${"A".repeat(43)}=\n`, 1), /wiped/);
    await assert.rejects(opened.opener.open(file), /wiped/);
  });

  for (const [name, change] of Object.entries({
    "a person id in capitals": { person: "Cleo" },
    "an empty name": { name: "" },
    "a domain with a space": { domain: "example org" },
    "a domain with a plus": { domain: "a+b.org" },
    "a cost above the limit": { logN: 21 },
    "a production identity of low cost": { assurance: "production", logN: 16 },
  } as const)) {
    test(`refuses to make ${name}`, async () => {
      await assert.rejects(createIdentity(wanted(change)), { code: "usage.refused" });
    });
  }

  test("what is wrong with a card is the cause of a refusal to make it", async () => {
    const error: unknown = await createIdentity(wanted({ name: "" })).catch((e: unknown) => e);
    assert.ok(error instanceof Error && error.cause instanceof Error);
    assert.equal(error.message, error.cause.message);
  });

  // The age key is never in hex, and both keys are made in one piece of memory each.
  const own = (): NewIdentity => {
    const random = { bytes: (n: number) => Uint8Array.from({ length: n }, (_, i) => 3 * i + 2) };
    return wanted({ random });
  };
  const memoryOf = (secret: Secret): Uint8Array => secret.use((bytes) => bytes);

  test("S03: of an identity that was made, or could not be made, only the sealed file is left", async () => {
    for (const change of [{}, { name: "" }]) {
      const identity = { ...own(), ...change };
      const { value, left, secrets } = await tracesOf([memoryOf(identity.passphrase)], () =>
        createIdentity(identity),
      );
      assert.equal(value === undefined, "name" in change);
      assert.ok(secrets >= 3, `${secrets} secrets`);
      assert.equal(left, 0);
      assert.equal(identity.passphrase.wiped, false, "the passphrase is only borrowed");
    }
  });

  test("S03: of an identity that is not the expected one, or was wiped, no key is left", async () => {
    const { sealed, card } = await createIdentity(own());
    for (const expected of [ana.card, card]) {
      const passphrase = secretOf("cleo drill");
      const { error, left, secrets } = await tracesOf([memoryOf(passphrase)], async () => {
        (await openIdentity(sealed, passphrase, expected)).wipe();
      });
      assert.equal(error === undefined, expected === card);
      assert.ok(secrets >= 4, `${secrets} secrets`);
      assert.equal(left, 0);
    }
  });

  for (const [name, seedText] of Object.entries({ "a good seed": seed, "a bad seed": "zz" })) {
    test(`S03: no key is left of a file that has ${name} and is no identity`, async () => {
      const content = identityText(seedText.replaceAll("0", "7")).replace("identity v1", "v2");
      const sealed = await encryptTo([scryptRecipient(secretOf("x"), 2)], utf8(content));
      const passphrase = secretOf("x");
      const keys = [new Uint8Array(32).fill(0x77), new Uint8Array(32).fill(1)];
      const { error, left } = await tracesOf(keys, () =>
        openIdentity(sealed, passphrase, ana.card),
      );
      assert.match(String(error), /does not hold an identity/);
      assert.equal(left, 0);
    });
  }

  test("a production identity whose file states a low cost is refused unopened", async () => {
    const card = { ...ana.card, assurance: "production" } as const;
    await assert.rejects(openIdentity(ana.sealed, secretOf(ana.passphrase), card), {
      code: "usage.refused",
      message: /2\^17/,
    });
  });

  test("a production identity of the least cost works", async () => {
    const { card, opened } = await makePerson("prue", "production");
    assert.equal(card.assurance, "production");
    opened.wipe();
  });

  test("two identities never share a key", async () => {
    const random = seededRandom("one source");
    const [one, two] = [
      await createIdentity(wanted({ random })),
      await createIdentity(wanted({ random })),
    ];
    assert.notEqual(one.card.signing, two.card.signing);
    assert.notEqual(one.card.recipient, two.card.recipient);
  });
});

function identityText(seed: string): string {
  return [
    "# keyrite identity v1",
    "# person ana",
    "# name ana Example",
    "# key-name example.org/people/ana",
    "# assurance test",
    `# signing-seed ${seed}`,
    fromUtf8(encodeBech32("age-secret-key-", new Uint8Array(32).fill(1))).toUpperCase(),
    "",
  ].join("\n");
}
