/** C13: ceremonies that get no more memory, from Node's heap or from the system, at one point after another. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fromHex } from "../../src/lib/encoding.ts";
import { hits } from "../support/canaries.ts";
import { figure, FULL } from "../support/fault-run.ts";
import {
  newFolder,
  shippedAnswers,
  siteAt,
  succeeded,
  type RehearsedSite,
  type Stage,
} from "../support/rehearsed-site.ts";

/** MiB of Node's heap: with the least Node does not start, with 16 all goes through. */
const HEAPS = FULL
  ? [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 20, 24, 32, 48, 64, 128, 256]
  : [3, 8, 9, 10, 11, 256];
/** MiB of addresses for Keyrite and for the module's process each; Node itself takes some 700. */
const ADDRESSES = FULL
  ? [500, 700, 760, 780, 800, 820, 840, 860, 880, 900, 950, 1000, 1100, 1200, 1600, 4000]
  : [700, 800, 900, 1000, 1600];

const LIMITS = {
  heap: HEAPS.map((mib) => `exec "$0" --max-old-space-size=${mib} "$@"`),
  addresses: ADDRESSES.map((mib) => `ulimit -v ${mib * 1024}; exec "$0" "$@"`),
};

/** Ceremonies that change a token, and where they begin. */
const CEREMONIES: readonly (readonly [Stage, string])[] = [
  ["founded", "initialize-token"],
  ["prepared", "generate-root-ca"],
];

/** What lies in memory once Keyrite has begun: passphrases of the room, and the key of the ledger. */
function secretsOf(site: RehearsedSite, ceremony: string): ReadonlyMap<string, Uint8Array> {
  const seed = fromHex(readFileSync(site.file("ledger.key"), "utf8").trim()) ?? assert.fail();
  const passphrases = Object.entries(shippedAnswers(ceremony).passphrases);
  return new Map<string, Uint8Array>([
    ["ledger key", seed],
    ...passphrases.map(([person, said]) => [person, Buffer.from(String(said))] as const),
  ]);
}

function lines(site: RehearsedSite): readonly string[] {
  return site.entries().map((entry) => JSON.stringify(entry));
}

/** The ceremony that is open, as `status` tells; undefined when there is none. */
function openAt(site: RehearsedSite): string | undefined {
  const { open } = JSON.parse(succeeded(site.keyrite(["status", "--json"])).stdout) as {
    readonly open: { readonly id: string } | null;
  };
  return open?.id;
}

test("C13: a ceremony that gets no more memory ends without a core file of its own, and nothing is lost", () => {
  for (const [kind, limits] of Object.entries(LIMITS)) {
    const counts = { runs: 0, completed: 0, ended: 0, named: 0, lost: 0, cores: 0, coresOfNode: 0 };
    for (const [stage, ceremony] of FULL ? CEREMONIES : CEREMONIES.slice(0, 1)) {
      for (const [i, limit] of limits.entries()) {
        const site = siteAt(stage);
        const before = lines(site);
        const cwd = newFolder();
        const under = ["bash", "-c", `ulimit -c unlimited; ${limit}`];
        const ran = site.rehearse(ceremony, undefined, [], { cwd, under });
        const after = lines(site);
        const about = `${ceremony}, ${limit}: ${ran.stderr.slice(-500)}`;

        counts.runs += 1;
        if (JSON.stringify(after.slice(0, before.length)) !== JSON.stringify(before))
          counts.lost += 1;
        for (const name of readdirSync(cwd)) {
          // Node may end before it runs a line of ours: such a file has nothing of ours in it.
          const core = { name, bytes: readFileSync(join(cwd, name)) };
          assert.deepEqual(hits(secretsOf(site, ceremony), [core]), [], about);
          if (ran.stdout === "" && after.length === before.length && ran.code === null) {
            counts.coresOfNode += 1;
          } else counts.cores += 1;
        }
        rmSync(cwd, { recursive: true });

        assert.match(
          succeeded(site.keyrite(["verify"])).stdout,
          /CONSISTENT WITH ITS OWN GENESIS/,
          about,
        );
        const open = openAt(site);
        if (ran.code === 0) {
          assert.equal(open, undefined, about);
          counts.completed += 1;
        } else {
          counts.ended += 1;
          assert.ok(open !== undefined || endedInOrder(site, before.length), about);
        }
        if (open !== undefined) {
          const next = site.rehearse("record-deviation");
          assert.equal(next.code, 7, next.stderr);
          assert.ok(next.stderr.includes(`ceremony ${open} is still open`), next.stderr);
          counts.named += 1;
        }
        if (i === limits.length - 1) assert.equal(ran.code, 0, `the most goes through: ${about}`);
      }
    }
    figure("C13", `ceremonies with too little ${kind}`, counts);
    assert.equal(counts.cores, 0);
    assert.equal(counts.lost, 0);
    assert.ok(counts.ended > 0 && (kind !== "heap" || counts.named > 0), JSON.stringify(counts));
  }
});

/** Whether nothing was begun, or what was begun is over and says so. */
function endedInOrder(site: RehearsedSite, before: number): boolean {
  const last = site.entries().at(-1);
  return (last?.seq ?? 0) + 1 === before || last?.type === "ceremony.abandoned";
}
