/** What is shipped: made alike by two builders, complete without a network, and silent on it. */

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { offlineArchive } from "../bin/lib/offline.js";
import { softwareInventory } from "../bin/lib/sbom.js";
import { NATIVES, readLockfile } from "../bin/lib/tree.js";
import { spokenWords } from "../src/lib/spoken-words.ts";

const ROOT = join(import.meta.dirname, "..");
const base = mkdtempSync(join(tmpdir(), "keyrite-ship-"));
after(() => {
  rmSync(base, { recursive: true });
});
const lockfile = readLockfile(join(ROOT, "package-lock.json"));
const made = await offlineArchive(join(base, "first"));
execFileSync("tar", ["-xzf", made.file, "-C", base]);
const name = readdirSync(base).find((entry) => entry.startsWith("keyrite-"));
const unpacked = join(base, name ?? "nothing");

test("D01: every package is locked by its digest, and only two run-time packages compile anything", () => {
  const packages = Object.entries(lockfile.packages).filter(([path]) => path !== "");
  for (const [path, { integrity }] of packages) assert.match(integrity ?? "", /^sha512-/, path);
  const scripted = packages
    .filter(([, { hasInstallScript, dev }]) => hasInstallScript === true && dev !== true)
    .map(([path]) => path.replace("node_modules/", ""));
  // koffi brings its binaries along; its script only looks for them, and is not run either.
  assert.deepEqual(scripted.filter((one) => one !== "koffi").sort(), [...NATIVES].sort());
});

test("D01: the inventory names every run-time package with version, licence and digest", () => {
  const inventory = JSON.parse(softwareInventory(ROOT, lockfile)) as {
    readonly components: readonly {
      readonly name: string;
      readonly version: string;
      readonly licenses: readonly { readonly license: { readonly name: string } }[];
      readonly hashes: readonly { readonly content: string }[];
    }[];
  };
  const shipped = Object.entries(lockfile.packages).filter(
    ([path, { dev }]) => path !== "" && dev !== true,
  );
  assert.equal(inventory.components.length, shipped.length);
  for (const { name: component, version, licenses, hashes } of inventory.components) {
    assert.match(version, /^\d+\.\d+\.\d+/, component);
    assert.notEqual(licenses[0]?.license.name, "unknown", component);
    assert.match(hashes[0]?.content ?? "", /^[0-9a-f]{128}$/, component);
  }
  assert.equal(
    readFileSync(join(unpacked, "sbom.cdx.json"), "utf8"),
    softwareInventory(ROOT, lockfile),
  );
});

test("D02: made once more the offline bundle has the same bytes, and so has the npm package", async () => {
  const again = await offlineArchive(join(base, "second"));
  assert.equal(again.sha256, made.sha256);
  const pack = (folder: string): string => {
    const ran = execFileSync(
      "npm",
      ["pack", "--json", "--ignore-scripts", "--pack-destination", folder],
      {
        cwd: ROOT,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      },
    );
    return (JSON.parse(ran) as readonly { readonly integrity: string }[])[0]?.integrity ?? "";
  };
  const integrity = pack(base);
  assert.match(integrity, /^sha512-/);
  assert.equal(pack(join(base, "second")), integrity);
});

test("D02: built in another folder by somebody with another umask, zone and language it is the same archive", () => {
  const other = join(base, "elsewhere", "deeper");
  mkdirSync(other, { recursive: true });
  const sources = ["bin", "src", "ceremonies", "docs", "README.md", "CEREMONY.md", "SECURITY.md"];
  for (const path of [
    ...sources,
    "LICENSE",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
  ]) {
    cpSync(join(ROOT, path), join(other, path), { recursive: true });
  }
  symlinkSync(join(ROOT, "node_modules"), join(other, "node_modules"));
  const built = "umask 077 && node bin/build.js && node --import tsx bin/offline.js out";
  const env = { ...process.env, TZ: "Asia/Kathmandu", LC_ALL: "C", LANG: "tr_TR.UTF-8" };
  const said = execFileSync("bash", ["-c", built], { cwd: other, encoding: "utf8", env });
  assert.match(said, new RegExp(`^SHA-256 ${made.sha256}$`, "m"));
  assert.match(said, new RegExp(`^build ${made.build}$`, "m"));
  assert.match(
    said,
    new RegExp(`^  ${spokenWords(Buffer.from(made.sha256, "hex")).slice(0, 8).join(" ")}$`, "m"),
  );
});

