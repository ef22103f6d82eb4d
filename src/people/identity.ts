/**
 * A person's sealed identity: an age file under a passphrase whose content is at once readable, a
 * stock age identity file, and the Ed25519 seed. Format: docs/formats/identity.md.
 */

import {
  decodeSecretKey,
  decryptWith,
  encodeSecretKey,
  encryptTo,
  HIGHEST_LOG_N,
  PRODUCTION_LOG_N,
  recipientOf,
  scryptCostOf,
  scryptIdentity,
  scryptRecipient,
} from "../lib/age.ts";
import type { Random } from "../lib/clock.ts";
import { signingKeyFromSeed, type SigningKey } from "../lib/ed25519.ts";
import { fromUtf8 } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { formatVerifierKey, verifierKey } from "../lib/note.ts";
import { fromHexBytes, hexBytes, joinLines, splitLines, valueAfter } from "../lib/secret-text.ts";
import { Secret } from "../lib/secret.ts";
import { cardDigest, formatCard, keyNameOf, parseCard, type Assurance, type Card } from "./card.ts";
import { makeOpener, makeSigner, type Opener, type Signer } from "./signer.ts";

export interface NewIdentity {
  readonly person: string;
  /** Name for people to read. */
  readonly name: string;
  /** The organisation's domain: the key name is `<domain>/people/<person>`. */
  readonly domain: string;
  readonly assurance: Assurance;
  /** Borrowed: the caller wipes it. */
  readonly passphrase: Secret;
  /** scrypt cost 2^logN. */
  readonly logN: number;
  readonly random: Random;
}

/** An identity whose keys are in memory until `wipe`. */
export interface OpenedIdentity {
  readonly signer: Signer;
  readonly opener: Opener;
  /** Ends the use of both. Harmless when repeated. */
  wipe(): void;
}

interface Keys {
  readonly seed: Secret;
  readonly ageKey: Secret;
}

type Names = Pick<Card, "person" | "name" | "keyName" | "assurance">;

const SEED_LENGTH = 32;

/**
 * Makes a person's keys and seals them.
 * @throws KeyriteError usage.refused for a person id, name, domain or KDF cost that is not allowed
 */
export async function createIdentity(
  wanted: NewIdentity,
): Promise<{ readonly sealed: Uint8Array; readonly card: Card }> {
  const { person, name, assurance, passphrase, logN, random } = wanted;
  refuseCost(assurance, logN);
  const keys = {
    seed: Secret.take(random.bytes(SEED_LENGTH)),
    ageKey: Secret.take(random.bytes(SEED_LENGTH)),
  };
  try {
    const names = { person, name, keyName: keyNameOf(wanted.domain, person), assurance };
    const card = checked(cardOf(names, keys.seed.use(signingKeyFromSeed), keys.ageKey));
    const content = formatContent(names, keys);
    try {
      return { sealed: await encryptTo([scryptRecipient(passphrase, logN)], content), card };
    } finally {
      content.fill(0);
    }
  } finally {
    keys.seed.wipe();
    keys.ageKey.wipe();
  }
}

/**
 * Opens a sealed identity and proves that it belongs to the card it is expected to have. The
 * passphrase is borrowed.
 * @throws KeyriteError people.authentication-failed for a wrong passphrase; people.medium when the
 * file is damaged, no identity, or that of another card; usage.refused for a KDF cost below what
 * production asks
 */
export async function openIdentity(
  sealed: Uint8Array,
  passphrase: Secret,
  expected: Card,
): Promise<OpenedIdentity> {
  const cost = scryptCostOf(sealed);
  if (cost === undefined) throw unusable(expected, "is not sealed under a passphrase");
  refuseCost(expected.assurance, cost);
  const content = await unseal(sealed, passphrase, expected);
  try {
    return content.use((bytes) => openContent(bytes, expected));
  } finally {
    content.wipe();
  }
}

async function unseal(sealed: Uint8Array, passphrase: Secret, expected: Card): Promise<Secret> {
  try {
    return await decryptWith([scryptIdentity(passphrase)], sealed);
  } catch (error) {
    if (!(error instanceof KeyriteError)) throw error;
    if (error.code !== "people.authentication-failed") throw unusable(expected, "is damaged");
    throw new KeyriteError(error.code, `the passphrase of ${expected.person} is wrong`, {
      hints: error.hints,
    });
  }
}

