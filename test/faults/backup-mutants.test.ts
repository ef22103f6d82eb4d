/**
 * H14: backups whose papers or wrapped keys were altered. None leads to an unwrap. FAULTS=full alters 100,000.
 */

import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { canonicalJson, type Json, type JsonObject } from "../../src/lib/json.ts";
import { backupStage, newestBackup, restore, vaultFile } from "../support/backup-stage.ts";
import { figure, FULL, SEED, sized } from "../support/fault-run.ts";
import { askingToRestore, backedUpSixTimes, inTheRoom, unwraps } from "../support/in-the-room.ts";
import { Dice } from "../support/random-mutations.ts";
import { CAST } from "../support/stage-scripts.ts";
import { TWO } from "../support/wrong-shares.ts";

const MUTANTS = sized(1_000, 100_000);
/** Every so many, an altered backup is brought to a whole ceremony. */
const WHOLE = FULL ? 1_000 : 250;

const stage = await backupStage();
await backedUpSixTimes(stage);

/** One member of a JSON document changed, wherever it stands. */
function edited(value: Json, dice: Dice): Json {
  if (Array.isArray(value)) {
    const list = value as readonly Json[];
    const at = dice.below(list.length + 1);
    if (at === list.length) return list.slice(0, -1);
    return list.map((one, i) => (i === at ? edited(one, dice) : one));
  }
  if (typeof value === "object" && value !== null) {
    const names = Object.keys(value);
    const name = dice.pick(names);
    const { [name]: old = null, ...rest } = value as JsonObject;
    return dice.below(9) === 0 ? rest : { ...rest, [name]: edited(old, dice) };
  }
  if (typeof value === "number") return value + 1;
  if (typeof value === "boolean") return !value;
  if (typeof value === "string" && value.length > 0) {
    const at = dice.below(value.length);
    const other = value[at] === "0" ? "1" : "0";
    return `${value.slice(0, at)}${other}${value.slice(at + 1)}`;
  }
  return "0";
}

type Mutation = (bytes: Uint8Array, dice: Dice, others: readonly Uint8Array[]) => Uint8Array;

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  bit: (bytes, dice) => {
    const bit = dice.below(bytes.length * 8);
    return bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
  },
  run: (bytes, dice) => {
    const at = dice.below(bytes.length);
    const length = 1 + dice.below(32);
    return bytes.map((byte, i) => (i >= at && i < at + length ? dice.below(256) : byte));
  },
  cut: (bytes, dice) => bytes.slice(0, dice.below(bytes.length)),
  grown: (bytes, dice) => Uint8Array.from([...bytes, ...bytes.slice(0, 1 + dice.below(40))]),
  removed: (bytes, dice) => {
    const at = dice.below(bytes.length);
    return Uint8Array.from([...bytes.slice(0, at), ...bytes.slice(at + 1 + dice.below(9))]);
  },
  exchanged: (_, dice, others) => dice.pick(others),
  edited: (bytes, dice) => {
    try {
      const value = JSON.parse(Buffer.from(bytes).toString()) as Json;
      return Buffer.from(canonicalJson(edited(value, dice) as JsonObject));
    } catch {
      return bytes.slice(1);
    }
  },
};

test(`H14: of ${MUTANTS} altered backups none leads to an unwrap`, async () => {
  const dice = new Dice(SEED);
  const { backup } = newestBackup(stage);
  const files = ["backup.json", "backup.note", ...blobs()].map((name) => vaultFile(stage, name));
  const originals = new Map(files.map((file) => [file, Uint8Array.from(readFileSync(file))]));
  const counts = { refused: 0, accepted: 0, unchanged: 0, ceremonies: 0, unwraps: 0 };
  const spoil = (): string | undefined => {
    const file = dice.pick(files);
    const original = originals.get(file) ?? assert.fail();
    const others = [...originals].filter(([other]) => other !== file).map(([, bytes]) => bytes);
    const kind = dice.pick(Object.keys(MUTATIONS));
    const bytes = MUTATIONS[kind]?.(original, dice, others) ?? original;
    if (Buffer.compare(bytes, original) === 0) return undefined;
    writeFileSync(file, bytes);
    return file;
  };
  const mend = (file: string): void => {
    writeFileSync(file, originals.get(file) ?? "");
  };
  const script = restore("beta", "all-ca-keys");
  const asked = unwraps(stage);
  let left = MUTANTS;
  while (left > 0) {
    // In one room as many as there are between two that are brought to a whole ceremony.
    const spoilt: string[] = [];
    const ceremony = inTheRoom(stage, "restore-key", [script, CAST], async (room) => {
      const before = asked();
      for (let i = 0; i < WHOLE && left > 0; i += 1, left -= 1) {
        const file = spoil();
        if (file === undefined) counts.unchanged += 1;
        else if ((await askingToRestore(room, { backup, older: true })) === backup)
          counts.accepted += 1;
        else counts.refused += 1;
        if (file !== undefined) mend(file);
      }
      assert.equal(asked(), before);
      while (spoilt.length === 0) spoilt.push(...[spoil()].filter((one) => one !== undefined));
    });
    await assert.rejects(ceremony, { code: "ledger.backup-damaged" });
    counts.ceremonies += 1;
    for (const file of spoilt) mend(file);
    await stage.abandon({ present: TWO });
  }
  counts.unwraps = asked();
  figure("H14", "altered backups brought to a restore", { ...counts, seed: SEED });
  assert.deepEqual([counts.accepted, counts.unwraps], [0, 0]);
});

function blobs(): readonly string[] {
  return readdirSync(vaultFile(stage, "keys")).map((name) => `keys/${name}`);
}
