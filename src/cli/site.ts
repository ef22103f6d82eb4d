/** A site's folder: its files read once, its permissions judged, its ledger verified and folded. */

import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { setFlagsFromString } from "node:v8";
import { ACTIONS } from "../actions/index.ts";
import { vocabularyOf, type Vocabulary } from "../ceremony/action.ts";
import { readBindings, type Bindings } from "../ceremony/bindings.ts";
import { readGenesis, type Genesis } from "../ceremony/genesis.ts";
import type { History } from "../ceremony/history.ts";
import { HistoryFold } from "../ceremony/history-fold.ts";
import { readPolicy, type Policy } from "../ceremony/policy.ts";
import type { StatusHistory } from "../ceremony/status-history.ts";
import { timestamp } from "../lib/clock.ts";
import { sha256Hex } from "../lib/encoding.ts";
import { signingKeyFromSeed, type SigningKey } from "../lib/ed25519.ts";
import { KeyriteError } from "../lib/errors.ts";
import { checkOnlyOwnerWrites, readBounded } from "../lib/files.ts";
import { parseVerifierKey } from "../lib/note.ts";
import { fromHexBytes } from "../lib/secret-text.ts";
import { LedgerStore } from "../ledger/store.ts";
import { verifyLedger } from "../ledger/verify.ts";
import { tellLine } from "./output.ts";
import { keepStatus, keptStatus } from "./status-cache.ts";
import { environment, holder, systemClock } from "./system.ts";

const MEBIBYTE = 1 << 20;
const LINE_FEED = 0x0a;

export interface Site {
  readonly folder: string;
  readonly genesis: Genesis;
  readonly genesisBytes: Uint8Array;
  readonly policy: Policy;
  readonly policyBytes: Uint8Array;
  readonly bindings: Bindings;
}

export interface OpenSite extends Site {
  readonly ledger: LedgerStore;
  readonly fold: HistoryFold;
  readonly history: History;
  readonly vocabulary: Vocabulary;
}

/** The folder a command works on: --site, else KEYRITE_SITE, else the current directory. */
export function siteFolder(option: string | undefined): string {
  return resolve(option ?? environment("KEYRITE_SITE") ?? ".");
}

/**
 * Reads a site's files.
 * @throws KeyriteError site.missing, site.permissions, ledger.damaged, site.bindings, script.refused
 */
export function readSite(folder: string): Site {
  if (!existsSync(join(folder, "genesis.json"))) {
    throw new KeyriteError("site.missing", `${folder} is not a site: it has no genesis.json`, {
      hints: ["name the site with --site DIR or KEYRITE_SITE", "make one with keyrite init"],
    });
  }
  checkOnlyOwnerWrites(folder);
  const genesisBytes = readBounded(join(folder, "genesis.json"), MEBIBYTE);
  const policyBytes = readBounded(join(folder, "policy.yaml"), MEBIBYTE);
  return {
    folder,
    genesis: readGenesis(genesisBytes),
    genesisBytes,
    policyBytes,
    policy: readPolicy(policyBytes, "policy.yaml"),
    bindings: readBindings(readBounded(join(folder, "site.yaml"), MEBIBYTE), folder),
  };
}

export interface OpenOptions {
  /** Takes the exclusive lock, and verifies the signature of every checkpoint. */
  readonly write: boolean;
  /** The same for a reader; else the newest one's, which covers every entry, is enough to look. */
  readonly signatures?: "all";
}

// V8 optimizes what ran for a few milliseconds, on a second core at best. Commands that only look end before that
// has paid: a tenth of the time of `check` went there. What runs fifteen times as long is optimized still.
const LATER_OPTIMIZING = "--interrupt-budget=1000000";

/** Opens the site's ledger, verifies it and folds it. */
export function openSite(folder: string, options: OpenOptions): OpenSite {
  if (!options.write) setFlagsFromString(LATER_OPTIMIZING);
  const site = readSite(folder);
  const path = join(folder, "ledger.db");
  const ledger = options.write
    ? LedgerStore.open(path, {
        write: { clock: systemClock, key: readLedgerKey(folder), holder: holder(), reserve: true },
      })
    : LedgerStore.open(path);
  tellRolledBack(ledger);
  try {
    const vocabulary = vocabularyOf(ACTIONS);
    const signatures = options.write ? "all" : (options.signatures ?? "newest");
    const fold = foldLedger(ledger, site, vocabulary, signatures);
    const policy = adoptedPolicy(site, fold.history, ledger);
    requireClock(fold.history);
    return { ...site, ...policy, ledger, fold, history: fold.history, vocabulary };
  } catch (error) {
    ledger.close();
    throw error;
  }
}

// What a power cut leaves, and what somebody plants who wants the last entry gone: it is never done in silence.
function tellRolledBack({ rolledBack, size }: LedgerStore): void {
  if (!rolledBack) return;
  tellLine(
    `An unfinished write lay beside the ledger and was rolled back: the ledger has ${size} entries now.`,
  );
}

/** A site as `status` looks at it. */
export interface SiteToLookAt extends Site {
  readonly ledger: LedgerStore;
  readonly history: StatusHistory;
}

/**
 * As `openSite`, for looking only: what a ceremony kept of a large ledger is taken for the fold when it fits.
 * @param anew never does that
 */
