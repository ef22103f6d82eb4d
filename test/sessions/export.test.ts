/** `keyrite export` and `keyrite verify BUNDLE`: one ledger, one bundle, checked by us and by others. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import Sqlite from "better-sqlite3";
import { LedgerStore } from "../../src/ledger/store.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { bundleCopy, madeBundle, trustFile } from "../support/bundles.ts";
import { keyrite, newFolder, refused, siteAt, succeeded } from "../support/rehearsed-site.ts";
import { openNote, readLog } from "../support/tile-reader.ts";

const verified = (place: string, ...more: readonly string[]): string =>
  succeeded(keyrite(["verify", place, "--trust", trustFile(), ...more])).stdout;

test("the same ledger gives the same bytes, whatever folder and file they go to", () => {
  const { site, folder, tar } = madeBundle();
  const out = newFolder();
  succeeded(site.keyrite(["export", join(out, "a"), "--tar", join(out, "b.tar")]));
  assert.deepEqual(readFileSync(join(out, "b.tar")), readFileSync(tar));
  const compared = spawnSync("diff", ["-r", folder, join(out, "a")], { encoding: "utf8" });
  assert.equal(compared.stdout, "");
});

test("a ledger that was rewritten page by page gives the same bytes", () => {
  const { site, tar } = madeBundle();
  const out = newFolder();
  copyFileSync(site.file("ledger.db"), join(out, "ledger.db"));
  const db = new Sqlite(join(out, "ledger.db"));
  db.exec("VACUUM");
  db.close();
  succeeded(keyrite(["export", join(out, "a"), "--ledger", out, "--tar", join(out, "b.tar")]));
  assert.deepEqual(readFileSync(join(out, "b.tar")), readFileSync(tar));
});

test("one more cosignature is another bundle", () => {
  const { site, manifest } = madeBundle();
  const text = succeeded(site.keyrite(["export", join(newFolder(), "a"), "--json"])).stdout;
  const said = JSON.parse(text) as JsonObject;
  assert.equal(said["size"], manifest.size);
  assert.equal(said["root"], manifest.root);
  const other = join(newFolder(), "ledger.db");
  copyFileSync(site.file("ledger.db"), other);
  const db = new Sqlite(other);
  const line = `— x.example/w ${Buffer.alloc(76, 7).toString("base64")}`;
  db.prepare("INSERT INTO cosignatures (size, line) VALUES (?, ?)").run(manifest.size, line);
  db.close();
  const more = succeeded(keyrite(["export", join(newFolder(), "b"), "--ledger", other, "--json"]));
  assert.notEqual((JSON.parse(more.stdout) as JsonObject)["bundle"], said["bundle"]);
});

test("an independent tile reader and an independent note verifier take the export", () => {
  const { site, folder, manifest } = madeBundle();
  const ledger = LedgerStore.open(site.file("ledger.db"));
  const [key = ""] = readFileSync(trustFile(), "utf8")
    .split("\n")
    .filter((line) => line.startsWith(manifest.origin));
  const log = readLog(folder, key);
  assert.equal(log.size, ledger.size);
  assert.deepEqual(log.entries, [...ledger.entries()]);
  ledger.close();
  for (const size of readdirSync(join(folder, "checkpoints"))) {
    const text = openNote(readFileSync(join(folder, "checkpoints", size), "utf8"), key);
    assert.equal(text.split("\n")[1], size);
  }
  const forged = key.replace(/.{4}$/, "AAA=");
  assert.throws(() => readLog(folder, forged));
});

test("the bundle verifies by itself, as folder and as .tar, and leaves nothing behind", () => {
  const { folder, tar, manifest } = madeBundle();
  const before = readdirSync(tmpdir()).filter((name) => name.startsWith("keyrite-bundle-"));
  for (const place of [folder, tar]) {
    const said = JSON.parse(verified(place, "--json")) as JsonObject;
    assert.equal(said["size"], manifest.size);
    assert.equal(said["root"], manifest.root);
    assert.deepEqual(said["findings"], []);
  }
  const after = readdirSync(tmpdir()).filter((name) => name.startsWith("keyrite-bundle-"));
  assert.deepEqual(after, before);
});

test("stock tar unpacks it to the same files", () => {
  const { tar, folder } = madeBundle();
  const out = newFolder();
  assert.equal(spawnSync("tar", ["xf", tar, "-C", out]).status, 0);
  const compared = spawnSync("diff", ["-r", folder, join(out, "bundle")], { encoding: "utf8" });
  assert.equal(compared.stdout, "");
});

test("LG-5: a bundle holds nothing secret: no key file, no sealed PIN, no wrapped key", () => {
  const { site, manifest, folder } = madeBundle();
  const key = readFileSync(site.file("ledger.key"), "utf8").trim();
  for (const { path } of manifest.files) {
    assert.doesNotMatch(path, /\.(age|key|p8wrap|envelope)$/);
    const bytes = readFileSync(join(folder, path));
    assert.equal(bytes.includes(key), false, path);
    assert.equal(bytes.includes("age-encryption.org/v1"), false, path);
    assert.equal(bytes.includes("PRIVATE KEY"), false, path);
  }
});

test("every cited document is there under a readable name", () => {
  const { manifest } = madeBundle();
  const paths = manifest.files.map(({ path }) => path);
  for (const wanted of [
    /^genesis\.json$/,
    /^cards\/ana\.json$/,
    /^certificates\/[0-9a-f]{64}\.der$/,
    /^ceremonies\/\d{8}-generate-root-ca-[a-z2-7]{4}\/script\.yaml$/,
    /^ceremonies\/\d{8}-generate-root-ca-[a-z2-7]{4}\/plan\.json$/,
    /^share-sets\//,
    /^keys\//,
    /^policies\//,
    /^controls\.json$/,
    /^tools\.json$/,
    /^verify\.py$/,
    /^trust\.txt$/,
  ]) {
    assert.ok(
      paths.some((path) => wanted.test(path)),
      String(wanted),
    );
  }
});

test("nothing is written over, and a ledger that does not verify makes no bundle", () => {
  const { site, folder, tar } = madeBundle();
  refused(site.keyrite(["export", folder]), "site.file-exists", "nothing is written over");
  const out = newFolder();
  refused(site.keyrite(["export", join(out, "a"), "--tar", tar]), "site.file-exists");
  assert.deepEqual(readdirSync(out), []);
  const bad = join(out, "ledger.db");
  copyFileSync(site.file("ledger.db"), bad);
  const db = new Sqlite(bad);
  db.exec("DROP TRIGGER entries_update");
  db.close();
  refused(keyrite(["export", join(out, "b"), "--ledger", bad]), "ledger.damaged");
  refused(siteAt("made").keyrite(["export", join(out, "c")]), "ledger.damaged", "genesis");
  assert.deepEqual(readdirSync(out), ["ledger.db"]);
});

/** Ways to change a bundle so that what it holds is still what its own manifest lists. */
function relist(folder: string): void {
  const path = join(folder, "bundle.json");
  const manifest = JSON.parse(readFileSync(path, "utf8")) as {
    files: { path: string; sha256: string; bytes: number }[];
  };
  manifest.files = readdirSync(folder, { recursive: true, encoding: "utf8", withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name).slice(folder.length + 1))
    .filter((name) => name !== "bundle.json")
    .sort()
    .map((name) => {
      const bytes = readFileSync(join(folder, name));
      return { bytes: bytes.length, path: name, sha256: sha256Hex(bytes) };
    });
  writeFileSync(path, JSON.stringify(manifest));
}

