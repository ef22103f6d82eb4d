import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { recipientOf } from "../../src/lib/age.ts";
import { Secret } from "../../src/lib/secret.ts";
import { newShareSetId } from "../../src/shares/make-share-set.ts";
import { isSlug } from "../../src/shares/share-set.ts";
import { combine } from "../../src/shares/use-share-set.ts";
import { secretOf, seededRandom, textOf } from "../support/identities.ts";
import { enter, makeSet } from "../support/share-sets.ts";

describe("making a set", () => {
  const twin = recipientOf(Secret.take(new Uint8Array(32).fill(9)));
  const token = (label: string) => ({ token: { serial: "1", label } });
  type Refused = [Parameters<typeof makeSet>[2], code: string, message: RegExp];
  const usage = (change: Refused[0], message: RegExp): Refused => [
    change,
    "usage.refused",
    message,
  ];
  const refused: Readonly<Record<string, Refused>> = {
    "one of three": usage({ threshold: 1 }, /1 of 3 is not a threshold/),
    "four of three": usage({ threshold: 4 }, /4 of 3 is not a threshold/),
    "a fraction of people": usage({ threshold: 2.5 }, /2\.5 of 3 is not a threshold/),
    "an id with a slash": usage({ id: "a/b" }, /"a\/b" is not a share set id/),
    "a generation zero": usage({ generation: 0 }, /generations count from 1/),
    "half a generation": usage({ generation: 1.5 }, /generations count from 1/),
    "an empty PIN": usage({ secret: secretOf("") }, /a PIN has 1 to 255 bytes/),
    "a PIN of 256 bytes": usage({ secret: secretOf("7".repeat(256)) }, /a PIN has 1 to 255 bytes/),
    "a PIN with a line break": usage({ secret: secretOf("12\n34") }, /no control characters/),
    "a PIN with the last control character of the first row": usage(
      { secret: secretOf("12\x1f34") },
      /no control characters/,
    ),
    "a PIN with a delete": usage({ secret: secretOf("12\x7f34") }, /no control characters/),
    "a label with a line break": usage(token("a\npin 0"), /label is not one line/),
    "a label of 65 characters": usage(token("a".repeat(65)), /label is not one line/),
    "a label that is half a character": usage(token("a\ud800"), /label is not one line/),
    "an empty serial": usage({ token: { serial: "", label: "alpha" } }, /serial is not one line/),
    "Q08: one person twice": [
      {
        holders: [
          { person: "ana", recipient: twin },
          { person: "ana", recipient: twin },
        ],
      },
      "people.same-person",
      /^ana would hold two shares of one set$/,
    ],
    "Q08: one key under two names": [
      {
        holders: [
          { person: "ana", recipient: twin },
          { person: "ben", recipient: twin },
        ],
      },
      "people.same-person",
      /^ana and ben have the same age key$/,
    ],
  };
  for (const [name, [change, code, message]] of Object.entries(refused)) {
    test(`refuses ${name}`, async () => {
      await assert.rejects(makeSet(2, 3, change), { code, message });
    });
  }

  test("takes the longest PIN and label, the blank as the first character, and a quorum of all", async () => {
    const pin = ` ${"~".repeat(254)}`;
    const made = await makeSet(3, 3, { secret: secretOf(pin), ...token("b".repeat(64)) });
    const entered = await Promise.all(["ana", "ben", "cleo"].map((name) => enter(made, name)));
    const label = { serial: "1", label: "b".repeat(64) };
    assert.equal(textOf(await combine(made.set, entered, made.sealed, label)), pin);
  });

  test("a slug has 2 to 31 letters, digits and hyphens and begins with a letter", () => {
    for (const text of ["ab", "a1", "a-", "s".repeat(31)]) assert.ok(isSlug(text), text);
    for (const text of ["", "a", "1a", "-a", "Ab", "aB", "a_b", "a b", "ab\n", "s".repeat(32)]) {
      assert.ok(!isSlug(text), text);
    }
  });

  test("ids are slugs and differ", () => {
    const random = seededRandom("ids");
    const ids = Array.from({ length: 20 }, () => newShareSetId(random));
    assert.ok(ids.every((id) => /^s[a-z2-7]{10}$/.test(id)));
    assert.equal(new Set(ids).size, 20);
  });
});
