/** The stages of set-up, each skipped when its work is already done. */
"use strict";

const { join } = require("node:path");
const { SetupError, say } = require("./run.js");
const { buildNatives, installPackages } = require("./natives.js");
const { isBundleFresh } = require("./sources.js");
const { systemPackages } = require("./system.js");
const { isInstalled, isStamped, stampFor, writeStamp } = require("./tree.js");

const ROOT = join(__dirname, "..", "..");

/** npm packages and native addons. */
async function dependencies() {
  const stamp = stampFor(ROOT);
  if (isStamped(ROOT, stamp)) return false;
  if (!isInstalled(ROOT)) {
    say("first set-up: about 3 minutes");
    await installPackages(ROOT);
  }
  await buildNatives(ROOT);
  writeStamp(ROOT, stamp);
  return true;
}

/** The bundle in dist/. */
async function distribution() {
  if (isBundleFresh(ROOT)) return false;
  say("bundling src/ into dist/");
  // Required only now: it needs esbuild, which an earlier stage installs.
  await require("./bundle.js").bundle(ROOT);
  return true;
}

/**
 * Everything, in order.
 * @param {boolean} [forTests] also what only the tests need
 * @returns {Promise<number>} exit code: 2 when the person at the prompt must act, 1 for a failure
 */
async function setup(forTests = false) {
  try {
    await systemPackages(forTests);
    const installed = await dependencies();
    const bundled = await distribution();
    say(installed || bundled ? "ready" : "already set up");
    return 0;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`error: ${error.message}\n`);
    return error.exitCode;
  }
}

module.exports = { distribution, setup };
