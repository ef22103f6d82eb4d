/**
 * Q05, Q06: what too few shares say of the secret, which is nothing, and what a dealer who deals falsely gets away
 * with, which is nothing. The library's randomness is replaced by every value it could give.
 */

import assert from "node:assert/strict";
import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, mock, test } from "node:test";
import type { Participant } from "../../src/ceremony/action.ts";
import { proveShareSet, type ProvingRoom } from "../../src/actions/lib/share-sets.ts";
import { recipientOf, x25519Recipient, encryptTo } from "../../src/lib/age.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import { Secret } from "../../src/lib/secret.ts";
import { openMedium } from "../../src/people/medium.ts";
import { formatSealed, formatShare } from "../../src/shares/contents.ts";
import { PENDING, type MadeShareSet } from "../../src/shares/make-share-set.ts";
import { proveSplit, splitSecret } from "../../src/shares/shamir.ts";
import { commitmentOf, formatShareSet, type ShareSet } from "../../src/shares/share-set.ts";
import { combineByHand } from "../support/by-hand.ts";
import { figure, FULL, sampled } from "../support/fault-run.ts";
import { secretOf, seededRandom } from "../support/identities.ts";
import { NAMES, personOf, PIN, subsets } from "../support/share-sets.ts";

const folder = mkdtempSync(join(tmpdir(), "keyrite-dealt-"));
after(() => {
  rmSync(folder, { recursive: true });
});

/** The y byte of each share of a one-byte secret, when the polynomial's other coefficients are these. */
async function dealtWith(
  secret: number,
  coefficients: readonly number[],
  n: number,
): Promise<readonly number[]> {
  next = Uint8Array.from(coefficients);
  const shares = await splitSecret(Secret.take(Uint8Array.of(secret)), n, coefficients.length + 1);
  return shares.map((share) => share.use((bytes) => bytes[0] ?? 0));
}

let next = new Uint8Array();

/** The library draws 255 bytes to choose places and then the coefficients: these are what it gets. */
function drawn(size: number): Buffer {
  return Buffer.from((size === 255 ? new Uint8Array(255) : Uint8Array.from(next)).buffer);
}

test("Q05: one share of two takes every value equally often, whatever the secret, for all 256 secrets", async () => {
  const random = mock.method(crypto, "randomBytes", drawn);
  syncBuiltinESMExports();
  let splits = 0;
  let uneven = 0;
  try {
    for (const secret of sampled([...Array(256).keys()], 24)) {
      const seen = [0, 1, 2].map(() => new Uint32Array(256));
      for (let coefficient = 0; coefficient < 256; coefficient += 1) {
        const values = await dealtWith(secret, [coefficient], 3);
        for (const [i, value] of values.entries()) count(seen[i], value);
        splits += 1;
      }
      uneven += seen.filter((counts) => counts.some((times) => times !== 1)).length;
    }
    assert.ok(random.mock.callCount() >= 2 * splits, "the library drew what the test gave it");
  } finally {
    random.mock.restore();
    syncBuiltinESMExports();
  }
  figure("Q05", "one share of 2 of 3, every polynomial over one byte", { splits, uneven });
  assert.equal(uneven, 0);
});

function count(counts: Uint32Array | Uint8Array | undefined, value: number): void {
  if (counts !== undefined) counts[value] = (counts[value] ?? 0) + 1;
}

test("Q05: two shares of three take every pair of values equally often, for each pair of holders", async () => {
  const random = mock.method(crypto, "randomBytes", drawn);
  syncBuiltinESMExports();
  let splits = 0;
  let uneven = 0;
  const pairs = subsets([0, 1, 2]).filter(({ length }) => length === 2);
  try {
    for (const secret of FULL ? [0, 1, 0x42, 0x80, 255] : [0x42]) {
      const seen = pairs.map(() => new Uint8Array(65_536));
      for (let code = 0; code < 65_536; code += 1) {
        const values = await dealtWith(secret, [code >> 8, code & 0xff], 3);
        for (const [i, [a = 0, b = 0]] of pairs.entries()) {
          count(seen[i], ((values[a] ?? 0) << 8) | (values[b] ?? 0));
        }
        splits += 1;
      }
      uneven += seen.filter((counts) => counts.some((times) => times !== 1)).length;
    }
  } finally {
    random.mock.restore();
    syncBuiltinESMExports();
  }
  figure("Q05", "two shares of 3 of 3, every polynomial over one byte", { splits, uneven });
  assert.equal(uneven, 0);
});

/**
 * Whether every quorum of these shares rebuilds the secret, by arithmetic of our own. Where all have to come together,
 * two changes can cancel out at some places: then they are shares of the same secret on another polynomial, and good.
 */
function leadsBack(secret: Uint8Array, shares: readonly Uint8Array[], k: number): boolean {
  return subsets(shares)
    .filter(({ length }) => length === k)
    .every((quorum) => Buffer.compare(combineByHand(quorum), secret) === 0);
}

