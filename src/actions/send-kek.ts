/**
 * Sends a KEK on to a token that came later: a token that has an envelope opens it, seals the KEK to the
 * new transport key, and forgets it again. The other token may be one of another site.
 */

import { defineAction, type Room } from "../ceremony/action.ts";
import { vaultIsBound } from "../ceremony/conditions-copies.ts";
import { tokenIsActive } from "../ceremony/conditions.ts";
import { kekName, type EnvelopeCustody } from "../ceremony/custody-copies.ts";
import { label, slug } from "../ceremony/words.ts";
import { envelopeName } from "../backups/kek-file.ts";
import { sha256Hex } from "../lib/encoding.ts";
import type { JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";
import { confirmFingerprints } from "./lib/fingerprints.ts";
import {
  choiceName,
  chosenKek,
  kekIsKnown,
  notSentYet,
  receiverIsKnown,
  tokenOpens,
} from "./lib/kek-conditions.ts";
import { isFor } from "./lib/kek-facts.ts";
import { KEK_FILE, kekFileOf, readEnvelope } from "./lib/kek-files.ts";
import { recordedKek } from "./lib/keks.ts";
import { ownEnvelope } from "./lib/own-envelope.ts";
import { receiverOf, type Receiver } from "./lib/receivers.ts";
import { settleSending, undoSending } from "./lib/settle-keks.ts";
import { openerLine, transportName, type Opener } from "./lib/transports.ts";

const params = () =>
  z.strictObject({
    kek: slug,
    generation: z.int().min(1).optional(),
    from: label,
    to: label,
    /** Vault with the transport key of another site's token, as `peer/transport/<to>.spki`. */
    peer: label.optional(),
  });
type Params = z.infer<ReturnType<typeof params>>;

interface Intent extends JsonObject {
  readonly kek: string;
  readonly generation: number;
  readonly checkValue: string;
  readonly to: Opener;
  readonly fingerprintsHeardBy: readonly string[];
}
interface Sent extends Intent {
  readonly envelope: EnvelopeCustody;
}

export const sendKek = defineAction<Params, Intent, Sent>({
  name: "send-kek",
  control: "dual",
  params,
  facts: ["kek.sent"],
  instruction: (p) =>
    p.peer === undefined
      ? `Send KEK ${choiceName(p)} from token ${p.from} to token ${p.to}.`
      : `Send KEK ${choiceName(p)} from token ${p.from} to ${p.to}, a token of another site.`,
  requires: (p) => [
    tokenIsActive(p.from, "from"),
    kekIsKnown(p),
    tokenOpens(p.from, p, "from"),
    notSentYet(p.to, p),
    receiverIsKnown(p.to, p.peer !== undefined),
    ...(p.peer === undefined ? [] : [vaultIsBound(p.peer, "peer")]),
  ],
  forecast: (p, custody) => {
    const transport = custody.transports.get(p.to);
    const spki = transport?.spki ?? sha256Hex(`planned\ntransport\n${p.to}`);
    const generation = chosenKek(custody, p)?.generation ?? 1;
    const to = { token: p.to, spki, oaep: transport?.oaep ?? ["sha1"] };
    return {
      ...{ kek: p.kek, generation, checkValue: "0".repeat(16), to },
      fingerprintsHeardBy: ["planned-a", "planned-b"],
      envelope: { token: p.to, spki, oaep: "sha1", sha256: "0".repeat(64) },
    };
  },
  establishes: (p, { kek, generation, envelope }) => [
    { kind: "kek.sent", kek, generation, from: p.from, envelope: { ...envelope } },
  ],
  admits: (p, intent, fact) =>
    fact.kind === "kek.sent" &&
    fact.kek === p.kek &&
    fact.generation === intent.generation &&
    fact.from === p.from &&
    fact.envelope.token === p.to &&
    isFor(intent.to, fact.envelope),
  async subject(p, room) {
    const record = recordedKek(room.custody, p.kek, p.generation);
    const receiver = await receiverOf(room, p);
    // Compared now, so that a damaged envelope is no surprise after people have agreed.
    await readEnvelope(room, record, ownEnvelope(room, record, p.from));
    const { kek, generation, checkValue } = record;
    const fingerprintsHeardBy = await confirmFingerprints(room, [receiver.fingerprint]);
    const { opener: to } = receiver;
    // Of a token of this site it is attached already; kek.json names both alike.
    room.attach("application/pkix-spki", receiver.spki);
    return {
      data: { kek, generation, checkValue, to, fingerprintsHeardBy },
      shown: [
        `KEK ${kekName(record)}, check value ${checkValue}, leaves token ${p.from} in an envelope to`,
        openerLine(to),
      ],
    };
  },
  async run(p, room, { subject, settled }) {
    if (settled !== null) await undoSending(room, subject, p.to);
    const receiver = await receiverOf(room, p, subject.to.spki);
    const envelope = await send(p, room, subject, receiver);
    room.console.tell(
      `KEK ${kekName(subject)} is sealed to token ${p.to}; load-kek opens it there.`,
    );
    return { ...subject, envelope };
  },
  settle: (p, room, { intent }) => settleSending(room, intent, p.to),
  undo: (p, room, { intent }) => undoSending(room, intent, p.to),
});

async function send(
  p: Params,
  room: Room,
  intent: Intent,
  { spki, opener }: Receiver,
): Promise<EnvelopeCustody> {
  const record = recordedKek(room.custody, intent.kek, intent.generation);
  const own = ownEnvelope(room, record, p.from);
  const sealed = await room.tokens.session(p.from).resealKek({
    transport: transportName(room, p.from),
    envelope: {
      spkiSha256: own.spki,
      oaep: own.oaep,
      envelope: await readEnvelope(room, record, own),
    },
    checkValue: intent.checkValue,
    to: { spki, oaep: opener.oaep },
  });
  const name = kekName(record);
  await room.files.writeKekFile(name, envelopeName(p.to), sealed.envelope);
  const sha256 = sha256Hex(sealed.envelope);
  const envelope = { token: p.to, spki: opener.spki, oaep: sealed.oaep, sha256 };
  const envelopes = [...record.envelopes.values(), envelope];
  const file = kekFileOf(room, { ...record, envelopes }, new Map([[opener.spki, spki]]));
  await room.files.replaceKekFile(name, KEK_FILE, file);
  return envelope;
}
