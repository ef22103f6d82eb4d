/** The strict part of YAML: what is read, what is refused, and where. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { KeyriteError } from "../../src/lib/errors.ts";
import type { Json } from "../../src/lib/json.ts";
import { judgeYaml, readYaml } from "../../src/lib/yaml.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

function valueOf(text: string): Json {
  return readYaml(bytesOf(text), "f.yaml").value;
}

/** `line:col: text` of every objection. */
function refusals(input: string | Uint8Array): readonly string[] {
  const reading = judgeYaml(typeof input === "string" ? bytesOf(input) : input, "f.yaml");
  if (reading.ok) return [];
  return reading.objections.map(({ at, text }) => `${at.replace("f.yaml:", "")}: ${text}`);
}

function refused(input: string | Uint8Array, ...expected: readonly RegExp[]): void {
  const found = refusals(input);
  for (const one of expected) {
    assert.ok(
      found.some((line) => one.test(line)),
      `${JSON.stringify(input)}: ${String(one)} is not among ${JSON.stringify(found)}`,
    );
  }
}

test("Q13: anchors, aliases, tags, merges, directives and further documents are refused where they stand", () => {
  refused("a: &x 1\nb: 2", /^1:4: an anchor/);
  refused("&a a: 1", /^1:1: an anchor/);
  refused("- &a", /^1:3: an anchor/);
  refused("a: &x 1\nb: *x", /^1:4: an anchor/, /^2:4: an alias/);
  refused("a: *x", /an alias/);
  refused("a: |\n  b\nc: !!str 1", /^3:4: a tag/);
  refused("!x a: 1", /^1:1: a tag/);
  refused("a: ! b", /a tag/);
  refused("a: !<tag:yaml.org,2002:int> 3", /a tag/);
  refused("- !!binary aGk=", /^1:3: a tag/);
  refused("a: &x |\n  text", /^1:4: an anchor/);
  refused("<<: {a: 1}", /^1:1: the key << /);
  refused('a: {"<<": {b: 1}}', /^1:5: the key << /);
  refused("%YAML 1.1\n---\na: 1", /^1:1: a directive/);
  refused("%TAG ! tag:example.com,2000:\n---\na: 1", /^1:1: a directive/);
  refused("a: 1\n---\nb: 2", /^2:1: a file holds one document/);
  refused("a: 1\n...\nb: 2", /^3:1: a file holds one document/);
});

test("Q13: a key stands once, is text on one line, and is no trap", () => {
  refused('a: 1\nb: 2\n"a": 3', /^3:1: the key "a" stands here twice/);
  refused("a: {b: 1, 'b': 2}", /^1:11: the key "b" stands here twice/);
  refused("? a\n: 1\na: 2", /^1:1: a key behind \?/);
  refused("b: 1\n? {a: b}\n: c", /^2:1: a key behind \?/);
  refused("[a]: c", /^1:1: a key must be text/);
  refused("{a: b}: c", /^1:1: a key must be text/);
  refused("{[a]: c}", /^1:2: a key must be text/);
  refused(": x", /a key must be text/);
  refused("{: x}", /a key must be text/);
  for (const key of ["~", "null", "true", "True", "1", "1.0", "0x1F"]) {
    refused(`${key}: x`, /^1:1: a key must be text/);
    assert.deepEqual(Object.keys(valueOf(`"${key}": x`) as object), [key]);
  }
  refused('"a\\nb": 1', /a key must stand on one line/);
  refused("__proto__: {a: 1}", /^1:1: the key __proto__/);
  refused("a:\n  __proto__: 1", /^2:3: the key __proto__/);
});

test("I01: a key that would fill the screen is refused without being shown", () => {
  const key = "k".repeat(257);
  for (const text of [`${key}: 1`, `"${key}": 1\n"${key}": 2`]) {
    refused(text, /^1:1: a key is longer than 256 characters$/);
    assert.ok(refusals(text).every((line) => !line.includes("kk")));
  }
  assert.deepEqual(Object.keys(valueOf(`${"k".repeat(256)}: 1`) as object).length, 1);
});

