/** Names against name constraints, kind by kind, as RFC 5280 §4.2.1.10 has it and OpenSSL judges it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { GeneralNameView } from "../../src/pki/general-names.ts";
import { nameOutside } from "../../src/pki/name-constraints.ts";
import { parseDn } from "../../src/pki/names.ts";

type Pair = readonly [
  constraint: GeneralNameView,
  inside: readonly string[],
  out: readonly string[],
];

const text = (type: "dns" | "email" | "uri") => (value: string) => ({ type, value }) as const;
const [dns, email, uri] = [text("dns"), text("email"), text("uri")];
const ip = (value: string) => ({ type: "ip", value }) as const;
const directory = (dn: string) => ({ type: "directory", name: parseDn(dn) }) as const;

const PAIRS: readonly Pair[] = [
  [
    dns("example.org"),
    ["example.org", "a.b.example.org", "A.Example.ORG"],
    ["badexample.org", "org"],
  ],
  [dns(""), ["anything.example"], []],
  [email("example.org"), ["a@example.org", "A@EXAMPLE.org"], ["a@b.example.org", "a@example.net"]],
  [email(".example.org"), ["a@b.example.org"], ["a@example.org"]],
  [email("a@example.org"), ["a@Example.org"], ["b@example.org", "A@example.org"]],
  [
    uri("example.org"),
    ["http://example.org/x", "http://u@example.org:80/"],
    ["http://a.example.org/"],
  ],
  [uri(".example.org"), ["http://a.example.org"], ["http://example.org", "mailto:a.example.org"]],
  [ip("0a000000ff000000"), ["0a010203"], ["0b010203", `${"00".repeat(15)}0a`]],
  [
    directory("O=Example,C=DE"),
    ["CN=x,O=Example,C=DE", "CN=x,O=EXAMPLE,C=DE"],
    ["CN=x,O=Other,C=DE", "C=DE"],
  ],
];

function nameOf({ type }: GeneralNameView, value: string): GeneralNameView {
  if (type === "directory") return directory(value);
  return type === "ip" ? ip(value) : { type, value };
}

type Lists = Readonly<Record<"permitted" | "excluded", readonly GeneralNameView[]>>;

function constraintsOf(lists: Lists) {
  return { kind: "name-constraints", critical: true, ...lists } as const;
}

function outside(
  name: GeneralNameView,
  list: "permitted" | "excluded",
  constraint: GeneralNameView,
) {
  const issuer = parseDn("CN=CA,O=CA,C=FR");
  const isSubject = name.type === "directory";
  const subject = isSubject ? name.name : [];
  const names = { kind: "subject-alt-name", critical: false, names: [name] } as const;
  const constraints = constraintsOf({ permitted: [], excluded: [], [list]: [constraint] });
  const below = { subject, issuer, extensions: isSubject ? [] : [names] };
  return nameOutside(below, { extensions: [constraints] });
}

for (const [constraint, inside, out] of PAIRS) {
  const about = constraint.type === "directory" ? "O=Example,C=DE" : constraint.value;
  test(`names below the ${constraint.type} constraint "${about}" are told from others`, () => {
    for (const value of inside) {
      const name = nameOf(constraint, value);
      assert.equal(outside(name, "permitted", constraint), undefined, value);
      assert.match(outside(name, "excluded", constraint) ?? "", /is excluded$/, value);
    }
    for (const value of out) {
      const name = nameOf(constraint, value);
      assert.match(outside(name, "permitted", constraint) ?? "", /not below a permitted/, value);
      assert.equal(outside(name, "excluded", constraint), undefined, value);
    }
  });
}

test("a constraint on one kind of name says nothing of another", () => {
  assert.equal(outside(email("a@example.net"), "permitted", dns("example.org")), undefined);
  assert.equal(outside(directory("CN=x"), "permitted", dns("example.org")), undefined);
});

test("what a CA has issued to its own name is not held to its constraints", () => {
  const own = parseDn("CN=CA,O=CA,C=FR");
  const constraints = constraintsOf({ permitted: [directory("O=Example,C=DE")], excluded: [] });
  const above = { extensions: [constraints] };
  assert.equal(nameOutside({ subject: own, issuer: own, extensions: [] }, above), undefined);
  const other = parseDn("CN=Other,O=CA,C=FR");
  const named = nameOutside({ subject: other, issuer: own, extensions: [] }, above);
  assert.equal(named, "the name CN=Other,O=CA,C=FR is not below a permitted name");
});
