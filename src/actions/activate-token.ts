/**
 * Activates a token: each custodian opens their own share, the quorum rebuilds the activation key, and
 * only a PIN that was sealed for this very token and set reaches C_Login.
 */

import { defineAction } from "../ceremony/action.ts";
import { tokenHasShares, tokenIsBound, tokenIsInactive } from "../ceremony/conditions.ts";
import type { Custody, ShareSetCustody } from "../ceremony/custody.ts";
import { label } from "../ceremony/words.ts";
import { refuseLogin } from "../hsm/pin-state.ts";
import type { JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";
import { wiping } from "../lib/secret.ts";
import { combine } from "../shares/use-share-set.ts";
import { currentSet, quorumLine, quorumOf } from "./lib/quorum.ts";
import { readSealed, readShare, recordedShareSet } from "./lib/share-sets.ts";
import { refusedAsShown, tokenLines } from "./inspect-token.ts";
import { nothingIsLeft } from "./lib/settle-nothing.ts";

const params = () => z.strictObject({ token: label });
type Params = z.infer<ReturnType<typeof params>>;

interface Activation extends JsonObject {
  readonly token: string;
  readonly serial: string;
  readonly set: string;
  readonly generation: number;
  readonly people: readonly string[];
}

export const activateToken = defineAction<Params, Activation, Activation>({
  name: "activate-token",
  control: "dual",
  params,
  facts: ["token.activated"],
  instruction: (p) => `Activate token ${p.token} with the shares of its custodians.`,
  requires: (p) => [tokenIsBound(p.token), tokenHasShares(p.token), tokenIsInactive(p.token)],
  forecast: (p, custody) => ({
    token: p.token,
    serial: "planned",
    set: custody.tokens.get(p.token)?.sets.activation?.set ?? "planned",
    generation: 1,
    people: ["planned-a", "planned-b"],
  }),
  establishes: (p, { set, generation, people }) => [
    { kind: "token.activated", token: p.token, set, generation, people: [...people] },
  ],
  admits: (p, subject, fact) =>
    fact.kind === "token.activated" &&
    fact.token === p.token &&
    fact.set === subject.set &&
    fact.generation === subject.generation &&
    fact.people.join() === subject.people.join(),
  async subject(p, room) {
    const custody = activationSet(room.custody, p.token);
    const info = await room.tokens.inspect(p.token);
    refusedAsShown(room, info, refuseLogin);
    const { set, generation } = custody;
    const people = quorumOf(custody, room.people.performers);
    return {
      data: { token: p.token, serial: info.serial, set, generation, people },
      shown: [...tokenLines(info), quorumLine(custody, people)],
    };
  },
  contribute: (p, who, opener, room) =>
    readShare(room, recordedShareSet(room, activationSet(room.custody, p.token)), who, opener),
  async run(p, room, { subject, contributions }) {
    const set = recordedShareSet(room, activationSet(room.custody, p.token));
    const entered = contributions.map(({ person, secret }) => ({ person, share: secret }));
    const sealed = await readSealed(room, set, room.people.performers);
    const pin = await combine(set, entered, sealed, {
      serial: subject.serial,
      // Sealed before the token was touched, under its name here: not every token keeps a label.
      label: p.token,
    });
    await wiping([pin], () => room.tokens.activate(p.token, pin));
    room.console.tell(`Token ${p.token} is active: its keys can be used until it is deactivated.`);
    return subject;
  },
  ...nothingIsLeft("A login ends with the process that made it: the token is not active."),
});

function activationSet(custody: Custody, token: string): ShareSetCustody {
  return currentSet(custody, token, "activation");
}
