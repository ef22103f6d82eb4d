/** Vaults: backups lie outside the site, whole or not at all, and nothing leads out of them. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { vaultError } from "../../src/cli/vault-errors.ts";
import { backupFolder, makeVaults, readVaultOptions } from "../../src/cli/vaults.ts";
import type { Vaults } from "../../src/ceremony/action.ts";
import { utf8 } from "../../src/lib/encoding.ts";
import { exitCodeOf, KeyriteError, type ErrorCode } from "../../src/lib/errors.ts";

const BACKUP = "backup-20261124-abcd";
const base = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "keyrite-vaults-"));
after(() => {
  rmSync(base, { recursive: true });
});
let count = 0;

interface Place {
  readonly root: string;
  readonly site: string;
  readonly vault: string;
  readonly vaults: Vaults;
}

/** A site with one vault beside it. */
function newPlace(): Place {
  const root = join(base, String((count += 1)));
  const [site, vault] = [join(root, "site"), join(root, "vault")];
  for (const folder of [site, vault]) mkdirSync(folder, { recursive: true });
  return { root, site, vault, vaults: makeVaults(site, new Map([["onsite", vault]])) };
}

async function refused(act: Promise<unknown>, code: ErrorCode, words: RegExp): Promise<void> {
  await assert.rejects(act, (error) => {
    assert.ok(error instanceof KeyriteError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, words);
    assert.ok(error.hints.length > 0, "a refusal says what to do next");
    assert.equal(exitCodeOf(error), 2, "the operator at the prompt acts next");
    return true;
  });
}

const FILES = [
  { name: "backup.json", bytes: utf8("{}") },
  { name: `keys/${"ab".repeat(32)}.p8wrap`, bytes: utf8("a wrapped key") },
  { name: "kek/main.g1/alpha.envelope", bytes: utf8("an envelope") },
];

describe("a backup in a vault", () => {
  test("is written, listed and read back as it was", async () => {
    const { vaults } = newPlace();
    const made = await vaults.create("onsite", BACKUP);
    await made.write(FILES);
    const opened = await vaults.open("onsite", BACKUP);
    assert.deepEqual(await opened.list(), FILES.map(({ name }) => name).sort());
    for (const { name, bytes } of FILES) assert.deepEqual(await opened.read(name, 100), bytes);
  });

  test("takes more files later, and gives up those that no record claims", async () => {
    const { vault, vaults } = newPlace();
    const folder = await vaults.create("onsite", BACKUP);
    await folder.write(FILES.slice(0, 2));
    await folder.write([{ name: "proofs/checkpoint", bytes: utf8("c") }]);
    await folder.remove(FILES.slice(0, 2).map(({ name }) => name));
    assert.deepEqual(await folder.list(), ["proofs/checkpoint"]);
    await folder.remove(["proofs/checkpoint"]);
    assert.deepEqual(readdirSync(vault), [], "what is empty is no backup");
    // Of the folder above an envelope nothing stays either: its name would be taken for good.
    const again = await vaults.create("onsite", BACKUP);
    await again.write(FILES);
    await again.remove(await again.list());
    assert.deepEqual(readdirSync(vault), []);
  });

  test("10,000 small files are written and synced at once", async () => {
    const { vaults } = newPlace();
    const folder = await vaults.create("onsite", BACKUP);
    const files = Array.from({ length: 10_000 }, (_, i) => ({
      name: `keys/${String(i).padStart(64, "0")}.p8wrap`,
      bytes: new Uint8Array(160).fill(i % 256),
    }));
    await folder.write(files);
    assert.equal((await folder.list()).length, 10_000);
    assert.deepEqual(await folder.read(files[9_999]?.name ?? "", 160), files[9_999]?.bytes);
  });

  test("is never written over, and nothing half-written is left", async () => {
    const { vault, vaults } = newPlace();
    const folder = await vaults.create("onsite", BACKUP);
    await refused(vaults.create("onsite", BACKUP), "site.file-exists", /holds a backup-20261124/);
    await folder.write(FILES.slice(0, 1));
    const again = [...FILES.slice(1), ...FILES.slice(0, 1)];
    await refused(folder.write(again), "site.file-exists", /backup\.json: it exists already/);
    assert.deepEqual(await folder.list(), ["backup.json"]);
    assert.deepEqual(readdirSync(join(vault, BACKUP)), ["backup.json"]);
  });

  test("nothing leads out of its folder", async () => {
    const { root, vaults } = newPlace();
    const folder = await vaults.create("onsite", BACKUP);
    const names = ["../x", "keys/../../x", "/etc/x", "a/b/c/d", "", "keys/", ".x", "a\0b", "a\\b"];
    for (const name of names) {
      const bytes = utf8("x");
      await assert.rejects(folder.write([{ name, bytes }]), { code: "usage.bad-file" }, name);
      await assert.rejects(folder.read(name, 10), { code: "usage.bad-file" }, name);
      await assert.rejects(folder.remove([name]), { code: "usage.bad-file" }, name);
    }
    for (const name of ["..", ".", "a/b", "", "x".repeat(33)]) {
      await assert.rejects(vaults.create("onsite", name), { code: "usage.bad-file" }, name);
    }
    assert.deepEqual(readdirSync(root).sort(), ["site", "vault"]);
  });
});

