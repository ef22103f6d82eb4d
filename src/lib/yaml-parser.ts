/**
 * Reads the structure of a YAML text: mappings and lists, by indentation or in brackets (YAML 1.2.2,
 * chapters 7 and 8). What is accepted every reader of YAML takes for the same; the rest is refused.
 */

import {
  blank,
  YamlStop,
  type Objector,
  type YamlList,
  type YamlMapping,
  type YamlNode,
} from "./yaml-node.ts";
import { YamlScanner } from "./yaml-scanner.ts";

const MAX_DEPTH = 12;
const SECOND = "a file holds one document, and here begins another";

/** The one document of a text, null for an empty one; null as well once something ended the reading. */
export function parseYaml(text: string, object: Objector): YamlNode | null {
  try {
    return new YamlParser(new YamlScanner(text, object), object).document();
  } catch (error) {
    if (!(error instanceof YamlStop)) throw error;
    object(error.offset, error.message, error.hint);
    return null;
  }
}

class YamlParser {
  readonly #scan: YamlScanner;
  readonly #object: Objector;
  #depth = 0;

  constructor(scan: YamlScanner, object: Objector) {
    this.#scan = scan;
    this.#object = object;
  }

  document(): YamlNode | null {
    const scan = this.#scan;
    scan.skip();
    for (; scan.next === "%" && scan.column === 0; scan.skip()) {
      this.#object(scan.at, "a directive (%) is not allowed", "write it out");
      while (!["", "\n"].includes(scan.next)) scan.at++;
    }
    if (scan.marker === "---") {
      scan.at += 3;
      if (!scan.skip() && !scan.ended) scan.stop("what follows --- stands on lines of its own");
    }
    const root = scan.ended ? null : this.#node(-1, false);
    scan.skip();
    if (scan.marker === "...") {
      scan.at += 3;
      scan.endLine();
      scan.skip();
      if (scan.at < scan.text.length) scan.stop(SECOND);
    }
    if (scan.marker === "---") scan.stop(SECOND);
    if (!scan.ended) this.#misplaced();
    return root;
  }

