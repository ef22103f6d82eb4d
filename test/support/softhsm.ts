/** SoftHSM on a folder of its own. */

import type { LoadModule } from "../../src/hsm/registry.ts";
import { KEY_ALGORITHMS } from "../../src/lib/algorithms.ts";
import { createRig, installedModule, temporaryFolder, type Rig } from "./rig.ts";

export function softhsmRig(load?: LoadModule): Rig {
  return createRig({
    profile: "softhsm",
    path: installedModule("softhsm"),
    tokenDir: temporaryFolder(),
    ...(load === undefined ? {} : { load }),
    traits: {
      algorithms: KEY_ALGORITHMS,
      keepsLabel: true,
      keepsDuplicates: true,
      persistent: true,
      reportsWrongPins: true,
    },
  });
}
