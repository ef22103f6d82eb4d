/** What every duty of a backup costs beside wrapping, opening again, signing and verifying. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { bench } from "./harness.ts";
import { BareKeys } from "./lib/bare-keys.ts";
import { inFolder } from "./lib/copies.ts";
import { backUpOurs } from "./lib/desk.ts";
import { onDisk } from "./lib/keyrite.ts";
import { inMemory, inThisProcess, onSameToken, onToken } from "./lib/softhsm.ts";
import { wrappedKeys } from "./lib/wrapped-keys.ts";

export const about =
  "wrapping, writing and proving keys against a bare wrap, session unwrap, sign and verify loop";

export async function run(rounds = 5, keys = 10_000): Promise<void> {
  const items = wrappedKeys(keys);
  await onDisk((disk) =>
    inMemory((memory) =>
      onToken(
        memory,
        async (token) => {
          const limit = new BareKeys(token);
          limit.fill(items);
          await bench("backup", 0.7, {
            ours: () =>
              onSameToken(token, async (hosted) =>
                inFolder(disk, (folder) => backUpOurs(folder, hosted, items))(),
              ),
            bare: inFolder(disk, (folder) => {
              limit.backUp(items, (blob, index) => {
                writeFileSync(join(folder, String(index)), blob);
              });
            }),
            rounds,
            kind: "time",
          });
        },
        inThisProcess,
      ),
    ),
  );
}