test("Q06: whichever shares a dealer deals falsely, the split is refused before its secret is given up", async () => {
  const secret = seededRandom("dealt falsely").bytes(32);
  const counts = { sound: 0, refused: 0, harmless: 0, accepted: 0 };
  for (let n = 2; n <= 6; n += 1) {
    for (let k = 2; k <= n; k += 1) {
      const dealt = await splitSecret(Secret.copy(secret), n, k);
      const shares = dealt.map((share) => share.use((bytes) => Uint8Array.from(bytes)));
      await proveSplit(secret, shares, k);
      counts.sound += 1;
      for (const bad of subsets([...Array(n).keys()]).filter(({ length }) => length > 0)) {
        for (const bit of sampled([...Array(256).keys()], 3)) {
          const false_ = shares.map((share, i) =>
            bad.includes(i)
              ? share.map((b, at) => (at === bit >> 3 ? b ^ (1 << (bit & 7)) : b))
              : share,
          );
          const refused = await proveSplit(secret, false_, k).then(
            () => false,
            () => true,
          );
          if (refused) counts.refused += 1;
          else if (leadsBack(secret, false_, k)) counts.harmless += 1;
          else counts.accepted += 1;
        }
      }
    }
  }
  figure("Q06", "falsely dealt shares of sets up to 6 holders", counts);
  assert.equal(counts.accepted, 0);
});

/** A 3-of-5 set whose files and list are all of a piece, dealt from these shares. */
async function falseSet(
  shares: readonly Uint8Array[],
  key: Secret,
  at: string,
): Promise<MadeShareSet> {
  const names = { set: "salpha", generation: "1", threshold: "3" };
  const recipient = recipientOf(key);
  const sealedNames = { ...names, purpose: "activation", serial: PENDING, label: "alpha" };
  const content = formatSealed(sealedNames, secretOf(PIN));
  const sealed = await encryptTo([x25519Recipient(recipient)], content);
  const files = new Map<string, Uint8Array>();
  const holders: ShareSet["holders"][number][] = [];
  for (const [i, share] of shares.entries()) {
    const person = NAMES[i] ?? "";
    const { card } = personOf(person);
    const text = formatShare({ ...names, index: String(i + 1), person }, Secret.copy(share));
    const file = await encryptTo([x25519Recipient(card.recipient)], text);
    files.set(person, file);
    const commitment = commitmentOf({ id: "salpha", generation: 1 }, i + 1, share);
    const digest = sha256Hex(file);
    holders.push({ index: i + 1, person, recipient: card.recipient, commitment, file: digest });
    const medium = join(folder, at, person);
    mkdirSync(medium, { recursive: true });
    openMedium(medium, person).writeShare({ id: "salpha", generation: 1 }, file);
  }
  const set: ShareSet = {
    keyrite: "share-set/v1",
    id: "salpha",
    generation: 1,
    purpose: "activation",
    threshold: 3,
    recipient,
    sealed: sha256Hex(sealed),
    holders,
  };
  return { set, json: formatShareSet(set), sealed, shares: files };
}

test("Q06: false shares with commitments to match are found when the holders prove theirs", async () => {
  const key = Secret.take(seededRandom("the activation key").bytes(32));
  const split = await splitSecret(key, 5, 3);
  const shares = split.map((share) => share.use((bytes) => Uint8Array.from(bytes)));
  const counts = { sound: 0, refused: 0, accepted: 0 };
  for (const bad of subsets([0, 1, 2, 3, 4])) {
    const at = bad.join("") || "none";
    const dealt = shares.map((share, i) =>
      bad.includes(i) ? share.map((b, j) => (j === 5 + i ? b ^ 0x20 : b)) : share,
    );
    const made = await falseSet(dealt, key, at);
    const holders = NAMES.map((person): Participant => {
      return { person, role: "custodian", card: personOf(person).card };
    });
    const room: ProvingRoom = {
      console: {
        tell: () => undefined,
        warn: () => undefined,
      } as unknown as ProvingRoom["console"],
      people: {
        attending: holders,
        performers: [],
        medium: (person) => Promise.resolve(openMedium(join(folder, at, person), person)),
        open: ({ person }) => Promise.resolve(personOf(person).opened.opener),
        sign: () => Promise.reject(new Error("nothing is signed")),
      },
    };
    const proved = proveShareSet(room, made, "alpha", holders, secretOf(PIN));
    if (bad.length === 0) {
      await proved;
      counts.sound += 1;
      continue;
    }
    const came = await proved.then(
      () => "accepted",
      (error: unknown) => String(error),
    );
    if (came === "accepted") counts.accepted += 1;
    else {
      assert.match(came, /do not fit together/);
      counts.refused += 1;
    }
  }
  figure("Q06", "false shares of a 3 of 5 set with commitments to match", counts);
  assert.equal(counts.accepted, 0);
});
