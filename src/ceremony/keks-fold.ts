/** Folds the facts about transport keys and KEKs into custody: what contradicts it is not taken. */

import {
  firstOf,
  minus,
  whyUnbound,
  without,
  type CopiesFolding,
  type CopiesState,
  type CopyContext,
} from "./copies-state.ts";
import type { EnvelopeCustody, KekCustody } from "./custody-copies.ts";
import type { FactOf } from "./facts.ts";
import { kekName, shareSetName, type KekRef } from "./generations.ts";

export function makeTransport(
  { state, ids }: CopiesFolding,
  fact: FactOf<"transport.generated">,
  { foreseen }: CopyContext,
): string | undefined {
  const { token, spki, ckaId } = fact;
  const problem = firstOf(
    whyUnbound(state, token),
    state.transports.has(token) ? `token ${token} has a transport key already` : undefined,
    foreseen === true ? undefined : (ids.taken(token, ckaId) ?? whyInUse(state, spki)),
  );
  if (problem !== undefined) return problem;
  state.transports.set(token, without(fact));
  ids.add(token, ckaId, "its transport key");
  return undefined;
}

// A key that signs certificates and opens KEKs would be one more way to either.
function whyInUse(state: CopiesState, spki: string): string | undefined {
  if (state.keys.has(spki)) return `key ${spki} is a CA key`;
  const other = [...state.transports.values()].find((transport) => transport.spki === spki);
  return other && `key ${spki} is the transport key of token ${other.token}`;
}

export function establishKek(
  folding: CopiesFolding,
  fact: FactOf<"kek.established">,
  { foreseen }: CopyContext,
): string | undefined {
  const { state, ids } = folding;
  const { kek, generation, mode, checkValue, token, ckaId } = fact;
  const problem = firstOf(
    whyUnbound(state, token),
    whyNotNext(state, fact),
    mode === "escrowed" && fact.envelopes.length > 0
      ? "an escrowed KEK has no envelopes"
      : undefined,
    foreseen === true
      ? undefined
      : (ids.taken(token, ckaId) ??
          whySameValue(state, checkValue) ??
          whyEnvelopesWrong(state, fact.envelopes) ??
          (mode === "escrowed" || fact.envelopes.some((one) => one.token === token)
            ? undefined
            : `there is no envelope for token ${token} itself`)),
  );
  if (problem !== undefined) return problem;
  const envelopes = new Map(fact.envelopes.map((envelope) => [envelope.token, envelope]));
  const tokens = new Map([[token, ckaId]]);
  const { origin } = state;
  const made = { kek, generation, origin, mode, checkValue, tokens, envelopes, escrow: null };
  state.keks.set(kekName(fact), made);
  ids.add(token, ckaId, `KEK ${kekName(fact)}`);
  return undefined;
}

function whyNotNext(state: CopiesState, { kek, generation }: KekRef): string | undefined {
  const name = kekName({ kek, generation });
  if (state.keks.has(name)) return `there is a KEK ${name} already`;
  const before = state.keks.get(kekName({ kek, generation: generation - 1 }));
  if (generation > 1 && before === undefined) {
    return `KEK ${kek} has no generation ${generation - 1}`;
  }
  return before === undefined || before.origin === state.origin
    ? undefined
    : `KEK ${kek} is of ${before.origin}`;
}

// The value of an old generation under a new name would make a rotation that changes nothing.
function whySameValue(state: CopiesState, checkValue: string): string | undefined {
  const same = [...state.keks.values()].find((kek) => kek.checkValue === checkValue);
  return same && `KEK ${kekName(same)} has the check value ${checkValue} too`;
}

function whyEnvelopesWrong(
  state: CopiesState,
  envelopes: readonly EnvelopeCustody[],
): string | undefined {
  const tokens = new Set(envelopes.map(({ token }) => token));
  if (tokens.size < envelopes.length) return "two envelopes are for one token";
  return firstOf(...envelopes.map((envelope) => whyMisaddressed(state, envelope)));
}

function whyMisaddressed(
  { tokens, transports }: CopiesState,
  { token, spki, oaep }: EnvelopeCustody,
): string | undefined {
  const transport = transports.get(token);
  if (transport === undefined) {
    // Another site's token: its transport key is known to the people who confirmed it, not to custody.
    return tokens.has(token) ? `token ${token} has no transport key` : undefined;
  }
  if (transport.spki !== spki) return `the transport key of token ${token} is another`;
  return transport.oaep.includes(oaep)
    ? undefined
    : `the transport key of token ${token} does not open OAEP with ${oaep}`;
}

export function escrowKek(
  { state }: CopiesFolding,
  fact: FactOf<"kek.escrowed">,
): string | undefined {
  const set = { set: fact.set, generation: fact.setGeneration };
  const shares = state.shareSets.get(shareSetName(set));
  if (shares?.purpose !== "kek") return `there is no share set ${shareSetName(set)} for a KEK`;
  return onKek(state, fact, (kek) => {
    if (kek.mode !== "escrowed") return `KEK ${kekName(kek)} was made to stay inside HSMs`;
    if (kek.escrow === null) return { ...kek, escrow: set };
    return `KEK ${kekName(kek)} is escrowed already`;
  });
}