test("I02: scalars that readers of YAML take for different values are refused", () => {
  const odd = [
    ...["010", "0x1F", "0o17", "0b101", "1e3", "1E3", "1.5e3", "1_000", "+1", "-0", "00", "-01"],
    ...["1.0", "1.", ".5", "-.5", "0.10", ".inf", "-.Inf", ".NaN", ".nan", "1e999", "0X1f"],
    ...["9007199254740993", "9007199254740992", "1".repeat(400)],
    ...["True", "TRUE", "False", "FALSE", "Null", "NULL"],
  ];
  for (const text of odd) refused(`a: ${text}`, /^1:4: .* (is not a plain number|can be read as)/);
  for (const text of odd) assert.deepEqual(valueOf(`- "${text}"`), [text], "quoted it is text");
});

test("I02: plain scalars keep one meaning; yes, no, on, off and dates are text", () => {
  const text = ["yes", "no", "on", "off", "Y", "n", "2026-11-23", "2026-11-23T09:30:00Z"];
  for (const word of [
    ...text,
    "12:30:45",
    "1.2.3",
    "0x",
    "CAM-0417",
    "0417-x",
    "1e",
    "NaN",
    "e3",
  ]) {
    assert.deepEqual(valueOf(`- ${word}`), [word]);
  }
  assert.deepEqual(valueOf("[0, -1, 1.5, 9007199254740991, true, false, null, ~]"), [
    ...[0, -1, 1.5, 9007199254740991, true, false, null, null],
  ]);
});

test("I02: mappings have no prototype, whatever their keys are called", () => {
  const value = valueOf("constructor: 1\ntoString: 2\nhasOwnProperty: 3\na: {b: 1}") as object;
  assert.equal(Object.getPrototypeOf(value), null);
  assert.deepEqual(Object.keys(value), ["constructor", "toString", "hasOwnProperty", "a"]);
  assert.equal(Object.getPrototypeOf(Object.entries(value)[3]?.[1]), null);
});

test("I01: bytes that are no clean text are refused with their place", () => {
  refused(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61), /^1:1: a byte order mark/);
  refused(Uint8Array.of(0xff, 0xfe, 0x61, 0x00), /^1:1: byte 0xff is not UTF-8/);
  refused(Uint8Array.of(0x61, 0x3a, 0x0a, 0xc3, 0xa4, 0xff), /^2:2: byte 0xff is not UTF-8/);
  refused(Uint8Array.of(0x61, 0x3a, 0x20, 0xc3), /^1:4: byte 0xc3 is not UTF-8/);
  refused(Uint8Array.of(0xc0, 0x80), /^1:1: byte 0xc0 is not UTF-8/);
  refused(Uint8Array.of(0x61, 0xed, 0xa0, 0x80), /is not UTF-8/);
  refused(Uint8Array.of(0xf4, 0x90, 0x80, 0x80), /is not UTF-8/);
  refused("a: \0", /^1:4: the character U\+0000/);
  refused("a: 1\r\nb: 2\r\n", /^1:5: a line ends in CR/);
  refused("a: 1\rb: 2", /^1:5: a line ends in CR/);
  refused("a: 1\n\tb: 2", /^2:1: tabs/);
  refused("a:\n\tb: 1", /^2:1: tabs/);
  refused(`a: ${"x".repeat(256 * 1024)}`, /^1:1: the file is larger than 256 KiB/);
});

