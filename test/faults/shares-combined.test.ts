/**
 * Q02, Q03, Q04: every choice of shares up to seven holders, every mixture of four sets, every subset up to ten
 * holders. Right ones always open the secret; wrong ones never do, and it is said whose is wrong. FAULTS=full takes
 * 1,000 secrets for each size of set.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Secret } from "../../src/lib/secret.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import type { MadeShareSet } from "../../src/shares/make-share-set.ts";
import { combineShares, splitSecret } from "../../src/shares/shamir.ts";
import { commitmentOf, shareSetTitle, type ShareSet } from "../../src/shares/share-set.ts";
import { combine, openShare, type EnteredShare } from "../../src/shares/use-share-set.ts";
import { figure, FULL, sized } from "../support/fault-run.ts";
import { makePerson, seededRandom, textOf, type TestPerson } from "../support/identities.ts";
import { makeSet, NAMES, PIN, shareFile, subsets, TOKEN } from "../support/share-sets.ts";

/** Secrets for every k and n. */
const SECRETS = sized(4, 1_000);
const MOST_HOLDERS = 10;

const crowd: TestPerson[] = [];
for (let i = 0; i < MOST_HOLDERS; i += 1) crowd.push(await makePerson(`p${String(i + 1)}`));

/** A set of k of the first n of the crowd, and all of its shares entered. */
async function crowdSet(
  k: number,
  n: number,
): Promise<{ readonly made: MadeShareSet; readonly all: readonly EnteredShare[] }> {
  const holders = crowd.slice(0, n);
  const made = await makeSet(k, n, {
    holders: holders.map(({ card }) => ({ person: card.person, recipient: card.recipient })),
  });
  const all: EnteredShare[] = [];
  for (const { card, opened } of holders) {
    const file = shareFile(made, card.person);
    const share = await openShare(made.set, card.person, file, (f) => opened.opener.open(f));
    all.push({ person: card.person, share });
  }
  return { made, all };
}

async function codeOf(work: Promise<Secret>): Promise<string> {
  try {
    (await work).wipe();
    return "opened";
  } catch (error) {
    assert.ok(error instanceof KeyriteError, String(error));
    return `${error.code}: ${error.message}`;
  }
}

const SIZES = [2, 3, 4, 5, 6, 7].flatMap((n) =>
  [2, 3, 4, 5, 6, 7].filter((k) => k <= n).map((k) => [k, n] as const),
);

test("Q02: up to seven holders, too few are refused with the count, one share twice by its name", async () => {
  const counts = { sets: 0, opened: 0, tooFew: 0, twice: 0, underAnotherName: 0 };
  for (const [k, n] of SIZES) {
    const { made, all } = await crowdSet(k, n);
    counts.sets += 1;
    for (const some of subsets(all)) {
      const came = await codeOf(combine(made.set, some, made.sealed, TOKEN));
      if (some.length >= k) {
        assert.equal(came, "opened", `${k} of ${n}`);
        counts.opened += 1;
      } else {
        const said = `people.quorum-not-met: share set salpha.g1 needs ${k} shares, ${some.length} were entered`;
        assert.equal(came, said);
        counts.tooFew += 1;
      }
      // One more than there are, or one too few made up by a share that is here already.
      for (const again of some) {
        const came = await codeOf(combine(made.set, [...some, again], made.sealed, TOKEN));
        assert.equal(came, `people.same-person: the share of ${again.person} was entered twice`);
        counts.twice += 1;
      }
      const absent = all.filter((one) => !some.includes(one));
      for (const name of absent) {
        for (const { share } of some) {
          const more = [...some, { person: name.person, share }];
          const came = await codeOf(combine(made.set, more, made.sealed, TOKEN));
          assert.match(
            came,
            new RegExp(`^people.share-rejected: the share of ${name.person} in set`),
          );
          counts.underAnotherName += 1;
        }
      }
    }
  }
  figure("Q02", "choices of shares, all sets up to 7 holders", counts);
});

/** The list of a set as a dealer writes it who gives out these shares: all commitments fit. */
function dealt(set: ShareSet, entered: readonly EnteredShare[]): ShareSet {
  const holders = set.holders.map((holder) => {
    const one = entered.find(({ person }) => person === holder.person);
    const commitment = one?.share.use((bytes) => commitmentOf(set, holder.index, bytes));
    return { ...holder, commitment: commitment ?? holder.commitment };
  });
  return { ...set, holders };
}

test("Q02: a share at place zero, or two at one place, open nothing whatever the list of the set says", async () => {
  const counts = { zero: 0, repeated: 0 };
  for (const [k, n] of SIZES) {
    const { made, all } = await crowdSet(k, n);
    for (const [at, { person, share }] of all.entries()) {
      for (const [from, other] of all.entries()) {
        const place = from === at ? 0 : other.share.use((bytes) => bytes.at(-1) ?? 0);
        const moved = share.use((bytes) => Uint8Array.from([...bytes.subarray(0, -1), place]));
        const bad = { person, share: Secret.take(moved) };
        const mixed = all.map((one, i) => (i === at ? bad : one));
        const came = await codeOf(combine(dealt(made.set, mixed), mixed, made.sealed, TOKEN));
        assert.match(came, /^people.share-rejected: .* do not fit together/);
        counts[place === 0 ? "zero" : "repeated"] += 1;
      }
    }
  }
  figure("Q02", "places zero and taken twice", counts);
});

