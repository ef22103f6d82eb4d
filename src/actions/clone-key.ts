/**
 * Copies keys from one token to another under a KEK that both hold: wrapped and unwrapped in memory, so
 * that no file ever holds them.
 */

import { defineAction, type Room, type Subject } from "../ceremony/action.ts";
import { condition, tokenIsActive, type Condition } from "../ceremony/conditions.ts";
import { kekIsOn, tokenOwesNothing } from "../ceremony/conditions-copies.ts";
import type { Fact } from "../ceremony/facts.ts";
import type { KeyChoice, NamedKey } from "../ceremony/key-choice.ts";
import { label, slug } from "../ceremony/words.ts";
import type { KekName, UnwrapItem, WireFormat } from "../hsm/backup.ts";
import { visible } from "../lib/encoding.ts";
import type { JsonObject } from "../lib/json.ts";
import { z } from "../lib/schema.ts";
import { countedProgress } from "./lib/counted-progress.ts";
import { kekFor, type KekEvidence } from "./lib/keks.ts";
import {
  agreedNamedKeys,
  attachKeys,
  isListedAs,
  keyChoice,
  publicKeyOf,
  saidKeys,
} from "./lib/key-lists.ts";
import { makeDurable, type Durable } from "./lib/make-durable.ts";
import { requireTokenFor } from "./lib/token-requirements.ts";
import { restoredTemplates } from "./lib/restored-templates.ts";
import { clearDoubt, settleOnto } from "./lib/settle-onto.ts";
import { unwrapOnto } from "./lib/unwrap-onto.ts";
import { canBeWrapped, wrappableKeys } from "./lib/wrappable.ts";
import { agreedFormat } from "./lib/wire-format.ts";

const params = () => z.strictObject({ from: label, to: label, keys: keyChoice(), under: slug });
type Params = z.infer<ReturnType<typeof params>>;

interface Planned extends JsonObject {
  readonly keyList: string;
  readonly keys: number;
  readonly generation: number;
  readonly checkValue: string;
  readonly format: WireFormat;
  readonly serial: string;
}
interface Cloned extends Planned {
  readonly fromKek: KekEvidence | null;
  readonly toKek: KekEvidence | null;
  readonly durable: Durable | null;
  readonly waivers: readonly string[];
  /** Keys foreseen when planning; the outcomes of the batch bear the facts of a real run. */
  readonly foreseen: readonly (NamedKey & JsonObject)[];
}

export const cloneKey = defineAction<Params, Planned, Cloned>({
  name: "clone-key",
  control: "dual",
  params,
  facts: ["key.cloned"],
  instruction: (p) =>
    `Clone ${saidKeys(p.keys)} from token ${p.from} to token ${p.to}, wrapped under KEK ${p.under} on the way and never in a file.`,
  requires: (p) => [
    tokensDiffer(p),
    tokenIsActive(p.from),
    tokenIsActive(p.to),
    tokenOwesNothing(p.to, "to"),
    ...canBeWrapped(p.from, p.keys),
    notThereYet(p.from, p.to, p.keys),
    kekIsOn(p.from, p.under, "under"),
    kekIsOn(p.to, p.under, "under"),
  ],
  forecast: (p, custody) => ({
    ...{ keyList: "", keys: 0, generation: 1, checkValue: "", format: "rfc5649", serial: "" },
    ...{ fromKek: null, toKek: null, durable: null, waivers: [] },
    foreseen: wrappableKeys(custody, p.from, p.keys).map((key) => ({ ...key })),
  }),
  establishes: (p, { foreseen }) => foreseen.map((key) => cloned(p, key)),
  admits: (p, { keyList }, fact, cited) =>
    fact.kind === "key.cloned" &&
    fact.from === p.from &&
    fact.to === p.to &&
    fact.method === "wrap" &&
    isListedAs(cited, keyList, fact),
  subject: planClone,
  async run(p, room, act) {
    const { subject } = act;
    if (act.settled !== null) await clearDoubt(room, p.to, act.settled);
    const source = await kekFor(room, p.from, p.under, subject.generation);
    const target = await kekFor(room, p.to, p.under, subject.generation);
    const keys = agreedNamedKeys(room, subject.keyList);
    const undone = keys.filter(({ spki }) => !act.batch.done.has(spki));
    const items = await wrapped(p, room, subject.format, undone, source.name);
    const template = await restoredTemplates(keys);
    const waivers = await unwrapOnto(room, act, {
      token: p.to,
      kek: target.name,
      items,
      verb: "cloning onto",
      template,
      fact: ({ label: name, ckaId, algorithm }, spki) =>
        cloned(p, { spki, label: name, ckaId, algorithm }),
    });
    const durable = await makeDurable(room, p.to, keys);
    for (const waiver of waivers) room.console.warn(waiver);
    room.console.tell(
      `${keys.length} of ${keys.length} ${keys.length === 1 ? "key is" : "keys are"} on token ${p.to} too, read back and proved.`,
    );
    const evidence = { fromKek: source.evidence, toKek: target.evidence };
    return { ...subject, ...evidence, durable, waivers, foreseen: [] };
  },
  settle: (p, room, doubt) => settleOnto(room, p.to, doubt),
  undo: (p, room, _doubt, settled) => clearDoubt(room, p.to, settled),
});

