/** docs/recovery-without-keyrite.md as it stands: shares, KEK and CA key by stock age, openssl and python3. */

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { parseManifest } from "../../src/backups/manifest.ts";
import { parseShareSet } from "../../src/shares/share-set.ts";
import { escrowedSite, onlyBackup } from "../support/escrowed-site.ts";
import {
  cleanEnvironment,
  newFolder,
  ROOT,
  type RehearsedSite,
} from "../support/rehearsed-site.ts";

const page = readFileSync(join(ROOT, "docs", "recovery-without-keyrite.md"), "utf8");

/** What the page has people type, block by block. */
const BLOCKS = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = ""]) => block);
const SHRED = BLOCKS.length - 1;

/** Runs a program at a terminal; each prompt for a passphrase is answered by whose identity it names. */
const TYPIST = `
import json, os, pty, re, sys
phrases = json.loads(sys.argv[1])
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
seen = b""
while True:
    try:
        chunk = os.read(fd, 4096)
    except OSError:
        break
    if not chunk:
        break
    seen += chunk
    asked = re.search(rb'passphrase[^\\n]*(medium-[0-9])[^\\n]*:\\s*$', seen)
    if asked:
        os.write(fd, phrases[asked.group(1).decode()].encode() + b"\\n")
        seen = b""
    sys.stdout.buffer.write(chunk)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

interface Room {
  readonly folder: string;
  readonly set: string;
  readonly key: string;
}

/** What the page wants in an empty folder: two holders' media and the backup. */
function roomOf(site: RehearsedSite, holders: readonly [string, string]): Room {
  const folder = newFolder();
  for (const [at, person] of holders.entries()) {
    cpSync(site.medium(person), join(folder, `medium-${at + 1}`), { recursive: true });
  }
  cpSync(onlyBackup(site, "offsite"), join(folder, "backup"), { recursive: true });
  const set = readdirSync(site.file("share-sets")).find(
    (name) =>
      parseShareSet(readFileSync(join(site.file("share-sets"), name, "share-set.json"))).purpose ===
      "kek",
  );
  const [key] = parseManifest(readFileSync(join(folder, "backup", "backup.json"))).keys;
  assert.ok(set !== undefined && key !== undefined);
  return { folder, set, key: key.sha256 };
}

/** Types the blocks of the page one after the other, in one shell that stops at the first failure. */
function type(room: Room, holders: readonly [string, string], blocks = BLOCKS): number | null {
  const file = join(room.folder, "typed.sh");
  writeFileSync(file, `set -e -o pipefail\n${blocks.join("\n")}`);
  const phrases = { "medium-1": `${holders[0]} drill`, "medium-2": `${holders[1]} drill` };
  const ran = spawnSync("python3", ["-c", TYPIST, JSON.stringify(phrases), "bash", file], {
    cwd: room.folder,
    env: { ...cleanEnvironment(), SET: room.set, KEY: room.key },
    encoding: "utf8",
    timeout: 120_000,
  });
  return ran.status;
}

for (const algorithm of ["p-256", "rsa-3072"]) {
  describe(`a ${algorithm} CA key under an escrowed KEK`, () => {
    let site: RehearsedSite;
    before(() => {
      site = escrowedSite(algorithm);
    });

    test("H20: is had back by typing the page, and signs", () => {
      const holders = ["ben", "dan"] as const;
      const room = roomOf(site, holders);
      assert.equal(type(room, holders, BLOCKS.slice(0, SHRED)), 0);
      const at = (name: string): string => join(room.folder, name);
      writeFileSync(at("message"), "signed without Keyrite");
      const [key] = parseManifest(readFileSync(at("backup/backup.json"))).keys;
      assert.ok(key);
      writeFileSync(at("public.der"), key.spki);
      const sign = ["dgst", "-sha256", "-sign", at("key.der"), "-keyform", "DER"];
      execFileSync("openssl", [...sign, "-out", at("signature"), at("message")]);
      const verify = ["dgst", "-sha256", "-verify", at("public.der"), "-keyform", "DER"];
      execFileSync("openssl", [...verify, "-signature", at("signature"), at("message")]);
      assert.equal(type(room, holders, BLOCKS.slice(SHRED)), 0);
      for (const name of ["share-1", "set.key", "sealed.txt", "key.der"]) {
        assert.equal(existsSync(at(name)), false, `${name} is gone`);
      }
    });

    test("Q02: one holder alone, counted twice, gets nothing", () => {
      const holders = ["ben", "ben"] as const;
      const room = roomOf(site, holders);
      assert.notEqual(type(room, holders), 0);
      assert.equal(existsSync(join(room.folder, "sealed.txt")), false);
    });

    test("an altered wrapped key, or another key's, stops at openssl", () => {
      const holders = ["cleo", "dan"] as const;
      const room = roomOf(site, holders);
      const blob = join(room.folder, "backup", "keys", `${room.key}.p8wrap`);
      const bytes = readFileSync(blob);
      bytes[20] = (bytes[20] ?? 0) ^ 1;
      writeFileSync(blob, bytes);
      assert.notEqual(type(room, holders), 0);
      assert.equal(existsSync(join(room.folder, "public")), false);
    });
  });
}
