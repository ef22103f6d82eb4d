/** Folds the facts about copies of keys into custody: what contradicts it is not taken. */

import { completeBackup, makeBackup } from "./backups-fold.ts";
import {
  firstOf,
  minus,
  NO_COPY,
  onKey,
  whyUnbound,
  type CopiesFolding,
  type CopiesState,
  type CopyContext,
} from "./copies-state.ts";
import { unproved, type Earlier, type GivenUp } from "./copies-unproved.ts";
import { placeKey, type CopiesCustody, type KeyCopies, type TokenCopy } from "./custody-copies.ts";
import type { CopyFact, FactOf } from "./facts.ts";
import { kekName } from "./generations.ts";
import {
  adoptKek,
  destroyKek,
  escrowKek,
  establishKek,
  loadKek,
  makeTransport,
  sendKek,
} from "./keks-fold.ts";
import { ObjectIds } from "./object-ids.ts";
import { concludeDrill, moveCopy, trustSite } from "./places-fold.ts";

/** The part of custody's fold that is about copies; it writes to the maps it is given. */
export class CopiesFold {
  readonly #folding: CopiesFolding;
  /** Of keys that were restored in the newest ceremony: what was known of them before. */
  readonly #before = new Map<string, Earlier>();

  constructor(state: CopiesState & CopiesCustody) {
    this.#folding = { state, ids: new ObjectIds(state) };
  }

