/**
 * Reading a token back in a process of its own: whatever the first one holds in memory, a new one sees only
 * what the token has stored. This file is both sides of it.
 */

import { execFile } from "node:child_process";
import { join } from "node:path";
import { createHsm } from "../hsm/hsm.ts";
import type { ModuleBinding, PublicKeyOnToken } from "../hsm/token.ts";
import { KeyriteError } from "../lib/errors.ts";
import { check, z } from "../lib/schema.ts";
import { packageRoot } from "./package-root.ts";
import { setEnvironment, systemClock, systemRandom } from "./system.ts";

/** A listing of 100,000 keys fits. */
const MOST_OUTPUT = 32 << 20;
const LONGEST_MS = 300_000;

const asked = z.strictObject({
  module: z.strictObject({
    name: z.string(),
    profile: z.string(),
    path: z.string(),
    tokenDir: z.string().optional(),
  }),
  serial: z.string(),
  label: z.string(),
});

const told = z.array(z.strictObject({ spkiSha256: z.string(), ckaId: z.string() }));

/** See `PublicKeysFromNewProcess`. @throws KeyriteError hsm.call-failed when it fails or says nonsense */
export async function publicKeysFromNewProcess(
  module: ModuleBinding,
  serial: string,
  label: string,
): Promise<readonly PublicKeyOnToken[]> {
  const words = ["hsm", "public-keys", JSON.stringify({ module, serial, label })];
  const output = await new Promise<string>((done, fail) => {
    execFile(
      process.execPath,
      [join(packageRoot(), "bin", "keyrite.js"), ...words],
      { maxBuffer: MOST_OUTPUT, timeout: LONGEST_MS, encoding: "utf8" },
      (error, stdout, stderr) => {
        if (error === null) done(stdout);
        else fail(failed(stderr.trim().split("\n")[0] ?? "", error));
      },
    );
  });
  return read(told, output, "what a new process told of the token");
}

/** Prints what this process finds. */
export async function printPublicKeys(text: string): Promise<void> {
  const { module, serial, label } = read(asked, text, "the token asked for");
  const hsm = createHsm({
    setEnvironment,
    random: systemRandom,
    monotonic: () => systemClock.monotonic(),
  });
  try {
    const { tokenDir, ...rest } = module;
    const binding: ModuleBinding = tokenDir === undefined ? rest : { ...rest, tokenDir };
    const keys = await hsm.publicKeys(binding, serial, label);
    process.stdout.write(`${JSON.stringify(keys)}\n`);
  } finally {
    await hsm.close();
  }
}

function read<T>(schema: z.Schema<T>, text: string, what: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw failed(`${what} is no JSON`, cause);
  }
  const result = check(schema, { value, file: what, locate: () => ({ line: 1, col: 1 }) });
  if (result.ok) return result.value;
  throw failed(`${what} is not valid`, undefined);
}

function failed(what: string, cause: unknown): KeyriteError {
  return new KeyriteError("hsm.call-failed", `a new process could not read the token: ${what}`, {
    hints: ["keyrite hsm list shows whether the token answers at all"],
    cause,
  });
}
