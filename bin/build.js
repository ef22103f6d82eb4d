#!/usr/bin/env node
/** Bundles the command line into dist/, whether or not it is stale. */
"use strict";

const { join } = require("node:path");
const { bundle } = require("./lib/bundle.js");

bundle(join(__dirname, "..")).catch((/** @type {unknown} */ error) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
