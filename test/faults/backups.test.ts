/**
 * H18, H20: backups of another site or older than need be, and backups that lose a part while they are made. Nothing
 * of them reaches a token.
 */

import assert from "node:assert/strict";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { VaultFolder, Vaults } from "../../src/ceremony/action.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { backUp, backupStage, generate, lock, restore } from "../support/backup-stage.ts";
import { figure, FULL } from "../support/fault-run.ts";
import {
  askingToRestore,
  backedUpSixTimes,
  GENERATIONS,
  inTheRoom,
  unwraps,
} from "../support/in-the-room.ts";
import { ESTABLISH_KEK, kekStage, loadKek, withTokens } from "../support/kek-stage.ts";
import { CAST } from "../support/stage-scripts.ts";
import { POLICY } from "../support/stage-site.ts";
import type { Stage } from "../support/stage.ts";
import { TWO } from "../support/wrong-shares.ts";

const stage = await backupStage();
await backedUpSixTimes(stage);

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
            const came = await askingToRestore(room, { backup: place.name, older });
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
