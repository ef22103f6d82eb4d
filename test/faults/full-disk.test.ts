/**
 * C07: a disk that is really full. A ceremony is performed on a small one with ever more room left on it, so that it
 * fills at another place each time, and is gone on with when somebody has freed space.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { figure, FULL } from "../support/fault-run.ts";
import type { FullDisk } from "../support/full-disk-driver.ts";
import { program } from "../support/program.ts";

/** KiB: from none, over the room that is kept for the last records, to enough. */
const FREE = FULL
  ? [512, ...Array.from({ length: 48 }, (_, i) => 2048 + i * 8), 16_384]
  : [512, 2072, 2112, 2160, 2208, 16_384];

test("C07: a disk fills up in the middle of a ceremony, which is gone on with when there is room", () => {
  const words = ["-Urm", process.execPath, ...program("full-disk-driver"), ...FREE.map(String)];
  const ran = spawnSync("unshare", words, { encoding: "utf8" });
  assert.equal(ran.status, 0, ran.stderr);
  const all = ran.stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as FullDisk);
  const count = (which: (one: FullDisk) => boolean): number => all.filter(which).length;
  figure("C07", "ceremonies on a disk that is really full, gone on with", {
    disks: all.length,
    full: count(({ first }) => first !== "closed"),
    midway: count(({ midway }) => midway),
    wentOn: count(({ first, closed }) => first !== "closed" && closed),
    inDoubt: count(({ inDoubt }) => inDoubt),
    lost: all.reduce((sum, { lost }) => sum + lost, 0),
    wrong: count(({ wrong }) => wrong.length > 0),
  });
  assert.equal(all.length, FREE.length);
  for (const one of all) {
    const about = JSON.stringify(one);
    assert.match(one.first, /^(?:closed|site\.disk|halted\.not-durable|hsm\.[a-z-]+)$/, about);
    assert.ok(one.closed && one.lost === 0 && one.wrong.length === 0, about);
  }
  assert.ok(all.some(({ midway }) => midway));
  assert.ok(
    all[0]?.first === "site.disk" && !all[0].midway,
    "without room for the last records none begins",
  );
  assert.equal(all.at(-1)?.first, "closed");
});
