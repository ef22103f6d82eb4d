/**
 * A small action over a batch, on a device that is a set in memory: what an author writes to be resumed, and
 * a power cut at any instant.
 */

import {
  defineAction,
  type Action,
  type ItemOutcome,
  type Room,
} from "../../src/ceremony/action.ts";
import { tokenIsActive } from "../../src/ceremony/conditions.ts";
import type { Fact } from "../../src/ceremony/facts.ts";
import { keyListBytes, readKeyList, type KeyListItem } from "../../src/ceremony/key-list.ts";
import { label } from "../../src/ceremony/words.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { z } from "../../src/lib/schema.ts";

const params = () => z.strictObject({ token: label, count: z.int().min(1) });

export interface MadeIntent extends JsonObject {
  readonly keyList: string;
  readonly count: number;
}

/** Where the power goes: before or after the device acts on an item, or before its group is recorded. */
export type Cut = (at: "intended" | "acted" | "unrecorded" | "undone", item: string) => void;

/** The device and what happens to it. */
export interface Device {
  readonly objects: Set<string>;
  /** How often each object was made. */
  readonly made: Map<string, number>;
  cut: Cut;
  /** Items that the device refuses. */
  readonly refuses: Set<string>;
}

export function newDevice(): Device {
  return { objects: new Set(), made: new Map(), cut: () => undefined, refuses: new Set() };
}

/** The list of keys that `make-keys` makes. */
export function keysToMake(count: number): readonly KeyListItem[] {
  return Array.from({ length: count }, (_, i) => {
    const spki = sha256Hex(`key ${i}`);
    return { spki, label: `made-${i}`, ckaId: spki.slice(0, 32) };
  }).toSorted((a, b) => (a.spki < b.spki ? -1 : 1));
}

export function madeFact({ spki, label: name, ckaId }: KeyListItem): Fact & JsonObject {
  return {
    kind: "key.generated",
    spki,
    token: "alpha",
    label: name,
    ckaId,
    algorithm: "p-256",
    purpose: "ca-signing",
    backup: "never",
  };
}

/** The action over a device; `group` items a group. */
export function makeKeys(device: Device, group = 3): Action {
  return defineAction<z.infer<ReturnType<typeof params>>, MadeIntent, MadeIntent>({
    name: "make-keys",
    control: "dual",
    params,
    facts: ["key.generated"],
    instruction: (p) => `Make ${p.count} keys on token ${p.token}.`,
    requires: (p) => [tokenIsActive(p.token)],
    forecast: (p) => ({ keyList: "", count: p.count }),
    admits: (_, { keyList }, fact, cited) => {
      if (fact.kind !== "key.generated") return false;
      const item = cited.keyList(keyList).get(fact.spki);
      return item?.label === fact.label && item.ckaId === fact.ckaId;
    },
    subject(p, room) {
      const bytes = keyListBytes(keysToMake(p.count));
      const data = { keyList: room.attach("application/json", bytes), count: p.count };
      return Promise.resolve({ data, shown: [`${p.count} keys`] });
    },
    run(_, room, { subject, batch }) {
      const left = listed(room, subject).filter(({ spki }) => !batch.done.has(spki));
      for (let at = 0; at < left.length; at += group) {
        const items = left.slice(at, at + group);
        batch.intend(items.map(({ spki, ckaId }) => ({ item: spki, ckaId })));
        batch.record(items.map((item) => make(device, item)));
      }
      if (device.refuses.size > 0) throw new KeyriteError("hsm.call-failed", "CKR_DEVICE_ERROR");
      return Promise.resolve(subject);
    },
    settle: (_, __, { group: open, done }) => {
      const there = open?.items.filter(({ item }) => device.objects.has(item)).length ?? 0;
      return Promise.resolve({
        shown: [`${done.size} done, ${there} of ${open?.items.length ?? 0} in doubt are there`],
        data: { there },
        choices: ["finish", "undo"],
      });
    },
    undo(_, __, { group: open }) {
      for (const { item } of open?.items ?? []) {
        device.cut("undone", item);
        device.objects.delete(item);
      }
      return Promise.resolve();
    },
  });
}

function listed(room: Room, { keyList }: MadeIntent): readonly KeyListItem[] {
  const list = readKeyList(room.attachment(keyList) ?? new Uint8Array());
  if (list === undefined) throw new Error("the key list is not attached");
  return [...list.values()];
}

function make(device: Device, item: KeyListItem): ItemOutcome {
  const { spki } = item;
  device.cut("intended", spki);
  if (device.refuses.has(spki)) {
    return { item: spki, code: "hsm.call-failed", problem: "CKR_DEVICE_ERROR" };
  }
  if (!device.objects.has(spki)) device.made.set(spki, (device.made.get(spki) ?? 0) + 1);
  device.objects.add(spki);
  device.cut("acted", spki);
  return { item: spki, evidence: { label: item.label }, facts: [madeFact(item)] };
}
