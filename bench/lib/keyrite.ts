/** The real command on real test sites, as the benchmarks run it. */

import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { timed, type Side } from "../harness.ts";

const ROOT = join(import.meta.dirname, "..", "..");

export const KEYRITE = join(ROOT, "bin", "keyrite.js");
export const CEREMONIES = join(ROOT, "ceremonies");

/** File systems that lie in memory (linux/magic.h): tmpfs and ramfs. */
const IN_MEMORY: readonly number[] = [0x01021994, 0x858458f6];

/** A whole process of Node, from start to end. @throws Error when it does not end with 0. */
export function node(...args: readonly string[]): Side {
  return timed(() => {
    const { status } = spawnSync(process.execPath, args, { stdio: "ignore" });
    if (status !== 0) throw new Error(`node ${args.join(" ")} ended with ${String(status)}`);
  });
}

/**
 * Runs `body` with a new folder on a disk, which is removed afterwards: the system's folder for such
 * things, or one beside the project's packages where that lies in memory.
 */
export async function onDisk<T>(body: (folder: string) => T | Promise<T>): Promise<T> {
  const system = tmpdir();
  const inMemory = IN_MEMORY.includes(statfsSync(system).type);
  const place = inMemory ? join(ROOT, "node_modules") : system;
  process.stdout.write(`working in ${place}\n`);
  const folder = mkdtempSync(join(place, "keyrite-bench-"));
  try {
    return await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Standard output of a keyrite command. @throws Error with all it said when it does not end with 0. */
export function keyrite(...args: readonly string[]): string {
  const options = { encoding: "utf8", maxBuffer: 1 << 26 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [KEYRITE, ...args], options);
  if (status === 0) return stdout;
  throw new Error(`keyrite ${args.join(" ")} ended with ${String(status)}\n${stdout}\n${stderr}`);
}

/**
 * A site in `folder` on which these ceremonies, and all that must come before them, were performed by the
 * real commands; after `prepare-backup` generate-root-ca can be.
 * @returns the site's folder; the people's media lie beside it
 */
export function prepareSite(folder: string, ceremony = "prepare-backup"): string {
  keyrite("demo", ceremony, "--out", join(folder, "prepared"));
  return join(folder, "prepared", "site");
}

/** Options that generate-root-ca needs besides its defaults. */
export const ROOT_CA: readonly string[] = [
  ...["--set", "key=root-g1"],
  ...["--set", "subject=CN=Demo Root G1,O=Example,C=DE"],
  ...["--set", "algorithm=p-384"],
];

export interface Ceremony {
  /** Wall-clock time of the whole process, milliseconds. */
  readonly wallMs: number;
  readonly timings: { readonly pkcs11Ms: number; readonly kdfMs: number; readonly waitMs: number };
  readonly peakRssMiB: number;
}

/** Performs generate-root-ca, rehearsed, on a fresh copy of a prepared site. */
export function performRootCa(folder: string): Ceremony {
  const copy = join(folder, "copy");
  cpSync(join(folder, "prepared"), copy, { recursive: true });
  try {
    const answers = join(CEREMONIES, "generate-root-ca", "answers.yaml");
    const place = ["--site", join(copy, "site"), "--answers", answers, "--json"];
    const begun = performance.now();
    const printed = keyrite("run", "generate-root-ca", ...place, ...ROOT_CA);
    const wallMs = performance.now() - begun;
    return { wallMs, ...(JSON.parse(printed) as Omit<Ceremony, "wallMs">) };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
