/** Headless Chromium: opens a page from the disk, lets its scripts run, and gives back what became of it. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { tmpdir } from "node:os";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "chrome"];

function executable(): string {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const found = NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(
    existsSync,
  );
  assert.ok(
    found !== undefined,
    "Chromium is needed to open report pages; install it: apt-get install chromium",
  );
  return found;
}

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  // Nothing may leave the machine: whatever a page asks for over the network fails.
  "--host-resolver-rules=MAP * ~NOTFOUND",
];

export class Chromium {
  readonly #folder = mkdtempSync(join(tmpdir(), "keyrite-chromium-"));
  #pages = 0;

  /** The document as it stands after its scripts have run. */
  open(page: string): string {
    this.#pages += 1;
    const file = join(this.#folder, `page-${this.#pages}.html`);
    writeFileSync(file, page);
    const own = [`--user-data-dir=${join(this.#folder, "profile")}`, "--virtual-time-budget=30000"];
    const { status, stdout, stderr } = spawnSync(
      executable(),
      [...FLAGS, ...own, "--dump-dom", `file://${file}`],
      { encoding: "utf8", maxBuffer: 1 << 26, timeout: 120_000 },
    );
    assert.equal(status, 0, stderr);
    return stdout;
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
