/** What a killed ceremony left behind, looked at from outside: ledger, custody and tokens, in this process. */

import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { CeremonyRecord } from "../../src/ceremony/history.ts";
import type { Custody } from "../../src/ceremony/custody.ts";
import { headGiven } from "../../src/cli/heads-given.ts";
import { judgeLedger } from "../../src/cli/judge.ts";
import { openSite } from "../../src/cli/site.ts";
import { readTrust } from "../../src/cli/verify.ts";
import type { InventoryObject } from "../../src/hsm/backup.ts";
import type { Session, TokenInfo } from "../../src/hsm/token.ts";
import { Secret } from "../../src/lib/secret.ts";
import type { RehearsedSite } from "./rehearsed-site.ts";
import { createRig, installedModule } from "./rig.ts";
import type { ShimModule } from "./shim.ts";

/** A site's ledger, opened as Keyrite would open it next, and verified whole. */
export interface Ledger {
  readonly open: CeremonyRecord | null;
  readonly ceremonies: readonly CeremonyRecord[];
  readonly custody: Custody;
  /** The exact texts of all entries. */
  readonly texts: readonly string[];
  /** Checkpoints and cosignatures: every transaction adds one at least. */
  readonly marks: number;
}

/** @throws when it cannot be opened, does not verify, or says what nobody believes */
export function ledgerOf(site: RehearsedSite): Ledger {
  const { ledger, history } = openSite(site.site, { write: false, signatures: "all" });
  try {
    const findings = history.findings.map(({ code, seq, text }) => `${code} ${seq} ${text}`);
    assert.deepEqual(findings, [], "the ledger holds nothing that is not believed");
    const { open, ceremonies, custody } = history;
    const marks = [...ledger.checkpoints()].flatMap(({ size }) => [
      size,
      ...ledger.cosignatures(size),
    ]);
    const texts = [...ledger.entries()];
    return { open, ceremonies, custody, texts, marks: marks.length };
  } finally {
    ledger.close();
  }
}

/** Asserts what `keyrite verify` must say of a site at rest. */
export async function assertSound(site: RehearsedSite): Promise<void> {
  const medium = site.medium("ana");
  // Killed between its close and its heads, a founding leaves media that carry none.
  const carried =
    existsSync(join(medium, "heads")) && readdirSync(join(medium, "heads")).length > 0;
  const judged = await judgeLedger(site.file("ledger.db"), {
    trust: readTrust({ trust: site.file("trust.txt") }),
    heads: carried ? [headGiven(medium)] : [],
    workers: 0,
  });
  assert.equal(judged.verdict, "CONSISTENT", JSON.stringify(judged.findings));
  assert.deepEqual(judged.findings, []);
}

/** One object on a token, named by what a copy of the site shares with it. */
type Found = InventoryObject & { readonly token: string };

/** What is on the tokens of a site. */
export interface Held {
  /** Every object, private ones too. */
  readonly objects: readonly Found[];
  /** Labels of all tokens that were initialised. */
  readonly tokens: readonly string[];
}

/** Looks at every token whose PIN the shim has kept. */
export async function heldBy(
  site: RehearsedSite,
  shim: ShimModule,
  custody: Custody,
): Promise<Held> {
  const objects: Found[] = [];
  const tokens = await onTokens(site, shim, async (session, { serial }) => {
    const bound = [...custody.tokens.values()].find((one) => one.serial === serial);
    for (const object of await session.inventory()) {
      objects.push({ ...object, token: bound?.token ?? serial });
    }
  });
  return { objects, tokens: tokens.map(({ label }) => label) };
}

let looking: Promise<unknown> = Promise.resolve();

/** Does something with every token whose PIN the shim has kept; all that are initialised are returned. */
export function onTokens(
  site: RehearsedSite,
  shim: ShimModule,
  work: (session: Session, token: TokenInfo) => Promise<void>,
): Promise<readonly TokenInfo[]> {
  // A process can hold the module once, over one folder of tokens.
  const look = looking.then(() => onEach(site, shim, work));
  looking = look.catch(() => undefined);
  return look;
}

async function onEach(
  site: RehearsedSite,
  shim: ShimModule,
  work: (session: Session, token: TokenInfo) => Promise<void>,
): Promise<readonly TokenInfo[]> {
  const path = installedModule("softhsm");
  const traits = {
    ...{ algorithms: [], keepsLabel: true, keepsDuplicates: true },
    ...{ persistent: true, reportsWrongPins: true },
  };
  const rig = createRig({ profile: "softhsm", path, traits, tokenDir: site.file("tokens") });
  try {
    const all = (await rig.hsm.tokens(rig.module)).filter(({ initialized }) => initialized);
    for (const token of all) {
      const pin = shim.pinOf(token.serial);
      // A retired token was wiped by the security officer: it holds nothing, and nobody has a PIN for it.
      if (pin === undefined || !token.userPinSet) continue;
      const { serial, label } = token;
      const session = await rig.hsm.login(rig.module, serial, label, Secret.take(pin));
      await work(session, token);
      await session.logout();
    }
    return all;
  } finally {
    await rig.hsm.close();
  }
}

export interface Strays {
  /** Objects that custody does not explain. */
  readonly orphans: readonly string[];
  /** Two of one class that share an id or a public key. */
  readonly duplicates: readonly string[];
  /** What custody says is on a token, and is not. */
  readonly missing: readonly string[];
}

/** Compares tokens with custody. */
export function straysAmong({ objects }: Held, custody: Custody): Strays {
  const expected = new Set<string>();
  for (const token of custody.tokens.keys()) {
    const ids = [
      ...[...custody.copies.values()].map(({ tokens }) => tokens.get(token)?.ckaId),
      custody.transports.get(token)?.ckaId,
      ...[...custody.keks.values()].map(({ tokens }) => tokens.get(token)),
    ];
    for (const id of ids) if (id !== undefined) expected.add(`${token} ${id}`);
  }
  const seen = new Set<string>();
  const duplicates: string[] = [];
  for (const { token, objectClass, ckaId, label, spkiSha256 } of objects) {
    for (const key of [ckaId, spkiSha256 === undefined ? undefined : `spki ${spkiSha256}`]) {
      if (key === undefined) continue;
      const name = `${token} ${objectClass} ${key}`;
      if (seen.has(name)) duplicates.push(`${name} ${label}`);
      seen.add(name);
    }
  }
  const held = new Set(objects.map(({ token, ckaId }) => `${token} ${ckaId}`));
  return {
    orphans: objects
      .filter(({ token, ckaId }) => !expected.has(`${token} ${ckaId}`))
      .map(({ token, objectClass, label, ckaId }) => `${token} ${objectClass} ${label} ${ckaId}`),
    duplicates,
    missing: [...expected].filter((one) => !held.has(one)),
  };
}

/** What is on the tokens, in words that two copies of a site share. */
export function shapeOf({ objects, tokens }: Held): readonly string[] {
  return [
    ...objects.map(({ token, objectClass, label }) => `${token} ${objectClass} ${label}`),
    ...tokens.map((label) => `token ${label}`),
  ].sort();
}
