/** Where each person's medium is: --medium, else site.yaml, else asked of the person. */

import { existsSync, realpathSync } from "node:fs";
import { join, resolve } from "node:path";
import type { OperatorConsole } from "../console/console.ts";
import { KeyriteError } from "../lib/errors.ts";
import { openMedium, type Medium } from "../people/medium.ts";

/** Reads repeated `person=DIR` options. @throws KeyriteError usage.bad-option */
export function readMediumOptions(options: readonly string[]): ReadonlyMap<string, string> {
  return readFolderOptions("medium", options, "ana=/media/ana");
}

/** Reads repeated `name=DIR` options of `--<flag>`. @throws KeyriteError usage.bad-option */
export function readFolderOptions(
  flag: "medium" | "vault",
  options: readonly string[],
  example: string,
): ReadonlyMap<string, string> {
  const folders = new Map<string, string>();
  for (const option of options) {
    const at = option.indexOf("=");
    if (at < 1) {
      const form = flag === "medium" ? "person=DIR" : "name=DIR";
      throw new KeyriteError("usage.bad-option", `--${flag} ${option} is not ${form}`, {
        hints: [`for example --${flag} ${example}`],
      });
    }
    folders.set(option.slice(0, at), resolve(option.slice(at + 1)));
  }
  return folders;
}

export type MediumSource = (person: string, name: string) => Promise<Medium>;

/**
 * Finds media; one folder is never the medium of two people. A place that turned out wrong is asked for
 * when it is needed again, so that the next attempt at a step can put it right.
 */
export function mediumSource(
  console: OperatorConsole,
  known: ReadonlyMap<string, string>,
): MediumSource {
  const folders = new Map(known);
  const wrong = new Set<string>();
  return async (person, name) => {
    const given = folders.get(person);
    const folder =
      given === undefined || wrong.has(person)
        ? await askFolder(console, person, name, given)
        : given;
    folders.set(person, folder);
    wrong.add(person);
    const medium = openMedium(folder, person);
    const real = realpathSync(folder);
    for (const [other, theirs] of folders) {
      if (wrong.has(other) || !existsSync(theirs) || realpathSync(theirs) !== real) continue;
      // Nobody knows yet whose it is, so both are asked.
      wrong.add(other);
      throw new KeyriteError(
        "people.same-person",
        `${person} and ${other} are given the same medium, ${folder}`,
        { hints: ["every person brings a medium of their own; both are asked for its folder now"] },
      );
    }
    if (existsSync(join(folder, "keyrite", "card.json"))) requireOwner(medium, person, name);
    wrong.delete(person);
    return medium;
  };
}

function requireOwner(medium: Medium, person: string, name: string): void {
  const owner = medium.readCard().person;
  if (owner === person) return;
  throw new KeyriteError(
    "people.same-person",
    `the medium given for ${person} is that of ${owner}, not ${person}`,
    { hints: [`insert the medium of ${name}; its folder is asked for now`] },
  );
}

function askFolder(
  console: OperatorConsole,
  person: string,
  name: string,
  given: string | undefined,
): Promise<string> {
  return console
    .ask({
      step: "media",
      id: "medium",
      to: { person, name },
      text: "insert your medium and type its folder",
      check: (answer) => (existsSync(answer) ? undefined : "there is no such folder"),
      ...(given === undefined ? {} : { preset: given }),
    })
    .then((answer) => resolve(answer));
}
