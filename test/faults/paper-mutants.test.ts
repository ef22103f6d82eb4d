/**
 * I01, Q11: what people hand over beside scripts and backups, changed at random: cards, geneses, lists of share sets,
 * agreements, heads, proofs of entries, identities. Signed ones are refused; the others are what they say, exactly.
 */

import assert from "node:assert/strict";
import { createHash, createPublicKey, verify } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readGenesis } from "../../src/ceremony/genesis.ts";
import { readHead } from "../../src/ledger/heads.ts";
import { verifyProof } from "../../src/ledger/proof.ts";
import { fromUtf8 } from "../../src/lib/encoding.ts";
import { parseVerifierKey } from "../../src/lib/note.ts";
import { checkAgreement, readAgreement } from "../../src/people/agreement.ts";
import { parseCard, type Card } from "../../src/people/card.ts";
import { openIdentity } from "../../src/people/identity.ts";
import { readCsr } from "../../src/pki/csr-read.ts";
import { parseShareSet } from "../../src/shares/share-set.ts";
import { KEYS } from "../support/broken-cases.ts";
import { signed } from "../support/broken-certificate.ts";
import { csrTbs, GOOD_CSR } from "../support/broken-lists.ts";
import { crossedWith, OF_BYTES, OF_JSON, OF_TEXT, type Change } from "../support/file-mutants.ts";
import { secretOf } from "../support/identities.ts";
import { Dice, mutant as derMutant } from "../support/mutate.ts";
import { sweepMutants, type Verdict } from "../support/mutant-sweep.ts";
import { FOUNDERS, siteAt } from "../support/rehearsed-site.ts";

const site = siteAt("generated");
const people = Object.keys(FOUNDERS);
const read = (path: string): Uint8Array => Uint8Array.from(readFileSync(path));
const everything = { ...OF_BYTES, ...OF_TEXT, ...OF_JSON };

const cardFiles = Object.fromEntries(
  people.map((person) => [person, read(join(site.medium(person), "keyrite", "card.json"))]),
);
const genesis = read(site.file("genesis.json"));
const { origin, ledgerKey: ledgerKeyText } = readGenesis(genesis);
const ledgerKey = parseVerifierKey(ledgerKeyText);

/** Canonical JSON by nothing but JSON.parse, JSON.stringify and an order of names: RFC 8785 for what we write. */
function canonicalAgain(bytes: Uint8Array): string {
  const sorted = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return value.map(sorted);
    const items = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(items.map(([name, item]) => [name, sorted(item)]));
  };
  return JSON.stringify(sorted(JSON.parse(fromUtf8(bytes))));
}

/** A file that stands for itself: accepted, it is in its one form, and what we read is what is in it. */
function standsForItself(bytes: Uint8Array, value: unknown): Verdict {
  assert.equal(canonicalAgain(bytes), Buffer.from(bytes).toString("utf8"), "two forms of one file");
  const written: unknown = JSON.parse(fromUtf8(bytes));
  assert.deepEqual(JSON.parse(JSON.stringify(value)), written);
  return "other";
}

/** The id of a C2SP key: SHA-256 of name, line end, type and key. */
function keyIdFits(vkey: string): boolean {
  const [name = "", id, ...rest] = vkey.split("+");
  const material = Buffer.from(rest.join("+"), "base64");
  const digest = createHash("sha256").update(`${name}\n`).update(material).digest("hex");
  return digest.slice(0, 8) === id;
}

test("I01: mutants of cards are refused, or are exactly what they say", async () => {
  await sweepMutants({
    ...{ row: "I01", what: "mutants of cards", short: 1500, full: 100_000 },
    originals: cardFiles,
    changes: { ...everything, ...crossedWith(Object.values(cardFiles)) },
    judge: ({ bytes }) => {
      const card = parseCard(bytes);
      assert.ok(keyIdFits(card.signing) && keyIdFits(card.cosigning), "a key under another's id");
      assert.ok(card.keyName.endsWith(`/people/${card.person}`));
      return standsForItself(bytes, card);
    },
  });
});

