/**
 * Where an action about KEKs was interrupted: what bears the CKA_ID that was chosen for it, which files it
 * left, and what the room may decide. Session objects end with their session, so none of them is left.
 */

import type { Doubt, Room, Settlement } from "../../ceremony/action.ts";
import { kekName } from "../../ceremony/custody-copies.ts";
import { envelopeName } from "../../backups/kek-file.ts";
import { KeyriteError, type ErrorCode } from "../../lib/errors.ts";
import type { JsonObject } from "../../lib/json.ts";
import type { KekName } from "../../hsm/backup.ts";
import { isRefusal } from "../../hsm/refused.ts";
import { removeEnvelopes } from "./kek-making.ts";
import type { KekIntent, KekParams } from "./kek-facts.ts";
import { isThere, KEK_FILE, kekFileNames, kekFileOf } from "./kek-files.ts";
import { recordedKek } from "./keks.ts";

/** How many objects on a token bear a CKA_ID, in words and as data. */
async function remnants(
  room: Room,
  token: string,
  ckaId: string,
): Promise<{ readonly objects: number; readonly said: string }> {
  const inventory = await room.tokens.session(token).inventory();
  const objects = inventory.filter((one) => one.ckaId === ckaId).length;
  const count = objects === 1 ? "one object" : `${objects === 0 ? "no" : objects} objects`;
  return { objects, said: `Token ${token} holds ${count} with CKA_ID ${ckaId}.` };
}

/** A key pair that was being generated: what nobody heard the fingerprint of is not kept. */
export async function settleKeyPair(room: Room, token: string, ckaId: string): Promise<Settlement> {
  const { objects, said } = await remnants(room, token, ckaId);
  return {
    shown: [
      said,
      objects === 0
        ? "The key was not generated yet, or is gone: the step can be performed as it was agreed to."
        : "Nobody confirmed its fingerprint: it is destroyed, and the step performed anew.",
    ],
    data: { objects },
    choices: objects === 0 ? ["finish", "undo"] : ["undo"],
  };
}

/** Destroys what bears the CKA_ID of an interrupted step. */
export async function undoObjects(room: Room, token: string, ckaId: string): Promise<void> {
  const gone = await room.tokens.session(token).destroyRemnants(ckaId);
  room.console.tell(`${gone} objects with CKA_ID ${ckaId} destroyed on token ${token}.`);
}

/** A generation of a KEK that was being made: nothing is wrapped under it, so it goes as a whole. */
export async function settleNewKek(
  p: KekParams,
  room: Room,
  { intent }: Doubt<KekIntent>,
): Promise<Settlement> {
  const { objects, said } = await remnants(room, p.token, intent.ckaId);
  const files = await filesThere(room, intent);
  const clean = objects === 0 && files.length === 0 && intent.shareSet === null;
  const shares =
    intent.shareSet === null
      ? []
      : [`Shares of set ${intent.shareSet.set} on media open nothing that is in use: erase them.`];
  return {
    shown: [
      said,
      `Files of KEK ${kekName(intent)} at the site: ${files.join(", ") || "none"}.`,
      ...shares,
      clean
        ? "Nothing of it was made: the step can be performed as it was agreed to."
        : "Nothing is wrapped under it: what is there is destroyed, and the step performed anew.",
    ],
    data: { objects, files: [...files] },
    choices: clean ? ["finish", "undo"] : ["undo"],
  };
}

export async function undoNewKek(
  p: KekParams,
  room: Room,
  { intent }: Doubt<KekIntent>,
): Promise<void> {
  await undoObjects(room, p.token, intent.ckaId);
  await removeEnvelopes(room, intent);
}

async function filesThere(room: Room, intent: KekIntent): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of kekFileNames(intent.openers.map(({ token }) => token))) {
    const there = await isThere(room, kekName(intent), name);
    if (there) found.push(name);
  }
  return found;
}

/** A KEK that was being loaded or destroyed: whether it is on the token, whole and of the right value. */
async function stateOf(
  room: Room,
  token: string,
  name: KekName,
): Promise<{ readonly state: "absent" | "right" | "wrong"; readonly said: string }> {
  const { objects, said } = await remnants(room, token, name.ckaId);
  if (objects === 0) return { state: "absent", said };
  try {
    await room.tokens.session(token).inspectKek(name);
    return { state: "right", said: `${said} It is the KEK, with its recorded check value.` };
  } catch (error) {
    // A device that is busy or away says nothing of the KEK: nobody decides about it then.
    if (!(error instanceof KeyriteError) || !tellsOfKek(error)) throw error;
    return { state: "wrong", said: `${said} It is not what it should be: ${error.message}.` };
  }
}

const WRONG: readonly ErrorCode[] = [
  "hsm.attribute-differs",
  "hsm.wrong-kek",
  "hsm.object-missing",
];

function tellsOfKek(error: KeyriteError): boolean {
  return WRONG.includes(error.code) || isRefusal(error);
}

export async function settleLoading(
  room: Room,
  token: string,
  intent: KekName & { readonly holders: readonly string[] },
): Promise<Settlement> {
  const { state, said } = await stateOf(room, token, intent);
  // Shares are brought by the people who agree to a step, and only there.
  const canLoad = state === "absent" && intent.holders.length === 0;
  return {
    shown: [said],
    data: { state },
    choices: state === "right" || canLoad ? ["finish", "undo"] : ["undo"],
  };
}

export async function settleDestroying(
  room: Room,
  token: string,
  intent: KekName,
): Promise<Settlement> {
  const { state, said } = await stateOf(room, token, intent);
  const next = state === "absent" ? "It is destroyed." : "It is not destroyed yet.";
  return {
    shown: [said, next],
    data: { state },
    // What is gone cannot be brought back by this step.
    choices: state === "absent" ? ["finish"] : ["finish", "undo"],
  };
}

/** Whether the room decided to finish on a finding of this state. */
export function settledAs(settled: JsonObject | null, state: "absent" | "right"): boolean {
  return settled?.["state"] === state;
}

interface Sending {
  readonly kek: string;
  readonly generation: number;
}

/** An envelope that was being made: without a record it is as good as none, and is made anew. */
export async function settleSending(room: Room, kek: Sending, to: string): Promise<Settlement> {
  const name = envelopeName(to);
  const there = await isThere(room, kekName(kek), name);
  return {
    shown: [
      `${name} of KEK ${kekName(kek)} is ${there ? "at the site, and not on record" : "not at the site"}.`,
      "To finish is to seal the KEK once more; no token has opened that file.",
    ],
    data: { there },
    choices: ["finish", "undo"],
  };
}

/** Removes an envelope without a record, and writes kek.json as the ledger has it. */
export async function undoSending(room: Room, kek: Sending, to: string): Promise<void> {
  const record = recordedKek(room.custody, kek.kek, kek.generation);
  const name = kekName(kek);
  await room.files.removeKekFiles(name, [envelopeName(to)]);
  const envelopes = [...record.envelopes.values()];
  await room.files.replaceKekFile(name, KEK_FILE, kekFileOf(room, { ...record, envelopes }));
}