const FOUR = await Promise.all([
  makeSet(3, 5),
  makeSet(3, 5, { generation: 2 }),
  makeSet(3, 5, { id: "sother" }),
  makeSet(3, 5, { id: "sbeta", token: { serial: "fedcba9876543210", label: "beta" } }),
]);

test("Q03: a share file of another set or generation is refused when it is entered, both sets named", async () => {
  let refused = 0;
  for (const target of FOUR) {
    for (const source of FOUR) {
      for (const person of NAMES) {
        const { opener } = (await makePerson(person)).opened;
        const entry = openShare(target.set, person, shareFile(source, person), (f) =>
          opener.open(f),
        );
        if (source === target) {
          (await entry).wipe();
          continue;
        }
        await assert.rejects(entry, (error) => {
          assert.ok(error instanceof KeyriteError && error.code === "people.share-rejected");
          const sameSet = source.set.id === target.set.id;
          const other = sameSet
            ? `generation ${source.set.generation}, which is not in use`
            : `share set ${source.set.id}`;
          const title = shareSetTitle(target.set);
          assert.equal(
            error.message,
            `the share of ${person} in set ${title} is refused: it is of ${other}`,
          );
          return true;
        });
        refused += 1;
      }
    }
  }
  figure("Q03", "share files of another set or generation", { refused });
});

test("Q03: of all mixtures of four sets only those of one set open it, and only with all its own", async () => {
  const shares = new Map<MadeShareSet, readonly EnteredShare[]>();
  for (const one of FOUR) {
    const entered: EnteredShare[] = [];
    for (const person of NAMES) {
      const { opener } = (await makePerson(person)).opened;
      const share = await openShare(one.set, person, shareFile(one, person), (f) => opener.open(f));
      entered.push({ person, share });
    }
    shares.set(one, entered);
  }
  const counts = { mixtures: 0, opened: 0, refused: 0, dealtRefused: 0 };
  for (let code = 0; code < 5 ** NAMES.length; code += 1) {
    const from = NAMES.map((_, i) => FOUR[(Math.floor(code / 5 ** i) % 5) - 1]);
    const some = from.flatMap((one, i) => (one && shares.get(one)?.[i]) ?? []);
    const used = new Set(from.filter((one) => one !== undefined));
    counts.mixtures += 1;
    for (const target of FOUR) {
      const pure = used.size === 1 && used.has(target) && some.length >= 3;
      const token = target === FOUR[3] ? { serial: "fedcba9876543210", label: "beta" } : TOKEN;
      const pin = combine(target.set, some, target.sealed, token);
      if (pure) {
        assert.equal(textOf(await pin), PIN);
        counts.opened += 1;
        continue;
      }
      const came = await codeOf(pin);
      assert.match(came, /^people\.(share-rejected|quorum-not-met)/);
      counts.refused += 1;
      // Even if somebody lists these very shares as the set's, they do not lead to its key.
      if (some.length < 3 || used.size < 2 || (!FULL && code % 9 !== 0)) continue;
      const listed = await codeOf(combine(dealt(target.set, some), some, target.sealed, token));
      assert.match(listed, /^people.share-rejected: .* do not fit together/);
      counts.dealtRefused += 1;
    }
  }
  figure("Q03", "all mixtures of 4 sets of 3 of 5", counts);
});

test("Q04: every subset of k or more of n opens the PIN, for all 2 <= k <= n <= 10", async () => {
  const counts = { sets: 0, subsets: 0 };
  for (let n = 2; n <= MOST_HOLDERS; n += 1) {
    for (let k = 2; k <= n; k += 1) {
      const { made, all } = await crowdSet(k, n);
      counts.sets += 1;
      for (const some of subsets(all).filter(({ length }) => length >= k)) {
        // The long form opens the sealed PIN by each of them; the short one by the smallest and the largest.
        if (!FULL && some.length > k && some.length < n) continue;
        assert.equal(textOf(await combine(made.set, some, made.sealed, TOKEN)), PIN);
        counts.subsets += 1;
      }
    }
  }
  figure("Q04", "subsets that open the PIN, up to 10 holders", counts);
});

test(`Q04: ${SECRETS} random keys for each k and n are the same from every subset`, async () => {
  const counts = { secrets: 0, subsets: 0, differing: 0 };
  for (let n = 2; n <= MOST_HOLDERS; n += 1) {
    for (let k = 2; k <= n; k += 1) {
      for (let i = 0; i < SECRETS; i += 1) {
        const bytes = seededRandom(`${k} of ${n}: ${i}`).bytes(32);
        const key = Secret.copy(bytes);
        const shares = await splitSecret(key, n, k);
        counts.secrets += 1;
        // Larger subsets than are needed lie on the same polynomial: fewer of them say as much.
        const most = i % 25 === 0 ? n : k;
        for (const some of subsets(shares)) {
          if (some.length < k || some.length > most) continue;
          const back = await combineShares(some);
          if (!back.use((b) => Buffer.compare(b, bytes) === 0)) counts.differing += 1;
          counts.subsets += 1;
          back.wipe();
        }
      }
    }
  }
  figure("Q04", "keys rebuilt from subsets, up to 10 holders", counts);
  assert.equal(counts.differing, 0);
});
