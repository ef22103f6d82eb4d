/**
 * I01, H14: every file of a backup, changed at random. A mutant is refused by its papers alone, before any token is
 * asked; what is accepted says nothing else than the original does, of the same keys and by the same people.
 */

import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { judgeBackup, type JudgedBackup } from "../../src/cli/judge-backup.ts";
import type { VaultFolder } from "../../src/ceremony/action.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { figure, SEED, sized } from "../support/fault-run.ts";
import { crossedWith, OF_BYTES, OF_JSON, OF_TEXT } from "../support/file-mutants.ts";
import { sweepMutants } from "../support/mutant-sweep.ts";
import { Dice } from "../support/random-mutations.ts";
import { newestFolder, siteWithBackup } from "../support/two-sites.ts";

type Files = ReadonlyMap<string, Uint8Array>;

const stage = await siteWithBackup();
const trusted = stage.site.genesis.sha256;
const root = newestFolder(stage);
const sound: Files = new Map(
  readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((path) => statSync(join(root, path)).isFile())
    .sort()
    .map((path) => [path, Uint8Array.from(readFileSync(join(root, path)))]),
);

/** A backup's folder in memory; to write into it or take from it is no part of judging. */
function folderOf(files: Files): VaultFolder {
  const never = (): Promise<never> => Promise.reject(new Error("a judged backup was changed"));
  return {
    write: never,
    remove: never,
    list: () => Promise.resolve([...files.keys()].sort()),
    read: (name, most) => {
      const bytes = files.get(name);
      if (bytes === undefined || bytes.length > most) {
        const text = bytes === undefined ? `there is no ${name}` : `${name} is too long`;
        return Promise.reject(new KeyriteError("usage.bad-file", text));
      }
      return Promise.resolve(Uint8Array.from(bytes));
    },
  };
}

const judge = (files: Files): Promise<JudgedBackup> => judgeBackup(folderOf(files), trusted);
const before = await judge(sound);

/** Files that say nothing of the backup: what lies beside the papers, keys and envelopes in `proofs`. */
const isProof = (name: string): boolean => name.startsWith("proofs/");

test("the sound backup is consistent", () => {
  assert.deepEqual([before.verdict, before.problems], ["CONSISTENT", []]);
  assert.ok(sound.size > 8, [...sound.keys()].join());
});

test("I01: mutants of a backup's files are refused, or prove the very same by the same people", async () => {
  await sweepMutants({
    ...{ row: "I01", what: "mutants of backups", short: 1500, full: 100_000 },
    originals: Object.fromEntries(sound),
    changes: { ...OF_BYTES, ...OF_TEXT, ...OF_JSON, ...crossedWith([...sound.values()]) },
    judge: async ({ bytes, about }) => {
      const name = about.slice(0, about.indexOf(": "));
      const judged = await judge(new Map([...sound, [name, bytes]]));
      if (judged.verdict === "DAMAGED" || judged.verdict === "FOREIGN") {
        assert.ok(judged.problems.length > 0, "a refusal has a reason");
        return "refused";
      }
      assert.ok(isProof(name), `${name} was accepted as ${judged.verdict}`);
      // Lines that nobody needs may be anything: the proof of an entry that proves nothing of this backup.
      assert.deepEqual(judged, before);
      return "same";
    },
  });
});

test("H14: a backup with files gone, exchanged, renamed or added is refused", async () => {
  const count = sized(300, 5000);
  const dice = new Dice(SEED);
  const counts = { folders: count, refused: 0, same: 0, wronglyAccepted: 0 };
  const names = [...sound.keys()];
  for (let i = 0; i < count; i += 1) {
    const files = new Map(sound);
    const [one, other] = [dice.pick(names), dice.pick(names)];
    const [bytes, others] = [files.get(one), files.get(other)];
    assert.ok(bytes !== undefined && others !== undefined);
    const how = dice.pick(["gone", "exchanged", "renamed", "added"] as const);
    if (how === "gone") files.delete(one);
    if (how === "exchanged") files.set(one, others).set(other, bytes);
    if (how === "renamed") {
      files.delete(one);
      files.set(`${one}x`, bytes);
    }
    if (how === "added") files.set(`keys/${"0".repeat(63)}${dice.below(10)}.p8wrap`, bytes);
    const unchanged = how === "exchanged" && Buffer.compare(bytes, others) === 0;
    const judged = await judge(files);
    if (judged.verdict === "DAMAGED" || judged.verdict === "FOREIGN") counts.refused += 1;
    else if (unchanged || (isProof(one) && (how !== "exchanged" || isProof(other)))) {
      // Without its proofs it is no longer believed; with others in their place it says the same.
      if (judged.verdict !== "CANNOT TELL") assert.deepEqual(judged, before);
      counts.same += 1;
    } else counts.wronglyAccepted += 1;
  }
  figure("H14", "backups with files gone, exchanged, renamed or added", counts);
  assert.equal(counts.wronglyAccepted, 0);
  assert.ok(counts.refused > count / 2);
});
