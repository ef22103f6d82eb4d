/** `keyrite backup verify`: whatever is wrong with a folder is found, and what cannot be told is said. */

import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { judgeBackup, type JudgedBackup } from "../../src/cli/judge-backup.ts";
import { backupFolder } from "../../src/cli/vaults.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import { canonicalJson } from "../../src/lib/json.ts";
import { newestFolder, siteWithBackup } from "../support/two-sites.ts";

const stage = await siteWithBackup();
const { genesis } = stage.site;
const base = mkdtempSync("/dev/shm/keyrite-judge-");
after(() => {
  rmSync(base, { recursive: true });
});
let count = 0;

/** A copy of the backup, spoilt. */
function spoilt(spoil: (folder: string) => void): Promise<JudgedBackup> {
  const folder = join(base, String((count += 1)));
  cpSync(newestFolder(stage), folder, { recursive: true });
  spoil(folder);
  return judgeBackup(backupFolder(folder), genesis.sha256);
}

function only(folder: string, below: string): string {
  const [name, ...more] = readdirSync(join(folder, below));
  assert.ok(name !== undefined && more.length === 0);
  return join(folder, below, name);
}

function edit(path: string, change: (text: string) => string): void {
  writeFileSync(path, change(readFileSync(path, "latin1")), "latin1");
}

test("a whole backup is consistent, anchored by the genesis that the reader trusts", async () => {
  const judged = await spoilt(() => undefined);
  assert.deepEqual(judged.problems, []);
  assert.equal(judged.verdict, "CONSISTENT");
  assert.equal(judged.anchored, true);
  assert.deepEqual(judged.signers, ["fay", "eve"]);
  assert.equal(judged.papers?.keys, 1);
  assert.match(judged.unchecked.join("\n"), /can be opened: only a token/);
});

test("without a trusted genesis, or without proofs, it says what it cannot tell", async () => {
  const own = await judgeBackup(backupFolder(newestFolder(stage)), undefined);
  assert.equal(own.verdict, "CONSISTENT WITH ITS OWN GENESIS");
  assert.equal(own.anchored, false);
  assert.match(own.unchecked.join("\n"), /whether its genesis is that of the site/);
  const bare = await spoilt((folder) => {
    rmSync(join(folder, "proofs"), { recursive: true });
  });
  assert.equal(bare.verdict, "CANNOT TELL");
  assert.equal(bare.anchored, false);
  assert.deepEqual(bare.signers, []);
  assert.match(bare.unchecked.join("\n"), /who signed it/);
});

test("another site's genesis is not that of this backup", async () => {
  const judged = await judgeBackup(backupFolder(newestFolder(stage)), "0".repeat(64));
  assert.equal(judged.verdict, "FOREIGN");
  assert.equal(judged.anchored, false);
  assert.match(judged.problems.join("\n"), /whose genesis is [0-9a-f]{64}, not the trusted 000/);
});

