/**
 * The rules of the layers as a function over source texts, so that the test can plant a breach of
 * each. Sources are parsed, not searched: a rule named in a comment or a string breaks nothing.
 */

import ts from "typescript";

/** Source texts by path from the root, e.g. `src/lib/json.ts`. */
export type Sources = ReadonlyMap<string, string>;

const SIBLINGS = ["console", "hsm", "people", "shares", "pki", "ledger", "backups"];
const BELOW_CEREMONY = [...SIBLINGS, "lib"];

/** What each layer may import besides itself; type-only imports count like any other. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  cli: ["report", "actions", "ceremony", ...BELOW_CEREMONY],
  report: ["ceremony", ...BELOW_CEREMONY],
  actions: ["ceremony", ...BELOW_CEREMONY],
  ceremony: BELOW_CEREMONY,
  ...Object.fromEntries(SIBLINGS.map((name) => [name, ["lib"]])),
  lib: [],
};

/** Actions see interfaces only: no machine, no module, no terminal. */
const CLOSED_TO_ACTIONS = [
  /^node:(fs|process|child_process)(\/|$)/,
  /^(inquirer|@inquirer\/.*|chalk|pkcs11js|koffi|better-sqlite3)$/,
  /^src\/hsm\/(pkcs11|pins|raw|binding|native)/,
  /^src\/console\/(terminal|scripted|secret-reader|line-prompt|keyboard)/,
  /^src\/ledger\/(store|database)/,
];

/** What only the command line may read or do: whoever is below is handed a Clock, a Random, a setting. */
const CLI_ONLY = new Set(["process.exit", "process.env", "Date.now", "Math.random"]);
const CONSOLE_METHODS = /^console\.(log|error|warn|info|debug|trace|table|dir|group|time|assert)/;

const MAX_LINES = 300;

const layerOf = (path: string): string => path.split("/")[1] ?? "";

/** The path a specifier leads to, or the specifier itself for packages and Node's own modules. */
function target(from: string, specifier: string): string {
  if (!specifier.startsWith(".")) return specifier;
  return new URL(specifier, `file:///${from}`).pathname.slice(1);
}

/** The package of a specifier, or undefined for relative paths and Node's own modules. */
function packageOf(specifier: string): string | undefined {
  if (specifier.startsWith(".") || specifier.startsWith("node:")) return undefined;
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

function parse(path: string, text: string): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
}

function nodesOf(root: ts.Node): readonly ts.Node[] {
  return [root, ...root.getChildren().flatMap(nodesOf)];
}

/** Every specifier a file imports, statically, lazily, for types or to export it again. */
export function importsOf(path: string, text: string): readonly string[] {
  return ts
    .preProcessFile(text, true, true)
    .importedFiles.map((file) => target(path, file.fileName));
}

function importFindings(path: string, text: string): readonly string[] {
  const layer = layerOf(path);
  const allowed = MAY_IMPORT[layer];
  if (allowed === undefined) return [`${path} lies in no layer`];
  return importsOf(path, text).flatMap((imported) => {
    const found: string[] = [];
    const at = imported.startsWith("src/") ? layerOf(imported) : layer;
    if (at !== layer && !allowed.includes(at)) {
      found.push(`${path} (${layer}) imports ${imported} (${at})`);
    }
    if (layer === "actions" && CLOSED_TO_ACTIONS.some((closed) => closed.test(imported))) {
      found.push(`${path} is an action and imports ${imported}`);
    }
    if (layer !== "cli" && imported === "commander") found.push(`${path} imports commander`);
    if (layer !== "cli" && /^node:process$/.test(imported)) {
      found.push(`${path} imports node:process`);
    }
    return found;
  });
}

/** Names such as `process.env` that a file uses; a local variable `console` is not the global. */
function capabilityFindings(path: string, text: string): readonly string[] {
  if (layerOf(path) === "cli") return [];
  const nodes = nodesOf(parse(path, text));
  const ownConsole = nodes.some(
    (node) =>
      (ts.isParameter(node) || ts.isVariableDeclaration(node) || ts.isBindingElement(node)) &&
      node.name.getText() === "console",
  );
  return nodes.flatMap((node) => {
    const used = node.getText();
    if (ts.isNewExpression(node) && /^new Date(\(\))?$/.test(used)) return [`${path} uses ${used}`];
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const literal = node.arguments.every(ts.isStringLiteral);
      return literal ? [] : [`${path} imports a computed name`];
    }
    if (!ts.isPropertyAccessExpression(node)) return [];
    const name = used.replace(/^globalThis\./, "");
    if (CLI_ONLY.has(name)) return [`${path} uses ${name}`];
    return CONSOLE_METHODS.test(name) && !ownConsole ? [`${path} uses ${name}`] : [];
  });
}

/** A third-party package has one importer, its wrapper; commander has the command line. */
function packageFindings(sources: Sources): readonly string[] {
  const importers = packageImporters(sources);
  return [...importers]
    .filter(([name, paths]) => name !== "commander" && paths.size > 1)
    .map(([name, paths]) => `${name} is imported by ${[...paths].sort().join(" and ")}`);
}

/** Which files import each third-party package. */
export function packageImporters(sources: Sources): ReadonlyMap<string, ReadonlySet<string>> {
  const importers = new Map<string, Set<string>>();
  for (const [path, text] of sources) {
    for (const specifier of ts.preProcessFile(text, true, true).importedFiles) {
      const name = packageOf(specifier.fileName);
      if (name === undefined) continue;
      importers.set(name, (importers.get(name) ?? new Set()).add(path));
    }
  }
  return importers;
}

/** The vocabulary is listed by hand: every file of the folder, and no other, is in the index. */
function indexFindings(sources: Sources): readonly string[] {
  const index = "src/actions/index.ts";
  const text = sources.get(index);
  const actions = [...sources.keys()].filter((path) => /^src\/actions\/[^/]+\.ts$/.test(path));
  if (text === undefined) return actions.length === 0 ? [] : [`${index} is missing`];
  const listed = importsOf(index, text);
  return actions
    .filter((path) => path !== index && !listed.includes(path))
    .map((path) => `${path} is not in ${index}`);
}

/** Every breach, one sentence each, naming the file. */
export function breaches(sources: Sources): readonly string[] {
  const perFile = [...sources].flatMap(([path, text]) => {
    const lines = text.split("\n").length - 1;
    const tooLong = lines > MAX_LINES ? [`${path} has ${lines} lines`] : [];
    return [...tooLong, ...importFindings(path, text), ...capabilityFindings(path, text)];
  });
  return [...perFile, ...packageFindings(sources), ...indexFindings(sources)];
}
