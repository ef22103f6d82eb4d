/**
 * Backups that are altered, cut, exchanged or foreign: each is refused by name before anything is unwrapped,
 * and is on record.
 */

import assert from "node:assert/strict";
import {
  cpSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { canonicalJson, type JsonObject } from "../../src/lib/json.ts";
import { stopped } from "../support/backup-refused.ts";
import {
  backedUp,
  backupStage,
  newestBackup,
  restore,
  vaultFile,
} from "../support/backup-stage.ts";
import { unwrapsDuring } from "../support/kek-stage.ts";
import { CAST } from "../support/stage-scripts.ts";

const stage = await backupStage();
await stage.run(backedUp(["root-g1", "sub-a"]), CAST);
const first = newestBackup(stage).backup;

/** Spoils the vault onsite for one test and puts it right again. */
function spoil(t: TestContext, act: () => void): void {
  const folder = vaultFile(stage, ".");
  const kept = `${folder}.kept`;
  cpSync(folder, kept, { recursive: true });
  t.after(() => {
    rmSync(folder, { recursive: true, force: true });
    renameSync(kept, folder);
  });
  act();
}

function blobs(): readonly string[] {
  return readdirSync(vaultFile(stage, "keys"))
    .sort()
    .map((name) => vaultFile(stage, `keys/${name}`));
}

function blob(at: number): string {
  return blobs()[at] ?? assert.fail("there is no such wrapped key");
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

/** A manifest with one member changed, written back in canonical form. */
function rewriteManifest(change: (manifest: Record<string, unknown>) => void): void {
  const path = vaultFile(stage, "backup.json");
  const manifest = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  change(manifest);
  writeFileSync(path, canonicalJson(manifest as JsonObject));
}

const ALTERED: Readonly<Record<string, readonly [() => void, RegExp]>> = {
  "whose wrapped key has one bit flipped": [
    () => {
      flip(blob(0), 40);
    },
    /is not the wrapped key that backup\.json names/,
  ],
  "whose wrapped key is cut short": [
    () => {
      truncateSync(blob(1), 100);
    },
    /has 100 bytes instead of/,
  ],
  "whose wrapped key is gone": [
    () => {
      rmSync(blob(1));
    },
    /holds no keys\//,
  ],
  "whose wrapped keys are exchanged for each other": [
    () => {
      const [a, b] = [blob(0), blob(1)];
      renameSync(a, `${a}.tmp`);
      renameSync(b, a);
      renameSync(`${a}.tmp`, b);
    },
    /is not the wrapped key that backup\.json names/,
  ],
  "with the wrapped key of another key under the right name": [
    () => {
      cpSync(blob(0), blob(1));
    },
    /is not the wrapped key that backup\.json names/,
  ],
  "whose wrapped key is a link to another": [
    () => {
      const [a, b] = [blob(0), blob(1)];
      rmSync(a);
      symlinkSync(b, a);
    },
    /\.p8wrap/,
  ],
  "whose manifest has one bit flipped": [
    () => {
      flip(vaultFile(stage, "backup.json"), 30);
    },
    /backup\.(json|note)/,
  ],
  "whose manifest names another label, in good form": [
    () => {
      rewriteManifest((manifest) => {
        const [key] = manifest["keys"] as Record<string, unknown>[];
        if (key !== undefined) key["label"] = "evil";
      });
    },
    /backup\.(json|note)/,
  ],
  "whose manifest is empty": [
    () => {
      truncateSync(vaultFile(stage, "backup.json"), 0);
    },
    /backup\.json/,
  ],
  "without a manifest": [
    () => {
      rmSync(vaultFile(stage, "backup.json"));
    },
    /holds no backup\.json/,
  ],
  "without a note": [
    () => {
      rmSync(vaultFile(stage, "backup.note"));
    },
    /holds no backup\.note/,
  ],
  "whose note lost one signature": [
    () => {
      const path = vaultFile(stage, "backup.note");
      const lines = readFileSync(path, "utf8").trimEnd().split("\n");
      writeFileSync(path, `${lines.slice(0, -1).join("\n")}\n`);
    },
    /it is not signed by eve/,
  ],
  "whose note is signed by a stranger": [
    () => {
      const path = vaultFile(stage, "backup.note");
      const [text = ""] = readFileSync(path, "utf8").split("\n\n");
      const { signer } = stage.person("mallory").opened;
      const ana = stage.person("ana").opened.signer;
      const lines = [ana.signNote(`${text}\n`), signer.signNote(`${text}\n`)];
      writeFileSync(path, `${text}\n\n${lines.join("\n")}\n`);
    },
    /it bears a signature that is not of one of its signers/,
  ],
};

for (const [what, [change, says]] of Object.entries(ALTERED)) {
  test(`H14: a backup ${what} is refused without a single unwrap`, async (t) => {
    spoil(t, change);
    const unwraps = await unwrapsDuring(stage, async () => {
      const damaged = { code: "ledger.backup-damaged", says, exit: 6 } as const;
      await stopped(stage, restore("beta", "all-ca-keys"), damaged);
    });
    assert.equal(unwraps, 0);
  });
}

test("H18: a folder that nobody here made is no backup of ours", async (t) => {
  const foreign = "backup-20200101-abcd";
  cpSync(vaultFile(stage, "."), vaultFile(stage, join("..", foreign)), { recursive: true });
  t.after(() => {
    rmSync(vaultFile(stage, join("..", foreign)), { recursive: true });
  });
  const unwraps = await unwrapsDuring(stage, () =>
    stopped(stage, restore("beta", "root-g1", { backup: foreign }), {
      code: "ledger.not-trusted",
      says: /is not on record here/,
      exit: 6,
    }),
  );
  assert.equal(unwraps, 0);
});

test("a backup that is not in the vault, and a vault that is not there", async (t) => {
  const beside = `${vaultFile(stage, ".")}.away`;
  renameSync(vaultFile(stage, "."), beside);
  t.after(() => {
    renameSync(beside, vaultFile(stage, "."));
  });
  await stopped(stage, restore("beta", "root-g1", { backup: first }), {
    code: "usage.bad-file",
    says: /there is no backup/,
    exit: 2,
  });
});
