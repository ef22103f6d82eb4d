/**
 * Installs the npm packages without running any of their scripts and compiles the two native
 * addons against the headers of the Node that runs now. Nothing comes from anywhere but the package
 * registry: better-sqlite3's own install script would ask a code host for a binary first, and
 * node-gyp left to itself would fetch headers from nodejs.org.
 */
"use strict";

const { spawnSync } = require("node:child_process");
const { existsSync, readFileSync, realpathSync } = require("node:fs");
const { createRequire } = require("node:module");
const { basename, dirname, join } = require("node:path");
const { SetupError, run, say } = require("./run.js");
const { distributionHeaders } = require("./system.js");
const { NATIVES, addonFile } = require("./tree.js");

/** The prefix of the running Node, e.g. /usr for /usr/bin/node. */
const prefix = () => dirname(dirname(realpathSync(process.execPath)));

/** npm's own script, so that it runs on this very Node. @returns {string} */
function npmScript() {
  const started = process.env["npm_execpath"];
  if (started !== undefined && basename(started) === "npm-cli.js") return started;
  const beside = join(prefix(), "lib", "node_modules", "npm", "bin", "npm-cli.js");
  if (existsSync(beside)) return beside;
  const asked = spawnSync("npm", ["root", "-g"], { encoding: "utf8" });
  const found = join(asked.status === 0 ? asked.stdout.trim() : "", "npm", "bin", "npm-cli.js");
  if (existsSync(found)) return found;
  throw new SetupError("npm was not found beside Node; start set-up with: npm run setup", 2);
}

/** The node-gyp that npm brings along. @returns {string} */
function nodeGypScript() {
  const configured = process.env["npm_config_node_gyp"];
  if (configured !== undefined && existsSync(configured)) return configured;
  try {
    return createRequire(realpathSync(npmScript())).resolve("node-gyp/bin/node-gyp.js");
  } catch {
    throw new SetupError("npm's node-gyp was not found; install npm as Node's own releases do", 2);
  }
}

/**
 * The version that a node_version.h describes, e.g. "20.20.2", or undefined.
 * @param {string} text
 * @returns {string | undefined}
 */
function headerVersion(text) {
  const numbers = ["MAJOR", "MINOR", "PATCH"].map(
    (part) => new RegExp(`^#define NODE_${part}_VERSION (\\d+)$`, "m").exec(text)?.[1],
  );
  return numbers.includes(undefined) ? undefined : numbers.join(".");
}

/**
 * The first folder that holds headers of this version, or undefined. Headers of another version
 * compile as well and then fail, or worse, at run time.
 * @param {readonly string[]} folders
 * @param {string} version as process.versions.node has it
 */
function matchingHeaders(folders, version) {
  return folders.find((folder) =>
    ["include/node", "src"].some((below) => {
      const file = join(folder, below, "node_version.h");
      return existsSync(file) && headerVersion(readFileSync(file, "utf8")) === version;
    }),
  );
}

/** @param {string} name @returns {string} npm's setting, or the empty string */
function npmSetting(name) {
  const fromHook = process.env[`npm_config_${name}`];
  if (fromHook !== undefined) return fromHook;
  const asked = spawnSync(process.execPath, [npmScript(), "config", "get", name], {
    encoding: "utf8",
  });
  const value = asked.status === 0 ? asked.stdout.trim() : "";
  return value === "undefined" || value === "null" ? "" : value;
}

/**
 * The arguments that point node-gyp at headers.
 * @returns {Promise<readonly string[]>}
 * @throws {SetupError} when there are none and npm is not told where else to get them
 */
async function headerArguments() {
  const version = process.versions.node;
  const nodedir = npmSetting("nodedir");
  const look = () => matchingHeaders(nodedir === "" ? [prefix()] : [prefix(), nodedir], version);
  const found = look() ?? ((await distributionHeaders()) ? look() : undefined);
  if (found !== undefined) return [`--nodedir=${found}`];
  const mirror = npmSetting("disturl");
  if (mirror !== "") {
    say(`fetching the headers of Node ${version} from npm's configured disturl`);
    return [`--disturl=${mirror}`];
  }
  throw new SetupError(
    `the headers of Node ${version} are not in ${join(prefix(), "include", "node")}, and they are ` +
      "not fetched from nodejs.org because set-up downloads from package registries only.\n" +
      "Install the headers that belong to this Node (its own archives and images have them), or " +
      "point npm at them: npm config set nodedir DIR",
    2,
  );
}

/**
 * `npm ci` without scripts, development tools included even where NODE_ENV says production.
 * @param {string} root
 */
async function installPackages(root) {
  const args = ["ci", "--ignore-scripts", "--include=dev", "--no-audit", "--no-fund"];
  await run("installing npm packages, no scripts run", [process.execPath, npmScript(), ...args], {
    cwd: root,
  });
}

/**
 * Whether an addon was compiled here (a downloaded one has no object files) and runs on this Node.
 * @param {string} root
 * @param {string} name
 */
function works(root, name) {
  const addon = addonFile(root, name);
  if (!existsSync(addon) || !existsSync(join(dirname(addon), "obj.target"))) return false;
  const tried = spawnSync(process.execPath, ["-e", `require(${JSON.stringify(addon)})`], {
    stdio: "ignore",
  });
  return tried.status === 0;
}

/**
 * Compiles the addons that do not work yet.
 * @param {string} root
 */
async function buildNatives(root) {
  const due = NATIVES.filter((name) => !works(root, name));
  if (due.length === 0) return;
  const nodeGyp = nodeGypScript();
  const headers = await headerArguments();
  for (const name of due) {
    const command = [nodeGyp, "rebuild", "--release", "--jobs=max", ...headers];
    await run(`compiling ${name}`, [process.execPath, ...command], {
      cwd: join(root, "node_modules", name),
    });
    if (!works(root, name)) throw new SetupError(`${name} was compiled but does not load`, 1);
  }
}

module.exports = { buildNatives, headerVersion, installPackages, matchingHeaders };
