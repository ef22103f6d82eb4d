/**
 * The one idea to learn: an action says what it requires and what it establishes; the engine checks
 * the first when planning and again right before acting, and records the second.
 */

import type { ChoiceQuestion, OperatorConsole, TextQuestion } from "../console/console.ts";
import type { Session, TokenInfo } from "../hsm/token.ts";
import type { Clock, Random } from "../lib/clock.ts";
import type { Json, JsonObject } from "../lib/json.ts";
import type { z } from "../lib/schema.ts";
import type { Secret } from "../lib/secret.ts";
import type { Card } from "../people/card.ts";
import type { Opener } from "../people/signer.ts";
import type { Medium } from "../people/medium.ts";
import type { Condition } from "./conditions.ts";
import type { Attending, Custody } from "./custody.ts";
import type { Fact, FactKind } from "./facts.ts";
import type { Assurance } from "./genesis.ts";
import type { Policy } from "./policy.ts";
import type { CANDIDATE_ROLE, Role } from "./words.ts";

/**
 * Whose agreement a step needs before it begins: nobody's (`none`: a statement, it establishes no
 * facts), the performer's, that of two or more different people, or everybody's at the roll call.
 */
export type Control = "none" | "single" | "dual" | "everyone";

/** A person of the roll call who takes part in a step. */
export interface Participant extends Omit<Attending, "role"> {
  readonly role: Role | typeof CANDIDATE_ROLE;
  readonly card: Card;
}

/** The console with the step filled in. */
export interface StepConsole extends Pick<OperatorConsole, "tell" | "warn" | "progress"> {
  ask(question: Omit<TextQuestion, "step">): Promise<string>;
  choose(question: Omit<ChoiceQuestion, "step">): Promise<string>;
}

/** Tokens by the names scripts use; bindings, digests, serials and the policy's list are applied here. */
export interface TokenRoom {
  /** Looks at a token, without login. @throws KeyriteError hsm.* */
  inspect(token: string): Promise<TokenInfo>;
  /** Initialises the blank token bound to this name. */
  initialize(token: string, label: string, soPin: Secret, userPin: Secret): Promise<TokenInfo>;
  activate(token: string, pin: Secret): Promise<void>;
  /** @throws KeyriteError hsm.call-failed when the token is not active. */
  session(token: string): Session;
  deactivate(token: string): Promise<void>;
  logins(): number;
}

export interface PeopleRoom {
  /** Everybody at the roll call, in roll order. */
  readonly attending: readonly Participant[];
  /** The people this step's `by` calls for, in its order; empty in the roll call itself. */
  readonly performers: readonly Participant[];
  /** A person's medium. @throws KeyriteError people.medium */
  medium(person: string, name: string): Promise<Medium>;
  /**
   * Opens a person's identity for the rest of the step, asking for the passphrase unless it is
   * already open; wrong passphrases are recorded and asked again.
   * @throws KeyriteError people.authentication-failed, people.same-person, people.medium
   */
  open(participant: Participant): Promise<Opener>;
}

/** What the engine knows about heads and bindings, for the roll call to show. */
export interface Standing {
  /** SHA-256 of today's site.yaml. */
  readonly bindings: string;
  /** Lines that differ from the site.yaml last agreed to; empty when nothing changed. */
  readonly bindingsChange: readonly string[];
  /** The uncosigned tail, if any: sequence numbers from (inclusive) and to (exclusive). */
  readonly tail: { readonly from: number; readonly to: number } | null;
  /** Least number of people per role in this script. */
  readonly roles: Readonly<Partial<Record<Role, number>>>;
  /** Proves that the ledger extends a head from a medium. @throws KeyriteError ledger.* */
  checkHead(note: string, holder: string): { readonly size: number; readonly root: string };
}

export interface Outbox {
  /** Writes a file of this ceremony once, synced. @throws KeyriteError site.file-exists */
  writeOnce(file: string, bytes: Uint8Array): Promise<string>;
}

export interface SiteFiles {
  /** Reads a file of the site folder by its plain name, at most 1 MiB. */
  read(name: string): Promise<Uint8Array>;
  /** Replaces the policy copy for people after a change was agreed. */
  replacePolicy(bytes: Uint8Array): Promise<void>;
  /** Writes a public or sealed file of a share set into the site once. */
  writeShareSetFile(set: string, name: string, bytes: Uint8Array): Promise<void>;
  readShareSetFile(set: string, name: string): Promise<Uint8Array>;
}

