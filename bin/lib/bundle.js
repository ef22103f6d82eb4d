/**
 * Bundles src/cli/main.ts with esbuild into dist/, split where the sources import lazily, and beside it the
 * program of the threads that verify a large ledger.
 *
 * esbuild splits ES modules only, and Node starts CommonJS a tenth faster: so the split modules are
 * turned into CommonJS in a second pass. The same sources always give the same bytes.
 */
"use strict";

const { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } = require("node:fs");
const { basename, join } = require("node:path");
const { digestFile, sourcesDigest } = require("./sources.js");

const TARGET = "node20";

/** SQLite as setup compiles it, seen from dist/. */
const SQLITE_ADDON = "better-sqlite3/build/Release/better_sqlite3.node";

/** Native addons find their binaries by where they lie, so they stay in node_modules. */
const EXTERNAL = ["pkcs11js", SQLITE_ADDON, "koffi"];

/**
 * better-sqlite3 searches thirteen places for its addon, in as many files of its own: that takes longer than
 * verifying a ledger's structure. Its script is bundled and told the one place where the addon is.
 * @type {import("esbuild").Plugin}
 */
const knownAddon = {
  name: "the addon of better-sqlite3",
  setup(build) {
    build.onResolve({ filter: /^bindings$/ }, ({ importer }) =>
      /[\\/]node_modules[\\/]better-sqlite3[\\/]/.test(importer)
        ? { path: "addon", namespace: "sqlite" }
        : undefined,
    );
    build.onLoad({ filter: /./, namespace: "sqlite" }, () => ({
      contents: `module.exports = () => require(${JSON.stringify(SQLITE_ADDON)});`,
    }));
  },
};

/**
 * What packages import for features we do not use, by package: commander's sub-commands that are executables
 * of their own, and the encodings of files that come back from inquirer's editor. Loading the first takes as
 * long as reading a script; the tables of the second were a fifth of what every plan digests.
 * @type {Readonly<Record<string, RegExp>>}
 */
const UNUSED = {
  commander: /^node:child_process$/,
  "@inquirer/external-editor": /^(chardet|iconv-lite)$/,
};

/** @type {import("esbuild").Plugin} */
const withoutUnused = {
  name: "without what is not used",
  setup(build) {
    for (const [name, filter] of Object.entries(UNUSED)) {
      build.onResolve({ filter }, ({ path, importer }) =>
        importer.replaceAll("\\", "/").includes(`/node_modules/${name}/`)
          ? { path, namespace: "unused" }
          : undefined,
      );
    }
    build.onLoad({ filter: /./, namespace: "unused" }, () => ({
      contents: "module.exports = {};",
    }));
  },
};

/**
 * @typedef {object} Bundled
 * @property {string} name file name in dist/
 * @property {string} text
 */

/**
 * @param {string} root
 * @returns {Promise<Bundled[]>}
 */
async function splitModules(root) {
  const pageScript = await pageScriptText(root);
  const [main, thread] = await Promise.all([
    built(root, "src/cli/main.ts", true, pageScript),
    // In one piece of its own: sharing parts with it would split what every command loads.
    built(root, "src/ledger/verify-worker.ts", false, pageScript),
  ]);
  return [...main, ...thread];
}

/**
 * What a report page checks itself with, as one script for browsers.
 * @param {string} root
 * @returns {Promise<string>}
 */
async function pageScriptText(root) {
  /** @type {typeof import("esbuild")} */
  const esbuild = require("esbuild");
  const result = await esbuild.build({
    absWorkingDir: root,
    entryPoints: ["src/report/in-page/main.ts"],
    bundle: true,
    write: false,
    format: "iife",
    platform: "browser",
    target: "es2022",
    preserveSymlinks: true,
    charset: "ascii",
    minifyWhitespace: true,
    minifySyntax: true,
    logLevel: "warning",
  });
  return result.outputFiles.map((file) => file.text).join("");
}

/**
 * @param {string} root
 * @param {string} entry
 * @param {boolean} splitting
 * @param {string} pageScript
 * @returns {Promise<Bundled[]>}
 */
async function built(root, entry, splitting, pageScript) {
  /** @type {typeof import("esbuild")} */
  const esbuild = require("esbuild");
  /** @type {unknown} */
  const read = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const { version } = /** @type {{ version: string }} */ (read);
  const result = await esbuild.build({
    absWorkingDir: root,
    entryPoints: [entry],
    outdir: "dist",
    outExtension: { ".js": ".cjs" },
    bundle: true,
    splitting,
    write: false,
    format: "esm",
    platform: "node",
    target: TARGET,
    external: EXTERNAL,
    // Wherever node_modules really lies: the same sources give the same bytes.
    preserveSymlinks: true,
    plugins: [withoutUnused, knownAddon],
    define: {
      KEYRITE_VERSION: JSON.stringify(version),
      KEYRITE_PAGE_SCRIPT: JSON.stringify(pageScript),
    },
    logLevel: "warning",
  });
  return result.outputFiles.map((file) => ({ name: basename(file.path), text: file.text }));
}

/**
 * One module as CommonJS; `import()` becomes a deferred `require`.
 * @param {Bundled} module
 * @returns {Promise<Bundled>}
 */
async function toCommonJs({ name, text }) {
  /** @type {typeof import("esbuild")} */
  const esbuild = require("esbuild");
  const result = await esbuild.transform(text, {
    sourcefile: name,
    format: "cjs",
    platform: "node",
    target: TARGET,
    supported: { "dynamic-import": false },
    // Half the bytes to read, hash and parse at every start; names stay for stack traces.
    minifyWhitespace: true,
    minifySyntax: true,
    define: { "import.meta.dirname": "__dirname", "import.meta.filename": "__filename" },
  });
  const [warning] = result.warnings;
  // A warning here means that something, say import.meta.url, has no CommonJS form.
  if (warning !== undefined) throw new Error(`${name}: ${warning.text}`);
  return { name, text: result.code };
}

/**
 * Writes the bundle of the sources in `root` to `dist`, replacing what was there.
 * @param {string} root
 * @param {string} [dist]
 * @returns {Promise<void>}
 */
async function bundle(root, dist = join(root, "dist")) {
  const digest = sourcesDigest(root);
  const modules = await Promise.all((await splitModules(root)).map(toCommonJs));
  const fresh = `${dist}.${String(process.pid)}`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  for (const { name, text } of modules) writeFileSync(join(fresh, name), text);
  writeFileSync(digestFile(fresh), digest);
  rmSync(dist, { recursive: true, force: true });
  renameSync(fresh, dist);
}

module.exports = { bundle, pageScriptText };
