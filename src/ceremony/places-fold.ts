/** Folds the facts about places, other sites and drills into custody: what contradicts it is not taken. */

import { messageOf } from "../lib/errors.ts";
import { parseVerifierKey } from "../lib/note.ts";
import { without, type CopiesState, type CopyContext } from "./copies-state.ts";
import { placeKey } from "./custody-copies.ts";
import type { FactOf } from "./facts.ts";
import { assuranceOf } from "./genesis.ts";

/** A token, or a backup in one of its vaults, lies at another place. */
export function moveCopy(
  state: CopiesState,
  fact: FactOf<"copy.moved">,
  { at, foreseen }: CopyContext,
): string | undefined {
  const { place, name, vault, holders } = fact;
  const problem = place === "token" ? whyNoToken(state, fact) : whyNotInVault(state, fact);
  if (problem !== undefined) return problem;
  if (new Set(holders).size < holders.length) return "a holder is named twice";
  const stranger = holders.find((person) => !state.people.has(person));
  if (stranger !== undefined && foreseen !== true) return `${stranger} is not on the roster`;
  state.places.set(placeKey(place, name, vault), { ...without(fact), since: at });
  return undefined;
}

function whyNoToken(
  { tokens }: CopiesState,
  { name, vault }: FactOf<"copy.moved">,
): string | undefined {
  if (!tokens.has(name)) return `token ${name} is not bound`;
  return vault === name ? undefined : `token ${name} lies in no vault`;
}

function whyNotInVault(
  { backups }: CopiesState,
  { name, vault }: FactOf<"copy.moved">,
): string | undefined {
  const backup = backups.get(name);
  if (backup === undefined || backup.sha256 === null) return `there is no completed backup ${name}`;
  return backup.vaults.includes(vault) ? undefined : `backup ${name} is not in vault ${vault}`;
}

/** Another site is adopted, or a later head of it: never another ledger, never an earlier head. */
export function trustSite(state: CopiesState, fact: FactOf<"site.trusted">): string | undefined {
  const problem = whyNoSite(state, fact) ?? whyNoSuccessor(state, fact);
  if (problem !== undefined) return problem;
  state.peers.set(fact.origin, without(fact));
  return undefined;
}

function whyNoSite(
  { origin, assurance, genesis }: CopiesState,
  fact: FactOf<"site.trusted">,
): string | undefined {
  if (fact.origin === origin || fact.genesis === genesis) return "it is this very site";
  if (assuranceOf(fact.origin) !== assurance) return `${fact.origin} is no ${assurance} site`;
  try {
    const { name } = parseVerifierKey(fact.ledgerKey);
    return name === fact.origin ? undefined : `its ledger key is named ${name}`;
  } catch (error) {
    return `its ledger key is none: ${messageOf(error)}`;
  }
}

function whyNoSuccessor(
  { peers }: CopiesState,
  { origin, genesis, ledgerKey, size, root }: FactOf<"site.trusted">,
): string | undefined {
  const known = peers.get(origin);
  if (known === undefined) return undefined;
  if (known.genesis !== genesis) return `${origin} is trusted with another genesis`;
  if (known.ledgerKey !== ledgerKey) return `${origin} is trusted with another ledger key`;
  if (size < known.size) return `a head of ${origin} of size ${known.size} is known already`;
  return size === known.size && root !== known.root
    ? `${origin} has two heads of size ${size}`
    : undefined;
}

/**
 * A drill is over. A drill that passed and is none by name only – a rehearsal never counts – proves the
 * keys that this very ceremony restored from its backup.
 */
export function concludeDrill(
  state: CopiesState,
  fact: FactOf<"drill.concluded">,
  { at, ceremony, foreseen }: CopyContext,
): string | undefined {
  const { drill, verdict, reasons, keys } = fact;
  if ((drill === "drill") !== (state.assurance === "production")) {
    return `on a ${state.assurance} site it is no ${drill}`;
  }
  if (verdict === "pass" && (reasons.length > 0 || keys === 0)) {
    return keys === 0 ? "it passed without any key" : "it passed, and gives reasons against it";
  }
  if (verdict === "fail" && reasons.length === 0) return "it failed without a reason";
  const back = [...state.copies].filter(
    ([, { restored }]) => restored?.ceremony === ceremony && restored.backup === fact.backup,
  );
  if (verdict === "pass" && keys > back.length && foreseen !== true) {
    return `it passed with ${keys} keys, and ${back.length} came back from backup ${fact.backup}`;
  }
  state.drills.push({ ...without(fact), ceremony, at });
  if (drill === "rehearsal" || verdict === "fail") return undefined;
  for (const [spki, key] of back) state.copies.set(spki, { ...key, drilled: at });
  return undefined;
}
