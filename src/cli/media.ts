/** Where each person's medium is: --medium, else site.yaml, else asked of the person. */

import { existsSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import type { OperatorConsole } from "../console/console.ts";
import { KeyriteError } from "../lib/errors.ts";
import { openMedium, type Medium } from "../people/medium.ts";

/** Reads repeated `person=DIR` options. @throws KeyriteError usage.bad-option */
export function readMediumOptions(options: readonly string[]): ReadonlyMap<string, string> {
  const media = new Map<string, string>();
  for (const option of options) {
    const at = option.indexOf("=");
    if (at < 1) {
      throw new KeyriteError("usage.bad-option", `--medium ${option} is not person=DIR`, {
        hints: ["for example --medium ana=/media/ana"],
      });
    }
    media.set(option.slice(0, at), resolve(option.slice(at + 1)));
  }
  return media;
}

export type MediumSource = (person: string, name: string) => Promise<Medium>;

/** Finds media; one folder is never the medium of two people. */
export function mediumSource(
  console: OperatorConsole,
  known: ReadonlyMap<string, string>,
): MediumSource {
  const folders = new Map(known);
  return async (person, name) => {
    const folder = folders.get(person) ?? (await askFolder(console, person, name));
    folders.set(person, folder);
    const medium = openMedium(folder, person);
    const real = realpathSync(folder);
    for (const [other, theirs] of folders) {
      if (other === person || !existsSync(theirs) || realpathSync(theirs) !== real) continue;
      folders.delete(person);
      throw new KeyriteError(
        "people.same-person",
        `${person} and ${other} are given the same medium, ${folder}`,
        { hints: ["every person brings a medium of their own"] },
      );
    }
    return medium;
  };
}

function askFolder(console: OperatorConsole, person: string, name: string): Promise<string> {
  return console
    .ask({
      step: "media",
      id: "medium",
      to: { person, name },
      text: "insert your medium; in which folder is it",
      check: (answer) => (existsSync(answer) ? undefined : "there is no such folder"),
    })
    .then((answer) => resolve(answer));
}
