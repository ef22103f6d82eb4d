/** A second reader of YAML, which reads all of YAML 1.2: whatever ours accepts must be the same to it. */

import assert from "node:assert/strict";
import { isAlias, isNode, LineCounter, parseDocument, visit, type Document } from "yaml";
import type { Json } from "../../src/lib/json.ts";
import { judgeYaml } from "../../src/lib/yaml.ts";

type Path = readonly (string | number)[];

function paths(value: Json, path: Path = []): readonly Path[] {
  if (typeof value !== "object" || value === null) return [path];
  const below = Object.entries(value as Readonly<Record<string, Json>>);
  const name = (key: string): string | number => (Array.isArray(value) ? Number(key) : key);
  return [path, ...below.flatMap(([key, item]) => paths(item, [...path, name(key)]))];
}

/** Whether ours accepts the text; then both readers must agree about its values and their places. */
export function agree(text: string): boolean {
  const reading = judgeYaml(new TextEncoder().encode(text), "f.yaml");
  if (!reading.ok) return false;
  const lineCounter = new LineCounter();
  const theirs = theirReading(text, lineCounter);
  const { value, locate } = reading.document;
  assert.equal(JSON.stringify(value), JSON.stringify(theirs.toJS()), JSON.stringify(text));
  for (const path of paths(value)) {
    const node = theirs.getIn(path, true);
    if (!isNode(node) || !node.range || node.range[0] === node.range[1]) continue;
    assert.deepEqual(locate(path), lineCounter.linePos(node.range[0]), JSON.stringify(text));
  }
  return true;
}

function theirReading(text: string, lineCounter?: LineCounter): Document.Parsed {
  const counting = lineCounter === undefined ? {} : { lineCounter };
  const theirs = parseDocument(text, { schema: "core", version: "1.2", ...counting });
  assert.deepEqual([...theirs.errors, ...theirs.warnings].map(String), [], JSON.stringify(text));
  return theirs;
}

/**
 * The value that the other reader sees in bytes that ours has accepted; asserts that it sees no anchor, alias or
 * tag in them, and no more than one document.
 */
export function theirValue(bytes: Uint8Array): unknown {
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  const theirs = theirReading(text);
  visit(theirs, (_, node) => {
    if (!isNode(node)) return;
    if (isAlias(node)) assert.fail("an alias was accepted");
    assert.equal(node.anchor, undefined, "an anchor was accepted");
    assert.equal(node.tag, undefined, "a tag was accepted");
  });
  return theirs.toJS();
}
