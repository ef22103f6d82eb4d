/**
 * KEKs in the room: looked up in custody, then looked at on the token before every use. A KEK that is not
 * what was recorded wraps and unwraps nothing; what its token cannot enforce is named in every report.
 */

import type { Room } from "../../ceremony/action.ts";
import type { Custody } from "../../ceremony/custody.ts";
import { newestKek } from "../../ceremony/copies-query.ts";
import { kekName, type KekCustody } from "../../ceremony/custody-copies.ts";
import { KeyriteError } from "../../lib/errors.ts";
import { visible } from "../../lib/encoding.ts";
import type { JsonObject } from "../../lib/json.ts";
import type { Kek, KekName, LintFinding } from "../../hsm/backup.ts";
import { attributeList, type Attribute } from "./attributes.ts";

export { newestKek };

/** Stands in every output about an escrowed KEK and about whatever is wrapped under it. */
export const OUTSIDE = "has existed outside an HSM";

/** What an auditor needs to know of a KEK that was used. */
export interface KekEvidence extends JsonObject {
  readonly kek: string;
  readonly generation: number;
  readonly mode: string;
  readonly hasExistedOutsideAnHsm: boolean;
  readonly ckaId: string;
  readonly checkValue: string;
  readonly attributes: readonly Attribute[];
  /** What the token does not enforce, one sentence each. */
  readonly residuals: readonly string[];
  /** Secret keys on the token that break a rule, one sentence each. */
  readonly lint: readonly string[];
}

/** A KEK that was just compared with its record. */
export interface CheckedKek {
  readonly record: KekCustody;
  /** What wrapAll and unwrapAll want. */
  readonly name: KekName;
  readonly evidence: KekEvidence;
}

/**
 * A KEK in custody.
 * @param generation the newest when absent.
 * @throws KeyriteError script.refused
 */
export function recordedKek(custody: Custody, kek: string, generation?: number): KekCustody {
  const found =
    generation === undefined
      ? newestKek(custody, kek)
      : custody.keks.get(kekName({ kek, generation }));
  if (found !== undefined) return found;
  const what = generation === undefined ? kek : kekName({ kek, generation });
  throw new KeyriteError("script.refused", `KEK ${what} is not in custody`, {
    hints: ["`keyrite status` lists the KEKs; establish-kek makes one"],
  });
}

/**
 * The KEK to use on an active token: found by its recorded CKA_ID, its attributes and check value
 * compared, secret keys that break a rule and residuals shown. Call it right before every use.
 * @param generation the newest when absent, as for a backup; a restore names that of the backup.
 * @throws KeyriteError script.refused (not in custody, or not on this token by the record),
 * hsm.object-missing, hsm.attribute-differs, hsm.wrong-kek
 */
export async function kekFor(
  room: Room,
  token: string,
  kek: string,
  generation?: number,
): Promise<CheckedKek> {
  const record = recordedKek(room.custody, kek, generation);
  const ckaId = record.tokens.get(token);
  if (ckaId === undefined) {
    throw new KeyriteError("script.refused", `KEK ${kekName(record)} is not on token ${token}`, {
      hints: [`load it there first: load-kek with kek ${kek} and token ${token}`],
    });
  }
  const session = room.tokens.session(token);
  const name = { ckaId, checkValue: record.checkValue };
  const found = await session.inspectKek(name);
  const lint = await lintKeks(room, token);
  const evidence = kekEvidence(record, found, lint);
  tellKek(room, token, evidence);
  return { record, name, evidence };
}

/**
 * Secret keys on a token that break a rule, one sentence each.
 * @param made CKA_IDs of KEKs that this very step has made: custody does not know them yet.
 */
export async function lintKeks(
  room: Room,
  token: string,
  made: readonly string[] = [],
): Promise<readonly string[]> {
  const keks = [...room.custody.keks.values()].flatMap((kek) => kek.tokens.get(token) ?? []);
  const known = { keks: [...keks, ...made], classes: ["secret"] } as const;
  const findings = await room.tokens.session(token).lintObjects(known);
  return findings.map(sentence);
}

export function kekEvidence(
  { kek, generation, mode }: Pick<KekCustody, "kek" | "generation" | "mode">,
  found: Kek,
  lint: readonly string[],
): KekEvidence {
  return {
    kek,
    generation,
    mode,
    hasExistedOutsideAnHsm: mode === "escrowed",
    ckaId: found.ckaId,
    checkValue: found.checkValue,
    attributes: attributeList(found.attributes),
    residuals: [...found.waivers],
    lint: [...lint],
  };
}

/** What the room hears about a KEK that was looked at. */
export function tellKek(room: Room, token: string, evidence: KekEvidence): void {
  const { checkValue, residuals, lint, mode } = evidence;
  const name = kekName(evidence);
  room.console.tell(`KEK ${name} on token ${token} has the check value ${checkValue}.`);
  if (mode === "escrowed") room.console.warn(`KEK ${name} ${OUTSIDE}`);
  for (const line of [...residuals, ...lint]) room.console.warn(line);
}

// Labels come from the token, so they are escaped.
function sentence({ rule, label, ckaId, says }: LintFinding): string {
  return `${rule}: ${says} (${visible(label)}, CKA_ID ${ckaId})`;
}
