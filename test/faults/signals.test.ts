/** I10: a signal at any instant of a ceremony: what was done is on record, nothing stays logged in, the next run says so. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { seededDice } from "../support/dice.ts";
import { figure, SEED, sized } from "../support/fault-run.ts";
import {
  BIN,
  cleanEnvironment,
  siteAt,
  succeeded,
  type RehearsedSite,
  type Stage,
} from "../support/rehearsed-site.ts";
import { ShimModule } from "../support/shim.ts";

const CEREMONIES: readonly (readonly [Stage, string])[] = [
  ["founded", "initialize-token"],
  ["prepared", "generate-root-ca"],
  ["generated", "record-custody"],
];

/** The first four interrupt, as Ctrl-C does; the last two end a program that says nothing about them. */
const SIGNALS = ["INT", "TERM", "HUP", "QUIT", "USR2", "ALRM"] as const;
const INTERRUPTING = 4;

const shim = new ShimModule();

/** Whether a login came behind the last call that ends one. */
function leftLoggedIn(calls: readonly string[]): boolean {
  const ends = ["C_Logout", "C_CloseSession", "C_CloseAllSessions", "C_Finalize"];
  const ended = Math.max(...ends.map((name) => calls.lastIndexOf(name)));
  return calls.lastIndexOf("C_Login") > ended;
}

interface Ended {
  readonly code: number | null;
  readonly stderr: string;
}

/** Performs a ceremony; once so much of it has been said, and a moment more, it gets the signal. */
async function performed(
  site: RehearsedSite,
  ceremony: string,
  signal?: { readonly name: string; readonly after: number; readonly moment: number },
): Promise<Ended> {
  const answers = site.writeAnswers(ceremony);
  const child = spawn(process.execPath, [BIN, "run", ceremony, "--answers", answers], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...cleanEnvironment(), ...shim.env, KEYRITE_SITE: site.site },
  });
  let stderr = "";
  let sent = false;
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString("utf8");
    if (signal === undefined || sent || stderr.length < signal.after) return;
    sent = true;
    setTimeout(() => child.kill(`SIG${signal.name}` as NodeJS.Signals), signal.moment);
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stderr };
}

test("I10: a signal at a random instant of a ceremony loses nothing and leaves nobody logged in", async () => {
  const roll = seededDice(SEED);
  const said = new Map<string, number>();
  const counts = { signals: 0, tooLate: 0, ended: 0, named: 0, abandoned: 0, loggedIn: 0, lost: 0 };
  for (let i = 0; i < sized(12, 120); i += 1) {
    const [stage, ceremony] =
      CEREMONIES[Math.floor(i / SIGNALS.length) % CEREMONIES.length] ?? assert.fail();
    const at = i % SIGNALS.length;
    const name = SIGNALS[at] ?? assert.fail();
    if (!said.has(ceremony)) {
      const clean = await performed(siteAt(stage, shim), ceremony);
      assert.equal(clean.code, 0, clean.stderr);
      said.set(ceremony, clean.stderr.length);
    }
    const point = Math.floor(roll() * (said.get(ceremony) ?? 0));
    const moment = Math.floor(roll() * 40);
    const site = siteAt(stage, shim);
    const before = site.entries().map((entry) => JSON.stringify(entry));
    shim.calls();
    const ran = await performed(site, ceremony, { name, after: point, moment });
    const about = `${ceremony}, ${name} after ${point} characters: ${ran.stderr.slice(-600)}`;
    counts.signals += 1;

    const after = site.entries().map((entry) => JSON.stringify(entry));
    if (JSON.stringify(after.slice(0, before.length)) !== JSON.stringify(before)) counts.lost += 1;
    if (at < INTERRUPTING && leftLoggedIn(shim.calls())) counts.loggedIn += 1;
    const { open } = JSON.parse(succeeded(site.keyrite(["status", "--json"])).stdout) as {
      readonly open: { readonly id: string } | null;
    };
    const { findings } = JSON.parse(succeeded(site.keyrite(["verify", "--json"])).stdout) as {
      readonly findings: readonly unknown[];
    };
    assert.deepEqual(findings, [], about);
    if (ran.code === 0) {
      assert.equal(open, null, about);
      counts.tooLate += 1;
      continue;
    }
    counts.ended += 1;
    assert.doesNotMatch(ran.stderr, /\n {4}at .*\.ts|exit 1\)/, about);
    if (open !== null) {
      const next = site.rehearse("record-deviation");
      assert.equal(next.code, 7, about);
      assert.ok(next.stderr.includes(open.id), next.stderr);
      counts.named += 1;
    } else if (after.length > before.length) {
      assert.match(after.at(-1) ?? "", /"type":"ceremony\.(abandoned|closed)"/, about);
      counts.abandoned += 1;
    }
  }
  figure("I10", "signals at random instants of ceremonies", counts);
  assert.equal(counts.lost, 0);
  assert.equal(counts.loggedIn, 0);
  assert.ok(counts.named > 0 && counts.ended > counts.tooLate, JSON.stringify(counts));
});
