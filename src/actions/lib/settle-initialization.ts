/**
 * An initialization that was interrupted. Both PINs are sealed, split and proved before C_InitToken, so there are
 * two states only: the token was not touched, and what was made for it may be taken back; or it was, and a quorum
 * of the share sets that lie on the media goes on where it stopped.
 */

import type { Participant, Room, Settlement } from "../../ceremony/action.ts";
import { shareSetName } from "../../ceremony/custody.ts";
import { sha256Hex, visible } from "../../lib/encoding.ts";
import { KeyriteError, messageOf } from "../../lib/errors.ts";
import type { JsonObject } from "../../lib/json.ts";
import { wiping, type Secret } from "../../lib/secret.ts";
import type { TokenInfo } from "../../hsm/token.ts";
import { PENDING, type MadeShareSet } from "../../shares/make-share-set.ts";
import { parseShareSet, type ShareSet } from "../../shares/share-set.ts";
import { combine } from "../../shares/use-share-set.ts";
import { tokenLines } from "../inspect-token.ts";
import type { SetIntent } from "./new-share-sets.ts";
import {
  enterShares,
  readSealed,
  SEALED_FILE,
  SHARE_SET_FILE,
  type EnteredShare,
} from "./share-sets.ts";

/** What people agreed to of the interrupted step. */
export interface BegunInitialization {
  readonly module: string;
  readonly others: readonly string[];
  readonly activation: SetIntent;
  readonly officer: SetIntent;
}

/** A share set as it was found. */
interface FoundSet extends JsonObject {
  readonly set: string;
  /** SHA-256 of share-set.json at the site; null when it is not there, or not that of the agreed set. */
  readonly sha256: string | null;
  /** Holders whose media hold the share, and the sealed secret, that were made for them. */
  readonly held: readonly string[];
  readonly lacking: readonly string[];
}

export interface FoundInitialization extends JsonObject {
  /** The token that C_InitToken has made of the blank one; null while it is blank. */
  readonly token: { readonly serial: string; readonly label: string } | null;
  readonly activation: FoundSet;
  readonly officer: FoundSet;
}

/** Looks at the token, the site's files and every holder's medium. */
export async function lookAtInitialization(
  token: string,
  room: Room,
  intent: BegunInitialization,
): Promise<Settlement> {
  const fresh = (await room.tokens.initialized(token)).filter(
    ({ serial }) => !intent.others.includes(serial),
  );
  const info = fresh[0] ?? (await room.tokens.inspect(token));
  const activation = await lookAtSet(room, intent.activation);
  const officer = await lookAtSet(room, intent.officer);
  const begun = fresh.length === 0 ? null : { serial: info.serial, label: info.label };
  const sets = [activation, officer];
  const problem = whyStuck(fresh, info, intent, sets);
  const whole = sets.every(({ sha256, lacking }) => sha256 !== null && lacking.length === 0);
  return {
    shown: [
      ...tokenLines(info),
      begun === null
        ? "The token was not touched: nothing of the step is on it."
        : `The token was initialized by this step; its user PIN is ${info.userPinSet ? "set" : "not set yet"}.`,
      ...sets.flatMap(setLines),
      ...(problem === undefined ? [] : [problem]),
    ],
    data: { token: begun, activation, officer },
    choices:
      problem !== undefined
        ? []
        : begun !== null
          ? ["finish"]
          : whole && info.moduleDigest === intent.module
            ? ["finish", "undo"]
            : ["undo"],
  };
}

function setLines({ set, sha256, held, lacking }: FoundSet): readonly string[] {
  if (sha256 === null) return [`Share set ${set} was not made to its end: it opens nothing.`];
  const missing = lacking.length === 0 ? "" : `; NOT on those of ${lacking.join(", ")}`;
  return [
    `Share set ${set}: whole on the media of ${held.join(", ") || "nobody"}${missing}`,
    `  share-set.json SHA-256 ${sha256}`,
  ];
}

/** Why nobody can decide yet, once the token was touched; undefined when they can. */
function whyStuck(
  fresh: readonly TokenInfo[],
  info: TokenInfo,
  intent: BegunInitialization,
  sets: readonly FoundSet[],
): string | undefined {
  if (fresh.length === 0) return undefined;
  if (fresh.length > 1) {
    return `${fresh.length} tokens were initialized since: leave only the one of this step connected.`;
  }
  if (info.moduleDigest !== intent.module) {
    return "It was begun with another PKCS#11 module: put that one back to go on.";
  }
  const thresholds = [intent.activation.threshold, intent.officer.threshold];
  const short = sets.find(
    ({ sha256, held }, i) => sha256 === null || held.length < (thresholds[i] ?? Infinity),
  );
  return short === undefined
    ? undefined
    : `Too few shares of set ${short.set} are here: bring the media of its holders.`;
}

