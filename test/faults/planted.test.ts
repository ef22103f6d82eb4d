/**
 * In the place of every file and folder of a site and its media stands something else in turn: a link, another
 * name of a foreign file, a pipe, a device, a folder, a socket. Nothing waits, nothing is written through it.
 */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  cpSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { figure, sampled } from "../support/fault-run.ts";
import { newFolder, RehearsedSite, siteAt } from "../support/rehearsed-site.ts";

const DECOY = "what lies elsewhere must stay as it is\n";
const ROOT = process.getuid?.() === 0;

/** What is planted at a path; `aside` is where the thing itself lies now, `decoy` a foreign file. */
type Plant = (path: string, aside: string, decoy: string) => void;
const KINDS: Readonly<Record<string, Plant>> = {
  "link to itself, moved": (path, aside) => {
    symlinkSync(aside, path);
  },
  "link to a foreign file": (path, _, decoy) => {
    symlinkSync(decoy, path);
  },
  "hard link of a foreign file": (path, _, decoy) => {
    linkSync(decoy, path);
  },
  pipe: (path) => {
    execFileSync("mkfifo", ["-m", "666", path]);
  },
  device: (path) => {
    execFileSync("mknod", ["-m", "666", path, "c", "1", "5"]);
  },
  folder: (path) => {
    mkdirSync(path);
  },
  socket: (path) => {
    execFileSync("python3", [
      "-c",
      "import socket,sys,os\nos.chdir(sys.argv[1])\nsocket.socket(socket.AF_UNIX).bind(sys.argv[2])",
      dirname(path),
      path.slice(dirname(path).length + 1),
    ]);
  },
};

/** Paths that a ceremony makes, and that nothing stands at before. */
const MADE = ["ledger.db-journal", "ledger.db.holder", "module.soft.lock", "transcripts", "outbox"];

/** Every file and folder of the site and its media but those of the software token, by their path below. */
function pathsOf(site: RehearsedSite): readonly string[] {
  const found = ["site", "media"].flatMap((root) =>
    readdirSync(join(site.folder, root), { recursive: true, encoding: "utf8" }).map((name) =>
      join(root, name),
    ),
  );
  const own = found.filter((path) => !path.startsWith(join("site", "tokens")));
  return [...new Set([...own, ...MADE.map((name) => join("site", name))])].sort();
}

interface Case {
  readonly path: string;
  readonly kind: string;
}

/** What once made a command wait for ever, break, or do without the lock. */
const AIMED: readonly Case[] = [
  ...["pipe", "folder"].map((kind) => ({ path: "site/ledger.db-journal", kind })),
  { path: "site/ledger.db.holder", kind: "folder" },
  ...["pipe", "folder", "socket", "link to a foreign file"].map((kind) => {
    return { path: "site/module.soft.lock", kind };
  }),
];

function decoyIsWhole(decoy: string): boolean {
  const status = lstatSync(decoy);
  return readFileSync(decoy, "utf8") === DECOY && status.isFile();
}

test("S08: whatever stands in the place of a file or folder, no command waits for it, writes through it, or breaks", () => {
  const source = siteAt("initialized");
  const paths = pathsOf(source);
  const kinds = Object.keys(KINDS).filter((kind) => ROOT || kind !== "device");
  const cases = paths.flatMap((path) => kinds.map((kind): Case => ({ path, kind })));
  const some = sampled([...AIMED, ...cases], AIMED.length + 6);
  let [waited, broke, writtenThrough, refused, unaffected] = [0, 0, 0, 0, 0];
  const wrong: string[] = [];
  for (const one of some) {
    const { path, kind } = one;
    const folder = newFolder();
    cpSync(source.folder, folder, { recursive: true });
    const site = new RehearsedSite(folder);
    const [at, aside, decoy] = [join(folder, path), join(folder, "aside"), join(folder, "decoy")];
    writeFileSync(decoy, DECOY);
    if (lstatSync(at, { throwIfNoEntry: false }) === undefined) {
      if (kind === "link to itself, moved") writeFileSync(aside, DECOY);
    } else renameSync(at, aside);
    KINDS[kind]?.(at, aside, decoy);
    let stopped = false;
    const aimed = AIMED.includes(one);
    for (const command of ["status", "prepare-backup"]) {
      const ran = command === "status" ? site.keyrite([command]) : site.rehearse(command);
      const what = `${kind} at ${path}: ${command}`;
      if (ran.signal !== null) wrong.push(`${what} waited`);
      if (ran.signal !== null) waited += 1;
      else if (ran.code === 1 || /internal\.bug|at \S+ \(/.test(ran.stderr)) {
        broke += 1;
        wrong.push(`${what} broke: ${ran.stderr.slice(-400)}`);
      }
      stopped ||= ran.code !== 0;
    }
    if (aimed && !stopped) wrong.push(`${kind} at ${path} was not refused`);
    if (stopped) refused += 1;
    else unaffected += 1;
    if (!decoyIsWhole(decoy)) {
      writtenThrough += 1;
      wrong.push(`${kind} at ${path}: the foreign file was changed`);
    }
    rmSync(folder, { recursive: true, force: true });
  }
  figure("S08", "kinds of things × places, a look and a ceremony each", {
    cases: some.length,
    refused,
    unaffected,
    waited,
    broke,
    "written through": writtenThrough,
  });
  assert.deepEqual(wrong, []);
});
