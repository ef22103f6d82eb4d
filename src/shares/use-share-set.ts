/**
 * Using a share set: shares are judged one by one when they are entered, each failure named, and only
 * shares that match their commitments are combined. A wrong combination never yields a PIN.
 */

import { decryptWith, recipientOf, x25519Identity } from "../lib/age.ts";
import { sha256Hex } from "../lib/encoding.ts";
import { KeyriteError, type ErrorCode } from "../lib/errors.ts";
import { wiping, type Secret } from "../lib/secret.ts";
import { parseSealed, parseShare, type SealedNames, type ShareNames } from "./contents.ts";
import { PENDING, type TokenName } from "./make-share-set.ts";
import { combineShares } from "./shamir.ts";
import { commitmentOf, shareSetTitle, type ShareHolder, type ShareSet } from "./share-set.ts";

/** A share that `openShare` accepted. */
export interface EnteredShare {
  readonly person: string;
  readonly share: Secret;
}

/**
 * The share of `person`, opened by their identity and compared with everything the set says of it. The
 * caller wipes it.
 * @throws KeyriteError people.share-rejected, with the person, the set and what is wrong: not a
 * holder, damaged, another person's, of a foreign set, of an older generation, altered, re-encrypted
 */
export async function openShare(
  set: ShareSet,
  person: string,
  file: Uint8Array,
  open: (file: Uint8Array) => Promise<Secret>,
): Promise<Secret> {
  const holder = holderOf(set, person);
  const content = await openFile(set, holder, file, open);
  return wiping([content], () => {
    const parsed = parseShare(content);
    if (parsed === undefined) throw rejected(set, person, "the file holds something else");
    const problem = whyShareRefused(set, holder, parsed, parsed.share, sha256Hex(file));
    if (problem === undefined) return parsed.share;
    parsed.share.wipe();
    throw rejected(set, person, problem);
  });
}

async function openFile(
  set: ShareSet,
  holder: ShareHolder,
  file: Uint8Array,
  open: (file: Uint8Array) => Promise<Secret>,
): Promise<Secret> {
  try {
    return await open(file);
  } catch (error) {
    if (!(error instanceof KeyriteError)) throw error;
    const digest = sha256Hex(file);
    const owner = set.holders.find((other) => other.file === digest);
    if (owner !== undefined && owner !== holder) {
      throw rejected(set, holder.person, `it is the share of ${owner.person}`);
    }
    if (owner === holder) {
      throw rejected(set, holder.person, "this identity does not open it: it was replaced since");
    }
    if (error.code === "people.authentication-failed") {
      throw rejected(set, holder.person, "the file is altered, or sealed to somebody else");
    }
    throw rejected(set, holder.person, "the file is damaged");
  }
}

function whyShareRefused(
  set: ShareSet,
  holder: ShareHolder,
  names: ShareNames,
  share: Secret,
  fileDigest: string,
): string | undefined {
  if (names.set !== set.id) return `it is of share set ${names.set}`;
  if (names.generation !== String(set.generation)) {
    return `it is of generation ${names.generation}, which is not in use`;
  }
  if (names.person !== holder.person) return `it is the share of ${names.person}`;
  const commitment = share.use((bytes) => commitmentOf(set, holder.index, bytes));
  const isIssued =
    names.index === String(holder.index) &&
    names.threshold === String(set.threshold) &&
    commitment === holder.commitment;
  if (!isIssued) return "its content was altered and re-encrypted";
  // The share is right, but it was in the clear outside a ceremony: k such shares are the PIN.
  if (fileDigest !== holder.file) return "it was re-encrypted since it was issued";
  return undefined;
}

/**
 * The sealed secret, from accepted shares of at least `threshold` different people. Shares are borrowed; the
 * caller wipes the secret.
 * @throws KeyriteError people.quorum-not-met, people.same-person, people.share-rejected,
 * hsm.wrong-token when the PIN is that of another token, hsm.wrong-kek for another KEK
 */
