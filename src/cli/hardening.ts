/**
 * Closes what would let a secret out of the memory of this process, before the first one comes in: other
 * processes of the same user, core files, the inspector, snapshots of the heap, swap.
 */

import { constants } from "node:os";
import inspector from "node:inspector";
import v8 from "node:v8";
import vm from "node:vm";
import { KeyriteError } from "../lib/errors.ts";
import { freeKeysWith, lockSecretsWith } from "../lib/secret.ts";
import { lockPages, noCoreFiles, signalWhenOrphaned, undumpable } from "../lib/system-calls.ts";
import { environment } from "./system.ts";

/** Options of Node that show its memory to somebody, or write it to a file. */
const SHOWS_MEMORY = /^--(inspect|debug|heapsnapshot|heap-prof|report-|diagnostic-report)/;

/** Names the process that looks after the terminal: see bin/lib/supervisor.js. */
const SUPERVISOR = "KEYRITE_SUPERVISOR";

/** @throws KeyriteError usage.refused when Node was started so that others see its memory */
export function harden(): void {
  refuseShownMemory();
  undumpable();
  noCoreFiles();
  // Node's own answer to this signal is to open the inspector.
  process.on("SIGUSR1", () => undefined);
  lockSecretsWith(lockPages);
  freeKeysWith(garbageCollection());
  // Whoever kills what looks after the terminal interrupts the ceremony, which puts the terminal in order.
  if (Number(environment(SUPERVISOR)) === process.ppid)
    signalWhenOrphaned(constants.signals.SIGTERM);
}

/** Node has it only behind an option, which a program may set for contexts that it makes itself. */
function garbageCollection(): () => void {
  v8.setFlagsFromString("--expose-gc");
  const collect: unknown = vm.runInNewContext("gc");
  v8.setFlagsFromString("--no-expose-gc");
  if (typeof collect !== "function")
    throw new Error("this Node does not lend its garbage collection");
  return collect as () => void;
}

function refuseShownMemory(): void {
  const options = [...process.execArgv, ...(environment("NODE_OPTIONS") ?? "").split(/\s+/)];
  const shown = options.find((option) => SHOWS_MEMORY.test(option.replaceAll("_", "-")));
  const what = shown ?? (inspector.url() === undefined ? undefined : "the inspector");
  if (what === undefined) return;
  throw new KeyriteError(
    "usage.refused",
    `Node was started with ${what}, which shows the secrets in its memory to others`,
    { hints: ["start Keyrite without it; NODE_OPTIONS may hold it"] },
  );
}
