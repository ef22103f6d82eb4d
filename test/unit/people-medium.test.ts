import assert from "node:assert/strict";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fromUtf8, utf8 } from "../../src/lib/encoding.ts";
import { formatCard } from "../../src/people/card.ts";
import { headName, openMedium } from "../../src/people/medium.ts";
import { makePerson } from "../support/identities.ts";
import { inFolder } from "../support/stock-age.ts";

const ana = await makePerson("ana");

describe("media", () => {
  const set = { id: "sabc", generation: 2 };

  test("keeps everything where the manual says", () =>
    inFolder((folder) => {
      const medium = openMedium(folder, "ana");
      medium.writeIdentity(ana.sealed, ana.card);
      medium.writeShare(set, utf8("share"));
      medium.writeSealed(set, utf8("sealed"));
      medium.writeHead("example.org/dc1", "old\n");
      medium.writeHead("example.org/dc1", "new\n");
      const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
      assert.deepEqual(files, [
        "heads",
        "heads/example.org~dc1.note",
        "keyrite",
        "keyrite/card.json",
        "keyrite/identity.age",
        "sealed",
        "sealed/sabc.g2.age",
        "shares",
        "shares/sabc.g2.share.age",
      ]);
      assert.deepEqual(medium.readCard(), ana.card);
      assert.equal(Buffer.compare(medium.readIdentity(), ana.sealed), 0);
      assert.equal(fromUtf8(medium.readShare(set) ?? new Uint8Array()), "share");
      assert.equal(fromUtf8(medium.readSealed(set) ?? new Uint8Array()), "sealed");
      assert.equal(medium.readHead("example.org/dc1"), "new\n");
    }));

  test("what is not there is undefined, or an error with a hint", () =>
    inFolder((folder) => {
      const medium = openMedium(folder, "ana");
      assert.equal(medium.readShare(set), undefined);
      assert.equal(medium.readHead("example.org/dc1"), undefined);
      assert.throws(() => medium.readCard(), {
        code: "people.medium",
        message: /there is no card/,
        hints: [`is the medium of ana inserted and mounted at ${folder}?`],
      });
      assert.throws(() => medium.readIdentity(), { code: "people.medium" });
      assert.throws(() => openMedium(join(folder, "gone"), "ana"), { code: "people.medium" });
    }));

  test("nothing but a head is ever overwritten", () =>
    inFolder((folder) => {
      const medium = openMedium(folder);
      const writes = [
        () => {
          medium.writeIdentity(ana.sealed, ana.card);
        },
        () => {
          medium.writeShare(set, utf8("share"));
        },
        () => {
          medium.writeSealed(set, utf8("sealed"));
        },
      ];
      for (const write of writes) {
        write();
        assert.throws(write, { code: "people.medium", message: /ever overwritten/ });
      }
    }));

  test("S08: links and folders in place of files are refused", () =>
    inFolder((folder) => {
      const medium = openMedium(folder);
      mkdirSync(join(folder, "keyrite"));
      mkdirSync(join(folder, "keyrite", "identity.age"));
      writeFileSync(join(folder, "card"), formatCard(ana.card));
      symlinkSync(join(folder, "card"), join(folder, "keyrite", "card.json"));
      symlinkSync("/tmp", join(folder, "heads"));
      assert.throws(() => medium.readIdentity(), { code: "people.medium" });
      assert.throws(() => medium.readCard(), { code: "people.medium" });
      assert.throws(
        () => {
          medium.writeHead("example.org/dc1", "head\n");
        },
        { code: "people.medium" },
      );
      assert.throws(() => openMedium(join(folder, "card")), { code: "people.medium" });
    }));

  test("a refused card on a medium is the medium's fault", () =>
    inFolder((folder) => {
      mkdirSync(join(folder, "keyrite"));
      writeFileSync(join(folder, "keyrite", "card.json"), "{}");
      assert.throws(() => openMedium(folder).readCard(), { code: "people.medium" });
    }));

  test("no two origins share the file of a head, and none leaves its folder", () => {
    const origins = ["a/b", "a~b", "a%7eb", "A/b", "a/B", "..", "../x", "a", "a/", "ä/b"];
    const names = origins.map(headName);
    assert.equal(new Set(names.map((name) => name.toLowerCase())).size, origins.length);
    assert.ok(names.every((name) => !name.includes("/") && name !== ".." && name !== "."));
  });
});
