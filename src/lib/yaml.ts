/**
 * The part of YAML that looks the same to every reader: mappings, lists and scalars with one
 * spelling each. Everything else is refused.
 */

import type { Json } from "./json.ts";
import { objectionLimit, objectionsError, type Objection } from "./objection.ts";
import { hiddenCharacters, place, positionIn, readPlainText, type Position } from "./plain-text.ts";
import { isBlank, type Objector, type YamlMapping, type YamlNode } from "./yaml-node.ts";
import { parseYaml } from "./yaml-parser.ts";
import { readPlainScalar } from "./yaml-scalar.ts";

const LIMIT = 256 * 1024;
const LONGEST_KEY = 256;

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
  const { text } = reading;
  const found: Objection[] = [];
  const object: Objector = (offset, problem, hint) => {
    if (found.length === objectionLimit) return;
    const at = `${file}:${place(positionIn(text, offset))}`;
    found.push(hint === undefined ? { at, text: problem } : { at, text: problem, hint });
  };
  const root = parseYaml(text, object);
  const value = found.length === 0 && root !== null ? plain(root, object) : null;
  if (found.length > 0) return { ok: false, objections: found };
  const locate: YamlDocument["locate"] = (path, part = "value") =>
    positionIn(text, root === null ? 0 : find(root, path, part));
  return { ok: true, document: { file, value, locate } };
}

/** Nodes to plain data. Depth is bounded by now. */
function plain(node: YamlNode, object: Objector): Json {
  if (node.kind === "mapping") return plainMapping(node, object);
  if (node.kind === "list") return node.items.map((item) => plain(item, object));
  checkText(node.text, node.offset, object);
  if (!node.plain) return node.text;
  const scalar = readPlainScalar(node.text);
  if (scalar.ok) return scalar.value;
  object(node.offset, `${node.text} ${scalar.text}`, scalar.hint);
  return null;
}

function plainMapping(node: YamlMapping, object: Objector): Json {
  const mapping = Object.create(null) as Record<string, Json>;
  for (const { key, value } of node.items) {
    const { offset } = key;
    const name = keyOf(key);
    if (name === undefined) {
      object(offset, "a key must be text", "put it in quotes");
      continue;
    }
    if (name.length > LONGEST_KEY) {
      // Whoever names it in a message would fill the screen with it.
      object(offset, `a key is longer than ${LONGEST_KEY} characters`);
      continue;
    }
    checkText(name, offset, object);
    if (name.includes("\n")) object(offset, "a key must stand on one line");
    if (name === "<<" || name === "__proto__") object(offset, `the key ${name} is not allowed`);
    if (Object.hasOwn(mapping, name)) object(offset, `the key "${name}" stands here twice`);
    mapping[name] = plain(value, object);
  }
  return mapping;
}

function checkText(text: string, offset: number, object: Objector): void {
  for (const { name } of hiddenCharacters(text)) {
    object(offset, `the text holds the character ${name}, which does not show`);
  }
  if (text.normalize("NFC") !== text) {
    object(offset, "the text is not in Unicode normal form C (NFC)");
  }
}

/** Text of a key. Without quotes it must not mean a number, true, false or nothing to any reader. */
function keyOf(key: YamlNode): string | undefined {
  if (key.kind !== "scalar" || !key.plain) return key.kind === "scalar" ? key.text : undefined;
  const scalar = readPlainScalar(key.text);
  return scalar.ok && typeof scalar.value === "string" ? scalar.value : undefined;
}

function find(root: YamlNode, path: readonly (string | number)[], part: "key" | "value"): number {
  let node = root;
  let { offset } = root;
  for (const [index, name] of path.entries()) {
    let key: YamlNode | undefined;
    let value: YamlNode | undefined;
    if (node.kind === "mapping") {
      ({ key, value } = node.items.find((item) => keyOf(item.key) === String(name)) ?? {});
    } else if (node.kind === "list") {
      value = node.items[Number(name)];
    }
    if (value === undefined) return offset;
    // A value left out has no place of its own.
    const atKey = (part === "key" && index === path.length - 1) || isBlank(value);
    offset = (atKey ? (key ?? value) : value).offset;
    node = value;
  }
  return offset;
}
