/**
 * S03: a ceremony that uses every kind of secret, at a terminal, over a software token. At each prompt, and while the
 * token is inside marked calls, the memory of Keyrite and that of its module's process are read whole: what was used
 * stands there in no form. Reads memory that is closed to its own user, so it needs root.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CanarySite, passphraseOf, secretsOf } from "../support/canary-site.ts";
import { formsOf } from "../support/canaries.ts";
import { Desk, type Habit, type Prompt } from "../support/desk.ts";
import { policyWith } from "../support/escrowed-site.ts";
import { figure, FULL, sized } from "../support/fault-run.ts";
import { closed, hosts, open, shim } from "../support/hosted-shim.ts";
import { memoryHits, writableMemory } from "../support/memory.ts";
import { Needles } from "../support/needles.ts";
import { childrenOf } from "../support/processes.ts";
import { Pty } from "../support/pty.ts";
import {
  BIN,
  cleanEnvironment,
  FOUNDERS,
  handOn,
  initOptions,
  newFolder,
  succeeded,
} from "../support/rehearsed-site.ts";
import { rule, type Nth } from "../support/shim.ts";

/** Time inside a marked call to see that it is there; then both processes stand still. */
const HANG_MS = 800;

/** Between two prompts several calls are looked at, on whatever machine this is. */
const PATIENCE_MS = 300_000;

interface Marked {
  readonly name: string;
  readonly nth: Nth;
  /** What it is given: there while it lasts, at least once, or finding nothing would be nothing. */
  readonly given?: RegExp;
}

const MARKED: readonly Marked[] = [
  { name: "C_Login", nth: "*", given: /^activation (key|PIN) of/ },
  { name: "C_CreateObject/token", nth: "*", given: /^(KEK |kek key of)/ },
  { name: "C_GenerateKeyPair", nth: 2 },
  { name: "C_SignInit", nth: 2 },
  { name: "C_Logout", nth: "*" },
  { name: "C_Finalize", nth: 1 },
];

/** A site with two tokens whose people's passphrases, shares and PINs are known to the test alone. */
function canarySite(): CanarySite {
  const site = new CanarySite(newFolder(), shim.env);
  site.makePeople();
  const options = initOptions(site, { policy: policyWith(site), module: shim.path });
  succeeded(site.keyrite(["init", "--site", site.site, ...options]));
  handOn(site, shim.variables);
  const beta = ["initialize-token", "--set", "token=beta"];
  for (const words of [["establish-site"], ["initialize-token"], beta]) {
    const [ceremony = "", ...more] = words;
    succeeded(site.rehearse(ceremony, undefined, more));
  }
  return site;
}

/** Looks for every form of every secret in the memory of both processes; finds the secrets' names. */
function look(
  pids: readonly number[],
  secrets: ReadonlyMap<string, Uint8Array>,
): readonly string[] {
  const forms = [...secrets].flatMap(([name, bytes]) =>
    formsOf(name, bytes).map(({ bytes: form }) => ({ name, bytes: form })),
  );
  const needles = new Needles(forms);
  const found = new Map<string, number>();
  for (const pid of pids) for (const bytes of writableMemory(pid)) needles.count(bytes, found);
  return [...found.keys()];
}

/** Looks at a ceremony on its way, knowing what may be in memory where. */
class Watch {
  readonly counts = { prompts: 0, betweenSteps: 0, calls: 0, secrets: 0, hits: 0 };
  readonly wrong: string[] = [];
  /** Calls in which what they were given was found. */
  readonly there = new Set<string>();
  readonly #site: CanarySite;
  readonly #pty: Pty;
  #secrets: ReadonlyMap<string, Uint8Array> = new Map();
  #entries = 0;
  #step = "";
  #opened = new Set<string>();

  constructor(site: CanarySite, pty: Pty) {
    this.#site = site;
    this.#pty = pty;
  }

