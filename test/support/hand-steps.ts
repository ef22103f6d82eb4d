/** What honest people would agree to, and what would come of it, for every step a hand can write. */

import type { Attending } from "../../src/ceremony/custody.ts";
import type { Attached } from "../../src/ceremony/recorder.ts";
import type { Role } from "../../src/ceremony/words.ts";
import { base64, hex, sha256Hex, utf8 } from "../../src/lib/encoding.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { cardDigest, formatCard } from "../../src/people/card.ts";
import { CANDIDATE_ROLE } from "../../src/ceremony/words.ts";
import type { TestPerson } from "./identities.ts";
import { parseDn } from "../../src/pki/names.ts";
import { pem } from "../../src/pki/pem.ts";
import { softKey, softRoot } from "./pki.ts";
import { shippedProfile } from "./profiles.ts";
import { POLICY } from "./stage-site.ts";
import { ROLL } from "./stage-scripts.ts";
import type { Stage } from "./stage.ts";

export interface HandStep {
  readonly who: readonly Attending[];
  /** In whose name a statement stands, which nobody signs. */
  readonly stated?: readonly Attending[];
  /** Identities other than those on the stage's media. */
  readonly signers?: Readonly<Record<string, TestPerson>>;
  /** What run time added to the plan. */
  readonly data?: JsonObject;
  readonly facts: readonly JsonObject[];
  readonly attached?: readonly Attached[];
}

const ANA: Attending = { person: "ana", role: "ceremony-administrator" };
const BEN: Attending = { person: "ben", role: "custodian" };
const CLEO: Attending = { person: "cleo", role: "custodian" };
const EVE: Attending = { person: "eve", role: "internal-witness" };
const HOLDERS = ["ben", "cleo", "dan"];
const MODULE = sha256Hex("a module known by its digest\n");
const KEY = softKey("p-256");
const SPKI = KEY.spki;

/** SHA-256 of the public key that `generate` makes. */
export function handKey(): string {
  return sha256Hex(SPKI);
}

export const NEW_POLICY = utf8(POLICY.replace("minutes: 10", "minutes: 20"));

function bound(token: string, activation: "sealed" | "vendor"): JsonObject {
  return {
    kind: "token.bound",
    token,
    module: MODULE,
    profile: "generic",
    serial: `serial of ${token}`,
    label: token,
    manufacturer: "Keyrite tests",
    model: "fake",
    firmware: "1.0",
    activation,
  };
}

function shareSet(set: string, purpose: string): { fact: JsonObject; attached: Attached } {
  const bytes = utf8(`{"set":"${set}"}`);
  const fact = {
    kind: "share-set.made",
    set,
    generation: 1,
    purpose,
    token: "alpha",
    threshold: 2,
    holders: HOLDERS,
    sha256: sha256Hex(bytes),
    sealed: sha256Hex(`sealed ${set}`),
  };
  return { fact, attached: { mediaType: "application/json", bytes } };
}

const ISSUED = softRoot(KEY, { subject: parseDn("CN=Root G1,O=Example,C=DE"), days: 3650 });
const { tbs: TBS, view: VIEW, scheme: SCHEME } = ISSUED.toBeSigned;
const CERTIFICATE = {
  subject: "CN=Root G1,O=Example,C=DE",
  serial: VIEW.serial,
  notBefore: VIEW.notBefore.time,
  notAfter: VIEW.notAfter.time,
};