describe("what lies in a backup in place of a file", () => {
  const inPlace: Readonly<Record<string, (path: string) => void>> = {
    "a link": (path) => {
      symlinkSync("/etc/passwd", path);
    },
    "a pipe": (path) => execFileSync("mkfifo", [path]),
    "a folder": (path) => {
      mkdirSync(path);
    },
  };
  for (const [what, make] of Object.entries(inPlace)) {
    test(`${what} is refused without waiting for it`, async () => {
      const { vault, vaults } = newPlace();
      const folder = await vaults.create("onsite", BACKUP);
      make(join(vault, BACKUP, "backup.json"));
      await assert.rejects(folder.read("backup.json", 100), { code: "usage.bad-file" });
      await assert.rejects(folder.write(FILES), { code: "site.file-exists" });
      if (what !== "a folder") {
        await refused(folder.list(), "usage.bad-file", /neither a file nor a folder/);
      }
    });
  }

  test("a link in place of a folder leads nowhere", async () => {
    const { root, vault, vaults } = newPlace();
    const folder = await vaults.create("onsite", BACKUP);
    mkdirSync(join(root, "elsewhere"));
    writeFileSync(join(root, "elsewhere", "x.p8wrap"), "x");
    symlinkSync(join(root, "elsewhere"), join(vault, BACKUP, "keys"));
    const bytes = utf8("y");
    await refused(folder.read("keys/x.p8wrap", 9), "usage.bad-file", /neither a file nor/);
    await refused(folder.write([{ name: "keys/y", bytes }]), "usage.bad-file", /neither a file/);
    await refused(folder.remove(["keys/x.p8wrap"]), "usage.bad-file", /neither a file/);
    assert.deepEqual(readdirSync(join(root, "elsewhere")), ["x.p8wrap"]);
  });

  test("a longer file than is looked for, or none, is refused", async () => {
    const { vaults } = newPlace();
    const folder = await vaults.create("onsite", BACKUP);
    await folder.write(FILES);
    await refused(folder.read("backup.json", 1), "usage.bad-file", /longer than 1 bytes/);
    await refused(folder.read("keys/none", 1), "usage.bad-file", /holds no keys\/none/);
  });
});

describe("a vault that is none", () => {
  test("every wrong place has its own refusal", async () => {
    const { root, site, vault, vaults } = newPlace();
    mkdirSync(join(site, "backups"));
    writeFileSync(join(root, "file"), "");
    symlinkSync(join(site, "backups"), join(root, "link"));
    const places: Readonly<Record<string, readonly [string, ErrorCode, RegExp]>> = {
      inside: [join(site, "backups"), "site.bindings", /lies inside the site/],
      itself: [site, "site.bindings", /lies inside the site/],
      around: [root, "site.bindings", /contains the site/],
      linked: [join(root, "link"), "site.bindings", /lies inside the site/],
      twin: [vault, "site.bindings", /are the same folder/],
      missing: [join(root, "gone"), "site.missing", /there is no folder/],
      file: [join(root, "file"), "site.bindings", /is not a folder/],
      // The kernel's own folder takes no files, not even from root.
      closed: ["/sys", "site.permissions", /make \/sys\/backup-20261124-abcd/],
    };
    for (const [name, [folder, code, words]] of Object.entries(places)) {
      const folders = new Map([
        ["onsite", vault],
        [name, folder],
      ]);
      await refused(makeVaults(site, folders).create(name, BACKUP), code, words);
    }
    await refused(vaults.create("nowhere", BACKUP), "site.bindings", /names no vault nowhere/);
    await refused(vaults.open("onsite", BACKUP), "usage.bad-file", /there is no backup/);
    assert.deepEqual(readdirSync(vault), []);
  });

  test("the name of a site that begins like a vault's is no clash", async () => {
    const { root } = newPlace();
    const site = join(root, "vault-site");
    mkdirSync(site);
    const vaults = makeVaults(site, new Map([["onsite", join(root, "vault")]]));
    assert.deepEqual(await (await vaults.create("onsite", BACKUP)).list(), []);
  });

  test("a link in place of a backup is refused", async () => {
    const { site, vault, vaults } = newPlace();
    symlinkSync(site, join(vault, BACKUP));
    await refused(vaults.open("onsite", BACKUP), "usage.bad-file", /is not a folder/);
    await refused(vaults.create("onsite", BACKUP), "site.file-exists", /holds a backup/);
    assert.throws(() => backupFolder(join(vault, BACKUP)), { code: "usage.bad-file" });
  });

  test("a read-only, full or vanished medium says so", () => {
    const cases: Readonly<Record<string, readonly [ErrorCode, RegExp]>> = {
      EROFS: ["site.permissions", /the medium is read-only/],
      ENOSPC: ["site.disk", /the disk is full/],
      EIO: ["site.disk", /input\/output error/],
      EMFILE: ["site.disk", /no room/],
    };
    for (const [code, [expected, words]] of Object.entries(cases)) {
      const error = vaultError("write x", Object.assign(new Error("no room"), { code }));
      assert.equal(error.code, expected);
      assert.match(error.message, words);
      assert.equal(error.hints.length, 1);
    }
  });

  test("--vault is read like --medium", () => {
    assert.deepEqual(
      [...readVaultOptions(["a=/x", "b=/y=z"])],
      [
        ["a", "/x"],
        ["b", "/y=z"],
      ],
    );
    for (const bad of ["", "a", "=x"]) {
      assert.throws(() => readVaultOptions([bad]), { code: "usage.bad-option" });
    }
  });
});