/** Everything in the ceremony room that an action may touch. */
export interface Room {
  readonly step: string;
  readonly ceremony: string;
  readonly origin: string;
  readonly assurance: Assurance;
  readonly console: StepConsole;
  readonly tokens: TokenRoom;
  readonly people: PeopleRoom;
  readonly custody: Custody;
  readonly policy: Policy;
  readonly standing: Standing;
  readonly outbox: Outbox;
  readonly files: SiteFiles;
  readonly clock: Clock;
  readonly random: Random;
  /** Adds public material to the step: with its intent from `subject`, else with its outcome. Returns the SHA-256. */
  attach(mediaType: string, bytes: Uint8Array): string;
  /** An attachment of the ledger. */
  attachment(sha256: string): Uint8Array | undefined;
}

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
  /** Wiped by the engine when the step ends. */
  readonly contributions: readonly Contribution[];
}

/** What an action's author writes. P parameters, S subject data, E evidence. */
export interface ActionSpec<P, S extends JsonObject, E extends JsonObject> {
  readonly name: string;
  readonly control: Control;
  /** Made when the first step needs it: a command that only lists actions pays for no schema. */
  readonly params: () => z.ZodType<P>;
  /** The kinds of fact this action may establish: nothing else is believed. */
  readonly facts: readonly FactKind[];
  /** One sentence, read aloud and printed. */
  readonly instruction: (p: P) => string;
  readonly requires?: (p: P) => readonly Condition[];
  /** Evidence of the shape `run` returns, so that planning can apply the facts beforehand. */
  readonly forecast: (p: P, custody: Custody) => E;
  readonly establishes?: (p: P, evidence: E) => readonly Fact[];
  /**
   * Whether a fact is what people agreed to, judged by the parameters and the subject: the last
   * guard against a host that completes an agreed step with other facts. Absent means any fact of
   * the listed kinds.
   */
  readonly admits?: (p: P, subject: S, fact: Fact) => boolean;
  readonly subject?: (p: P, room: Room) => Promise<Subject<S>>;
  /** Called while the identity of somebody who just agreed is open. */
  readonly contribute?: (p: P, who: Participant, opener: Opener, room: Room) => Promise<Secret>;
  /** Does the work and returns what an auditor needs to check it. Never secrets. */
  readonly run: (p: P, room: Room, act: Act<S>) => Promise<E>;
}

/** A step with its parameters closed over, so their types are gone. */
export interface BoundStep {
  readonly instruction: string;
  readonly requires: readonly Condition[];
  /** The facts as far as planning can foresee them. */
  forecast(custody: Custody): readonly Fact[];
  readonly contributes: boolean;
  subject(room: Room): Promise<Subject<JsonObject> | undefined>;
  contribute(who: Participant, opener: Opener, room: Room): Promise<Secret | undefined>;
  run(
    room: Room,
    act: Act<JsonObject>,
  ): Promise<{ readonly evidence: JsonObject; readonly facts: readonly Fact[] }>;
}

/** What the engine and the verifier see of an action. */
export interface Action {
  readonly name: string;
  readonly control: Control;
  readonly facts: readonly FactKind[];
  readonly params: z.ZodType;
  /** Binds decoded parameters; call it only with what `params` has accepted. */
  bind(params: Json): BoundStep;
  /** Whether a recorded fact is what people agreed to; false for parameters it would not take. */
  admits(params: Json, intent: JsonObject, fact: Fact): boolean;
}

export type Vocabulary = ReadonlyMap<string, Action>;

export function defineAction<P, S extends JsonObject, E extends JsonObject>(
  spec: ActionSpec<P, S, E>,
): Action {
  let schema: z.ZodType<P> | undefined;
  const params = (): z.ZodType<P> => (schema ??= spec.params());
  return {
    name: spec.name,
    control: spec.control,
    facts: spec.facts,
    get params() {
      return params();
    },
    bind: (values) => bindStep(spec, params().parse(values)),
    admits: (values, intent, fact) => {
      const parsed = params().safeParse(values);
      if (!parsed.success) return false;
      // The intent was shown and agreed to with this digest, so it is what `subject` returned.
      return spec.admits?.(parsed.data, intent as S, fact) ?? true;
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
    contributes: spec.contribute !== undefined,
    subject: async (room) => spec.subject?.(p, room),
    contribute: async (who, opener, room) => spec.contribute?.(p, who, opener, room),
    run: async (room, act) => {
      // The subject came out of this very closure's `subject`, so its shape is S.
      const evidence = await spec.run(p, room, act as Act<S>);
      return { evidence, facts: spec.establishes?.(p, evidence) ?? [] };
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
