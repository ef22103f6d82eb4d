#!/usr/bin/env node
/** Makes the archive that installs on a machine without a network, and says its digest in words. */
"use strict";

const { resolve } = require("node:path");
const { offlineArchive } = require("./lib/offline.js");
const { SetupError } = require("./lib/run.js");

async function main() {
  const { file, sha256, build } = await offlineArchive(resolve(process.argv[2] ?? "."));
  const { spokenWords } = await import("../src/lib/spoken-words.ts");
  const words = spokenWords(Buffer.from(sha256, "hex"));
  process.stdout.write(`${file}\nSHA-256 ${sha256}\n`);
  for (let at = 0; at < words.length; at += 8) {
    process.stdout.write(`  ${words.slice(at, at + 8).join(" ")}\n`);
  }
  process.stdout.write(`build ${build}\n`);
}

main().catch((/** @type {unknown} */ error) => {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = error.exitCode;
});