export async function combine(
  set: ShareSet,
  entered: readonly EnteredShare[],
  sealed: Uint8Array,
  expected: TokenName,
): Promise<Secret> {
  if (sha256Hex(sealed) !== set.sealed) {
    throw unusable(set, "the sealed secret is not the file that was made with the set", [
      "use the copy on another holder's medium",
    ]);
  }
  checkEntered(set, entered);
  const key = await rebuiltKey(set, entered);
  return wiping([key], async () => {
    if (recipientOf(key) !== set.recipient) throw unusable(set, "the shares do not fit together");
    const content = await decryptWith([x25519Identity(key)], sealed);
    return wiping([content], () => pinOf(set, content, expected));
  });
}

// Commitments fit whatever a malicious dealer gave out: shares at one place, or at that of the secret itself.
async function rebuiltKey(set: ShareSet, entered: readonly EnteredShare[]): Promise<Secret> {
  try {
    return await combineShares(entered.map(({ share }) => share));
  } catch {
    throw unusable(set, "the shares do not fit together");
  }
}

/** Q08: people are counted, and every share is compared again with its own commitment. */
function checkEntered(set: ShareSet, entered: readonly EnteredShare[]): void {
  const people = new Set<string>();
  for (const { person, share } of entered) {
    const { index, commitment } = holderOf(set, person);
    if (people.has(person)) {
      throw new KeyriteError("people.same-person", `the share of ${person} was entered twice`, {
        hints: [`shares of ${set.threshold} different people are needed`],
      });
    }
    people.add(person);
    if (share.use((bytes) => commitmentOf(set, index, bytes)) !== commitment) {
      throw rejected(set, person, "it does not match its commitment");
    }
  }
  if (people.size < set.threshold) {
    throw new KeyriteError(
      "people.quorum-not-met",
      `share set ${shareSetTitle(set)} needs ${set.threshold} shares, ${people.size} were entered`,
      { hints: ["call another holder of the set"] },
    );
  }
}

function pinOf(set: ShareSet, content: Secret, expected: TokenName): Secret {
  const parsed = parseSealed(content);
  if (parsed === undefined) throw unusable(set, "the sealed secret holds something else");
  const problem = whySealedRefused(set, parsed, expected);
  if (problem === undefined) return parsed.secret;
  parsed.secret.wipe();
  throw unusable(set, problem.text, [], problem.code);
}

function whySealedRefused(
  set: ShareSet,
  names: SealedNames,
  expected: TokenName,
): { readonly text: string; readonly code: ErrorCode } | undefined {
  const inside = [names.set, names.generation, names.purpose, names.threshold];
  const outside = [set.id, String(set.generation), set.purpose, String(set.threshold)];
  if (inside.some((value, i) => value !== outside[i])) {
    return { code: "people.share-rejected", text: "the sealed secret is of another share set" };
  }
  if (names.label !== expected.label) {
    return set.purpose === "kek"
      ? { code: "hsm.wrong-kek", text: `the sealed value is that of KEK ${names.label}` }
      : { code: "hsm.wrong-token", text: `the PIN is that of token ${names.label}` };
  }
  if (names.serial !== PENDING && names.serial !== expected.serial) {
    return { code: "hsm.wrong-token", text: `the PIN is that of the token ${names.serial}` };
  }
  return undefined;
}

function holderOf(set: ShareSet, person: string): ShareHolder {
  const holder = set.holders.find((one) => one.person === person);
  if (holder === undefined) throw rejected(set, person, `${person} holds no share of it`);
  return holder;
}

function rejected(set: ShareSet, person: string, problem: string): KeyriteError {
  return new KeyriteError(
    "people.share-rejected",
    `the share of ${person} in set ${shareSetTitle(set)} is refused: ${problem}`,
    { hints: [`use the file that was issued to ${person}, or another holder's share`] },
  );
}

function unusable(
  set: ShareSet,
  problem: string,
  hints: readonly string[] = [],
  code: ErrorCode = "people.share-rejected",
): KeyriteError {
  return new KeyriteError(code, `share set ${shareSetTitle(set)} cannot be used: ${problem}`, {
    hints,
  });
}
