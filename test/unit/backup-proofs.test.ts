/** Proofs of a backup for another site: what none are made of, and what becomes of a vault that refuses them. */

import assert from "node:assert/strict";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Vaults } from "../../src/ceremony/action.ts";
import { backupProofs, writeProofs, type ProvableSite } from "../../src/ceremony/backup-proofs.ts";
import type { History } from "../../src/ceremony/history.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { newestBackup } from "../support/backup-stage.ts";
import { newestFolder, proveNewest, siteWithBackup } from "../support/two-sites.ts";

const stage = await siteWithBackup();
const { backup, vaults } = newestBackup(stage);

function provable(changes: Partial<History> = {}): ProvableSite {
  const { genesis, genesisBytes } = stage.site;
  return { genesis, genesisBytes, ledger: stage.ledger, history: { ...stage.history, ...changes } };
}

function refuses(site: ProvableSite, name: string, says: RegExp, hint: RegExp): void {
  assert.throws(
    () => backupProofs(site, name),
    (error) => {
      assert.ok(error instanceof KeyriteError, String(error));
      assert.equal(error.code, "usage.refused");
      assert.match(error.message, says);
      assert.match(error.hints.join("\n"), hint);
      return true;
    },
  );
}

test("a backup that is not on record is refused with the names of those that are", () => {
  refuses(provable(), "nothing", /no completed backup nothing is on record/, new RegExp(backup));
  const custody = { ...stage.history.custody, backups: new Map() };
  refuses(provable({ custody }), backup, /no completed backup/, /this site has made none/);
  const [made = assert.fail("there is a backup")] = [...stage.history.custody.backups];
  const half = new Map([[made[0], { ...made[1], sha256: null }]]);
  const unfinished = { ...stage.history.custody, backups: half };
  refuses(provable({ custody: unfinished }), "nothing", /nothing is on record/, /has made none/);
});

test("nothing is proved of what no head covers that people cosigned", () => {
  for (const cosigned of [0, 2]) {
    refuses(
      provable({ cosigned }),
      backup,
      /no cosigned head covers this yet/,
      /close the ceremony/,
    );
  }
});

test("proofs name the enrolment of whoever signed after the founding, with their cards", () => {
  const names = backupProofs(provable(), backup).map(({ name }) => name);
  assert.ok(names.includes("proofs/genesis.json") && names.includes("proofs/checkpoint"));
  assert.equal(names.filter((name) => name.endsWith(".card.json")).length, 1, "fay's alone");
  const enrolled = stage
    .entries()
    .filter(({ facts }) =>
      facts.some(({ kind, person }) => kind === "person.enrolled" && person === "fay"),
    );
  const [completed] = enrolled.filter(({ type }) => type === "step.completed");
  assert.ok(completed !== undefined);
  for (const seq of [completed.refs["opened"], completed.refs["begun"], completed.seq])
    assert.ok(
      names.some((name) => name.endsWith(".tlog-proof") && name.includes(String(seq))),
      `entry ${String(seq)} in ${names.join(", ")}`,
    );
});

test("older proofs give way to new ones", async () => {
  const folder = join(newestFolder(stage), "proofs");
  const stale = join(folder, "99999.tlog-proof");
  const before = readdirSync(folder);
  writeFileSync(stale, "stale");
  assert.deepEqual(
    await proveNewest(stage),
    vaults.map((vault) => ({ backup, vault })),
  );
  assert.equal(existsSync(stale), false);
  assert.deepEqual(readdirSync(folder), before);
});

test("a vault that refuses its proofs is named, and what is no refusal is not hidden", async () => {
  const real = stage.hall().vaults;
  const failing = (error: Error): Vaults => ({
    create: (vault, name) => real.create(vault, name),
    open: () => Promise.reject(error),
  });
  const full = new KeyriteError("site.disk", "the vault is full");
  assert.deepEqual(
    await writeProofs(provable(), failing(full), backup),
    vaults.map((vault) => ({ backup, vault, problem: "the vault is full" })),
  );
  await assert.rejects(writeProofs(provable(), failing(new Error("a bug")), backup), /a bug/);
});
