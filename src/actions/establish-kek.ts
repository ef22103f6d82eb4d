/** Establishes a KEK, the key under which CA keys leave their token: its first generation. */

import { defineAction } from "../ceremony/action.ts";
import { always, tokenIsActive } from "../ceremony/conditions.ts";
import { kekIsNew, policyAllowsEscrow } from "../ceremony/conditions-copies.ts";
import { enoughOpen } from "./lib/kek-conditions.ts";
import {
  admitsKek,
  kekFacts,
  kekParams,
  owesKek,
  plannedKek,
  plannedOpeners,
  type KekIntent,
  type KekMade,
  type KekParams,
} from "./lib/kek-facts.ts";
import { kekSubject, makeKek, saidKek } from "./lib/kek-making.ts";
import { settleNewKek, undoNewKek } from "./lib/settle-keks.ts";

export const establishKek = defineAction<KekParams, KekIntent, KekMade>({
  name: "establish-kek",
  control: "dual",
  params: kekParams,
  facts: ["kek.established", "share-set.made", "kek.escrowed"],
  instruction: (p) => `Establish KEK ${p.kek} on token ${p.token}, ${saidKek(p)}.`,
  requires: (p) => [
    tokenIsActive(p.token),
    kekIsNew(p.kek),
    ...enoughOpen(p),
    p.escrow ? policyAllowsEscrow("escrow") : always("escrow", undefined),
  ],
  forecast: (p, custody) => plannedKek(p, 1, plannedOpeners(p, custody)),
  establishes: kekFacts,
  admits: admitsKek,
  owes: owesKek,
  subject: (p, room) => kekSubject(p, room, 1),
  run: (p, room, { subject }) => makeKek(p, room, subject),
  settle: settleNewKek,
  undo: undoNewKek,
});
