/** Which memory held a secret during some work, and what of it still does afterwards. */

import { lockSecretsWith } from "../../src/lib/secret.ts";

/** What a piece of work left: its value or its error, and how many of its buffers still hold a secret. */
export interface Traces<T> {
  readonly value: T | undefined;
  readonly error: unknown;
  /** Secrets whose memory was seen. */
  readonly secrets: number;
  /** Buffers of the work, other than those in `kept`, in which one of the secrets still stands, raw or in hex. */
  readonly left: number;
}

/** Shorter than this, other bytes would pass for a secret. */
const SHORTEST = 8;

/**
 * Follows every array that `work` has made outside the heap, and every secret from the moment it is taken over.
 * @param known secrets that the work only borrows
 * @param kept those that its caller goes on to own, by its value: what they still hold is no trace
 */
export async function tracesOf<T>(
  known: readonly Uint8Array[],
  work: () => Promise<T>,
  kept: (value: T) => readonly Uint8Array[] = () => [],
): Promise<Traces<T>> {
  const memory = new Set<ArrayBufferLike>();
  const patterns = known.map((bytes) => Uint8Array.from(bytes));
  const Plain = globalThis.ArrayBuffer;
  // What ownBytes makes is made here; ArrayBuffer.prototype stays the same, so that nobody else notices.
  globalThis.ArrayBuffer = new Proxy(Plain, {
    construct(target, args: [number]) {
      const made = new target(...args);
      memory.add(made);
      return made;
    },
  });
  lockSecretsWith((bytes) => {
    memory.add(bytes.buffer);
    patterns.push(Uint8Array.from(bytes));
  });
  let [value, error]: [T | undefined, unknown] = [undefined, undefined];
  try {
    value = await work();
  } catch (thrown) {
    error = thrown;
  } finally {
    globalThis.ArrayBuffer = Plain;
    lockSecretsWith(() => undefined);
  }
  for (const { buffer } of [...known, ...(value === undefined ? [] : kept(value))]) {
    memory.delete(buffer);
  }
  const sought = patterns
    // Memory that is filled only later is taken over as zeros.
    .filter((bytes) => bytes.length >= SHORTEST && bytes.some((byte) => byte !== 0))
    .flatMap((bytes) => [Buffer.from(bytes), Buffer.from(Buffer.from(bytes).toString("hex"))]);
  const left = [...memory].filter((buffer) =>
    sought.some((pattern) => Buffer.from(buffer).includes(pattern)),
  ).length;
  return { value, error, secrets: patterns.length, left };
}
