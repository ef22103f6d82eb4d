/** Making durable what a software token wrote: such tokens write files and sync none of them. */

import { open, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { KeyriteError, messageOf } from "../lib/errors.ts";

const AT_A_TIME = 16;

/**
 * Syncs every file of a token directory, then every folder in it and the one it stands in.
 * @throws KeyriteError hsm.bad-output for an object file without content, which a crash of the module
 * between truncating and writing leaves behind; site.disk when the disk does not take it.
 */
export async function settleStorage(tokenDir: string): Promise<void> {
  try {
    const entries = await readdir(tokenDir, { recursive: true, withFileTypes: true });
    const paths = entries.map((entry) => ({
      path: join(entry.parentPath, entry.name),
      folder: entry.isDirectory(),
    }));
    await eachOf(
      paths.filter(({ folder }) => !folder).map(({ path }) => path),
      syncFile,
    );
    const folders = paths.filter(({ folder }) => folder).map(({ path }) => path);
    // The inner ones first: a folder is only worth finding when its content is there.
    for (const folder of [...folders.reverse(), tokenDir, dirname(tokenDir)]) await sync(folder);
  } catch (cause) {
    if (cause instanceof KeyriteError) throw cause;
    throw new KeyriteError(
      "site.disk",
      `cannot make the token in ${tokenDir} durable: ${messageOf(cause)}`,
      {
        cause,
        hints: ["do not count on what was restored: look at the disk first"],
      },
    );
  }
}

async function syncFile(path: string): Promise<void> {
  const length = await sync(path);
  if (length > 0 || !path.endsWith(".object")) return;
  throw new KeyriteError("hsm.bad-output", `the token's object file ${path} is empty`, {
    hints: ["an object was lost: inspect the token before anything is called restored"],
  });
}

async function sync(path: string): Promise<number> {
  const file = await open(path, "r");
  try {
    await file.sync();
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}

async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const run = async (): Promise<void> => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, run));
}
