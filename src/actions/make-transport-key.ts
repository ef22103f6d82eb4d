/**
 * Makes a token's transport key: the RSA pair whose public half KEKs are sealed to, so that they travel
 * from token to token and never lie open anywhere.
 */

import { defineAction, type Room } from "../ceremony/action.ts";
import { tokenIsActive } from "../ceremony/conditions.ts";
import { transportIsFree } from "../ceremony/conditions-copies.ts";
import { label } from "../ceremony/words.ts";
import { sha256Hex } from "../lib/encoding.ts";
import { z } from "../lib/schema.ts";
import type { OaepHash } from "../hsm/backup.ts";
import type { GeneratedKey } from "../hsm/token.ts";
import { attributeList, type Attribute } from "./lib/attributes.ts";
import { confirmFingerprints } from "./lib/fingerprints.ts";
import { newKeySubject, type NewKeyIntent } from "./lib/new-key.ts";
import { settleKeyPair, undoObjects } from "./lib/settle-keks.ts";

const params = () =>
  z.strictObject({
    token: label,
    algorithm: z.enum(["rsa-3072", "rsa-4096"]).default("rsa-3072"),
  });
type Params = z.infer<ReturnType<typeof params>>;

/** CKA_LABEL of every transport key: a token has one. */
const LABEL = "transport";

interface Made extends NewKeyIntent {
  readonly spki: string;
  readonly oaep: readonly OaepHash[];
  readonly mechanism: string;
  readonly privateAttributes: readonly Attribute[];
  readonly publicAttributes: readonly Attribute[];
  readonly waivers: readonly string[];
  readonly fingerprintHeardBy: readonly string[];
}

export const makeTransportKey = defineAction<Params, NewKeyIntent, Made>({
  name: "make-transport-key",
  control: "dual",
  params,
  facts: ["transport.generated"],
  instruction: (p) =>
    `Make the transport key of token ${p.token} (${p.algorithm}); two people confirm its fingerprint.`,
  requires: (p) => [tokenIsActive(p.token), transportIsFree(p.token)],
  forecast: (p) => ({
    ckaId: "00",
    serial: "planned",
    spki: sha256Hex(`planned\ntransport\n${p.token}`),
    oaep: ["sha1"],
    mechanism: "",
    privateAttributes: [],
    publicAttributes: [],
    waivers: [],
    fingerprintHeardBy: ["planned-a", "planned-b"],
  }),
  establishes: (p, { spki, ckaId, oaep }) => [
    {
      kind: "transport.generated",
      token: p.token,
      label: LABEL,
      ckaId,
      spki,
      algorithm: p.algorithm,
      oaep: [...oaep],
    },
  ],
  admits: (p, intent, fact) =>
    fact.kind === "transport.generated" &&
    fact.token === p.token &&
    fact.label === LABEL &&
    fact.algorithm === p.algorithm &&
    fact.ckaId === intent.ckaId,
  subject: (p, room) =>
    Promise.resolve(
      newKeySubject(
        room,
        p.token,
        p.algorithm,
        `New transport key of token ${p.token}, ${p.algorithm}; whoever has it and an envelope has the KEK.`,
      ),
    ),
  async run(p, room, { subject }) {
    const session = room.tokens.session(p.token);
    const working = room.console.progress(`generating the transport key of ${p.token}`);
    const { ckaId } = subject;
    const { algorithm } = p;
    const key = await session
      .generateKeyPair({ label: LABEL, ckaId, algorithm, purpose: "transport", extractable: false })
      .finally(() => {
        working.end();
      });
    for (const waiver of key.waivers) room.console.warn(waiver);
    try {
      return await proved(p, room, subject, key);
    } catch (error) {
      // A key that nobody confirmed must not stand in the way of the next one.
      await session.destroyKeys([key]).catch(() => undefined);
      throw error;
    }
  },
  settle: (p, room, { intent }) => settleKeyPair(room, p.token, intent.ckaId),
  undo: (p, room, { intent }) => undoObjects(room, p.token, intent.ckaId),
});

async function proved(
  p: Params,
  room: Room,
  intent: NewKeyIntent,
  key: GeneratedKey,
): Promise<Made> {
  const of = `transport key of token ${p.token}`;
  const against = "what everybody writes down, to compare later with what is sealed to it";
  return {
    ...intent,
    spki: room.attach("application/pkix-spki", key.spki),
    oaep: [...(await room.tokens.session(p.token).oaepHashes(key))],
    mechanism: key.mechanism,
    privateAttributes: attributeList(key.privateAttributes),
    publicAttributes: attributeList(key.publicAttributes),
    waivers: [...key.waivers],
    fingerprintHeardBy: await confirmFingerprints(room, [{ of, spki: key.spkiSha256, against }]),
  };
}
