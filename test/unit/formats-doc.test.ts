/** docs/formats/ledger.md names whatever a ledger holds: entry types, members of data and refs, facts. */

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { ACTIONS } from "../../src/actions/index.ts";
import { CITING_MEMBERS } from "../../src/ceremony/citations.ts";
import { FACT_MEMBERS } from "../../src/ceremony/facts.ts";
import { ENTRY_TYPES } from "../../src/ledger/entry.ts";
import { EXIT } from "../../src/lib/errors.ts";
import { LedgerStore } from "../../src/ledger/store.ts";
import type { Json } from "../../src/lib/json.ts";
import { ROOT, siteAt, succeeded } from "../support/rehearsed-site.ts";

const page = readFileSync(join(ROOT, "docs/formats/ledger.md"), "utf8");

/** The row of a table that begins with this name in code type. */
function rowsOf(name: string): readonly string[] {
  return page.split("\n").filter((line) => line.startsWith(`| \`${name}\` |`));
}

function names(text: string, name: string): boolean {
  return new RegExp(`(?:\`|\\{|, )${name}(?:\`|\\}|,)`).test(text);
}

/** The names of all members below a value, with the place of one that bears it. */
function membersBelow(value: Json, place: string, found: Map<string, string>): void {
  if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) membersBelow(item, place, found);
  } else if (typeof value === "object" && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      found.set(name, `${place}.${name}`);
      membersBelow(member, `${place}.${name}`, found);
    }
  }
}

describe("docs/formats/ledger.md", () => {
  test("names every entry type and every fact of the code, with every member", () => {
    for (const type of ENTRY_TYPES) assert.ok(rowsOf(type).length > 0, `no row for ${type}`);
    for (const [kind, members] of FACT_MEMBERS) {
      const rows = rowsOf(kind).join("\n");
      for (const member of members) {
        assert.ok(member === "kind" || names(rows, member), `${kind}: ${member} is not named`);
      }
    }
  });

  test("lists every attachment that a fact cites", () => {
    const lines = page.split("\n");
    for (const [kind, members] of Object.entries(CITING_MEMBERS)) {
      for (const member of members) {
        const row = `| \`${kind}\` | \`${member}\` | `;
        assert.ok(
          lines.some((line) => line.startsWith(row)),
          `no row ${row}`,
        );
      }
    }
  });

  test("names every action with its control and the facts it may establish", () => {
    for (const { name, control, facts } of ACTIONS) {
      const row = (rowsOf(name)[0] ?? "").split("|").map((cell) => cell.trim());
      assert.equal(row[2], control, name);
      assert.equal(row[3], facts.map((kind) => `\`${kind}\``).join(", ") || "–", name);
    }
  });

  test("names every member that occurs in the ledger of a rehearsal", () => {
    const site = siteAt("generated");
    succeeded(site.rehearse("record-deviation"));
    // Refusals leave entries too.
    const stopped = site.rehearse("record-deviation", (answers) => {
      answers.passphrases["ana"] = ["wrong", "wrong", "wrong", "wrong", "wrong", "wrong"];
    });
    assert.equal(stopped.code, EXIT.people, stopped.stderr);
    const found = new Map<string, string>();
    const types = new Set<string>();
    for (const { seq, type, data, facts, refs } of site.entries()) {
      types.add(type);
      membersBelow(data, `entry ${seq} (${type}) data`, found);
      membersBelow({ ...refs }, `entry ${seq} (${type}) refs`, found);
      for (const fact of facts) membersBelow(fact, `entry ${seq} ${fact.kind}`, found);
    }
    assert.ok(found.size > 60 && types.has("auth.failed") && types.has("ceremony.abandoned"));
    for (const [name, place] of found) {
      assert.ok(names(page, name), `${place} is not named in the page`);
    }
  });

  test("stands among pages whose links lead somewhere, and so do all of them", () => {
    const pages = ["docs", "docs/formats"].flatMap((folder) =>
      readdirSync(join(ROOT, folder))
        .filter((name) => name.endsWith(".md"))
        .map((name) => join(folder, name)),
    );
    let followed = 0;
    for (const file of [...pages, "SECURITY.md"]) {
      const text = readFileSync(join(ROOT, file), "utf8").replaceAll(/`[^`\n]*`/g, "");
      for (const [, target = ""] of text.matchAll(/\]\((?!https:)([^)#]+)[^)]*\)/g)) {
        assert.ok(existsSync(join(ROOT, dirname(file), target)), `${file} links to ${target}`);
        followed += 1;
      }
    }
    assert.ok(followed > 40);
  });

  test("lists the media type of every attachment", () => {
    const ledger = LedgerStore.open(siteAt("generated").file("ledger.db"));
    try {
      const types = new Set([...ledger.attachments()].map(({ mediaType }) => mediaType));
      assert.ok(types.size >= 4);
      for (const type of types) assert.ok(names(page, type.replace("/", "\\/")), type);
    } finally {
      ledger.close();
    }
  });
});
