/**
 * Performs a ceremony on a disk that becomes full, once for each number of free KiB that it is told, and goes on
 * with it when there is room again. It mounts its disks itself, so it runs in a mount namespace of its own; of each
 * disk it says what came, one line of JSON.
 */

import { spawnSync } from "node:child_process";
import { rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { assertSound, heldBy, ledgerOf, straysAmong } from "./crash-look.ts";
import { CrashSite, module, shim } from "./crash-site.ts";
import { newFolder, siteAt } from "./rehearsed-site.ts";

/** What came of one disk. */
export interface FullDisk {
  readonly free: number;
  /** Of the run that found it full. */
  readonly first: string;
  /** Whether that was in the middle of the ceremony. */
  readonly midway: boolean;
  readonly inDoubt: boolean;
  /** Entries that were there before, and are gone. */
  readonly lost: number;
  readonly closed: boolean;
  /** What is wrong behind the run that had room again. */
  readonly wrong: readonly string[];
}

const CEREMONY = "generate-issuing-keys";
const DISK = "48m";

const { folder } = siteAt("initialized", module);

async function filled(free: number): Promise<FullDisk> {
  const disk = newFolder();
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${DISK}`, "tmpfs", disk]);
  if (mounted.status !== 0) throw new Error(mounted.stderr.toString());
  try {
    const crash = new CrashSite({ ceremony: CEREMONY, folder, options: [] }, disk);
    const before = ledgerOf(crash.site).texts;
    const filler = join(disk, "filler");
    const { bavail, bsize } = statfsSync(disk);
    writeFileSync(filler, Buffer.alloc(bavail * bsize - free * 1024, 1));
    const { ran } = await crash.run();
    rmSync(filler);
    const found = ledgerOf(crash.site);
    const lost = before.filter((text, seq) => found.texts[seq] !== text).length;
    const wrong: string[] = [];
    if (ran.code !== 0) {
      const again =
        found.open === null
          ? await crash.run()
          : await crash.resume(found.open, ["finish", "undo"]);
      if (again.ran.code !== 0) wrong.push(again.ran.stderr);
    }
    const { custody, ceremonies } = ledgerOf(crash.site);
    const strays = straysAmong(await heldBy(crash.site, shim, custody), custody);
    wrong.push(...strays.orphans, ...strays.duplicates, ...strays.missing);
    await assertSound(crash.site);
    return {
      ...{
        free,
        lost,
        wrong,
        midway: found.open !== null,
        inDoubt: (found.open?.unsettled.size ?? 0) > 0,
      },
      first:
        ran.code === 0
          ? "closed"
          : (/\((\S+), exit \d\)/.exec(ran.stderr)?.[1] ?? `${String(ran.signal)} ${ran.stderr}`),
      closed: ceremonies.at(-1)?.state === "closed",
    };
  } finally {
    spawnSync("umount", ["-l", disk]);
  }
}

for (const free of process.argv.slice(2)) {
  process.stdout.write(`${JSON.stringify(await filled(Number(free)))}\n`);
}