export function openToLookAt(folder: string, anew: boolean): SiteToLookAt {
  if (anew) return openSite(folder, { write: false });
  const site = readSite(folder);
  const ledger = LedgerStore.open(join(folder, "ledger.db"));
  tellRolledBack(ledger);
  const history = keptStatus(site, ledger);
  if (history === undefined) {
    ledger.close();
    return openSite(folder, { write: false });
  }
  try {
    requireAdoptedPolicy(site, history);
    requireClock(history);
    return { ...site, ledger, history };
  } catch (error) {
    ledger.close();
    throw error;
  }
}

/**
 * Keeps what `openToLookAt` looks at; a site that is open for writing has the key for it. The ceremony is over:
 * a disk that has no room for this loses nothing but time.
 */
export function keepToLookAt(site: OpenSite): void {
  try {
    keepStatus(site, site.ledger, site.history, readLedgerKey(site.folder));
  } catch (error) {
    if (!(error instanceof KeyriteError)) throw error;
    tellLine(`The status was not kept, so the next look at it takes longer: ${error.message}`);
  }
}

/**
 * Verifies every entry of a ledger against its newest checkpoint, and folds it into its history.
 * @throws KeyriteError ledger.damaged with the first findings
 */
export function foldLedger(
  ledger: LedgerStore,
  { genesis, policy }: Pick<Site, "genesis" | "policy">,
  vocabulary: Vocabulary,
  signatures: "all" | "newest",
): HistoryFold {
  const fold = new HistoryFold({
    genesis,
    vocabulary,
    policy,
    attachment: (sha256) => ledger.attachment(sha256)?.bytes,
    cosignatures: {
      checkpoint: (size) => ledger.checkpoint(size),
      cosignatures: (size) => ledger.cosignatures(size).map(({ line }) => line),
    },
  });
  const verdict = verifyLedger(ledger, {
    origin: genesis.origin,
    key: parseVerifierKey(genesis.ledgerKey),
    signatures,
    visit: (entry, _, root) => {
      fold.take(entry, root);
    },
  });
  if (verdict.findings.length > 0) {
    throw new KeyriteError("ledger.damaged", "the ledger does not verify: nothing is done on it", {
      hints: [
        ...verdict.findings.slice(0, 5).map(({ text }) => text),
        "keyrite verify lists everything; call the auditor",
      ],
    });
  }
  if (verdict.size > 0 && fold.history.custody.people.size === 0) {
    throw new KeyriteError("ledger.not-trusted", "the ledger was not founded by this genesis", {
      hints: fold.history.findings.slice(0, 5).map(({ text }) => text),
    });
  }
  return fold;
}

/**
 * The policy in force. A change that was interrupted has put the new copy in place already, and people have not
 * decided yet what becomes of it.
 * @throws KeyriteError ledger.policy-differs for any other copy
 */
function adoptedPolicy(
  site: Site,
  history: History,
  ledger: LedgerStore,
): Pick<Site, "policy" | "policyBytes"> {
  const { policy, policyBytes } = site;
  const doubts = [...(history.open?.unsettled.values() ?? [])];
  if (doubts.some(({ intent }) => intent["sha256"] === policy.sha256)) {
    const bytes = ledger.attachment(history.custody.policy ?? site.genesis.policy)?.bytes;
    if (bytes !== undefined) {
      return { policyBytes: bytes, policy: readPolicy(bytes, "policy.yaml") };
    }
  }
  requireAdoptedPolicy(site, history);
  return { policy, policyBytes };
}

/** The policy in force is the one the ledger adopted; the file is only a copy for people. */
function requireAdoptedPolicy(site: Site, history: Pick<History, "custody">): void {
  const adopted = history.custody.policy ?? site.genesis.policy;
  if (site.policy.sha256 === adopted) return;
  throw new KeyriteError(
    "ledger.policy-differs",
    "policy.yaml is not the policy that the ledger adopted",
    {
      hints: [
        `adopted SHA-256: ${adopted}`,
        `policy.yaml:     ${sha256Hex(site.policyBytes)}`,
        "put the adopted file back; a policy changes only by the ceremony change-policy",
      ],
    },
  );
}

function requireClock(history: Pick<History, "lastTime">): void {
  const now = timestamp(systemClock.now());
  if (history.lastTime === null || history.lastTime <= now) return;
  throw new KeyriteError(
    "site.clock",
    `the clock of this machine (${now}) is behind the last entry of the ledger (${history.lastTime})`,
    { hints: ["set the clock in UTC, with two people watching, and try again"] },
  );
}

/**
 * The ledger's signing key: 32 bytes in hex, readable by the owner alone.
 * @throws KeyriteError site.missing, site.permissions
 */
function readLedgerKey(folder: string): SigningKey {
  const path = join(folder, "ledger.key");
  if (!existsSync(path)) {
    throw new KeyriteError(
      "site.missing",
      "the site has no ledger.key, so nothing can be recorded",
      {
        hints: ["verify and status work without it; look for the backup of the site's folder"],
      },
    );
  }
  if ((statSync(path).mode & 0o077) !== 0) {
    throw new KeyriteError("site.permissions", "ledger.key can be read by others than its owner", {
      hints: [`chmod 600 ${path}`, "if somebody may have copied it, tell the auditor"],
    });
  }
  const text = readBounded(path, 1024);
  const seed = fromHexBytes(text.at(-1) === LINE_FEED ? text.subarray(0, -1) : text);
  text.fill(0);
  if (seed?.length !== 32) {
    throw new KeyriteError("site.missing", "ledger.key does not hold a ledger key");
  }
  const key = signingKeyFromSeed(seed);
  seed.fill(0);
  return key;
}
