/** The entry's one encoding: what is written reads back, and nothing else is read. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "node:test";
import { canonicalJson, type Json } from "../../src/lib/json.ts";
import {
  completeEntry,
  decodeEntry,
  encodeEntry,
  ENTRY_TYPES,
  type Entry,
  type EntryDraft,
} from "../../src/ledger/entry.ts";
import { draft, ORIGIN } from "../support/ledger-fixture.ts";

const entry: Entry = {
  ...draft("made a key", {
    data: { note: "naïve \u{1f511}", list: [1, [true, null]] },
    refs: { begun: 2 },
  }),
  v: 1,
  origin: ORIGIN,
  seq: 3,
  time: "2026-11-23T09:30:00.000Z",
};
const text = encodeEntry(entry);

test("an entry is encoded as RFC 8785 says and decodes to itself", () => {
  assert.equal(text, canonicalJson(entry as unknown as Json));
  assert.deepEqual(decodeEntry(text), entry);
});

test("every type of entry is encoded", () => {
  for (const type of ENTRY_TYPES)
    assert.equal(decodeEntry(encodeEntry({ ...entry, type })).type, type);
});

/** Canonical text of the entry with some members replaced; undefined removes one. */
function altered(changes: Readonly<Record<string, Json | undefined>>): string {
  const all: Readonly<Record<string, unknown>> = { ...entry, ...changes };
  const members = Object.entries(all).filter(([, value]) => value !== undefined);
  return canonicalJson(Object.fromEntries(members) as Json);
}

