/** The figures of the sweeps of faults: kept as lines of JSON, shown as a table in docs/ROBUSTNESS.md. */
"use strict";

const { existsSync, readdirSync, readFileSync } = require("node:fs");
const { join } = require("node:path");

const BEGIN = "<!-- figures: made by npm run robustness from robustness.jsonl -->";
const END = "<!-- end of figures -->";

/**
 * @typedef {object} Figure what one sweep came to
 * @property {string} row id of the fault
 * @property {string} what the sweep in a few words
 * @property {boolean} full the long form
 * @property {Record<string, number>} counts
 * @property {string} test path of the test file that made it
 */

/**
 * @param {string} text
 * @param {string} root of the sources, for lines that do not name their test
 * @returns {Figure[]}
 */
function parseFigures(text, root) {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      /** @type {unknown} */
      const read = JSON.parse(line);
      const figure = /** @type {Omit<Figure, "test"> & { test?: string }} */ (read);
      return { ...figure, test: figure.test ?? testWith(root, figure) };
    });
}

/**
 * The test file that names a sweep, or else the first sweep of its row.
 * @param {string} root
 * @param {Omit<Figure, "test">} figure
 */
function testWith(root, { row, what }) {
  const tests = readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" })
    .map((path) => `test/${path.replaceAll("\\", "/")}`)
    .filter((path) => path.endsWith(".test.ts"))
    .sort();
  /** @param {string} text */
  const naming = (text) =>
    tests.filter((path) => readFileSync(join(root, path), "utf8").includes(text));
  const [found] = [
    ...naming(what),
    ...naming(`"${row}"`).filter((path) => path.startsWith("test/faults/")),
  ];
  if (found === undefined) throw new Error(`no test names the sweep "${what}"`);
  return found;
}

/**
 * Figures with newer ones in place of those of the same sweep. A short form never takes the place of a long one.
 * @param {readonly Figure[]} kept
 * @param {readonly Figure[]} newer
 * @returns {Figure[]} in the order of the page
 */
function mergeFigures(kept, newer) {
  /** @type {Map<string, Figure>} */
  const all = new Map();
  for (const one of [...kept, ...newer]) {
    const key = `${one.row} ${one.what}`;
    if (all.get(key)?.full === true && !one.full) continue;
    all.set(key, one);
  }
  /** @param {Figure} one */
  const place = (one) => `${one.row} ${one.test} ${one.what}`;
  return [...all.values()].sort((a, b) => (place(a) < place(b) ? -1 : 1));
}

/**
 * One line for each figure, members in one order.
 * @param {readonly Figure[]} figures
 */
function formatFigures(figures) {
  return figures
    .map(({ row, what, full, counts, test }) =>
      JSON.stringify({ row, what, full, counts, test }).concat("\n"),
    )
    .join("");
}

/**
 * The page with the table of these figures between its markers.
 * @param {string} page
 * @param {readonly Figure[]} figures
 */
function renderPage(page, figures) {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin)
    throw new Error("docs/ROBUSTNESS.md has no markers for its figures");
  return `${page.slice(0, begin + BEGIN.length)}\n\n${table(figures)}\n${page.slice(end)}`;
}

/** @param {readonly Figure[]} figures */
function table(figures) {
  const rows = figures.map(({ row, what, full, counts, test }) => {
    const words = Object.entries(counts).map(
      ([name, count]) => `${grouped(count)} ${spaced(name)}`,
    );
    const filter = test.replace(/^test\//, "").replace(/\.test\.ts$/, "");
    const cells = [row, what, full ? "long" : "short", words.join(", "), `\`${filter}\``];
    return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  });
  const head = ["| row | sweep | form | figures | of |", "| --- | --- | --- | --- | --- |"];
  return [...head, ...rows, ""].join("\n");
}

/**
 * Thousands apart, as in 100,000.
 * @param {number} count
 */
function grouped(count) {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/**
 * `wronglyAccepted` as two words.
 * @param {string} name
 */
function spaced(name) {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/**
 * The figures that are kept, none where there is no file.
 * @param {string} root
 */
function keptFigures(root) {
  const file = join(root, "docs", "robustness.jsonl");
  return existsSync(file) ? parseFigures(readFileSync(file, "utf8"), root) : [];
}

module.exports = { formatFigures, keptFigures, mergeFigures, parseFigures, renderPage };
