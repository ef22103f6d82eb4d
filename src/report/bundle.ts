/**
 * The files of an evidence bundle. Each is made from the ledger and this build alone, so whoever holds the
 * ledger and the build makes the same bytes again, and a bundle is checked by doing just that.
 */

import type { Software } from "../ceremony/plan.ts";
import type { LedgerStore } from "../ledger/store.ts";
import { tileFiles } from "../ledger/tiles.ts";
import { concat, utf8 } from "../lib/encoding.ts";
import { canonicalJson, type JsonObject } from "../lib/json.ts";
import { ARCHIVE, archiveBytes, type PreviousArchive } from "./archive.ts";
import type { BundleReading } from "./bundle-reading.ts";
import type { BundleManifest } from "./bundle-manifest.ts";
import { controlIndexJson } from "./control-index.ts";
import { bundleReadme } from "./bundle-readme.ts";

export interface BundleFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** What a bundle holds beside what its ledger says. */
export interface BundleTool {
  readonly software: Software;
  /** The verifier in Python that goes with every bundle. */
  readonly verifier: Uint8Array;
  /** The report's files, as far as this build prints any. */
  readonly reports: (ledger: LedgerStore, reading: BundleReading) => Iterable<BundleFile>;
}

/** Makes the bundle an archive. */
export interface BundleArchive {
  /** The archive before it; null for the first one. */
  readonly before: PreviousArchive | null;
}

/** Files that another build may write otherwise: told apart when a bundle is checked. */
export function isOfTheTool(path: string): boolean {
  return /^(?:README\.txt|verify\.py|tools\.json|controls\.json|archive\.json|report\.[a-z]+)$/.test(
    path,
  );
}

/** What a bundle holds that neither its ledger nor the build says. */
export interface BundleBeside {
  readonly archive?: BundleArchive | undefined;
  /** Answers of time-stamping authorities, each on a checkpoint of the ledger. */
  readonly stamps?: readonly BundleFile[];
}

/** Every file of a bundle but the ledger and the manifest, one at a time; each path once. */
export function* bundleFiles(
  ledger: LedgerStore,
  reading: BundleReading,
  tool: BundleTool,
  { archive, stamps = [] }: BundleBeside = {},
): Generator<BundleFile> {
  const { genesis, index, history } = reading;
  yield { path: "README.txt", bytes: utf8(bundleReadme(reading)) };
  yield { path: "verify.py", bytes: tool.verifier };
  yield { path: "trust.txt", bytes: utf8(trustCopy(genesis.sha256, genesis.ledgerKey)) };
  const of = { origin: genesis.origin, size: history.size };
  yield { path: "controls.json", bytes: json(controlIndexJson(index, of)) };
  yield { path: "tools.json", bytes: json(toolsJson(reading, tool.software)) };
  if (archive !== undefined) {
    yield { path: ARCHIVE, bytes: archiveBytes(reading, archive.before) };
  }
  yield* checkpointFiles(ledger);
  yield* tileFiles(ledger.entries());
  for (const { sha256, mediaType, bytes } of ledger.attachments()) {
    for (const path of reading.papers.pathsOf(sha256, mediaType)) yield { path, bytes };
  }
  yield* stamps;
  yield* tool.reports(ledger, reading);
}

function json(value: JsonObject): Uint8Array {
  return utf8(canonicalJson(value));
}

/** The newest checkpoint, where tile readers look for it, and every one that somebody cosigned. */
function* checkpointFiles(ledger: LedgerStore): Generator<BundleFile> {
  const lines = new Map<number, string>();
  for (const { size, line } of ledger.cosignatures()) {
    lines.set(size, `${lines.get(size) ?? ""}${line}\n`);
  }
  const signed = (size: number): Uint8Array =>
    concat(utf8(ledger.checkpoint(size) ?? ""), utf8(lines.get(size) ?? ""));
  yield { path: "checkpoint", bytes: signed(ledger.size) };
  for (const size of lines.keys()) yield { path: `checkpoints/${size}`, bytes: signed(size) };
}

/** How the trust file in a bundle begins: whoever is handed it as their own refuses it. */
export const TRUST_COPY = "# A COPY: it came with what it should prove, so it proves nothing.";

function trustCopy(genesis: string, ledgerKey: string): string {
  return [
    TRUST_COPY,
    "# Compare the genesis digest with the sheet that the founders signed in ink.",
    `genesis ${genesis}`,
    ledgerKey,
    "",
  ].join("\n");
}

function toolsJson({ tools, genesis }: BundleReading, exported: Software): JsonObject {
  return {
    keyrite: "tools/v1",
    origin: genesis.origin,
    ceremonies: [...tools],
    bundle: { ...exported },
  };
}

/** What the manifest says of a bundle, all but its files. */
export function manifestOf(
  { genesis, history, root }: BundleReading,
  software: Software,
): Omit<BundleManifest, "files"> {
  return {
    keyrite: "bundle/v1",
    origin: genesis.origin,
    assurance: genesis.assurance,
    size: history.size,
    root,
    cosigned: history.cosigned,
    time: history.lastTime ?? "",
    tool: { ...software },
  };
}
