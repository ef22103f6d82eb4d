import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { recipientOf } from "../../src/lib/age.ts";
import { Secret } from "../../src/lib/secret.ts";
import { newShareSetId } from "../../src/shares/make-share-set.ts";
import { secretOf, seededRandom } from "../support/identities.ts";
import { makeSet } from "../support/share-sets.ts";

describe("making a set", () => {
  const twin = recipientOf(Secret.take(new Uint8Array(32).fill(9)));
  const refused: Readonly<Record<string, [Parameters<typeof makeSet>[2], code: string]>> = {
    "one of three": [{ threshold: 1 }, "usage.refused"],
    "four of three": [{ threshold: 4 }, "usage.refused"],
    "a fraction of people": [{ threshold: 1.5 }, "usage.refused"],
    "an id with a slash": [{ id: "a/b" }, "usage.refused"],
    "a generation zero": [{ generation: 0 }, "usage.refused"],
    "an empty PIN": [{ secret: secretOf("") }, "usage.refused"],
    "a PIN with a line break": [{ secret: secretOf("12\n34") }, "usage.refused"],
    "a label with a line break": [{ token: { serial: "1", label: "a\npin 0" } }, "usage.refused"],
    "an empty serial": [{ token: { serial: "", label: "alpha" } }, "usage.refused"],
    "Q08: one person twice": [
      {
        holders: [
          { person: "ana", recipient: twin },
          { person: "ana", recipient: twin },
        ],
      },
      "people.same-person",
    ],
    "Q08: one key under two names": [
      {
        holders: [
          { person: "ana", recipient: twin },
          { person: "ben", recipient: twin },
        ],
      },
      "people.same-person",
    ],
  };
  for (const [name, [change, code]] of Object.entries(refused)) {
    test(`refuses ${name}`, async () => {
      await assert.rejects(makeSet(2, 3, change), { code });
    });
  }

  test("ids are slugs and differ", () => {
    const random = seededRandom("ids");
    const ids = Array.from({ length: 20 }, () => newShareSetId(random));
    assert.ok(ids.every((id) => /^s[a-z2-7]{10}$/.test(id)));
    assert.equal(new Set(ids).size, 20);
  });
});
