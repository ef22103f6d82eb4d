/** The HSM layer as the commands use it: each module in a process of its own. */

import { join } from "node:path";
import { hostedHsm } from "../hsm/host/hosted-hsm.ts";
import type { Hsm } from "../hsm/token.ts";
import { packageRoot } from "./package-root.ts";
import { environment, systemClock } from "./system.ts";

/** Variables that any program may need; whatever else a module reads is named in site.yaml. */
const HANDED_ON = ["HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "TZ", "UV_THREADPOOL_SIZE"];

/** The word that makes keyrite a module's process. */
export const MODULE_HOST = "module-host";

/**
 * @param told sentences for whoever waits for the HSM.
 * @param site folder whose ceremony it is for; absent for a mere look, which waits for nobody.
 */
export function openHsm(told: (words: string) => void, site?: string): Hsm {
  const handedOn = HANDED_ON.flatMap((name) => {
    const value = environment(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  const base = {
    command: [process.execPath, join(packageRoot(), "bin", "keyrite.js"), MODULE_HOST] as const,
    environment: Object.fromEntries(handedOn),
    variable: environment,
    monotonic: () => systemClock.monotonic(),
    told,
  };
  if (site === undefined) return hostedHsm(base);
  return hostedHsm({ ...base, lockFile: ({ name }) => join(site, `module.${name}.lock`) });
}
