/**
 * Rotates a KEK: makes its next generation. Backups under earlier generations stay openable until those
 * are destroyed; new backups are wrapped under the newest alone.
 */

import { defineAction } from "../ceremony/action.ts";
import { always, tokenIsActive } from "../ceremony/conditions.ts";
import { kekExists, policyAllowsEscrow } from "../ceremony/conditions-copies.ts";
import { newestKek } from "../ceremony/copies-query.ts";
import type { Custody } from "../ceremony/custody.ts";
import { enoughOpen, kekIsOurs } from "./lib/kek-conditions.ts";
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

export const rotateKek = defineAction<KekParams, KekIntent, KekMade>({
  name: "rotate-kek",
  control: "dual",
  params: kekParams,
  facts: ["kek.established", "share-set.made", "kek.escrowed"],
  instruction: (p) =>
    `Make the next generation of KEK ${p.kek} on token ${p.token}, ${saidKek(p)}.`,
  requires: (p) => [
    tokenIsActive(p.token),
    kekExists(p.kek),
    kekIsOurs(p.kek),
    ...enoughOpen(p),
    p.escrow ? policyAllowsEscrow("escrow") : always("escrow", undefined),
  ],
  forecast: (p, custody) => plannedKek(p, next(custody, p.kek), plannedOpeners(p, custody)),
  establishes: kekFacts,
  admits: admitsKek,
  owes: owesKek,
  subject: (p, room) => kekSubject(p, room, next(room.custody, p.kek)),
  run: (p, room, { subject }) => makeKek(p, room, subject),
  settle: settleNewKek,
  undo: undoNewKek,
});

function next(custody: Custody, kek: string): number {
  return (newestKek(custody, kek)?.generation ?? 0) + 1;
}
