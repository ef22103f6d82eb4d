/** A site's files edited behind the ledger, or open to others: noticed before anything is done. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import {
  initOptions,
  keyrite,
  lastOf,
  newFolder,
  refused,
  siteAt,
  succeeded,
  type RehearsedSite,
} from "../support/rehearsed-site.ts";

const ON_SITE: readonly (readonly string[])[] = [
  ["status"],
  ["check", "record-deviation"],
  ["paper", "record-deviation"],
];

/** Every command that looks at the site, and a ceremony. */
function everyCommand(site: RehearsedSite): readonly ReturnType<typeof keyrite>[] {
  return [...ON_SITE.map((words) => site.keyrite(words)), site.rehearse("record-deviation")];
}

describe("policy.yaml edited behind the ledger", () => {
  for (const [name, spoil] of [
    ["a rule relaxed", (text: string) => text.replace("holders: 3", "holders: 4")],
    ["a comment added", (text: string) => `${text}# harmless\n`],
  ] as const) {
    test(`${name}: stops everything, exit 6, until the adopted file is back`, () => {
      const site = siteAt("founded");
      const size = site.entries().length;
      const adopted = readFileSync(site.file("policy.yaml"), "utf8");
      writeFileSync(site.file("policy.yaml"), spoil(adopted));
      for (const ran of everyCommand(site)) {
        refused(ran, "ledger.policy-differs", "adopted SHA-256: [0-9a-f]{64}", "change-policy");
      }
      assert.equal(site.entries().length, size);
      writeFileSync(site.file("policy.yaml"), adopted);
      succeeded(site.rehearse("record-deviation"));
    });
  }

  test("an edit that makes it no policy at all is refused with its place", () => {
    const site = siteAt("founded");
    const text = readFileSync(site.file("policy.yaml"), "utf8");
    writeFileSync(site.file("policy.yaml"), text.replace("threshold: 2", "threshold: 1"));
    for (const ran of everyCommand(site)) {
      refused(ran, "script.refused", "policy.yaml:\\d+:\\d+:.*at least 2");
    }
  });
});

describe("site.yaml edited behind the ledger", () => {
  const change = (site: RehearsedSite): void => {
    appendFileSync(site.file("site.yaml"), '  fay: "/media/fay"\n');
  };

  test("is shown line by line at the roll call and agreed to on record", () => {
    const site = siteAt("founded");
    change(site);
    const shown = succeeded(site.rehearse("record-deviation")).stderr;
    assert.match(shown, /site\.yaml changed since it was last agreed to:/);
    assert.match(shown, /\+ {3}fay: "\/media\/fay"/);
    const roll = site
      .entries()
      .filter((entry) => entry.type === "step.opened" && entry.step === "roll-call")
      .at(-1);
    assert.match(JSON.stringify(roll?.data["shown"]), /site\.yaml changed/);
    const again = succeeded(site.rehearse("record-deviation")).stderr;
    assert.doesNotMatch(again, /site\.yaml changed/, "agreed to once, it is no news");
  });

  test("is not in force when somebody declines it", () => {
    const site = siteAt("founded");
    change(site);
    const ran = site.rehearse("record-deviation", (answers) => {
      answers.agree = { "roll-call": ["ana"] };
    });
    refused(ran, "people.declined", "eve declined step roll-call");
    assert.match(succeeded(site.rehearse("record-deviation")).stderr, /site\.yaml changed/);
  });

  test("is refused with its place when it is no site.yaml", () => {
    const cases: readonly (readonly [string, string, string])[] = [
      ["misspelt key", "modules:", "moduls:"],
      ["a rule in it", "keyrite: site/v1", "keyrite: site/v1\nseparate: []"],
      ["a token of no module", "module: soft", "module: sotf"],
      ["duplicate key", "media:", "media: {}\nmedia:"],
      ["a hidden character", "media:", "# \u202e\nmedia:"],
    ];
    for (const [name, from, to] of cases) {
      const site = siteAt("founded");
      const text = readFileSync(site.file("site.yaml"), "utf8");
      assert.ok(text.includes(from), name);
      writeFileSync(site.file("site.yaml"), text.replace(from, to));
      const ran = site.rehearse("record-deviation");
      assert.match(ran.stderr, /site\.yaml/, name);
      assert.match(ran.stderr, /\((site\.bindings, exit 2|script\.unreadable, exit 3)\)/, name);
    }
  });
});

