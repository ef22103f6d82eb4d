/**
 * The offline bundle: what runs, the three packages with native code as built here, an inventory (SBOM) and
 * the digest of every file, in one archive. The same tree always gives the same bytes.
 */
"use strict";

const { createHash } = require("node:crypto");
const fs = require("node:fs");
const { tmpdir } = require("node:os");
const { dirname, join } = require("node:path");
const { gzipSync } = require("node:zlib");
const { run } = require("./run.js");
const { softwareInventory } = require("./sbom.js");
const { readLockfile } = require("./tree.js");

const ROOT = join(__dirname, "..", "..");

/** What stands in the archive as it stands here. Tests, sources and tools stay at home. */
const OWN = [
  ...["bin/keyrite.js", "bin/lib/node-version.js", "bin/lib/supervisor.js", "bin/package.json"],
  ...["dist", "ceremonies"],
  ...["docs", "README.md", "CEREMONY.md", "SECURITY.md", "LICENSE", "package.json"],
];

/** Of each package with native code, what it needs to run. */
const NATIVE = [
  ...["pkcs11js/package.json", "pkcs11js/index.js", "pkcs11js/LICENSE"],
  "pkcs11js/build/Release/pkcs11.node",
  ...["better-sqlite3/package.json", "better-sqlite3/LICENSE"],
  "better-sqlite3/build/Release/better_sqlite3.node",
  ...["koffi/package.json", "koffi/index.cjs", "koffi/LICENSE.txt"],
  ...["koffi/src/koffi/index.cjs", "koffi/src/koffi/src/static.cjs"],
  `@koromix/koffi-${process.platform}-${process.arch}`,
].map((path) => `node_modules/${path}`);

const INSTALL = `Keyrite, to be installed without a network

1. Compare the SHA-256 of this archive, or its words, with those that two people have from another source.
2. Unpack it where trusted roles can read and not write: tar -xzf keyrite-….tar.gz -C /opt
3. Check what was unpacked: cd /opt/keyrite-… && sha256sum -c --quiet MANIFEST.sha256
4. Start it: /opt/keyrite-…/bin/keyrite.js doctor
   The build it names is the one that plans and agreements name: compare it as well.
   It needs Node of the version in the archive's name, and for the demo SoftHSM. Nothing is compiled, nothing fetched.
`;

/** @param {string | Uint8Array} bytes */
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/**
 * @param {string} folder where the archive goes
 * @returns {Promise<{ file: string, sha256: string, build: string }>}
 */
async function offlineArchive(folder) {
  /** @type {unknown} */
  const read = JSON.parse(fs.readFileSync(join(ROOT, "package.json"), "utf8"));
  const { version } = /** @type {{ version: string }} */ (read);
  const name = `keyrite-${version}-${process.platform}-${process.arch}-node${process.versions.modules}`;
  const stage = fs.mkdtempSync(join(tmpdir(), "keyrite-offline-"));
  try {
    const top = join(stage, name);
    fillFolder(top);
    // GNU tar: in order, without this machine's owner and times.
    const tar = join(stage, "archive.tar");
    const plain = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
    await run("packing", ["tar", ...plain, "--format=ustar", "-C", stage, "-cf", tar, name]);
    const bytes = gzipSync(fs.readFileSync(tar), { level: 9 });
    const file = join(folder, `${name}.tar.gz`);
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(file, bytes);
    return { file, sha256: sha256(bytes), build: buildDigest(top) };
  } finally {
    fs.rmSync(stage, { recursive: true });
  }
}

/**
 * The digest by which plans, agreements and `keyrite doctor` name a build: of the list of its files and their digests.
 * @param {string} top
 */
function buildDigest(top) {
  const files = filesBelow(top).filter((path) => /^(bin|dist)\/.*\.(cjs|js|ts)$/.test(path));
  return sha256(
    files.map((path) => `${path} ${sha256(fs.readFileSync(join(top, path)))}`).join("\n"),
  );
}

/** @param {string} top */
function fillFolder(top) {
  for (const path of [...OWN, ...NATIVE]) copy(join(ROOT, path), join(top, path));
  const lockfile = readLockfile(join(ROOT, "package-lock.json"));
  fs.writeFileSync(join(top, "INSTALL.txt"), INSTALL);
  fs.writeFileSync(join(top, "sbom.cdx.json"), softwareInventory(ROOT, lockfile));
  fs.writeFileSync(join(top, "MANIFEST.sha256"), manifest(top));
  normalise(top);
}

/**
 * @param {string} from
 * @param {string} to
 */
function copy(from, to) {
  fs.mkdirSync(dirname(to), { recursive: true });
  fs.cpSync(from, to, { recursive: true, dereference: true });
}

/** Digests in the form of sha256sum. @param {string} top */
function manifest(top) {
  return filesBelow(top)
    .map((path) => `${sha256(fs.readFileSync(join(top, path)))}  ${path}\n`)
    .join("");
}

/**
 * Whoever unpacked the sources had a umask of their own.
 * @param {string} top
 */
function normalise(top) {
  for (const path of fs.readdirSync(top, { recursive: true, encoding: "utf8" })) {
    const file = join(top, path);
    const runs = fs.statSync(file).isDirectory() || path === join("bin", "keyrite.js");
    fs.chmodSync(file, runs ? 0o755 : 0o644);
  }
  fs.chmodSync(top, 0o755);
}

/** @param {string} top */
function filesBelow(top) {
  return fs
    .readdirSync(top, { recursive: true, encoding: "utf8" })
    .filter((path) => fs.statSync(join(top, path)).isFile())
    .sort();
}

module.exports = { offlineArchive };
