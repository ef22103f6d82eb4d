/** One ceremony as a report tells it: a fold of its own entries over the plan that they name. */

import type { CeremonyConformance } from "../ceremony/conformance-report.ts";
import type { CeremonyRecord } from "../ceremony/history.ts";
import type { RecordedPlan, RecordedStep } from "../ceremony/plan-document.ts";
import { integerOf, stringOf } from "../ceremony/record.ts";
import type { Entry } from "../ledger/entry.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import type {
  CeremonyPart,
  ClockPart,
  EventPart,
  StatementPart,
  StepPart,
  VerdictPart,
} from "./report-types.ts";

type Open<T> = { -readonly [K in keyof T]: T[K] };

/** Entries of these types are told among the events, and those that end a step when they did not complete it. */
const EVENTS = [
  "auth.failed",
  "step.failed",
  "step.refused",
  "tail.adopted",
  "deviation.recorded",
  "plan.amended",
  "ceremony.abandoned",
];

export class CeremonyFold {
  readonly #record: CeremonyRecord;
  readonly #steps: Map<string, Open<StepPart>>;
  readonly #statements: StatementPart[] = [];
  readonly #clocks: ClockPart[] = [];
  readonly #events: EventPart[] = [];
  #opening: Entry | undefined;
  #ending: Entry | undefined;

  constructor(record: CeremonyRecord) {
    this.#record = record;
    const { steps = [] }: Partial<RecordedPlan> = record.plan ?? {};
    this.#steps = new Map(steps.map((step) => [step.id, emptyStep(step)]));
  }

  /** Takes the next entry of this ceremony. */
  take(entry: Entry): void {
    const { type, seq, time } = entry;
    const step = this.#steps.get(entry.step ?? "");
    if (type === "ceremony.opened") this.#opening = entry;
    if (type === "ceremony.closed" || type === "ceremony.abandoned") this.#ending = entry;
    if (type === "ceremony.closed" && step !== undefined) close(step, entry);
    if (EVENTS.includes(type)) this.#events.push(eventOf(entry));
    if (step === undefined) return;
    if (integerOf(entry.data, "group") !== undefined) {
      if (type === "step.completed") step.items += 1;
      return;
    }
    switch (type) {
      case "step.opened":
        open(step, entry);
        break;
      case "step.begun":
        Object.assign(step, { outcome: "in doubt", begunSeq: seq, begunAt: time });
        name(step, entry);
        step.agreed = entry.agreements.length;
        break;
      case "step.completed":
        end(step, entry, "completed");
        this.#complete(entry, step);
        break;
      case "step.failed":
        end(step, entry, "failed");
        break;
      case "step.refused":
        end(step, entry, "refused");
        break;
      case "ledger.created":
      case "ceremony.opened":
      case "ceremony.closed":
      case "ceremony.abandoned":
      case "auth.failed":
      case "tail.adopted":
      case "deviation.recorded":
      case "plan.amended":
      case "clock.attested":
        break;
    }
  }

