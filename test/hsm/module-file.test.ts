/** H15: which module files are accepted, and that no other one than was agreed to is loaded. */

import assert from "node:assert/strict";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { readBindings } from "../../src/ceremony/bindings.ts";
import { createHsm } from "../../src/hsm/hsm.ts";
import { readModuleFile } from "../../src/hsm/module-file.ts";
import type { RawModule } from "../../src/hsm/raw.ts";
import type { Hsm } from "../../src/hsm/token.ts";
import { sha256Hex, utf8 } from "../../src/lib/encoding.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { createFakeModule } from "../support/fake-module.ts";
import { refused } from "../support/hsm-asserts.ts";
import { systemRandom, temporaryFolder } from "../support/rig.ts";

const folder = temporaryFolder();
after(() => {
  rmSync(folder, { recursive: true });
});

function moduleFile(name: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, `module ${name}`);
  chmodSync(path, mode);
  return path;
}

function hsmOver(load: () => RawModule): Hsm {
  return createHsm({
    setEnvironment: () => undefined,
    random: systemRandom,
    monotonic: () => performance.now(),
    load,
  });
}

describe("H15: the module file", () => {
  test("is hashed where the symbolic link leads", async () => {
    const path = moduleFile("linked.so");
    const link = join(folder, "link.so");
    symlinkSync(path, link);
    const file = await readModuleFile(link);
    assert.deepEqual([file.path, file.digest], [path, sha256Hex("module linked.so")]);
  });

  const open = join(folder, "open");
  mkdirSync(open);
  writeFileSync(join(open, "a.so"), "module");
  chmodSync(open, 0o777);
  const inside = join(open, "inside");
  mkdirSync(inside);
  writeFileSync(join(inside, "a.so"), "module");
  chmodSync(inside, 0o700);
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ["a relative path", "lib/a.so", /not absolute/],
    ["an absent file", join(folder, "absent.so"), /ENOENT/],
    ["a folder", folder, /not a regular file/],
    ["a file its group can write", moduleFile("group.so", 0o620), /can write it/],
    ["a file everybody can write", moduleFile("world.so", 0o602), /can write it/],
    ["a file in a folder everybody can write", join(open, "a.so"), /can write its folder/],
    ["a file two folders below one everybody can write", join(inside, "a.so"), /folder .*\/open$/],
  ];
  for (const [what, path, says] of cases) {
    test(`H15: ${what} is refused`, async () => {
      await refused(readModuleFile(path), { code: "hsm.module-unavailable", says });
    });
  }

  test("H15: a file, or a folder above it, that belongs to somebody else is refused", async () => {
    const place = join(folder, "theirs");
    mkdirSync(place);
    const path = join(place, "a.so");
    writeFileSync(path, "module", { mode: 0o600 });
    await readModuleFile(path);
    // Only root can give a file away; for anybody else a file of somebody's lies in /proc.
    if (process.geteuid?.() !== 0) {
      await refused(readModuleFile("/proc/1/cmdline"), {
        code: "hsm.module-unavailable",
        says: /./,
      });
      return;
    }
    chownSync(path, 4711, 4711);
    await refused(readModuleFile(path), {
      code: "hsm.module-unavailable",
      says: /user 4711 owns it/,
    });
    chownSync(path, 0, 0);
    chownSync(place, 4711, 4711);
    const says = /user 4711 owns its folder .*\/theirs/;
    await refused(readModuleFile(path), { code: "hsm.module-unavailable", says });
  });

  test("H15: a file other than the agreed one is not even loaded", async () => {
    const path = moduleFile("agreed.so");
    let loads = 0;
    const hsm = hsmOver(() => {
      loads += 1;
      return createFakeModule();
    });
    const binding = { name: "soft", profile: "generic", path, digest: sha256Hex("another") };
    const says = /changed after the plan was agreed to/;
    await refused(hsm.tokens(binding), { code: "hsm.module-differs", says });
    assert.equal(loads, 0);
    await hsm.tokens({ ...binding, digest: sha256Hex("module agreed.so") });
    await refused(hsm.tokens(binding), { code: "hsm.module-differs", says });
    assert.equal(loads, 1);
  });

  test("H15: no variable that tells the loader to take other code is handed to a module", () => {
    for (const name of ["LD_PRELOAD", "LD_LIBRARY_PATH", "GCONV_PATH", "NODE_OPTIONS"]) {
      const yaml = [
        "keyrite: site/v1",
        `modules: { soft: { profile: generic, path: m.so, environment: [${name}] } }`,
        "tokens: {}",
        "",
      ].join("\n");
      assert.throws(
        () => readBindings(utf8(yaml), "/site"),
        (error) =>
          error instanceof KeyriteError &&
          error.code === "site.bindings" &&
          error.hints.join().includes("none of Node's or the loader's"),
        name,
      );
    }
  });

  test("H15: a file that is no module is refused by the loader", async () => {
    const hsm = createHsm({
      setEnvironment: () => undefined,
      random: systemRandom,
      monotonic: () => performance.now(),
    });
    const binding = { name: "soft", profile: "generic", path: moduleFile("text.so") };
    await refused(hsm.tokens(binding), { code: "hsm.module-unavailable", says: /does not load/ });
  });

  test("H15: a file that changes while it is loaded is refused", async () => {
    const path = moduleFile("swapped.so");
    const hsm = hsmOver(() => {
      appendFileSync(path, "!");
      return createFakeModule();
    });
    const binding = { name: "soft", profile: "generic", path };
    await refused(hsm.tokens(binding), { code: "hsm.module-differs", says: /while it was loaded/ });
  });

  test("H15: a file that changes while it is in use is refused", async () => {
    const path = moduleFile("changed.so");
    const hsm = hsmOver(() => createFakeModule());
    const binding = { name: "soft", profile: "generic", path };
    assert.equal((await hsm.tokens(binding)).length, 1);
    appendFileSync(path, "!");
    await refused(hsm.tokens(binding), { code: "hsm.module-differs" });
  });
});
