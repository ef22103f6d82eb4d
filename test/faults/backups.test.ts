/**
 * H14, H18, H20: backups that are altered, of another site, older than need be, or that lose a part while they are
 * made. Nothing of them reaches a token. FAULTS=full alters 100,000.
 */

import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { planRestore } from "../../src/actions/lib/plan-restore.ts";
import type { Room, VaultFolder, Vaults } from "../../src/ceremony/action.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { canonicalJson, type Json, type JsonObject } from "../../src/lib/json.ts";
import {
  backUp,
  backupStage,
  generate,
  lock,
  newestBackup,
  restore,
  vaultFile,
} from "../support/backup-stage.ts";
import { figure, FULL, SEED, sized } from "../support/fault-run.ts";
import { inTheRoom } from "../support/in-the-room.ts";
import { ESTABLISH_KEK, kekStage, loadKek, withTokens } from "../support/kek-stage.ts";
import { Dice } from "../support/random-mutations.ts";
import { CAST } from "../support/stage-scripts.ts";
import { POLICY } from "../support/stage-site.ts";
import { TWO } from "../support/wrong-shares.ts";
import type { Stage } from "../support/stage.ts";

const MUTANTS = sized(1_000, 100_000);
/** Every so many, an altered backup is brought to a whole ceremony. */
const WHOLE = FULL ? 1_000 : 250;
const GENERATIONS = [1, 2, 3, 4, 5, 6];
const KEYS = ["root-g1", "sub-a"];

/** Two keys, backed up six times. */
async function backedUpSixTimes(stage: Stage): Promise<void> {
  const list = `[${KEYS.join(", ")}]`;
  const backups = GENERATIONS.map((n) => backUp(list, ", proveOn: beta", `-${n}`));
  await stage.run(
    withTokens(["alpha", "beta"], [...KEYS.map((key) => generate(key)), ...backups, lock(list)]),
    CAST,
  );
}

const stage = await backupStage();
await backedUpSixTimes(stage);

interface Asked {
  readonly backup: string;
  readonly older: boolean;
}

/** What comes of asking for a restore in a room: its backup's name, or the code of the refusal. */
async function asking(room: Room, { backup, older }: Asked): Promise<string> {
  const keys = "all-ca-keys" as const;
  const under = "backup-kek";
  try {
    const p = { token: "beta", keys, under, backup, from: "onsite", older };
    const { data } = await planRestore(p, room);
    return data.backup;
  } catch (error) {
    assert.ok(error instanceof KeyriteError, String(error));
    return error.code;
  }
}

/** Counts what the tokens are asked to unwrap. */
function unwraps({ rig }: Stage): () => number {
  let count = 0;
  rig.faults.before = (call) => {
    if (call === "unwrapKey" || call === "unwrapKeyNow") count += 1;
  };
  return () => count;
}

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
        else if ((await asking(room, { backup, older: true })) === backup) counts.accepted += 1;
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

interface Kept {
  /** The site's origin, and the backup's place among its six. */
  readonly origin: string;
  readonly generation: number;
  readonly name: string;
  readonly folder: string;
}

/** The backups of a site's vault, oldest first. */
function keptIn(site: Stage): readonly Kept[] {
  const { origin } = site.site.genesis;
  return [...site.history.custody.backups.keys()].map((name, i) => {
    const folder = join(site.vaults.get("onsite") ?? "", name);
    return { origin, generation: i + 1, name, folder };
  });
}

