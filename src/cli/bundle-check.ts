/**
 * Judges a bundle: every file has the digest that the manifest states, nothing is missing or beside it, and
 * whatever follows from the ledger is made again from the ledger and compared.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ACTIONS } from "../actions/index.ts";
import { vocabularyOf } from "../ceremony/action.ts";
import { copyLedger } from "../ledger/copy.ts";
import { LedgerStore } from "../ledger/store.ts";
import { sha256Hex } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { ARCHIVE, LONGEST_ARCHIVE, readArchive, whyNotAfter } from "../report/archive.ts";
import {
  bundleFiles,
  isOfTheTool,
  manifestOf,
  type BundleBeside,
  type BundleFile,
  type BundleTool,
} from "../report/bundle.ts";
import {
  LEDGER,
  MANIFEST,
  readManifest,
  type BundledFile,
  type BundleManifest,
} from "../report/bundle-manifest.ts";
import { readForBundle, type BundleReading } from "../report/bundle-reading.ts";
import type { BundleSource } from "./bundle-source.ts";
import { fileDigest } from "./bundle-write.ts";
import { bundleTool } from "./bundle-tool.ts";
import { stampsIn, whyNoStamp } from "./kept-stamps.ts";

const LONGEST_MANIFEST = 1 << 26;

export interface BundleFinding {
  readonly code: "bundle";
  readonly text: string;
}

export interface BundleVerdict {
  readonly findings: readonly BundleFinding[];
  /** What could not be compared, one sentence each. */
  readonly limits: readonly string[];
}

/** A bundle whose files are those that its manifest lists. */
export interface ListedBundle {
  readonly manifest: BundleManifest | undefined;
  readonly findings: readonly BundleFinding[];
}

/** Compares the files of a bundle with its manifest. Nothing but the manifest is understood yet. */
export function checkListing(source: BundleSource): ListedBundle {
  if (!source.sizes.has(MANIFEST))
    return { manifest: undefined, findings: [finding(`${MANIFEST} is missing`)] };
  const manifest = readManifest(source.read(MANIFEST, LONGEST_MANIFEST));
  if (typeof manifest === "string") return { manifest: undefined, findings: [finding(manifest)] };
  const listed = new Map(manifest.files.map((file) => [file.path, file]));
  const beside = [...source.sizes.keys()].filter((path) => path !== MANIFEST && !listed.has(path));
  const findings = [
    ...beside.map((path) => finding(`${path} is in the bundle, and the manifest does not list it`)),
    ...manifest.files.flatMap((file) => fileFinding(source, file)),
    ...(isOfItsTime(source, manifest) ? [] : [finding("the archive bears another time")]),
    ...(listed.has(LEDGER) ? [] : [finding(`the manifest lists no ${LEDGER}`)]),
  ];
  return { manifest, findings };
}

function isOfItsTime({ time }: BundleSource, manifest: BundleManifest): boolean {
  return time === undefined || time === Math.floor(Date.parse(manifest.time) / 1000);
}

function fileFinding(source: BundleSource, { path, bytes, sha256 }: BundledFile): BundleFinding[] {
  const size = source.sizes.get(path);
  if (size === undefined) return [finding(`${path} is missing`)];
  const same = size === bytes && source.digest(path) === sha256;
  return same ? [] : [finding(`${path} is not the file that the manifest lists`)];
}

/** Of the judgement of a ledger, what a bundle adds to. */
interface Judgement {
  readonly verdict: string;
  readonly findings: readonly { readonly code: string; readonly text: string }[];
  readonly limits: readonly string[];
}

/**
 * Judges a bundle: its files against the manifest, then its ledger as any other, then every file against
 * the ledger. A bundle whose files are not those listed is refused before anything in it is opened.
 * @throws KeyriteError ledger.damaged
 */
export async function judgeBundle<J extends Judgement>(
  source: BundleSource,
  judge: (ledger: string) => Promise<J>,
): Promise<J> {
  const { manifest, findings } = checkListing(source);
  if (manifest === undefined || findings.length > 0) {
    throw new KeyriteError("ledger.damaged", "the bundle is not as it was made", {
      hints: [
        ...findings.slice(0, 5).map(({ text }) => text),
        ...(findings.length > 5 ? [`and ${findings.length - 5} more`] : []),
        "nothing in it was looked at: ask for the bundle again",
      ],
    });
  }
  const judged = await judge(source.ledger());
  const archive = source.sizes.has(ARCHIVE)
    ? readArchive(source.read(ARCHIVE, LONGEST_ARCHIVE))
    : undefined;
  const made = checkDerived(source.ledger(), manifest, bundleTool(), {
    archive,
    stamps: stampsIn(source),
  });
  const all = [...judged.findings, ...made.findings];
  // The spread keeps whatever else the judgement of a ledger says.
  return {
    ...judged,
    verdict: made.findings.length > 0 ? "DAMAGED" : judged.verdict,
    findings: all,
    limits: [...judged.limits, ...made.limits],
  };
}

