/** Modules in processes of their own, started from the sources. Run as a program it is such a process. */

import { fileURLToPath } from "node:url";
import { moduleHost } from "../../src/cli/module-host.ts";
import { hostedHsm } from "../../src/hsm/host/hosted-hsm.ts";
import type { HostLaunch } from "../../src/hsm/host/launch.ts";
import type { Hsm } from "../../src/hsm/token.ts";

const FILE = fileURLToPath(import.meta.url);

/** @param more what a test changes of how the product starts them. */
export function hosted(more: Partial<HostLaunch> = {}): Hsm {
  return hostedHsm({
    command: [process.execPath, "--import", "tsx", FILE],
    environment: { PATH: process.env["PATH"] ?? "" },
    variable: (name) => process.env[name],
    monotonic: () => performance.now(),
    told: () => undefined,
    ...more,
  });
}

if (process.argv[1] === FILE) moduleHost();
