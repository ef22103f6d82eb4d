/**
 * Keys brought onto a token for good: intents before each group, every attribute compared, one entry a
 * key. The first key that does not come back stops the rest; what is in doubt then is destroyed again.
 */

import type { Act, ItemOutcome, Room } from "../../ceremony/action.ts";
import { Ended } from "./ended.ts";
import type { Fact } from "../../ceremony/facts.ts";
import type { AttributeTemplate } from "../../backups/manifest.ts";
import type { KekName, KeyName, UnwrapItem, Unwrapped, UnwrapOutcome } from "../../hsm/backup.ts";
import type { Session } from "../../hsm/token.ts";
import { sha256Hex } from "../../lib/encoding.ts";
import { KeyriteError, messageOf, type ErrorCode } from "../../lib/errors.ts";
import type { Json, JsonObject } from "../../lib/json.ts";
import { countedProgress } from "./counted-progress.ts";

/** Sessions side by side: slow tokens answer several faster than one. */
const LANES = 8;
/** For fewer keys opening them costs more than they save. */
const WORTH_LANES = 100;

export interface Onto {
  readonly token: string;
  readonly kek: KekName;
  readonly items: readonly UnwrapItem[];
  /** What a key must read back as, by the SHA-256 of its public key. */
  readonly template: (spki: string) => AttributeTemplate;
  readonly fact: (item: UnwrapItem, spki: string) => Fact;
  readonly verb: string;
  /** Sessions side by side; as many as are worth it when absent. */
  readonly lanes?: number;
}

/**
 * Unwraps all items that have no outcome yet.
 * @returns what the token does not enforce, one sentence each
 * @throws KeyriteError hsm.*, naming the first key that did not come back and how many did
 */
export async function unwrapOnto(
  room: Room,
  act: Act<JsonObject>,
  onto: Onto,
): Promise<readonly string[]> {
  const session = room.tokens.session(onto.token);
  const undone = onto.items.filter(({ spki }) => !act.batch.done.has(sha256Hex(spki)));
  const bySpki = new Map(undone.map((item) => [sha256Hex(item.spki), item]));
  const waivers = new Set<string>();
  const progress = countedProgress(room, `${onto.verb} ${onto.token}`, onto.items.length);
  const doubt = new Map<string, UnwrapItem>();
  const ended = new Ended(act);
  try {
    progress.done(onto.items.length - undone.length);
    const groups = session.unwrapAll(onto.kek, undone, {
      as: "token",
      lanes: onto.lanes ?? (undone.length < WORTH_LANES ? 1 : LANES),
      before: (group) => {
        ended.recordWith(group.map((one) => ({ item: sha256Hex(one.spki), ckaId: one.ckaId })));
        for (const one of group) doubt.set(sha256Hex(one.spki), one);
      },
    });
    for await (const group of groups) {
      const outcomes = await judge(session, onto, group, bySpki);
      ended.add(outcomes);
      for (const { item } of outcomes) doubt.delete(item);
      requireAll(onto, outcomes);
      for (const one of group) if (one.status === "ok") one.waivers.forEach((w) => waivers.add(w));
      progress.done(group.length);
    }
    ended.record();
  } catch (error) {
    ended.record();
    throw await cleared(session, act, [...doubt.values()], error);
  } finally {
    progress.end();
  }
  return [...waivers];
}

/**
 * Outcomes of a group; a key whose attributes are not those stated is destroyed again.
 * @throws KeyriteError hsm.bad-output for one of which something stays: it has no outcome, so it is in doubt
 */
async function judge(
  session: Session,
  onto: Onto,
  group: readonly UnwrapOutcome[],
  bySpki: ReadonlyMap<string, UnwrapItem>,
): Promise<readonly ItemOutcome[]> {
  const outcomes: ItemOutcome[] = [];
  for (const one of group) {
    const item = bySpki.get(one.spkiSha256);
    if (item === undefined) throw new Error("a key came back that nobody asked for");
    if (one.status === "ok") {
      outcomes.push(await kept(session, onto, item, one));
      continue;
    }
    const { problem, remains } = one;
    if (remains !== undefined) throw notBack(onto, "hsm.bad-output", `${problem}; ${remains}`);
    outcomes.push({ item: one.spkiSha256, code: "hsm.bad-output", problem });
  }
  return outcomes;
}

