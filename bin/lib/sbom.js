/**
 * The inventory of what a release holds, as CycloneDX 1.5. npm's own stamps a time and a random number into
 * it; this one is a function of the lockfile, so that two builders get the same bytes.
 */
"use strict";

const { readFileSync } = require("node:fs");
const { join } = require("node:path");

/**
 * @typedef {object} Component
 * @property {"library"} type
 * @property {string} name
 * @property {string} version
 * @property {string} purl
 * @property {{ license: { name: string } }[]} licenses
 * @property {{ alg: "SHA-512", content: string }[]} hashes of the package's archive in the registry
 */

/**
 * @param {string} root
 * @param {import("./tree.js").Lockfile} lockfile
 * @returns {string} one JSON document
 */
function softwareInventory(root, lockfile) {
  /** @type {unknown} */
  const read = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const { name, version } = /** @type {{ name: string, version: string }} */ (read);
  const components = Object.entries(lockfile.packages)
    .filter(([path, { dev }]) => path !== "" && dev !== true)
    .map(([path, locked]) => component(path.replace(/^.*node_modules\//, ""), locked))
    .sort((a, b) => (a.purl < b.purl ? -1 : a.purl > b.purl ? 1 : 0));
  const document = {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: {
      component: { type: "application", name, version, purl: `pkg:npm/${name}@${version}` },
    },
    components,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/**
 * @param {string} name
 * @param {import("./tree.js").LockedPackage} locked
 * @returns {Component}
 */
function component(name, { version = "", integrity = "", license = "unknown" }) {
  const [, digest] = /^sha512-(.+)$/.exec(integrity) ?? [];
  const content = Buffer.from(digest ?? "", "base64").toString("hex");
  return {
    type: "library",
    name,
    version,
    purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
    licenses: [{ license: { name: license } }],
    hashes: digest === undefined ? [] : [{ alg: "SHA-512", content }],
  };
}

module.exports = { softwareInventory };
