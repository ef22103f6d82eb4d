/** What a script, its parameters or its answers can get wrong: refused before anything is opened. */

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { CEREMONIES, keyrite, newFolder, refused, siteAt } from "../support/rehearsed-site.ts";

/** Nothing of these is ever asked for: what is refused here is refused before anybody is asked. */
const NOBODY = ["--answers", join(CEREMONIES, "people.yaml")];
const ROOT_CA = ["run", ...NOBODY, "generate-root-ca"];
const KEY = ["--set", "key=root-g1"];
const SUBJECT = ["--set", "subject=CN=Root,O=Example,C=DE"];
const site = siteAt("prepared");
const generated = siteAt("generated");
let size = 0;

before(() => {
  size = site.entries().length;
});
after(() => {
  assert.equal(site.entries().length, size, "what cannot be planned is never opened");
});

/** A copy of a shipped script with one text exchanged. */
function script(ceremony: string, from: string | RegExp, to: string): string {
  const text = readFileSync(join(CEREMONIES, ceremony, "script.yaml"), "utf8");
  const changed = text.replace(from, to);
  assert.notEqual(changed, text, `${String(from)} stands in ${ceremony}`);
  const path = join(newFolder(), "script.yaml");
  writeFileSync(path, changed);
  return path;
}

describe("a script that is not one", () => {
  const cases: readonly (readonly [string, string | RegExp, string, string])[] = [
    ["a misspelt key of a step", "action: activate-token", "acton: activate-token", "action"],
    ["a misspelt action", "action: activate-token", "action: activate-tokn", "activate-token"],
    ["a misspelt parameter of an action", "profile: $profile", "profil: $profile", "profile"],
    ["a misspelt role", "internal-witness: 1", "internal-witnes: 1", "internal-witness"],
    ["a key of no meaning", "caClass: root", "caClass: root\nforce: true", "force"],
    ["a step id twice", "id: storage", "id: room", "room"],
    ["a parameter that is not declared", "key: $key", "key: $kye", "key"],
    ["an anchor", "caClass: root", "caClass: &a root", "anchor"],
    ["a duplicate key", "caClass: root", "caClass: root\ncaClass: none", "caClass"],
  ];
  for (const [name, from, to, word] of cases) {
    test(`Q13: ${name} is refused with its place`, () => {
      const path = script("generate-root-ca", from, to);
      const ran = site.keyrite(["run", ...NOBODY, path, ...KEY, ...SUBJECT]);
      assert.equal(ran.code, 3, ran.stderr);
      assert.match(ran.stderr, /script\.yaml:\d+:\d+: /);
      assert.match(ran.stderr, new RegExp(word));
      assert.match(ran.stderr, /\(script\.(refused|unreadable), exit 3\)/);
    });
  }

  test("a script that is not there, is a folder, or is too long is refused", () => {
    refused(
      site.keyrite(["run", ...NOBODY, "generate-rot-ca"]),
      "usage.bad-file",
      "no script generate-rot-ca",
    );
    refused(site.keyrite(["run", ...NOBODY, newFolder()]), "usage.bad-file", "no script");
    const long = join(newFolder(), "long.yaml");
    writeFileSync(long, `keyrite: script/v1\n#${"x".repeat(300_000)}\n`);
    refused(site.keyrite(["run", ...NOBODY, long]), "usage.bad-file", "longer than");
  });
});

