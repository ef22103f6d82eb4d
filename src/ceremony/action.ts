/**
 * The one idea to learn: an action says what it requires and what it establishes; the engine checks
 * the first when planning and again right before acting, and records the second.
 */

import { KeyriteError } from "../lib/errors.ts";
import type { Json, JsonObject } from "../lib/json.ts";
import type { z } from "../lib/schema.ts";
import type { Secret } from "../lib/secret.ts";
import type { Opener } from "../people/signer.ts";
import type { Batch, BatchGroup } from "./batch.ts";
import type { Participant, Room } from "./capabilities.ts";
import type { Condition, Situation } from "./conditions.ts";
import type { Attending, Custody } from "./custody.ts";
import type { Fact, FactKind } from "./facts.ts";
import type { Documents } from "./inputs.ts";
import type { KeyListItem } from "./key-list.ts";

export type { Batch, BatchGroup, BatchItem, ItemOutcome } from "./batch.ts";
export type {
  Outbox,
  Participant,
  PeopleRoom,
  Room,
  SiteFiles,
  Standing,
  StepConsole,
  StepProgress,
  TokenRoom,
  VaultFile,
  VaultFolder,
  Vaults,
} from "./capabilities.ts";

/**
 * Whose agreement a step needs before it begins: nobody's (`none`: a statement, it establishes no
 * facts), the performer's, that of two or more different people, or everybody's at the roll call.
 */
export type Control = "none" | "single" | "dual" | "everyone";

/** What run time adds to the plan: shown in full, digested and agreed to. */
export interface Subject<S extends JsonObject> {
  readonly data: S;
  /** Exactly what the room reads before agreeing. */
  readonly shown: readonly string[];
  /** The roll call only: who attends, and so who has to agree. */
  readonly attending?: readonly Attending[];
  /** Somebody not yet on the roster who proves possession of their keys by agreeing too. */
  readonly candidate?: Participant;
}

/** A secret that a person brought into the step by the same opening as their agreement. */
export interface Contribution {
  readonly person: string;
  readonly secret: Secret;
}

export interface Act<S extends JsonObject> {
  readonly subject: S;
  readonly batch: Batch;
  /** What `settle` found, when the room decided to finish an interrupted step; else null. */
  readonly settled: JsonObject | null;
  /** Wiped by the engine when the step ends. */
  readonly contributions: readonly Contribution[];
}

/** Documents that the subject cites by digest; each is read once a step. */
export interface Cited {
  /** An attached key list by the SPKI digest of its items; empty when it is missing or none. */
  keyList(sha256: string): ReadonlyMap<string, KeyListItem>;
  /** SHA-256 of a profile of the plan, by its name. */
  profile(name: string): string | undefined;
  /** SHA-256 of what is signed of an attached certificate, request or CRL; undefined when it is missing. */
  signedPart(sha256: string): string | undefined;
}

/** What is wrong with a document that a step is about, and with which of its parameters. */
export interface Flaw {
  readonly param: string;
  readonly text: string;
}

/** A step that was begun and came to no good end: interrupted, or failed. */
export interface Doubt<S extends JsonObject> {
  /** The subject's data: what people agreed to. */
  readonly intent: S;
  /** The newest group of a batch without all its outcomes. */
  readonly group: BatchGroup | null;
  /** Items of the batch that are completed. */
  readonly done: ReadonlySet<string>;
}

/** What an action found where it had been interrupted, and what the room may decide. */
export interface Settlement {
  /** Exactly what the room reads before deciding. */
  readonly shown: readonly string[];
  /** Agreed to and recorded; `run` and `undo` get it back. */
  readonly data: JsonObject;
  /** `finish` runs the step on, `undo` takes back what it left; abandoning is always possible. */
  readonly choices: readonly ("finish" | "undo")[];
}

/** What an action's author writes. P parameters, S subject data, E evidence. */
export interface ActionSpec<P, S extends JsonObject, E extends JsonObject> {
  readonly name: string;
  readonly control: Control;
  /** Made when the first step needs it: a command that only lists actions pays for no schema. */
  readonly params: () => z.Schema<P>;
  /** The kinds of fact this action may establish: nothing else is believed. */
  readonly facts: readonly FactKind[];
  /** One sentence, read aloud and printed. */
  readonly instruction: (p: P) => string;
  readonly requires?: (p: P) => readonly Condition[];
  /** Evidence of the shape `run` returns, so that planning can apply the facts beforehand. */
  readonly forecast: (p: P, custody: Custody) => E;
  /**
   * Looks into the plan's documents while planning, as far as they are there already: a profile, a
   * request, the issuer's certificate. What is wrong is objected to before the day.
   */
  readonly examine?: (p: P, situation: Situation, documents: Documents) => Promise<readonly Flaw[]>;
  readonly establishes?: (p: P, evidence: E) => readonly Fact[];
  /**
   * Whether a fact is what people agreed to, judged by the parameters and the subject: the last
   * guard against a host that completes an agreed step with other facts. Absent means any fact of
   * the listed kinds.
   */
  readonly admits?: (p: P, subject: S, fact: Fact, cited: Cited) => boolean;
  /**
   * Kinds of fact without which the step has not done what people agreed to, each as often as it stands
   * here: otherwise a host could complete it and leave out what it made true. Absent means each of
   * `facts` once. Items of a batch bear them too.
   */
  readonly owes?: (p: P, subject: S) => readonly FactKind[];
  readonly subject?: (p: P, room: Room) => Promise<Subject<S>>;
  /** Called while the identity of somebody who just agreed is open. */
  readonly contribute?: (
    p: P,
    who: Participant,
    opener: Opener,
    room: Room,
  ) => Promise<Secret | undefined>;
  /** Does the work and returns what an auditor needs to check it. Never secrets. */
  readonly run: (p: P, room: Room, act: Act<S>) => Promise<E>;
  /**
   * After a crash or a failure: looks at the token and custody, changes nothing, never guesses. A step
   * whose action has none cannot be resumed.
   */
  readonly settle?: (p: P, room: Room, doubt: Doubt<S>) => Promise<Settlement>;
  /** Takes back what no record claims; items with an outcome stay. Needed where `settle` offers it. */
  readonly undo?: (p: P, room: Room, doubt: Doubt<S>, settled: JsonObject) => Promise<void>;
}

