/**
 * The items of a begun step as the ledger tells them: which group was intended, which items have an
 * outcome, which are in doubt. One instance lasts from the first agreement to the step's end.
 */

import { isJsonObject, type Json } from "../lib/json.ts";
import { MOST_IN_GROUP, type BatchGroup, type BatchItem } from "./batch.ts";

export class StepItems {
  readonly #done = new Set<string>();
  /** Items with an outcome since people last agreed: none has two. */
  readonly #ended = new Set<string>();
  /** What was intended and has no outcome, also from before an interruption. */
  readonly #doubtful = new Map<string, BatchItem>();
  /** Group of each item whose outcome is awaited. */
  readonly #awaited = new Map<string, number>();
  /** How many facts of each kind the completed items bear. */
  readonly #borne = new Map<string, number>();
  #groups = 0;
  #seq = 0;

  /** Items that are completed. */
  get done(): ReadonlySet<string> {
    return this.#done;
  }

  /** Number of the newest group, from 1; 0 before the first. */
  get groups(): number {
    return this.#groups;
  }

  /** What was intended and has no outcome, by the newest intent; null when nothing is in doubt. */
  get group(): BatchGroup | null {
    if (this.#doubtful.size === 0) return null;
    return { seq: this.#seq, items: [...this.#doubtful.values()] };
  }

  /** After an interruption people agreed to go on: items without success may be intended again. */
  resume(): void {
    this.#ended.clear();
    this.#awaited.clear();
  }

  /** Takes a group's intent; a text says why it is not taken. */
  intend(seq: number, group: Json | undefined, raw: Json | undefined): string | undefined {
    const items = readItems(raw);
    if (typeof items === "string") return items;
    if (this.#awaited.size + items.length > MOST_IN_GROUP) {
      return `${this.#awaited.size} items of earlier groups have no outcome yet`;
    }
    if (group !== this.#groups + 1) return `the next group is number ${this.#groups + 1}`;
    const known = items.find(({ item }) => this.#done.has(item) || this.#ended.has(item));
    if (known !== undefined) return `item ${known.item} has an outcome already`;
    const again = items.find(({ item }) => this.#awaited.has(item));
    if (again !== undefined) return `item ${again.item} was intended already`;
    this.#groups += 1;
    this.#seq = seq;
    for (const item of items) {
      this.#awaited.set(item.item, this.#groups);
      this.#doubtful.set(item.item, item);
    }
    return undefined;
  }

  /** The intent of an item whose outcome is awaited, or why there is none. */
  awaited(group: Json | undefined, item: Json | undefined): BatchItem | string {
    const intended = typeof item === "string" ? this.#doubtful.get(item) : undefined;
    if (intended === undefined || group !== this.#awaited.get(intended.item)) {
      return "it is the outcome of an item that was not intended in the open group";
    }
    return intended;
  }

  /** Ends an item that is awaited; a completed one bears facts of these kinds. */
  end(item: string, completed: boolean, kinds: readonly string[] = []): void {
    this.#awaited.delete(item);
    this.#doubtful.delete(item);
    this.#ended.add(item);
    if (completed) this.#done.add(item);
    for (const kind of kinds) this.#borne.set(kind, this.borne(kind) + 1);
  }

  /** How many facts of a kind the completed items bear. */
  borne(kind: string): number {
    return this.#borne.get(kind) ?? 0;
  }
}

function readItems(raw: Json | undefined): readonly BatchItem[] | string {
  if (!Array.isArray(raw) || raw.length === 0) return "it intends no items";
  if (raw.length > MOST_IN_GROUP) return `a group holds at most ${MOST_IN_GROUP} items`;
  const items = new Map<string, BatchItem>();
  for (const one of raw as readonly Json[]) {
    const { item, ckaId } = isJsonObject(one) ? one : {};
    if (typeof item !== "string" || item === "" || typeof ckaId !== "string") {
      return "an item of it is malformed";
    }
    if (items.has(item)) return `item ${item} is in it twice`;
    items.set(item, { item, ckaId });
  }
  return [...items.values()];
}
