/** The first site.yaml, from the options of `keyrite init`. */

import { existsSync } from "node:fs";
import { KeyriteError } from "../lib/errors.ts";

export interface BindingOptions {
  /** `name=profile:path` */
  readonly module: readonly string[];
  /** `name=module` */
  readonly token: readonly string[];
  /** `person=DIR` */
  readonly medium: readonly string[];
  /** `name=DIR` */
  readonly vault: readonly string[];
}

const MODULE = /^([A-Za-z0-9][A-Za-z0-9._-]{0,31})=(softhsm|nss|generic):(.+)$/;
const TOKEN = /^([A-Za-z0-9][A-Za-z0-9._-]{0,31})=([A-Za-z0-9][A-Za-z0-9._-]{0,31})$/;
const VAULT = /^([A-Za-z0-9][A-Za-z0-9._-]{0,31})=(.+)$/;
const MEDIUM = /^([a-z][a-z0-9-]{1,30})=(.+)$/;

/** @throws KeyriteError usage.bad-option */
export function bindingsText(options: BindingOptions): string {
  const lines = [
    "# Bindings: this site's answers to the names in scripts. Rules stand in policy.yaml.",
    "keyrite: site/v1",
    options.module.length === 0 ? "modules: {}" : "modules:",
  ];
  for (const option of options.module) {
    const [, name = "", profile = "", path = ""] = match(
      MODULE,
      option,
      "module",
      "soft=softhsm:/usr/lib/softhsm/libsofthsm2.so",
    );
    if (!existsSync(path)) {
      throw new KeyriteError("usage.bad-option", `--module ${option}: there is no file ${path}`);
    }
    const tokenDir = profile === "generic" ? "" : ", tokenDir: tokens";
    lines.push(`  ${name}: { profile: ${profile}, path: ${JSON.stringify(path)}${tokenDir} }`);
  }
  lines.push(options.token.length === 0 ? "tokens: {}" : "tokens:");
  for (const option of options.token) {
    const [, name = "", module = ""] = match(TOKEN, option, "token", "alpha=soft");
    lines.push(`  ${name}: { module: ${module}, serial: blank, activation: sealed }`);
  }
  lines.push(options.medium.length === 0 ? "media: {}" : "media:");
  for (const option of options.medium) {
    const [, person = "", folder = ""] = match(MEDIUM, option, "medium", "ana=/media/ana");
    lines.push(`  ${person}: ${JSON.stringify(folder)}`);
  }
  lines.push(options.vault.length === 0 ? "vaults: {}" : "vaults:");
  for (const option of options.vault) {
    const [, name = "", folder = ""] = match(VAULT, option, "vault", "onsite=/media/safe-1");
    lines.push(`  ${name}: ${JSON.stringify(folder)}`);
  }
  return `${lines.join("\n")}\n`;
}

function match(pattern: RegExp, option: string, name: string, example: string): RegExpExecArray {
  const found = pattern.exec(option);
  if (found !== null) return found;
  throw new KeyriteError("usage.bad-option", `--${name} ${option} is not understood`, {
    hints: [`for example --${name} ${example}`],
  });
}
