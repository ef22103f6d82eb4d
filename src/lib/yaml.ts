/**
 * The part of YAML that looks the same to every reader: mappings, lists and scalars with one
 * spelling each. The parser accepts far more silently, so the document is walked and the rest refused.
 */

import {
  Composer,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  Parser,
  type CST,
  type Document,
  type ParsedNode,
  type Scalar,
} from "yaml";
import type { Json } from "./json.ts";
import { objectionLimit, objectionsError, type Objection } from "./objection.ts";
import { hiddenCharacters, place, readPlainText, type Position } from "./plain-text.ts";
import { readPlainScalar } from "./yaml-scalar.ts";

const LIMIT = 256 * 1024;
const MAX_DEPTH = 12;
// Far above any script; keeps a file made of commas from costing seconds.
const MAX_WORDS = 50_000;
const TOO_DEEP = `nested more than ${MAX_DEPTH} levels deep`;

export interface YamlDocument {
  readonly file: string;
  /** Plain data; mappings have no prototype. */
  readonly value: Json;
  /**
   * Where a value stands, or with `part` "key" the key it has in its mapping. What is not there is
   * located at its nearest parent.
   */
  readonly locate: (path: readonly (string | number)[], part?: "key" | "value") => Position;
}

export type YamlReading =
  | { readonly ok: true; readonly document: YamlDocument }
  | { readonly ok: false; readonly objections: readonly Objection[] };

/**
 * Reads one YAML document strictly; see `judgeYaml`.
 * @throws KeyriteError script.unreadable with one `file:line:col: …` line for each objection.
 */
export function readYaml(bytes: Uint8Array, file: string): YamlDocument {
  const reading = judgeYaml(bytes, file);
  if (!reading.ok) throw objectionsError("script.unreadable", reading.objections);
  return reading.document;
}

/**
 * Reads one YAML document, or says everything that is wrong with it. Refused besides what is no
 * YAML: anchors, aliases, tags, `<<`, directives, several documents, keys that are double or no
 * text, depth above 12, more than 256 KiB, hidden characters, text that is not NFC, and scalars
 * that readers of YAML take for different values (`010`, `1e3`, `True`). `yes` and dates are text.
 */
export function judgeYaml(bytes: Uint8Array, file: string): YamlReading {
  const reading = readPlainText(bytes, file, LIMIT);
  if (!reading.ok) return reading;
  const lines = new LineCounter();
  const found: Objection[] = [];
  const object: Objector = (offset, text, hint) => {
    if (found.length === objectionLimit) return;
    const at = `${file}:${place(lines.linePos(offset))}`;
    found.push(hint === undefined ? { at, text } : { at, text, hint });
  };
  const contents = compose(reading.text, lines, object);
  const value = found.length === 0 ? plain(contents, object) : null;
  if (found.length > 0) return { ok: false, objections: found };
  const locate: YamlDocument["locate"] = (path, part = "value") => {
    const { line, col } = lines.linePos(find(contents, path, part));
    // An empty document has no line at all.
    return { line: Math.max(line, 1), col: Math.max(col, 1) };
  };
  return { ok: true, document: { file, value, locate } };
}

type Objector = (offset: number, text: string, hint?: string) => void;
type Node = ParsedNode | null;

/** Text to nodes. Depth is bounded first, because composing recurses and the parser slows down. */
function compose(text: string, lines: LineCounter, object: Objector): Node {
  lines.addNewLine(0);
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) {
    lines.addNewLine(at + 1);
  }
  const words = [...new Lexer().lex(text)];
  const beyond = excess(text, words);
  if (beyond !== undefined) {
    object(beyond.offset, beyond.text);
    return null;
  }
  const tokens = parse(words);
  if (!walkTokens(tokens, object)) return null;
  const composer = new Composer({
    schema: "failsafe",
    version: "1.2",
    uniqueKeys: false,
    strict: true,
    prettyErrors: false,
    logLevel: "silent",
  });
  const documents: Document.Parsed[] = [...composer.compose(tokens, true, text.length)];
  for (const document of documents) {
    for (const problem of [...document.errors, ...document.warnings]) {
      object(problem.pos[0], sentence(problem.message));
    }
  }
  return documents[0]?.contents ?? null;
}

function parse(words: readonly string[]): readonly CST.Token[] {
  const parser = new Parser();
  const tokens = words.flatMap((word) => [...parser.next(word)]);
  return [...tokens, ...parser.end()];
}

interface Excess {
  readonly offset: number;
  readonly text: string;
}

/** Where brackets, dashes on one line or sheer number pass the limits: a look at the words only. */
function excess(text: string, lexed: readonly string[]): Excess | undefined {
  let offset = 0;
  let flow = 0;
  let marks = 0;
  let words = 0;
  for (const word of lexed) {
    if (word === "[" || word === "{") flow++;
    else if (word === "]" || word === "}") flow = Math.max(0, flow - 1);
    else if (word === "-" || word === "?") marks++;
    else if (word === "\n") marks = 0;
    if (flow > MAX_DEPTH || marks > MAX_DEPTH) return { offset, text: TOO_DEEP };
    if (word.trim() !== "") words++;
    if (words > MAX_WORDS) return { offset, text: `more than ${MAX_WORDS} words and signs` };
    // The lexer puts one-character control words between the words of the text.
    if (text.startsWith(word, offset)) offset += word.length;
  }
  return undefined;
}