describe("parameters", () => {
  const cases: readonly (readonly [string, readonly string[], ...string[]])[] = [
    ["missing", SUBJECT, '"key" has no value', "--set key="],
    ["misspelt", [...SUBJECT, "--set", "kye=root-g1"], "kye", "did you mean .?key"],
    ["an integer that is a word", [...KEY, ...SUBJECT, "--set", "days=many"], "days"],
    ["an integer out of range", [...KEY, ...SUBJECT, "--set", "days=9133"], "days"],
    ["a value outside the enum", [...KEY, ...SUBJECT, "--set", "algorithm=p-255"], "p-256"],
    ["a token that is not bound", [...KEY, ...SUBJECT, "--set", "token=alhpa"], "alpha"],
    ["a label with a space", [...SUBJECT, "--set", "key=root g1"], "key"],
    ["a subject that is none", [...KEY, "--set", "subject=Root"], "attribute has no"],
  ];
  for (const [name, set, ...words] of cases) {
    test(`${name}: refused, and every objection is shown`, () => {
      const ran = site.keyrite([...ROOT_CA, ...set]);
      assert.equal(ran.code, 3, ran.stderr);
      for (const word of words) assert.match(ran.stderr, new RegExp(word));
    });
  }

  test("all objections come at once", () => {
    const set = ["--set", "days=0", "--set", "algorithm=dsa", "--set", "kye=1"];
    const { stderr } = refused(site.keyrite([...ROOT_CA, ...set]), "script.refused");
    for (const word of ["days", "algorithm", "kye", "subject", "key"]) {
      assert.match(stderr, new RegExp(`script\\.yaml:\\d+:\\d+:.*${word}`));
    }
  });

  test("--set without a value's name is refused", () => {
    for (const set of ["key", "=x"]) {
      refused(site.keyrite([...ROOT_CA, "--set", set]), "usage.bad-option", "is not name=value");
    }
  });
});

describe("a step that cannot hold", () => {
  test("H10: the label of the key is taken", () => {
    const ran = generated.keyrite([...ROOT_CA, ...KEY, ...SUBJECT]);
    refused(ran, "script.refused", "already holds a key labelled root-g1");
  });

  test("the token is not active, or the key not there, by then", () => {
    const inactive = script("generate-root-ca", /^.*id: activate.*\n/m, "");
    const ran = site.keyrite(["run", ...NOBODY, inactive, ...KEY, ...SUBJECT]);
    refused(ran, "script.refused", "token alpha is not active by then");
    const other = script(
      "generate-root-ca",
      "token: $token, key: $key, profile",
      "token: $token, key: other, profile",
    );
    refused(
      site.keyrite(["run", ...NOBODY, other, ...KEY, ...SUBJECT]),
      "script.refused",
      "key other is not on token alpha by then",
    );
  });

  test("the file is already written by an earlier step", () => {
    const certify = /( {2}- id: certify\n(?: {4}.*\n)+)/;
    const twice = script("generate-root-ca", certify, "$1$1");
    const distinct = readFileSync(twice, "utf8").replace(
      /id: certify([^]*)id: certify/,
      "id: certify$1id: again",
    );
    writeFileSync(twice, distinct);
    const ran = site.keyrite(["run", ...NOBODY, twice, ...KEY, ...SUBJECT]);
    refused(ran, "script.refused", "root-ca is already written by an earlier step");
  });

  test("a token is initialized twice, or used before it is", () => {
    refused(
      site.keyrite(["run", ...NOBODY, "initialize-token"]),
      "script.refused",
      "already bound to serial",
    );
    const founded = siteAt("founded");
    const ran = founded.keyrite([...ROOT_CA, ...KEY, ...SUBJECT]);
    refused(ran, "script.refused", "token alpha is not initialized by then");
  });

  test("an unfounded site runs only the founding, a founded one never again", () => {
    refused(
      siteAt("made").keyrite([...ROOT_CA, ...KEY, ...SUBJECT]),
      "script.refused",
      "establish-site",
    );
    refused(
      site.keyrite(["run", ...NOBODY, "establish-site"]),
      "script.refused",
      "already founded",
    );
  });
});

describe("the command line itself", () => {
  test("there is no --force, and a misspelt command or option is named", () => {
    for (const command of ["run", "check", "verify", "status", "doctor", "demo"]) {
      refused(keyrite([command, "--force"]), "usage.bad-option", "unknown option '--force'");
    }
    refused(keyrite(["rnu"]), "usage.bad-option", "Did you mean run");
    refused(keyrite(["run", "--anwsers", "x"]), "usage.bad-option", "Did you mean --answers");
  });

  test("run without a script, and a resumption or abandonment of nothing, are refused", () => {
    refused(site.keyrite(["run", ...NOBODY]), "usage.bad-option", "name the script to run");
    for (const option of ["--resume", "--abandon"]) {
      refused(site.keyrite(["run", option, ...NOBODY]), "usage.refused", "no ceremony is open");
    }
  });
});