const nested = (depth: number): Json => (depth === 0 ? 0 : { a: nested(depth - 1) });
const REFUSED: Readonly<Record<string, readonly [string, string]>> = {
  "a missing member": [altered({ refs: undefined }), "refs is missing"],
  "an unknown member": [altered({ extra: 1 }), "extra is not a member of this object"],
  "another version": [altered({ v: 2 }), "v is not 1"],
  "an unknown type": [altered({ type: "step.done" }), "type is none of its values"],
  "an unknown outcome": [altered({ outcome: "ok" }), "outcome is none of its values"],
  "an unknown source": [altered({ source: "cron" }), "source is none of its values"],
  "a negative index": [altered({ seq: -1 }), "seq is not an index"],
  "an index as text": [altered({ seq: "3" }), "seq is not an index"],
  "an empty origin": [altered({ origin: "" }), "origin is not a string of one character or more"],
  "an empty ceremony": [
    altered({ ceremony: "" }),
    "ceremony is not a string of one character or more",
  ],
  "a number as step": [altered({ step: 1 }), "step is not a string of one character or more"],
  "a list as data": [altered({ data: [] }), "data is not an object"],
  "a string as facts": [altered({ facts: "none" }), "facts is not a list"],
  "a fact without kind": [
    altered({ facts: [{ key: "a" }] }),
    "facts[0].kind is not a string of one character or more",
  ],
  "a fact that is a string": [altered({ facts: ["key.generated"] }), "facts[0] is not an object"],
  "an actor without part": [
    altered({ actors: [{ person: "a", role: "b" }] }),
    "actors[0].part is missing",
  ],
  "an actor with more": [
    altered({ actors: [{ part: "p", person: "a", role: "b", zeal: 1 }] }),
    "actors[0].zeal is not a member of this object",
  ],
  "an agreement that is no text": [
    altered({ agreements: [1] }),
    "agreements[0] is not a string of one character or more",
  ],
  "a reference that is no index": [altered({ refs: { begun: "2" } }), "refs.begun is not an index"],
  "a time with an offset": [
    altered({ time: "2026-11-23T09:30:00.000+01:00" }),
    "time is not a time like 2026-11-23T09:30:00.000Z",
  ],
  "a time without milliseconds": [
    altered({ time: "2026-11-23T09:30:00Z" }),
    "time is not a time like 2026-11-23T09:30:00.000Z",
  ],
  "a day that does not exist": [
    altered({ time: "2026-02-30T09:30:00.000Z" }),
    "time is not a time like 2026-11-23T09:30:00.000Z",
  ],
  "a year of six digits": [
    altered({ time: "+012026-11-23T09:30:00.000Z" }),
    "time is not a time like 2026-11-23T09:30:00.000Z",
  ],
  "a fraction": [altered({ data: { n: 0.5 } }), "data.n is not a whole number below 2^53"],
  "a number of 2^53": [
    altered({ data: { n: 2 ** 53 } }),
    "data.n is not a whole number below 2^53",
  ],
  "an underscore in a member name": [altered({ data: { a_b: 1 } }), "data.a_b is no member name"],
  "a member name that is a number": [altered({ data: { "1": 1 } }), "data.1 is no member name"],
  "an upper-case member name": [altered({ data: { Abc: 1 } }), "data.Abc is no member name"],
  "__proto__ as a member": [
    text.replace('"list"', '"__proto__"'),
    "data.__proto__ is no member name",
  ],
  "U+FFFD": [altered({ description: "a\uFFFDb" }), "description is not UTF-8, or holds U+FFFD"],
  "U+FFFD deep inside": [
    altered({ data: { a: [{ b: "\uFFFD" }] } }),
    "data.a[0].b is not UTF-8, or holds U+FFFD",
  ],
  "text not in NFC": [
    altered({ description: "e\u0301" }),
    "description is not in Unicode form NFC",
  ],
  "an escaped lone surrogate": [
    text.replace("made", "\\ud800"),
    "description holds a lone surrogate",
  ],
  "33 levels": [
    altered({ data: nested(32) }),
    `data${".a".repeat(31)} is nested more than 32 deep`,
  ],
  "thirty thousand levels": [
    "[".repeat(30_000) + "]".repeat(30_000),
    `the entry${"[0]".repeat(32)} is nested more than 32 deep`,
  ],
  "a space after a colon": [text.replace('"v":1', '"v": 1'), "the entry is not in canonical form"],
  "a trailing newline": [`${text}\n`, "the entry is not in canonical form"],
  "a needless escape": [text.replace("made", "m\\u0061de"), "the entry is not in canonical form"],
  "an escaped slash": [
    text.replace("dc1/test", "dc1\\/test"),
    "the entry is not in canonical form",
  ],
  "minus zero": [text.replace('"seq":3', '"seq":-0'), "seq is not a whole number below 2^53"],
  "another number form": [
    text.replace('"seq":3', '"seq":3e0'),
    "the entry is not in canonical form",
  ],
  "a repeated member": [
    text.replace('"seq":3', '"seq":3,"seq":3'),
    "the entry is not in canonical form",
  ],
  "unsorted members": [`{"v":1,${text.slice(1, -7)}}`, "the members of the entry are not sorted"],
  "a list in the place of a string": [altered({ description: [] }), "description is not a string"],
  "an empty agreement": [
    altered({ agreements: ["note", ""] }),
    "agreements[1] is not a string of one character or more",
  ],
  "null as data": [altered({ data: null }), "data is not an object"],
  "an object as agreements": [altered({ agreements: {} }), "agreements is not a list"],
  "a number as the outcome": [altered({ outcome: 1 }), "outcome is none of its values"],
  "a number as time": [altered({ time: 1 }), "time is not a time like 2026-11-23T09:30:00.000Z"],
  "an actor that is a string": [altered({ actors: ["ana"] }), "actors[0] is not an object"],
  "a reference below nothing": [altered({ refs: { begun: -1 } }), "refs.begun is not an index"],
  "an unknown member beside a missing one": [
    altered({ refs: undefined, zeal: 1 }),
    "zeal is not a member of this object",
  ],
  "a member name that ends in a space": [
    altered({ data: { "a ": 1 } }),
    "data.a  is no member name",
  ],
  "a member name deep inside": [
    altered({ data: { a: [{ "b-c": 1 }] } }),
    "data.a[0].b-c is no member name",
  ],
  "unsorted members deep inside": [
    text.replace('"list":', '"z":').replace('"note":', '"a":'),
    "the members of data are not sorted",
  ],
  "text not in NFC, behind text that is": [
    altered({ data: { a: "é", b: ["\u{1f511}", "e\u0301"] } }),
    "data.b[1] is not in Unicode form NFC",
  ],
  "a fraction in a list": [
    altered({ data: { a: [1, 0.5] } }),
    "data.a[1] is not a whole number below 2^53",
  ],
  "no object": ["[]", "the entry is not an object"],
  "no JSON": ["{", "the entry is not JSON"],
  nothing: ["", "the entry is not JSON"],
};

for (const [what, [wrong, message]] of Object.entries(REFUSED)) {
  test(`C14: refused when read: ${what}`, () => {
    assert.notEqual(wrong, text);
    assert.throws(() => decodeEntry(wrong), {
      name: "KeyriteError",
      code: "ledger.damaged",
      message,
    });
  });
}