/** Objects to what only the tokens still show. False when composing them is out of the question. */
function walkTokens(tokens: readonly CST.Token[], object: Objector): boolean {
  const second = tokens.filter((token) => token.type === "document")[1];
  if (second) object(second.offset, "a file holds one document, and here begins another");
  let sound = true;
  const pending = tokens.map((token) => ({ token, depth: 0 })).reverse();
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { token, depth } = next;
    if (depth > MAX_DEPTH) {
      object(token.offset, TOO_DEEP);
      return false;
    }
    const refused = REFUSED_TOKENS.get(token.type);
    if (refused !== undefined) object(token.offset, `${refused} is not allowed`, "write it out");
    if (token.type === "error") {
      object(token.offset, sentence(token.message));
      sound = false;
    }
    const { beside, within } = parts(token);
    for (const child of [...within].reverse()) {
      if (child) pending.push({ token: child, depth: depth + 1 });
    }
    for (const child of [...beside].reverse()) if (child) pending.push({ token: child, depth });
  }
  return sound;
}

interface Parts {
  readonly beside: readonly (CST.Token | null | undefined)[];
  /** One level deeper. */
  readonly within: readonly (CST.Token | null | undefined)[];
}

function parts(token: CST.Token): Parts {
  if (token.type === "document") return { beside: [...token.start, token.value], within: [] };
  if (token.type === "block-scalar") return { beside: token.props, within: [] };
  if (!("items" in token)) return { beside: [], within: [] };
  const items: readonly CST.CollectionItem[] = token.items;
  return {
    beside: items.flatMap((item) => [...item.start, ...(item.sep ?? [])]),
    within: items.flatMap((item) => [item.key, item.value]),
  };
}

const REFUSED_TOKENS: ReadonlyMap<string, string> = new Map([
  ["anchor", "an anchor (&)"],
  ["alias", "an alias (*)"],
  ["tag", "a tag (!)"],
  ["directive", "a directive (%)"],
]);

/** Nodes to plain data. Depth is bounded by now. */
function plain(node: Node, object: Objector): Json {
  if (node === null) return null;
  if (isMap(node)) return plainMapping(node, object);
  if (isSeq(node)) return node.items.map((item) => plain(item as Node, object));
  if (!isScalar(node)) return null;
  const text = typeof node.value === "string" ? node.value : "";
  checkText(text, node, object);
  if (node.type !== "PLAIN") return text;
  const scalar = readPlainScalar(text);
  if (scalar.ok) return scalar.value;
  object(node.range[0], `${text} ${scalar.text}`, scalar.hint);
  return null;
}

function plainMapping(node: ParsedNode & { items: unknown[] }, object: Objector): Json {
  const mapping = Object.create(null) as Record<string, Json>;
  for (const item of node.items as { key: Node; value: Node }[]) {
    const name = keyOf(item.key);
    const offset = item.key?.range[0] ?? node.range[0];
    if (name === undefined || !isScalar(item.key)) {
      object(offset, "a key must be text");
      continue;
    }
    checkText(name, item.key, object);
    if (name.includes("\n")) object(offset, "a key must stand on one line");
    if (name === "<<" || name === "__proto__") object(offset, `the key ${name} is not allowed`);
    if (Object.hasOwn(mapping, name)) object(offset, `the key "${name}" stands here twice`);
    mapping[name] = plain(item.value, object);
  }
  return mapping;
}

function checkText(text: string, node: Scalar.Parsed, object: Objector): void {
  for (const { name } of hiddenCharacters(text)) {
    object(node.range[0], `the text holds the character ${name}, which does not show`);
  }
  if (text.normalize("NFC") !== text) {
    object(node.range[0], "the text is not in Unicode normal form C (NFC)");
  }
}

/** Text of a key; an empty unquoted one is no key. */
function keyOf(key: Node): string | undefined {
  if (!isScalar(key) || typeof key.value !== "string") return undefined;
  return key.type === "PLAIN" && key.value === "" ? undefined : key.value;
}

function find(root: Node, path: readonly (string | number)[], part: "key" | "value"): number {
  let node = root;
  let offset = root?.range[0] ?? 0;
  for (const [index, name] of path.entries()) {
    let key: Node = null;
    let value: Node | undefined;
    if (isMap(node)) {
      const pair = node.items.find((item) => keyOf(item.key) === String(name));
      key = pair?.key ?? null;
      value = pair?.value;
    } else if (isSeq(node)) {
      value = node.items[Number(name)];
    }
    if (value === undefined && key === null) return offset;
    const atKey = key !== null && ((part === "key" && index === path.length - 1) || isBlank(value));
    offset = (atKey ? key : value)?.range[0] ?? offset;
    node = value ?? null;
  }
  return offset;
}

/** A value left out has no place of its own. */
function isBlank(node: Node | undefined): boolean {
  return !node || node.range[0] === node.range[1];
}

function sentence(message: string): string {
  return `${message.charAt(0).toLowerCase()}${message.slice(1)}`.replace(/\.$/, "");
}
