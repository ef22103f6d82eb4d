/** What the actions about KEKs require beyond the conditions that all actions share. */

import { condition, type Condition } from "../../ceremony/conditions.ts";
import { transportIsOn } from "../../ceremony/conditions-copies.ts";
import type { Custody } from "../../ceremony/custody.ts";
import { kekName, type KekCustody } from "../../ceremony/custody-copies.ts";
import { newestKek, openersOf } from "../../ceremony/copies-query.ts";
import { openingTokens, type KekParams } from "./kek-facts.ts";

/** The rule that a deviation has to name before what alone opens a backup may go. */
export const LAST_KEK = "last-kek";

export interface KekChoice {
  readonly kek: string;
  /** The newest when absent. */
  readonly generation?: number | undefined;
}

export function chosenKek(
  custody: Custody,
  { kek, generation }: KekChoice,
): KekCustody | undefined {
  if (generation === undefined) return newestKek(custody, kek);
  return custody.keks.get(kekName({ kek, generation }));
}

/** Fewer than two tokens able to open a KEK is one fire away from losing every backup under it. */
export function enoughOpen(p: KekParams): readonly Condition[] {
  if (p.escrow) {
    const text = "an escrowed KEK has no envelopes: leave out the tokens it is for";
    return [condition("for", () => p.for.length > 0 && text)];
  }
  const tokens = openingTokens(p);
  return [
    condition(
      "for",
      () =>
        tokens.length < 2 &&
        `only token ${p.token} could open KEK ${p.kek}: name at least one other token`,
    ),
    ...tokens.map((token) => transportIsOn(token, token === p.token ? "token" : "for")),
  ];
}

/** The chosen generation exists. */
export function kekIsKnown(choice: KekChoice): Condition {
  return condition(
    "kek",
    ({ custody }) =>
      chosenKek(custody, choice) === undefined && `there is no KEK ${choiceName(choice)} by then`,
  );
}

/** The KEK is this site's own: another site's gets its next generation there. */
export function kekIsOurs(kek: string): Condition {
  return condition("kek", ({ custody }) => {
    const { origin = custody.origin } = newestKek(custody, kek) ?? {};
    return origin !== custody.origin && `KEK ${kek} is of ${origin}: establish one of this site`;
  });
}

/** The chosen generation is on the token, or is not. */
export function kekIs(where: "on" | "not-on", token: string, choice: KekChoice): Condition {
  return condition("token", ({ custody }) => {
    const kek = chosenKek(custody, choice);
    if (kek === undefined) return undefined;
    const there = kek.tokens.has(token);
    if (there === (where === "on")) return undefined;
    return `KEK ${kekName(kek)} is ${there ? "already" : "not"} on token ${token} by then`;
  });
}

/** There is an envelope that the token opens, or shares that open the KEK anywhere. */
export function tokenOpens(token: string, choice: KekChoice, param = "token"): Condition {
  return condition(param, ({ custody }) => {
    const kek = chosenKek(custody, choice);
    if (kek?.escrow !== null) return undefined;
    const transport = custody.transports.get(token);
    if (transport === undefined) return `token ${token} has no transport key by then`;
    const sealed = [...kek.envelopes.values()].some(({ spki }) => spki === transport.spki);
    return (
      !sealed &&
      `there is no envelope of KEK ${kekName(kek)} for the transport key of token ${token}; send-kek makes one`
    );
  });
}

/** The receiver of a KEK has a transport key in custody, or is a token of another site. */
export function receiverIsKnown(token: string, ofPeer: boolean): Condition {
  if (!ofPeer) return transportIsOn(token, "to");
  // One name for two tokens: which of them an envelope is for, nobody could tell.
  return condition(
    "to",
    ({ custody }) =>
      custody.tokens.has(token) &&
      `token ${token} is one of this site: name the other site's token differently`,
  );
}

/** No envelope of that name yet: an envelope is never replaced. */
export function notSentYet(token: string, choice: KekChoice): Condition {
  return condition("to", ({ custody }) => {
    const kek = chosenKek(custody, choice);
    if (kek === undefined) return undefined;
    if (kek.escrow !== null) return `KEK ${kekName(kek)} is escrowed: its shares open it anywhere`;
    return kek.envelopes.has(token) && `KEK ${kekName(kek)} is sealed to token ${token} already`;
  });
}

/** Nothing that counts becomes unreadable when the KEK leaves this token. */
export function othersOpen(token: string, choice: KekChoice): Condition {
  return condition("token", ({ custody }) => {
    const kek = chosenKek(custody, choice);
    if (kek?.escrow !== null || custody.waived.has(LAST_KEK)) return undefined;
    if (openersOf(custody, kek).some((opener) => opener !== token)) return undefined;
    const backup = [...custody.backups.values()].find(
      (one) => kekName(one) === kekName(kek) && isNeeded(custody, one.backup),
    );
    return (
      backup !== undefined &&
      `token ${token} is the last that opens KEK ${kekName(kek)}, and backup ${backup.backup} is wrapped under it: send it to another token, or record the deviation ${LAST_KEK} first`
    );
  });
}

// A backup counts while it is the copy of a key that is still in use; one under way counts too.
function isNeeded(custody: Custody, backup: string): boolean {
  return [...custody.copies.values()].some((key) => key.backups.has(backup) && !key.destroyed);
}

export function choiceName({ kek, generation }: KekChoice): string {
  return generation === undefined ? kek : kekName({ kek, generation });
}
