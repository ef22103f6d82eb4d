/** The list of what Keyrite depends on agrees with what is installed and imported. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { NATIVES, readLockfile } from "../bin/lib/tree.js";
import { packageImporters } from "./architecture/rules.ts";

const ROOT = join(import.meta.dirname, "..");
const LOCKFILE = join(ROOT, "package-lock.json");

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
}

const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Manifest;
/** The tools that measure the tests are apart, and under the same rules. */
const MEASURE = join(ROOT, "measure");
const measure = JSON.parse(readFileSync(join(MEASURE, "package.json"), "utf8")) as Pick<
  Manifest,
  "devDependencies"
>;
const LOCKFILES = [LOCKFILE, join(MEASURE, "package-lock.json")];
const documented = readFileSync(join(ROOT, "docs", "dependencies.md"), "utf8");

/** Cells of the table row of each package in docs/dependencies.md. */
function documentedRows(): ReadonlyMap<string, readonly string[]> {
  const rows = documented.split("\n").filter((line) => line.startsWith("| "));
  return new Map(
    rows.map((line) => {
      const cells = line.split("|").map((cell) => cell.trim());
      return [cells[1] ?? "", cells.slice(2, -1)];
    }),
  );
}

test("versions are exact, also those of tools", () => {
  for (const [name, version] of Object.entries({
    ...manifest.dependencies,
    ...manifest.devDependencies,
    ...measure.devDependencies,
  })) {
    assert.match(version, /^\d+\.\d+\.\d+$/, name);
  }
});

test("every dependency, and nothing else, is documented with its version and licence", () => {
  const rows = documentedRows();
  const wanted = {
    ...manifest.dependencies,
    ...manifest.devDependencies,
    ...measure.devDependencies,
  };
  const packages = Object.assign(
    {},
    ...LOCKFILES.map((file) => readLockfile(file).packages),
  ) as ReturnType<typeof readLockfile>["packages"];
  for (const [name, version] of Object.entries(wanted)) {
    const licence = packages[`node_modules/${name}`]?.license?.replace(/[()]/g, "");
    assert.deepEqual(rows.get(name)?.slice(0, 2), [version, licence], name);
  }
  const others = [...rows.keys()].filter((name) => !(name in wanted) && name !== "package");
  assert.deepEqual(others, []);
});

test("D01: run-time packages are few, and only two are compiled", () => {
  const names = Object.keys(manifest.dependencies);
  // Whoever adds one says why here as well.
  assert.ok(names.length <= 13, `${names.length} run-time packages`);
  const native = names.filter((name) => documentedRows().get(name)?.[2] !== "no");
  assert.deepEqual(native.sort(), [...NATIVES, "koffi"].sort());
});

test("every run-time dependency is imported where its documentation says, and is used", () => {
  const sources = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => [`src/${path}`, readFileSync(join(ROOT, "src", path), "utf8")] as const);
  const importers = packageImporters(new Map(sources));
  for (const [name, cells] of documentedRows()) {
    if (!(name in manifest.dependencies)) continue;
    const place = cells[3] ?? "";
    const files = [...(importers.get(name) ?? [])];
    assert.ok(files.length > 0, `${name} is imported nowhere`);
    const elsewhere = files.filter((file) =>
      place.endsWith("/") ? !file.startsWith(place) : file !== place,
    );
    assert.deepEqual(elsewhere, [], `${name} is documented for ${place}`);
  }
});

test("D01: the lockfiles name no host and have a digest for every package", () => {
  for (const file of LOCKFILES) {
    assert.doesNotMatch(readFileSync(file, "utf8"), /"resolved"/);
    const { packages } = readLockfile(file);
    for (const [path, { integrity }] of Object.entries(packages)) {
      if (path !== "") assert.match(integrity ?? "", /^sha512-/, path);
    }
  }
});

test("D01: no tool that measures the tests has an install script", () => {
  const { packages } = readLockfile(join(MEASURE, "package-lock.json"));
  const scripted = Object.values(packages).filter((one) => one.hasInstallScript === true);
  assert.deepEqual(scripted, []);
});

test("D01: whatever has an install script is compiled by us or documented as never run", () => {
  const { packages } = readLockfile(LOCKFILE);
  const scripted = Object.entries(packages)
    .filter(([, { hasInstallScript }]) => hasInstallScript === true)
    .map(([path]) => path.replace(/^.*node_modules\//, ""));
  const [, neverRun = ""] = /scripts which are never run:([^]*?)\n- /.exec(documented) ?? [];
  for (const name of scripted) assert.ok(neverRun.includes(`\`${name}\``), name);
  assert.deepEqual(Object.keys(manifest.allowScripts).sort(), [...NATIVES].sort());
});
