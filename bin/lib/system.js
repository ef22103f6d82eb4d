/**
 * What Keyrite needs of the operating system, and how each package manager calls it. What is
 * missing is found by looking for the files themselves: people install in other ways than ours.
 */
"use strict";

const { existsSync, readdirSync } = require("node:fs");
const { spawnSync } = require("node:child_process");
const { delimiter, dirname, join } = require("node:path");
const { SetupError, run, say } = require("./run.js");

/** @typedef {"apt" | "dnf" | "brew"} Manager */
/**
 * @typedef {object} Requirement
 * @property {string} name
 * @property {readonly string[]} [programs] any of these on PATH will do
 * @property {readonly string[]} [files] any of these, below a library folder, will do
 * @property {Readonly<Record<Manager, readonly string[]>>} packages
 * @property {boolean} [tests] only the tests need it
 */

/** @type {readonly Requirement[]} */
const REQUIREMENTS = [
  {
    name: "SoftHSM",
    files: ["softhsm/libsofthsm2.so", "pkcs11/libsofthsm2.so", "libsofthsm2.so"],
    packages: { apt: ["softhsm2"], dnf: ["softhsm"], brew: ["softhsm"] },
  },
  {
    name: "NSS softoken",
    files: ["libsoftokn3.so", "nss/libsoftokn3.so", "libsoftokn3.dylib"],
    packages: { apt: ["libnss3"], dnf: ["nss-softokn"], brew: ["nss"] },
  },
  {
    name: "OpenSSL",
    programs: ["openssl"],
    packages: { apt: ["openssl"], dnf: ["openssl"], brew: ["openssl@3"] },
  },
  {
    name: "age",
    programs: ["age"],
    packages: { apt: ["age"], dnf: ["age"], brew: ["age"] },
  },
  {
    name: "Python 3",
    programs: ["python3"],
    packages: { apt: ["python3"], dnf: ["python3"], brew: ["python3"] },
  },
  {
    // On macOS compilers come from Apple alone: `packages.brew` is empty and the hint says so.
    name: "a C++ compiler",
    programs: ["c++", "g++", "clang++"],
    packages: { apt: ["g++"], dnf: ["gcc-c++"], brew: [] },
  },
  {
    name: "make",
    programs: ["make", "gmake"],
    packages: { apt: ["make"], dnf: ["make"], brew: [] },
  },
  {
    // Report pages check themselves in a browser: that is tested in one.
    name: "Chromium",
    programs: ["chromium", "chromium-browser", "google-chrome", "chrome"],
    packages: { apt: ["chromium"], dnf: ["chromium"], brew: ["chromium"] },
    tests: true,
  },
  {
    // What is written anywhere is searched for secrets, and no socket may be opened.
    name: "strace",
    programs: ["strace"],
    packages: { apt: ["strace"], dnf: ["strace"], brew: [] },
    tests: true,
  },
  {
    // What we issue is judged by other people's tools.
    name: "GnuTLS certtool",
    programs: ["certtool"],
    packages: { apt: ["gnutls-bin"], dnf: ["gnutls-utils"], brew: ["gnutls"] },
    tests: true,
  },
  {
    name: "NSS certutil",
    programs: ["certutil"],
    packages: { apt: ["libnss3-tools"], dnf: ["nss-tools"], brew: ["nss"] },
    tests: true,
  },
];

/**
 * The Node headers of a distribution's own Node; every other Node brings them along.
 * @type {Requirement}
 */
const NODE_HEADERS = {
  name: "the headers of Node",
  packages: { apt: ["libnode-dev"], dnf: ["nodejs-devel"], brew: [] },
};

/** Folders that may hold a library, multiarch ones included. */
function libraryFolders() {
  const fixed = ["/usr/lib", "/usr/lib64", "/usr/local/lib", "/opt/homebrew/lib"];
  const multiarch = existsSync("/usr/lib")
    ? readdirSync("/usr/lib").filter((name) => name.includes("-linux-"))
    : [];
  return [...fixed, ...multiarch.map((name) => join("/usr/lib", name))];
}

/**
 * Requirements that are not met.
 * @param {(path: string) => boolean} exists
 * @param {readonly string[]} path folders searched for programs
 * @param {readonly string[]} libraries folders searched for libraries
 * @param {boolean} [forTests] also what only the tests need
 * @returns {Requirement[]}
 */
function missingRequirements(exists, path, libraries, forTests = false) {
  return REQUIREMENTS.filter(({ tests = false }) => forTests || !tests).filter((requirement) => {
    const { programs = [], files = [] } = requirement;
    const found =
      programs.some((name) => path.some((folder) => exists(join(folder, name)))) ||
      files.some((name) => libraries.some((folder) => exists(join(folder, name))));
    return !found;
  });
}

/**
 * The commands that install packages, as argument lists to be run in order. `refresh` is run first
 * only when the package lists are absent or the first try fails.
 * @param {Manager} manager
 * @param {readonly string[]} packages
 * @returns {{ refresh: readonly string[] | undefined, install: readonly string[] }}
 */
