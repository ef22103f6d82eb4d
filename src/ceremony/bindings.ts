/**
 * The site's answers to names in a script: modules, tokens, media. `site.yaml` holds bindings only;
 * a change to it is shown line by line at the next roll call and agreed to.
 */

import { isAbsolute, resolve } from "node:path";
import type { ModuleBinding } from "../hsm/token.ts";
import { sha256Hex } from "../lib/encoding.ts";
import { KeyriteError } from "../lib/errors.ts";
import { check, z } from "../lib/schema.ts";
import { readYaml } from "../lib/yaml.ts";
import { label, line, slug } from "./words.ts";

/**
 * A variable that a module may read. How Node itself runs is none of a module's business, and what tells the loader
 * or the C library to take other code would be a second module that nobody agreed to.
 */
const variable = z
  .string()
  .regex(
    /^(?!NODE_|UV_|LD_|DYLD_|GCONV_|MALLOC_|GLIBC_)[A-Za-z_][A-Za-z0-9_]{0,127}$/,
    "the name of a variable, none of Node's or the loader's",
  );

/** Seconds: a smart card may take minutes for one RSA key. */
const PATIENCE = 600;

const schema = z.strictObject({
  keyrite: z.literal("site/v1"),
  modules: z.record(
    label,
    z.strictObject({
      profile: z.enum(["softhsm", "nss", "generic"]),
      path: line,
      tokenDir: line.optional(),
      environment: z.array(variable).max(32).default([]),
      patience: z.int().min(10).max(86_400).default(PATIENCE),
    }),
  ),
  tokens: z.record(
    label,
    z.strictObject({ module: label, serial: line, activation: z.enum(["sealed"]) }),
  ),
  media: z.record(slug, line).default({}),
  vaults: z.record(label, line).default({}),
});

export interface TokenBinding {
  readonly module: ModuleBinding;
  /** The serial that site.yaml expects, or "blank" until the token is bound in custody. */
  readonly serial: string;
  readonly activation: "sealed";
}

export interface Bindings {
  readonly modules: ReadonlyMap<string, ModuleBinding>;
  readonly tokens: ReadonlyMap<string, TokenBinding>;
  /** Folder of each person's medium, absolute. */
  readonly media: ReadonlyMap<string, string>;
  /** Folder of each vault, absolute: where key backups are kept. */
  readonly vaults: ReadonlyMap<string, string>;
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

/**
 * Reads site.yaml; relative paths are relative to the site folder.
 * @throws KeyriteError site.bindings listing every objection.
 */
export function readBindings(bytes: Uint8Array, site: string): Bindings {
  const result = check(schema, readYaml(bytes, "site.yaml"));
  if (!result.ok) {
    throw new KeyriteError("site.bindings", "site.yaml is not valid", {
      hints: result.objections.map((o) => `${o.at}: ${o.text}${o.hint ? ` – ${o.hint}` : ""}`),
    });
  }
  const absolute = (path: string): string => (isAbsolute(path) ? path : resolve(site, path));
  const modules = new Map<string, ModuleBinding>();
  for (const [name, module] of Object.entries(result.value.modules)) {
    const { path, tokenDir, ...rest } = module;
    const base = { ...rest, name, path: absolute(path) };
    modules.set(name, tokenDir === undefined ? base : { ...base, tokenDir: absolute(tokenDir) });
  }
  const tokens = new Map<string, TokenBinding>();
  for (const [name, token] of Object.entries(result.value.tokens)) {
    const module = modules.get(token.module);
    if (module === undefined) {
      throw new KeyriteError(
        "site.bindings",
        `site.yaml binds token ${name} to module "${token.module}", which it does not list`,
        { hints: [`modules listed: ${[...modules.keys()].join(", ")}`] },
      );
    }
    tokens.set(name, { module, serial: token.serial, activation: token.activation });
  }
  const folders = (paths: Readonly<Record<string, string>>): ReadonlyMap<string, string> =>
    new Map(Object.entries(paths).map(([name, path]) => [name, absolute(path)]));
  const media = folders(result.value.media);
  const vaults = folders(result.value.vaults);
  return { modules, tokens, media, vaults, bytes, sha256: sha256Hex(bytes) };
}
