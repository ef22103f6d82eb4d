/** Schemas of our own: what they read and refuse where schema.test.ts, which tells the words, does not. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { jsonSchemaOf, z } from "../../src/lib/schema.ts";

/** `path: first line of the message`, one for each fault. */
function faults(schema: z.Schema, value: unknown): readonly string[] {
  const parsed = schema.safeParse(value);
  if (parsed.success) return [];
  return parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
}

const hostile: unknown = JSON.parse('{"__proto__": {"polluted": 1}}');

test("I02: __proto__ is an unknown key, and nothing gets another prototype", () => {
  const open = z.record(z.string(), z.record(z.string(), z.int()));
  assert.deepEqual(faults(open, hostile), ['__proto__: unknown key "__proto__"']);
  assert.deepEqual(faults(z.strictObject({}), hostile), ['__proto__: unknown key "__proto__"']);
  const nested = { a: [hostile] };
  assert.equal(faults(z.json(), nested).length, 1);
  assert.equal(faults(z.record(z.string(), z.json()), nested).length, 1);
  const read = z.object({ a: z.int().optional() }).parse(hostile);
  assert.deepEqual(read, {});
  assert.equal(Object.getPrototypeOf(read), Object.prototype);
});

test("I02: inherited names are neither given nor known", () => {
  const schema = z.strictObject({ constructor: z.string(), toString: z.string().optional() });
  assert.deepEqual(faults(schema, {}), ['constructor: missing key "constructor"']);
  assert.deepEqual(schema.parse({ constructor: "x" }), { constructor: "x" });
  assert.equal(faults(z.strictObject({}), { valueOf: 1 }).length, 1);
  const tagged = z.discriminatedUnion("kind", [z.strictObject({ kind: z.literal("a") })]);
  assert.deepEqual(faults(tagged, Object.create({ kind: "a" })), ['kind: missing key "kind"']);
  assert.match(faults(tagged, { kind: "constructor" })[0] ?? "", /^kind: expected "a"/);
});

test("numbers are whole, exact and within their bounds", () => {
  for (const wrong of [1.5, NaN, Infinity, 2 ** 53, -(2 ** 53), "1", null, 1n]) {
    assert.equal(faults(z.int(), wrong).length, 1, String(wrong));
  }
  assert.equal(faults(z.int().min(2).max(4), 1).length, 1);
  assert.equal(faults(z.int().min(2).max(4), 5).length, 1);
  assert.equal(z.int().min(2).max(4).parse(4), 4);
});

test("JSON is what can stand in JSON, and not nested without end", () => {
  const deep: unknown = JSON.parse(`${"[".repeat(100_000)}${"]".repeat(100_000)}`);
  for (const wrong of [
    undefined,
    NaN,
    Infinity,
    1n,
    () => 0,
    [undefined],
    { a: [Symbol()] },
    deep,
  ]) {
    assert.equal(faults(z.json(), wrong).length, 1);
  }
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5, noUnicodeString: false }), (value) => {
      if (JSON.stringify(value).includes("__proto__")) return;
      assert.deepEqual(z.json().parse(value), value);
    }),
  );
});

test("every fault is told, none twice, and a refinement is asked only of what fits", () => {
  const asked: unknown[] = [];
  const schema = z
    .strictObject({
      a: z.int(),
      b: z
        .array(
          z
            .string()
            .min(2)
            .regex(/^[a-z]*$/),
        )
        .min(3),
    })
    .refine((value) => {
      asked.push(value);
      return value.a > 0;
    }, "a must be above 0");
  assert.deepEqual(faults(schema, { a: "x", b: ["Q"], c: 1 }), [
    'a: expected a number, found the text "x"',
    "b.0: must have at least 2 characters",
    'b.0: the text "Q" is not in the right form',
    "b: must have at least 3 items",
    'c: unknown key "c"\ndid you mean "a"?',
  ]);
  assert.deepEqual(asked, []);
  assert.deepEqual(faults(schema, { a: 0, b: ["aa", "bb", "cc"] }), [": a must be above 0"]);
});

test("a union tells the faults of the nearest alternative and leaves none of the others behind", () => {
  const schema = z.strictObject({
    of: z.union([z.literal("all"), z.array(z.union([z.int(), z.string().max(3)]))]),
  });
  assert.deepEqual(schema.parse({ of: ["abc", 1] }), { of: ["abc", 1] });
  assert.deepEqual(faults(schema, { of: ["abcd", true, 1] }), [
    "of.0: must have at most 3 characters",
    "of.1: expected a number or text, found true",
  ]);
  assert.deepEqual(faults(schema, { of: {} }), ['of: expected "all" or a list, found a mapping']);
});

test("what may be absent: optional keys, defaults, and all keys of a partial mapping", () => {
  const schema = z.strictObject({ a: z.int().optional(), b: z.int().default(2) });
  assert.deepEqual(schema.parse({}), { b: 2 });
  assert.deepEqual(schema.parse({ a: undefined, b: undefined }), { b: 2 });
  assert.equal(faults(schema, { a: null, b: null }).length, 2);
  const partial = z.strictObject({ a: z.int(), b: z.int().default(2) }).partial();
  assert.deepEqual(partial.parse({}), { b: 2 });
  assert.equal(faults(partial, { c: 1 }).length, 1);
  assert.deepEqual(jsonSchemaOf(partial)["required"], undefined);
});

test("a schema that cannot tell its alternatives apart is a fault of ours", () => {
  assert.throws(() => z.discriminatedUnion("kind", [z.strictObject({ kind: z.string() })]));
});
