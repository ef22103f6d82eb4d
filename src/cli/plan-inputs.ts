/** Documents that a script is planned with: profiles beside it or shipped, and files named by `--set`. */

import { existsSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { InputSource } from "../ceremony/inputs.ts";
import { LONGEST_INPUT } from "../ceremony/inputs.ts";
import { label } from "../ceremony/words.ts";
import { readBounded } from "../lib/files.ts";
import { packageRoot } from "./package-root.ts";

const ENDING = ".yaml";

/**
 * Where a script's documents are found: profiles in `profiles/` beside the script's folder, else among
 * those that ship with Keyrite.
 * @param read every file that was taken in, with its bytes: what the room agrees to must not change
 */
export function planInputs(
  script: string,
  attachment: InputSource["attachment"],
  read: Map<string, Uint8Array>,
): InputSource {
  const folders = [
    join(dirname(resolve(script)), "..", "profiles"),
    join(packageRoot(), "ceremonies", "profiles"),
  ];
  const take = (path: string): Uint8Array => {
    const bytes = readBounded(path, LONGEST_INPUT);
    read.set(path, bytes);
    return bytes;
  };
  return {
    file: (path) => take(resolve(path)),
    profile(name) {
      // A name and never a path: it comes out of a script.
      if (!label.safeParse(name).success) return undefined;
      const path = folders.map((one) => join(one, name + ENDING)).find((file) => existsSync(file));
      return path === undefined ? undefined : take(path);
    },
    profiles: () => [...new Set(folders.flatMap(namesIn))].toSorted(),
    attachment,
  };
}

function namesIn(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(ENDING))
    .map((name) => name.slice(0, -ENDING.length));
}
