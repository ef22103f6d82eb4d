/**
 * Q01: share files, their contents, the sealed secret and the list of the set, altered bit by bit and at random.
 * Whoever holds an altered share is named, nothing comes out of it, and the others still open the set.
 * FAULTS=full takes every bit and 100,000 random changes.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256Hex } from "../../src/lib/encoding.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { Secret } from "../../src/lib/secret.ts";
import { parseShareSet, shareSetDigest } from "../../src/shares/share-set.ts";
import { combine, openShare, type EnteredShare } from "../../src/shares/use-share-set.ts";
import { figure, sampled, SEED, sized, type Counts } from "../support/fault-run.ts";
import { textOf } from "../support/identities.ts";
import { Dice } from "../support/random-mutations.ts";
import {
  enter,
  handingOut,
  makeSet,
  NAMES,
  PIN,
  shareFile,
  shareText,
  TOKEN,
} from "../support/share-sets.ts";

const RANDOM = sized(2_000, 100_000);
const BITS_EACH = 160;

const made = await makeSet(3, 5);
const others = await Promise.all([
  makeSet(3, 5, { id: "sother" }),
  makeSet(3, 5, { generation: 2 }),
]);
const entered = new Map<string, EnteredShare>();
for (const person of NAMES) entered.set(person, await enter(made, person));

interface Change {
  readonly person: string;
  readonly file: Uint8Array;
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  return bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
}

function bitsOf(bytes: Uint8Array): readonly number[] {
  return sampled([...Array(bytes.length * 8).keys()], BITS_EACH);
}

/** What became of the changes of one sweep. */
class Tally {
  refused = 0;
  accepted = 0;
  /** Refused without a word of whose share it is. */
  unnamed = 0;

  /** Enters a share that must be refused in the one way it may be: by the name of whoever holds it. */
  async take(person: string, entry: () => Promise<unknown>): Promise<void> {
    try {
      await entry();
      this.accepted += 1;
    } catch (error) {
      assert.ok(error instanceof KeyriteError, String(error));
      assert.equal(error.code, "people.share-rejected", error.message);
      const named = error.message.startsWith(`the share of ${person} in set salpha.g1 is refused`);
      if (named) this.refused += 1;
      else this.unnamed += 1;
    }
  }

  /** Says what it came to, and fails where one was accepted or not named. */
  end(what: string, more: Counts = {}): void {
    const { refused, accepted, unnamed } = this;
    figure("Q01", what, { refused, accepted, unnamed, ...more });
    assert.ok(refused > 0);
    assert.deepEqual({ accepted, unnamed }, { accepted: 0, unnamed: 0 });
  }
}

/** The PIN opens by three who were not touched, and not by two of them. */
async function unaffected(but: string): Promise<void> {
  const rest = NAMES.filter((name) => name !== but).flatMap((name) => entered.get(name) ?? []);
  assert.equal(textOf(await combine(made.set, rest.slice(1), made.sealed, TOKEN)), PIN);
  await assert.rejects(combine(made.set, rest.slice(2), made.sealed, TOKEN), {
    code: "people.quorum-not-met",
  });
}

test("Q01: a flipped bit anywhere in a share file is refused, its holder named, the others unaffected", async () => {
  const tally = new Tally();
  for (const person of NAMES) {
    const file = shareFile(made, person);
    for (const bit of bitsOf(file)) {
      await tally.take(person, () => enter(made, person, flipped(file, bit)));
    }
    await unaffected(person);
  }
  tally.end("one bit of a share file");
});

test("Q01: a flipped bit of what a share file holds, sealed again by its holder, is refused", async () => {
  const tally = new Tally();
  for (const person of NAMES) {
    const content = await shareText(made, person);
    const open = handingOut;
    for (const bit of bitsOf(content)) {
      const change = flipped(content, bit);
      const file = shareFile(made, person);
      await tally.take(person, () => openShare(made.set, person, file, open(change)));
    }
    (await openShare(made.set, person, shareFile(made, person), open(content))).wipe();
  }
  tally.end("one bit of a share's content");
});