test("I01: mutants of a genesis are refused, or are exactly what they say", async () => {
  await sweepMutants({
    ...{ row: "I01", what: "mutants of geneses", short: 1000, full: 100_000 },
    originals: { "genesis.json": genesis },
    changes: { ...everything, ...crossedWith(Object.values(cardFiles)) },
    judge: ({ bytes }) => {
      const { sha256, ...rest } = readGenesis(bytes);
      // By its digest it is another site's, which a sheet in ink tells from ours.
      assert.equal(sha256, createHash("sha256").update(bytes).digest("hex"));
      return standsForItself(bytes, { keyrite: "genesis/v1", ...rest });
    },
  });
});

const setFolders = readdirSync(site.file("share-sets"));
const setFiles = Object.fromEntries(
  setFolders.map((name) => [name, read(join(site.file("share-sets"), name, "share-set.json"))]),
);

test("I01: mutants of share-set.json are refused, or are exactly what they say", async () => {
  await sweepMutants({
    ...{ row: "I01", what: "mutants of share-set.json", short: 1500, full: 100_000 },
    originals: setFiles,
    changes: { ...everything, ...crossedWith(Object.values(setFiles)) },
    judge: ({ bytes }) => {
      const set = parseShareSet(bytes);
      assert.ok(set.threshold >= 2 && set.threshold <= set.holders.length);
      for (const member of ["person", "recipient", "commitment", "file"] as const) {
        assert.equal(new Set(set.holders.map((one) => one[member])).size, set.holders.length);
      }
      return standsForItself(bytes, set);
    },
  });
});

const cards = new Map<string, Card>(
  Object.entries(cardFiles).map(([person, bytes]) => [person, parseCard(bytes)]),
);
const entries = site.entries();
const agreements = Object.fromEntries(
  entries
    .flatMap((entry) => entry.agreements)
    .slice(0, 40)
    .map((note, i) => [`agreement ${i}`, new TextEncoder().encode(note)]),
);

/** The text of a mutant; what is no UTF-8 is refused by whoever reads the file. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return fromUtf8(bytes);
  } catch {
    return undefined;
  }
}

test("Q11: mutants of agreements are refused", async () => {
  await sweepMutants({
    ...{ row: "Q11", what: "mutants of agreements", short: 1500, full: 100_000 },
    originals: agreements,
    changes: { ...OF_BYTES, ...OF_TEXT, ...crossedWith(Object.values(agreements)) },
    judge: ({ bytes }) => {
      const text = textOf(bytes);
      if (text === undefined) return "refused";
      const card = cards.get(readAgreement(text).agreement.person);
      if (card === undefined) return "refused";
      checkAgreement(text, card);
      // A piece of another may make the whole of that other; nothing else bears a good signature.
      const known = Object.values(agreements).some((one) => Buffer.compare(one, bytes) === 0);
      assert.ok(known, "an agreement that nobody signed was accepted");
      return "same";
    },
  });
});

/** The signature of the ledger's key holds for a text, by node:crypto and nothing of ours. */
function ledgerSigned(text: string): boolean {
  const end = text.lastIndexOf("\n\n") + 1;
  const lines = text.slice(end + 1).split("\n");
  const key = createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x: Buffer.from(ledgerKey.publicKey).toString("base64url") },
    format: "jwk",
  });
  return lines.some((line) => {
    const [, name, encoded = ""] = line.split(" ");
    const bytes = Buffer.from(encoded, "base64");
    const signature = bytes.subarray(4);
    return (
      name === origin &&
      signature.length === 64 &&
      verify(null, Buffer.from(text.slice(0, end)), key, signature)
    );
  });
}

const heads = Object.fromEntries(
  people.map((person) => {
    const folder = join(site.medium(person), "heads");
    return [person, read(join(folder, readdirSync(folder)[0] ?? ""))];
  }),
);
const headText = (text: string): string => text.slice(0, text.lastIndexOf("\n\n") + 1);
const headTexts = new Set(
  Object.values(heads).map((bytes) => headText(Buffer.from(bytes).toString("utf8"))),
);

