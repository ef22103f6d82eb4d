/** People, an action and a step as plain data, for what their agreements are worth. */

import type { Action } from "../../src/ceremony/action.ts";
import type { Attending, Custody } from "../../src/ceremony/custody.ts";
import type { BegunStep, OpenedStep } from "../../src/ceremony/step-authority.ts";
import { StepItems } from "../../src/ceremony/step-items.ts";
import type { Role } from "../../src/ceremony/words.ts";
import { plainStep } from "./plain-entry.ts";

const ROLES: Readonly<Record<string, Role>> = {
  ana: "ceremony-administrator",
  ben: "custodian",
  cleo: "custodian",
  eve: "internal-witness",
  olga: "auditor",
  xan: "external-witness",
};
export const as = (...people: readonly string[]): readonly Attending[] =>
  people.map((person) => ({ person, role: ROLES[person] ?? "recorder" }));
export const ALL = as(...Object.keys(ROLES));
export const CUSTODY = {
  people: new Map(ALL.map(({ person, role }) => [person, { person, roles: [role] }])),
  attending: ALL,
  requiredDates: [],
  former: new Map(),
} as unknown as Custody;

/** The step `make`, opened and not begun. */
export const STEP = plainStep(4, "make", "generate-key");

export function opened(changes: Partial<OpenedStep> = {}): OpenedStep {
  return {
    ...{ seq: 7, size: 8, root: "00", nonce: "aa", step: STEP, purpose: "step" },
    ...{ subject: null, shown: ["a line"], begun: null, ...changes },
  };
}

export const begunBy = (
  agreed: readonly Attending[],
  changes: Partial<BegunStep> = {},
): BegunStep => ({
  ...{ seq: 9, decision: "agree", items: new StepItems(), admits: null, intent: {} },
  ...{ candidate: null, agreed, ...changes },
});

export function action(changes: Partial<Action> = {}): Action {
  return {
    ...{ name: "act", control: "dual", facts: ["key.locked"], settles: true },
    ...({ admitting: () => () => true } as object),
    ...changes,
  } as Action;
}