function installCommands(manager, packages) {
  switch (manager) {
    case "apt":
      return {
        refresh: ["apt-get", "update"],
        install: ["apt-get", "install", "--yes", "--no-install-recommends", ...packages],
      };
    case "dnf":
      return { refresh: undefined, install: ["dnf", "install", "--assumeyes", ...packages] };
    case "brew":
      return { refresh: undefined, install: ["brew", "install", ...packages] };
  }
}

/**
 * One line for a person to paste.
 * @param {Manager} manager
 * @param {readonly string[]} packages
 */
function oneCommand(manager, packages) {
  const { refresh, install } = installCommands(manager, packages);
  const sudo = manager === "brew" ? [] : ["sudo"];
  const lines = refresh === undefined ? [install] : [refresh, install];
  return lines.map((line) => [...sudo, ...line].join(" ")).join(" && ");
}

const searchPath = () => (process.env["PATH"] ?? "").split(delimiter).filter((at) => at !== "");

/** @param {string} program */
const onPath = (program) => searchPath().some((folder) => existsSync(join(folder, program)));

/** @returns {Manager | undefined} */
function packageManager() {
  if (process.platform === "darwin") return onPath("brew") ? "brew" : undefined;
  if (onPath("apt-get")) return "apt";
  return onPath("dnf") ? "dnf" : undefined;
}

/**
 * What to put before a command so that it runs with the rights it needs, or undefined.
 * @param {Manager} manager
 * @returns {readonly string[] | undefined}
 */
function elevation(manager) {
  if (manager === "brew" || process.getuid?.() === 0) return [];
  const sudo = spawnSync("sudo", ["-n", "true"], { stdio: "ignore" });
  return sudo.status === 0 ? ["sudo", "-n"] : undefined;
}

/**
 * Installs what is missing, or says which one command does.
 * @param {readonly Requirement[]} missing
 * @returns {Promise<void>}
 */
async function install(missing) {
  const names = missing.map(({ name }) => name).join(", ");
  const manager = packageManager();
  if (manager === undefined) {
    throw new SetupError(
      `not installed: ${names}; and none of apt, dnf and brew is here to install it`,
      2,
    );
  }
  const byHand = missing.filter(({ packages }) => packages[manager].length === 0);
  if (byHand.length > 0) {
    throw new SetupError(`not installed: ${names}; run: xcode-select --install`, 2);
  }
  const packages = missing.flatMap((requirement) => requirement.packages[manager]);
  const before = elevation(manager);
  if (before === undefined) {
    throw new SetupError(
      `not installed: ${names}; as root, run:\n\n  ${oneCommand(manager, packages)}\n`,
      2,
    );
  }
  await runInstall(manager, packages, before);
}

/**
 * @param {Manager} manager
 * @param {readonly string[]} packages
 * @param {readonly string[]} before
 */
async function runInstall(manager, packages, before) {
  const commands = installCommands(manager, packages);
  const quiet = manager === "apt" ? ["/usr/bin/env", "DEBIAN_FRONTEND=noninteractive"] : [];
  const label = `installing ${packages.join(", ")} with ${manager}`;
  const installing = () => run(label, [...before, ...quiet, ...commands.install]);
  const { refresh } = commands;
  if (refresh === undefined) {
    await installing();
    return;
  }
  const refreshing = () => run("reading the package lists", [...before, ...refresh]);
  if (!aptHasLists()) {
    await refreshing();
    await installing();
    return;
  }
  try {
    await installing();
  } catch {
    // Lists that have gone stale name packages the mirror no longer has.
    say("that failed: trying again with fresh package lists");
    await refreshing();
    await installing();
  }
}

function aptHasLists() {
  const lists = "/var/lib/apt/lists";
  return existsSync(lists) && readdirSync(lists).some((name) => name.includes("_Packages"));
}

/**
 * Sees to it that all requirements are met.
 * @param {boolean} forTests also those of the tests
 */
async function systemPackages(forTests) {
  const look = () => missingRequirements(existsSync, searchPath(), libraryFolders(), forTests);
  const missing = look();
  if (missing.length === 0) return;
  await install(missing);
  const still = look();
  if (still.length === 0) return;
  const names = still.map(({ name }) => name).join(", ");
  throw new SetupError(`installed, but not found where it was expected: ${names}`, 1);
}

/** Installs the headers of a Node that came from the distribution; false when there is no way to. */
async function distributionHeaders() {
  if (process.platform !== "linux" || dirname(process.execPath) !== "/usr/bin") return false;
  const manager = packageManager();
  if (manager === undefined) return false;
  await install([NODE_HEADERS]);
  return true;
}

module.exports = {
  REQUIREMENTS,
  distributionHeaders,
  installCommands,
  missingRequirements,
  oneCommand,
  systemPackages,
};
