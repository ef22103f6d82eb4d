/** No copy of a PIN, an activation key or a share outlives the work that needed it, whichever way that work ends. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { utf8 } from "../../src/lib/encoding.ts";
import { lockSecretsWith, Secret } from "../../src/lib/secret.ts";
import { makeShareSet, type NewShareSet } from "../../src/shares/make-share-set.ts";
import { combineShares, splitSecret } from "../../src/shares/shamir.ts";
import { combine, openShare } from "../../src/shares/use-share-set.ts";
import { secretOf, seededRandom } from "../support/identities.ts";
import { tracesOf } from "../support/secret-traces.ts";
import {
  enter,
  makeSet,
  NAMES,
  personOf,
  PIN,
  sealFor,
  shareFile,
  shareText,
  TOKEN,
} from "../support/share-sets.ts";

// Made before any test, since a test that follows memory must be the only one at work.
const made = await makeSet(2, 3);
const [ana, ben] = [await enter(made, "ana"), await enter(made, "ben")];

/** The memory of a secret. */
const bytesOf = (secret: Secret): Uint8Array => secret.use((bytes) => bytes);

const KEY = Uint8Array.from({ length: 32 }, (_, i) => 3 * i + 1);

/** A secret in memory of its own. */
const keySecret = (): Secret => Secret.copy(KEY);

describe("splitting", () => {
  test("S03: a split leaves its shares and nothing else", async () => {
    const secret = keySecret();
    const { value, left, secrets } = await tracesOf(
      [bytesOf(secret)],
      () => splitSecret(secret, 3, 2),
      (shares) => shares.map(bytesOf),
    );
    assert.equal(value?.length, 3);
    assert.equal(secrets, 4);
    assert.equal(left, 0);
    assert.deepEqual(bytesOf(secret), KEY, "the secret is only borrowed");
  });

  test("S03: a split that cannot be made leaves no copy of its secret", async () => {
    const secret = keySecret();
    const { error, left } = await tracesOf([bytesOf(secret)], () => splitSecret(secret, 3, 1));
    assert.ok(error instanceof Error);
    assert.equal(left, 0);
  });

  test("S03 Q06: shares that do not lead back to the secret are wiped, and refused", async () => {
    const dealt: Uint8Array[] = [];
    const secret = keySecret();
    // A bit turns over in memory between the split and its proof.
    lockSecretsWith((bytes) => {
      bytes[5] = (bytes[5] ?? 0) ^ (dealt.length === 1 ? 1 : 0);
      dealt.push(bytes);
    });
    try {
      await assert.rejects(splitSecret(secret, 3, 2), /does not lead back/);
    } finally {
      lockSecretsWith(() => undefined);
    }
    assert.equal(dealt.length, 3);
    assert.ok(dealt.every((bytes) => bytes.every((byte) => byte === 0)));
  });

  test("S03: rebuilding leaves the secret that it gives and no copy of a share, also when it fails", async () => {
    const shares = await splitSecret(keySecret(), 3, 2);
    const good = await tracesOf(
      shares.map(bytesOf),
      () => combineShares(shares.slice(1)),
      (secret) => [bytesOf(secret)],
    );
    assert.deepEqual(good.value && bytesOf(good.value), KEY);
    assert.equal(good.left, 0);
    const [one] = shares;
    assert.ok(one);
    const twice = await tracesOf(shares.map(bytesOf), () => combineShares([one, one]));
    assert.match(String(twice.error), /two shares stand at one place/);
    assert.equal(twice.left, 0);
  });
});