function tokensDiffer(p: Params): Condition {
  return condition("to", () => p.from === p.to && "a key is cloned from one token to another");
}

function notThereYet(from: string, to: string, keys: KeyChoice): Condition {
  return condition("keys", ({ custody }) => {
    const chosen = wrappableKeys(custody, from, keys);
    const there = chosen.find(({ spki }) => custody.copies.get(spki)?.tokens.has(to) === true);
    if (there !== undefined) return `key ${there.label} is on token ${to} already by then`;
    const gone = chosen.find(({ spki }) => custody.copies.get(spki)?.destroyed === true);
    return gone && `key ${gone.label} is on record as destroyed by then: it gets no new copy`;
  });
}

async function planClone(p: Params, room: Room): Promise<Subject<Planned>> {
  const keys = wrappableKeys(room.custody, p.from, p.keys);
  const format = await agreedFormat(room, p.from, p.to);
  await requireTokenFor(
    room,
    p.to,
    keys.map((key) => ({ ...key, format })),
  );
  const { record } = await kekFor(room, p.from, p.under);
  const { generation, checkValue } = record;
  await kekFor(room, p.to, p.under, generation);
  const { keyList, shown } = attachKeys(room, keys);
  const { serial } = room.tokens.session(p.to).info;
  return {
    data: { keyList, keys: keys.length, generation, checkValue, format, serial },
    shown: [
      `From token ${p.from} to token ${p.to}, serial ${visible(serial)}, wrapped as ${format} in memory only.`,
      `Under KEK ${p.under}, generation ${generation}, check value ${checkValue}.`,
      ...shown,
    ],
  };
}

async function wrapped(
  p: Params,
  room: Room,
  format: WireFormat,
  keys: readonly NamedKey[],
  kek: KekName,
): Promise<readonly UnwrapItem[]> {
  const bySpki = new Map(keys.map((key) => [key.spki, key]));
  const items: UnwrapItem[] = [];
  const progress = countedProgress(room, `wrapping on ${p.from}`, keys.length);
  try {
    progress.done(0);
    const names = keys.map(({ spki, ckaId }) => ({ ckaId, spki: publicKeyOf(room, spki) }));
    for await (const group of room.tokens.session(p.from).wrapAll(kek, names, [format])) {
      for (const { spki, spkiSha256, blob } of group) {
        const key = bySpki.get(spkiSha256);
        if (key === undefined) throw new Error("a key was wrapped that nobody asked for");
        const { ckaId, label: name, algorithm } = key;
        items.push({ spki, ckaId, label: name, algorithm, blob, format });
      }
      progress.done(group.length);
    }
  } finally {
    progress.end();
  }
  return items;
}

function cloned(p: Params, { spki, label: name, ckaId }: NamedKey): Fact {
  const { from, to } = p;
  return { kind: "key.cloned", spki, from, to, label: name, ckaId, method: "wrap" };
}
