/** What a ceremony costs beside what it is for: HSM, key derivation and waiting for people. */

import { bench } from "./harness.ts";
import { onDisk, performRootCa, prepareSite } from "./lib/keyrite.ts";

export const about = "1.5 s against generate-root-ca (P-384) outside PKCS#11, KDF and waiting";

const LIMIT_MS = 1500;

export async function run(rounds = 7): Promise<void> {
  await onDisk(async (folder) => {
    prepareSite(folder);
    await bench("ceremony-overhead", 1, {
      ours: () => {
        // The whole process by the wall clock: starting and ending it are overhead too.
        const { wallMs, timings } = performRootCa(folder);
        return wallMs - timings.pkcs11Ms - timings.kdfMs - timings.waitMs;
      },
      bare: () => LIMIT_MS,
      rounds,
      kind: "time",
    });
  });
}