export function sendKek(
  { state }: CopiesFolding,
  fact: FactOf<"kek.sent">,
  { foreseen }: CopyContext,
): string | undefined {
  const { envelope, from } = fact;
  return onKek(
    state,
    fact,
    (kek) =>
      firstOf(
        kek.mode === "escrowed" ? "an escrowed KEK has no envelopes" : undefined,
        whyUnopenable(state, kek, from),
        kek.envelopes.has(envelope.token)
          ? `KEK ${kekName(kek)} is sealed to token ${envelope.token} already`
          : undefined,
        foreseen === true ? undefined : whyMisaddressed(state, envelope),
      ) ?? { ...kek, envelopes: new Map(kek.envelopes).set(envelope.token, envelope) },
  );
}

export function adoptKek(
  { state }: CopiesFolding,
  fact: FactOf<"kek.adopted">,
  { foreseen }: CopyContext,
): string | undefined {
  const { kek, generation, origin, mode, checkValue } = fact;
  const name = kekName(fact);
  const problem = firstOf(
    state.peers.has(origin) ? undefined : `the site ${origin} is not trusted here`,
    state.keks.has(name) ? `there is a KEK ${name} already` : undefined,
    foreseen === true
      ? undefined
      : (whySameValue(state, checkValue) ?? whyNotOurs(state, fact.envelopes)),
  );
  if (problem !== undefined) return problem;
  const envelopes = new Map(fact.envelopes.map((envelope) => [envelope.token, envelope]));
  const adopted = { kek, generation, origin, mode, checkValue, envelopes };
  state.keks.set(name, { ...adopted, tokens: new Map(), escrow: null });
  return undefined;
}

// The other site named our tokens as it liked: only their transport keys tell which is which.
function whyNotOurs(
  { transports }: CopiesState,
  envelopes: readonly EnvelopeCustody[],
): string | undefined {
  const names = new Set(envelopes.map(({ token }) => token));
  if (names.size < envelopes.length) return "two envelopes are for one token";
  const own = [...transports.values()];
  const stray = envelopes.find(
    ({ spki, oaep }) => !own.some((one) => one.spki === spki && one.oaep.includes(oaep)),
  );
  return stray && `no transport key of this site opens the envelope for ${stray.token}`;
}

export function loadKek(
  { state, ids }: CopiesFolding,
  fact: FactOf<"kek.loaded">,
  { foreseen }: CopyContext,
): string | undefined {
  const { token, ckaId, checkValue } = fact;
  const problem = onKek(
    state,
    fact,
    (kek) =>
      firstOf(
        whyUnbound(state, token),
        kek.tokens.has(token) ? `token ${token} holds KEK ${kekName(kek)} already` : undefined,
        foreseen === true || kek.checkValue === checkValue
          ? undefined
          : `the check value of KEK ${kekName(kek)} is ${kek.checkValue}`,
        whyUnopenable(state, kek, token),
        foreseen === true ? undefined : ids.taken(token, ckaId),
      ) ?? { ...kek, tokens: new Map(kek.tokens).set(token, ckaId) },
  );
  if (problem === undefined) ids.add(token, ckaId, `KEK ${kekName(fact)}`);
  return problem;
}

function whyUnopenable(state: CopiesState, kek: KekCustody, token: string): string | undefined {
  if (kek.mode === "escrowed") {
    // The shares of another site's KEK are in that site's custody.
    const shared = kek.escrow !== null || kek.origin !== state.origin;
    return shared ? undefined : `KEK ${kekName(kek)} was never escrowed`;
  }
  const transport = state.transports.get(token);
  if (transport === undefined) return `token ${token} has no transport key`;
  return [...kek.envelopes.values()].some(({ spki }) => spki === transport.spki)
    ? undefined
    : `no envelope of KEK ${kekName(kek)} is for token ${token}`;
}

export function destroyKek(
  { state, ids }: CopiesFolding,
  fact: FactOf<"kek.destroyed">,
): string | undefined {
  const { token } = fact;
  return onKek(state, fact, (kek) => {
    const ckaId = kek.tokens.get(token);
    if (ckaId === undefined) return `token ${token} does not hold KEK ${kekName(kek)}`;
    ids.remove(token, ckaId);
    return { ...kek, tokens: minus(kek.tokens, token) };
  });
}

function onKek(
  state: CopiesState,
  ref: KekRef,
  change: (kek: KekCustody) => KekCustody | string,
): string | undefined {
  const name = kekName(ref);
  const kek = state.keks.get(name);
  if (kek === undefined) return `KEK ${name} is not in custody`;
  const changed = change(kek);
  if (typeof changed === "string") return changed;
  state.keks.set(name, changed);
  return undefined;
}