  #misplaced(): never {
    const hint = "text of several lines stands behind > or |, or each line in a list of its own";
    return this.#scan.stop("this line is indented like nothing it could belong to", hint);
  }

  /**
   * What stands here, indented against the column `parent`; `inline` says that it stands on the line of
   * its key, where no mapping and no list with dashes can begin.
   */
  #node(parent: number, inline: boolean): YamlNode {
    const scan = this.#scan;
    scan.properties(false);
    if (scan.lineEnds) {
      const { at } = scan;
      scan.skip();
      return scan.ended || scan.column <= parent ? blank(at) : this.#node(parent, false);
    }
    if (scan.isMark("-", false)) {
      if (inline) scan.stop("a list with dashes begins on a line of its own");
      return this.#dashes();
    }
    if (scan.isMark("?", false)) scan.stop("a key behind ? is not allowed", "write key: value");
    if (scan.next === "|" || scan.next === ">") return scan.block(parent);
    const { at, column } = scan;
    const node = this.#flow(parent);
    scan.spaces();
    if (!scan.isMark(":", false)) {
      scan.endLine();
      return node;
    }
    if (inline)
      scan.stop("nested mappings begin on lines of their own", "quote text with ': '", at);
    return this.#mapping(node, at, column);
  }

  /** A mapping whose first key is read; its colon is next. */
  #mapping(first: YamlNode, offset: number, column: number): YamlMapping {
    const scan = this.#scan;
    this.#enter(offset);
    const items = [{ key: first, value: this.#value(column) }];
    while (this.#continues(column)) {
      items.push({ key: this.#key(column), value: this.#value(column) });
    }
    this.#depth--;
    if (!scan.ended && scan.column === column) scan.stop("a list cannot go on in a mapping");
    return { kind: "mapping", offset, items };
  }

  #key(column: number): YamlNode {
    const scan = this.#scan;
    scan.properties(false);
    if (scan.isMark("?", false)) scan.stop("a key behind ? is not allowed", "write key: value");
    const key = this.#flow(column);
    scan.spaces();
    if (!scan.isMark(":", false)) scan.stop("a key is followed by a colon and a space");
    return key;
  }

  #value(column: number): YamlNode {
    const scan = this.#scan;
    scan.at++;
    const { at } = scan;
    scan.spaces();
    if (!scan.lineEnds) return this.#node(column, true);
    scan.skip();
    if (scan.ended || scan.column < column) return blank(at);
    // The one place where a list may stand in the column of what it belongs to.
    if (scan.column === column) return scan.isMark("-", false) ? this.#dashes() : blank(at);
    return this.#node(column, false);
  }

  /** Whether the collection in this column goes on with another key. */
  #continues(column: number): boolean {
    const scan = this.#scan;
    scan.skip();
    if (scan.ended || scan.column < column) return false;
    if (scan.column > column) this.#misplaced();
    return !scan.isMark("-", false);
  }

  #dashes(): YamlList {
    const scan = this.#scan;
    const { at: offset, column } = scan;
    this.#enter(offset);
    const items: YamlNode[] = [];
    do {
      scan.at++;
      const { at } = scan;
      scan.skip();
      const absent = scan.ended || scan.column <= column;
      items.push(absent ? blank(at) : this.#node(column, false));
      scan.skip();
      if (!scan.ended && scan.column > column) this.#misplaced();
    } while (!scan.ended && scan.column === column && scan.isMark("-", false));
    this.#depth--;
    return { kind: "list", offset, items };
  }

  /** A scalar or a collection in brackets; its further lines are indented against `parent`. */
  #flow(parent: number): YamlNode {
    const { next } = this.#scan;
    if (next === "[") return this.#brackets(parent);
    return next === "{" ? this.#braces(parent) : this.#scan.scalar(this.#inFlow);
  }

  #flowDepth = 0;

  get #inFlow(): boolean {
    return this.#flowDepth > 0;
  }

  #brackets(parent: number): YamlList {
    const items: YamlNode[] = [];
    const offset = this.#inside(parent, "]", () => {
      items.push(this.#flow(parent));
    });
    return { kind: "list", offset, items };
  }

  #braces(parent: number): YamlMapping {
    const scan = this.#scan;
    const items: { key: YamlNode; value: YamlNode }[] = [];
    const offset = this.#inside(parent, "}", () => {
      const key = this.#flow(parent);
      scan.spaces();
      // Behind a quoted key the colon needs no space, as in JSON.
      const quoted = key.kind === "scalar" && !key.plain && scan.next === ":";
      if (!quoted && !scan.isMark(":", true)) scan.stop("a key is followed by a colon and a space");
      scan.at++;
      this.#flowSkip(parent, "}");
      scan.properties(true);
      const absent = [",", "}"].includes(scan.next);
      items.push({ key, value: absent ? blank(scan.at) : this.#flow(parent) });
    });
    return { kind: "mapping", offset, items };
  }

  /** Reads `item` after item between commas, from the opening bracket past the closing one. */
  #inside(parent: number, closing: string, item: () => void): number {
    const scan = this.#scan;
    const offset = scan.count();
    this.#enter(offset);
    this.#flowDepth++;
    scan.at++;
    this.#flowSkip(parent, closing);
    while (scan.next !== closing) {
      scan.properties(true);
      item();
      this.#flowSkip(parent, closing);
      if (scan.next === ",") scan.at++;
      else if (scan.next !== closing) scan.stop(`a comma or ${closing} is missing`);
      this.#flowSkip(parent, closing);
    }
    scan.at++;
    this.#flowDepth--;
    this.#depth--;
    return offset;
  }

  #flowSkip(parent: number, closing: string): void {
    const scan = this.#scan;
    const newLine = scan.skip();
    if (scan.ended) scan.stop(`the closing ${closing} is missing`);
    if (newLine && scan.column <= parent) this.#misplaced();
  }

  #enter(offset: number): void {
    this.#depth++;
    if (this.#depth > MAX_DEPTH) {
      this.#scan.stop(`nested more than ${MAX_DEPTH} levels deep`, undefined, offset);
    }
  }
}
