/**
 * A second process that opens a token which the first one made. Run as a program it reads what to
 * open from its first argument and the PIN, as bytes, from standard input.
 */

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createHsm } from "../../src/hsm/hsm.ts";
import type { ModuleBinding } from "../../src/hsm/token.ts";
import { fromHex, utf8 } from "../../src/lib/encoding.ts";
import { Secret } from "../../src/lib/secret.ts";
import { program } from "./program.ts";
import { systemRandom } from "./rig.ts";

export interface ToOpen {
  readonly module: ModuleBinding;
  readonly serial: string;
  readonly label: string;
  /** Recorded public key in hex, to sign under. */
  readonly spki: string;
  readonly ckaId: string;
}

export interface Found {
  readonly serial: string;
  readonly label: string;
  readonly keys: number;
  readonly signed: boolean;
}

/** What a new process finds. */
export function openInChild(toOpen: ToOpen, pin: string): Found {
  const words = [...program("hsm-child"), JSON.stringify(toOpen)];
  const run = spawnSync(process.execPath, words, {
    input: Buffer.from(utf8(pin)),
    encoding: "utf8",
  });
  if (run.status !== 0) throw new Error(`the second process failed: ${run.stderr}`);
  return JSON.parse(run.stdout) as Found;
}

async function open({ module, serial, label, spki, ckaId }: ToOpen): Promise<Found> {
  const hsm = createHsm({
    setEnvironment: (name, value) => {
      process.env[name] = value;
    },
    random: systemRandom,
    monotonic: () => performance.now(),
  });
  const pin = Secret.copy(readFileSync(0));
  const session = await hsm.login(module, serial, label, pin);
  const keys = await session.keys();
  const signatures = await session.signAll([
    {
      spki: fromHex(spki) ?? new Uint8Array(0),
      ckaId,
      scheme: "ecdsa-sha384",
      message: utf8("from another process"),
    },
  ]);
  await session.logout();
  await hsm.close();
  const { info } = session;
  return {
    serial: info.serial,
    label: info.label,
    keys: keys.length,
    signed: signatures.length === 1,
  };
}

if (process.argv[1] === import.meta.filename) {
  process.stdout.write(JSON.stringify(await open(JSON.parse(process.argv[2] ?? "{}") as ToOpen)));
}
