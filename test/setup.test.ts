/** Set-up and the build: what they refuse, what they find already done, what they make. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { bundle } from "../bin/lib/bundle.js";
import { headerVersion, matchingHeaders } from "../bin/lib/natives.js";
import { refusal } from "../bin/lib/node-version.js";
import { isBundleFresh } from "../bin/lib/sources.js";
import { installCommands, missingRequirements, oneCommand } from "../bin/lib/system.js";
import { isStamped, treeMatches } from "../bin/lib/tree.js";

const ROOT = join(import.meta.dirname, "..");

/** A folder of its own for one test. */
function scratch(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "keyrite-setup-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  return folder;
}

for (const version of ["18.20.8", "20.18.3", "16.0.0", "0.12.18", "not a version"]) {
  test(`Node ${version} is refused with a sentence`, () => {
    const sentence = refusal(version);
    assert.match(sentence ?? "", /^Keyrite needs Node 20\.19 or newer, and this is Node /);
    assert.ok(sentence?.includes(version));
  });
}

test("Node 20.19 and newer is not refused, and package.json says the same", () => {
  for (const version of ["20.19.0", "20.20.2", "21.0.0", "22.14.0", "26.1.0"]) {
    assert.equal(refusal(version), undefined);
  }
  assert.match(readFileSync(join(ROOT, "package.json"), "utf8"), /"node": ">=20\.19 /);
});

test("setup and keyrite refuse an old Node before they load anything else", () => {
  for (const script of ["setup.js", "keyrite.js"]) {
    const pretend = `Object.defineProperty(process.versions, "node", { value: "18.20.8" });
      require(${JSON.stringify(join(ROOT, "bin", script))});
      process.on("exit", () => console.log(Object.keys(require.cache).length));`;
    const { status, stdout, stderr } = spawnSync(process.execPath, ["-e", pretend], {
      encoding: "utf8",
    });
    assert.match(stderr, /^error: Keyrite needs Node 20\.19 or newer, and this is Node 18\.20\.8/);
    assert.equal(stdout, "2\n", "the script and the version check");
    assert.equal(status, 2);
  }
});

test("the shim and the version check hold no syntax that an old Node cannot read", () => {
  for (const script of ["keyrite.js", "setup.js", "lib/node-version.js"]) {
    const text = readFileSync(join(ROOT, "bin", script), "utf8").replace(
      /\/\*[^]*?\*\/|\/\/.*/g,
      "",
    );
    assert.doesNotMatch(
      text,
      /=>|`|\?\?|\?\.|\b(const|let|class|async|await)\s|^import\s/m,
      script,
    );
  }
});

const TREE = {
  packages: {
    "": {},
    "node_modules/a": { version: "1.0.0", integrity: "sha512-a" },
    "node_modules/b": { version: "1.0.0", integrity: "sha512-b", optional: true },
  },
};

test("an installed tree is the lockfile's, other platforms' packages left out", () => {
  const { "node_modules/a": a, "node_modules/b": b } = TREE.packages;
  assert.ok(treeMatches(TREE, { packages: { "node_modules/a": a, "node_modules/b": b } }));
  assert.ok(treeMatches(TREE, { packages: { "node_modules/a": a } }));
});

for (const [name, packages] of Object.entries({
  "a package is absent": {},
  "a version differs": { "node_modules/a": { version: "1.0.1", integrity: "sha512-a" } },
  "a digest differs": { "node_modules/a": { version: "1.0.0", integrity: "sha512-x" } },
  "one is there that nobody asked for": {
    "node_modules/a": { version: "1.0.0", integrity: "sha512-a" },
    "node_modules/c": { version: "1.0.0", integrity: "sha512-c" },
  },
})) {
  test(`an installed tree does not match when ${name}`, () => {
    assert.equal(treeMatches(TREE, { packages }), false);
  });
}

test("a stamp counts only for the same lockfile, Node and platform, and with the addons", (t) => {
  const root = scratch(t);
  const stamp = { lockfile: "ab", abi: "115", platform: "linux-x64" };
  assert.equal(isStamped(root, stamp), false);
  for (const addon of [
    "pkcs11js/build/Release/pkcs11.node",
    "better-sqlite3/build/Release/better_sqlite3.node",
  ]) {
    mkdirSync(join(root, "node_modules", addon, ".."), { recursive: true });
    writeFileSync(join(root, "node_modules", addon), "");
  }
  writeFileSync(join(root, "node_modules", ".keyrite-setup.json"), JSON.stringify(stamp));
  assert.equal(isStamped(root, stamp), true);
  assert.equal(isStamped(root, { ...stamp, lockfile: "cd" }), false);
  assert.equal(isStamped(root, { ...stamp, abi: "127" }), false);
  assert.equal(isStamped(root, { ...stamp, platform: "linux-arm64" }), false);
  rmSync(join(root, "node_modules", "pkcs11js"), { recursive: true });
  assert.equal(isStamped(root, stamp), false);
});

test("headers of another version of Node are not taken", (t) => {
  const root = scratch(t);
  const header = (patch: number): string =>
    `#define NODE_MAJOR_VERSION 20\n#define NODE_MINOR_VERSION 19\n#define NODE_PATCH_VERSION ${patch}\n`;
  assert.equal(headerVersion(header(4)), "20.19.4");
  assert.equal(headerVersion("#define NODE_MAJOR_VERSION 20\n"), undefined);
  for (const patch of [4, 5]) {
    const folder = join(root, String(patch), "include", "node");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "node_version.h"), header(patch));
  }
  const folders = ["absent", "4", "5"].map((name) => join(root, name));
  assert.equal(matchingHeaders(folders, "20.19.5"), join(root, "5"));
  assert.equal(matchingHeaders(folders, "20.19.6"), undefined);
});

test("what the system lacks is found by its files, and one command installs it", () => {
  const names = (exists: (path: string) => boolean): readonly string[] =>
    missingRequirements(exists, ["/usr/bin"], ["/usr/lib"]).map(({ name }) => name);
  assert.deepEqual(
    names(() => true),
    [],
  );
  assert.equal(names(() => false).length, 7);
  const forTests = missingRequirements(() => false, ["/usr/bin"], ["/usr/lib"], true);
  assert.deepEqual(
    forTests.slice(7).map(({ name }) => name),
    ["Chromium", "strace", "GnuTLS certtool", "NSS certutil"],
  );
  assert.deepEqual(
    names((path) => path !== "/usr/bin/age"),
    ["age"],
  );
  assert.deepEqual(
    names((path) => !path.includes("softhsm")),
    ["SoftHSM"],
  );
  assert.equal(
    oneCommand("apt", ["softhsm2", "age"]),
    "sudo apt-get update && sudo apt-get install --yes --no-install-recommends softhsm2 age",
  );
  assert.equal(oneCommand("dnf", ["age"]), "sudo dnf install --assumeyes age");
  assert.equal(oneCommand("brew", ["age"]), "brew install age");
  assert.equal(installCommands("dnf", ["age"]).refresh, undefined);
});

/** Runs set-up as this user would, on a system that has no programs but those in `path`. */
function setupOnBareSystem(path: string, user: number): { status: number | null; stderr: string } {
  const pretend = `process.getuid = () => ${user};
    require(${JSON.stringify(join(ROOT, "bin", "setup.js"))});`;
  const env = { PATH: path };
  return spawnSync(process.execPath, ["-e", pretend], { encoding: "utf8", env });
}

test("without root, sudo or the packages, set-up prints the one command and exits 2", (t) => {
  const path = scratch(t);
  writeFileSync(join(path, "apt-get"), "#!/bin/sh\n: > $PATH/called\n", { mode: 0o755 });
  const { status, stderr } = setupOnBareSystem(path, 1000);
  const advice =
    /^error: not installed: .*age.*; as root, run:\n\n {2}sudo apt-get update && sudo apt/;
  assert.match(stderr, advice);
  assert.equal(status, 2);
  assert.deepEqual(readdirSync(path), ["apt-get"]);
});

test("as root, set-up installs what is missing, with fresh package lists when it must", (t) => {
  const path = scratch(t);
  // Stands for apt with stale lists: installs only after an update.
  const apt = `#!/bin/sh
    echo "$*" >> $PATH/log
    if [ $1 = update ]; then : > $PATH/lists; exit; fi
    if [ ! -e $PATH/lists ]; then echo stale; exit 100; fi
    for program in openssl age python3 g++ make; do : > $PATH/$program; done\n`;
  writeFileSync(join(path, "apt-get"), apt, { mode: 0o755 });
  const { status, stderr } = setupOnBareSystem(path, 0);
  assert.equal(status, 0, stderr);
  assert.match(stderr, /installing openssl, age, python3, g\+\+, make with apt\n/);
  const log = readFileSync(join(path, "log"), "utf8").trimEnd().split("\n").slice(-2);
  const install = "install --yes --no-install-recommends openssl age python3 g++ make";
  assert.deepEqual(log, ["update", install]);
});

test("packages that install but bring nothing are reported", (t) => {
  const path = scratch(t);
  writeFileSync(join(path, "apt-get"), "#!/bin/sh\nexit 0\n", { mode: 0o755 });
  const { status, stderr } = setupOnBareSystem(path, 0);
  assert.match(stderr, /error: installed, but not found where it was expected: OpenSSL, age, /);
  assert.equal(status, 1);
});

test("a second set-up says so, and neither installs, compiles nor bundles", () => {
  const setup = (): string => {
    const { status, stderr } = spawnSync(process.execPath, [join(ROOT, "bin", "setup.js")], {
      encoding: "utf8",
    });
    assert.equal(status, 0, stderr);
    return stderr;
  };
  setup();
  const made = ["dist/main.cjs", "node_modules/.keyrite-setup.json", "node_modules"];
  const times = (): readonly number[] => made.map((path) => statSync(join(ROOT, path)).mtimeMs);
  const before = times();
  assert.match(setup(), /^setup +\d+ s {2}already set up\n$/);
  assert.deepEqual(times(), before);
});

/** A project small enough to bundle, with the parts of ours that go into the bundle. */
function smallProject(t: TestContext): string {
  const root = scratch(t);
  for (const file of ["package.json", "package-lock.json", "tsconfig.json"]) {
    cpSync(join(ROOT, file), join(root, file));
  }
  cpSync(join(ROOT, "bin"), join(root, "bin"), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(root, "node_modules"));
  mkdirSync(join(root, "src", "cli"), { recursive: true });
  writeFileSync(
    join(root, "src", "cli", "main.ts"),
    `export async function main(argv: readonly string[]): Promise<number> {
       const { answer } = await import("./lazy.ts");
       return argv.length + answer;
     }`,
  );
  writeFileSync(join(root, "src", "cli", "lazy.ts"), "export const answer = 40;");
  // What is bundled besides: the threads' program and the script of report pages.
  for (const path of ["ledger/verify-worker.ts", "report/in-page/main.ts"]) {
    const file = join(root, "src", path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, "export {};");
  }
  return root;
}

test("the bundle runs, is the same bytes every time, and goes stale with its sources", async (t) => {
  const root = smallProject(t);
  const keyrite = (): ReturnType<typeof spawnSync> =>
    spawnSync(process.execPath, [join(root, "bin", "keyrite.js"), "a", "b"], { encoding: "utf8" });
  assert.match(
    String(keyrite().stderr),
    /^error: Keyrite is not built yet\nhint: npm run setup\n$/,
  );
  assert.equal(isBundleFresh(root), false);

  await bundle(root);
  assert.equal(isBundleFresh(root), true);
  assert.equal(keyrite().status, 42);

  const read = (): readonly (readonly [string, string])[] =>
    readdirSync(join(root, "dist"))
      .sort()
      .map((file) => [file, readFileSync(join(root, "dist", file), "utf8")] as const);
  const first = read();
  assert.ok(first.length > 2, "split where the import is lazy");
  await bundle(root);
  assert.deepEqual(read(), first);

  writeFileSync(join(root, "src", "cli", "lazy.ts"), "export const answer = 41;");
  assert.equal(isBundleFresh(root), false);
  await bundle(root);
  assert.equal(keyrite().status, 43);
});
