#!/usr/bin/env node
/**
 * The executable: refuses an old Node with a sentence, then hands over to the bundle in dist/.
 * CommonJS because the ES module loader alone would take a tenth of the time of `--version`, and
 * because an old Node must be able to read it.
 */
"use strict";

/** Commands that people type secrets into. */
var ASKS = ["run", "identity", "cosign"];

var refused = require("./lib/node-version.js").refusal(process.versions.node);
if (refused !== undefined) {
  process.stderr.write("error: " + refused + "\n");
  process.exitCode = 2;
} else {
  start();
}

function start() {
  // Eight keys are restored side by side, each call on a thread of its own; Node's default is four threads.
  // They start with the first work for them, so this has to stand before any.
  if (!("UV_THREADPOOL_SIZE" in process.env)) process.env["UV_THREADPOOL_SIZE"] = "8";
  var bundle = require("path").join(__dirname, "..", "dist", "main.cjs");
  if (!require("fs").existsSync(bundle)) {
    process.stderr.write("error: Keyrite is not built yet\nhint: npm run setup\n");
    process.exitCode = 2;
    return;
  }
  var args = process.argv.slice(2);
  command(args, bundle).then(
    function (code) {
      process.exitCode = code;
    },
    function (/** @type {unknown} */ error) {
      // main() reports what it knows itself: whatever arrives here is a bug, so show all of it.
      console.error(error);
      process.exitCode = 1;
    },
  );
}

/**
 * @param {readonly string[]} args
 * @param {string} bundle
 * @returns {Promise<number>}
 */
function command(args, bundle) {
  if (ASKS.includes(String(args[0])) && require("tty").isatty(0)) {
    var supervisor = require("./lib/supervisor.js");
    if (supervisor.wanted(args)) return supervisor.supervise(args);
  }
  /** @type {unknown} */
  var loaded = require(bundle);
  return /** @type {{ main(argv: readonly string[]): Promise<number> }} */ (loaded).main(args);
}
