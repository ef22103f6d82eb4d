/** What HSM tests share: PINs, requests, tokens with a session on them, and asserting refusals. */

import assert from "node:assert/strict";
import type { KeyAlgorithm } from "../../src/lib/algorithms.ts";
import { KeyriteError, type ErrorCode } from "../../src/lib/errors.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import type { GenerateRequest, Session, TokenInfo } from "../../src/hsm/token.ts";
import { fakeRig, type FakeRig } from "./fake-hsm.ts";
import type { FakeOptions } from "./fake-token.ts";
import { secret } from "./rig.ts";

export const SO_PIN = "officer-pin-0123456789";
export const PIN = "user-pin-0123456789";

export interface Refusal {
  readonly code: ErrorCode;
  readonly says?: RegExp;
}

/** Asserts that `work` is refused with this code, a message in our form, and no PIN in it. */
export async function refused(work: Promise<unknown>, { code, says }: Refusal): Promise<unknown> {
  const error: unknown = await work.then(
    () => assert.fail(`expected ${code}, but nothing was refused`),
    (reason: unknown) => reason,
  );
  if (!(error instanceof KeyriteError)) throw error;
  assert.equal(error.code, code, error.message);
  if (says !== undefined) assert.match(error.message, says);
  assert.doesNotMatch(error.message, /pin-0123456789|\.$/);
  return error;
}

/** A request for a key that never leaves the token; its CKA_ID follows from the label. */
export function request(algorithm: KeyAlgorithm, label: string): GenerateRequest {
  const ckaId = sha256Hex(label).slice(0, 32);
  return { label, ckaId, algorithm, purpose: "ca-signing", extractable: false };
}

export interface Opened {
  readonly rig: FakeRig;
  readonly token: TokenInfo;
  readonly session: Session;
}

/** Runs `work` on a fresh fake token with a session on it. */
export async function onFake(
  work: (opened: Opened) => Promise<void>,
  options?: FakeOptions,
): Promise<void> {
  const rig = fakeRig(options);
  try {
    const token = await rig.hsm.initialize(rig.module, "alpha", secret(SO_PIN), secret(PIN));
    const session = await rig.hsm.login(rig.module, token.serial, token.label, secret(PIN));
    await work({ rig, token, session });
  } finally {
    rig.faults.before = undefined;
    await rig.hsm.close();
    rig.remove();
  }
}
