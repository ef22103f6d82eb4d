/** Generates a CA key on a token; its CKA_ID is chosen, agreed to and recorded before the call. */

import { defineAction, type Participant, type Room } from "../ceremony/action.ts";
import {
  algorithmIsAllowed,
  always,
  keyLabelIsFree,
  tokenIsActive,
} from "../ceremony/conditions.ts";
import { keyIsWrappable, tokenOwesNothing } from "../ceremony/conditions-copies.ts";
import { ALL_CA_KEYS } from "../ceremony/key-choice.ts";
import { digestLines } from "../ceremony/spoken.ts";
import { label } from "../ceremony/words.ts";
import { KEY_ALGORITHMS } from "../lib/algorithms.ts";
import { sha256Hex, visible } from "../lib/encoding.ts";
import { z } from "../lib/schema.ts";
import type { GeneratedKey } from "../hsm/token.ts";
import { attributeList, type Attribute } from "./lib/attributes.ts";
import { newKeySubject, type NewKeyIntent } from "./lib/new-key.ts";
import { settleKeyPair, undoObjects } from "./lib/settle-keks.ts";

const params = () =>
  z.strictObject({
    token: label,
    key: label,
    algorithm: z.enum(KEY_ALGORITHMS),
    purpose: z.enum(["ca-signing"]),
    backup: z.enum(["wrap", "native", "never"]),
  });
type Params = z.infer<ReturnType<typeof params>>;

const BACKUPS: Readonly<Record<Params["backup"], string>> = {
  wrap: "with a wrapped backup",
  native: "with a backup by the vendor's tools",
  never: "without any backup: it never leaves the token",
};

interface Generated extends NewKeyIntent {
  readonly spki: string;
  readonly mechanism: string;
  readonly privateAttributes: readonly Attribute[];
  readonly publicAttributes: readonly Attribute[];
  readonly waivers: readonly string[];
  readonly fingerprintHeardBy: string;
}

export const generateKey = defineAction<Params, NewKeyIntent, Generated>({
  name: "generate-key",
  control: "dual",
  params,
  facts: ["key.generated"],
  instruction: (p) =>
    `Generate the ${p.algorithm} key ${p.key} on token ${p.token}, ${BACKUPS[p.backup]}.`,
  requires: (p) => [
    tokenIsActive(p.token),
    keyLabelIsFree(p.token, p.key),
    algorithmIsAllowed(p.algorithm),
    tokenOwesNothing(p.token),
    always(
      "key",
      p.key === ALL_CA_KEYS ? `"${ALL_CA_KEYS}" stands for all keys and names none` : undefined,
    ),
    ...(p.backup === "wrap" ? [keyIsWrappable(p.token, p.algorithm)] : []),
  ],
  forecast: (p) => ({
    ckaId: "00",
    serial: "planned",
    spki: sha256Hex(`planned\n${p.token}\n${p.key}`),
    mechanism: "",
    privateAttributes: [],
    publicAttributes: [],
    waivers: [],
    fingerprintHeardBy: "planned",
  }),
  establishes: (p, { spki, ckaId }) => [
    {
      kind: "key.generated",
      spki,
      token: p.token,
      label: p.key,
      ckaId,
      algorithm: p.algorithm,
      purpose: p.purpose,
      backup: p.backup,
    },
  ],
  admits: (p, intent, fact) =>
    fact.kind === "key.generated" &&
    fact.token === p.token &&
    fact.label === p.key &&
    fact.algorithm === p.algorithm &&
    fact.backup === p.backup &&
    fact.ckaId === intent.ckaId,
  subject: (p, room) =>
    Promise.resolve(
      newKeySubject(
        room,
        p.token,
        p.algorithm,
        `New key ${p.key}, ${p.algorithm}, for ${p.purpose}.`,
      ),
    ),
  async run(p, room, { subject }) {
    const working = room.console.progress(`generating ${p.algorithm} key ${p.key}`);
    const key = await room.tokens
      .session(p.token)
      .generateKeyPair({
        label: p.key,
        ckaId: subject.ckaId,
        algorithm: p.algorithm,
        purpose: p.purpose,
        extractable: p.backup === "wrap",
      })
      .finally(() => {
        working.end();
      });
    for (const waiver of key.waivers) room.console.warn(waiver);
    return evidence(room, subject, key, await readAloud(room, p, key));
  },
  settle: (p, room, { intent }) => settleKeyPair(room, p.token, intent.ckaId),
  undo: (p, room, { intent }) => undoObjects(room, p.token, intent.ckaId),
});

/** Has a witness hear the fingerprint as words, from the screen of the very machine that made it. */
async function readAloud(room: Room, p: Params, key: GeneratedKey): Promise<Participant> {
  const listener = room.people.performers.at(-1);
  if (listener === undefined) throw new Error("a dual step without performers");
  for (const line of digestLines(`Public key ${p.key}, SHA-256`, key.spkiSha256)) {
    room.console.tell(line);
  }
  const name = listener.card.name;
  room.console.tell(
    `${visible(name)} reads these words aloud; everybody compares and writes them down.`,
  );
  await room.console.ask({
    id: "fingerprint-heard",
    to: { person: listener.person, name },
    text: "type yes when all have compared them",
    check: (answer) => (answer === "yes" ? undefined : "read them again, then type yes"),
  });
  return listener;
}

function evidence(
  room: Room,
  intent: NewKeyIntent,
  key: GeneratedKey,
  heard: Participant,
): Generated {
  return {
    ...intent,
    spki: room.attach("application/pkix-spki", key.spki),
    mechanism: key.mechanism,
    privateAttributes: attributeList(key.privateAttributes),
    publicAttributes: attributeList(key.publicAttributes),
    waivers: [...key.waivers],
    fingerprintHeardBy: heard.person,
  };
}
