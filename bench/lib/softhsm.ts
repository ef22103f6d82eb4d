/** Real SoftHSM tokens that hold nothing but a KEK, each in a folder and a module instance of its own. */

import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHsm } from "../../src/hsm/hsm.ts";
import { profileNamed } from "../../src/hsm/profiles.ts";
import type { Kek } from "../../src/hsm/backup.ts";
import type { Session } from "../../src/hsm/token.ts";
import type { Random } from "../../src/lib/clock.ts";
import { utf8 } from "../../src/lib/encoding.ts";
import { Secret } from "../../src/lib/secret.ts";

export const RANDOM: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) };

/** Value of the KEK on every token here, so that wrapped keys can be made in software. */
export const KEK_VALUE = new Uint8Array(32).fill(0x4b);
export const KEK_ID = "4b01";
export const TOKEN = "bench";

/** A token with a KEK on it and a session of ours. */
export interface BenchToken {
  /** The module's file, for those who call it by themselves. */
  readonly path: string;
  readonly session: Session;
  readonly kek: Kek;
  readonly tokenDir: string;
}

/** Where SoftHSM is installed. @throws Error when it is not. */
export function softhsmPath(): string {
  const path = profileNamed("softhsm").usualPaths.find((candidate) => existsSync(candidate));
  if (path === undefined) throw new Error("SoftHSM is not installed");
  return path;
}

/**
 * Runs `work` with a new token in a new folder below `place`; afterwards the module is finalised, so
 * that the next token finds nothing of this one in memory, and the folder is removed.
 */
export async function onToken<T>(
  place: string,
  work: (token: BenchToken) => Promise<T>,
): Promise<T> {
  const tokenDir = mkdtempSync(join(place, "token-"));
  const path = softhsmPath();
  const hsm = createHsm({
    setEnvironment: (name, value) => {
      process.env[name] = value;
    },
    random: RANDOM,
    monotonic: () => performance.now(),
  });
  const module = { name: "soft", profile: "softhsm", path, tokenDir };
  const [officer, user, value] = [
    secret("officer-pin"),
    secret("user-pin"),
    Secret.copy(KEK_VALUE),
  ];
  try {
    const { serial } = await hsm.initialize(module, TOKEN, officer, user);
    const session = await hsm.login(module, serial, TOKEN, user);
    const kek = await session.importKek(value, { label: "kek", ckaId: KEK_ID });
    return await work({ path, session, kek, tokenDir });
  } finally {
    for (const one of [officer, user, value]) one.wipe();
    await hsm.close();
    rmSync(tokenDir, { recursive: true, force: true });
  }
}

/** A new folder in memory where the system has such, removed afterwards. */
export async function inMemory<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const place = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
  const folder = mkdtempSync(join(place, "keyrite-bench-"));
  try {
    return await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function secret(text: string): Secret {
  return Secret.take(utf8(text));
}
