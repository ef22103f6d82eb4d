/** Whether dist/ was bundled from the sources as they are now. */
"use strict";

const { createHash } = require("node:crypto");
const { existsSync, readdirSync, readFileSync } = require("node:fs");
const { join } = require("node:path");

/** What else than src/ goes into the bundle: its version, its packages, how it is made. */
const BESIDES = ["package.json", "package-lock.json", "tsconfig.json", "bin/lib/bundle.js"];

/**
 * SHA-256 over the names and bytes of everything the bundle is made from.
 * @param {string} root
 * @returns {string} in hex
 */
function sourcesDigest(root) {
  const modules = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => `src/${path}`)
    .sort();
  const hash = createHash("sha256");
  for (const path of [...BESIDES, ...modules]) {
    const bytes = readFileSync(join(root, path));
    hash.update(`${path}\0${String(bytes.length)}\0`).update(bytes);
  }
  return hash.digest("hex");
}

/** @param {string} dist */
const digestFile = (dist) => join(dist, "sources.sha256");

/**
 * @param {string} root
 * @returns {boolean}
 */
function isBundleFresh(root) {
  const file = digestFile(join(root, "dist"));
  return existsSync(file) && readFileSync(file, "utf8") === sourcesDigest(root);
}

module.exports = { digestFile, isBundleFresh, sourcesDigest };
