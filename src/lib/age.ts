/**
 * Files in the age format: headers through age-encryption with our own byte-wise recipients and
 * identities, payloads by ourselves. The only file that knows the library, which is loaded when the
 * first file is sealed or opened.
 */

import { openPayload, sealPayload } from "./age-payload.ts";
import type { Identity, Recipient, Stanza } from "./age-stanza.ts";
import { concat } from "./encoding.ts";
import { KeyriteError, messageOf } from "./errors.ts";
import type { Secret } from "./secret.ts";

export {
  HIGHEST_LOG_N,
  PRODUCTION_LOG_N,
  kdfMilliseconds,
  scryptCostOf,
  scryptIdentity,
  scryptRecipient,
} from "./age-scrypt.ts";
export {
  decodeSecretKey,
  encodeSecretKey,
  recipientOf,
  whyRecipientRefused,
  x25519Identity,
  x25519Recipient,
} from "./age-x25519.ts";
export type { Identity, Recipient } from "./age-stanza.ts";

/** No file of ours is near this size; a longer one is refused before it fills the memory. */
const LONGEST_FILE = 1 << 20;

/**
 * Seals `plaintext` to every recipient. The caller still owns, and wipes, the plaintext. File key and
 * ephemeral keys come from the operating system's generator, not from a `Random`: they must never
 * be repeatable.
 */
export async function encryptTo(
  recipients: readonly Recipient[],
  plaintext: Uint8Array,
): Promise<Uint8Array> {
  if (recipients.length === 0) throw new Error("an age file needs a recipient");
  if (recipients.length > 1 && recipients.some((one) => one.kind === "scrypt")) {
    throw new Error("a passphrase must be the only recipient");
  }
  const { Encrypter } = await import("age-encryption");
  const encrypter = new Encrypter();
  const fileKeys: Uint8Array[] = [];
  for (const recipient of recipients) {
    encrypter.addRecipient({
      async wrapFileKey(fileKey) {
        fileKeys.push(fileKey);
        return recipient.wrapFileKey(fileKey);
      },
    });
  }
  try {
    const empty = await bytesOf(await encrypter.encrypt(nothing()));
    const fileKey = fileKeys[0] ?? new Uint8Array(0);
    return concat(headerOf(empty), sealPayload(fileKey, plaintext));
  } finally {
    for (const key of fileKeys) key.fill(0);
  }
}

/**
 * No bytes, as a stream: given bytes the library collects its output with a class of Node's HTTP client, which
 * takes ten gigabytes of addresses and, where the process may not have them, ends it from outside this call.
 */
function nothing(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.close();
    },
  });
}

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    chunks.push(next.value);
  }
  return concat(...chunks);
}

/**
 * Opens a binary age file with the first identity that fits.
 * @throws KeyriteError people.authentication-failed when no identity opens it: the passphrase is
 * wrong, or the file is sealed to somebody else (age cannot tell that from a damaged stanza);
 * usage.bad-file when it is not an age file, states too high a cost, or does not authenticate.
 */
export async function decryptWith(
  identities: readonly Identity[],
  file: Uint8Array,
): Promise<Secret> {
  if (file.length > LONGEST_FILE) throw damaged(new Error("it is too long"));
  const { Decrypter } = await import("age-encryption");
  const decrypter = new Decrypter();
  const attempt = new Attempt(identities);
  decrypter.addIdentity(attempt);
  try {
    const header = headerOf(file);
    const fileKey = await decrypter.decryptHeader(header);
    return openPayload(fileKey, file.subarray(header.length));
  } catch (error) {
    throw attempt.found === undefined && attempt.looked ? notForUs(identities) : damaged(error);
  } finally {
    attempt.found?.fill(0);
  }
}

/** Asks each identity in turn and remembers how far it came, which tells the failures apart. */
class Attempt {
  looked = false;
  found: Uint8Array | undefined;
  readonly #identities: readonly Identity[];

  constructor(identities: readonly Identity[]) {
    this.#identities = identities;
  }

  async unwrapFileKey(stanzas: Stanza[]): Promise<Uint8Array | null> {
    for (const identity of this.#identities) {
      this.found ??= (await identity.unwrapFileKey(stanzas)) ?? undefined;
    }
    this.looked = true;
    return this.found ?? null;
  }
}

function notForUs(identities: readonly Identity[]): KeyriteError {
  const byPassphrase = identities.every((one) => one.kind === "scrypt");
  return new KeyriteError(
    "people.authentication-failed",
    byPassphrase ? "the passphrase is wrong" : "the file is not sealed to this identity",
    byPassphrase ? { hints: ["type it again: nothing is locked by a wrong one"] } : {},
  );
}

function damaged(cause: unknown): KeyriteError {
  return new KeyriteError("usage.bad-file", `the age file is damaged: ${messageOf(cause)}`, {
    hints: ["use another copy of the file"],
    cause,
  });
}

const END_OF_HEADER = Buffer.from("\n--- ");
const LINE_FEED = 0x0a;

/** The header with its MAC line; all of the file when no line ends it, for the library to refuse. */
function headerOf(file: Uint8Array): Uint8Array {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.length);
  const last = bytes.indexOf(END_OF_HEADER);
  const end = last === -1 ? -1 : bytes.indexOf(LINE_FEED, last + 1);
  return end === -1 ? file : file.subarray(0, end + 1);
}