test("Q13, I04: what an editor hides or reorders is refused, in comments and behind escapes too", () => {
  const hidden = ["\u202e", "\u2066", "\u200b", "\u200d", "\u00ad", "\u0085", "\u009b", "\u001b"];
  for (const char of [...hidden, "\u2028", "\u00a0", "\ufeff", "\ue000", "\ufffd", "\u3164"]) {
    refused(`a: x${char}y`, /^1:5: .* does not show/);
    refused(`# ${char}\na: 1`, /^1:3: .* does not show/);
    refused(`a${char}: 1`, /^1:2: .* does not show/);
    const escape = `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;
    refused(`a: "${escape}"`, /^1:4: the text holds the character/);
    refused(`"${escape}": 1`, /^1:1: the text holds the character/);
  }
  refused('a: "\\ud800"', /U\+D800/);
  refused('a: "\\t"', /U\+0009/);
  refused('a: "\\0"', /U\+0000/);
  refused("a: e\u0301", /^1:4: the text is not in Unicode normal form/);
  refused("e\u0301: 1", /^1:1: the text is not in Unicode normal form/);
});

test("I01: depth ends at 12 levels, in every notation", () => {
  const nested = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);
  assert.equal(JSON.stringify(valueOf(nested(12))), nested(12));
  refused(nested(13), /^1:13: nested more than 12 levels deep/);
  const indented = Array.from({ length: 13 }, (_, i) => `${" ".repeat(i)}a:`).join("\n");
  assert.deepEqual(refusals(indented.split("\n").slice(0, 12).join("\n")), []);
  refused(`${indented} 1`, /nested more than 12 levels/);
  refused("- ".repeat(14), /nested more than 12 levels/);
  refused("[{a: ".repeat(7), /^1:31: nested more than 12 levels/);
  refused(`${"- ".repeat(7)}${"[".repeat(7)}${"]".repeat(7)}`, /nested more than 12 levels/);
});

test("I01: hostile files are refused within a second", () => {
  const size = 256 * 1024;
  const fill = (unit: string): string => unit.repeat(Math.floor(size / unit.length));
  const stairs = Array.from({ length: 700 }, (_, i) => `${" ".repeat(i)}- - - -\n`).join("");
  const hostile = ["[", "{a: ", "- ", "? ", "? - ", ": ", "]", "&a ", "!a ", "*a ", '"', "---\n"];
  const files = [...[...hostile, "%a\n", "a:\n", ":\n", "a: ", ",", "- |\n"].map(fill), stairs];
  for (const file of [...files, `[${fill(",").slice(2)}`]) {
    // Of this process: a busy machine makes nothing slower.
    const started = process.cpuUsage();
    assert.notDeepEqual(refusals(file), [], JSON.stringify(file.slice(0, 20)));
    const { user, system } = process.cpuUsage(started);
    const took = (user + system) / 1000;
    assert.ok(took < 1000, `${JSON.stringify(file.slice(0, 20))} took ${Math.round(took)} ms`);
  }
});

test("I01: any bytes at all are read or refused, never anything else", () => {
  const scraps = fc.constantFrom(
    ...["a", ": ", "\n", "  ", "- ", "[", "]", "{", "}", ",", "'", '"', "#", "|", ">", "&", "*"],
    ...["!", "%", "?", "\t", "\\u202e", "é", "---\n", "...\n", "1e3", "<<", "~", "@", "`"],
  );
  const texts = fc.array(scraps, { maxLength: 40 }).map((parts) => bytesOf(parts.join("")));
  fc.assert(
    fc.property(fc.oneof(texts, fc.uint8Array({ maxLength: 60 })), (bytes) => {
      const reading = judgeYaml(bytes, "f.yaml");
      if (reading.ok) {
        const { line, col } = reading.document.locate([]);
        assert.ok(line >= 1 && col >= 1);
        assert.doesNotThrow(() => JSON.stringify(reading.document.value));
      } else {
        assert.ok(reading.objections.length > 0 && reading.objections.length <= 20);
        for (const { at } of reading.objections) assert.match(at, /^f\.yaml:[1-9]\d*:[1-9]\d*$/);
      }
    }),
    { numRuns: 3000 },
  );
});

test("what is no YAML is refused with its place, and everything at once", () => {
  refused("a: b: c", /^1:4: nested mappings/);
  refused("a: [1, 2", /^1:9: /);
  refused('a: "x', /^1:6: /);
  refused("a: @x", /^1:4: /);
  refused("a: one\n  two", /^2:3: this line is indented like nothing/);
  refused('a: "one\n  two"', /^1:8: a closing quote/);
  refused("a: '", /^1:5: a closing quote/);
  refused("a: 'x'y", /^1:7: this cannot stand behind/);
  refused('a: "x"#y', /^1:7: this cannot stand behind/);
  refused('a: "\\q"', /^1:4: .* stands for no character/);
  refused('a: "\\U00110000"', /^1:4: .* stands for no character/);
  refused("a: - b", /^1:4: a list with dashes/);
  refused("a: 1\n- b", /^2:1: a list cannot go on in a mapping/);
  refused("- a\nb: 1", /^2:1: /);
  refused("a:\n    b: 1\n  c: 2", /^3:3: this line is indented like nothing/);
  refused("a:\n  - b\n - c", /^3:2: this line is indented like nothing/);
  refused("a\nb: 1", /^2:1: /);
  refused("a: 1\nb", /^2:2: a key is followed by a colon/);
  refused("{a}", /^1:3: a key is followed by a colon/);
  refused("{a:1}", /^1:5: a key is followed by a colon/);
  refused("[a: b]", /^1:3: a comma or ]/);
  refused("[a,, b]", /^1:4: text without quotes cannot begin/);
  refused("a: [b\n]", /^2:1: this line is indented like nothing/);
  refused("a: |2\n  b", /^1:4: only - or \+/);
  refused("a: |\n  b\n c", /^3:2: this line is indented like nothing/);
  refused("a: |\n   \n  b", /^3:1: a line of nothing but spaces|^2:1: a line of nothing/);
  refused("a: |+\n  ", /^2:1: a line of nothing but spaces/);
  refused("a:\n  |\n   x\nb: 1", /^2:3: text behind . or > begins on the line of its key/);
  refused("a: >\n  b\n   c", /^3:1: in text behind >/);
  refused("|\n  b", /^1:1: text behind \| or >/);
  refused("--- a: 1", /^1:5: what follows ---/);
  refused("a: 010\nb: &x True\nc: 1\nc: 2", /^2:4: an anchor/);
  assert.deepEqual(
    refusals("a: 010\nb: True\nc: 1\nc: 2").map((line) => line.slice(0, 4)),
    ["1:4:", "2:4:", "4:1:"],
  );
  assert.throws(
    () => readYaml(bytesOf("a: 010\nb: True"), "s.yaml"),
    (error) => {
      assert.ok(error instanceof KeyriteError);
      assert.equal(error.code, "script.unreadable");
      assert.match(error.message, /^s\.yaml:1:4: 010 is .*\ns\.yaml:2:4: True can be/);
      assert.equal(error.hints.length, 2);
      return true;
    },
  );
});