const KEK = "kek/backup-kek.g1";
const SPOILT: Readonly<Record<string, readonly [(folder: string) => void, RegExp]>> = {
  "no backup.json": [
    (folder) => {
      rmSync(join(folder, "backup.json"));
    },
    /holds no backup\.json/,
  ],
  "no backup.note": [
    (folder) => {
      rmSync(join(folder, "backup.note"));
    },
    /holds no backup\.note/,
  ],
  "an altered backup.json": [
    (folder) => {
      edit(join(folder, "backup.json"), (text) => text.replace('"root-g1"', '"root-g9"'));
    },
    /no proven entry records this backup\.json/,
  ],
  "a truncated wrapped key": [
    (folder) => {
      edit(only(folder, "keys"), (text) => text.slice(0, -1));
    },
    /bytes instead of/,
  ],
  "an altered wrapped key": [
    (folder) => {
      edit(only(folder, "keys"), (text) => `${text.slice(0, -1)}x`);
    },
    /is not the wrapped key that/,
  ],
  "no wrapped key": [
    (folder) => {
      rmSync(only(folder, "keys"));
    },
    /holds no keys\//,
  ],
  "a wrapped key too many": [
    (folder) => {
      cpSync(only(folder, "keys"), join(folder, "keys", `${"0".repeat(64)}.p8wrap`));
    },
    /is no wrapped key of this backup/,
  ],
  "an altered envelope": [
    (folder) => {
      edit(join(folder, KEK, "alpha.envelope"), (text) => `${text.slice(0, -1)}x`);
    },
    /alpha\.envelope is not the envelope that/,
  ],
  "swapped envelopes": [
    (folder) => {
      cpSync(join(folder, KEK, "alpha.envelope"), join(folder, KEK, "beta.envelope"));
    },
    /beta\.envelope is not the envelope that/,
  ],
  "kek.json of another KEK": [
    (folder) => {
      edit(join(folder, KEK, "kek.json"), (text) =>
        text.replace(/"checkValue":"[^"]+"/, '"checkValue":"0000000000000000"'),
      );
    },
    /is about another KEK than backup\.json/,
  ],
  "H14: an envelope exchanged together with its digest": [
    (folder) => {
      const path = join(folder, KEK, "alpha.envelope");
      const before = sha256Hex(readFileSync(path));
      edit(path, (text) => `${text.slice(0, -1)}x`);
      const after = sha256Hex(readFileSync(path));
      edit(join(folder, KEK, "kek.json"), (text) => text.replace(before, after));
    },
    /^alpha\.envelope, as kek\.json names it, is none that the proofs record$/,
  ],
  "H14: an envelope for a token that nobody sealed the KEK to": [
    (folder) => {
      cpSync(join(folder, KEK, "beta.envelope"), join(folder, KEK, "gamma.envelope"));
      edit(join(folder, KEK, "kek.json"), (text) => {
        const file = JSON.parse(text) as { envelopes: { token: string }[] };
        const [, beta] = file.envelopes;
        file.envelopes.push({ ...(beta ?? assert.fail()), token: "gamma" });
        return canonicalJson(file);
      });
    },
    /^gamma\.envelope, as kek\.json names it, is none that the proofs record$/,
  ],
  "no kek.json": [
    (folder) => {
      rmSync(join(folder, KEK, "kek.json"));
    },
    /holds no kek\/backup-kek\.g1\/kek\.json/,
  ],
  "a note signed over something else": [
    (folder) => {
      edit(join(folder, "backup.note"), (text) => text.replace(/sha256 ../, "sha256 00"));
    },
    /backup\.note: /,
  ],
  "a note with one signature": [
    (folder) => {
      edit(
        join(folder, "backup.note"),
        (text) => `${text.trimEnd().split("\n").slice(0, -1).join("\n")}\n`,
      );
    },
    /backup\.note: it is not signed by eve/,
  ],
  "proofs without a genesis": [
    (folder) => {
      rmSync(join(folder, "proofs", "genesis.json"));
    },
    /there is no proofs\/genesis\.json/,
  ],
};

for (const [what, [spoil, words]] of Object.entries(SPOILT)) {
  test(`${what} is found`, async () => {
    const judged = await spoilt(spoil);
    assert.equal(judged.verdict, "DAMAGED");
    assert.equal(judged.anchored, false);
    assert.match(judged.problems.join("\n"), words);
  });
}

test("H14: an envelope taken out together with its place in kek.json is said", async () => {
  const judged = await spoilt((folder) => {
    rmSync(join(folder, KEK, "beta.envelope"));
    edit(join(folder, KEK, "kek.json"), (text) => {
      const file = JSON.parse(text) as { envelopes: { token: string }[] };
      const envelopes = file.envelopes.filter(({ token }) => token !== "beta");
      return canonicalJson({ ...file, envelopes });
    });
  });
  assert.match(judged.unchecked.join("\n"), /^why kek\.json names no beta\.envelope, which the/m);
  const whole = await spoilt(() => undefined);
  assert.doesNotMatch(whole.unchecked.join("\n"), /kek\.json/);
});

test("a wrapped key that was destroyed on record is not missing, and must not be there", async () => {
  const blob = readdirSync(join(newestFolder(stage), "keys"));
  const removed = new Set(blob.map((name) => name.replace(".p8wrap", "")));
  const emptied = join(base, "emptied");
  cpSync(newestFolder(stage), emptied, { recursive: true });
  for (const name of blob) rmSync(join(emptied, "keys", name));
  const trusted = (folder: string, gone?: ReadonlySet<string>): Promise<JudgedBackup> =>
    judgeBackup(backupFolder(folder), genesis.sha256, gone);
  assert.equal((await trusted(emptied, removed)).verdict, "CONSISTENT");
  assert.equal((await trusted(emptied)).verdict, "DAMAGED");
  const left = await trusted(newestFolder(stage), removed);
  assert.equal(left.verdict, "DAMAGED");
  assert.match(left.problems.join(), /on record as destroyed, and is there/);
});