async function lookAtSet(room: Room, intent: SetIntent): Promise<FoundSet> {
  const lacksAll = { set: intent.set, sha256: null, held: [], lacking: [...intent.holders] };
  const name = shareSetName({ set: intent.set, generation: 1 });
  const json = await room.files.readShareSetFile(name, SHARE_SET_FILE).catch((error: unknown) => {
    // One that cannot be read says nothing of what was made: only one that is not there does.
    if (!(error instanceof KeyriteError) || error.code !== "site.missing") throw error;
    return undefined;
  });
  const set = json === undefined ? undefined : setAsAgreed(json, intent);
  if (json === undefined || set === undefined) return lacksAll;
  const held: string[] = [];
  const lacking: string[] = [];
  for (const holder of holdersOf(room, intent)) {
    ((await isHeld(room, set, holder)) ? held : lacking).push(holder.person);
  }
  return { set: intent.set, sha256: sha256Hex(json), held, lacking };
}

function setAsAgreed(json: Uint8Array, intent: SetIntent): ShareSet | undefined {
  try {
    const set = parseShareSet(json);
    const people = set.holders.map(({ person }) => person);
    const same = set.id === intent.set && set.generation === 1;
    const split = set.threshold === intent.threshold && people.join() === intent.holders.join();
    return same && split ? set : undefined;
  } catch {
    // Not written to its end, or somebody else's.
    return undefined;
  }
}

async function isHeld(room: Room, set: ShareSet, { person, card }: Participant): Promise<boolean> {
  try {
    const medium = await room.people.medium(person, card.name);
    const [share, sealed] = [medium.readShare(set), medium.readSealed(set)];
    const made = set.holders.find((one) => one.person === person);
    if (share === undefined || sealed === undefined) return false;
    return sha256Hex(share) === made?.file && sha256Hex(sealed) === set.sealed;
  } catch (error) {
    if (!(error instanceof KeyriteError) || error.code !== "people.medium") throw error;
    room.console.warn(visible(messageOf(error)));
    return false;
  }
}

function holdersOf(room: Room, { holders }: SetIntent): readonly Participant[] {
  return holders.flatMap((person) => room.people.attending.filter((one) => one.person === person));
}

interface Rebuilt extends Pick<MadeShareSet, "set" | "json"> {
  readonly secret: Secret;
}

export interface Finished {
  readonly info: TokenInfo;
  readonly user: Pick<MadeShareSet, "set" | "json">;
  readonly so: Pick<MadeShareSet, "set" | "json">;
}

/** Every holder whose share is here proves it; the quorum's secrets then end what was begun. */
export async function finishInitialization(
  token: string,
  room: Room,
  intent: BegunInitialization,
  found: FoundInitialization,
): Promise<Finished> {
  const user = await rebuild(token, room, intent.activation, found.activation);
  return wiping([user.secret], async () => {
    const so = await rebuild(token, room, intent.officer, found.officer);
    return wiping([so.secret], async () => {
      const working = room.console.progress(`initializing token ${token}`);
      const info = await (
        found.token === null
          ? room.tokens.initialize(token, token, so.secret, user.secret)
          : room.tokens.completeInitialization(token, found.token, so.secret, user.secret)
      ).finally(() => {
        working.end();
      });
      room.console.tell(`Token ${token} is initialized; its serial is ${visible(info.serial)}.`);
      return { info, user, so };
    });
  });
}

async function rebuild(
  token: string,
  room: Room,
  intent: SetIntent,
  found: FoundSet,
): Promise<Rebuilt> {
  const name = shareSetName({ set: intent.set, generation: 1 });
  const json = await room.files.readShareSetFile(name, SHARE_SET_FILE);
  if (sha256Hex(json) !== found.sha256) {
    throw new KeyriteError(
      "people.share-rejected",
      `share-set.json of set ${intent.set} changed after people agreed to it`,
    );
  }
  const set = parseShareSet(json);
  const holders = holdersOf(room, intent).filter(({ person }) => found.held.includes(person));
  const sealed = await readSealed(room, set, holders);
  const entered: EnteredShare[] = [];
  try {
    await enterShares(room, set, holders, entered);
    const quorum = entered.slice(0, set.threshold);
    const secret = await combine(set, quorum, sealed, { serial: PENDING, label: token });
    room.attach("application/json", json);
    return { set, json, secret };
  } finally {
    for (const { share } of entered) share.wipe();
  }
}

/** Removes what was made of share sets that open nothing, from the site and from every medium that is here. */
export async function takeBackSets(room: Room, sets: readonly SetIntent[]): Promise<void> {
  for (const intent of sets) {
    const name = shareSetName({ set: intent.set, generation: 1 });
    for (const { person, card } of holdersOf(room, intent)) {
      try {
        const medium = await room.people.medium(person, card.name);
        medium.removeShareSet({ id: intent.set, generation: 1 });
      } catch (error) {
        if (!(error instanceof KeyriteError) || error.code !== "people.medium") throw error;
        room.console.warn(
          `The medium of ${person} may still hold a share of set ${intent.set}; it opens nothing`,
        );
      }
    }
    await room.files.removeShareSetFiles(name, [SHARE_SET_FILE, SEALED_FILE]);
  }
}
