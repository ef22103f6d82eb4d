/** How software modules learn where their tokens lie: SoftHSM by a file, NSS by a parameter. */

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { KeyriteError } from "../lib/errors.ts";
import type { ModuleProfile } from "./profiles.ts";
import type { ModuleBinding } from "./token.ts";

/** Sets a variable of the process's own environment, where the module's C code reads it. */
export type SetEnvironment = (name: string, value: string) => void;

const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;

/**
 * Prepares the token directory of a binding before its module is initialised, creating it when it
 * is not there.
 * @returns the library parameters for C_Initialize, if the module takes any.
 * @throws KeyriteError site.bindings when the directory cannot be written down for the module.
 */
export async function prepareTokenDirectory(
  binding: ModuleBinding,
  profile: ModuleProfile,
  setEnvironment: SetEnvironment,
): Promise<string | undefined> {
  const { tokenDir } = binding;
  if (profile.tokenDirectory === "none") {
    if (tokenDir === undefined) return undefined;
    throw refuse(binding, `profile ${profile.name} takes no tokenDir`);
  }
  if (tokenDir === undefined) {
    throw refuse(binding, `profile ${profile.name} needs a tokenDir`);
  }
  await mkdir(tokenDir, { recursive: true, mode: PRIVATE_FOLDER });
  switch (profile.tokenDirectory) {
    case "softhsm-configuration":
      setEnvironment("SOFTHSM2_CONF", await writeSofthsmConfiguration(binding, tokenDir));
      return undefined;
    case "nss-parameters":
      return nssParameters(binding, tokenDir);
  }
}

async function writeSofthsmConfiguration(
  binding: ModuleBinding,
  tokenDir: string,
): Promise<string> {
  // SoftHSM's reader cuts a line at these and knows no escape.
  if (/[#=\p{Cc}]|^\s|\s$/u.test(tokenDir)) {
    throw refuse(binding, "SoftHSM cannot read a tokenDir with #, = or control characters");
  }
  const path = join(tokenDir, "softhsm2.conf");
  const text = [
    `directories.tokendir = ${tokenDir}`,
    "objectstore.backend = file",
    "log.level = ERROR",
    "slots.removable = false",
    "",
  ].join("\n");
  const present = await readFile(path, "utf8").catch(() => undefined);
  if (present !== text) await writeFile(path, text, { mode: PRIVATE_FILE });
  return path;
}

function nssParameters(binding: ModuleBinding, tokenDir: string): string {
  if (/['"\\\p{Cc}]/u.test(tokenDir)) {
    throw refuse(
      binding,
      "NSS cannot take a tokenDir with quotes, backslashes or control characters",
    );
  }
  return `configdir='sql:${tokenDir}' certPrefix='' keyPrefix='' secmod='secmod.db' flags=`;
}

function refuse(binding: ModuleBinding, what: string): KeyriteError {
  return new KeyriteError("site.bindings", `module ${binding.name}: ${what}`, {
    hints: [`correct modules: ${binding.name}: in site.yaml`],
  });
}
