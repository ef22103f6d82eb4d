#!/usr/bin/env node
/**
 * Takes figures of sweeps into docs/robustness.jsonl and renders them into docs/ROBUSTNESS.md:
 * `FAULTS=full FAULTS_RECORD=FILE npm run test:faults`, then `npm run robustness FILE`.
 */
"use strict";

const { readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const {
  formatFigures,
  keptFigures,
  mergeFigures,
  parseFigures,
  renderPage,
} = require("./lib/robustness.js");

const ROOT = join(__dirname, "..");
const PAGE = join(ROOT, "docs", "ROBUSTNESS.md");

const newer = process.argv
  .slice(2)
  .flatMap((file) => parseFigures(readFileSync(file, "utf8"), ROOT));
const figures = mergeFigures(keptFigures(ROOT), newer);
writeFileSync(join(ROOT, "docs", "robustness.jsonl"), formatFigures(figures));
writeFileSync(PAGE, renderPage(readFileSync(PAGE, "utf8"), figures));
process.stdout.write(
  `${String(figures.length)} figures, ${String(newer.length)} of them read now\n`,
);
