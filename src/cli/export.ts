/** `keyrite export`: the evidence bundle of a ledger, as a folder and as one .tar. */

import { existsSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { ACTIONS } from "../actions/index.ts";
import { vocabularyOf } from "../ceremony/action.ts";
import { LedgerStore } from "../ledger/store.ts";
import { visible } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { digestLines } from "../ceremony/spoken.ts";
import { readForBundle, type BundleReading } from "../report/bundle-reading.ts";
import { whyNotAfter } from "../report/archive.ts";
import type { BundleArchive, BundleFile } from "../report/bundle.ts";
import { bundleTool } from "./bundle-tool.ts";
import { packBundle, writeBundle } from "./bundle-write.ts";
import { stampsBelow, whyNoStamp } from "./kept-stamps.ts";
import { printJson, printLine, tellLine } from "./output.ts";
import { siteFolder } from "./site.ts";

export interface ExportOptions {
  readonly site?: string;
  readonly ledger?: string;
  readonly tar?: string;
  readonly json?: boolean;
  /** Makes it an archive. */
  readonly archive?: BundleArchive;
}

/** @throws KeyriteError ledger.damaged for a ledger that does not verify; site.file-exists, site.* */
export async function exportBundle(place: string, options: ExportOptions): Promise<void> {
  const folder = resolve(place);
  const ledger = LedgerStore.open(ledgerFile(options));
  try {
    const reading = readForBundle(ledger, vocabularyOf(ACTIONS));
    requireSound(reading);
    if (options.archive !== undefined) requireClosed(ledger, reading, options.archive);
    const stamps = stampsBelow(dirname(ledgerFile(options)));
    requireStamps(ledger, stamps);
    const beside = { archive: options.archive, stamps };
    const written = await writeBundle(folder, ledger, reading, bundleTool(), beside);
    const tar = options.tar === undefined ? undefined : resolve(options.tar);
    const tarSha256 = tar === undefined ? null : packed(folder, written, tar, reading);
    const { history, genesis } = reading;
    for (const { text } of history.findings.slice(0, 3)) tellLine(`FINDING ${visible(text)}`);
    if (options.json === true) {
      printJson(options.archive === undefined ? "export" : "archive", {
        folder,
        bundle: written.sha256,
        tar: tar === undefined ? null : { file: tar, sha256: tarSha256 },
        origin: genesis.origin,
        size: history.size,
        root: reading.root,
        cosigned: history.cosigned,
        files: written.files.length,
        findings: history.findings.length,
        ...(options.archive === undefined ? {} : { number: archiveNumber(options.archive) }),
      });
      return;
    }
    if (options.archive !== undefined) printLine(`Archive ${archiveNumber(options.archive)}`);
    printLine(
      `Bundle of ${visible(genesis.origin)}, ${history.size} entries, in ${visible(folder)}`,
    );
    printLine(
      `${written.files.length} files${tar === undefined ? "" : `, packed in ${visible(tar)}`}`,
    );
    for (const line of digestLines("Bundle", written.sha256)) printLine(line);
    if (history.cosigned < history.size) {
      printLine(`Entries ${history.cosigned} to ${history.size - 1} are not cosigned by anybody`);
    }
  } finally {
    ledger.close();
  }
}

// A bundle with an answer on something else would be refused by whoever verifies it.
function requireStamps(ledger: LedgerStore, stamps: readonly BundleFile[]): void {
  for (const stamp of stamps) {
    const why = whyNoStamp(ledger, stamp);
    if (why === undefined) continue;
    throw new KeyriteError("usage.bad-file", `${stamp.path} is none of this ledger's: ${why}`, {
      hints: [
        "move the file out of the site's folder; keyrite timestamp accept puts there what fits",
      ],
    });
  }
}

function packed(
  folder: string,
  written: Parameters<typeof packBundle>[1],
  tar: string,
  { history }: BundleReading,
): string {
  try {
    return packBundle(folder, written, tar, history.lastTime ?? "");
  } catch (error) {
    // The folder alone is a whole bundle, but not what was asked for: a retry must not find it in its way.
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function archiveNumber({ before }: BundleArchive): number {
  return (before?.number ?? 0) + 1;
}

/** A period is closed when nothing in it is open and people have cosigned its end. */
function requireClosed(
  ledger: LedgerStore,
  { history }: BundleReading,
  { before }: BundleArchive,
): void {
  if (history.open !== null) {
    throw new KeyriteError("halted.ceremony-open", `ceremony ${history.open.id} is open`, {
      hints: ["a period is archived between ceremonies: end it first, keyrite run --resume"],
    });
  }
  if (history.cosigned < history.size) {
    throw new KeyriteError(
      "ledger.not-trusted",
      `entries ${history.cosigned} to ${history.size - 1} are not cosigned, so no period ends here`,
      { hints: ["the next roll call adopts them and the next close cosigns them"] },
    );
  }
  const gap = before === null ? undefined : whyNotAfter(ledger, before);
  if (gap === undefined) return;
  throw new KeyriteError(
    "ledger.forked",
    `the archive does not go on from the one before: ${gap}`,
    {
      hints: ["stop: either that archive is of another ledger, or this ledger was rewritten"],
    },
  );
}

function ledgerFile({ ledger, site }: ExportOptions): string {
  const path = ledger === undefined ? siteFolder(site) : resolve(ledger);
  if (!existsSync(path)) throw new KeyriteError("ledger.missing", `there is no ledger at ${path}`);
  return statSync(path).isDirectory() ? join(path, "ledger.db") : path;
}

function requireSound({ findings }: BundleReading): void {
  if (findings.length === 0) return;
  throw new KeyriteError(
    "ledger.damaged",
    "the ledger does not verify, so no bundle of it is made",
    {
      hints: [
        ...findings.slice(0, 3).map(({ text }) => text),
        "hand the auditor the file ledger.db as it is; keyrite verify names every finding",
      ],
    },
  );
}
