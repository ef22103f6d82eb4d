/** NSS softoken on a database of its own. */

import { createRig, installedModule, temporaryFolder, type Rig } from "./rig.ts";

export function nssRig(): Rig {
  return createRig({
    profile: "nss",
    path: installedModule("nss"),
    tokenDir: temporaryFolder(),
    traits: {
      algorithms: ["rsa-3072", "rsa-4096", "p-256", "p-384", "p-521"],
      keepsLabel: false,
      keepsDuplicates: false,
      persistent: true,
      reportsWrongPins: false,
    },
  });
}
