/** Drafts of ledger entries: what the engine writes, in one place and one shape. */

import type { EntryDraft, EntryFact } from "../ledger/entry.ts";
import type { Json, JsonObject } from "../lib/json.ts";

/** A text member of an entry's data, or undefined. */
export function stringOf(data: JsonObject, name: string): string | undefined {
  const value = data[name];
  return typeof value === "string" ? value : undefined;
}

/** A whole number of an entry's data, or undefined. */
export function integerOf(data: JsonObject, name: string): number | undefined {
  const value = data[name];
  return typeof value === "number" && Number.isSafeInteger(value) ? value : undefined;
}

export interface DraftParts {
  readonly type: EntryDraft["type"];
  readonly outcome?: EntryDraft["outcome"];
  readonly source?: EntryDraft["source"];
  readonly ceremony?: string;
  readonly step?: string;
  readonly actors?: readonly { person: string; role: string; part: ActorPart }[];
  readonly description: string;
  readonly policyRefs?: readonly string[];
  readonly agreements?: readonly string[];
  readonly facts?: readonly Json[];
  readonly data?: JsonObject;
  readonly refs?: Readonly<Record<string, number>>;
}

export type ActorPart = "performed" | "authorized" | "witnessed" | "recorded";

/** An entry with every member present, empty where nothing was said. */
export function draft(parts: DraftParts): EntryDraft {
  return {
    type: parts.type,
    outcome: parts.outcome ?? "success",
    source: parts.source ?? "auto",
    ceremony: parts.ceremony ?? null,
    step: parts.step ?? null,
    actors: (parts.actors ?? []).map(({ person, role, part }) => ({ person, role, part })),
    description: parts.description,
    policyRefs: parts.policyRefs ?? [],
    agreements: parts.agreements ?? [],
    facts: (parts.facts ?? []) as readonly EntryFact[],
    data: parts.data ?? {},
    refs: parts.refs ?? {},
  };
}

/** Who does what in a step: its first role performs it, a witness witnesses, whoever else agrees authorises. */
export function actorsOf(
  people: readonly { readonly person: string; readonly role: string }[],
): readonly { person: string; role: string; part: ActorPart }[] {
  return people.map(({ person, role }, index) => ({
    person,
    role,
    part: index === 0 ? "performed" : role.endsWith("witness") ? "witnessed" : "authorized",
  }));
}
