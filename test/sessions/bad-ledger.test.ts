/** A ledger that is missing, in use, altered, cut off, ahead of the clock, or on a disk that fails. */

import assert from "node:assert/strict";
import {
  copyFileSync,
  existsSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { LedgerStore } from "../../src/ledger/store.ts";
import { signingKeyFromSeed } from "../../src/lib/ed25519.ts";
import { fromHex } from "../../src/lib/encoding.ts";
import { compiled } from "../support/compiled.ts";
import { rule, ShimModule } from "../support/shim.ts";
import { draft } from "../support/ledger-fixture.ts";
import { Pty } from "../support/pty.ts";
import {
  BIN,
  cleanEnvironment,
  newFolder,
  refused,
  siteAt,
  succeeded,
  type RehearsedSite,
} from "../support/rehearsed-site.ts";

test("a ledger that is missing is refused, and never made anew", () => {
  const site = siteAt("founded");
  rmSync(site.file("ledger.db"));
  for (const ran of [site.keyrite(["status"]), site.rehearse("record-deviation")]) {
    refused(ran, "ledger.missing", "there is no ledger at");
  }
  refused(site.keyrite(["verify"]), "ledger.missing");
  assert.equal(existsSync(site.file("ledger.db")), false);
});

test("C10: a second ceremony is refused at once and told who holds the ledger", async () => {
  const site = siteAt("founded");
  const env = { ...cleanEnvironment(), KEYRITE_SITE: site.site };
  const first = new Pty([process.execPath, BIN, "run", "record-deviation"], { env });
  await first.expect("are you present");
  const { pid } = JSON.parse(readFileSync(site.file("ledger.db.holder"), "utf8")) as {
    readonly pid: number;
  };
  const size = statSync(site.file("ledger.db")).size;
  for (const ran of [site.rehearse("record-deviation"), site.keyrite(["status"])]) {
    refused(ran, "site.locked", `in use by process ${pid} on \\S+ since 20`);
  }
  assert.equal(statSync(site.file("ledger.db")).size, size);
  process.kill(pid, "SIGKILL");
  await first.end();
  // C12: what the killed one left behind is no lock, and nobody has to clean up.
  assert.ok(existsSync(site.file("ledger.db.holder")));
  const ran = site.rehearse("record-deviation");
  refused(ran, "halted.ceremony-open", "is still open");
});

/** Texts of some entries that stand in the file in one piece, and once. */
function entryTexts(site: RehearsedSite): readonly string[] {
  const ledger = LedgerStore.open(site.file("ledger.db"));
  const whole = readFileSync(site.file("ledger.db"), "latin1");
  const texts = [...ledger.entries()].filter((text) => whole.split(text).length === 2);
  ledger.close();
  assert.ok(texts.length > 3);
  return [0, Math.floor(texts.length / 2), texts.length - 1].map((i) => texts[i] ?? "");
}

test("C14: one byte altered anywhere in an entry stops everything, exit 6, with its place", () => {
  const site = siteAt("founded");
  const path = site.file("ledger.db");
  const whole = readFileSync(path);
  for (const text of entryTexts(site)) {
    const at = whole.indexOf(text) + 3 + Math.floor(text.length / 2);
    const altered = Uint8Array.from(whole);
    altered[at] = (altered[at] ?? 0) ^ 1;
    writeFileSync(path, altered);
    for (const ran of [
      site.rehearse("record-deviation"),
      site.keyrite(["status"]),
      site.keyrite(["verify"]),
    ]) {
      refused(ran, "ledger.damaged");
    }
    assert.deepEqual(readFileSync(path), Buffer.from(altered), "nothing was written to it");
  }
  writeFileSync(path, whole);
  succeeded(site.rehearse("record-deviation"));
});

test("C14: a file cut in the middle, or of another kind, is refused", () => {
  for (const spoil of [
    (path: string) => {
      truncateSync(path, 20_000);
    },
    (path: string) => {
      truncateSync(path, 0);
    },
    (path: string) => {
      writeFileSync(path, "this is no ledger\n".repeat(100));
    },
  ]) {
    const site = siteAt("founded");
    spoil(site.file("ledger.db"));
    refused(site.rehearse("record-deviation"), "ledger.damaged");
    const verified = site.keyrite(["verify"]);
    refused(verified, "ledger.damaged");
    assert.match(verified.stdout, /^Ledger: what the file holds cannot be read$/m);
  }
});

test("C17: an older copy is stopped by the head of anybody present, and by verify --head", () => {
  const site = siteAt("founded");
  const older = join(newFolder(), "older.db");
  copyFileSync(site.file("ledger.db"), older);
  const size = site.entries().length;
  succeeded(site.rehearse("record-deviation"));
  copyFileSync(older, site.file("ledger.db"));
  const ran = site.rehearse("record-deviation");
  refused(ran, "ledger.shorter-than-head", `entry ${size} is the first missing one`, "auditor");
  const head = ["--head", join(site.medium("eve"), "heads", "pki.example.org~rehearsal~test.note")];
  copyFileSync(older, site.file("ledger.db"));
  const shorter = site.keyrite(["verify", ...head]);
  refused(shorter, "ledger.damaged", "shorter than this head");
  assert.match(shorter.stdout, /^Cannot tell: no head that was given is one of this ledger: /m);
  // Without a head nothing shows it, and the verdict says so.
  const alone = succeeded(site.keyrite(["verify"])).stdout;
  assert.match(alone, /Not excluded: that its end was cut off/);
});

test("C11: two continuations of one ledger: the other's head exposes the fork", () => {
  const site = siteAt("founded");
  const older = join(newFolder(), "older.db");
  copyFileSync(site.file("ledger.db"), older);
  succeeded(site.rehearse("record-deviation"));
  const head = join(site.medium("ana"), "heads", "pki.example.org~rehearsal~test.note");
  const carried = readFileSync(head);
  const size = site.entries().length;
  copyFileSync(older, site.file("ledger.db"));
  for (const person of ["ana", "eve"])
    rmSync(join(site.medium(person), "heads"), { recursive: true });
  succeeded(site.rehearse("record-deviation"));
  assert.equal(site.entries().length, size);
  writeFileSync(head, carried);
  const ran = site.rehearse("record-deviation");
  refused(ran, "ledger.forked", `head of size ${size} ana carries`);
});

test("I07: a last entry later than the machine's clock is refused until the clock is right", () => {
  const site = siteAt("founded");
  const size = site.entries().length;
  const seed = fromHex(readFileSync(site.file("ledger.key"), "utf8").trim());
  assert.ok(seed);
  const tomorrow = { now: () => Date.now() + 26 * 3600_000, monotonic: () => 0 };
  const write = { clock: tomorrow, key: signingKeyFromSeed(seed) };
  const ledger = LedgerStore.open(site.file("ledger.db"), { write });
  ledger.append([draft("from tomorrow", { type: "deviation.recorded", facts: [], step: null })]);
  ledger.close();
  for (const ran of [site.rehearse("record-deviation"), site.keyrite(["status"])]) {
    refused(ran, "site.clock", "is behind the last entry of the ledger", "set the clock in UTC");
  }
  assert.equal(site.entries().length, size + 1);
});

const disk = compiled("failing-disk");
const shim = new ShimModule();

/** What errno says: C06 a full disk, C08 a quota or a size limit, C05 an I/O error. */
const FAILURES = [
  ["C06: disk full", "write", 28, /free some space/],
  ["C08: quota used up", "write", 122, /could not be written/],
  ["C08: file too large", "write", 27, /could not be written/],
  ["C05: fsync fails", "fsync", 5, /could not be written/],
] as const;

/** Performs generate-issuing-keys on a disk that fails at the nth call; undefined when that never came. */
function onFailingDisk(
  site: RehearsedSite,
  call: string,
  at: number,
  errno: number,
  more: NodeJS.ProcessEnv = {},
): ReturnType<RehearsedSite["rehearse"]> | undefined {
  const log = join(newFolder(), "injected");
  const env = {
    LD_PRELOAD: disk,
    KEYRITE_FAIL_CALL: call,
    KEYRITE_FAIL_AT: String(at),
    KEYRITE_FAIL_ERRNO: String(errno),
    KEYRITE_FAIL_LOG: log,
    ...more,
  };
  const ran = site.rehearse("generate-issuing-keys", undefined, [], { env });
  return existsSync(log) ? ran : undefined;
}

for (const [name, call, errno, words] of FAILURES) {
  test(`${name} at an append: the ceremony stops, no HSM call follows, nothing is lost`, () => {
    // The very first call and the first entries begin something; the call in the middle ends something.
    for (const at of [1, 3, 60]) {
      const site = siteAt("initialized", shim);
      const before = site.entries().map((entry) => JSON.stringify(entry));
      shim.calls();
      const ran = onFailingDisk(site, call, at, errno);
      assert.ok(ran, `the fault at ${at} was injected`);
      // What would be begun on a full disk is not; an outcome that the disk does not take ends everything.
      const full = (errno === 28 || errno === 122) && at < 60;
      if (full) refused(ran, "site.disk", "free some space", "4 MiB are needed");
      else refused(ran, "halted.not-durable", words, "nothing may be done on an HSM");
      const entries = site.entries();
      const kept = entries.slice(0, before.length).map((entry) => JSON.stringify(entry));
      assert.deepEqual(kept, before);
      const steps = entries.slice(before.length).map(({ type, step }) => `${type} ${step ?? ""}`);
      const acts = shim.acts();
      if (!steps.includes("step.begun activate")) assert.deepEqual(acts, []);
      if (!steps.includes("step.begun generate-first")) {
        assert.ok(!acts.includes("C_GenerateKeyPair"), "no intent on record, no key");
      }
      succeeded(site.keyrite(["verify"]));
      succeeded(site.keyrite(["status"]));
    }
  });
}

test("C07: disk full at the outcome of generate-key leaves the step in doubt, for all to see", () => {
  const site = siteAt("initialized", shim);
  const mark = join(newFolder(), "generating");
  const ran = onFailingDisk(site, "write", 1, 28, {
    ...shim.with(rule("C_GenerateKeyPair", 1, `mark:${mark}`)),
    KEYRITE_FAIL_WHEN: mark,
  });
  assert.ok(ran, "the fault was injected");
  refused(ran, "halted.not-durable", /free some space/);
  const shown = succeeded(site.keyrite(["status"])).stdout;
  assert.match(shown, /IN DOUBT: step \d+ \(generate-first, generate-key\)/);
  refused(site.rehearse("record-deviation"), "halted.in-doubt", "CKA_ID");
  succeeded(site.keyrite(["verify"]));
});
