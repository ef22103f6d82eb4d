/**
 * The ledger's reader and its threads, bundled as they are shipped: a thread has a program of its own, and Node
 * reads no TypeScript there.
 */

import { build } from "esbuild";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { LedgerStore } from "../../src/ledger/store.ts";
import type { verifyLedgerInThreads } from "../../src/ledger/verify-threads.ts";
import type { verifyLedger } from "../../src/ledger/verify.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const EXPORTS = `
export { LedgerStore } from "./src/ledger/store.ts";
export { verifyLedger } from "./src/ledger/verify.ts";
export { verifyLedgerInThreads } from "./src/ledger/verify-threads.ts";
`;

export interface BundledLedger {
  readonly LedgerStore: typeof LedgerStore;
  readonly verifyLedger: typeof verifyLedger;
  readonly verifyLedgerInThreads: typeof verifyLedgerInThreads;
}

/** Bundles into a folder that is removed after the test file. */
export async function bundledLedger(t: { after(done: () => void): void }): Promise<BundledLedger> {
  const folder = mkdtempSync(join(tmpdir(), "keyrite-threads-"));
  t.after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  // Packages stay outside of a bundle and are found beside it.
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  const common = { absWorkingDir: ROOT, bundle: true, packages: "external" } as const;
  const main = join(folder, "ledger.mjs");
  await build({
    ...{ ...common, platform: "node", format: "esm", outfile: main },
    stdin: { contents: EXPORTS, resolveDir: ROOT },
  });
  await build({
    ...{ ...common, platform: "node", format: "cjs" },
    entryPoints: ["src/ledger/verify-worker.ts"],
    outfile: join(folder, "verify-worker.cjs"),
  });
  return (await import(pathToFileURL(main).href)) as BundledLedger;
}
