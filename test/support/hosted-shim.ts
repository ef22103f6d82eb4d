/** A hosted module with a token on it, and the processes that hold the module. */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { after } from "node:test";
import type { KekName, UnwrapItem } from "../../src/hsm/backup.ts";
import type { Hsm, ModuleBinding, Session, TokenInfo } from "../../src/hsm/token.ts";
import { Secret } from "../../src/lib/secret.ts";
import { ShimModule } from "./shim.ts";
import { hosted } from "./hosted.ts";
import { secret, temporaryFolder } from "./rig.ts";

export const shim = new ShimModule();
Object.assign(process.env, shim.env);

export interface Opened {
  readonly hsm: Hsm;
  readonly module: ModuleBinding;
  readonly info: TokenInfo;
  readonly session: Session;
  readonly pin: Buffer;
}

const folders: string[] = [];
const opened: Hsm[] = [];
after(async () => {
  for (const hsm of opened) await hsm.close().catch(() => undefined);
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** The module behind the shim, its tokens in a folder of their own. */
export function shimBinding(more: Partial<ModuleBinding> = {}): ModuleBinding {
  const tokenDir = temporaryFolder();
  folders.push(tokenDir);
  const base = { name: "soft", profile: "softhsm", path: shim.path, tokenDir };
  return { ...base, environment: shim.variables, ...more };
}

/** Closed at the end of the tests, whatever happens. */
export function kept(hsm: Hsm): Hsm {
  opened.push(hsm);
  return hsm;
}

/** A new token and a session; variables of the shim are as they are set now. */
export async function open(module = shimBinding()): Promise<Opened> {
  const hsm = kept(hosted());
  const pin = Buffer.from(randomBytes(12).toString("hex"));
  const info = await hsm.initialize(module, "alpha", secret("officer-pin"), Secret.copy(pin));
  const session = await hsm.login(module, info.serial, "alpha", Secret.copy(pin));
  return { hsm, module, info, session, pin };
}

/** The same with variables of the shim set, for this module's process alone. */
export async function openWith(
  variables: Readonly<Record<string, string>>,
  module = shimBinding(),
): Promise<Opened> {
  Object.assign(process.env, variables);
  try {
    return await open(module);
  } finally {
    for (const name of Object.keys(variables)) Reflect.deleteProperty(process.env, name);
  }
}

export const KEY = { algorithm: "p-256", purpose: "ca-signing", extractable: false } as const;

/** Keys generated, wrapped under a new KEK and destroyed again. */
export async function wrapped(
  session: Session,
  names: readonly string[],
): Promise<{ readonly kek: KekName; readonly items: readonly UnwrapItem[] }> {
  const value = Secret.copy(randomBytes(32));
  const { ckaId, checkValue } = await session.importKek(value, { label: "kek", ckaId: "4b01" });
  const kek = { ckaId, checkValue };
  const items: UnwrapItem[] = [];
  for (const label of names) {
    const id = Buffer.from(label).toString("hex");
    const made = await session.generateKeyPair({ ...KEY, extractable: true, label, ckaId: id });
    for await (const [one] of session.wrapAll(kek, [made])) {
      const { spki, blob, format } = one ?? assert.fail("nothing came");
      items.push({ spki, blob, format, ckaId: id, label, algorithm: "p-256" });
    }
  }
  await session.destroyKeys(items);
  return { kek, items };
}

/** Processes whose parent is this one and that hold the module. */
export function hosts(): readonly number[] {
  return holders().filter((pid) => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      return Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]) === process.pid;
    } catch {
      return false;
    }
  });
}

/** All other processes that hold the module. */
export function holders(): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const maps = readFileSync(`/proc/${pid}/maps`, "utf8");
        return pid !== process.pid && maps.includes(shim.path);
      } catch {
        return false;
      }
    });
}

export function theHost(): number {
  const [pid, ...more] = hosts();
  assert.ok(pid !== undefined && more.length === 0, "there is one process");
  return pid;
}

export async function closed(hsm: Hsm): Promise<void> {
  await hsm.close().catch(() => undefined);
  assert.deepEqual(hosts(), []);
}