  /** A key right after it was generated on its token. @returns why it cannot be, or undefined */
  generate(fact: FactOf<"key.generated">, context: CopyContext): string | undefined {
    const { spki, token, label, ckaId } = fact;
    const extractable = fact.backup === "wrap";
    const copy = { token, label, ckaId, extractable, proved: context.at } as const;
    return addCopy(this.#folding, spki, { ...copy, origin: "generated" }, context);
  }

  /** Takes one fact. @returns why it contradicts custody, or undefined when it was taken. */
  apply(fact: CopyFact, context: CopyContext): string | undefined {
    const folding = this.#folding;
    const { state } = folding;
    switch (fact.kind) {
      case "transport.generated":
        return makeTransport(folding, fact, context);
      case "kek.established":
        return establishKek(folding, fact, context);
      case "kek.escrowed":
        return escrowKek(folding, fact);
      case "kek.sent":
        return sendKek(folding, fact, context);
      case "kek.adopted":
        return adoptKek(folding, fact, context);
      case "kek.loaded":
        return loadKek(folding, fact, context);
      case "kek.destroyed":
        return destroyKek(folding, fact);
      case "key.locked":
        return lockKey(state, fact);
      case "backup.made":
        return makeBackup(state, fact, context);
      case "backup.completed":
        return completeBackup(state, fact, context);
      case "key.restored":
        return this.#restore(fact, context);
      case "key.cloned":
        return cloneKey(folding, fact, context);
      case "copy.destroyed":
        return destroyCopy(folding, fact);
      case "copy.retained":
        return retainCopy(state, fact);
      case "key.destroyed":
        return destroyKey(state, fact);
      case "token.retired":
        return retireToken(folding, fact, context);
      case "copy.moved":
        return moveCopy(state, fact, context);
      case "site.trusted":
        return trustSite(state, fact);
      case "drill.concluded":
        return concludeDrill(state, fact, context);
    }
  }

  #restore(fact: FactOf<"key.restored">, context: CopyContext): string | undefined {
    const { spki } = fact;
    const { restored, backups } = this.#folding.state.copies.get(spki) ?? NO_COPY;
    const problem = restoreKey(this.#folding, fact, context);
    const earlier = restored?.ceremony === context.ceremony ? undefined : { restored, backups };
    if (problem === undefined && earlier !== undefined) this.#before.set(spki, earlier);
    return problem;
  }

  /** See `unproved`. */
  unprove(given: GivenUp): void {
    unproved(this.#folding.state, this.#before, given);
  }
}

function lockKey(state: CopiesState, fact: FactOf<"key.locked">): string | undefined {
  return onKey(state, fact.spki, (key) => {
    const copy = key.tokens.get(fact.token);
    if (copy === undefined) return noCopy("token", fact.token, fact.spki);
    if (!copy.extractable) return `key ${fact.spki} on token ${fact.token} is locked already`;
    return { ...key, tokens: new Map(key.tokens).set(fact.token, { ...copy, extractable: false }) };
  });
}

function noCopy(place: "token" | "backup", name: string, spki: string): string {
  return `${place} ${name} holds no copy of key ${spki}`;
}

function addCopy(
  { state, ids }: CopiesFolding,
  spki: string,
  copy: TokenCopy,
  { foreseen }: CopyContext,
  more: (key: KeyCopies) => KeyCopies = (key) => key,
): string | undefined {
  const { token, ckaId } = copy;
  // A key of another site enters custody when it is restored here.
  const key = state.copies.get(spki) ?? NO_COPY;
  const problem = firstOf(
    whyUnbound(state, token),
    key.destroyed ? `key ${spki} is recorded as destroyed` : undefined,
    key.tokens.has(token) ? `token ${token} holds a copy of key ${spki} already` : undefined,
    foreseen === true ? undefined : ids.taken(token, ckaId),
  );
  if (problem !== undefined) return problem;
  state.copies.set(spki, more({ ...key, tokens: new Map(key.tokens).set(token, copy) }));
  ids.add(token, ckaId, `key ${spki}`);
  return undefined;
}

function restoreKey(
  folding: CopiesFolding,
  fact: FactOf<"key.restored">,
  context: CopyContext,
): string | undefined {
  const { state } = folding;
  const { spki, token, label, ckaId, backup, algorithm } = fact;
  const { at, ceremony, foreseen } = context;
  const known = state.keys.get(spki);
  const problem =
    foreseen === true
      ? undefined
      : firstOf(
          fact.origin === state.origin ? whyNotIn(state, fact) : whyNotTrusted(state, fact.origin),
          known === undefined || known.algorithm === algorithm
            ? undefined
            : `key ${spki} is a ${known.algorithm} key`,
        );
  if (problem !== undefined) return problem;
  const copy = { token, label, ckaId, origin: "restored", extractable: false, proved: at } as const;
  return addCopy(folding, spki, copy, context, (key) => {
    const restored = { backup, origin: fact.origin, ceremony, at };
    const entry = key.backups.get(backup);
    if (entry === undefined || fact.origin !== state.origin) return { ...key, restored };
    return {
      ...key,
      restored,
      backups: new Map(key.backups).set(backup, { ...entry, proved: at }),
    };
  });
}

function whyNotIn(
  state: CopiesState,
  { spki, backup, token }: FactOf<"key.restored">,
): string | undefined {
  const known = state.backups.get(backup);
  if (known === undefined || known.sha256 === null) return `there is no completed backup ${backup}`;
  const kek = state.keks.get(kekName(known));
  return firstOf(
    state.copies.get(spki)?.backups.has(backup) === true
      ? undefined
      : noCopy("backup", backup, spki),
    kek?.tokens.has(token) === true
      ? undefined
      : `token ${token} does not hold KEK ${kekName(known)}`,
  );
}

function whyNotTrusted({ peers }: CopiesState, origin: string): string | undefined {
  return peers.has(origin) ? undefined : `the site ${origin} is not trusted here`;
}

function cloneKey(
  folding: CopiesFolding,
  fact: FactOf<"key.cloned">,
  context: CopyContext,
): string | undefined {
  const { state } = folding;
  const { spki, from, to, label, ckaId, method } = fact;
  const source = state.copies.get(spki)?.tokens.get(from);
  if (source === undefined) return noCopy("token", from, spki);
  if (method === "wrap" && !source.extractable) {
    return `key ${spki} on token ${from} is locked and cannot have been wrapped`;
  }
  const proved = context.at;
  const copy = { token: to, label, ckaId, origin: method, extractable: false, proved } as const;
  return addCopy(folding, spki, copy, context);
}

function destroyCopy(
  { state, ids }: CopiesFolding,
  { spki, place, name }: FactOf<"copy.destroyed">,
): string | undefined {
  return onKey(state, spki, (key) => {
    const retained = minus(key.retained, `${place} ${name}`);
    if (place === "backup") {
      if (!key.backups.has(name)) return noCopy(place, name, spki);
      return { ...key, backups: minus(key.backups, name), retained };
    }
    const copy = key.tokens.get(name);
    if (copy === undefined) return noCopy(place, name, spki);
    ids.remove(name, copy.ckaId);
    return { ...key, tokens: minus(key.tokens, name), retained };
  });
}

function retainCopy(
  state: CopiesState,
  { spki, place, name, reason }: FactOf<"copy.retained">,
): string | undefined {
  return onKey(state, spki, (key) =>
    (place === "token" ? key.tokens : key.backups).has(name)
      ? { ...key, retained: new Map(key.retained).set(`${place} ${name}`, reason) }
      : noCopy(place, name, spki),
  );
}

function destroyKey(state: CopiesState, { spki }: FactOf<"key.destroyed">): string | undefined {
  return onKey(state, spki, (key) => {
    if (key.destroyed) return `key ${spki} is recorded as destroyed`;
    const left = [
      ...[...key.tokens.keys()].map((name) => `token ${name}`),
      ...[...key.backups.keys()].map((name) => `backup ${name}`),
    ].filter((copy) => !key.retained.has(copy));
    if (left.length > 0) return `copies of key ${spki} are left: ${left.join(", ")}`;
    return { ...key, destroyed: true };
  });
}

function retireToken(
  { state, ids }: CopiesFolding,
  { token, serial }: FactOf<"token.retired">,
  { foreseen }: CopyContext,
): string | undefined {
  const bound = state.tokens.get(token);
  if (bound === undefined) return `token ${token} is not bound`;
  if (bound.serial !== serial && foreseen !== true) {
    return `token ${token} is bound to the serial ${bound.serial}`;
  }
  for (const [spki, key] of state.copies) {
    if (!key.tokens.has(token)) continue;
    const retained = minus(key.retained, `token ${token}`);
    state.copies.set(spki, { ...key, tokens: minus(key.tokens, token), retained });
  }
  for (const [name, kek] of state.keks) {
    const rest = { tokens: minus(kek.tokens, token), envelopes: minus(kek.envelopes, token) };
    state.keks.set(name, { ...kek, ...rest });
  }
  state.transports.delete(token);
  state.places.delete(placeKey("token", token, token));
  ids.dropToken(token);
  return undefined;
}
