/**
 * Passphrases for age files, on node:crypto: the passphrase stays bytes, and the work is done off
 * the main thread. The library's own implementation takes strings and peaks far above the memory of
 * the key derivation itself.
 */

import { randomBytes, scrypt } from "node:crypto";
import {
  base64NoPad,
  fromBase64NoPad,
  unwrapUnder,
  wrapUnder,
  type Identity,
  type Recipient,
} from "./age-stanza.ts";
import { concat, utf8 } from "./encoding.ts";
import type { Secret } from "./secret.ts";

const LABEL = utf8("age-encryption.org/v1/scrypt");
const SALT_LENGTH = 16;
const BLOCK_SIZE = 8;

/** Least cost of a passphrase on production sites: 2^17. */
export const PRODUCTION_LOG_N = 17;

/** 2^20 takes 1 GiB: above it a file is an attack on the machine, not a sealed key. */
export const HIGHEST_LOG_N = 20;

let spentMs = 0;

/** Milliseconds this process has spent in key derivation, for timings. */
export function kdfMilliseconds(): number {
  return spentMs;
}

/** Seals to a passphrase at scrypt cost 2^logN (r 8, p 1). The secret is only borrowed. */
export function scryptRecipient(passphrase: Secret, logN: number): Recipient {
  if (!Number.isInteger(logN) || logN < 1 || logN > HIGHEST_LOG_N) {
    throw new RangeError(`the scrypt cost 2^${logN} is outside 2^1 to 2^${HIGHEST_LOG_N}`);
  }
  return {
    kind: "scrypt",
    async wrapFileKey(fileKey) {
      const salt = new Uint8Array(randomBytes(SALT_LENGTH));
      const body = wrapUnder(await derive(passphrase, salt, logN), fileKey);
      return [{ args: ["scrypt", base64NoPad(salt), String(logN)], body }];
    },
  };
}

/** Opens what a passphrase sealed, refusing a cost above 2^maxLogN. The secret is only borrowed. */
export function scryptIdentity(
  passphrase: Secret,
  limits: { readonly maxLogN: number } = { maxLogN: HIGHEST_LOG_N },
): Identity {
  return {
    kind: "scrypt",
    async unwrapFileKey(stanzas) {
      const stanza = stanzas.find((one) => one.args[0] === "scrypt");
      if (stanza === undefined) return null;
      // A second stanza would let somebody else than the passphrase's owner open the file unseen.
      if (stanzas.length !== 1) throw new Error("a passphrase is not the only recipient");
      const [, saltText, costText = ""] = stanza.args;
      const logN = parseCost(stanza.args.length === 3 ? costText : "");
      if (logN > limits.maxLogN) throw new Error(`the scrypt cost 2^${logN} is too high`);
      const salt = fromBase64NoPad(saltText, SALT_LENGTH);
      return unwrapUnder(await derive(passphrase, salt, logN), stanza.body);
    },
  };
}

/**
 * The scrypt cost (log N) that an age file states, or undefined when it is not sealed to a
 * passphrase. Reads the header only; nothing is derived.
 */
export function scryptCostOf(file: Uint8Array): number | undefined {
  const header = Buffer.from(file.subarray(0, 100)).toString("latin1");
  const found = /^age-encryption\.org\/v1\n-> scrypt [A-Za-z0-9+/]{22} ([1-9][0-9]?)\n/.exec(
    header,
  );
  return found === null ? undefined : Number(found[1]);
}

function parseCost(text: string): number {
  if (!/^[1-9][0-9]?$/.test(text)) throw new Error("a scrypt stanza is malformed");
  return Number(text);
}

async function derive(passphrase: Secret, salt: Uint8Array, logN: number): Promise<Uint8Array> {
  const started = performance.now();
  try {
    return await passphrase.use((bytes) => scryptBytes(bytes, concat(LABEL, salt), logN));
  } finally {
    spentMs += performance.now() - started;
  }
}

function scryptBytes(password: Uint8Array, salt: Uint8Array, logN: number): Promise<Uint8Array> {
  const cost = 2 ** logN;
  // Node's default limit of 32 MiB refuses every cost that is worth using.
  const maxmem = 128 * BLOCK_SIZE * (cost + 16);
  return new Promise((resolve, reject) => {
    scrypt(password, salt, 32, { N: cost, r: BLOCK_SIZE, p: 1, maxmem }, (error, key) => {
      if (error === null) resolve(new Uint8Array(key.buffer, key.byteOffset, key.length));
      else reject(error);
    });
  });
}