test("places: values, keys, list items; what is missing stands at its parent", () => {
  const text = "name: x\nsteps:\n  - { id: a, with: { token: t } }\n  - id: b\n    by:\nlast: 1\n";
  const { locate } = readYaml(bytesOf(text), "f.yaml");
  assert.deepEqual(locate([]), { line: 1, col: 1 });
  assert.deepEqual(locate(["name"]), { line: 1, col: 7 });
  assert.deepEqual(locate(["name"], "key"), { line: 1, col: 1 });
  assert.deepEqual(locate(["steps", 0]), { line: 3, col: 5 });
  assert.deepEqual(locate(["steps", 0, "with", "token"]), { line: 3, col: 29 });
  assert.deepEqual(locate(["steps", 0, "with", "token"], "key"), { line: 3, col: 22 });
  assert.deepEqual(locate(["steps", 0, "with", "key"]), { line: 3, col: 20 });
  assert.deepEqual(locate(["steps", 1, "by"]), { line: 5, col: 5 }, "an empty value: its key");
  assert.deepEqual(locate(["steps", 1, "action"]), { line: 4, col: 5 });
  assert.deepEqual(locate(["steps", 7, "action"]), { line: 3, col: 3 });
  assert.deepEqual(locate(["nothing", "here"]), { line: 1, col: 1 });
  assert.deepEqual(readYaml(bytesOf(""), "f.yaml").locate([]), { line: 1, col: 1 });
});

test("block and quoted text is read as YAML says", () => {
  assert.deepEqual(valueOf("a: |\n  b\n  c\nd: 'it''s'\ne: \"x\\u00e9\"\nf: >-\n  one\n  two"), {
    __proto__: null,
    ...{ a: "b\nc\n", d: "it's", e: "xé", f: "one two" },
  });
  assert.deepEqual(valueOf("--- \na: 1 # comment\n...\n"), { __proto__: null, a: 1 });
  assert.equal(valueOf("# nothing\n"), null);
});
