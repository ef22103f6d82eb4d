/** What the HSM suite runs on: one vendor's module in a folder of its own, or the fake. */

import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHsm } from "../../src/hsm/hsm.ts";
import { loadModule } from "../../src/hsm/pkcs11.ts";
import { profileNamed } from "../../src/hsm/profiles.ts";
import type { RawModule } from "../../src/hsm/raw.ts";
import type { LoadModule } from "../../src/hsm/registry.ts";
import type { Hsm, KeyAlgorithm, ModuleBinding } from "../../src/hsm/token.ts";
import type { Random } from "../../src/lib/clock.ts";
import { Secret } from "../../src/lib/secret.ts";
import { utf8 } from "../../src/lib/encoding.ts";

/** What a module can do; the suite expects exactly this. */
export interface Traits {
  readonly algorithms: readonly KeyAlgorithm[];
  /** False when the module answers with a label of its own. */
  readonly keepsLabel: boolean;
  /** False when a second object with the same CKA_ID replaces the first. */
  readonly keepsDuplicates: boolean;
  /** False when nothing outlives the process. */
  readonly persistent: boolean;
  /** True when a wrong PIN shows as a flag of the token. */
  readonly reportsWrongPins: boolean;
}

export interface Rig {
  readonly name: string;
  readonly hsm: Hsm;
  readonly module: ModuleBinding;
  readonly traits: Traits;
  /** The module below our layer, once it is loaded: for doing what our layer refuses to do. */
  readonly raw: () => RawModule;
  readonly remove: () => void;
}

export const systemRandom: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) };

/** A new folder, in memory where the system has such: tests write many small token files. */
export function temporaryFolder(): string {
  return mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "keyrite-hsm-"));
}

/** The module of a profile where packages put it. Missing software is a failure, never a skip. */
export function installedModule(profile: string): string {
  const path = profileNamed(profile).usualPaths.find((candidate) => existsSync(candidate));
  if (path === undefined) throw new Error(`no module of ${profile} is installed`);
  return path;
}

export interface RigOptions {
  readonly profile: string;
  readonly path: string;
  readonly traits: Traits;
  readonly tokenDir?: string;
  readonly load?: LoadModule;
  readonly remove?: () => void;
}

export function createRig(options: RigOptions): Rig {
  const { profile, path, traits, tokenDir, load = loadModule } = options;
  let loaded: RawModule | undefined;
  const hsm = createHsm({
    setEnvironment: (name, value) => {
      process.env[name] = value;
    },
    random: systemRandom,
    monotonic: () => performance.now(),
    load: (file, meter) => (loaded = load(file, meter)),
  });
  return {
    name: profile,
    hsm,
    module: { name: "soft", profile, path, ...(tokenDir === undefined ? {} : { tokenDir }) },
    traits,
    raw: () => {
      if (loaded === undefined) throw new Error("the module is not loaded yet");
      return loaded;
    },
    remove: () => {
      options.remove?.();
      if (tokenDir !== undefined) rmSync(tokenDir, { recursive: true });
    },
  };
}

export function secret(text: string): Secret {
  return Secret.take(utf8(text));
}
