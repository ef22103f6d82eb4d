/** Real SoftHSM tokens that hold nothing but a KEK, each in a folder and a module instance of its own. */

import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostedHsm } from "../../src/hsm/host/hosted-hsm.ts";
import { createHsm } from "../../src/hsm/hsm.ts";
import { profileNamed } from "../../src/hsm/profiles.ts";
import type { Kek } from "../../src/hsm/backup.ts";
import type { Hsm, ModuleBinding, Session } from "../../src/hsm/token.ts";
import type { Random } from "../../src/lib/clock.ts";
import { utf8 } from "../../src/lib/encoding.ts";
import { Secret } from "../../src/lib/secret.ts";

export const RANDOM: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) };

/** Value of the KEK on every token here, so that wrapped keys can be made in software. */
export const KEK_VALUE = new Uint8Array(32).fill(0x4b);
export const KEK_ID = "4b01";
export const TOKEN = "bench";
const PIN = "user-pin";
// Also seen from the bundle that measures memory, which lies in node_modules.
const KEYRITE = join(
  import.meta.dirname.replace(/\/node_modules$/, "/bench/lib"),
  "../../bin/keyrite.js",
);

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

/** The module in this very process: where the bare loop makes its calls. */
export function inThisProcess(): Hsm {
  return createHsm({
    setEnvironment: (name, value) => {
      process.env[name] = value;
    },
    random: RANDOM,
    monotonic: () => performance.now(),
  });
}

/** The module in a process of its own, as the product has it. */
export function inItsOwnProcess(): Hsm {
  const variable = (name: string): string | undefined => process.env[name];
  return hostedHsm({
    command: [process.execPath, KEYRITE, "module-host"],
    environment: { UV_THREADPOOL_SIZE: variable("UV_THREADPOOL_SIZE") ?? "8" },
    variable,
    monotonic: () => performance.now(),
    told: () => undefined,
  });
}

/**
 * Runs `work` with a new token in a new folder below `place`; afterwards the module is finalised, so
 * that the next token finds nothing of this one in memory, and the folder is removed unless it is to stay.
 */
export async function onToken<T>(
  place: string,
  work: (token: BenchToken) => Promise<T>,
  open: () => Hsm = inItsOwnProcess,
  stays = false,
): Promise<T> {
  const tokenDir = mkdtempSync(join(place, "token-"));
  try {
    return await withHsm(open(), async (hsm) => {
      const pins = [secret("officer-pin"), secret(PIN)] as const;
      const { serial } = await hsm.initialize(binding(tokenDir), TOKEN, ...pins);
      const session = await hsm.login(binding(tokenDir), serial, TOKEN, secret(PIN));
      const value = Secret.copy(KEK_VALUE);
      const kek = await session.importKek(value, { label: "kek", ckaId: KEK_ID });
      return work({ path: softhsmPath(), session, kek, tokenDir });
    });
  } finally {
    if (!stays) rmSync(tokenDir, { recursive: true, force: true });
  }
}

/** Runs `work` with a token that was made before, in one more process. */
export function onSameToken<T>(
  token: BenchToken,
  work: (token: BenchToken) => Promise<T>,
): Promise<T> {
  return reopened(token, token.session.info.serial, work);
}

/** Runs `work` with a token that was made before, by whomever. */
export function reopened<T>(
  token: Omit<BenchToken, "session">,
  serial: string,
  work: (token: BenchToken) => Promise<T>,
  open: () => Hsm = inItsOwnProcess,
): Promise<T> {
  return withHsm(open(), async (hsm) => {
    const session = await hsm.login(binding(token.tokenDir), serial, TOKEN, secret(PIN));
    return work({ ...token, session });
  });
}

async function withHsm<T>(hsm: Hsm, work: (hsm: Hsm) => Promise<T>): Promise<T> {
  try {
    return await work(hsm);
  } finally {
    await hsm.close();
  }
}

function binding(tokenDir: string): ModuleBinding {
  return { name: "soft", profile: "softhsm", path: softhsmPath(), tokenDir };
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
