/**
 * A process of its own that backs up or restores keys, or restores them by the bare loop, and prints the
 * most memory it held, in bytes.
 */

import { BareKeys } from "./bare-keys.ts";
import { backUpOurs, restoreOurs } from "./desk.ts";
import { inFolder } from "./copies.ts";
import { onToken } from "./softhsm.ts";
import { wrappedKeys } from "./wrapped-keys.ts";

const KIBIBYTE = 1024;

async function main(what = "", count = "", memory = "", disk = ""): Promise<void> {
  const items = wrappedKeys(Number(count));
  await onToken(memory, async (token) => {
    if (what === "backup") new BareKeys(token).fill(items);
    await inFolder(disk, async (folder) => {
      if (what === "bare") new BareKeys(token).restore(items);
      else if (what === "backup") await backUpOurs(folder, token, items);
      else await restoreOurs(folder, token, items, 1);
    })();
  });
  process.stdout.write(`${process.resourceUsage().maxRSS * KIBIBYTE}\n`);
}

await main(...process.argv.slice(2));
