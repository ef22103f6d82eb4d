#!/usr/bin/env node
/**
 * Set-up from nothing: system packages, npm packages, the two native addons, the bundle. Called by
 * npm's pre-hooks before anything is installed, so it uses Node's own modules only.
 */
"use strict";

var refused = require("./lib/node-version.js").refusal(process.versions.node);
if (refused !== undefined) {
  process.stderr.write("error: " + refused + "\n");
  process.exitCode = 2;
} else {
  // Required only now: the rest is written for Nodes that are new enough.
  require("./lib/setup.js")
    .setup(process.argv.indexOf("--tests") > 0)
    .then(
      function (/** @type {number} */ code) {
        process.exitCode = code;
      },
      function (/** @type {unknown} */ error) {
        console.error(error);
        process.exitCode = 1;
      },
    );
}
