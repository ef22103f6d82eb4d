/**
 * H15: while a module is opened its owner exchanges the file, its content or the link that leads to it.
 * Whatever was loaded, nothing but the file that people agreed to is ever used. FAULTS=full runs 1,000 races of
 * each kind.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { createHsm } from "../../src/hsm/hsm.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import { KeyriteError } from "../../src/lib/errors.ts";
import { createFakeModule } from "../support/fake-module.ts";
import { figure, sized } from "../support/fault-run.ts";
import { systemRandom, temporaryFolder } from "../support/rig.ts";

const RACES = sized(100, 1_000);
const FLIPPER = join(import.meta.dirname, "..", "support", "flipper.mjs");
const GOOD = "good module";

const folder = temporaryFolder();
after(() => {
  rmSync(folder, { recursive: true });
});

/** A folder with a module in it, as the flipper expects it. */
function stageOf(kind: string): string {
  const stage = join(folder, kind);
  mkdirSync(join(stage, "in"), { recursive: true, mode: 0o700 });
  for (const word of ["good", "evil"]) {
    writeFileSync(join(stage, `${word}.so`), `${word} module`, { mode: 0o600 });
  }
  const path = join(stage, "in", "module.so");
  if (kind === "linked") symlinkSync(join(stage, "good.so"), path);
  else writeFileSync(path, GOOD, { mode: 0o600 });
  return stage;
}

for (const kind of ["renamed", "written", "linked"]) {
  test(`H15: a module that is ${kind} while it is opened is never used unless it is the agreed one`, async () => {
    const stage = stageOf(kind);
    const flipper = spawn(process.execPath, [FLIPPER, kind, stage], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(flipper.stdout, "data");
    const counts = { races: 0, opened: 0, refused: 0, usedAnother: 0 };
    try {
      for (let i = 0; i < RACES; i += 1) {
        let loaded = "";
        const hsm = createHsm({
          setEnvironment: () => undefined,
          random: systemRandom,
          monotonic: () => performance.now(),
          load: (path) => {
            loaded = readFileSync(path, "utf8");
            // As long as a loader takes at least for a library and what it depends on.
            Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
            return createFakeModule();
          },
        });
        const path = join(stage, "in", "module.so");
        const binding = { name: "soft", profile: "generic", path, digest: sha256Hex(GOOD) };
        counts.races += 1;
        try {
          await hsm.tokens(binding);
          counts.opened += 1;
          if (loaded !== GOOD) counts.usedAnother += 1;
        } catch (error) {
          assert.ok(error instanceof KeyriteError || isGone(error), String(error));
          counts.refused += 1;
        }
      }
    } finally {
      flipper.kill("SIGKILL");
      await once(flipper, "close");
    }
    figure("H15", `module ${kind} while it is opened`, counts);
    assert.ok(counts.refused > 0 && counts.opened > 0, "both ends of the race were seen");
    assert.equal(counts.usedAnother, 0);
  });
}

/** The loader's own words for a file that is not there at this instant. */
function isGone(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
