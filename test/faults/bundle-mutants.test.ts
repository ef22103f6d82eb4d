/**
 * C18, I03: evidence bundles changed at random and on purpose. Every change is refused with a reason before anything
 * is written, or, of the manifest alone, refused once the ledger in the bundle is read.
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  cpSync,
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
import { checkDerived, checkListing } from "../../src/cli/bundle-check.ts";
import { openBundle } from "../../src/cli/bundle-source.ts";
import { bundleTool } from "../../src/cli/bundle-tool.ts";
import { stampsIn } from "../../src/cli/kept-stamps.ts";
import { utf8 } from "../../src/lib/encoding.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { canonicalJson } from "../../src/lib/json.ts";
import type { BundleTool } from "../../src/report/bundle.ts";
import { readManifest } from "../../src/report/bundle-manifest.ts";
import { bundleCopy, madeBundle } from "../support/bundles.ts";
import { figure } from "../support/fault-run.ts";
import { OF_BYTES } from "../support/file-mutants.ts";
import { sweepMutants, type Verdict } from "../support/mutant-sweep.ts";
import { newFolder } from "../support/rehearsed-site.ts";
import {
  HOSTILE_NAMES,
  OF_MANIFEST,
  OF_TAR,
  sha256Of,
  tarOf,
  type Member,
} from "../support/tar-mutants.ts";

const made = madeBundle();
const tar = Uint8Array.from(readFileSync(made.tar));
const file = (path: string): Uint8Array => Uint8Array.from(readFileSync(join(made.folder, path)));
const { name, version, sha256 } = made.manifest.tool;
/**
 * The build that made the bundle, so that everything in it has to follow from its ledger. The script that a page
 * carries is bundled by the build alone.
 */
const tool: BundleTool = {
  ...bundleTool(),
  software: { name, version, sha256 },
  *reports(ledger, reading) {
    for (const one of bundleTool().reports(ledger, reading)) {
      yield one.path === "report.html" ? { ...one, bytes: file(one.path) } : one;
    }
  },
};
/** Below two folders of its own, which must not get anything beside it. */
const outer = newFolder();
const inner = join(outer, "a", "b");
mkdirSync(inner, { recursive: true });
const place = join(inner, "changed.tar");

// Where the system's place for passing files is, there is nobody else in this test.
process.env["TMPDIR"] = newFolder();
const ours = (): readonly string[] => readdirSync(tmpdir());

/** That nothing was written but what the test itself wrote. */
function nothingWritten(): void {
  assert.deepEqual(readdirSync(outer, { recursive: true, encoding: "utf8" }).sort(), [
    ...["a", "a/b", "a/b/changed.tar"],
  ]);
  assert.deepEqual(ours(), []);
}

/** Manifests that were read, so that each is held against the ledger once. */
const derived = new Map<string, Verdict>();

function judgeTar(bytes: Uint8Array): Verdict {
  writeFileSync(place, bytes);
  const source = openBundle(place);
  // Neither a folder nor an archive: taken for a ledger, which it is not.
  if (source === undefined) return "refused";
  try {
    const { manifest, findings } = checkListing(source);
    if (manifest === undefined || findings.length > 0) {
      assert.ok(manifest !== undefined || findings.length > 0, "a refusal has a reason");
      return "refused";
    }
    const key = canonicalJson(manifest);
    const known = derived.get(key);
    if (known !== undefined) return known;
    const stamps = stampsIn(source);
    const verdict = checkDerived(source.ledger(), manifest, tool, { archive: undefined, stamps });
    const another = manifest.tool.sha256 !== sha256;
    if (verdict.findings.length > 0) derived.set(key, "refused");
    else {
      // Which build made it is its own statement, and the verdict says that another one did.
      assert.ok(another, "a changed manifest was accepted");
      assert.match(verdict.limits.join(), /another build wrote them/);
      derived.set(key, "other");
    }
    return derived.get(key) ?? "refused";
  } finally {
    source.close();
  }
}

test("C18: the sound bundle is accepted, and follows from its own ledger", () => {
  writeFileSync(place, tar);
  const source = openBundle(place);
  assert.ok(source !== undefined);
  const { manifest, findings } = checkListing(source);
  assert.deepEqual(findings, []);
  assert.ok(manifest !== undefined);
  const stamps = stampsIn(source);
  const verdict = checkDerived(source.ledger(), manifest, tool, { archive: undefined, stamps });
  assert.deepEqual([verdict.findings, verdict.limits], [[], []]);
  source.close();
  nothingWritten();
});

test("C18: random changes of a .tar are each refused with a reason, and write nothing", async () => {
  await sweepMutants({
    ...{ row: "C18", what: "mutants of bundles", short: 1500, full: 100_000 },
    originals: { "bundle.tar": tar },
    changes: { ...OF_BYTES, ...OF_TAR, ...OF_MANIFEST },
    judge: ({ bytes }) => judgeTar(bytes),
  });
  nothingWritten();
});

