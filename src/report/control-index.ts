/**
 * The index by control: for each class of events where in the ledger its proof stands – ceremony and entry –
 * or that it is missing; for each requirement which of its classes are proved; and for every clause that a
 * script cites, the steps that served it. It proves nothing by itself: it says where to look.
 */

import { stringOf } from "../ceremony/record.ts";
import type { Entry } from "../ledger/entry.ts";
import type { JsonObject } from "../lib/json.ts";
import { EVENT_CLASSES, type EventClass } from "./control-classes.ts";
import { CONTROLS, type Control } from "./control-requirements.ts";

/** Proofs that an index names: of more it gives the first ones, the last one and their number. */
const NAMED = 12;

export interface Proof {
  /** Null for entries of the founding. */
  readonly ceremony: string | null;
  readonly seq: number;
  /** What is proved there, in a few words. */
  readonly what: string;
}

export interface Proofs {
  readonly count: number;
  /** The first ones. */
  readonly first: readonly Proof[];
  readonly last: Proof | null;
}

export interface ClassRow extends Proofs {
  readonly id: string;
  readonly group: string;
  readonly about: string;
  readonly status: "proved" | "missing";
  /** Why nothing is found, or where else to look; null when there is a proof. */
  readonly missing: string | null;
}

export interface ControlRow extends Control {
  readonly status: "proved" | "in part" | "missing";
  readonly missing: readonly string[];
}

/** A clause that scripts cite, such as `CPS:6.1.1`. */
export interface CitedRow extends Proofs {
  readonly ref: string;
  readonly status: "proved" | "missing";
  /** Steps that cite it and were opened, and are not completed. */
  readonly open: readonly Proof[];
}

export interface ControlIndex {
  readonly classes: readonly ClassRow[];
  readonly controls: readonly ControlRow[];
  readonly cited: readonly CitedRow[];
}

class Collected {
  count = 0;
  readonly first: Proof[] = [];
  last: Proof | null = null;

  add(proof: Proof): void {
    this.count += 1;
    if (this.first.length < NAMED) this.first.push(proof);
    this.last = proof;
  }

  get proofs(): Proofs {
    return { count: this.count, first: this.first, last: this.last };
  }
}

interface Cited {
  readonly done: Collected;
  /** By ceremony and step. */
  readonly open: Map<string, Proof>;
}

const BY_FACT = classesBy(({ facts = [] }) => facts);
const BY_TYPE = classesBy(({ types = [] }) => types);

/** Collects proofs while entries pass by, in memory that the number of entries does not touch. */
export class ControlIndexer {
  readonly #classes = new Map<string, Collected>();
  readonly #cited = new Map<string, Cited>();

  /** Takes an entry that the fold believes; entries it finds fault with prove nothing. */
  take(entry: Entry): void {
    for (const fact of entry.facts) {
      for (const { id } of BY_FACT.get(fact.kind) ?? []) this.#add(id, entry, factText(fact));
    }
    for (const { id, where } of BY_TYPE.get(entry.type) ?? []) {
      if (where?.(entry) !== false) this.#add(id, entry, entry.description);
    }
    for (const ref of entry.policyRefs) this.#cite(ref, entry);
  }

  /** Two or more people countersigned the ledger at this size, which a ceremony reached. */
  cosigned(entry: Entry): void {
    this.#add("checkpoint.cosigned", entry, `checkpoint of size ${entry.seq + 1}`);
  }

  get index(): ControlIndex {
    const classes = EVENT_CLASSES.map((one) => this.#classRow(one));
    const missing = new Set(classes.filter((row) => row.count === 0).map(({ id }) => id));
    return {
      classes,
      controls: CONTROLS.map((one) => controlRow(one, missing)),
      cited: [...this.#cited].sort(([a], [b]) => (a < b ? -1 : 1)).map(citedRow),
    };
  }

  #add(id: string, entry: Entry, what: string): void {
    const known = this.#classes.get(id) ?? new Collected();
    this.#classes.set(id, known);
    known.add({ ceremony: entry.ceremony, seq: entry.seq, what });
  }

  #cite(ref: string, entry: Entry): void {
    const known = this.#cited.get(ref) ?? { done: new Collected(), open: new Map() };
    this.#cited.set(ref, known);
    const { ceremony, seq, description: what } = entry;
    const step = `${ceremony ?? ""} ${entry.step ?? ""}`;
    if (entry.type === "step.opened" || entry.type === "step.begun") {
      if (!known.open.has(step)) known.open.set(step, { ceremony, seq, what });
    } else if (entry.type === "step.completed") {
      known.open.delete(step);
      known.done.add({ ceremony, seq, what });
    }
  }

  #classRow({ id, group, about, elsewhere }: EventClass): ClassRow {
    const proofs = this.#classes.get(id)?.proofs ?? { count: 0, first: [], last: null };
    const found = proofs.count > 0;
    const nothing = "nothing on record: it did not happen, or nobody recorded it";
    const missing = elsewhere === undefined ? nothing : `not in this ledger; ask for ${elsewhere}`;
    const status = found ? "proved" : "missing";
    return { id, group, about, status, missing: found ? null : missing, ...proofs };
  }
}

function classesBy(
  keys: (one: EventClass) => readonly string[],
): ReadonlyMap<string, readonly EventClass[]> {
  const map = new Map<string, EventClass[]>();
  for (const one of EVENT_CLASSES) {
    for (const key of keys(one)) map.set(key, [...(map.get(key) ?? []), one]);
  }
  return map;
}

function factText(fact: JsonObject & { readonly kind: string }): string {
  const names = ["person", "key", "label", "token", "backup", "kek", "set", "name", "subject"];
  const [about] = names.flatMap((name) => stringOf(fact, name) ?? []);
  return about === undefined ? fact.kind : `${fact.kind} ${about}`;
}

function controlRow(control: Control, missing: ReadonlySet<string>): ControlRow {
  const absent = control.classes.filter((id) => missing.has(id));
  const all = absent.length === control.classes.length;
  return {
    ...control,
    status: absent.length === 0 ? "proved" : all ? "missing" : "in part",
    missing: absent,
  };
}

function citedRow([ref, { done, open }]: readonly [string, Cited]): CitedRow {
  const status = done.count > 0 ? "proved" : "missing";
  return { ref, status, ...done.proofs, open: [...open.values()].slice(0, NAMED) };
}

/** The index as JSON: `controls.json` of a bundle. Format: docs/formats/bundle.md. */
export function controlIndexJson(
  index: ControlIndex,
  of: { readonly origin: string; readonly size: number },
): JsonObject {
  const proofs = ({ count, first, last }: Proofs): JsonObject => ({
    count,
    first: first.map(proofJson),
    last: last === null ? null : proofJson(last),
  });
  return {
    keyrite: "controls/v1",
    ...of,
    classes: index.classes.map(({ id, group, about, status, missing, ...row }) => ({
      id,
      group,
      about,
      status,
      missing,
      ...proofs(row),
    })),
    controls: index.controls.map(({ id, regime, text, classes, status, missing }) => ({
      regime,
      id,
      text,
      status,
      classes: [...classes],
      missing: [...missing],
    })),
    cited: index.cited.map(({ ref, status, open, ...row }) => ({
      ref,
      status,
      ...proofs(row),
      open: open.map(proofJson),
    })),
  };
}

function proofJson({ ceremony, seq, what }: Proof): JsonObject {
  return { ceremony, seq, what };
}
