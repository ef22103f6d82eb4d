/**
 * Sources and tests as JavaScript, file by file, in a folder of their own. Compiled anew in each process, as tsx does
 * it, they took a third of the time of all tests: some two hundred modules in each of some three hundred processes.
 *
 * A module's `import.meta.dirname` and `import.meta.url` go on naming its source, so that it finds vectors, C files and
 * dist/ there; `import.meta.filename` is what runs, for programs that start themselves again.
 */
"use strict";

const { readdirSync, readFileSync, symlinkSync } = require("node:fs");
const { dirname, join, resolve } = require("node:path");
const { pathToFileURL } = require("node:url");

const FOLDERS = ["src", "test", "bench"];
const COMPILED = ".mjs";

/** @param {string} source of a `.ts` file, from the root of the sources or relative to another */
const compiledName = (source) => source.replace(/\.ts$/, COMPILED);

/** @param {string} root */
function sourcesIn(root) {
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts"))
      .map((path) => join(root, folder, path)),
  );
}

/**
 * What a module imports stays an import: of its neighbour here, or of what is not compiled where that lies.
 * @type {import("esbuild").Plugin}
 */
const oneByOne = {
  name: "one by one",
  setup(build) {
    build.onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) => {
      if (kind === "entry-point") return undefined;
      const found = path.endsWith(".ts")
        ? compiledName(path)
        : pathToFileURL(resolve(resolveDir, path)).href;
      return { path: found, external: true };
    });
    build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const contents = readFileSync(path, "utf8")
        .replace(/\bimport\.meta\.dirname\b/g, () => JSON.stringify(dirname(path)))
        .replace(/\bimport\.meta\.url\b/g, () => JSON.stringify(pathToFileURL(path).href));
      return { contents, loader: "ts" };
    });
  },
};

/**
 * Compiles everything that a test may import.
 * @param {string} root of the sources
 * @param {string} folder new; what is compiled lies in it as its source does below the root, `.mjs` for `.ts`
 */
async function compileTests(root, folder) {
  await require("esbuild").build({
    entryPoints: sourcesIn(root),
    outbase: root,
    outdir: folder,
    outExtension: { ".js": COMPILED },
    absWorkingDir: root,
    plugins: [oneByOne],
    ...{ bundle: true, packages: "external", platform: "node", target: "node20", format: "esm" },
    ...{ sourcemap: "inline", sourcesContent: false, logLevel: "warning" },
  });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "dir");
}

module.exports = { compileTests, compiledName };