test("I01: mutants of heads are refused, or their ledger signed the very same head", async () => {
  await sweepMutants({
    ...{ row: "I01", what: "mutants of heads", short: 1500, full: 100_000, originals: heads },
    changes: { ...OF_BYTES, ...OF_TEXT, ...crossedWith(Object.values(heads)) },
    judge: ({ bytes }) => {
      const text = textOf(bytes);
      if (text === undefined) return "refused";
      readHead(text, origin, ledgerKey);
      assert.ok(ledgerSigned(text), "a head that the ledger's key did not sign was accepted");
      assert.ok(headTexts.has(headText(text)), "another head was accepted");
      return "same";
    },
  });
});

const vault = site.vault("onsite");
const [backup = ""] = readdirSync(vault);
const proofFolder = join(vault, backup, "proofs");
const proofs = Object.fromEntries(
  readdirSync(proofFolder)
    .filter((name) => name.endsWith(".tlog-proof"))
    .map((name) => [name, read(join(proofFolder, name))]),
);

test("I01: mutants of proofs are refused, or prove the very same entry", async () => {
  const whole = new Map(
    Object.values(proofs).map((bytes) => {
      const { entry } = verifyProof(fromUtf8(bytes), ledgerKey);
      return [entry.seq, JSON.stringify(entry)];
    }),
  );
  await sweepMutants({
    ...{ row: "I01", what: "mutants of tlog-proofs", short: 1500, full: 100_000 },
    originals: proofs,
    changes: { ...OF_BYTES, ...OF_TEXT, ...crossedWith(Object.values(proofs)) },
    judge: ({ bytes }) => {
      const text = textOf(bytes);
      if (text === undefined) return "refused";
      const { entry } = verifyProof(text, ledgerKey);
      assert.equal(JSON.stringify(entry), whole.get(entry.seq), "another entry was proved");
      assert.ok(ledgerSigned(text.slice(text.indexOf("\n\n") + 2)));
      return "same";
    },
  });
});

test("I01: mutants of identities are refused before anything is signed with them", async () => {
  const [person] = people;
  assert.ok(person !== undefined);
  const card = cards.get(person);
  assert.ok(card !== undefined);
  const sealed = read(join(site.medium(person), "keyrite", "identity.age"));
  await sweepMutants({
    // Each costs a passphrase's scrypt.
    ...{ row: "I01", what: "mutants of identities", short: 150, full: 5000 },
    originals: { "identity.age": sealed },
    changes: OF_BYTES,
    judge: async ({ bytes }) => {
      const passphrase = secretOf(`${person} drill`);
      try {
        (await openIdentity(bytes, passphrase, card)).wipe();
      } finally {
        passphrase.wipe();
      }
      return assert.fail("an altered identity was opened");
    },
  });
});

const requests = {
  "p-384": signed(csrTbs(GOOD_CSR), KEYS.issuing),
  rsa: signed(csrTbs({ ...GOOD_CSR, spki: KEYS.rsa.spki }), KEYS.rsa),
} as const;

/** One change of a DER file, from the dice that the sweep throws; of what is DER no more, another byte. */
const ofDer: Change = (bytes, dice) =>
  Object.values(requests).some((one) => Buffer.compare(one, bytes) === 0)
    ? derMutant(bytes, new Dice(String(dice.below(2 ** 31))))
    : (OF_BYTES["a byte"]?.(bytes, dice) ?? bytes);

test("I01: mutants of requests are refused, or hold what the key's owner signed", async () => {
  const signedParts = Object.values(requests).map((der) => Buffer.from(readCsr(der).tbs));
  await sweepMutants({
    ...{ row: "I01", what: "mutants of certificate requests", short: 1500, full: 100_000 },
    originals: requests,
    changes: { "a change of DER": ofDer, "one more change of DER": ofDer, ...OF_BYTES },
    judge: ({ bytes }) => {
      const tbs = Buffer.from(readCsr(bytes).tbs);
      const known = signedParts.some((one) => one.equals(tbs));
      assert.ok(known, "a request that nobody signed was accepted");
      return "same";
    },
  });
});
