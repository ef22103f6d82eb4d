/**
 * The real HSM layer over a token in memory: every check runs, nothing is installed, nothing is
 * slow. Faults can be laid over it at any time.
 */

import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { KEY_ALGORITHMS } from "../../src/lib/algorithms.ts";
import type { RawModule } from "../../src/hsm/raw.ts";
import { createFakeModule, type FakeModule } from "./fake-module.ts";
import type { FakeOptions } from "./fake-token.ts";
import { withFaults, type Faults } from "./faulty-module.ts";
import { createRig, temporaryFolder, type Rig } from "./rig.ts";

export interface FakeRig extends Rig {
  readonly faults: Faults;
  /** Every module below our layer and its faults, in the order in which they were loaded. */
  readonly modules: readonly FakeModule[];
}

export function fakeRig(options: FakeOptions = {}): FakeRig {
  const folder = temporaryFolder();
  const path = join(folder, "fake-module.so");
  writeFileSync(path, "a module that exists only for its digest\n", { mode: 0o600 });
  const faults: Faults = {};
  // Each module file is a module of its own, with one token; faults are laid over all of them.
  const modules: FakeModule[] = [];
  const load = (): RawModule => {
    const serial = options.serial ?? `FAKE${String(modules.length + 1).padStart(4, "0")}`;
    const module = createFakeModule({ ...options, serial });
    modules.push(module);
    return withFaults(module, faults);
  };
  const rig = createRig({
    profile: "generic",
    path,
    load,
    remove: () => {
      rmSync(folder, { recursive: true });
    },
    traits: {
      algorithms: KEY_ALGORITHMS,
      keepsLabel: true,
      keepsDuplicates: true,
      persistent: false,
      reportsWrongPins: true,
    },
  });
  return { ...rig, name: "fake", faults, modules };
}
