/**
 * Destroys copies of keys on one token, or a key with all its copies. The exact list is agreed to; absence
 * is verified, and a key counts as destroyed only when every copy in custody is destroyed or retained
 * with a reason.
 */

import { defineAction, type Cited } from "../ceremony/action.ts";
import { always, condition, tokenIsActive, type Condition } from "../ceremony/conditions.ts";
import type { Custody } from "../ceremony/custody.ts";
import type { Fact, FactOf } from "../ceremony/facts.ts";
import { label, line } from "../ceremony/words.ts";
import { digestOf } from "../lib/encoding.ts";
import type { JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";
import { copiesAreOn, copiesOnToken, notTheLastCopies, type KeyChoice } from "./lib/copies.ts";
import {
  destroyEverywhere,
  factOf,
  keysLabelled,
  notOneKey,
  planEverywhere,
  type Everywhere,
} from "./lib/destroy-everywhere.ts";
import { keyChoice, saidKeys } from "./lib/key-lists.ts";
import {
  destroyedFact,
  destroyOnToken,
  planOnToken,
  type OnToken,
} from "./lib/destroy-on-token.ts";
import { settleDestruction } from "./lib/settle-destruction.ts";

const retained = z.strictObject({ place: z.enum(["token", "backup"]), name: label, reason: line });
const params = () =>
  z.strictObject({
    /** Copies on one token: its name, and which keys. */
    token: label.optional(),
    keys: keyChoice().optional(),
    /** A key with all its copies. */
    key: label.optional(),
    everywhere: z.boolean().optional(),
    retain: z.array(retained).optional(),
    reason: line.optional(),
  });
type Params = z.infer<ReturnType<typeof params>>;

type Doom =
  | { readonly kind: "on-token"; readonly token: string; readonly keys: KeyChoice }
  | { readonly kind: "everywhere"; readonly key: string }
  | { readonly kind: "unclear"; readonly param: string; readonly problem: string };

/** What the parameters ask for. */
function doomOf({ token, keys, key, everywhere, retain, reason }: Params): Doom {
  const unclear = (param: string, problem: string): Doom => ({ kind: "unclear", param, problem });
  if (key === undefined) {
    if (token === undefined)
      return unclear("key", "name a token and its keys, or a key everywhere");
    if (keys === undefined) return unclear("keys", "name the keys whose copies go");
    if (everywhere !== undefined) return unclear("everywhere", "everywhere needs a key");
    if (retain !== undefined)
      return unclear("retain", "copies are retained only of a key everywhere");
    if (reason !== undefined) return unclear("reason", "a reason is given for a key everywhere");
    return { kind: "on-token", token, keys };
  }
  if (token !== undefined || keys !== undefined) {
    return unclear("key", "give either a token and its keys, or a key everywhere, not both");
  }
  if (everywhere !== true) return unclear("everywhere", "a key is destroyed with everywhere: true");
  return { kind: "everywhere", key };
}

interface Intent extends JsonObject {
  readonly onToken: OnToken | null;
  readonly everywhere: Everywhere | null;
}

interface Destroyed extends JsonObject {
  readonly copies: number;
  readonly objects: number;
  readonly retained: readonly string[];
  /** What the step's own completion establishes; each copy has an entry of its own before it. */
  readonly concluded: readonly (FactOf<"key.destroyed"> | FactOf<"copy.destroyed">)[];
}

export const destroyKey = defineAction<Params, Intent, Destroyed>({
  name: "destroy-key",
  control: "dual",
  params,
  facts: ["copy.destroyed", "copy.retained", "key.destroyed"],
  instruction: (p) => instruction(doomOf(p)),
  requires: (p) => conditions(p, doomOf(p)),
  forecast: (p, custody) => forecast(p, custody),
  establishes: (_, { concluded }): readonly Fact[] => concluded,
  admits: (_, intent, fact, cited) => admits(intent, fact, cited),
  // That every copy is gone or retained by then, custody demands of the key's own end.
  // Of a drill whose restore had failed there is nothing on the token to destroy.
  owes: (_, { onToken }) =>
    onToken === null ? ["key.destroyed"] : onToken.count === 0 ? [] : ["copy.destroyed"],
  async subject(p, room) {
    const doom = doomOf(p);
    if (doom.kind === "on-token") {
      const { data, shown } = planOnToken(room, doom.token, doom.keys);
      return { data: { onToken: data, everywhere: null }, shown };
    }
    const key = doom.kind === "everywhere" ? doom.key : "";
    const { data, shown } = await planEverywhere(room, { key, reason: p.reason }, p.retain ?? []);
    return { data: { onToken: null, everywhere: data }, shown };
  },
  async run(_, room, act) {
    const { onToken, everywhere } = act.subject;
    if (onToken !== null) {
      const done = await destroyOnToken(room, onToken, act);
      room.console.tell(`Token ${onToken.token} was listed again: the copies are gone.`);
      return { ...done, retained: [], concluded: [] };
    }
    if (everywhere === null) throw new Error("nothing was agreed to be destroyed");
    const { spki, reason, copies, key } = everywhere;
    const left = (await destroyEverywhere(room, everywhere, act)).map(({ name }) => name);
    room.console.tell(
      left.length === 0
        ? `Key ${key} is destroyed: no copy in custody is left.`
        : `Key ${key} is destroyed but for what is retained: ${left.join(", ")}.`,
    );
    const concluded = [{ kind: "key.destroyed", spki, reason } as const];
    return { copies: copies.length - left.length, objects: 0, retained: left, concluded };
  },
  settle: (_, room, { intent, group, done }) => settleDestruction(room, intent, group, done),
});

function instruction(doom: Doom): string {
  switch (doom.kind) {
    case "on-token":
      return `Destroy the copies of ${saidKeys(doom.keys)} on token ${doom.token}.`;
    case "everywhere":
      return `Destroy key ${doom.key} with all its copies.`;
    case "unclear":
      return "Destroy copies on one token, or a key with all its copies.";
  }
}

function conditions(p: Params, doom: Doom): readonly Condition[] {
  switch (doom.kind) {
    case "on-token":
      return [
        tokenIsActive(doom.token),
        copiesAreOn(doom.token, doom.keys),
        notTheLastCopies(doom.token, doom.keys),
      ];
    case "everywhere":
      return [
        condition("key", ({ custody }) => notOneKey(custody, doom.key)),
        condition("retain", ({ custody }) => notRetainable(custody, doom.key, p)),
      ];
    case "unclear":
      return [always(doom.param, doom.problem)];
  }
}

function notRetainable(custody: Custody, key: string, { retain = [] }: Params): string | undefined {
  const [spki = ""] = keysLabelled(custody, key);
  const copies = custody.copies.get(spki);
  const stray = retain.find(
    ({ place, name }) => (place === "token" ? copies?.tokens : copies?.backups)?.has(name) !== true,
  );
  return stray && `${stray.place} ${stray.name} holds no copy of key ${key}`;
}

// Planning takes for granted that everything can be reached: what follows in the script is then judged
// by the custody that is wanted.
function forecast(p: Params, custody: Custody): Destroyed {
  const doom = doomOf(p);
  const none = { copies: 0, objects: 0, retained: [] };
  if (doom.kind === "on-token") {
    const items = copiesOnToken(custody, doom.token, doom.keys);
    return {
      ...none,
      concluded: items.map(({ spki }) => destroyedFact(spki, "token", doom.token)),
    };
  }
  const [spki] = doom.kind === "everywhere" ? keysLabelled(custody, doom.key) : [];
  const key = spki === undefined ? undefined : custody.copies.get(spki);
  if (spki === undefined || key === undefined) return { ...none, concluded: [] };
  const gone = [
    ...[...key.tokens.keys()].map((name) => destroyedFact(spki, "token", name)),
    ...[...key.backups.keys()].map((name) => destroyedFact(spki, "backup", name)),
  ];
  return { ...none, concluded: [...gone, { kind: "key.destroyed", spki, reason: "planned" }] };
}

// The last guard against a host that writes of other copies than those that people agreed to.
function admits({ onToken, everywhere }: Intent, fact: Fact, cited: Cited): boolean {
  if (onToken !== null) {
    return (
      fact.kind === "copy.destroyed" &&
      fact.place === "token" &&
      fact.name === onToken.token &&
      cited.keyList(onToken.keyList).has(fact.spki)
    );
  }
  if (everywhere === null) return false;
  const { spki, reason, copies } = everywhere;
  if (fact.kind === "key.destroyed") return fact.spki === spki && fact.reason === reason;
  return copies.some((copy) => digestOf({ ...fact }) === digestOf({ ...factOf(spki, copy) }));
}