/** The build that an installed program says it is. */
function buildOf(installed: string): string | undefined {
  const doctor = spawnSync("node", [join(installed, "bin", "keyrite.js"), "doctor"], {
    encoding: "utf8",
    cwd: base,
  });
  return /^ok +build +keyrite [0-9.]+, build (\S+)$/m.exec(doctor.stdout)?.[1];
}

test("D02: the unpacked program names the build that its archive was said to hold", () => {
  assert.equal(buildOf(unpacked), made.build);
});

test("D02: a program of which any file that runs was changed says that it is another build", () => {
  const changed = join(base, "changed");
  cpSync(unpacked, changed, { recursive: true });
  const bundle = readdirSync(join(changed, "dist")).filter((name) => name.endsWith(".cjs"));
  const running = ["keyrite.js", "lib/node-version.js", "lib/supervisor.js"];
  for (const path of [...running.map((name) => `bin/${name}`), `dist/${bundle[0] ?? ""}`]) {
    const whole = readFileSync(join(changed, path));
    writeFileSync(join(changed, path), Buffer.concat([whole, Buffer.from("\n")]));
    assert.match(buildOf(changed) ?? "", /^[0-9a-f]{64}$/);
    assert.notEqual(buildOf(changed), made.build, path);
    writeFileSync(join(changed, path), whole);
  }
  assert.equal(buildOf(changed), made.build);
});

test("D02: every file of the bundle is on its list, and nothing else is in it", () => {
  const sums = spawnSync("sha256sum", ["-c", "--quiet", "MANIFEST.sha256"], { cwd: unpacked });
  assert.equal(sums.status, 0, sums.stderr.toString());
  const listed = readFileSync(join(unpacked, "MANIFEST.sha256"), "utf8").trimEnd().split("\n");
  const files = execFileSync("find", [".", "-type", "f"], { cwd: unpacked, encoding: "utf8" });
  assert.equal(files.trimEnd().split("\n").length, listed.length + 1);
  const strays = listed.filter((line) => /  (test|src|bench)\/|\.(ts|map|cc|c|h)$/.test(line));
  assert.deepEqual(strays, []);
});

test("D04: unpacked where there is no network it performs a whole ceremony", () => {
  const demo = ["node", join(unpacked, "bin", "keyrite.js"), "demo", "establish-site"];
  const out = ["--out", join(base, "demo")];
  const ran = spawnSync("unshare", ["--map-root-user", "--net", ...demo, ...out], {
    encoding: "utf8",
    cwd: base,
  });
  assert.equal(ran.status, 0, ran.stderr);
  assert.match(ran.stdout, /Verdict: /);
});

test("D04: a ceremony opens no socket but those of the machine itself", () => {
  const trace = join(base, "sockets");
  const demo = ["node", join(unpacked, "bin", "keyrite.js"), "demo", "initialize-token"];
  const strace = ["-f", "-qq", "-e", "trace=socket,connect", "-o", trace];
  const ran = spawnSync("strace", [...strace, ...demo, "--out", join(base, "traced")], {
    encoding: "utf8",
    cwd: base,
  });
  assert.equal(ran.status, 0, ran.stderr);
  const calls = readFileSync(trace, "utf8")
    .split("\n")
    .filter((line) => /socket\(|connect\(/.test(line));
  assert.deepEqual(
    calls.filter((line) => !line.includes("AF_UNIX")),
    [],
  );
});
