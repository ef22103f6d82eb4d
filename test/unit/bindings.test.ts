/** site.yaml as bindings: what is refused, what is made absolute, and the lines a roll call reads out. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { readBindings } from "../../src/ceremony/bindings.ts";
import { lineChanges } from "../../src/ceremony/line-changes.ts";
import { utf8 } from "../../src/lib/encoding.ts";
import { KeyriteError } from "../../src/lib/errors.ts";

const site = (lines: readonly string[]): Uint8Array =>
  utf8(["keyrite: site/v1", ...lines, ""].join("\n"));

test("relative paths are the site's, absolute ones stay; a token has its module", () => {
  const bindings = readBindings(
    site([
      "modules: { soft: { profile: softhsm, path: lib/soft.so, tokenDir: tokens }, hard: { profile: generic, path: /opt/hard.so } }",
      "tokens: { alpha: { module: soft, serial: blank, activation: sealed } }",
      "media: { ana: media/ana }",
      "vaults: { offsite: /mnt/offsite }",
    ]),
    "/site",
  );
  const soft = bindings.modules.get("soft");
  assert.deepEqual([soft?.path, soft?.tokenDir], ["/site/lib/soft.so", "/site/tokens"]);
  const hard = bindings.modules.get("hard");
  assert.deepEqual([hard?.path, hard && "tokenDir" in hard], ["/opt/hard.so", false]);
  const { module, serial } = bindings.tokens.get("alpha") ?? assert.fail("alpha is not bound");
  assert.deepEqual([module, serial], [soft, "blank"]);
  assert.equal(bindings.media.get("ana"), "/site/media/ana");
  assert.equal(bindings.vaults.get("offsite"), "/mnt/offsite");
});

const REFUSED: Readonly<Record<string, readonly [readonly string[], RegExp, RegExp]>> = {
  "a token of a module that is not listed": [
    [
      "modules: { soft: { profile: softhsm, path: m.so } }",
      "tokens: { alpha: { module: hard, serial: blank, activation: sealed } }",
    ],
    /binds token alpha to module "hard", which it does not list/,
    /modules listed: soft/,
  ],
  "a member that nobody knows": [
    ["modules: {}", "tokens: {}", "colour: red"],
    /site\.yaml is not valid/,
    /colour/,
  ],
  "a token that opens without its people": [
    [
      "modules: { soft: { profile: softhsm, path: m.so } }",
      "tokens: { alpha: { module: soft, serial: blank, activation: pin } }",
    ],
    /site\.yaml is not valid/,
    /site\.yaml:3:61: expected "sealed", found "pin"/,
  ],
};

for (const [what, [lines, says, hint]] of Object.entries(REFUSED)) {
  test(`${what} is refused`, () => {
    assert.throws(
      () => readBindings(site(lines), "/site"),
      (error) => {
        assert.ok(error instanceof KeyriteError);
        assert.equal(error.code, "site.bindings");
        assert.match(error.message, says);
        assert.match(error.hints.join("\n"), hint);
        return true;
      },
    );
  });
}

const CHANGES: readonly (readonly [string, string, readonly string[]])[] = [
  ["a\nb\nc", "a\nb\nc", []],
  ["a\nb\nc", "a\nc", ["- b"]],
  ["a\nc", "a\nb\nc", ["+ b"]],
  ["a\nb", "a\nb\nc", ["+ c"]],
  ["a\nb\nc", "a\nb", ["- c"]],
  ["a\nb\nc", "a\nx\nc", ["+ x", "- b"]],
  ["a\nb\na", "b\na\nb", ["+ b", "- a"]],
];

for (const [before, after, changes] of CHANGES) {
  test(`the lines between ${JSON.stringify(before)} and ${JSON.stringify(after)}`, () => {
    assert.deepEqual(lineChanges(before, after), changes);
  });
}

const POLICY = [
  "agreement: { minutes: 10 }",
  "shareSets:",
  "  activation:",
  "    threshold: 3",
  "    holders: 5",
  "  security-officer:",
  "    threshold: 3",
  "    holders: 5",
  "hsms:",
  "  - manufacturer: Example",
  "    model: A",
  '    firmware: "1"',
  "  - manufacturer: Example",
  "    model: B",
  '    firmware: "1"',
  "# who keeps what",
  "kek: { escrow: forbidden }",
  "",
];

/** The policy with another text in the place of one of its lines. */
function changed(at: number, text: string): readonly string[] {
  return lineChanges(POLICY.join("\n"), POLICY.with(at, text).join("\n"));
}

test("I04: a line that stands in a file twice is shown with what says whose it is", () => {
  const holders = changed(3, "    threshold: 2");
  const officers = changed(6, "    threshold: 2");
  assert.notDeepEqual(holders, officers);
  assert.deepEqual(officers, [
    "  shareSets:",
    "    activation:",
    "      threshold: 3",
    "      holders: 5",
    "    security-officer:",
    "+     threshold: 2",
    "-     threshold: 3",
    "      holders: 5",
  ]);
  assert.notDeepEqual(changed(11, '    firmware: "2"'), changed(14, '    firmware: "2"'));
});

test("a part of one line, and a comment, are shown alone", () => {
  assert.deepEqual(changed(0, "agreement: { minutes: 20 }"), [
    "+ agreement: { minutes: 20 }",
    "- agreement: { minutes: 10 }",
  ]);
  assert.deepEqual(changed(15, "# who keeps it"), ["+ # who keeps it", "- # who keeps what"]);
});

test("a line that another key takes over is shown with both", () => {
  const before = "media:\n  ana: /a\nvaults:\n  ben: /b\nmodules: {}\n";
  assert.deepEqual(lineChanges(before, before.replace("vaults:\n", "")), [
    "  media:",
    "    ana: /a",
    "- vaults:",
    "    ben: /b",
  ]);
});
