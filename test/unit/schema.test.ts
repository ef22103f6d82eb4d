/** Objections in plain words: the place, what is wrong, and what was probably meant. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { check, jsonSchemaOf, z } from "../../src/lib/schema.ts";
import { didYouMean } from "../../src/lib/suggest.ts";
import { readYaml } from "../../src/lib/yaml.ts";

const label = z
  .string()
  .regex(/^[a-z][a-z0-9-]*$/, "not a label\nuse a-z, 0-9 and dashes, a letter first");

const schema = z.strictObject({
  keyrite: z.literal("script/v1"),
  algorithm: z.enum(["p-256", "p-384", "rsa-4096"]),
  title: z.string().max(20).optional(),
  days: z.int().min(1).max(9132).optional(),
  by: z.union([z.literal("everyone"), z.array(label).min(1)]).optional(),
  params: z
    .record(
      label,
      z.discriminatedUnion("type", [
        z.strictObject({ type: z.literal("label"), about: z.string() }),
        z.strictObject({ type: z.literal("integer"), min: z.int() }),
      ]),
    )
    .optional(),
  field: z
    .union([
      z.strictObject({ camera: z.string() }),
      z.strictObject({ microphone: z.string(), level: z.int() }),
      z.string(),
    ])
    .optional(),
});

const HEAD = "keyrite: script/v1\nalgorithm: p-256\n";

function objections(text: string): readonly string[] {
  const checked = check(schema, readYaml(new TextEncoder().encode(text), "s.yaml"));
  if (checked.ok) return [];
  return checked.objections.map(({ at, text, hint }) =>
    [`${at.replace("s.yaml:", "")} ${text}`, ...(hint === undefined ? [] : [hint])].join(" / "),
  );
}

const REFUSED: readonly (readonly [text: string, ...objections: string[]])[] = [
  [
    "keyrite: script/v1\nalgoritm: p-256",
    '1:1 missing key "algorithm"',
    '2:1 unknown key "algoritm" / did you mean "algorithm"?',
  ],
  [
    `${HEAD}zzz: 1\ntitel: x`,
    '3:1 unknown key "zzz" / known here: keyrite, algorithm, title, days, by, params, field',
    '4:1 unknown key "titel" / did you mean "title"?',
  ],
  [
    "keyrite: scriptv1\nalgorithm: p-385",
    '1:10 expected "script/v1", found "scriptv1" / did you mean "script/v1"?',
    '2:12 "p-385" is not one of p-256, p-384, rsa-4096 / did you mean "p-384"?',
  ],
  [
    "keyrite: script/v1\nalgorithm: 384",
    '2:12 expected "p-256" or "p-384" or "rsa-4096", found the number 384',
  ],
  [`${HEAD}title: 1`, "3:8 expected text, found the number 1 / put it in quotes"],
  [`${HEAD}title: [a]`, "3:8 expected text, found a list"],
  [`${HEAD}title: {a: b}`, "3:8 expected text, found a mapping"],
  [`${HEAD}title:`, "3:1 expected text, found nothing"],
  [`${HEAD}title: ${"x".repeat(21)}`, "3:8 must have at most 20 characters"],
  [`${HEAD}days: 0`, "3:7 must be at least 1"],
  [`${HEAD}days: 9133`, "3:7 must be at most 9132"],
  [`${HEAD}days: 1.5`, "3:7 expected a whole number, found the number 1.5"],
  [`${HEAD}days: ten`, '3:7 expected a number, found the text "ten"'],
  [`${HEAD}by: []`, "3:5 must have at least 1 item"],
  [`${HEAD}by: all`, '3:5 expected "everyone" or a list, found the text "all"'],
  [`${HEAD}by: [ok, No]`, "3:10 not a label / use a-z, 0-9 and dashes, a letter first"],
  [
    `${HEAD}params: { a: { type: labl } }`,
    '3:22 "labl" is not one of label, integer / did you mean "label"?',
  ],
  [`${HEAD}params: { a: { about: x } }`, '3:14 missing key "type"'],
  [
    `${HEAD}params: { a: { type: label, about: 3 } }`,
    "3:36 expected text, found the number 3 / put it in quotes",
  ],
  [
    `${HEAD}params: { A: { type: label, about: x } }`,
    '3:11 key "A": not a label / use a-z, 0-9 and dashes, a letter first',
  ],
  [`${HEAD}field: { microphone: x, level: y }`, '3:32 expected a number, found the text "y"'],
  [`${HEAD}field: { microphone: x }`, '3:8 missing key "level"'],
  [`${HEAD}field: 3`, "3:8 expected a mapping or text, found the number 3"],
  ["- a", "1:1 expected a mapping, found a list"],
  ["", "1:1 expected a mapping, found nothing"],
  [
    `${HEAD}constructor: 1`,
    '3:1 unknown key "constructor" / known here: keyrite, algorithm, title, days, by, params, field',
  ],
];

test("every objection says where and what, in plain words, and all come at once", () => {
  for (const [text, ...expected] of REFUSED) {
    assert.deepEqual([...objections(text)].sort(), [...expected].sort(), JSON.stringify(text));
  }
});

test("what fits is read, with its defaults", () => {
  assert.deepEqual(objections(`${HEAD}by: everyone\nparams: { a: { type: integer, min: 1 } }`), []);
  const checked = check(z.strictObject({ list: z.array(z.string()).default(["a"]) }), {
    file: "f",
    value: {},
    locate: () => ({ line: 1, col: 1 }),
  });
  assert.deepEqual(checked, { ok: true, value: { list: ["a"] } });
});

test("a part of a file is judged at its place", () => {
  const document = readYaml(new TextEncoder().encode("steps:\n  - with: { token: $t }"), "s.yaml");
  const source = { file: "s.yaml", value: { token: 3, kee: 1 }, locate: document.locate };
  const checked = check(z.strictObject({ token: z.string(), key: z.string() }), source, [
    ...["steps", 0, "with"],
  ]);
  assert.ok(!checked.ok);
  assert.deepEqual(
    checked.objections.map(({ at, text }) => `${at} ${text}`),
    [
      "s.yaml:2:20 expected text, found the number 3",
      's.yaml:2:11 missing key "key"',
      's.yaml:2:11 unknown key "kee"',
    ],
  );
});

test("I04: text quoted in an objection cannot act on a terminal", () => {
  const source = { file: "f", value: "\u001b[31m\u202e", locate: () => ({ line: 1, col: 1 }) };
  const checked = check(z.enum(["a"]), source);
  assert.ok(!checked.ok);
  assert.equal(checked.objections[0]?.text, 'expected "a", found "\\u{1b}[31m\\u{202e}"');
});

test("a word is suggested for a slip, and none for another word", () => {
  const words = ["algorithm", "activate-token", "generate-key", "by", "with", "id"];
  const slips = [
    ["algoritm", "algorithm"],
    ["Algorithm", "algorithm"],
    ["activate_token", "activate-token"],
    ["genreate-key", "generate-key"],
    ["wiht", "with"],
    ["bi", "by"],
  ] as const;
  for (const [slip, meant] of slips) assert.equal(didYouMean(slip, words), meant);
  for (const other of ["", "x", "token", "generate", "withdraw", "key", "a".repeat(100_000)]) {
    assert.equal(didYouMean(other, words), undefined, other.slice(0, 20));
  }
});

test("the JSON Schema tells an editor the same", () => {
  const described = jsonSchemaOf(schema);
  assert.equal(described["additionalProperties"], false);
  assert.deepEqual(described["required"], ["keyrite", "algorithm"]);
});