describe("making a set", () => {
  /** Its activation key is made in one piece of memory, of which the set is the only owner. */
  const wanted = (secret: Secret): NewShareSet => ({
    purpose: "activation",
    id: "salpha",
    generation: 1,
    token: TOKEN,
    threshold: 2,
    holders: NAMES.slice(0, 3).map((person) => ({
      person,
      recipient: personOf(person).card.recipient,
    })),
    secret,
    random: { bytes: (length) => Uint8Array.from({ length }, (_, i) => 5 * i + 2) },
  });

  test("S03: a set that was made leaves only files", async () => {
    const secret = secretOf(PIN);
    const { value, left, secrets } = await tracesOf([bytesOf(secret)], () =>
      makeShareSet(wanted(secret)),
    );
    assert.equal(value?.shares.size, 3);
    // The PIN, the key, what was unsealed to prove it, and the shares at least.
    assert.ok(secrets >= 6, `${secrets} secrets`);
    assert.equal(left, 0);
    assert.equal(bytesOf(secret).length, PIN.length, "the PIN is only borrowed");
  });

  test("S03: a set that fails at its second holder leaves nothing", async () => {
    const secret = secretOf(PIN);
    const { holders } = wanted(secret);
    const [first, second, third] = holders;
    assert.ok(first && second && third);
    const broken = [first, { ...second, recipient: "age1nobody" }, third];
    const { error, left, secrets } = await tracesOf([bytesOf(secret)], () =>
      makeShareSet({ ...wanted(secret), holders: broken }),
    );
    assert.ok(error instanceof Error);
    assert.ok(secrets >= 6, `${secrets} secrets`);
    assert.equal(left, 0);
  });
});

describe("using a set", () => {
  const borrowed = [ana, ben].map(({ share }) => bytesOf(share));
  const pin = utf8(PIN);

  /** What opening a share file of ana leaves. */
  const opening = (file: Uint8Array) =>
    tracesOf(
      [],
      () => openShare(made.set, "ana", file, (one) => personOf("ana").opened.opener.open(one)),
      (share) => [bytesOf(share)],
    );

  test("S03: a share that is accepted is all that is left of its file", async () => {
    const { value, left, secrets } = await opening(shareFile(made, "ana"));
    assert.deepEqual(value && bytesOf(value), bytesOf(ana.share));
    assert.ok(secrets >= 2, `${secrets} secrets`);
    assert.equal(left, 0);
  });

  test("S03: nothing is left of a share that is refused", async () => {
    const older = await makeSet(2, 3, { generation: 2 });
    for (const content of [await shareText(older, "ana"), utf8(`not a share\n${PIN}\n`)]) {
      const { error, left, secrets } = await opening(await sealFor("ana", content));
      assert.match(String(error), /is refused/);
      assert.ok(secrets >= 1);
      assert.equal(left, 0);
    }
  });

  test("S03: the PIN is all that is left of opening a set", async () => {
    const { value, left, secrets } = await tracesOf(
      [...borrowed, pin],
      () => combine(made.set, [ana, ben], made.sealed, TOKEN),
      (secret) => [bytesOf(secret)],
    );
    assert.deepEqual(value && Buffer.from(bytesOf(value)).toString(), PIN);
    assert.ok(secrets >= 5, `${secrets} secrets`);
    assert.equal(left, 0);
    assert.deepEqual(
      [ana, ben].map(({ share }) => share.wiped),
      [false, false],
    );
  });

  test("S03: nothing is left of a PIN that is refused", async () => {
    const { error, left, secrets } = await tracesOf([...borrowed, pin], () =>
      combine(made.set, [ana, ben], made.sealed, { ...TOKEN, label: "beta" }),
    );
    assert.match(String(error), /the PIN is that of token alpha/);
    assert.ok(secrets >= 5, `${secrets} secrets`);
    assert.equal(left, 0);
  });

  test("S03: nothing is left of the key of a set whose shares lead to another", async () => {
    const other = await makeSet(2, 3, { random: seededRandom("another key") });
    const set = { ...made.set, recipient: other.set.recipient };
    const { error, left } = await tracesOf([...borrowed, pin], () =>
      combine(set, [ana, ben], made.sealed, TOKEN),
    );
    assert.match(String(error), /the shares do not fit together/);
    assert.equal(left, 0);
  });
});
