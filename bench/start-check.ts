/** How long it takes to plan a ceremony on a real site, against Node itself. */

import { bench } from "./harness.ts";
import { KEYRITE, node, onDisk, prepareSite, ROOT_CA } from "./lib/keyrite.ts";

export const about = "`check generate-root-ca` on a founded test site against `node -e 0`";

export async function run(rounds = 25): Promise<void> {
  await onDisk(async (folder) => {
    const site = prepareSite(folder);
    await bench("start-check", 0.4, {
      ours: node(KEYRITE, "check", "generate-root-ca", "--site", site, ...ROOT_CA),
      bare: node("-e", "0"),
      rounds,
      kind: "time",
    });
  });
}
