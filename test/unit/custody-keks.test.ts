/** Every fact about keys, transport keys and KEKs that contradicts custody. */

import { describe } from "node:test";
import type { FactKind } from "../../src/ceremony/facts.ts";
import { envelopeFor, FACT, id, sha } from "../support/copies-desk.ts";
import { refused, type Contradiction } from "../support/copies-refused.ts";

const ROOT = sha("root-g1");
const PAPER = FACT.kek("paper", { mode: "escrowed", envelopes: [] });
const UNTRANSPORTED = [FACT.bound("delta")];

const KINDS: readonly FactKind[] = [
  "key.generated",
  "transport.generated",
  "kek.established",
  "kek.escrowed",
  "kek.sent",
  "kek.adopted",
  "kek.loaded",
  "kek.destroyed",
];

const CONTRADICTIONS: Readonly<Record<string, Contradiction>> = {
  "a key on a token that is not bound": {
    fact: FACT.generated("sub-1", { token: "omega" }),
    says: /token omega is not bound/,
  },
  "a key generated twice": { fact: FACT.generated("root-g1"), says: /already in custody/ },
  "a key with the CKA_ID of another": {
    fact: FACT.generated("sub-1", { ckaId: id("root-g1-alpha") }),
    says: /on token alpha key [0-9a-f]{64} bears the CKA_ID [0-9a-f]{32} already/,
  },
  "a key with the CKA_ID of a KEK": {
    fact: FACT.generated("sub-1", { ckaId: id("vault-1") }),
    says: /on token alpha KEK vault\.g1 bears the CKA_ID/,
  },
  "a transport key on a token that is not bound": {
    fact: FACT.transport("omega"),
    says: /token omega is not bound/,
  },
  "a second transport key on a token": {
    fact: FACT.transport("alpha", { spki: sha("new"), ckaId: id("new") }),
    says: /token alpha has a transport key already/,
  },
  "a transport key that is a CA key": {
    after: UNTRANSPORTED,
    fact: FACT.transport("delta", { spki: ROOT }),
    says: /is a CA key/,
  },
  "one transport key on two tokens": {
    after: UNTRANSPORTED,
    fact: FACT.transport("delta", { spki: sha("transport-beta") }),
    says: /is the transport key of token beta/,
  },
  "a KEK established twice": {
    fact: FACT.kek("vault", { checkValue: "0123456789abcdef", ckaId: id("x") }),
    says: /there is a KEK vault\.g1 already/,
  },
  "a KEK without the generation before": {
    fact: FACT.kek("vault", { generation: 3 }),
    says: /KEK vault has no generation 2/,
  },
  "a KEK with the value of another": {
    fact: FACT.kek("other", { checkValue: sha("vault-1").slice(0, 16) }),
    says: /KEK vault\.g1 has the check value [0-9a-f]{16} too/,
  },
  "a KEK that its own token could not open": {
    fact: FACT.kek("other", { envelopes: [envelopeFor("beta")] }),
    says: /there is no envelope for token alpha itself/,
  },
  "two envelopes for one token": {
    fact: FACT.kek("other", { envelopes: [envelopeFor("alpha"), envelopeFor("alpha")] }),
    says: /two envelopes are for one token/,
  },
  "an envelope to another transport key than the token's": {
    fact: FACT.kek("other", {
      envelopes: [envelopeFor("alpha"), { ...envelopeFor("beta"), spki: sha("mallory") }],
    }),
    says: /the transport key of token beta is another/,
  },
  "an envelope with a hash that the token does not open": {
    after: [...UNTRANSPORTED, FACT.transport("delta", { oaep: ["sha1"] })],
    fact: FACT.kek("other", { envelopes: [envelopeFor("alpha"), envelopeFor("delta")] }),
    says: /token delta does not open OAEP with sha256/,
  },
  "an envelope for a token without a transport key": {
    after: UNTRANSPORTED,
    fact: FACT.kek("other", { envelopes: [envelopeFor("alpha"), envelopeFor("delta")] }),
    says: /token delta has no transport key/,
  },
  "an escrowed KEK with envelopes": {
    fact: FACT.kek("paper", { mode: "escrowed" }),
    says: /an escrowed KEK has no envelopes/,
  },
  "escrow of a KEK that nobody knows": {
    after: [FACT.escrowSet()],
    fact: FACT.escrowed(),
    says: /KEK paper\.g1 is not in custody/,
  },
  "escrow under a share set that nobody made": {
    after: [PAPER],
    fact: FACT.escrowed(),
    says: /there is no share set kset\.g1 for a KEK/,
  },
  "escrow under a share set that opens a token": {
    after: [PAPER, FACT.escrowSet({ purpose: "activation" })],
    fact: FACT.escrowed(),
    says: /there is no share set kset\.g1 for a KEK/,
  },
  "escrow of a KEK that was to stay inside HSMs": {
    after: [FACT.escrowSet()],
    fact: FACT.escrowed({ kek: "vault" }),
    says: /KEK vault\.g1 was made to stay inside HSMs/,
  },
  "escrow under a second share set": {
    after: [PAPER, FACT.escrowSet(), FACT.escrowed(), FACT.escrowSet({ set: "kset2" })],
    fact: FACT.escrowed({ set: "kset2" }),
    says: /KEK paper\.g1 is escrowed already/,
  },
  "a KEK sent from a token that cannot open it": {
    fact: FACT.sent({ from: "gamma" }),
    says: /no envelope of KEK vault\.g1 is for token gamma/,
  },
  "a KEK sent twice to one token": {
    fact: FACT.sent({ envelope: envelopeFor("beta") }),
    says: /KEK vault\.g1 is sealed to token beta already/,
  },
  "a KEK sent to another key than the token's": {
    fact: FACT.sent({ envelope: { ...envelopeFor("gamma"), spki: sha("mallory") } }),
    says: /the transport key of token gamma is another/,
  },
  "an escrowed KEK that is sent": {
    after: [PAPER],
    fact: FACT.sent({ kek: "paper" }),
    says: /an escrowed KEK has no envelopes/,
  },
  "a KEK of a site that nobody trusts": {
    fact: FACT.adopted(),
    says: /the site example\.org\/dc2 is not trusted here/,
  },
  "a KEK of another site under a name that is taken": {
    after: [FACT.trusted()],
    fact: FACT.adopted({ kek: "vault", generation: 1 }),
    says: /there is a KEK vault\.g1 already/,
  },
  "a KEK of another site in an envelope to nobody here": {
    after: [FACT.trusted()],
    fact: FACT.adopted({ envelopes: [{ ...envelopeFor("beta"), spki: sha("mallory") }] }),
    says: /no transport key of this site opens the envelope for beta/,
  },
  "a generation of ours after one of theirs": {
    after: [FACT.trusted(), FACT.adopted()],
    fact: FACT.kek("theirs", { generation: 4 }),
    says: /KEK theirs is of example\.org\/dc2/,
  },
  "H18: a KEK loaded with another check value": {
    after: [FACT.sent()],
    fact: FACT.loaded("gamma", { checkValue: "0123456789abcdef" }),
    says: /the check value of KEK vault\.g1 is/,
  },
  "a KEK loaded without an envelope": {
    fact: FACT.loaded("gamma"),
    says: /no envelope of KEK vault\.g1 is for token gamma/,
  },
  "a KEK loaded where it is": {
    fact: FACT.loaded("beta", { ckaId: id("x") }),
    says: /token beta holds KEK vault\.g1 already/,
  },
  "an escrowed KEK loaded before it was escrowed": {
    after: [PAPER],
    fact: FACT.loaded("beta", {
      kek: "paper",
      checkValue: sha("paper-1").slice(0, 16),
      ckaId: id("x"),
    }),
    says: /KEK paper\.g1 was never escrowed/,
  },
  "a KEK destroyed where it is not": {
    fact: FACT.kekDestroyed("gamma"),
    says: /token gamma does not hold KEK vault\.g1/,
  },
};

describe("facts about KEKs that contradict custody are not taken, and change nothing", () => {
  refused(CONTRADICTIONS, KINDS);
});
