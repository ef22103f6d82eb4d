/**
 * Retires a token: its security officers rebuild their PIN, C_InitToken destroys everything on it, and a
 * new officer's PIN is made that nobody keeps. Its name is free for another device afterwards.
 */

import { defineAction, type Room, type Settlement } from "../ceremony/action.ts";
import { tokenIsBound, tokenIsInactive } from "../ceremony/conditions.ts";
import { kekName } from "../ceremony/custody-copies.ts";
import { label, line } from "../ceremony/words.ts";
import { EVERYONE } from "../console/console.ts";
import { visible } from "../lib/encoding.ts";
import { refuseLockedOfficer } from "../hsm/pin-state.ts";
import { KeyriteError } from "../lib/errors.ts";
import type { JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";
import { wiping } from "../lib/secret.ts";
import { combine } from "../shares/use-share-set.ts";
import { refusedAsShown, tokenLines } from "./inspect-token.ts";
import {
  ALL_CA_KEYS,
  copiesOnToken,
  lossesWithout,
  nothingIsLostWith,
  openersOf,
} from "./lib/copies.ts";
import { attachKeys } from "./lib/key-lists.ts";
import { currentSet, quorumLine, quorumOf, tokenHasSet } from "./lib/quorum.ts";
import { readSealed, readShare, recordedShareSet } from "./lib/share-sets.ts";

const params = () => z.strictObject({ token: label, reason: line.optional() });
type Params = z.infer<ReturnType<typeof params>>;

interface Intent extends JsonObject {
  readonly token: string;
  readonly serial: string;
  readonly reason: string;
  readonly set: string;
  readonly generation: number;
  readonly people: readonly string[];
  /** What goes with the token: an attached list of keys, and the KEKs it could open. */
  readonly keyList: string;
  readonly keks: readonly string[];
}

interface Retired extends Intent {
  /** As the token answered afterwards. */
  readonly labelNow: string;
  readonly serialNow: string;
  readonly waivers: readonly string[];
}

export const retireToken = defineAction<Params, Intent, Retired>({
  name: "retire-token",
  control: "dual",
  params,
  facts: ["token.retired"],
  instruction: (p) => `Retire token ${p.token}: its security officers wipe it for good.`,
  requires: (p) => [
    tokenIsBound(p.token),
    tokenHasSet(p.token, "security-officer"),
    tokenIsInactive(p.token),
    nothingIsLostWith(p.token),
  ],
  forecast: (p) => ({
    token: p.token,
    serial: "planned",
    reason: p.reason ?? "planned",
    set: "planned",
    generation: 1,
    people: ["planned-a", "planned-b"],
    keyList: "",
    keks: [],
    labelNow: "planned",
    serialNow: "planned",
    waivers: [],
  }),
  establishes: (_, { token, serial, reason }) => [{ kind: "token.retired", token, serial, reason }],
  admits: (p, subject, fact) =>
    fact.kind === "token.retired" &&
    fact.token === p.token &&
    fact.serial === subject.serial &&
    fact.reason === subject.reason,
  async subject(p, room) {
    const custody = currentSet(room.custody, p.token, "security-officer");
    const info = await room.tokens.inspect(p.token);
    refusedAsShown(room, info, refuseLockedOfficer);
    const { set, generation } = custody;
    const people = quorumOf(custody, room.people.performers);
    const [first] = room.people.performers;
    const reason =
      p.reason ??
      (await room.console.ask({
        id: "reason",
        to: first === undefined ? EVERYONE : { person: first.person, name: first.card.name },
        text: `why is token ${p.token} retired, and who approved it`,
        check: (answer) =>
          line.safeParse(answer).success ? undefined : "one line of text, please",
      }));
    const { keyList, shown } = attachKeys(room, copiesOnToken(room.custody, p.token, ALL_CA_KEYS));
    const keks = [...room.custody.keks.values()]
      .filter((kek) => openersOf(room.custody, kek).includes(p.token))
      .map(kekName);
    const data = { token: p.token, serial: info.serial, reason, set, generation, people };
    return {
      data: { ...data, keyList, keks },
      shown: [
        ...tokenLines(info),
        `EVERYTHING ON THIS TOKEN WILL BE DESTROYED: ${visible(reason)}`,
        "Copies of keys that go with it:",
        ...shown,
        `KEKs that it will not open any more: ${keks.join(", ") || "none"}.`,
        ...lossesWithout(room.custody, p.token).map((loss) => `THE TOKEN IS ${loss}.`),
        quorumLine(custody, people),
      ],
    };
  },
  contribute: (p, who, opener, room) => {
    const set = currentSet(room.custody, p.token, "security-officer");
    return readShare(room, recordedShareSet(room, set), who, opener);
  },
  async run(p, room, { subject, contributions, settled }) {
    if (settled !== null) {
      const unknown = { labelNow: "unknown", serialNow: "unknown" };
      return { ...subject, ...unknown, waivers: [INTERRUPTED] };
    }
    const set = recordedShareSet(room, currentSet(room.custody, p.token, "security-officer"));
    const entered = contributions.map(({ person, secret }) => ({ person, share: secret }));
    const sealed = await readSealed(room, set, room.people.performers);
    const soPin = await combine(set, entered, sealed, {
      serial: subject.serial,
      label: p.token,
    });
    const { info, waivers } = await wiping([soPin], () => room.tokens.wipe(p.token, soPin));
    for (const waiver of waivers) room.console.warn(waiver);
    room.console.tell(`Token ${p.token} is wiped: no object is left on it and no PIN opens it.`);
    return { ...subject, labelNow: info.label, serialNow: info.serial, waivers: [...waivers] };
  },
  settle: (p, room, { intent }) => settleWipe(p, room, intent),
  // Offered only for a token that was not touched.
  undo: () => Promise.resolve(),
});

const INTERRUPTED =
  "the wipe was interrupted: the officer's old PIN may still be set on the empty token";

// C_InitToken is done by the token in one go: it answers as what it was, or not any more.
// Another device under the same label says nothing of the one that was to be wiped (H03).
async function settleWipe({ token }: Params, room: Room, intent: Intent): Promise<Settlement> {
  const gone = await room.tokens.inspect(token).then(
    () => undefined,
    (error: unknown) => {
      const wiped = ["hsm.wrong-token", "hsm.not-initialized"];
      if (!(error instanceof KeyriteError) || !wiped.includes(error.code)) throw error;
      if (!error.message.startsWith(`token ${intent.serial} `)) throw error;
      return error.message;
    },
  );
  if (gone === undefined) {
    return {
      shown: [
        `Token ${token} answers as before: it was not wiped, and nothing is to be taken back.`,
      ],
      data: { wiped: false },
      choices: ["undo"],
    };
  }
  return {
    shown: [`Token ${token} is wiped: ${visible(gone)}.`, `${INTERRUPTED}.`],
    data: { wiped: true },
    choices: ["finish"],
  };
}
