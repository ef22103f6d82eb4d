import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fromUtf8, utf8 } from "../../src/lib/encoding.ts";
import {
  checkOnlyOwnerWrites,
  makeFolder,
  readBounded,
  readIfPresent,
  replaceFile,
  writeNewFile,
} from "../../src/lib/files.ts";
import { inFolder } from "../support/stock-age.ts";

const BYTES = utf8("content\n");

/** Everything that may stand where a file is expected, made at `path`. */
const KINDS: Readonly<Record<string, (path: string, folder: string) => void>> = {
  "a symbolic link": (path, folder) => {
    writeFileSync(join(folder, "target"), "target");
    symlinkSync(join(folder, "target"), path);
  },
  "a dangling link": (path) => {
    symlinkSync("nowhere", path);
  },
  "a FIFO": (path) => {
    execFileSync("mkfifo", [path]);
  },
  "a folder": (path) => {
    mkdirSync(path);
  },
};

describe("files", () => {
  for (const umask of [0o000, 0o022, 0o077, 0o777]) {
    test(`S07: modes do not depend on the umask ${umask.toString(8)}`, () =>
      inFolder((folder) => {
        const before = process.umask(umask);
        try {
          writeNewFile(join(folder, "secret"), BYTES, { mode: 0o600 });
          writeNewFile(join(folder, "public"), BYTES, { mode: 0o644 });
          replaceFile(join(folder, "head"), BYTES, { mode: 0o644 });
          makeFolder(join(folder, "private"), 0o700);
        } finally {
          process.umask(before);
        }
        const modes = ["secret", "public", "head", "private"].map(
          (name) => statSync(join(folder, name)).mode & 0o777,
        );
        assert.deepEqual(modes, [0o600, 0o644, 0o644, 0o700]);
      }));
  }

  test("a file is written once and never overwritten", () =>
    inFolder((folder) => {
      const path = join(folder, "file");
      writeNewFile(path, BYTES, { mode: 0o600 });
      assert.throws(
        () => {
          writeNewFile(path, utf8("other"), { mode: 0o600 });
        },
        { code: "site.file-exists" },
      );
      assert.equal(fromUtf8(readBounded(path, 100)), "content\n");
    }));

  for (const [name, make] of Object.entries(KINDS)) {
    test(`S08: ${name} is not read, overwritten or replaced`, () =>
      inFolder((folder) => {
        const path = join(folder, "file");
        make(path, folder);
        assert.throws(() => readBounded(path, 100), { name: "KeyriteError" });
        assert.throws(() => readIfPresent(path, 100), { name: "KeyriteError" });
        assert.throws(
          () => {
            writeNewFile(path, BYTES, { mode: 0o600 });
          },
          { code: "site.file-exists" },
        );
        assert.throws(
          () => {
            replaceFile(path, BYTES, { mode: 0o644 });
          },
          { code: "usage.bad-file" },
        );
      }));
  }

  test("S08: a device is not read", () => {
    assert.throws(() => readBounded("/dev/zero", 100), { code: "usage.bad-file" });
  });

  test("S08: replacing a hard link leaves its other name alone", () =>
    inFolder((folder) => {
      writeFileSync(join(folder, "other"), "other");
      linkSync(join(folder, "other"), join(folder, "head"));
      replaceFile(join(folder, "head"), BYTES, { mode: 0o644 });
      assert.equal(readFileSync(join(folder, "other"), "utf8"), "other");
      assert.equal(readFileSync(join(folder, "head"), "utf8"), "content\n");
    }));

  test("C01: a replacement that was interrupted is taken up again", () =>
    inFolder((folder) => {
      writeFileSync(join(folder, "head"), "old");
      writeFileSync(join(folder, "head.new"), "half of the n");
      replaceFile(join(folder, "head"), BYTES, { mode: 0o644 });
      assert.deepEqual(readdirSync(folder), ["head"]);
    }));

  test("S08: a link planted at the temporary name is not followed", () =>
    inFolder((folder) => {
      writeFileSync(join(folder, "victim"), "victim");
      symlinkSync(join(folder, "victim"), join(folder, "head.new"));
      replaceFile(join(folder, "head"), BYTES, { mode: 0o644 });
      assert.equal(readFileSync(join(folder, "victim"), "utf8"), "victim");
    }));

  test("a longer file than allowed is refused, one of exactly the bound is read", () =>
    inFolder((folder) => {
      writeFileSync(join(folder, "file"), "12345");
      assert.equal(readBounded(join(folder, "file"), 5).length, 5);
      assert.throws(() => readBounded(join(folder, "file"), 4), { code: "usage.bad-file" });
    }));

  test("what is missing is named, or undefined where it may be", () =>
    inFolder((folder) => {
      assert.throws(() => readBounded(join(folder, "none"), 9), { code: "site.missing" });
      assert.equal(readIfPresent(join(folder, "none"), 9), undefined);
      assert.throws(
        () => {
          writeNewFile(join(folder, "none", "file"), BYTES, { mode: 0o600 });
        },
        { code: "site.missing" },
      );
    }));

  test("C05: a disk that takes nothing is reported, and no part of a file stays", () =>
    inFolder((folder) => {
      const script = `
        import { writeNewFile } from "${new URL("../../src/lib/files.ts", import.meta.url).href}";
        try {
          writeNewFile("big", new Uint8Array(1 << 20), { mode: 0o600 });
        } catch (error) {
          process.stdout.write(error.code);
        }
      `;
      writeFileSync(join(folder, "fill.mts"), script);
      const tsx = import.meta.resolve("tsx");
      const command = `ulimit -f 100; exec "$0" --import "$1" fill.mts`;
      const answer = execFileSync("bash", ["-c", command, process.execPath, tsx], { cwd: folder });
      assert.equal(answer.toString(), "site.disk");
      assert.deepEqual(readdirSync(folder), ["fill.mts"]);
    }));

  for (const [mode, who] of [
    [0o777, /everybody/],
    [0o775, /its group/],
    [0o722, /everybody/],
  ] as const) {
    test(`S07: a folder of mode ${mode.toString(8)} is refused`, () =>
      inFolder((folder) => {
        chmodSync(folder, mode);
        assert.throws(
          () => {
            checkOnlyOwnerWrites(folder);
          },
          { code: "site.permissions", message: who },
        );
      }));
  }

  test("S07: a folder that only its owner writes to is fine; a link to one is not", () =>
    inFolder((folder) => {
      const site = join(folder, "site");
      mkdirSync(site, 0o755);
      chmodSync(site, 0o755);
      checkOnlyOwnerWrites(site);
      symlinkSync(site, join(folder, "link"));
      assert.throws(
        () => {
          checkOnlyOwnerWrites(join(folder, "link"));
        },
        { code: "usage.bad-file" },
      );
    }));
});
