/** Custody as JSON: what `ceremony.closed` states by digest. Format: docs/formats/ledger.md. */

import { digestOf } from "../lib/encoding.ts";
import type { Json } from "../lib/json.ts";
import type { Custody } from "./custody.ts";
import { certificatesJson } from "./custody-certificates.ts";
import { copiesJson } from "./custody-copies.ts";

/** Digest of custody: what `ceremony.closed` states and everybody cosigns. */
export function custodyDigest(custody: Custody): string {
  return digestOf(custodyJson(custody));
}

/** Custody as JSON, with maps as objects: what `status --json` shows and the digest covers. */
export function custodyJson(custody: Custody): Json {
  const people = [...custody.people.values()].map(({ person, roles, cardSha256, reference }) => [
    person,
    { roles: [...roles], card: cardSha256, reference },
  ]);
  return {
    origin: custody.origin,
    assurance: custody.assurance,
    genesis: custody.genesis,
    policy: custody.policy,
    people: Object.fromEntries(people) as Json,
    tokens: Object.fromEntries(custody.tokens) as unknown as Json,
    shareSets: Object.fromEntries(custody.shareSets) as Json,
    keys: Object.fromEntries(custody.keys) as Json,
    bindings: custody.bindings,
    deviceLogs: Object.fromEntries(custody.deviceLogs) as Json,
    ...certificatesJson(custody),
    ...copiesJson(custody),
  };
}
