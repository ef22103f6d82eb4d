/** Modules in processes of their own, started from the sources. Run as a program it is such a process. */

import { moduleHost } from "../../src/cli/module-host.ts";
import { hostedHsm } from "../../src/hsm/host/hosted-hsm.ts";
import type { HostLaunch } from "../../src/hsm/host/launch.ts";
import type { Hsm } from "../../src/hsm/token.ts";
import { program } from "./program.ts";

/** @param more what a test changes of how the product starts them. */
export function hosted(more: Partial<HostLaunch> = {}): Hsm {
  return hostedHsm({
    command: [process.execPath, ...program("hosted")],
    environment: { PATH: process.env["PATH"] ?? "" },
    variable: (name) => process.env[name],
    monotonic: () => performance.now(),
    told: () => undefined,
    ...more,
  });
}

if (process.argv[1] === import.meta.filename) moduleHost();