describe("genesis.json edited", () => {
  for (const [name, from, to] of [
    ["assurance raised", '"assurance":"test"', '"assurance":"production"'],
    ["origin changed", "pki.example.org/rehearsal", "pki.example.org/somewhere"],
    ["a role added to a founder", '"roles":["custodian"]', '"roles":["auditor","custodian"]'],
    ["created changed", '"created":"2', '"created":"1'],
  ] as const) {
    test(`${name}: the ledger was not founded by it, exit 6`, () => {
      const site = siteAt("founded");
      const size = site.entries().length;
      const text = readFileSync(site.file("genesis.json"), "utf8");
      assert.ok(text.includes(from));
      writeFileSync(site.file("genesis.json"), text.replace(from, to));
      for (const ran of everyCommand(site)) {
        assert.equal(ran.code, 6, ran.stderr);
        assert.match(ran.stderr, /\(ledger\.(damaged|not-trusted), exit 6\)/);
        assert.match(ran.stderr, /^ {2}hint: /m);
      }
      assert.equal(site.entries().length, size);
      succeeded(site.keyrite(["verify"]));
    });
  }
});

describe("who may write where", () => {
  test("S07: a site folder, or a ledger key, open to others is refused", () => {
    const site = siteAt("founded");
    for (const mode of [0o777, 0o775, 0o757]) {
      chmodSync(site.site, mode);
      for (const ran of everyCommand(site)) {
        refused(ran, "site.permissions", mode === 0o775 ? "its group" : "everybody", "chmod go-w");
      }
    }
    chmodSync(site.site, 0o755);
    for (const mode of [0o644, 0o640, 0o604]) {
      chmodSync(site.file("ledger.key"), mode);
      refused(site.rehearse("record-deviation"), "site.permissions", "chmod 600");
    }
    chmodSync(site.file("ledger.key"), 0o600);
    succeeded(site.rehearse("record-deviation"));
  });

  test("S07: files have their modes whatever the umask", () => {
    for (const umask of ["000", "077"]) {
      const site = siteAt("made");
      rmSync(site.site, { recursive: true });
      const under = ["sh", "-c", `umask ${umask}; exec "$@"`, "sh"];
      succeeded(site.keyrite(["init", ...initOptions(site)], { under }));
      succeeded(site.rehearse("establish-site", undefined, [], { under }));
      for (const name of readdirSync(site.site)) {
        const { mode } = statSync(site.file(name));
        if (name === "ledger.key") assert.equal(mode & 0o777, 0o600, name);
        else assert.equal(mode & 0o022, 0, `${name} under umask ${umask}`);
      }
      for (const name of ["genesis.json", "policy.yaml", "site.yaml", "trust.txt"]) {
        assert.equal(statSync(site.file(name)).mode & 0o777, 0o644, name);
      }
    }
  });

  test("S08: links, pipes, folders and devices in the place of a file are refused at once", () => {
    for (const name of ["genesis.json", "policy.yaml", "site.yaml", "ledger.key", "ledger.db"]) {
      for (const kind of ["link", "pipe", "folder", "device"] as const) {
        const site = siteAt("founded");
        const path = site.file(name);
        const elsewhere = join(newFolder(), name);
        writeFileSync(elsewhere, readFileSync(path), { mode: 0o600 });
        rmSync(path);
        if (kind === "link") symlinkSync(elsewhere, path);
        if (kind === "pipe") execFileSync("mkfifo", ["-m", "600", path]);
        if (kind === "folder") mkdirSync(path, { mode: 0o700 });
        if (kind === "device") symlinkSync("/dev/zero", path);
        const ran = site.rehearse("record-deviation");
        assert.ok([2, 6].includes(ran.code ?? -1), `${name} as ${kind}: ${ran.stderr}`);
        assert.match(ran.stderr, /\((usage|site|ledger)\.[a-z-]+, exit/, `${name} as ${kind}`);
      }
    }
  });

  test("S08: a link planted where a share set or the outbox will be written is not followed", () => {
    const site = siteAt("founded");
    const elsewhere = newFolder();
    rmSync(site.file("share-sets"), { recursive: true });
    symlinkSync(elsewhere, site.file("share-sets"));
    const ran = site.rehearse("initialize-token");
    assert.notEqual(ran.code, 0, ran.stderr);
    assert.deepEqual(readdirSync(elsewhere), []);
    assert.equal(lastOf(site, "step.failed").step, "initialize");
    const blank = succeeded(site.keyrite(["hsm", "list"])).stdout;
    assert.doesNotMatch(blank, /alpha/, "the token was not touched");
  });
});

test("a folder that is no site, and no terminal, are refused with what to do", () => {
  refused(keyrite(["status", "--site", newFolder()]), "site.missing", "no genesis.json", "init");
  const site = siteAt("founded");
  const size = site.entries().length;
  refused(site.keyrite(["run", "record-deviation"]), "usage.no-terminal", "not a terminal");
  assert.equal(site.entries().length, size);
  refused(
    site.keyrite(["init", "--site", site.site, ...initOptions(site)]),
    "site.exists",
    "empty",
  );
});