export const HONEST: Readonly<Record<string, (stage: Stage) => HandStep>> = {
  "roll-call": (stage) => {
    const attending = Object.entries(ROLL).map(([person, role]) => ({
      person,
      role: role as Role,
    }));
    const bindings = stage.hall().bindings.sha256;
    const data = { attending, heads: [], bindings, bindingsChange: [], tail: null };
    return { who: attending, data, facts: [{ kind: "people.present", attending, bindings }] };
  },
  clock: () => {
    const reading = { source: "radio clock", offsetSeconds: 0 };
    const facts = [{ kind: "clock.attested", ...reading }];
    return { who: [ANA, EVE], data: { ...reading, machine: "now" }, facts };
  },
  attest: () => ({
    who: [],
    stated: [EVE],
    data: { statement: "It is so", fields: [] },
    facts: [],
  }),
  deviation: () => {
    const data = { rule: "the camera records", reason: "it was full" };
    return { who: [ANA, EVE], data, facts: [{ kind: "deviation.recorded", ...data }] };
  },
  enroll: (stage) => {
    const { card } = stage.person("fay");
    const data = {
      candidate: { person: "fay", card: cardDigest(card) },
      roles: ["custodian"],
      reference: "file 4711",
    };
    const { roles, reference } = data;
    // The newcomer signs too: not as somebody with a role, but to prove the key.
    const newcomer = { person: "fay", role: CANDIDATE_ROLE as Role };
    return {
      who: [ANA, EVE, newcomer],
      data,
      facts: [{ kind: "person.enrolled", ...data.candidate, roles, reference }],
      attached: [{ mediaType: "application/json", bytes: formatCard(card) }],
    };
  },
  renew: (stage) => {
    const renewal = { person: "ben", vettedUntil: "2027-11-30", reference: "file 4713" };
    const card = cardDigest(stage.person("ben").card);
    const facts = [{ kind: "person.renewed", ...renewal }];
    return { who: [ANA, EVE], data: { ...renewal, card }, facts };
  },
  revoke: (stage) => {
    const leaving = { person: "olga", reason: "left", reference: "file 4712" };
    const card = cardDigest(stage.person("olga").card);
    return {
      who: [ANA, EVE],
      data: { ...leaving, card, shareSets: [] },
      facts: [{ kind: "person.revoked", ...leaving }],
    };
  },
  policy: () => {
    const sha256 = sha256Hex(NEW_POLICY);
    return {
      who: [ANA, EVE],
      data: { sha256, text: "the new policy" },
      facts: [{ kind: "policy.adopted", sha256 }],
      attached: [{ mediaType: "application/yaml", bytes: NEW_POLICY }],
    };
  },
  adopt: () => {
    const fact = bound("beta", "vendor");
    return { who: [ANA, EVE], data: { token: {}, bound: fact }, facts: [fact] };
  },
  initialize: () => {
    const sets = [shareSet("suser", "activation"), shareSet("sofficer", "security-officer")];
    const intent = (set: string): JsonObject => ({ set, threshold: 2, holders: HOLDERS });
    return {
      who: [ANA, EVE],
      data: { module: MODULE, activation: intent("suser"), officer: intent("sofficer") },
      facts: [bound("alpha", "sealed"), ...sets.map(({ fact }) => fact)],
      attached: sets.map(({ attached }) => attached),
    };
  },
  activate: () => {
    const fact = { token: "alpha", set: "suser", generation: 1, people: ["ben", "cleo"] };
    const data = { ...fact, serial: "serial of alpha" };
    return { who: [BEN, CLEO], data, facts: [{ kind: "token.activated", ...fact }] };
  },
  generate: () => {
    const ckaId = hex(new Uint8Array(16).fill(7));
    const key = { token: "alpha", label: "root-g1", algorithm: "p-256", purpose: "ca-signing" };
    const spki = sha256Hex(SPKI);
    return {
      who: [ANA, EVE],
      data: { ckaId, serial: "serial of alpha" },
      facts: [{ kind: "key.generated", spki, ckaId, backup: "never", ...key }],
      attached: [{ mediaType: "application/pkix-spki", bytes: SPKI }],
    };
  },
  certify: () => {
    const spki = sha256Hex(SPKI);
    const { der } = ISSUED;
    const tbs = sha256Hex(TBS);
    const keys = { spki, issuer: "self", issuerSpki: spki };
    const profileSha256 = sha256Hex(shippedProfile("tls-root"));
    const about = { ...keys, profileSha256, ...CERTIFICATE, ca: true };
    const agreed = { tbs: base64(TBS), sha256: tbs, scheme: SCHEME };
    const sha256 = sha256Hex(der);
    const files = ["der", "pem", "p7b"].map((end) => ({
      file: `root-ca.${end}`,
      sha256: end === "pem" ? sha256Hex(pem(der, "CERTIFICATE")) : sha256,
    }));
    const outcome = { tbs, profile: "tls-root", file: "root-ca", files };
    return {
      who: [ANA, EVE],
      data: { ...agreed, ...about, differences: [], warnings: [] },
      facts: [{ kind: "certificate.issued", sha256, ...about, ...outcome }],
      attached: [{ mediaType: "application/pkix-cert", bytes: der }],
    };
  },
  deactivate: () => ({ who: [BEN], facts: [{ kind: "token.deactivated", token: "alpha" }] }),
};
