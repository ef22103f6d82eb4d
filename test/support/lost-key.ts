/** A fake token whose only CA key is lost, with the wrapped key to restore it from. */

import { generateKeyPairSync } from "node:crypto";
import type { AlgorithmFacts } from "../../src/hsm/algorithms.ts";
import type { UnwrapItem } from "../../src/hsm/backup.ts";
import type { GeneratedKey } from "../../src/hsm/token.ts";
import type { KeyAlgorithm } from "../../src/lib/algorithms.ts";
import { item, ready, wrappable, wrapOne, type Ready } from "./backup-rig.ts";
import { fakeRig, type FakeRig } from "./fake-hsm.ts";
import type { FakeOptions } from "./fake-token.ts";

// One transport pair serves all cases: each runs on a token of its own.
const RSA = generateKeyPairSync("rsa", { modulusLength: 3072 });
export const keyPairs = ({ family }: AlgorithmFacts): typeof RSA | undefined =>
  family === "rsa" ? RSA : undefined;

export interface Lost extends Ready {
  readonly rig: FakeRig;
  readonly key: GeneratedKey;
  /** A key that was wrapped, and destroyed on the token. */
  readonly lost: UnwrapItem;
}

/** Runs `work` on a fresh fake token whose only CA key is lost. */
export async function withLost(
  work: (lost: Lost) => Promise<void>,
  options: FakeOptions = {},
  algorithm: KeyAlgorithm = "p-256",
): Promise<void> {
  const rig = fakeRig({ keyPairs, ...options });
  try {
    const state = await ready(rig);
    const key = await state.session.generateKeyPair(wrappable(algorithm, "root"));
    const lost = item(await wrapOne(state, key), algorithm, "root");
    await state.session.destroyKeys([key]);
    await work({ ...state, rig, key, lost });
  } finally {
    for (const name of Object.keys(rig.faults)) Reflect.deleteProperty(rig.faults, name);
    await rig.hsm.close();
    rig.remove();
  }
}

/** How many objects of the lost key are on the token. */
export async function caOnly({ session }: Ready): Promise<number> {
  return (await session.inventory()).filter(({ label }) => label === "root").length;
}

/** The first bit changed. */
export function flipped(value: Uint8Array): Uint8Array {
  return value.map((byte, index) => (index === 0 ? byte ^ 1 : byte));
}