  #complete(entry: Entry, step: StepPart): void {
    const evidence = entry.data["evidence"];
    const data = isJsonObject(evidence) ? evidence : {};
    if (step.action === "attest") this.#statements.push(statementOf(entry, step, data));
    for (const fact of entry.facts) {
      if (fact.kind === "clock.attested") this.#clocks.push(clockOf(entry, fact));
      if (fact.kind !== "deviation.recorded") continue;
      const text = `${stringOf(fact, "rule") ?? ""}: ${stringOf(fact, "reason") ?? ""}`;
      this.#events.push({ ...eventOf(entry), kind: "deviation.recorded", text });
    }
  }

  part(conformance: CeremonyConformance | undefined): CeremonyPart {
    const { id, title, openedSeq, openedAt, closedAt, state, attending, plan } = this.#record;
    const { data = {} }: Partial<Entry> = this.#opening ?? {};
    return {
      id,
      title,
      caClass: stringOf(data, "caClass") ?? "none",
      state,
      script: plan?.script ?? { name: "", version: "", sha256: stringOf(data, "script") ?? "" },
      asWritten: conformance?.script.asWritten ?? null,
      plan: stringOf(data, "plan") ?? "",
      bindings: stringOf(data, "bindings") ?? "",
      policy: stringOf(data, "policy") ?? "",
      software: softwareOf(data["software"]),
      modules: modulesOf(data["modules"]),
      openedSeq,
      openedAt,
      endedSeq: this.#ending?.seq ?? null,
      endedAt: closedAt,
      custody: stringOf(this.#ending?.data ?? {}, "custody") ?? null,
      custodyAgrees: conformance?.custody?.agrees ?? null,
      cosigners: (conformance?.head?.cosigners ?? []).map(({ person }) => person),
      attending: attending.map(({ person, role }) => ({ person, role })),
      steps: [...this.#steps.values()],
      statements: this.#statements,
      clocks: this.#clocks,
      events: this.#events,
      conformance: conformance === undefined ? null : verdictOf(conformance),
    };
  }
}

/** The part of a conformance report that a reader wants at once. */
export function verdictOf(
  judged: Pick<CeremonyConformance, "verdict" | "violations" | "exceptions" | "missing">,
  anchored = false,
): VerdictPart {
  const { verdict, violations, exceptions, missing } = judged;
  return { verdict, anchored, violations, exceptions, missing };
}

function emptyStep({ n, id, action, instruction, by }: RecordedStep): Open<StepPart> {
  return {
    ...{ n, id, action, instruction, by, outcome: "not performed", attempts: 0, agreed: 0 },
    ...{ openedSeq: null, begunSeq: null, endedSeq: null },
    ...{ openedAt: null, begunAt: null, endedAt: null },
    ...{ people: [], shown: [], facts: [], items: 0, policyRefs: [] },
  };
}

function open(step: Open<StepPart>, { seq, time, data, policyRefs }: Entry): void {
  const shown = data["shown"];
  step.policyRefs = policyRefs;
  // A decision about an earlier attempt opens the step too, and is told among the events.
  if (data["purpose"] !== "step") return;
  Object.assign(step, { outcome: "opened", openedSeq: seq, openedAt: time });
  Object.assign(step, { begunSeq: null, begunAt: null, endedSeq: null, endedAt: null });
  step.shown = Array.isArray(shown) ? shown.map(String) : [];
  step.attempts += 1;
}

function end(
  step: Open<StepPart>,
  entry: Entry,
  outcome: "completed" | "failed" | "refused",
): void {
  Object.assign(step, { outcome, endedSeq: entry.seq, endedAt: entry.time });
  step.facts = entry.facts.map(({ kind }) => kind);
  if (entry.actors.length > 0) name(step, entry);
}

function close(step: Open<StepPart>, entry: Entry): void {
  Object.assign(step, { openedSeq: entry.seq, openedAt: entry.time, attempts: 1 });
  end(step, entry, "completed");
}

function name(step: Open<StepPart>, { actors }: Entry): void {
  step.people = actors.map(({ person, role, part }) => ({ person, role, part }));
}

function eventOf(entry: Entry): EventPart {
  const { seq, time, type, step, data, description } = entry;
  const said = ["message", "reason", "code"].flatMap((member) => stringOf(data, member) ?? []);
  const rule = stringOf(data, "rule");
  const text = [...(rule === undefined ? [] : [rule]), said[0] ?? description].join(": ");
  const person = stringOf(data, "person");
  return { seq, time, kind: type, step, text: person === undefined ? text : `${person}: ${text}` };
}

function statementOf(entry: Entry, { id, n }: StepPart, data: JsonObject): StatementPart {
  const fields = data["fields"];
  return {
    step: id,
    n,
    seq: entry.seq,
    by: entry.actors.map(({ person }) => person).join(", "),
    statement: stringOf(data, "statement") ?? "",
    fields: objects(fields).map((field) => ({
      id: stringOf(field, "id") ?? "",
      value: stringOf(field, "value") ?? "",
    })),
  };
}

function clockOf({ seq, time, actors }: Entry, fact: JsonObject): ClockPart {
  const source = stringOf(fact, "source") ?? "";
  const offsetSeconds = integerOf(fact, "offsetSeconds") ?? 0;
  return { seq, time, source, offsetSeconds, people: actors.map(({ person }) => person) };
}

function objects(list: Json | undefined): readonly JsonObject[] {
  return Array.isArray(list) ? (list as readonly Json[]).filter(isJsonObject) : [];
}

function softwareOf(value: Json | undefined): CeremonyPart["software"] {
  const said = isJsonObject(value) ? value : {};
  const text = (member: string): string => stringOf(said, member) ?? "";
  return { name: text("name"), version: text("version"), sha256: text("sha256") };
}

function modulesOf(value: Json | undefined): CeremonyPart["modules"] {
  return objects(value).map((one) => ({
    module: stringOf(one, "module") ?? "",
    sha256: stringOf(one, "sha256") ?? "",
  }));
}
