/** What the tests of backup and restore share: a token with a session, a transport key and a KEK. */

import assert from "node:assert/strict";
import { encode } from "../../src/hsm/attributes.ts";
import type {
  EstablishedKek,
  KeyName,
  UnwrapItem,
  UnwrapOptions,
  UnwrapOutcome,
  WrappedKey,
} from "../../src/hsm/backup.ts";
import { readAttributes } from "../../src/hsm/attributes.ts";
import { spkiOfAttributes } from "../../src/hsm/public-key.ts";
import type { Handle, RawModule } from "../../src/hsm/raw.ts";
import { templatesFor } from "../../src/hsm/templates.ts";
import type { GeneratedKey, Session, TokenInfo } from "../../src/hsm/token.ts";
import type { KeyAlgorithm } from "../../src/lib/algorithms.ts";
import { PIN, request, SO_PIN } from "./hsm-asserts.ts";
import { secret, type Rig } from "./rig.ts";

export interface Ready {
  readonly rig: Rig;
  readonly token: TokenInfo;
  readonly session: Session;
  readonly transport: GeneratedKey;
  readonly kek: EstablishedKek;
}

/** Initialises the rig's token and establishes a KEK on it. */
export async function ready(rig: Rig): Promise<Ready> {
  const token = await rig.hsm.initialize(rig.module, "alpha", secret(SO_PIN), secret(PIN));
  const session = await rig.hsm.login(rig.module, token.serial, token.label, secret(PIN));
  const transport = await session.generateKeyPair(transportRequest());
  const kek = await session.establishKek({
    label: "kek",
    ckaId: "4b01",
    ownTransport: transport,
    transports: [],
  });
  return { rig, token, session, transport, kek };
}

export function transportRequest(): ReturnType<typeof request> {
  return { ...request("rsa-3072", "transport"), purpose: "transport" };
}

/** A request for a key that may be wrapped. */
export function wrappable(algorithm: KeyAlgorithm, label: string): ReturnType<typeof request> {
  return { ...request(algorithm, label), extractable: true };
}

/** Everything that comes, in one list. */
export async function all<T>(groups: AsyncIterable<readonly T[]>): Promise<readonly T[]> {
  const list: T[] = [];
  for await (const group of groups) list.push(...group);
  return list;
}

export function wrapped(
  ready: Ready,
  ...names: readonly KeyName[]
): Promise<readonly WrappedKey[]> {
  return all(ready.session.wrapAll(ready.kek, names));
}

export async function wrapOne(ready: Ready, name: KeyName): Promise<WrappedKey> {
  const [key] = await wrapped(ready, name);
  return key ?? assert.fail("nothing was wrapped");
}

export function unwrapped(
  { session, kek }: Pick<Ready, "session" | "kek">,
  items: readonly UnwrapItem[],
  options: UnwrapOptions = { as: "session" },
): Promise<readonly UnwrapOutcome[]> {
  return all(session.unwrapAll(kek, items, options));
}

/** A wrapped key as an item to restore. */
export function item(key: WrappedKey, algorithm: KeyAlgorithm, label: string): UnwrapItem {
  return { ...key, algorithm, label };
}

/** The problem of the only outcome. */
export function problemOf([outcome, ...more]: readonly UnwrapOutcome[]): string {
  assert.equal(more.length, 0);
  assert.equal(outcome?.status, "problem");
  assert.equal(outcome.remains, undefined);
  return outcome.problem;
}

/** Runs `work` in a session below our layer; the login is shared. */
export async function behindOurBack<T>(
  { rig, token }: Pick<Ready, "rig" | "token">,
  work: (raw: RawModule, session: Handle) => T | Promise<T>,
): Promise<T> {
  const raw = rig.raw();
  const slot = raw.slots().findLast((one) => raw.tokenInfo(one).label === token.label);
  const session = raw.openSession(slot ?? assert.fail("no slot"), "read-write");
  try {
    return await work(raw, session);
  } finally {
    raw.closeSession(session);
  }
}

/** Many extractable P-256 keys, made without the checks and searches of ours. */
export function manyKeys(
  ready: Ready,
  count: number,
): Promise<readonly (KeyName & { readonly label: string })[]> {
  return behindOurBack(ready, async (raw, session) => {
    const keys: (KeyName & { readonly label: string })[] = [];
    const unknown: ReadonlySet<string> = new Set(
      ready.rig.name === "nss" ? ["COPYABLE", "DESTROYABLE"] : [],
    );
    for (let index = 0; index < count; index++) {
      const asked = wrappable("p-256", `many-${index}`);
      const { mechanism, publicKey, privateKey } = templatesFor(asked);
      const [publicTemplate, privateTemplate] = [publicKey, privateKey].map((entries) =>
        entries
          .filter(({ role, name }) => role === "asked" && !unknown.has(name))
          .map(({ name, value }) => encode(name, value)),
      );
      const pair = await raw.generateKeyPair(
        session,
        mechanism,
        publicTemplate ?? [],
        privateTemplate ?? [],
      );
      const names = ["KEY_TYPE", "EC_PARAMS", "EC_POINT"] as const;
      const spki = spkiOfAttributes(readAttributes(raw, session, pair.publicKey, names));
      keys.push({ ...asked, spki: spki ?? assert.fail("no public key") });
    }
    return keys;
  });
}
