/**
 * `keyrite verify`: recomputes a ledger from its bytes and judges it, and whether every ceremony was performed
 * as its script says; says what it cannot exclude.
 */

import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { hex, visible } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { readBounded } from "../lib/files.ts";
import { TRUST_COPY } from "../report/bundle.ts";
import { judgeBundle } from "./bundle-check.ts";
import { openBundle } from "./bundle-source.ts";
import { headGiven, wordsOf } from "./heads-given.ts";
import { judgeLedger, type Judged, type JudgeOptions, type Trust } from "./judge.ts";
import { printJson, printLine } from "./output.ts";
import { siteFolder } from "./site.ts";
import { verdictJson } from "./verify-json.ts";
import { verdictLines } from "./verify-lines.ts";
import { software } from "./package-root.ts";

export interface VerifyOptions {
  readonly site?: string;
  readonly trust?: string;
  readonly words?: string;
  readonly head: readonly string[];
  readonly ceremony?: string;
  readonly verbose?: boolean;
  readonly threads?: string;
  readonly json?: boolean;
}

export async function verify(place: string | undefined, options: VerifyOptions): Promise<void> {
  const judged = await judgePlace(place, options.site, {
    trust: readTrust(options),
    heads: options.head.map(headGiven),
    build: software().sha256,
    ...(options.threads === undefined ? {} : { workers: readThreads(options.threads) }),
  });
  const { ceremony } = options;
  requireKnown(judged, ceremony);
  const view = {
    verbose: options.verbose === true,
    ...(ceremony === undefined ? {} : { ceremony }),
  };
  if (options.json === true) printJson("verify", verdictJson(judged, ceremony));
  else for (const line of verdictLines(judged, view)) printLine(line);
  refuse(judged);
}

/** More threads than this have nothing left to do. */
const MOST_THREADS = 16;

function readThreads(text: string): number {
  const count = /^\d{1,2}$/.test(text) ? Number(text) : NaN;
  if (count <= MOST_THREADS) return count;
  throw new KeyriteError(
    "usage.bad-option",
    `--threads ${visible(text)} is not 0 to ${MOST_THREADS}`,
  );
}

function requireKnown({ conformance }: Judged, ceremony: string | undefined): void {
  const known = conformance?.ceremonies ?? [];
  if (ceremony === undefined || conformance === null) return;
  if (known.some(({ id }) => id === ceremony)) return;
  throw new KeyriteError("usage.bad-option", `the ledger holds no ceremony ${ceremony}`, {
    hints: known.slice(-5).map(({ id }) => `it holds ${visible(id)}`),
  });
}

/** Whatever does not verify is the auditor's to act on; what only cannot be told is not refused. */
function refuse(judged: Judged): void {
  const { findings, conformance } = judged;
  if (findings.length > 0) {
    const cannotTell = judged.verdict === "CANNOT TELL";
    throw new KeyriteError(
      "ledger.damaged",
      cannotTell ? "the ledger lacks what a verdict needs" : "the ledger does not verify",
      { hints: findings.slice(0, 3).map(({ text }) => text) },
    );
  }
  if (conformance === null) return;
  const lost = conformance.ceremonies
    .flatMap(({ missing }) => missing)
    .filter(({ code }) => code === "attachment");
  if (lost.length > 0) {
    const hints = lost.slice(0, 3).map(({ text }) => text);
    throw new KeyriteError("ledger.damaged", "the ledger lacks what a verdict needs", { hints });
  }
  if (conformance.verdict !== "DOES NOT CONFORM") return;
  const all = [
    ...conformance.violations,
    ...conformance.ceremonies.flatMap(({ violations }) => violations),
  ];
  throw new KeyriteError(
    "ledger.not-conforming",
    "what the ledger records was not performed as its scripts say",
    {
      hints: all
        .slice(0, 3)
        .map(({ seq, text }) => (seq === null ? text : `entry ${seq}: ${text}`)),
    },
  );
}

/** Judges a ledger, or a bundle with the ledger in it. */
async function judgePlace(
  place: string | undefined,
  site: string | undefined,
  options: JudgeOptions,
): Promise<Judged> {
  const bundle = place === undefined ? undefined : openBundle(resolve(place));
  if (bundle === undefined) return judgeLedger(ledgerPath(place, site), options);
  try {
    return await judgeBundle(bundle, (ledger) => judgeLedger(ledger, options));
  } finally {
    bundle.close();
  }
}

function ledgerPath(place: string | undefined, site: string | undefined): string {
  const path = place === undefined ? siteFolder(site) : resolve(place);
  if (!existsSync(path)) throw new KeyriteError("ledger.missing", `there is no ledger at ${path}`);
  return statSync(path).isDirectory() ? join(path, "ledger.db") : path;
}

/** A trust file: `genesis <sha256>` and note verifier keys, one a line; or the words of the sheet. */
export function readTrust(options: Pick<VerifyOptions, "trust" | "words">): Trust | undefined {
  if (options.words !== undefined) return { genesis: fromWords(options.words), keys: [] };
  if (options.trust === undefined) return undefined;
  const all = new TextDecoder().decode(readBounded(options.trust, 1 << 16)).split("\n");
  if (all.includes(TRUST_COPY)) {
    throw new KeyriteError(
      "usage.bad-file",
      `${options.trust} came out of a bundle: it cannot vouch for what it came with`,
      {
        hints: [
          "use the trust file that you kept yourself, or --words with the words of the signed genesis sheet",
        ],
      },
    );
  }
  const lines = all.filter((line) => line !== "" && !line.startsWith("#"));
  const [named = "", ...more] = lines.filter((line) => line.startsWith("genesis "));
  const genesis = /^genesis ([0-9a-f]{64})$/.exec(named)?.[1];
  if (genesis === undefined || more.length > 0) {
    throw new KeyriteError(
      "usage.bad-file",
      `${options.trust} is no trust file: it must hold one line "genesis <sha256>"`,
      { hints: ["use trust.txt as keyrite init wrote it, compared with the genesis sheet"] },
    );
  }
  return { genesis, keys: lines.filter((line) => !line.startsWith("genesis ")) };
}

function fromWords(text: string): string {
  const hint = "type the 32 words of the genesis digest as they stand on the sheet";
  return hex(wordsOf(text.split(/\s+/).filter(Boolean), hint));
}