test("32 levels and 65,535 bytes are read, one more is not", () => {
  assert.deepEqual(decodeEntry(altered({ data: nested(31) })).data, nested(31));
  const room = 65_535 - Buffer.byteLength(altered({ description: "" }));
  const longest = altered({ description: "x".repeat(room) });
  assert.equal(decodeEntry(longest).description.length, room);
  const longer = altered({ description: "x".repeat(room + 1) });
  const message = "the entry has 65536 bytes; 65535 is the most";
  assert.throws(() => decodeEntry(longer), { code: "ledger.damaged", message });
  assert.throws(() => encodeEntry({ ...entry, description: "x".repeat(room + 1) }), {
    code: "internal.bug",
    message: `entry 3: ${message}`,
  });
});

test("what cannot be an entry is not written, and the member is named", () => {
  class Wrapped {
    readonly inner = 1;
  }
  const wrong: readonly (readonly [unknown, string])[] = [
    [{ n: -0 }, "data.n is not a whole number below 2^53"],
    [{ n: NaN }, "data.n is not a whole number below 2^53"],
    [{ u: undefined }, "data.u is undefined, which JSON lacks"],
    [{ f: () => 1 }, "data.f is function, which JSON lacks"],
    [{ b: 1n }, "data.b is bigint, which JSON lacks"],
    [{ d: new Date(0) }, "data.d is not plain data"],
    [{ w: new Wrapped() }, "data.w is not plain data"],
    [{ bytes: new Uint8Array(2) }, "data.bytes is not plain data"],
    [{ l: [1, undefined] }, "data.l[1] is undefined, which JSON lacks"],
    [{ deep: nested(31) }, `data.deep${".a".repeat(30)} is nested more than 32 deep`],
    [{ a_b: 1 }, "data.a_b is no member name"],
    [{ s: "\udc00" }, "data.s holds a lone surrogate"],
    [{ s: ["ok", "e\u0301"] }, "data.s[1] is not in Unicode form NFC"],
  ];
  for (const [data, message] of wrong) {
    const bad = { ...entry, data } as unknown as Entry;
    assert.throws(() => encodeEntry(bad), {
      code: "internal.bug",
      message: `entry 3: ${message}`,
    });
  }
});

test("unsorted members are sorted at any depth, and what was given stays as it was", () => {
  const data = {
    z: [{ b: 1, a: "é" }, [{ d: null, c: [] }]],
    y: { n: 1, m: { p: 1, o: 2 } },
    x: 1,
  };
  const before = JSON.stringify(data);
  const encoded = encodeEntry({ ...entry, data });
  assert.equal(encoded, canonicalJson({ ...entry, data } as unknown as Json));
  assert.ok(
    encoded.includes(
      '"x":1,"y":{"m":{"o":2,"p":1},"n":1},"z":[{"a":"é","b":1},[{"c":[],"d":null}]]',
    ),
  );
  assert.equal(JSON.stringify(data), before);
});

test("a draft has the members of an entry but for its place, and no others", () => {
  const place = { origin: ORIGIN, seq: 3, time: entry.time };
  const complete = draft("made a key");
  assert.deepEqual(Object.keys(completeEntry(complete, place)), Object.keys(entry).sort());
  assert.deepEqual(completeEntry(complete, place), { ...complete, ...place, v: 1 });
  const lacking = Object.fromEntries(Object.entries(complete).slice(1));
  for (const wrong of [{ ...complete, extra: 1 }, lacking]) {
    assert.throws(() => completeEntry(wrong as unknown as EntryDraft, place), {
      code: "internal.bug",
      message: "a draft has other members than an entry",
    });
  }
});

const name = fc.stringMatching(/^[a-z][A-Za-z0-9]{0,8}$/);
const json = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger().map((n) => (n === 0 ? 0 : n)),
    fc
      .string({ unit: "grapheme" })
      .map((s) => s.normalize("NFC"))
      .filter((s) => !s.includes("\uFFFD")),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(name, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;

test("any data of the narrow form is written as RFC 8785 and read back", () => {
  fc.assert(
    fc.property(fc.dictionary(name, json, { noNullPrototype: true }), (data) => {
      const given = { ...entry, data };
      const encoded = encodeEntry(given);
      assert.equal(encoded, canonicalJson(given as unknown as Json));
      assert.deepEqual(decodeEntry(encoded), given);
    }),
    { numRuns: 200 },
  );
});