test("Q01: a flipped bit of a share in memory is refused when shares are put together", async () => {
  const tally = new Tally();
  const three = NAMES.slice(0, 3).flatMap((name) => entered.get(name) ?? []);
  for (const [at, { person, share }] of three.entries()) {
    const bytes = share.use((secret) => Uint8Array.from(secret));
    for (const bit of bitsOf(bytes)) {
      const bad = Secret.take(flipped(bytes, bit));
      const mixed = three.map((one, i) => (i === at ? { person, share: bad } : one));
      await tally.take(person, () => combine(made.set, mixed, made.sealed, TOKEN));
    }
  }
  tally.end("one bit of a share in memory");
});

test("Q01: a flipped bit of the sealed secret or of the set's list is refused", async () => {
  const three = NAMES.slice(2).flatMap((name) => entered.get(name) ?? []);
  let sealed = 0;
  for (const bit of bitsOf(made.sealed)) {
    const pin = combine(made.set, three, flipped(made.sealed, bit), TOKEN);
    await assert.rejects(pin, {
      code: "people.share-rejected",
      message: /not the file that was made/,
    });
    sealed += 1;
  }
  let lists = 0;
  const digest = shareSetDigest(made.set);
  for (const bit of bitsOf(made.json)) {
    const json = flipped(made.json, bit);
    assert.notEqual(sha256Hex(json), digest);
    try {
      // Another list is another set: its digest is not the one in the ledger, whatever it says.
      assert.notEqual(shareSetDigest(parseShareSet(json)), digest, `bit ${bit}`);
    } catch (error) {
      assert.ok(error instanceof KeyriteError && error.code === "usage.bad-file", String(error));
    }
    lists += 1;
  }
  figure("Q01", "one bit of the sealed secret", { refused: sealed });
  figure("Q01", "one bit of share-set.json", { refused: lists });
});

const KINDS: Readonly<Record<string, (change: Change, dice: Dice) => Uint8Array>> = {
  bits: ({ file }, dice) => {
    const count = 1 + dice.below(8);
    let bytes = file;
    for (let i = 0; i < count; i += 1) bytes = flipped(bytes, dice.below(file.length * 8));
    return bytes;
  },
  bytes: ({ file }, dice) => {
    const at = dice.below(file.length);
    const length = 1 + dice.below(40);
    return file.map((byte, i) => (i >= at && i < at + length ? dice.below(256) : byte));
  },
  cut: ({ file }, dice) => file.slice(0, dice.below(file.length)),
  grown: ({ file }, dice) =>
    Uint8Array.from([
      ...file,
      ...Array.from({ length: 1 + dice.below(99) }, () => dice.below(256)),
    ]),
  removed: ({ file }, dice) => {
    const at = dice.below(file.length);
    const length = 1 + dice.below(40);
    return Uint8Array.from([...file.subarray(0, at), ...file.subarray(at + length)]);
  },
  spliced: ({ file }, dice) => {
    const other = shareFile(dice.pick([made, ...others]), dice.pick(NAMES));
    const at = dice.below(file.length);
    return Uint8Array.from([...file.subarray(0, at), ...other.subarray(at)]);
  },
  foreign: (_, dice) => shareFile(dice.pick([made, ...others]), dice.pick(NAMES)),
  noise: (_, dice) => Uint8Array.from({ length: dice.below(600) }, () => dice.below(256)),
};

test(`Q01: of ${RANDOM} random changes of share files none is accepted`, async () => {
  const dice = new Dice(SEED);
  const tally = new Tally();
  let unchanged = 0;
  for (let i = 0; i < RANDOM; i += 1) {
    const person = dice.pick(NAMES);
    const kind = dice.pick(Object.keys(KINDS));
    const file = shareFile(made, person);
    const change = KINDS[kind]?.({ person, file }, dice) ?? file;
    if (Buffer.compare(change, file) === 0) {
      unchanged += 1;
      (await enter(made, person, change)).share.wipe();
      continue;
    }
    await tally.take(person, () => enter(made, person, change));
    if (i % 500 === 0) await unaffected(person);
  }
  assert.ok(unchanged < RANDOM / 10);
  tally.end("random changes of share files", { unchanged, seed: SEED });
});
