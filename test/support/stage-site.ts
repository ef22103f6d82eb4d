/** The files of a site for tests: people on their media, genesis, policy, bindings, an empty ledger. */

import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bindings } from "../../src/ceremony/bindings.ts";
import { readGenesis, writeGenesis, type Genesis } from "../../src/ceremony/genesis.ts";
import type { Vocabulary } from "../../src/ceremony/action.ts";
import { HistoryFold } from "../../src/ceremony/history-fold.ts";
import type { Role } from "../../src/ceremony/words.ts";
import type { Entry, EntryDraft } from "../../src/ledger/entry.ts";
import { LedgerStore } from "../../src/ledger/store.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { goodSignaturesOf, withKnownGood } from "../../src/lib/ed25519.ts";
import { sha256Hex, utf8 } from "../../src/lib/encoding.ts";
import { formatVerifierKey, parseVerifierKey, verifierKey } from "../../src/lib/note.ts";
import { openMedium } from "../../src/people/medium.ts";
import { makePerson, type TestPerson } from "./identities.ts";
import { ledgerKey, ORIGIN } from "./ledger-fixture.ts";

export const POLICY = `keyrite: policy/v1
separate: [[ceremony-administrator, custodian, internal-witness], [auditor]]
shareSets: { activation: { threshold: 2, holders: 3 }, security-officer: { threshold: 2, holders: 3 } }
agreement: { minutes: 10 }
witnesses: { root: [internal-witness] }
algorithms: [p-256, p-384]
kdf: { logN: 10 }
hsms: [ { manufacturer: "Keyrite tests" } ]
`;

export const BINDINGS = `keyrite: site/v1
modules: { soft: { profile: generic, path: fake-module.so } }
tokens:
  alpha: { module: soft, serial: blank, activation: sealed }
  beta: { module: soft, serial: blank, activation: sealed }
`;

/** Three tokens, each in a module of its own: the fake has one token a module. */
export const THREE_TOKENS = `keyrite: site/v1
modules:
  soft: { profile: generic, path: fake-module.so }
  soft-beta: { profile: generic, path: fake-beta.so }
  soft-gamma: { profile: generic, path: fake-gamma.so }
tokens:
  alpha: { module: soft, serial: blank, activation: sealed }
  beta: { module: soft-beta, serial: blank, activation: sealed }
  gamma: { module: soft-gamma, serial: blank, activation: sealed }
`;

export const MODULE_FILE = "fake-module.so";

/** The people of most tests: enough for every role, each with one. */
export const FOUNDERS: Readonly<Record<string, readonly Role[]>> = {
  ana: ["ceremony-administrator"],
  ben: ["custodian"],
  cleo: ["custodian"],
  dan: ["custodian"],
  eve: ["internal-witness"],
  olga: ["auditor"],
  xan: ["external-witness"],
};

/** Not on any roster: a newcomer and a stranger. */
export const OTHERS = ["fay", "mallory"] as const;

export interface NewSite {
  readonly people: ReadonlyMap<string, TestPerson>;
  readonly genesis: Genesis;
  readonly genesisBytes: Uint8Array;
}

/** A new folder in memory, where the system has such. */
export function stageFolder(): string {
  return mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "keyrite-stage-"));
}

/** Where the vaults of a stage lie: beside its site, as they must. */
export function vaultsOf(folder: string): string {
  return `${folder}-vaults`;
}

/** The folders of the vaults `onsite` and `offsite`, made unless they are there. */
export function makeVaultFolders(folder: string): ReadonlyMap<string, string> {
  const vaults = ["onsite", "offsite"].map((name) => [name, join(vaultsOf(folder), name)] as const);
  for (const [, path] of vaults) mkdirSync(path, { recursive: true });
  return new Map(vaults);
}

/** Writes a site whose genesis names these founders. */
export async function writeSite(
  folder: string,
  founders: Readonly<Record<string, readonly Role[]>> = FOUNDERS,
  policy = POLICY,
  bindings = BINDINGS,
  origin = ORIGIN,
): Promise<NewSite> {
  const people = new Map<string, TestPerson>();
  for (const name of [...Object.keys(founders), ...OTHERS]) {
    const person = await makePerson(name);
    people.set(name, person);
    const medium = join(folder, "media", name);
    mkdirSync(medium, { recursive: true });
    openMedium(medium, name).writeIdentity(person.sealed, person.card);
  }
  const genesisBytes = writeGenesis({
    origin,
    assurance: "test",
    created: "2026-11-23T08:00:00.000Z",
    policy: sha256Hex(utf8(policy)),
    ledgerKey: formatVerifierKey(verifierKey(origin, "ed25519", ledgerKey.publicKey)),
    founders: [...people.values()].flatMap(({ card }) => {
      const roles = founders[card.person];
      return roles === undefined ? [] : [{ person: card.person, roles, card }];
    }),
  });
  writeFileSync(join(folder, "policy.yaml"), policy);
  writeFileSync(join(folder, "site.yaml"), bindings);
  for (const [file] of bindings.matchAll(/[a-z-]+\.so/g)) {
    const text = file === MODULE_FILE ? "" : `, ${file}`;
    writeFileSync(join(folder, file), `a module known by its digest${text}\n`, { mode: 0o644 });
  }
  LedgerStore.create(join(folder, "ledger.db"), origin);
  return { people, genesis: readGenesis(genesisBytes), genesisBytes };
}

// Forks of one stage have most of their signatures in common: each is verified once in a test file, as a
// verifier with several threads does. What is not good is not among them and is judged anew every time.
const verified = new Set<string>();

/** Verifies and folds a ledger from its bytes: what the next command and every auditor do. */
export function foldLedger(
  ledger: LedgerStore,
  { genesis }: NewSite,
  vocabulary: Vocabulary,
): HistoryFold {
  const fold = new HistoryFold({
    genesis,
    vocabulary,
    attachment: (sha256) => ledger.attachment(sha256)?.bytes,
    cosignatures: {
      checkpoint: (size) => ledger.checkpoint(size),
      cosignatures: (size) => ledger.cosignatures(size).map(({ line }) => line),
    },
  });
  const verify = (): void => {
    const { findings } = verifyLedger(ledger, {
      origin: genesis.origin,
      key: parseVerifierKey(genesis.ledgerKey),
      visit: (entry, _, root) => {
        fold.take(entry, root);
      },
    });
    // Whatever a test forges is sound as a ledger: what is left to find is who said it.
    assert.deepEqual(findings, []);
  };
  const good = goodSignaturesOf(() => {
    withKnownGood(verified, verify);
  });
  for (const name of good) verified.add(name);
  return fold;
}

/** The ledger of a site's folder, opened with the key that lies beside it. */
export function openLedger(folder: string, clock: Clock): LedgerStore {
  return LedgerStore.open(join(folder, "ledger.db"), { write: { clock, key: ledgerKey } });
}

/** What was given to the ledger when this entry was appended. */
export function draftOf(entry: Entry): EntryDraft {
  const given = ["v", "origin", "seq", "time"];
  const rest = Object.entries(entry).filter(([name]) => !given.includes(name));
  return Object.fromEntries(rest) as unknown as EntryDraft;
}

/** SHA-256 of each module's file, by the module's name. */
export function moduleDigests({ modules }: Bindings): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...modules].map(([name, { path }]) => [name, sha256Hex(readFileSync(path))]),
  );
}
