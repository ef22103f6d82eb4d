/** How long it takes to plan a ceremony on a real site, against Node itself. */

import { bench } from "./harness.ts";
import { KEYRITE, node, onDisk, prepareSite } from "./lib/keyrite.ts";

export const about = "`check generate-issuing-keys` on a young test site against `node -e 0`";

export async function run(rounds = 25): Promise<void> {
  await onDisk(async (folder) => {
    const site = prepareSite(folder, "initialize-token");
    const keys = ["--set", "first=issuing-a", "--set", "second=issuing-b"];
    await bench("start-check", 0.4, {
      ours: node(KEYRITE, "check", "generate-issuing-keys", "--site", site, ...keys),
      bare: node("-e", "0"),
      rounds,
      kind: "time",
    });
  });
}