  /** What was made since is looked for as well. */
  async learn(): Promise<void> {
    const made = this.#site.entries().filter(({ facts }) => facts.length > 0).length;
    if (made !== this.#entries) this.#secrets = await secretsOf(this.#site);
    this.#entries = made;
    this.counts.secrets = this.#secrets.size;
  }

  async atPrompt({ who, question }: Prompt): Promise<void> {
    await this.learn();
    const step = /^[^]*Step (\d+) of/.exec(this.#pty.text)?.[1] ?? "";
    const between = step !== this.#step;
    this.#step = step;
    if (between) this.#opened = new Set();
    if (between || FULL) {
      // Whoever has agreed, or brought a share, waits for the others with their identity open.
      this.#judge(`at ${question}`, (name) => this.#isOf(name));
      this.counts.prompts += 1;
      this.counts.betweenSteps += between ? 1 : 0;
    }
    if (question.startsWith("your passphrase")) this.#opened.add(who);
  }

  inCall({ name, given }: Marked): void {
    const pids = processesOf(this.#pty.pid);
    for (const pid of pids) process.kill(pid, "SIGSTOP");
    const isGiven = (secret: string): boolean => given?.test(secret) === true;
    const found = this.#judge(`in ${name}`, (secret) => this.#isOf(secret) || isGiven(secret));
    for (const pid of pids) process.kill(pid, "SIGCONT");
    this.counts.calls += 1;
    if (found.some(isGiven)) this.there.add(name);
  }

  /** Whether a secret is that of somebody whose identity is open for this step. */
  #isOf(name: string): boolean {
    const person = / of (\w+)$/.exec(name)?.[1] ?? "";
    return /^(seed|age key|\S+ share)/.test(name) && this.#opened.has(person);
  }

  #judge(where: string, mayBe: (name: string) => boolean): readonly string[] {
    const found = look(processesOf(this.#pty.pid), this.#secrets);
    const wrong = found.filter((name) => !mayBe(name));
    this.counts.hits += wrong.length;
    this.wrong.push(...wrong.map((name) => `${name}, step ${this.#step}, ${where}`));
    return found;
  }
}

test("S03: nothing of a secret is in memory between two steps, nor of others' within one", async () => {
  const site = canarySite();
  const rules = MARKED.map(({ name, nth }) => rule(name, nth, `hang-before:${HANG_MS}`));
  shim.fired();
  const pty = new Pty([process.execPath, BIN, "run", site.writeSecretsScript()], {
    env: {
      ...cleanEnvironment(),
      ...{ KEYRITE_SITE: site.site, NO_COLOR: "1", TERM: "xterm" },
      ...shim.env,
      ...shim.with(...rules),
    },
    columns: 220,
  });
  const watch = new Watch(site, pty);
  await watch.learn();
  const calls = setInterval(() => {
    for (const { call } of shim.fired()) {
      const marked = MARKED.find(({ name }) => name.startsWith(call));
      if (marked !== undefined) watch.inCall(marked);
    }
  }, 20);
  try {
    const passphrases = Object.keys(FOUNDERS).map((who) => ({
      ...{ who, asked: /your passphrase/ },
      types: [passphraseOf(who)],
    }));
    const habits: readonly Habit[] = [
      { who: "*", asked: /are you present/, types: ["1"] },
      { who: "*", asked: /yes or no|type yes/, types: ["yes"] },
      { who: "Everyone", asked: /who acts as custodian/, types: ["1"] },
      ...passphrases,
    ];
    await new Desk(pty, PATIENCE_MS).answer(habits, (prompt) => watch.atPrompt(prompt));
    assert.equal((await pty.end()).exit, 0, pty.text);
  } finally {
    clearInterval(calls);
    pty.close();
  }
  figure("S03", "reads of the memory of a ceremony and its module", watch.counts);
  assert.deepEqual(watch.wrong, []);
  const given = MARKED.filter((marked) => marked.given !== undefined).map(({ name }) => name);
  assert.deepEqual([...watch.there].sort(), given.sort());
  assert.ok(watch.counts.betweenSteps >= 8 && watch.counts.calls >= 8);
});

const ACTIVATE = `keyrite: script/v1
name: activate
version: 1.0.0
title: A token is activated and deactivated
caClass: none
roles: { ceremony-administrator: 1, custodian: 3, internal-witness: 1 }
steps:
  - { id: roll-call, action: roll-call, by: everyone }
  - { id: activate, action: activate-token, by: [custodian, custodian], with: { token: alpha } }
  - { id: deactivate, action: deactivate-token, by: [custodian], with: { token: alpha } }
  - { id: close, action: close, by: everyone }
`;

test("S03: a PIN lives no longer than from reading its sealed file to what is said of the login", () => {
  const site = canarySite();
  const trace = join(site.folder, "trace");
  const strace = ["strace", "-f", "--seccomp-bpf", "-qq", "-ttt", "-s", "200", "-o", trace];
  const lives: number[] = [];
  const activations = sized(1, 20);
  for (let i = 0; i < activations; i += 1) {
    succeeded(site.rehearseSecrets(ACTIVATE, { under: [...strace, "-e", "trace=openat,write"] }));
    const calls = readFileSync(trace, "latin1").split("\n");
    const opened = timeOf(calls.find((line) => /openat.*\/sealed\.age"/.test(line)));
    lives.push(timeOf(calls.find((line) => /write.*alpha is active/.test(line))) - opened);
  }
  assert.ok(lives.every((life) => life > 0));
  const longestMs = Math.round(Math.max(...lives) * 1000);
  figure("S03", "life of a PIN at an activation, the token's login included", {
    ...{ activations, longestMs },
  });
});

/** Seconds since 1970 of a traced call. */
function timeOf(line = ""): number {
  return Number(/^\d+ +(\d+\.\d+) /.exec(line)?.[1] ?? assert.fail("the call is not in the trace"));
}

test("S03: whatever a session does, its PIN is not left in the memory of the module's process", async () => {
  const counts = { sessions: sized(5, 200), hits: 0 };
  for (let i = 0; i < counts.sessions; i += 1) {
    const { hsm, pin } = await open();
    const found = hosts().flatMap((pid) => memoryHits(pid, [pin]));
    assert.ok(found.length > 0);
    counts.hits += found.reduce((sum, one) => sum + one, 0);
    await closed(hsm);
  }
  figure("S03", "sessions whose PIN was looked for", counts);
  assert.equal(counts.hits, 0);
});

/** The command behind its terminal, and the process of its module. */
function processesOf(supervisor: number): readonly number[] {
  const workers = childrenOf(supervisor).filter((pid) => commandOf(pid).includes("keyrite.js"));
  return [...workers, ...workers.flatMap((pid) => childrenOf(pid))];
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    return "";
  }
}
