/** Whether node_modules already is what the lockfile asks for, and the stamp that remembers it. */
"use strict";

const { createHash } = require("node:crypto");
const { existsSync, readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");

/** The only packages whose native code is compiled; no install script of any package is run. */
const NATIVES = ["pkcs11js", "better-sqlite3"];

/**
 * @typedef {object} Stamp what node_modules was made from and for
 * @property {string} lockfile SHA-256 of package-lock.json
 * @property {string} abi NODE_MODULE_VERSION: better-sqlite3 is built for exactly one
 * @property {string} platform
 */
/**
 * @typedef {object} LockedPackage
 * @property {string} [version]
 * @property {string} [integrity]
 * @property {string} [license]
 * @property {boolean} [optional]
 * @property {boolean} [dev] needed for building and testing only
 * @property {boolean} [hasInstallScript]
 */
/** @typedef {{ packages: Record<string, LockedPackage> }} Lockfile */

/**
 * @param {string} file
 * @returns {string} SHA-256 in hex
 */
function digestOfFile(file) {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

/**
 * The stamp that a finished set-up of this source tree on this Node has.
 * @param {string} root
 * @returns {Stamp}
 */
function stampFor(root) {
  return {
    lockfile: digestOfFile(join(root, "package-lock.json")),
    abi: process.versions.modules,
    platform: `${process.platform}-${process.arch}`,
  };
}

/** @param {string} root */
const stampFile = (root) => join(root, "node_modules", ".keyrite-setup.json");

/**
 * Whether the last set-up finished with this stamp and its addons are still there.
 * @param {string} root
 * @param {Stamp} wanted
 */
function isStamped(root, wanted) {
  const file = stampFile(root);
  if (!existsSync(file)) return false;
  const same = readFileSync(file, "utf8") === JSON.stringify(wanted);
  return same && NATIVES.every((name) => existsSync(addonFile(root, name)));
}

/**
 * @param {string} root
 * @param {Stamp} stamp
 */
function writeStamp(root, stamp) {
  writeFileSync(stampFile(root), JSON.stringify(stamp));
}

/**
 * Where node-gyp puts the addon of a package.
 * @param {string} root
 * @param {string} name
 */
function addonFile(root, name) {
  const file = name === "pkcs11js" ? "pkcs11.node" : `${name.replaceAll("-", "_")}.node`;
  return join(root, "node_modules", name, "build", "Release", file);
}

/**
 * Whether an installed tree, as npm describes it in node_modules/.package-lock.json, is the one
 * the lockfile asks for. Optional packages may be absent: they are other platforms' binaries.
 * @param {Lockfile} lockfile
 * @param {Lockfile} installed
 */
function treeMatches(lockfile, installed) {
  const wanted = Object.entries(lockfile.packages).filter(([path]) => path !== "");
  const complete = wanted.every(([path, { version, integrity, optional }]) => {
    const found = installed.packages[path];
    if (found === undefined) return optional === true;
    return found.version === version && found.integrity === integrity;
  });
  return complete && Object.keys(installed.packages).every((path) => path in lockfile.packages);
}

/**
 * @param {string} file
 * @returns {Lockfile}
 */
function readLockfile(file) {
  /** @type {unknown} */
  const read = JSON.parse(readFileSync(file, "utf8"));
  return /** @type {Lockfile} */ (read);
}

/**
 * Whether node_modules matches the lockfile, by npm's own record and a look at every folder.
 * @param {string} root
 */
function isInstalled(root) {
  const record = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(record)) return false;
  const installed = readLockfile(record);
  return (
    treeMatches(readLockfile(join(root, "package-lock.json")), installed) &&
    Object.keys(installed.packages).every((path) => existsSync(join(root, path, "package.json")))
  );
}

module.exports = {
  NATIVES,
  addonFile,
  isInstalled,
  isStamped,
  readLockfile,
  stampFor,
  treeMatches,
  writeStamp,
};
