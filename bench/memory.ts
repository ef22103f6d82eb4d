/** The most memory a ceremony holds, against what a person's key derivation needs and 150 MiB. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { scryptCostOf } from "../src/lib/age.ts";
import { bench } from "./harness.ts";
import { onDisk, performRootCa, prepareSite } from "./lib/keyrite.ts";

export const about = "150 MiB and 128·r·N bytes of the KDF against the peak of generate-root-ca";

const MEBIBYTE = 1024 ** 2;
/** r of the scrypt that age prescribes. */
const BLOCK_SIZE = 8;

export async function run(rounds = 5): Promise<void> {
  await onDisk(async (folder) => {
    const site = prepareSite(folder);
    const identity = readFileSync(join(site, "..", "media", "ana", "keyrite", "identity.age"));
    const logN = scryptCostOf(identity);
    if (logN === undefined) throw new Error("the identity is not sealed under a passphrase");
    const limit = 150 * MEBIBYTE + 128 * BLOCK_SIZE * 2 ** logN;
    await bench("memory", 1, {
      ours: () => performRootCa(folder).peakRssMiB * MEBIBYTE,
      bare: () => limit,
      rounds,
      kind: "memory",
    });
  });
}
