/** The files of a site for tests: people on their media, genesis, policy, bindings, an empty ledger. */

import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readGenesis, writeGenesis, type Genesis } from "../../src/ceremony/genesis.ts";
import type { Vocabulary } from "../../src/ceremony/action.ts";
import { HistoryFold } from "../../src/ceremony/history-fold.ts";
import type { Role } from "../../src/ceremony/words.ts";
import { LedgerStore } from "../../src/ledger/store.ts";
import { verifyLedger } from "../../src/ledger/verify.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { sha256Hex, utf8 } from "../../src/lib/encoding.ts";
import { formatVerifierKey, parseVerifierKey } from "../../src/lib/note.ts";
import { openMedium } from "../../src/people/medium.ts";
import { makePerson, type TestPerson } from "./identities.ts";
import { ledgerKey, ledgerVerifier, ORIGIN } from "./ledger-fixture.ts";

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

/** Writes a site whose genesis names these founders. */
export async function writeSite(
  folder: string,
  founders: Readonly<Record<string, readonly Role[]>> = FOUNDERS,
  policy = POLICY,
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
    origin: ORIGIN,
    assurance: "test",
    created: "2026-11-23T08:00:00.000Z",
    policy: sha256Hex(utf8(policy)),
    ledgerKey: formatVerifierKey(ledgerVerifier),
    founders: [...people.values()].flatMap(({ card }) => {
      const roles = founders[card.person];
      return roles === undefined ? [] : [{ person: card.person, roles, card }];
    }),
  });
  writeFileSync(join(folder, "policy.yaml"), policy);
  writeFileSync(join(folder, "site.yaml"), BINDINGS);
  writeFileSync(join(folder, MODULE_FILE), "a module known by its digest\n", { mode: 0o644 });
  LedgerStore.create(join(folder, "ledger.db"), ORIGIN);
  return { people, genesis: readGenesis(genesisBytes), genesisBytes };
}

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
  const { findings } = verifyLedger(ledger, {
    origin: genesis.origin,
    key: parseVerifierKey(genesis.ledgerKey),
    visit: (entry, _, root) => {
      fold.take(entry, root);
    },
  });
  // Whatever a test forges is sound as a ledger: what is left to find is who said it.
  assert.deepEqual(findings, []);
  return fold;
}

/** The ledger of a site's folder, opened with the key that lies beside it. */
export function openLedger(folder: string, clock: Clock): LedgerStore {
  return LedgerStore.open(join(folder, "ledger.db"), { write: { clock, key: ledgerKey } });
}
