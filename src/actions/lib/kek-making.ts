/**
 * Making a generation of a KEK: born inside a token and sealed to the transport keys of all tokens that
 * shall open it, or – where the policy allows – also sealed under a share set.
 */

import type { Room, Subject } from "../../ceremony/action.ts";
import { kekName, type EnvelopeCustody } from "../../ceremony/custody-copies.ts";
import { shareRule } from "../../ceremony/policy.ts";
import { envelopeName } from "../../backups/kek-file.ts";
import { hex, sha256Hex, visible } from "../../lib/encoding.ts";
import { KeyriteError } from "../../lib/errors.ts";
import type { EstablishedKek } from "../../hsm/backup.ts";
import { confirmFingerprints } from "./fingerprints.ts";
import { escrowKek } from "./kek-escrow.ts";
import { isThere, KEK_FILE, kekFileNames, kekFileOf } from "./kek-files.ts";
import { openingTokens, type KekIntent, type KekMade, type KekParams } from "./kek-facts.ts";
import { kekEvidence, lintKeks, OUTSIDE, tellKek } from "./keks.ts";
import { planSet, setLines } from "./new-share-sets.ts";
import {
  openerFingerprint,
  openerLine,
  openerOf,
  transportName,
  transportSpki,
} from "./transports.ts";
import type { Opener } from "./transports.ts";

/** How a KEK is kept, in the words of an instruction. */
export function saidKek(p: KekParams): string {
  return p.escrow
    ? `escrowed: its value is also sealed between people who attend as ${p.holders}, so it ${OUTSIDE}`
    : `sealed to the transport keys of ${openingTokens(p).join(", ")}`;
}

/** What is shown and agreed to before a generation is made; two people have compared every fingerprint. */
export async function kekSubject(
  p: KekParams,
  room: Room,
  generation: number,
): Promise<Subject<KekIntent>> {
  const { info } = room.tokens.session(p.token);
  const openers = p.escrow ? [] : openingTokens(p).map((token) => openerOf(room.custody, token));
  await requireNoFiles(room, { kek: p.kek, generation }, openers);
  const shareSet = p.escrow ? planSet(room, p.holders, shareRule(room.policy, "kek")) : null;
  const data: KekIntent = {
    kek: p.kek,
    generation,
    mode: p.escrow ? "escrowed" : "hsm-to-hsm",
    ckaId: hex(room.random.bytes(16)),
    serial: info.serial,
    openers,
    fingerprintsHeardBy: await confirmFingerprints(room, openers.map(openerFingerprint)),
    shareSet,
  };
  return { data, shown: intentLines(data, room.policy.kek.cps) };
}

function intentLines(intent: KekIntent, cps: string | undefined): readonly string[] {
  const name = kekName(intent);
  const made = `New KEK ${name} on the token with serial ${visible(intent.serial)}; CKA_ID ${intent.ckaId}.`;
  if (intent.shareSet === null) {
    return [
      made,
      "It is sealed to these transport keys and to no other:",
      ...intent.openers.map(openerLine),
    ];
  }
  return [
    made,
    `ESCROWED: its value leaves the token and is sealed under shares. From then on KEK ${name}, and every key wrapped under it, ${OUTSIDE}.`,
    ...(cps === undefined ? [] : [`The policy allows it by ${cps}.`]),
    ...setLines("KEK", intent.shareSet),
  ];
}

// Files of a generation that custody does not know are left over from a crash, and their KEK may be
// on a token: people decide what becomes of both before another takes the name.
async function requireNoFiles(
  room: Room,
  kek: { readonly kek: string; readonly generation: number },
  openers: readonly Opener[],
): Promise<void> {
  for (const name of kekFileNames(openers.map(({ token }) => token))) {
    if (!(await isThere(room, kekName(kek), name))) continue;
    throw new KeyriteError(
      "site.file-exists",
      `keks/${kekName(kek)}/${name} is there already, and the ledger knows no such KEK`,
      {
        hints: [
          "it was left by an interrupted step: move the folder away, and keep it for the auditor",
        ],
      },
    );
  }
}

/** Makes what was agreed to. Files are durable before this returns, so before any fact. */
export async function makeKek(p: KekParams, room: Room, intent: KekIntent): Promise<KekMade> {
  const working = room.console.progress(`making KEK ${kekName(intent)} on ${p.token}`);
  const made =
    intent.shareSet === null
      ? await sealToTokens(p, room, intent).finally(() => {
          working.end();
        })
      : await escrowKek(p, room, intent, intent.shareSet).finally(() => {
          working.end();
        });
  tellKek(room, p.token, made.object);
  return made;
}

async function sealToTokens(p: KekParams, room: Room, intent: KekIntent): Promise<KekMade> {
  const session = room.tokens.session(p.token);
  const name = kekName(intent);
  const kek = await session.establishKek({
    label: name,
    ckaId: intent.ckaId,
    ownTransport: transportName(room, p.token),
    transports: intent.openers
      .slice(1)
      .map(({ spki, oaep }) => ({ spki: transportSpki(room, spki), oaep })),
  });
  try {
    const envelopes = await writeEnvelopes(room, intent, kek);
    const lint = await lintKeks(room, p.token, [kek.ckaId]);
    return { ...intent, object: kekEvidence(intent, kek, lint), envelopes, shares: null };
  } catch (error) {
    // Nothing is wrapped under it yet: a KEK without its envelopes must not stay.
    await session.destroyKek(kek).catch(() => undefined);
    await removeEnvelopes(room, intent).catch(() => undefined);
    throw error;
  }
}

/** Removes the files of a generation that was not made after all. */
export async function removeEnvelopes(room: Room, intent: KekIntent): Promise<void> {
  const names = kekFileNames(intent.openers.map(({ token }) => token));
  await room.files.removeKekFiles(kekName(intent), names);
}

async function writeEnvelopes(
  room: Room,
  intent: KekIntent,
  kek: EstablishedKek,
): Promise<readonly EnvelopeCustody[]> {
  const envelopes = intent.openers.map(({ token, spki }) => {
    const sealed = kek.envelopes.find(({ spkiSha256 }) => spkiSha256 === spki);
    if (sealed === undefined) throw new Error(`no envelope was made for ${token}`);
    const { oaep, envelope } = sealed;
    return { token, spki, oaep, bytes: envelope, sha256: sha256Hex(envelope) };
  });
  for (const { token, bytes } of envelopes) {
    await room.files.writeKekFile(kekName(intent), envelopeName(token), bytes);
  }
  const recorded = envelopes.map(({ token, spki, oaep, sha256 }) => ({
    token,
    spki,
    oaep,
    sha256,
  }));
  const { checkValue } = kek;
  const file = kekFileOf(room, { ...intent, checkValue, envelopes: recorded });
  await room.files.writeKekFile(kekName(intent), KEK_FILE, file);
  return recorded;
}
