/** The payload of age files, sealed by us, against stock age. */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import {
  decryptWith,
  encodeSecretKey,
  encryptTo,
  recipientOf,
  x25519Identity,
  x25519Recipient,
} from "../../src/lib/age.ts";
import { Secret } from "../../src/lib/secret.ts";
import { seededRandom } from "../support/identities.ts";
import { age, inFolder } from "../support/stock-age.ts";

const KEY = Secret.take(seededRandom("age key 1").bytes(32));

// The payload is sealed in chunks of 64 KiB; only an empty file has an empty chunk.
for (const length of [0, 65_535, 65_536, 65_537, 131_072]) {
  test(`${length} bytes go to stock age and come from it`, async () => {
    const recipient = recipientOf(KEY);
    const plaintext = new Uint8Array(length).map((_, i) => i % 251);
    const file = await encryptTo([x25519Recipient(recipient)], plaintext);
    await inFolder(async (folder) => {
      const key = encodeSecretKey(KEY);
      writeFileSync(`${folder}/key`, key);
      const opened = age(["-d", "-i", `${folder}/key`], file);
      assert.deepEqual(new Uint8Array(opened), plaintext);
      const theirs = new Uint8Array(age(["-r", recipient], plaintext));
      const back = await decryptWith([x25519Identity(KEY)], theirs);
      assert.ok(back.use((bytes) => Buffer.compare(bytes, plaintext) === 0));
      for (const cut of [16, 17, 65_552]) {
        if (theirs.length <= cut + 200) continue;
        await assert.rejects(
          decryptWith([x25519Identity(KEY)], theirs.subarray(0, -cut)),
          { code: "usage.bad-file" },
          `without its last ${cut} bytes`,
        );
      }
    });
  });
}
