/** Custody as JSON: what `ceremony.closed` states by digest. Format: docs/formats/ledger.md. */

import { digestOf } from "../lib/encoding.ts";
import type { Json, JsonObject } from "../lib/json.ts";
import type { Custody, Enrolled } from "./custody.ts";
import { certificatesJson } from "./custody-certificates.ts";
import { copiesJson } from "./custody-copies.ts";
import { datesOf } from "./people-dates.ts";

/** Digest of custody: what `ceremony.closed` states and everybody cosigns. */
export function custodyDigest(custody: Custody): string {
  return digestOf(custodyJson(custody));
}

/** Custody as JSON, with maps as objects: what `status --json` shows and the digest covers. */
export function custodyJson(custody: Custody): Json {
  const people = [...custody.people.values()].map((one) => [one.person, enrolledJson(one)]);
  const former = [...custody.former.values()].map((one) => [
    one.person,
    { ...enrolledJson(one), revoked: one.revoked },
  ]);
  return {
    origin: custody.origin,
    assurance: custody.assurance,
    genesis: custody.genesis,
    policy: custody.policy,
    people: Object.fromEntries(people) as Json,
    // Absent while nobody was revoked: so custody has the digest that earlier builds stated.
    ...(former.length === 0 ? {} : { former: Object.fromEntries(former) as Json }),
    tokens: Object.fromEntries(custody.tokens) as unknown as Json,
    shareSets: Object.fromEntries(custody.shareSets) as Json,
    keys: Object.fromEntries(custody.keys) as Json,
    bindings: custody.bindings,
    deviceLogs: Object.fromEntries(custody.deviceLogs) as Json,
    ...certificatesJson(custody),
    ...copiesJson(custody),
  };
}

// Dates and their renewal are absent while nobody stated them: so custody keeps the digest of earlier builds.
function enrolledJson(one: Enrolled): JsonObject {
  const { roles, cardSha256, reference, renewed } = one;
  const known = { roles: [...roles], card: cardSha256, reference, ...datesOf(one) };
  return renewed === undefined ? known : { ...known, renewed };
}
