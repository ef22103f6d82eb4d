/**
 * The machine that a ceremony goes on with: which build, which site.yaml, which PKCS#11 modules. It may be
 * another than the one it was begun with; then people read what differs and agree to it on record.
 */

import type { Entry } from "../ledger/entry.ts";
import { fromUtf8, visible } from "../lib/encoding.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import { lineChanges } from "./line-changes.ts";
import type { RecordedPlan } from "./plan-document.ts";
import { stringOf } from "./record.ts";

/** Digests, as hex. */
export interface Machine {
  readonly software: string;
  readonly bindings: string;
  /** Of each PKCS#11 module's file, by its name in site.yaml. */
  readonly modules: Readonly<Record<string, string>>;
}

/** What `plan.amended` says of the machine. */
export function machineJson({ software, bindings, modules }: Machine): JsonObject {
  return {
    software,
    bindings,
    modules: Object.entries(modules).map(([module, sha256]) => ({ module, sha256 })),
  };
}

/** The plan with the machine that `plan.amended` names; undefined when it names none. */
export function amendedPlan(
  plan: RecordedPlan | undefined,
  { data }: Pick<Entry, "data">,
): RecordedPlan | undefined {
  const software = stringOf(data, "software");
  const bindings = stringOf(data, "bindings");
  // Ceremonies of older builds went on with the plan's own modules, and did not name them.
  const modules = data["modules"] === undefined ? plan?.modules : modulesIn(data["modules"]);
  if (plan === undefined || software === undefined || bindings === undefined) return undefined;
  if (modules === undefined || ![software, bindings].every(isDigest)) return undefined;
  return { ...plan, software, bindings, modules };
}

function modulesIn(raw: Json): Readonly<Record<string, string>> | undefined {
  if (!Array.isArray(raw)) return undefined;
  const modules = new Map<string, string>();
  for (const one of raw as readonly Json[]) {
    const { module, sha256 } = isJsonObject(one) ? one : {};
    if (typeof module !== "string" || typeof sha256 !== "string" || !isDigest(sha256)) {
      return undefined;
    }
    modules.set(module, sha256);
  }
  return Object.fromEntries(modules);
}

function isDigest(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

/** What of the machine is another; in the words of a verdict. */
export function machineChanges(before: Machine, now: Machine): readonly string[] {
  const changes: string[] = [];
  if (before.software !== now.software) {
    changes.push(`another build of keyrite (${before.software}, now ${now.software})`);
  }
  if (before.bindings !== now.bindings) {
    changes.push(`another site.yaml (${before.bindings}, now ${now.bindings})`);
  }
  for (const name of moduleNames(before, now)) {
    const [was = "none", is = "none"] = [before.modules[name], now.modules[name]];
    if (was !== is) changes.push(`another PKCS#11 module ${visible(name)} (${was}, now ${is})`);
  }
  return changes;
}

function moduleNames(before: Machine, now: Machine): readonly string[] {
  return [...new Set([...Object.keys(before.modules), ...Object.keys(now.modules)])].sort();
}

/** What the room reads before it goes on with another machine; empty for the same one. */
export function machineLines(
  before: Machine,
  now: Machine,
  bindings: (sha256: string) => Uint8Array | undefined,
): readonly string[] {
  const changes = machineChanges(before, now);
  if (changes.length === 0) return [];
  const lines = ["NOT THE MACHINE IT WAS BEGUN WITH. From here on it is:"];
  for (const change of changes) {
    lines.push(`  ${change}`);
    if (!change.startsWith("another site.yaml")) continue;
    const [was, is] = [before, now].map((one) => bindings(one.bindings));
    const texts = [was, is].map((bytes) => (bytes === undefined ? "" : fromUtf8(bytes)));
    for (const line of lineChanges(texts[0] ?? "", texts[1] ?? "")) {
      lines.push(`    ${visible(line)}`);
    }
  }
  return lines;
}