/** A step with its parameters closed over, so their types are gone. */
export interface BoundStep {
  readonly instruction: string;
  readonly requires: readonly Condition[];
  /** The facts as far as planning can foresee them. */
  forecast(custody: Custody): readonly Fact[];
  /** Whether it looks into documents while planning. */
  readonly examines: boolean;
  examine(situation: Situation, documents: Documents): Promise<readonly Flaw[]>;
  readonly contributes: boolean;
  subject(room: Room): Promise<Subject<JsonObject> | undefined>;
  contribute(who: Participant, opener: Opener, room: Room): Promise<Secret | undefined>;
  run(
    room: Room,
    act: Act<JsonObject>,
  ): Promise<{ readonly evidence: JsonObject; readonly facts: readonly Fact[] }>;
  /** Undefined for an action that cannot tell what became of it. */
  settle(room: Room, doubt: Doubt<JsonObject>): Promise<Settlement | undefined>;
  /** @throws KeyriteError internal.bug for an action without `undo` */
  undo(room: Room, doubt: Doubt<JsonObject>, settled: JsonObject): Promise<void>;
}

/** What the engine and the verifier see of an action. */
export interface Action {
  readonly name: string;
  readonly control: Control;
  readonly facts: readonly FactKind[];
  readonly params: z.Schema;
  /** Whether it can tell what became of a step that was interrupted. */
  readonly settles: boolean;
  /** Binds decoded parameters; call it only with what `params` has accepted. */
  bind(params: Json): BoundStep;
  /**
   * The judge of whether a recorded fact is what people agreed to, made once a begun step; it admits
   * nothing for parameters the action would not take.
   */
  admitting(params: Json, intent: JsonObject, cited: Cited): (fact: Fact) => boolean;
  /** Kinds of fact that the step has to bear by its end, each as often as it is named. */
  owed(params: Json, intent: JsonObject): readonly FactKind[];
}

export type Vocabulary = ReadonlyMap<string, Action>;

export function defineAction<P, S extends JsonObject, E extends JsonObject>(
  spec: ActionSpec<P, S, E>,
): Action {
  let schema: z.Schema<P> | undefined;
  const params = (): z.Schema<P> => (schema ??= spec.params());
  return {
    name: spec.name,
    control: spec.control,
    facts: spec.facts,
    settles: spec.settle !== undefined,
    get params() {
      return params();
    },
    bind: (values) => bindStep(spec, params().parse(values)),
    admitting: (values, intent, cited) => {
      const parsed = params().safeParse(values);
      if (!parsed.success) return () => false;
      const { data } = parsed;
      // The intent was shown and agreed to with this digest, so it is what `subject` returned.
      return (fact) => spec.admits?.(data, intent as S, fact, cited) ?? true;
    },
    owed: (values, intent) => {
      const parsed = params().safeParse(values);
      return (parsed.success ? spec.owes?.(parsed.data, intent as S) : undefined) ?? spec.facts;
    },
  };
}

function bindStep<P, S extends JsonObject, E extends JsonObject>(
  spec: ActionSpec<P, S, E>,
  p: P,
): BoundStep {
  return {
    instruction: spec.instruction(p),
    requires: spec.requires?.(p) ?? [],
    forecast: (custody) => spec.establishes?.(p, spec.forecast(p, custody)) ?? [],
    examines: spec.examine !== undefined,
    examine: async (situation, documents) => (await spec.examine?.(p, situation, documents)) ?? [],
    contributes: spec.contribute !== undefined,
    subject: async (room) => spec.subject?.(p, room),
    contribute: async (who, opener, room) => spec.contribute?.(p, who, opener, room),
    run: async (room, act) => {
      // The subject came out of this very closure's `subject`, so its shape is S.
      const evidence = await spec.run(p, room, act as Act<S>);
      return { evidence, facts: spec.establishes?.(p, evidence) ?? [] };
    },
    // What was interrupted was begun with this intent, so its shape is S too.
    settle: async (room, doubt) => spec.settle?.(p, room, doubt as Doubt<S>),
    async undo(room, doubt, settled) {
      if (spec.undo === undefined) {
        throw new KeyriteError("internal.bug", `${spec.name} offers an undo that it does not have`);
      }
      await spec.undo(p, room, doubt as Doubt<S>, settled);
    },
  };
}

/** The vocabulary of a hand-listed set of actions. @throws Error for one name given twice. */
export function vocabularyOf(actions: readonly Action[]): Vocabulary {
  const map = new Map<string, Action>();
  for (const action of actions) {
    if (map.has(action.name)) throw new Error(`action ${action.name} is listed twice`);
    map.set(action.name, action);
  }
  return map;
}
