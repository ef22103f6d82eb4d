/** `keyrite init`: makes a site from founders' cards and a policy: genesis, bindings, empty ledger. */

import { existsSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  assuranceOf,
  originSchema,
  readGenesis,
  refuseSharedKeys,
  writeGenesis,
  type Assurance,
  type Founder,
  type Genesis,
} from "../ceremony/genesis.ts";
import {
  datesRequired,
  productionObjections,
  readPolicy,
  separationProblem,
  type Policy,
} from "../ceremony/policy.ts";
import { digestLines } from "../ceremony/spoken.ts";
import { ROLES, type Role } from "../ceremony/words.ts";
import { LedgerStore } from "../ledger/store.ts";
import { timestamp } from "../lib/clock.ts";
import { hex, utf8 } from "../lib/encoding.ts";
import { signingKeyFromSeed } from "../lib/ed25519.ts";
import { KeyriteError } from "../lib/errors.ts";
import { makeFolder, makeFolders, readBounded, writeNewFile } from "../lib/files.ts";
import { formatVerifierKey, verifierKey } from "../lib/note.ts";
import { parseCard } from "../people/card.ts";
import { genesisSheet } from "../report/genesis-sheet.ts";
import { bindingsText } from "./init-bindings.ts";
import { printJson, tellLine } from "./output.ts";
import { siteFolder } from "./site.ts";
import { systemClock, systemRandom } from "./system.ts";

export interface InitOptions {
  readonly site?: string;
  readonly origin: string;
  readonly policy: string;
  readonly founder: readonly string[];
  readonly module: readonly string[];
  readonly token: readonly string[];
  readonly medium: readonly string[];
  readonly vault: readonly string[];
  readonly json?: boolean;
}

export function init(options: InitOptions): Promise<void> {
  const folder = siteFolder(options.site);
  requireEmpty(folder);
  const origin = readOrigin(options.origin);
  const assurance = assuranceOf(origin);
  const founders = options.founder.map(readFounder);
  const policyBytes = readBounded(options.policy, 1 << 20);
  const policy = readPolicy(policyBytes, options.policy);
  requireFounders(founders, assurance, policy);
  const objections = assurance === "production" ? productionObjections(policy) : [];
  if (objections.length > 0) {
    throw new KeyriteError("script.refused", `${options.policy} is no policy for production`, {
      hints: objections,
    });
  }
  requireNoDates(policy);
  const bindings = bindingsText(options);
  const seed = systemRandom.bytes(32);
  const ledgerKey = formatVerifierKey(
    verifierKey(origin, "ed25519", signingKeyFromSeed(seed).publicKey),
  );
  const bytes = writeGenesis({
    origin,
    assurance,
    created: timestamp(systemClock.now()),
    policy: policy.sha256,
    ledgerKey,
    founders,
  });
  const genesis = readGenesis(bytes);
  writeSite(folder, { genesis, bytes, policyBytes, bindings, seed });
  seed.fill(0);
  announce(folder, genesis, options.json === true);
  return Promise.resolve();
}

function requireEmpty(folder: string): void {
  if (!existsSync(folder)) return;
  if (statSync(folder).isDirectory() && readdirSync(folder).length === 0) return;
  throw new KeyriteError(
    "site.exists",
    `${folder} is not empty; a site is never made over anything`,
    {
      hints: ["name a new folder with --site DIR"],
    },
  );
}

function readOrigin(text: string): string {
  const parsed = originSchema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new KeyriteError(
    "usage.bad-option",
    `--origin "${text}" ${parsed.error.issues[0]?.message ?? ""}`,
    {
      hints: ["for example pki.example.org/dc1, or pki.example.org/dc1/test for a test site"],
    },
  );
}

function readFounder(option: string): Founder {
  const at = option.lastIndexOf("=");
  const roles = option.slice(at + 1).split(",");
  const unknown = roles.find((role) => !(ROLES as readonly string[]).includes(role));
  if (at < 1 || unknown !== undefined) {
    throw new KeyriteError("usage.bad-option", `--founder ${option} is not CARD=role[,role]`, {
      hints: [
        `roles: ${ROLES.join(", ")}`,
        "for example --founder ana/keyrite/card.json=custodian",
      ],
    });
  }
  const card = parseCard(readBounded(resolve(option.slice(0, at)), 1 << 16));
  return { person: card.person, roles: roles as Role[], card };
}

// Founders come without dates: nobody could act, and so nobody be given one.
function requireNoDates(policy: Policy): void {
  const required = datesRequired(policy);
  if (required.length === 0) return;
  throw new KeyriteError(
    "script.refused",
    `no founder has a date of ${required.join(" or ")} yet`,
    {
      hints: [
        "leave people out of the policy until they do: renew-person gives them dates, change-policy requires them",
      ],
    },
  );
}

function requireFounders(founders: readonly Founder[], assurance: Assurance, policy: Policy): void {
  if (founders.length < 2) {
    throw new KeyriteError("people.quorum-not-met", "a site needs at least two founders", {
      hints: ["repeat --founder CARD=role for each of them"],
    });
  }
  refuseSharedKeys(founders.map((founder) => founder.card));
  for (const { person, roles } of founders) {
    const problem = separationProblem(policy, roles);
    if (problem === undefined) continue;
    throw new KeyriteError("people.role-not-held", `${person}: ${problem}`, {
      hints: ["give each founder roles that the policy lets one person hold"],
    });
  }
  const other = founders.find((founder) => founder.card.assurance !== assurance);
  if (other === undefined) return;
  throw new KeyriteError(
    "people.role-not-held",
    `the identity of ${other.person} is of ${other.card.assurance} assurance, the site of ${assurance}`,
    { hints: ["test sites have origins ending in /test; test identities stay on them"] },
  );
}

interface NewSite {
  readonly genesis: Genesis;
  readonly bytes: Uint8Array;
  readonly policyBytes: Uint8Array;
  readonly bindings: string;
  readonly seed: Uint8Array;
}

function writeSite(folder: string, site: NewSite): void {
  makeFolders(folder);
  const write = (name: string, bytes: Uint8Array, mode: 0o600 | 0o644 = 0o644): void => {
    writeNewFile(join(folder, name), bytes, { mode });
  };
  const { genesis } = site;
  write("genesis.json", site.bytes);
  write("policy.yaml", site.policyBytes);
  write("site.yaml", utf8(site.bindings));
  write("ledger.key", utf8(`${hex(site.seed)}\n`), 0o600);
  write("trust.txt", utf8(`genesis ${genesis.sha256}\n${genesis.ledgerKey}\n`));
  write("genesis-sheet.txt", utf8(genesisSheet(genesis)));
  LedgerStore.create(join(folder, "ledger.db"), genesis.origin);
  makeFolder(join(folder, "outbox"), 0o755);
  makeFolder(join(folder, "share-sets"), 0o755);
}

function announce(folder: string, genesis: Genesis, json: boolean): void {
  tellLine(`Made the site ${genesis.origin} (${genesis.assurance}) in ${folder}.`);
  for (const line of digestLines("Genesis, SHA-256 of genesis.json", genesis.sha256))
    tellLine(line);
  tellLine(
    `Next: print ${join(folder, "genesis-sheet.txt")}; founders and a witness sign it in ink.`,
  );
  tellLine(`Then: keyrite run establish-site --site ${folder}`);
  if (!json) return;
  printJson("init", {
    site: folder,
    origin: genesis.origin,
    assurance: genesis.assurance,
    genesis: genesis.sha256,
    ledgerKey: genesis.ledgerKey,
    founders: genesis.founders.map((founder) => founder.person),
  });
}
