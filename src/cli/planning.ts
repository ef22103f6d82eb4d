/** From a script on the command line to a plan on a site: what check, paper and run share. */

import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { CustodyFold, type Custody } from "../ceremony/custody.ts";
import { genesisFacts } from "../ceremony/founding.ts";
import type { Genesis } from "../ceremony/genesis.ts";
import type { History } from "../ceremony/history.ts";
import { planWithDocuments, type Plan } from "../ceremony/plan.ts";
import { readScript, scriptRefused, type Script } from "../ceremony/script.ts";
import { readModuleFile } from "../hsm/module-file.ts";
import { KeyriteError } from "../lib/errors.ts";
import { readBounded } from "../lib/files.ts";
import type { Objection } from "../lib/objection.ts";
import { cardDigest } from "../people/card.ts";
import { packageRoot, software } from "./package-root.ts";
import { planInputs } from "./plan-inputs.ts";
import type { OpenSite } from "./site.ts";
import { systemClock } from "./system.ts";

const LONGEST_SCRIPT = 256 * 1024;

export interface ScriptFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** A script by its path, its folder, or the name of a ceremony that ships with Keyrite. */
export function findScript(name: string): ScriptFile {
  const candidates = [
    name,
    join(name, "script.yaml"),
    join(packageRoot(), "ceremonies", name, "script.yaml"),
  ];
  const path = candidates.find((file) => existsSync(file) && statSync(file).isFile());
  if (path === undefined) {
    throw new KeyriteError("usage.bad-file", `there is no script ${name}`, {
      hints: ["give the path of a script.yaml, its folder, or the name of a shipped ceremony"],
    });
  }
  return { path, bytes: readBounded(path, LONGEST_SCRIPT + 1) };
}

/** Reads repeated `name=value` options. @throws KeyriteError usage.bad-option */
export function readSetOptions(options: readonly string[]): Readonly<Record<string, string>> {
  const set: Record<string, string> = {};
  for (const option of options) {
    const at = option.indexOf("=");
    if (at < 1) {
      throw new KeyriteError("usage.bad-option", `--set ${option} is not name=value`, {
        hints: ["for example --set key=root-g1"],
      });
    }
    set[option.slice(0, at)] = option.slice(at + 1);
  }
  return set;
}

export type SitePlanning =
  | { readonly ok: true; readonly plan: Plan }
  | { readonly ok: false; readonly objections: readonly Objection[] };

/**
 * Plans a script on a site: files and ledger only.
 * @param vaults those whose folders are given for this run, beside those of site.yaml.
 * @param read gets every file that was taken in, by its path.
 */
export async function planOnSite(
  site: OpenSite,
  file: ScriptFile,
  set: Readonly<Record<string, string>>,
  vaults: readonly string[] = [],
  read = new Map<string, Uint8Array>(),
): Promise<SitePlanning> {
  const reading = readScript(file.bytes, file.path);
  if (!reading.ok) return reading;
  const { script } = reading;
  const founding = site.history.size === 0;
  const objection = foundingObjection(script, site.history);
  if (objection !== undefined) return { ok: false, objections: [objection] };
  return planWithDocuments({
    script,
    set,
    bindings: site.bindings,
    policy: site.policy,
    custody: founding ? foundedCustody(site.history.custody, site.genesis) : site.history.custody,
    vocabulary: site.vocabulary,
    software: software(),
    modules: await moduleDigests(site),
    vaults: new Set([...site.bindings.vaults.keys(), ...vaults]),
    inputs: planInputs(file.path, (sha256) => site.ledger.attachment(sha256)?.bytes, read),
    nowMs: systemClock.now(),
  });
}

export function requirePlan(planning: SitePlanning, file: ScriptFile): Plan {
  if (planning.ok) return planning.plan;
  throw scriptRefused(file.path, planning.objections);
}

// A first ceremony that stopped after the founding is repeated: it is over when one was closed.
function foundingObjection(script: Script, history: History): Objection | undefined {
  const founding = history.size === 0;
  const established = history.ceremonies.some(({ state }) => state === "closed");
  if (script.founding ? !established : !founding) return undefined;
  const { line, col } = script.document.locate(["founding"]);
  const at = `${script.document.file}:${line}:${col}`;
  return founding
    ? {
        at,
        text: "the site is not founded yet; only a script marked founding: true may run",
        hint: "keyrite run establish-site",
      }
    : {
        at,
        text: "the site is already founded",
        hint: "keyrite status shows what was done here; run the next ceremony",
      };
}

/** Custody as the founding will have made it. */
export function foundedCustody(custody: Custody, genesis: Genesis): Custody {
  const fold = new CustodyFold(custody);
  for (const fact of genesisFacts(genesis)) {
    fold.apply(fact, {
      ceremony: "founding",
      at: "founding",
      card: (sha256) =>
        genesis.founders.map((f) => f.card).find((card) => cardDigest(card) === sha256),
    });
  }
  return fold.custody;
}

/** SHA-256 of every bound module's file. A module that cannot be read is left to its first use. */
export async function moduleDigests(site: OpenSite): Promise<Readonly<Record<string, string>>> {
  const digests: Record<string, string> = {};
  for (const [name, { path }] of site.bindings.modules) {
    const file = await readModuleFile(path).catch(() => undefined);
    if (file !== undefined) digests[name] = file.digest;
  }
  return digests;
}
