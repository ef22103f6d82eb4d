/** Wrapping and unwrapping lists of keys in groups, between one listing and another. */

import { KeyriteError } from "../lib/errors.ts";
import type {
  KekName,
  KeyName,
  UnwrapItem,
  UnwrapOptions,
  UnwrapOutcome,
  WireFormat,
  WrappedKey,
} from "./backup.ts";
import { listHandles, listObjects } from "./inventory.ts";
import { openKek, type KekMeans } from "./kek.ts";
import { groupFlow } from "./group-flow.ts";
import { Lanes } from "./lanes.ts";
import { refusePresent } from "./match.ts";
import type { Context } from "./objects.ts";
import type { Handle } from "./raw.ts";
import { judgeNow, JudgingThread } from "./verifier.ts";
import { unwrapOne, type UnwrapWork } from "./unwrap.ts";
import { AUTHENTICATED, chooseFormat, keysToWrap, wrapOne } from "./wrap.ts";

/** Keys that are wrapped at a time. */
const WRAPPED = 100;
/** Two such groups are under way at a time: what is in doubt after a crash is no more than 100 keys. */
const UNWRAPPED = 50;
/** A thread takes as long to start as some hundred signatures to verify. */
const WORTH_A_THREAD = 100;

/** What a batch needs besides the open session. */
export interface BatchMeans {
  /** Runs work on the session when it is free. */
  readonly next: <T>(work: (context: Context) => T | Promise<T>) => Promise<T>;
  readonly means: () => Promise<KekMeans>;
  readonly slot: Handle;
}

/** See `BackupSession.wrapAll`. */
export async function* wrapAll(
  { next, means }: BatchMeans,
  kek: KekName,
  names: readonly KeyName[],
  formats: readonly WireFormat[] = AUTHENTICATED,
): AsyncGenerator<readonly WrappedKey[]> {
  const { random, ...rest } = await means();
  const ready = await next(async (context) => {
    const chosen = chooseFormat(rest.formats, formats);
    const { object } = openKek(context, kek, { random, ...rest });
    const keys = await keysToWrap(context, listObjects(context), names, { random, ...rest });
    return { object, keys, how: { ...chosen, random } };
  });
  for (const group of groups(ready.keys, WRAPPED)) {
    yield await next((context) =>
      group.map((key) => wrapOne(context, ready.object, key, ready.how)),
    );
  }
}

/** See `BackupSession.unwrapAll`. */
export async function* unwrapAll(
  { next, means, slot }: BatchMeans,
  kek: KekName,
  items: readonly UnwrapItem[],
  options: UnwrapOptions,
): AsyncGenerator<readonly UnwrapOutcome[]> {
  const { profile, random, formats } = await means();
  refuseFormats(items, formats.unwraps);
  const start = await next((context) => {
    const { object } = openKek(context, kek, { profile, random, formats });
    // A copy in a session has a name of its own, so there is nothing it could be confused with.
    if (options.as === "token") refusePresent(listObjects(context), items);
    const lanes = new Lanes(context, slot, options.lanes ?? 1);
    return { object, lanes, expected: new Set(listHandles(context)) };
  });
  const { lanes, expected } = start;
  const thread = items.length > WORTH_A_THREAD ? new JudgingThread() : undefined;
  const work: UnwrapWork = {
    kek: start.object,
    profile,
    random,
    unwraps: formats.unwraps,
    onToken: options.as === "token",
    brief: options.brief === true,
    apart: lanes.several,
    judge: thread?.judge ?? judgeNow,
  };
  try {
    const ended = groupFlow({
      items,
      groupSize: options.groupSize ?? UNWRAPPED,
      contexts: lanes.contexts,
      before: (group) => options.before?.(group),
      work: (context, item: UnwrapItem) => unwrapOne(context, item, work),
    });
    for await (const group of ended) {
      for (const { kept } of group) for (const handle of kept) expected.add(handle);
      yield group.map(({ outcome }) => outcome);
    }
    await next((context) => {
      refuseSurprises(context, expected);
    });
  } finally {
    lanes.close();
    await thread?.close();
  }
}

function* groups<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}

function refuseFormats(
  items: readonly UnwrapItem[],
  unwraps: ReadonlyMap<WireFormat, number>,
): void {
  const item = items.find(({ format }) => !unwraps.has(format));
  if (item === undefined) return;
  throw new KeyriteError(
    "hsm.not-supported",
    `the token does not unwrap ${item.format}, which ${item.label} is wrapped as; it unwraps ${[...unwraps.keys()].join(", ") || "nothing we know"}`,
    { hints: ["restore into a token that does, or back up again in another format"] },
  );
}

// No handle changes while a batch runs, so what is there at the end must be exactly what was there at the
// beginning and what came back: nothing less, and nothing that somebody slipped in.
function refuseSurprises(context: Context, expected: ReadonlySet<Handle>): void {
  const found = listHandles(context);
  const lost = [...expected].filter((handle) => !found.has(handle)).length;
  const strange = new Set([...found].filter((handle) => !expected.has(handle)));
  if (lost === 0 && strange.size === 0) return;
  const names = listObjects(context)
    .filter(({ handle }) => strange.has(handle))
    .map(({ objectClass, ckaId }) => `the ${objectClass} key ${ckaId}`);
  const more = names.length === 0 ? "" : `, the first ${names[0] ?? ""}`;
  throw new KeyriteError(
    "hsm.bad-output",
    `afterwards the token does not hold what came back: ${lost} objects are missing and ${strange.size} are there that nobody made${more}`,
    {
      hints: ["inspect the token: nothing of this batch counts as restored before it is explained"],
    },
  );
}
