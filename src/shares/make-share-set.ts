/**
 * Making a share set: a PIN is sealed to a fresh activation key, the key is split, and each share is
 * sealed to its holder. Nothing of it is written here, and nothing has touched a token yet.
 */

import {
  decryptWith,
  encryptTo,
  recipientOf,
  x25519Identity,
  x25519Recipient,
} from "../lib/age.ts";
import type { Random } from "../lib/clock.ts";
import { sha256Hex } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { Secret } from "../lib/secret.ts";
import { formatSealed, formatShare, parseSealed } from "./contents.ts";
import { splitSecret } from "./shamir.ts";
import {
  commitmentOf,
  formatShareSet,
  isSlug,
  parseShareSet,
  type ShareHolder,
  type SharePurpose,
  type ShareSet,
} from "./share-set.ts";

/**
 * Stands for a token's serial inside a sealed secret that is made before the token is initialised:
 * some tokens (SoftHSM) take a new serial in C_InitToken, and a PIN must be sealed and proved before
 * that call. Then label and set are compared, and the ledger's binding ties the set to the serial.
 */
export const PENDING = "pending";

/** The token that activation data opens; for an escrowed KEK its name, and `PENDING`. */
export interface TokenName {
  /** The serial, or `PENDING`. */
  readonly serial: string;
  readonly label: string;
}

export interface NewShareSet {
  readonly purpose: SharePurpose;
  readonly id: string;
  readonly generation: number;
  readonly token: TokenName;
  readonly threshold: number;
  readonly holders: readonly { readonly person: string; readonly recipient: string }[];
  /** The PIN, or the KEK in hex. Borrowed: the caller wipes it. */
  readonly secret: Secret;
  readonly random: Random;
}

export interface MadeShareSet {
  readonly set: ShareSet;
  /** The exact bytes of share-set.json. */
  readonly json: Uint8Array;
  /** The age file that holds the secret. */
  readonly sealed: Uint8Array;
  /** The age file of each person's share. */
  readonly shares: ReadonlyMap<string, Uint8Array>;
}

const ACTIVATION_KEY_LENGTH = 32;
const LONGEST_PIN = 255;

/** A random id for a new share set: `s` and 10 base32 letters (50 bits). */
export function newShareSetId(random: Random): string {
  const letters = Array.from(
    random.bytes(10),
    (byte) => "abcdefghijklmnopqrstuvwxyz234567"[byte & 31],
  );
  return `s${letters.join("")}`;
}

/**
 * Seals a PIN under a quorum. The split is proved and the sealed PIN is opened again before this
 * returns; every holder must still prove their own share (`openShare`).
 * @throws KeyriteError people.same-person when two holders share a name or a key, usage.refused for
 * an impossible threshold, label, serial or PIN
 */
export async function makeShareSet(wanted: NewShareSet): Promise<MadeShareSet> {
  refuseWanted(wanted);
  const key = Secret.take(wanted.random.bytes(ACTIVATION_KEY_LENGTH));
  const parts: Secret[] = [];
  try {
    const recipient = recipientOf(key);
    const sealed = await sealPin(wanted, recipient);
    await proveSealed(wanted.secret, key, sealed);
    parts.push(...(await splitSecret(key, wanted.holders.length, wanted.threshold)));
    const shares = new Map<string, Uint8Array>();
    const holders: ShareHolder[] = [];
    for (const [i, share] of parts.entries()) {
      const holder = await issueShare(wanted, i, share, shares);
      holders.push(holder);
    }
    const { id, generation, purpose, threshold } = wanted;
    const set: ShareSet = {
      keyrite: "share-set/v1",
      id,
      generation,
      purpose,
      threshold,
      recipient,
      sealed: sha256Hex(sealed),
      holders,
    };
    const json = formatShareSet(set);
    return { set: parseShareSet(json), json, sealed, shares };
  } finally {
    key.wipe();
    for (const part of parts) part.wipe();
  }
}

async function issueShare(
  wanted: NewShareSet,
  place: number,
  share: Secret,
  shares: Map<string, Uint8Array>,
): Promise<ShareHolder> {
  const holder = wanted.holders[place];
  if (holder === undefined) throw new Error("there are more shares than holders");
  const { person, recipient } = holder;
  const index = place + 1;
  const content = formatShare(
    {
      set: wanted.id,
      generation: String(wanted.generation),
      threshold: String(wanted.threshold),
      index: String(index),
      person,
    },
    share,
  );
  try {
    const file = await encryptTo([x25519Recipient(recipient)], content);
    shares.set(person, file);
    const commitment = share.use((bytes) => commitmentOf(wanted, index, bytes));
    return { index, person, recipient, commitment, file: sha256Hex(file) };
  } finally {
    content.fill(0);
  }
}

async function sealPin(wanted: NewShareSet, recipient: string): Promise<Uint8Array> {
  const { id, generation, purpose, threshold, token } = wanted;
  const names = {
    set: id,
    generation: String(generation),
    purpose,
    threshold: String(threshold),
    ...token,
  };
  const content = formatSealed(names, wanted.secret);
  try {
    return await encryptTo([x25519Recipient(recipient)], content);
  } finally {
    content.fill(0);
  }
}

/** A PIN that cannot be unsealed again would lock the token for ever. */
async function proveSealed(pin: Secret, key: Secret, sealed: Uint8Array): Promise<void> {
  const content = await decryptWith([x25519Identity(key)], sealed);
  const opened = parseSealed(content)?.secret;
  content.wipe();
  const same = opened?.use((a) => pin.use((b) => Buffer.compare(a, b) === 0));
  opened?.wipe();
  if (same !== true) throw new Error("a sealed secret does not open to what was sealed");
}

function refuseWanted({ id, generation, threshold, holders, token, secret }: NewShareSet): void {
  if (!isSlug(id)) throw refused(`"${id}" is not a share set id`);
  if (!Number.isSafeInteger(generation) || generation < 1)
    throw refused("generations count from 1");
  if (!Number.isInteger(threshold) || threshold < 2 || threshold > holders.length) {
    throw refused(`${threshold} of ${holders.length} is not a threshold: at least 2, at most all`);
  }
  for (const [name, value] of Object.entries({ label: token.label, serial: token.serial })) {
    if (!/^[^\p{Cc}]{1,64}$/u.test(value) || !value.isWellFormed()) {
      throw refused(`the token's ${name} is not one line of 1 to 64 characters`);
    }
  }
  if (secret.length < 1 || secret.length > LONGEST_PIN) {
    throw refused(`a PIN has 1 to ${LONGEST_PIN} bytes`);
  }
  if (secret.use((bytes) => bytes.some((byte) => byte < 0x20 || byte === 0x7f))) {
    throw refused("a PIN holds no control characters");
  }
  refuseTwins(holders);
}

function refuseTwins(holders: NewShareSet["holders"]): void {
  for (const member of ["person", "recipient"] as const) {
    const seen = new Map<string, string>();
    for (const holder of holders) {
      const other = seen.get(holder[member]);
      if (other !== undefined) {
        throw new KeyriteError(
          "people.same-person",
          member === "person"
            ? `${holder.person} would hold two shares of one set`
            : `${other} and ${holder.person} have the same age key`,
        );
      }
      seen.set(holder[member], holder.person);
    }
  }
}

function refused(problem: string): KeyriteError {
  return new KeyriteError("usage.refused", `the share set cannot be made: ${problem}`);
}
