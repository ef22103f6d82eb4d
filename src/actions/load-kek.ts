/**
 * Loads a KEK into a token: out of the envelope to its transport key, or – escrowed – from the shares of a
 * quorum. The envelope is compared with the ledger before the token sees it, the check value afterwards.
 */

import { defineAction, type Act, type Room, type Subject } from "../ceremony/action.ts";
import { vaultIsBound } from "../ceremony/conditions-copies.ts";
import { tokenIsActive } from "../ceremony/conditions.ts";
import { kekName, type KekCustody } from "../ceremony/custody-copies.ts";
import type { Custody } from "../ceremony/custody.ts";
import type { Fact } from "../ceremony/facts.ts";
import { label, line, slug } from "../ceremony/words.ts";
import { hex, visible } from "../lib/encoding.ts";
import { canonicalJson, type JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";
import type { Kek } from "../hsm/backup.ts";
import { asRecord, findKek, kekCanLoad, type AdoptedKek } from "./lib/foreign-keks.ts";
import { choiceName, chosenKek } from "./lib/kek-conditions.ts";
import { escrowHolders, escrowShare, importFromShares } from "./lib/kek-escrow.ts";
import { keepFiles, kekFileNames, readEnvelope } from "./lib/kek-files.ts";
import {
  kekEvidence,
  lintKeks,
  OUTSIDE,
  recordedKek,
  tellKek,
  type KekEvidence,
} from "./lib/keks.ts";
import { ownEnvelope } from "./lib/own-envelope.ts";
import { settledAs, settleLoading, undoObjects } from "./lib/settle-keks.ts";
import { transportName } from "./lib/transports.ts";

const params = () =>
  z.strictObject({
    kek: slug,
    generation: z.int().min(1).optional(),
    token: label,
    /** A backup that carries the envelope; the site's own folder when absent. */
    from: z
      .strictObject({
        vault: label,
        backup: label,
        /** The other site whose backup it is; that site sealed the KEK to this token. */
        origin: line.optional(),
      })
      .optional(),
  });
type Params = z.infer<ReturnType<typeof params>>;

interface Intent extends JsonObject {
  readonly kek: string;
  readonly generation: number;
  readonly checkValue: string;
  readonly ckaId: string;
  readonly serial: string;
  /** SHA-256 of the envelope, or null for an escrowed KEK. */
  readonly envelope: string | null;
  /** Who brings shares of an escrowed KEK. */
  readonly holders: readonly string[];
  /** What is recorded first of another site's KEK, by its proofs. */
  readonly adopt: AdoptedKek | null;
}
interface Loaded extends Intent {
  readonly object: KekEvidence;
}

export const loadKek = defineAction<Params, Intent, Loaded>({
  name: "load-kek",
  control: "dual",
  params,
  facts: ["kek.adopted", "kek.loaded"],
  instruction: (p) => `Load KEK ${choiceName(p)} into token ${p.token}${saidSource(p)}.`,
  requires: (p) => [
    tokenIsActive(p.token),
    ...kekCanLoad(p.token, p, p.from),
    ...(p.from === undefined ? [] : [vaultIsBound(p.from.vault, "from")]),
  ],
  forecast: planned,
  establishes: (p, { kek, generation, ckaId, object, adopt }): readonly Fact[] => {
    const { checkValue } = object;
    const loaded = { kek, generation, token: p.token, ckaId, checkValue };
    return [...(adopt === null ? [] : [adopt]), { kind: "kek.loaded", ...loaded }];
  },
  admits: (p, intent, fact) =>
    fact.kind === "kek.adopted"
      ? intent.adopt !== null && canonicalJson(fact) === canonicalJson(intent.adopt)
      : fact.kind === "kek.loaded" &&
        fact.kek === p.kek &&
        fact.generation === intent.generation &&
        fact.token === p.token &&
        fact.ckaId === intent.ckaId &&
        fact.checkValue === intent.checkValue,
  owes: (_, { adopt }) => (adopt === null ? ["kek.loaded"] : ["kek.adopted", "kek.loaded"]),
  subject: loadSubject,
  contribute(p, who, opener, room) {
    // Shares of another site's KEK are in that site's custody: it comes in an envelope or not at all.
    const record = chosenKek(room.custody, p);
    return record === undefined || record.escrow === null
      ? Promise.resolve(undefined)
      : escrowShare(room, record, who, opener);
  },
  async run(p, room, act) {
    const { kek: name, generation, adopt } = act.subject;
    const record = adopt === null ? recordedKek(room.custody, name, generation) : asRecord(adopt);
    const kek = await bringIn(p, room, act, record);
    if (adopt !== null) await keepFiles(room, record, p.from);
    const lint = await lintKeks(room, p.token, [kek.ckaId]);
    const object = kekEvidence(record, kek, lint);
    tellKek(room, p.token, object);
    return { ...act.subject, object };
  },
  settle: (p, room, { intent }) => settleLoading(room, p.token, intent),
  async undo(p, room, { intent }) {
    await undoObjects(room, p.token, intent.ckaId);
    const tokens = intent.adopt?.envelopes.map(({ token }) => token);
    if (tokens === undefined) return;
    await room.files.removeKekFiles(kekName(intent), kekFileNames(tokens));
  },
});

async function bringIn(
  p: Params,
  room: Room,
  { subject, contributions, settled }: Act<Intent>,
  record: KekCustody,
): Promise<Kek> {
  const { ckaId, checkValue } = subject;
  if (settledAs(settled, "right")) return room.tokens.session(p.token).inspectKek(subject);
  if (record.escrow !== null) {
    return importFromShares(room, record, contributions, { token: p.token, ckaId });
  }
  const own = ownEnvelope(room, record, p.token);
  const envelope = await readEnvelope(room, record, own, p.from);
  return room.tokens.session(p.token).loadKek({
    label: kekName(record),
    ckaId,
    transport: transportName(room, p.token),
    envelope: { spkiSha256: own.spki, oaep: own.oaep, envelope },
    checkValue,
  });
}

async function loadSubject(p: Params, room: Room): Promise<Subject<Intent>> {
  const { record, adopt } = await findKek(room, p.token, p, p.from);
  const { kek, generation, checkValue } = record;
  const { info } = room.tokens.session(p.token);
  const holders = record.escrow === null ? [] : escrowHolders(room, record);
  const envelope = record.escrow === null ? ownEnvelope(room, record, p.token) : null;
  // Compared now, so that a damaged envelope is no surprise after people have agreed.
  if (envelope !== null) await readEnvelope(room, record, envelope, p.from);
  const ckaId = hex(room.random.bytes(16));
  const data = { kek, generation, checkValue, ckaId, serial: info.serial, holders, adopt };
  const source =
    envelope === null
      ? `It ${OUTSIDE}: ${holders.join(" and ")} bring their shares.`
      : `Its envelope has the SHA-256 ${envelope.sha256}, as on record.`;
  return {
    data: { ...data, envelope: envelope?.sha256 ?? null },
    shown: [
      `KEK ${kekName(record)}, check value ${checkValue}, into the token with serial ${visible(info.serial)}; CKA_ID ${ckaId}.`,
      source,
      ...(adopt === null
        ? []
        : [`It is a KEK of ${visible(adopt.origin)}, by that site's proofs.`]),
    ],
  };
}

function planned(p: Params, custody: Custody): Loaded {
  const kek = chosenKek(custody, p);
  const generation = kek?.generation ?? p.generation ?? 1;
  const checkValue = kek?.checkValue ?? "0".repeat(16);
  const mode = kek?.mode ?? "hsm-to-hsm";
  const found = { ckaId: "00", checkValue, attributes: {}, waivers: [] };
  const object = kekEvidence({ kek: p.kek, generation, mode }, found, []);
  const origin = p.from?.origin;
  const spki = custody.transports.get(p.token)?.spki;
  const sealed = { token: p.token, oaep: "sha1", sha256: "0".repeat(64) } as const;
  const named = { kek: p.kek, generation, mode, checkValue };
  return {
    ...{ kek: p.kek, generation, checkValue, ckaId: "00", serial: "planned" },
    ...{ envelope: null, holders: [], object },
    adopt:
      kek !== undefined || origin === undefined
        ? null
        : {
            kind: "kek.adopted",
            ...{ ...named, origin },
            envelopes: spki === undefined ? [] : [{ ...sealed, spki }],
          },
  };
}

function saidSource({ from }: Params): string {
  if (from === undefined) return "";
  const whose = from.origin === undefined ? "" : ` of ${from.origin}`;
  return `, from backup ${from.backup}${whose} in vault ${from.vault}`;
}