function openContent(bytes: Uint8Array, expected: Card): OpenedIdentity {
  const parsed = parseContent(bytes);
  if (parsed === undefined) throw unusable(expected, "does not hold an identity");
  const { names, keys } = parsed;
  let signingKey: SigningKey | undefined = keys.seed.use(signingKeyFromSeed);
  keys.seed.wipe();
  if (cardDigest(cardOf(names, signingKey, keys.ageKey)) !== cardDigest(expected)) {
    keys.ageKey.wipe();
    throw unusable(expected, `is that of ${names.person} with another card`);
  }
  const lendKey = (): SigningKey => {
    if (signingKey === undefined) throw new Error("an identity was used after it was wiped");
    return signingKey;
  };
  return {
    signer: makeSigner(expected, lendKey),
    opener: makeOpener(expected, keys.ageKey),
    wipe() {
      signingKey = undefined;
      keys.ageKey.wipe();
    },
  };
}

function cardOf(names: Names, { publicKey }: SigningKey, ageKey: Secret): Card {
  return {
    keyrite: "card/v1",
    ...names,
    signing: formatVerifierKey(verifierKey(names.keyName, "ed25519", publicKey)),
    cosigning: formatVerifierKey(verifierKey(names.keyName, "cosignature", publicKey)),
    recipient: recipientOf(ageKey),
  };
}

/** A card we make must be one we read. */
function checked(card: Card): Card {
  try {
    return parseCard(formatCard(card));
  } catch (error) {
    if (!(error instanceof KeyriteError)) throw error;
    throw new KeyriteError("usage.refused", error.message, { cause: error });
  }
}

function formatContent(names: Names, keys: Keys): Uint8Array {
  const seed = keys.seed.use(hexBytes);
  const ageKey = encodeSecretKey(keys.ageKey);
  const content = joinLines([
    ["# keyrite identity v1"],
    [`# person ${names.person}`],
    [`# name ${names.name}`],
    [`# key-name ${names.keyName}`],
    [`# assurance ${names.assurance}`],
    ["# signing-seed ", seed],
    ["", ageKey],
  ]);
  seed.fill(0);
  ageKey.fill(0);
  return content;
}

function parseContent(bytes: Uint8Array): { names: Names; keys: Keys } | undefined {
  const lines = splitLines(bytes, 8);
  if (lines?.length !== 7) return undefined;
  const [head, person, name, keyName, assurance, seedLine, ageLine] = lines;
  const seed = fromHexBytes(valueAfter(seedLine, "# signing-seed ") ?? new Uint8Array());
  const ageKey = ageLine && decodeSecretKey(ageLine);
  const level = parseAssurance(publicText(assurance, "# assurance "));
  const isIdentity = publicText(head, "") === "# keyrite identity v1";
  if (!isIdentity || !level || seed?.length !== SEED_LENGTH || ageKey === undefined) {
    seed?.fill(0);
    ageKey?.wipe();
    return undefined;
  }
  const names = {
    person: publicText(person, "# person "),
    name: publicText(name, "# name "),
    keyName: publicText(keyName, "# key-name "),
    assurance: level,
  };
  return { names, keys: { seed: Secret.take(seed), ageKey } };
}

function parseAssurance(text: string): Assurance | undefined {
  return text === "production" || text === "test" ? text : undefined;
}

/** The text after `name` in a line that holds no secret; empty when the line is another. */
function publicText(line: Uint8Array | undefined, name: string): string {
  const value = valueAfter(line, name);
  try {
    return value === undefined ? "" : fromUtf8(value);
  } catch {
    return "";
  }
}

function refuseCost(assurance: Assurance, logN: number): void {
  const least = assurance === "production" ? PRODUCTION_LOG_N : 1;
  if (Number.isInteger(logN) && logN >= least && logN <= HIGHEST_LOG_N) return;
  throw new KeyriteError(
    "usage.refused",
    `a ${assurance} identity needs a KDF cost of 2^${least} to 2^${HIGHEST_LOG_N}, not 2^${logN}`,
  );
}

function unusable(expected: Card, problem: string): KeyriteError {
  return new KeyriteError("people.medium", `the identity file of ${expected.person} ${problem}`, {
    hints: [`is this the medium of ${expected.person}?`, "try the copy they keep of it"],
  });
}