/** What came with the ledger and does not follow from it. */
interface CameBeside {
  readonly archive: ReturnType<typeof readArchive> | undefined;
  readonly stamps: readonly BundleFile[];
}

/** Makes every file again from the bundle's own ledger, which must have been judged, and compares. */
export function checkDerived(
  ledgerPath: string,
  manifest: BundleManifest,
  tool: BundleTool,
  { archive, stamps }: CameBeside,
): BundleVerdict {
  if (typeof archive === "string") return { findings: [finding(archive)], limits: [] };
  let ledger: LedgerStore | undefined;
  try {
    ledger = LedgerStore.open(ledgerPath);
    const reading = readForBundle(ledger, vocabularyOf(ACTIONS));
    // Of a ledger that is damaged itself the judgement has said so, and nothing follows from it.
    if (reading.findings.length > 0) return { findings: [], limits: [] };
    const made = compare(ledger, reading, manifest, tool, { archive, stamps });
    const gap = archive?.before == null ? undefined : whyNotAfter(ledger, archive.before);
    const judged = judgeStamps(ledger, stamps);
    return {
      findings: [
        ...made.findings,
        ...judged.findings,
        ...(gap === undefined ? [] : [finding(gap)]),
      ],
      limits: [...made.limits, ...judged.limits],
    };
  } catch (error) {
    if (!(error instanceof KeyriteError) || !error.code.startsWith("ledger.")) throw error;
    return { findings: [finding(error.message)], limits: [] };
  } finally {
    ledger?.close();
  }
}

/** Whose the stamps are, only somebody with the authority's root certificate can say. */
function judgeStamps(ledger: LedgerStore, stamps: readonly BundleFile[]): BundleVerdict {
  const findings = stamps.flatMap((stamp) => {
    const why = whyNoStamp(ledger, stamp);
    return why === undefined ? [] : [finding(`${stamp.path}: ${why}`)];
  });
  const limit = `whether the ${stamps.length === 1 ? "authority of the time stamp" : `authorities of the ${stamps.length} time stamps`} in it can be believed: keyrite timestamp verify BUNDLE --root FILE`;
  return { findings, limits: stamps.length === 0 ? [] : [limit] };
}

function compare(
  ledger: LedgerStore,
  reading: BundleReading,
  manifest: BundleManifest,
  tool: BundleTool,
  beside: BundleBeside,
): BundleVerdict {
  const findings: BundleFinding[] = [];
  const others: string[] = [];
  const { software } = tool;
  const sameTool = manifest.tool.sha256 === software.sha256;
  const files = new Map(manifest.files.map((file) => [file.path, file]));
  const judge = (path: string, digest: () => string): void => {
    const listed = files.get(path);
    files.delete(path);
    if (!sameTool && (path === LEDGER || isOfTheTool(path))) others.push(path);
    else if (listed?.sha256 !== digest()) {
      findings.push(finding(`${path} is not what follows from the ledger in the bundle`));
    }
  };
  for (const { path, bytes } of bundleFiles(ledger, reading, tool, beside)) {
    judge(path, () => sha256Hex(bytes));
  }
  judge(LEDGER, () => copyDigest(ledger));
  for (const path of files.keys()) {
    if (!sameTool && isOfTheTool(path)) others.push(path);
    else findings.push(finding(`${path} does not follow from the ledger in the bundle`));
  }
  findings.push(...statements(manifest, reading, tool));
  const { version } = manifest.tool;
  return {
    findings,
    limits:
      others.length === 0
        ? []
        : [
            `that ${others.join(", ")} say other than the ledger: another build wrote them (${version})`,
          ],
  };
}

// Which build made it is its own statement: nothing in the ledger says so.
function statements(
  manifest: BundleManifest,
  reading: BundleReading,
  { software }: BundleTool,
): readonly BundleFinding[] {
  const expected = manifestOf(reading, software);
  const { name, version, sha256 } = manifest.tool;
  const lying =
    sha256 === software.sha256 && (name !== software.name || version !== software.version);
  const names = ["origin", "assurance", "size", "root", "cosigned", "time"] as const;
  return [
    ...(lying ? [finding(`${MANIFEST} gives this build another name or version`)] : []),
    ...names
      .filter((member) => manifest[member] !== expected[member])
      .map((member) => finding(`${MANIFEST} states another ${member} than the ledger has`)),
  ];
}

/** The digest of the ledger as a bundle holds it: one row order, no page that was freed. */
function copyDigest(ledger: LedgerStore): string {
  const folder = mkdtempSync(join(tmpdir(), "keyrite-bundle-"));
  try {
    const path = join(folder, LEDGER);
    copyLedger(ledger, path);
    return fileDigest(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function finding(text: string): BundleFinding {
  return { code: "bundle", text };
}