const FORGERIES: Readonly<Record<string, (folder: string) => void>> = {
  "another index by control": (folder) => {
    writeFileSync(join(folder, "controls.json"), "{}");
  },
  "a file that the ledger does not know": (folder) => {
    writeFileSync(join(folder, "extra.txt"), "by the way");
  },
  "a certificate taken away": (folder) => {
    rmSync(join(folder, "certificates"), { recursive: true });
  },
  "a tile changed": (folder) => {
    const path = join(folder, "tile", "0", readdirSync(join(folder, "tile", "0"))[0] ?? "");
    const file = join(path, readdirSync(path)[0] ?? "");
    writeFileSync(file, readFileSync(file).fill(0, 0, 32));
  },
  "a newer checkpoint that nobody signed": (folder) => {
    writeFileSync(join(folder, "checkpoint"), "x");
  },
  "another verifier": (folder) => {
    writeFileSync(join(folder, "verify.py"), "print('CONSISTENT')\n");
  },
  "another trust file": (folder) => {
    writeFileSync(join(folder, "trust.txt"), `genesis ${"0".repeat(64)}\n`);
  },
  "a ledger with a hidden page": (folder) => {
    const db = new Sqlite(join(folder, "ledger.db"));
    db.exec("CREATE TABLE t (x); INSERT INTO t VALUES (randomblob(9000)); DROP TABLE t");
    db.close();
  },
};

for (const [name, forge] of Object.entries(FORGERIES)) {
  test(`C18: with its manifest made to fit, a bundle with ${name} is found out`, () => {
    const folder = bundleCopy();
    forge(folder);
    relist(folder);
    refused(keyrite(["verify", folder, "--trust", trustFile()]), "ledger.damaged", "follow");
  });
}

test("C18: names, links and files that do not belong are refused before anything is opened", () => {
  const spoil: Readonly<Record<string, (folder: string) => void>> = {
    "not as it was made": (folder) => {
      writeFileSync(join(folder, "ledger.db-journal"), "hot");
    },
    "neither a file nor a folder": (folder) => {
      symlinkSync("/etc/passwd", join(folder, "link"));
    },
    "no plain name": (folder) => {
      writeFileSync(join(folder, ".hidden"), "x");
    },
    "lies too deep": (folder) => {
      mkdirSync(join(folder, ..."abcdefghij".split("")), { recursive: true });
    },
  };
  for (const [said, change] of Object.entries(spoil)) {
    const folder = bundleCopy();
    change(folder);
    refused(keyrite(["verify", folder]), "ledger.damaged", said);
  }
});