test("H18: of six generations at three sites, each in the place of each, only the newest of this site is restored unasked", async () => {
  const others: Stage[] = [];
  for (const origin of ["example.org/dc2/test", "example.net/test"]) {
    const site = await kekStage(POLICY, origin);
    await site.run(ESTABLISH_KEK, CAST);
    await site.run(loadKek("beta"), CAST);
    await backedUpSixTimes(site);
    others.push(site);
  }
  const own = keptIn(stage);
  const all = [...own, ...others.flatMap(keptIn)];
  const vault = dirname(own[0]?.folder ?? "");
  const shelf = `${vault}-shelf`;
  for (const { origin, name, folder } of all) {
    cpSync(folder, join(shelf, origin, name), { recursive: true });
  }
  const counts = { pairs: 0, newest: 0, olderAgreed: 0, refused: 0, wrong: 0, unwraps: 0 };
  const asked = unwraps(stage);
  const ceremony = inTheRoom(
    stage,
    "restore-key",
    [restore("beta", "all-ca-keys"), CAST],
    async (room) => {
      for (const place of all) {
        for (const content of all) {
          const at = join(vault, place.name);
          rmSync(at, { recursive: true, force: true });
          cpSync(join(shelf, content.origin, content.name), at, { recursive: true });
          const mine = place === content && own.includes(place);
          const newest = place.generation === GENERATIONS.length;
          for (const older of [false, true]) {
            counts.pairs += 1;
            const before = asked();
            const came = await asking(room, { backup: place.name, older });
            const right = mine && (newest || older);
            if (came === place.name) counts[newest ? "newest" : "olderAgreed"] += 1;
            else {
              counts.refused += 1;
              // Of what is accepted the KEK is tried, on keys of Keyrite's own.
              counts.unwraps += asked() - before;
            }
            if ((came === place.name) !== right) counts.wrong += 1;
            if (mine && !newest && !older) assert.equal(came, "ledger.backup-stale");
          }
          rmSync(at, { recursive: true });
        }
      }
      for (const { folder, origin, name } of own) {
        cpSync(join(shelf, origin, name), folder, { recursive: true });
      }
      throw new KeyriteError("usage.refused", "the test has seen enough");
    },
  );
  await assert.rejects(ceremony, { code: "usage.refused" });
  await stage.abandon({ present: TWO });
  rmSync(shelf, { recursive: true });
  figure("H18", "6 generations of 3 sites, each in the place of each", counts);
  assert.deepEqual([counts.wrong, counts.unwraps], [0, 0]);
  assert.deepEqual([counts.newest, counts.olderAgreed], [2, 5]);
});

/** What a bad vault does to the nth file that is written to it. */
const LOSSES: Readonly<Record<string, (path: string) => void>> = {
  "is lost": (path) => {
    rmSync(path);
  },
  "is cut": (path) => {
    writeFileSync(path, readFileSync(path).subarray(0, -1));
  },
  "is empty": (path) => {
    writeFileSync(path, "");
  },
  "is changed": (path) => {
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    writeFileSync(path, bytes);
  },
};

/** The stage's vaults, of which the one named loses the nth file as soon as it is durable. */
function losing(
  vaults: Vaults,
  place: string,
  nth: number,
  lose: (path: string) => void,
): Vaults & { readonly lost: () => string | undefined } {
  let count = 0;
  let lost: string | undefined;
  return {
    lost: () => lost,
    open: (vault, backup) => vaults.open(vault, backup),
    create: async (vault, backup): Promise<VaultFolder> => {
      const folder = await vaults.create(vault, backup);
      if (vault !== place) return folder;
      return {
        remove: (names) => folder.remove(names),
        list: () => folder.list(),
        read: (name, most) => folder.read(name, most),
        write: async (files) => {
          await folder.write(files);
          for (const { name } of files) {
            count += 1;
            if (count !== nth) continue;
            lost = name;
            lose(join(stage.vaults.get(vault) ?? "", backup, name));
          }
        },
      };
    },
  };
}

test("H20: a backup that loses any part while it is made is not made", async () => {
  const counts = { parts: 0, refused: 0, completed: 0 };
  let key = 0;
  for (const place of FULL ? ["onsite", "offsite"] : ["offsite"]) {
    for (const [what, lose] of Object.entries(LOSSES)) {
      if (!FULL && what !== "is lost" && what !== "is changed") continue;
      for (let nth = 1; ; nth += 1) {
        key += 1;
        const label = `lost-${key}`;
        const script = withTokens(
          ["alpha", "beta"],
          [generate(label), backUp(label, ", proveOn: beta"), lock(label)],
        );
        const vaults = losing(stage.hall().vaults, place, nth, lose);
        const made = await stage.run(script, CAST, { hall: { vaults } }).then(
          () => true,
          (error: unknown) => {
            assert.ok(error instanceof KeyriteError, String(error));
            assert.match(error.code, /^(ledger|site|usage)\./, error.message);
            return false;
          },
        );
        if (vaults.lost() === undefined) {
          assert.ok(made, "nothing was lost, so it is made");
          break;
        }
        counts.parts += 1;
        if (made) counts.completed += 1;
        else counts.refused += 1;
        if (!made) await stage.abandon({ present: TWO });
        if (!made) await mendKey(label);
      }
    }
  }
  figure("H20", "parts of a backup lost while it is made", counts);
  assert.ok(counts.parts > 0);
  assert.equal(counts.completed, 0);
});

/** A key that was left without a backup gets one, so that the token is free for the next. */
async function mendKey(label: string): Promise<void> {
  const steps = [backUp(label, ", proveOn: beta"), lock(label)];
  await stage.run(withTokens(["alpha", "beta"], steps), CAST);
}
