/** `keyrite doctor`: what is wrong with this machine or site, and what to do about it. */

import { existsSync, statfsSync } from "node:fs";
import { join } from "node:path";
import type { History } from "../ceremony/history.ts";
import { KeyriteError, messageOf } from "../lib/errors.ts";
import { visible } from "../lib/encoding.ts";
import { printJson, printLine } from "./output.ts";
import { software } from "./package-root.ts";
import { siteFolder } from "./site.ts";
import { swapWarning } from "./swap.ts";
import { environment } from "./system.ts";

export interface DoctorOptions {
  readonly site?: string;
  readonly json?: boolean;
}

interface Check {
  readonly name: string;
  /** False when ceremonies cannot be held, or not safely, until it is mended. */
  readonly ok: boolean;
  /** True when people should know of it, and may go on. */
  readonly warning: boolean;
  readonly text: string;
  readonly hints: readonly string[];
}

/** Room for the closing entries of a ceremony many times over. */
const LEAST_FREE_BYTES = 64 * 1024 * 1024;

/** Files by which a folder is known to be, or to have been, a site. */
const OF_A_SITE = ["genesis.json", "ledger.db", "ledger.key", "site.yaml", "policy.yaml"];

const SOFTHSM_PATHS = [
  "/usr/lib/softhsm/libsofthsm2.so",
  "/usr/lib64/pkcs11/libsofthsm2.so",
  "/usr/local/lib/softhsm/libsofthsm2.so",
  "/opt/homebrew/lib/softhsm/libsofthsm2.so",
];

export async function doctor(options: DoctorOptions): Promise<void> {
  const folder = siteFolder(options.site);
  const checks: Check[] = [
    await attempt("build", () => {
      const { name, version, sha256 } = software();
      return `${name} ${version}, build ${sha256}`;
    }),
    await attempt("node", () => `Node ${process.versions.node}`),
    await attempt("pkcs11js", async () => {
      await import("../hsm/hsm.ts");
      return "the PKCS#11 addon loads";
    }),
    await attempt("better-sqlite3", async () => {
      await import("../ledger/store.ts");
      return "the SQLite addon loads";
    }),
    await attempt("softhsm", findSoftHsm),
    swapCheck(swapWarning()),
  ];
  // Of a site that lost its genesis, or that cannot be looked into, the other checks say nothing at all.
  const isNamed = (options.site ?? environment("KEYRITE_SITE")) !== undefined;
  const named = isNamed || OF_A_SITE.some((name) => existsSync(join(folder, name)));
  if (named) checks.push(...(await siteChecks(folder)));
  const ok = checks.every((check) => check.ok);
  if (options.json === true) {
    printJson("doctor", {
      ok,
      checks: checks.map((c) => ({ ...c, hints: [...c.hints] })),
    });
  } else {
    for (const line of checks.flatMap(checkLines)) printLine(line);
  }
  if (!ok)
    throw new KeyriteError(
      "usage.refused",
      "something needs attention; see the lines that say FAIL",
    );
}

/** What the room reads of a check. */
export function checkLines({ name, ok, warning, text, hints }: Check): readonly string[] {
  const word = ok ? (warning ? "WARN" : "ok  ") : "FAIL";
  return [
    `${word}  ${name.padEnd(14)}  ${visible(text)}`,
    ...hints.map((hint) => `      hint: ${visible(hint)}`),
  ];
}

/** The check of swap: a machine that swaps in the clear can hold ceremonies, but everybody should know. */
export function swapCheck(warning: string | undefined): Check {
  const text = warning ?? "nothing is swapped in the clear";
  return { name: "swap", ok: true, warning: warning !== undefined, text, hints: [] };
}

async function siteChecks(folder: string): Promise<readonly Check[]> {
  const { openSite, readSite } = await import("./site.ts");
  const { readModuleFile } = await import("../hsm/module-file.ts");
  const checks = [
    await attempt("site", () => {
      const site = readSite(folder);
      return `${site.genesis.origin} (${site.genesis.assurance})`;
    }),
    await attempt("ledger", () => {
      const site = openSite(folder, { write: false, signatures: "all" });
      site.ledger.close();
      return ledgerSaid(site.history);
    }),
    await attempt("files", () => checkFiles(folder)),
    await attempt("disk", () => {
      const { bavail, bsize } = statfsSync(folder);
      const free = bavail * bsize;
      if (free < LEAST_FREE_BYTES) {
        throw new KeyriteError("site.disk", `only ${Math.floor(free / 1048576)} MiB are free`, {
          hints: ["a ceremony stops when its record cannot be written: make room first"],
        });
      }
      return `${Math.floor(free / 1048576)} MiB free`;
    }),
  ];
  const modules = await attempt("site.yaml", () => String(readSite(folder).bindings.modules.size));
  if (!modules.ok) return checks;
  for (const [name, module] of readSite(folder).bindings.modules) {
    checks.push(
      await attempt(
        `module ${name}`,
        async () => `SHA-256 ${(await readModuleFile(module.path)).digest}`,
      ),
    );
  }
  return checks;
}

/** What the check of the ledger says: entries that verify are not yet entries that are believed. */
export function ledgerSaid({
  size,
  findings,
}: Pick<History, "size" | "findings">): string | Warned {
  const [first] = findings;
  if (first === undefined) return `${size} entries verify; clock and policy agree with them`;
  const text = `${size} entries verify, ${findings.length} of them not believed: ${first.text}`;
  return { text, hints: ["keyrite verify says of each what came of it"] };
}

async function checkFiles(folder: string): Promise<string> {
  const { openSite } = await import("./site.ts");
  const { siteFiles } = await import("./site-files.ts");
  const { countedFiles, lostFiles } = await import("./site-file-check.ts");
  const { ledger, history } = openSite(folder, { write: false });
  ledger.close();
  const lost = await lostFiles(siteFiles(folder), history.custody);
  const [first] = lost;
  if (first === undefined) {
    return `${countedFiles(history.custody)} files of share sets and KEKs are as recorded`;
  }
  const more = lost.length > 1 ? `, and ${lost.length - 1} more` : "";
  throw new KeyriteError("ledger.damaged", `${first}${more}`, {
    hints: [
      ...lost.slice(1, 5),
      "copy it from a backup of the site's folder; each holder's medium has sealed.age, each backup its envelopes",
    ],
  });
}

function findSoftHsm(): string {
  const path = SOFTHSM_PATHS.find((candidate) => existsSync(candidate));
  if (path !== undefined) return path;
  throw new KeyriteError("hsm.module-unavailable", "SoftHSM is not installed", {
    hints: ["needed for the demo and for rehearsals: apt-get install softhsm2, or bin/setup"],
  });
}

type Warned = Pick<Check, "text" | "hints">;

async function attempt(
  name: string,
  act: () => string | Warned | Promise<string | Warned>,
): Promise<Check> {
  try {
    const said = await act();
    const isPlain = typeof said === "string";
    const { text, hints } = isPlain ? { text: said, hints: [] } : said;
    return { name, ok: true, warning: !isPlain, text, hints };
  } catch (error) {
    const hints = error instanceof KeyriteError ? error.hints : [addonHint(error)];
    return { name, ok: false, warning: false, text: messageOf(error), hints };
  }
}

function addonHint(error: unknown): string {
  return /bindings|NODE_MODULE_VERSION|ERR_DLOPEN|\.node/.test(messageOf(error))
    ? "build the addons for this Node: npm run setup (or npm install -g --allow-scripts=pkcs11js,better-sqlite3)"
    : "run again with --debug and report it";
}
