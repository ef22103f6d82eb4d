/**
 * Opens each PKCS#11 module once per process: a second C_Initialize fails, and software modules
 * read where their tokens lie only at the first.
 */

import { KeyriteError } from "../lib/errors.ts";
import type { Meter } from "./meter.ts";
import { readModuleFile, requireAgreed, type ModuleFile } from "./module-file.ts";
import { profileNamed, type ModuleProfile } from "./profiles.ts";
import type { RawModule } from "./raw.ts";
import { prepareTokenDirectory, type SetEnvironment } from "./token-directory.ts";
import type { ModuleBinding } from "./token.ts";

export interface OpenModule {
  readonly raw: RawModule;
  readonly profile: ModuleProfile;
  readonly digest: string;
  readonly tokenDir: string | undefined;
}

/** How a module file becomes a module; tests wrap it to inject faults. */
export type LoadModule = (path: string, meter: Meter) => RawModule;

export class Registry {
  readonly #open = new Map<string, Promise<OpenModule>>();
  readonly #setEnvironment: SetEnvironment;
  readonly #load: LoadModule;
  readonly #meter: Meter;

  constructor(setEnvironment: SetEnvironment, load: LoadModule, meter: Meter) {
    this.#setEnvironment = setEnvironment;
    this.#load = load;
    this.#meter = meter;
  }

  /**
   * The module of a binding, loaded and initialised at the first call.
   * @throws KeyriteError hsm.module-unavailable, hsm.module-differs when the file changed since,
   * site.bindings when another binding opened it with another token directory or profile.
   */
  async module(binding: ModuleBinding): Promise<OpenModule> {
    const file = await readModuleFile(binding.path);
    const { path, digest } = file;
    requireAgreed(binding, file);
    const opening = this.#open.get(path) ?? this.#initialize(binding, file);
    this.#open.set(path, opening);
    const opened = await opening.catch((error: unknown) => {
      this.#open.delete(path);
      throw error;
    });
    if (opened.digest !== digest) {
      throw new KeyriteError("hsm.module-differs", `${path} changed while it was in use`, {
        hints: ["stop: the file that is loaded is not the one on disk any more"],
      });
    }
    if (opened.tokenDir !== binding.tokenDir || opened.profile.name !== binding.profile) {
      throw new KeyriteError(
        "site.bindings",
        `module ${binding.name}: ${path} is open already with another tokenDir or profile, and a process can hold it only once`,
        { hints: ["bind all tokens of a software module in one tokenDir"] },
      );
    }
    return opened;
  }

  /** Finalises every module that is open. The first failure is thrown after all were tried. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const opening of this.#open.values()) {
      try {
        (await opening).raw.finalize();
      } catch (error) {
        failures.push(error);
      }
    }
    this.#open.clear();
    if (failures.length > 0) throw failures[0];
  }

  async #initialize(binding: ModuleBinding, file: ModuleFile): Promise<OpenModule> {
    const { path, digest } = file;
    const profile = profileNamed(binding.profile);
    const parameters = await prepareTokenDirectory(binding, profile, this.#setEnvironment);
    const raw = this.#load(path, this.#meter);
    raw.initialize(parameters);
    const after = await readModuleFile(path);
    if (after.digest !== digest || after.identity !== file.identity) {
      throw new KeyriteError("hsm.module-differs", `${path} changed while it was loaded`, {
        hints: ["stop: what was hashed may not be what runs"],
      });
    }
    return { raw, profile, digest, tokenDir: binding.tokenDir };
  }
}