const others = made.manifest.files.map(({ path }) => ({
  name: utf8(`bundle/${path}`),
  bytes: file(path),
}));

/** The bundle with one member more, which the manifest lists under this name. */
function withMember(member: Member, listed: string): Uint8Array {
  const files = [
    ...made.manifest.files,
    { path: listed, sha256: sha256Of(member.bytes), bytes: member.bytes.length },
  ].sort((a, b) => (a.path < b.path ? -1 : 1));
  const manifest = utf8(canonicalJson({ ...made.manifest, files }));
  return tarOf([{ name: utf8("bundle/bundle.json"), bytes: manifest }, ...others, member]);
}

/** Refused with words, and nothing written. */
function refusedTar(bytes: Uint8Array, about: string): void {
  assert.throws(
    () => {
      assert.equal(judgeTar(bytes), "refused", about);
      throw new KeyriteError("ledger.damaged", "a finding");
    },
    (error) => error instanceof KeyriteError,
    about,
  );
}

test(`I03: ${HOSTILE_NAMES.length} names that lead elsewhere are refused before anything is written`, () => {
  assert.ok(HOSTILE_NAMES.length >= 500);
  const bytes = utf8("owned");
  for (const { name: hostile, about } of HOSTILE_NAMES) {
    const listed = Buffer.from(hostile)
      .toString("utf8")
      .replace(/^bundle\//, "");
    refusedTar(withMember({ name: hostile, bytes }, listed), about);
  }
  nothingWritten();
  figure("I03", "names in a bundle that lead elsewhere", {
    ...{ names: HOSTILE_NAMES.length, written: readdirSync(inner).length - 1 },
  });
});

test("I03: links, devices, folders and doubled names in an archive are refused", () => {
  const bytes = utf8("owned");
  const types = ["1", "2", "3", "4", "5", "6", "7", "g", "x", "L", "K", "S", "\0"];
  for (const type of types) {
    const member = { name: utf8("bundle/zz.txt"), bytes, type, target: "../../etc/passwd" };
    refusedTar(withMember(member, "zz.txt"), `type ${JSON.stringify(type)}`);
  }
  const [first] = made.manifest.files;
  assert.ok(first !== undefined);
  refusedTar(withMember({ name: utf8(`bundle/${first.path}`), bytes }, first.path), "a name twice");
  nothingWritten();
});

const DEEP = Array.from({ length: 10 }, (_, i) => `deep-${i}`);

const FOLDER_CASES: Readonly<Record<string, (folder: string) => void>> = {
  "a file more": (folder) => {
    writeFileSync(join(folder, "more.txt"), "x");
  },
  "a file less": (folder) => {
    rmSync(join(folder, "README.txt"), { force: true });
    rmSync(join(folder, made.manifest.files[0]?.path ?? ""), { force: true });
  },
  "a link in place of a file": (folder) => {
    rmSync(join(folder, "ledger.db"));
    symlinkSync(join(made.folder, "ledger.db"), join(folder, "ledger.db"));
  },
  "a link to a folder": (folder) => {
    symlinkSync("/etc", join(folder, "etc"));
  },
  "a pipe": (folder) => {
    execFileSync("mkfifo", [join(folder, "pipe")]);
  },
  "a hidden file": (folder) => {
    writeFileSync(join(folder, ".hidden"), "x");
  },
  "a name with a line end": (folder) => {
    writeFileSync(join(folder, "x\ny"), "x");
  },
  "a name that is not UTF-8": (folder) => {
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.of(0x78, 0xff)]), "x");
  },
  "folders without end": (folder) => {
    mkdirSync(join(folder, ...DEEP), { recursive: true });
    writeFileSync(join(folder, ...DEEP, "x"), "x");
  },
};

for (const [about, spoil] of Object.entries(FOLDER_CASES)) {
  test(`C18: a folder with ${about} is refused`, () => {
    const folder = bundleCopy();
    spoil(folder);
    const judged = (): number => {
      const source = openBundle(folder);
      assert.ok(source !== undefined);
      return checkListing(source).findings.length;
    };
    let findings = 0;
    try {
      findings = judged();
    } catch (error) {
      assert.ok(error instanceof KeyriteError && error.code === "ledger.damaged", String(error));
      findings = 1;
    }
    assert.ok(findings > 0);
  });
}

test("C18: the folder as it was made is accepted", () => {
  const folder = join(newFolder(), "bundle");
  cpSync(made.folder, folder, { recursive: true });
  const source = openBundle(folder);
  assert.ok(source !== undefined);
  assert.deepEqual(checkListing(source).findings, []);
  assert.equal(typeof readManifest(readFileSync(join(folder, "bundle.json"))), "object");
});
