/** RFC 3161 requests for a time stamp: carried out on a medium, answered by any authority, brought back. */

import { KeyriteError, messageOf } from "../lib/errors.ts";
import { element, integer, need, oid, readOid, readSequence, sequence, TAG } from "./der.ts";

export const SHA256_OID = "2.16.840.1.101.3.4.2.1";
const NULL = element(TAG.NULL);
const MOST_MEMBERS = 8;

export interface TimestampRequest {
  /** SHA-256 of what is stamped, 32 bytes. */
  readonly digest: Uint8Array;
  /** What the answer has to repeat, so that it is no older one. */
  readonly nonce: bigint;
}

/** DER of a TimeStampReq (§2.4.1) that asks for the authority's certificate as well. */
export function formatTimestampRequest({ digest, nonce }: TimestampRequest): Uint8Array {
  const imprint = sequence(sequence(oid(SHA256_OID), NULL), element(TAG.OCTET_STRING, digest));
  const wanted = element(TAG.BOOLEAN, Uint8Array.of(0xff));
  return sequence(integer(1n), imprint, integer(nonce), wanted);
}

/** @throws KeyriteError usage.bad-file for what is not a request as we write it */
export function parseTimestampRequest(der: Uint8Array): TimestampRequest {
  try {
    const [version, imprint, nonce] = readSequence(der, MOST_MEMBERS);
    if (bigintOf(need(version, TAG.INTEGER).content) !== 1n) throw new Error("it is not version 1");
    const digest = readImprint(need(imprint, TAG.SEQUENCE).der);
    return { digest, nonce: bigintOf(need(nonce, TAG.INTEGER).content) };
  } catch (error) {
    throw new KeyriteError(
      "usage.bad-file",
      `the time-stamp request is refused: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
}

/** The SHA-256 in a MessageImprint. @throws Error for another hash. */
export function readImprint(der: Uint8Array): Uint8Array {
  const [algorithm, hashed] = readSequence(der, 2);
  const name = readOid(readSequence(need(algorithm, TAG.SEQUENCE).der, 2)[0]);
  if (name !== SHA256_OID) throw new Error(`what is stamped was hashed by ${name}, not by SHA-256`);
  const { content } = need(hashed, TAG.OCTET_STRING);
  if (content.length !== 32) throw new Error("the hash that is stamped is not 32 bytes");
  return content;
}

/** A number from its content bytes; one that is negative or not in shortest form is refused. @throws Error */
export function bigintOf(content: Uint8Array): bigint {
  const [first = 0x80, second = 0] = content;
  if (first >= 0x80 || content.length > 64) throw new Error("a number is negative or too long");
  if (first === 0 && content.length > 1 && second < 0x80) throw new Error("a number is padded");
  return BigInt(`0x${Buffer.from(content).toString("hex")}`);
}