async function kept(
  session: Session,
  onto: Onto,
  item: UnwrapItem,
  one: Unwrapped,
): Promise<ItemOutcome> {
  const template = onto.template(one.spkiSha256);
  const differing = [
    ...differences("private", template.private, one.privateAttributes),
    ...differences("public", template.public, one.publicAttributes),
  ];
  // A profile names what its module gets wrong; anything else is a token that lies.
  if (differing.length > 0 && one.waivers.length === 0) {
    await session.destroyKeys([{ ckaId: item.ckaId, spki: undefined }]);
    return {
      item: one.spkiSha256,
      code: "hsm.attribute-differs",
      problem: `${item.label} came back with other attributes than backup.json states: ${differing.join(", ")}`,
    };
  }
  return {
    item: one.spkiSha256,
    evidence: {
      ckaId: item.ckaId,
      blob: sha256Hex(item.blob),
      compared: Object.keys(template.private).length + Object.keys(template.public).length,
      differing,
      publicObject: "rebuilt",
      challenge: "verified",
      waivers: [...one.waivers],
    },
    facts: [onto.fact(item, one.spkiSha256)],
  };
}

function differences(
  half: string,
  stated: Readonly<Record<string, Json>>,
  read: Readonly<Record<string, Json>>,
): readonly string[] {
  return Object.entries(stated).flatMap(([name, value]) =>
    read[name] === value ? [] : [`${name} of the ${half} half`],
  );
}

function requireAll(onto: Onto, outcomes: readonly ItemOutcome[]): void {
  const bad = outcomes.find((one) => "problem" in one);
  if (bad !== undefined) throw notBack(onto, bad.code, bad.problem);
}

function notBack({ token }: Onto, code: ErrorCode, problem: string): KeyriteError {
  return new KeyriteError(code, `not every key came back on token ${token}: ${problem}`, {
    hints: [
      "the keys that did are proved, on record, and stay; keyrite status lists them",
      "look at the token and the backup before the others are tried again",
    ],
  });
}

/**
 * A token that failed in the middle: what is there of the groups under way is destroyed, so that nothing
 * unrecorded stays behind. Where that fails too, the message says what to look for.
 */
async function cleared(
  session: Session,
  act: Act<JsonObject>,
  doubt: readonly UnwrapItem[],
  error: unknown,
): Promise<unknown> {
  if (doubt.length === 0 || !(error instanceof KeyriteError) || !error.code.startsWith("hsm.")) {
    return error;
  }
  const { code, message } = error;
  try {
    await destroyPresent(session, doubt);
  } catch (cause) {
    return new KeyriteError(
      code,
      `${message}; ${doubt.length} keys are in doubt, the first with CKA_ID ${doubt[0]?.ckaId ?? ""}`,
      { hints: [...error.hints, `they could not be removed: ${messageOf(cause)}`], cause: error },
    );
  }
  act.batch.record(
    doubt.map(({ spki }) => ({
      item: sha256Hex(spki),
      code,
      problem: `${message}; removed again`,
    })),
  );
  return new KeyriteError(
    code,
    `${message}; the ${doubt.length} keys under way were removed again`,
    { hints: error.hints, cause: error },
  );
}

/**
 * Destroys whatever of these keys is on the token, found by one listing.
 * @returns how many of them had an object there
 */
export async function destroyPresent(
  session: Session,
  keys: readonly Pick<KeyName, "ckaId">[],
): Promise<number> {
  const there = new Set((await session.inventory()).map(({ ckaId }) => ckaId));
  const present = keys.filter(({ ckaId }) => there.has(ckaId));
  if (present.length === 0) return 0;
  await session.destroyKeys(present.map(({ ckaId }) => ({ ckaId, spki: undefined })));
  return present.length;
}
