/** Test sites made by the real commands, each stage once in a test file and copied for every case. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeEntry, type Entry } from "../../src/ledger/entry.ts";
import { LedgerStore } from "../../src/ledger/store.ts";
import { sha256Hex } from "../../src/lib/encoding.ts";
import { EXIT, type ErrorCode } from "../../src/lib/errors.ts";
import { readYaml } from "../../src/lib/yaml.ts";
import { installedModule } from "./rig.ts";

export const ROOT = join(import.meta.dirname, "..", "..");
export const BIN = join(ROOT, "bin", "keyrite.js");
export const CEREMONIES = join(ROOT, "ceremonies");
export const ORIGIN = "pki.example.org/rehearsal/test";

/** Founders by id, with the role each is founded in. */
export const FOUNDERS = {
  ana: "ceremony-administrator",
  ben: "custodian",
  cleo: "custodian",
  dan: "custodian",
  eve: "internal-witness",
} as const;

/** The HSM of the CA keys, the backup HSM, and the one for drills. */
export const TOKENS = ["alpha", "beta", "gamma"] as const;

/** Where key backups are kept, beside the media. */
export const VAULTS = ["onsite", "offsite"] as const;

export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The environment of the tests without what would lead to the caller's own site or tokens. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const foreign = /^(KEYRITE_|SOFTHSM2_CONF$|NODE_TEST_CONTEXT$|NODE_OPTIONS$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Words before `node`, such as a limiter of resources. */
  readonly under?: readonly string[];
}

/** Runs the executable without a terminal. */
export function keyrite(args: readonly string[], options: RunOptions = {}): Ran {
  const { under = [] } = options;
  const [file = "", ...rest] = [...under, process.execPath, BIN, ...args];
  const { status, signal, stdout, stderr } = spawnSync(file, rest, {
    encoding: "utf8",
    env: { ...cleanEnvironment(), ...options.env },
    cwd: options.cwd ?? tmpdir(),
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 120_000,
  });
  return { code: status, signal, stdout, stderr };
}

/** An answers file as data, for a test to change. */
export interface AnswersDocument {
  keyrite: string;
  after: string[];
  set: Record<string, string | number>;
  passphrases: Record<string, string | string[]>;
  answers: Record<string, Record<string, Record<string, string | string[]>>>;
  agree: "all" | Record<string, string[]>;
}

export type AnswersChange = (answers: AnswersDocument) => void;

/** The answers of a shipped ceremony. */
export function shippedAnswers(ceremony: string): AnswersDocument {
  const file = join(CEREMONIES, ceremony, "answers.yaml");
  const read = readYaml(readFileSync(file), file).value as unknown as Partial<AnswersDocument>;
  return {
    keyrite: "answers/v1",
    after: [],
    set: {},
    passphrases: {},
    answers: {},
    agree: "all",
    ...structuredClone(read),
  };
}

export class RehearsedSite {
  /** Holds `site`, `media/<person>` and `vaults/<name>`. */
  readonly folder: string;
  readonly #env: NodeJS.ProcessEnv;
  #answers = 0;

  constructor(folder: string, env: NodeJS.ProcessEnv = {}) {
    this.folder = folder;
    this.#env = env;
  }

  get site(): string {
    return join(this.folder, "site");
  }

  medium(person: string): string {
    return join(this.folder, "media", person);
  }

  vault(name: string): string {
    return join(this.folder, "vaults", name);
  }

  file(name: string): string {
    return join(this.site, name);
  }

  /** A command on this site. */
  keyrite(args: readonly string[], options: RunOptions = {}): Ran {
    const env = { KEYRITE_SITE: this.site, ...this.#env, ...options.env };
    return keyrite(args, { ...options, env });
  }

  /** Writes the answers of a shipped ceremony, changed, and returns the file's path. */
  writeAnswers(ceremony: string, change: AnswersChange = () => undefined): string {
    const answers = shippedAnswers(ceremony);
    change(answers);
    this.#answers += 1;
    const path = join(this.folder, `answers-${this.#answers}.yaml`);
    writeFileSync(path, JSON.stringify(answers));
    return path;
  }

  /** Rehearses a shipped ceremony with its answers, changed by the test. */
  rehearse(
    ceremony: string,
    change?: AnswersChange,
    more: readonly string[] = [],
    options: RunOptions = {},
  ): Ran {
    const answers = this.writeAnswers(ceremony, change);
    return this.keyrite(["run", ceremony, "--answers", answers, ...more], options);
  }

  makeIdentity(person: string, name = person): Ran {
    const words = ["identity", "new", "--medium", this.medium(person), "--person", person];
    const answers = ["--answers", join(CEREMONIES, "people.yaml")];
    return this.keyrite([...words, "--name", name, "--domain", "example.org", ...answers]);
  }

  /** Every entry, decoded. */
  entries(): readonly Entry[] {
    const ledger = LedgerStore.open(this.file("ledger.db"));
    try {
      return [...ledger.entries()].map((text) => decodeEntry(text));
    } finally {
      ledger.close();
    }
  }
}

export type Stage = "made" | "founded" | "initialized" | "prepared" | "generated";

const BEFORE: Readonly<Record<Exclude<Stage, "made">, readonly [Stage, string]>> = {
  founded: ["made", "establish-site"],
  initialized: ["founded", "initialize-token"],
  prepared: ["initialized", "prepare-backup"],
  generated: ["prepared", "generate-root-ca"],
};

/** In memory where the system has such: every append waits for the disk several times. */
const base = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "keyrite-site-"));
process.on("exit", () => {
  rmSync(base, { recursive: true, force: true });
});
let folders = 0;

/** A folder of this test file's own, removed at its end. */
export function newFolder(): string {
  folders += 1;
  const folder = join(base, `folder-${folders}`);
  mkdirSync(folder);
  return folder;
}

/** The module that a site's tokens live in, and the environment it needs. */
export interface TestModule {
  readonly path: string;
  readonly env: NodeJS.ProcessEnv;
  /** Names of all it may read. */
  readonly variables: readonly string[];
}

const SOFTHSM: TestModule = { path: installedModule("softhsm"), env: {}, variables: [] };

/** A site of its own at this stage, for the caller to spoil. */
export function siteAt(stage: Stage, module = SOFTHSM): RehearsedSite {
  const folder = newFolder();
  cpSync(stageFolder(stage, module), folder, { recursive: true, preserveTimestamps: true });
  return new RehearsedSite(folder, module.env);
}

/** Stages that all test files of a run share: bin/test.js makes the folder and removes it. */
const shared = process.env["KEYRITE_TEST_STAGES"] ?? base;

function stageFolder(stage: Stage, module: TestModule): string {
  const place = module === SOFTHSM ? shared : base;
  const folder = join(place, `${stage} ${sha256Hex(module.path).slice(0, 8)}`);
  if (existsSync(folder)) return folder;
  const fresh = `${folder} ${process.pid}`;
  performStage(stage, module, fresh);
  // Two test files may make the same stage at once: whoever is second takes that of the first.
  if (existsSync(folder)) rmSync(fresh, { recursive: true });
  else renameSync(fresh, folder);
  return folder;
}

function performStage(stage: Stage, module: TestModule, folder: string): void {
  const site = new RehearsedSite(folder, module.env);
  if (stage === "made") {
    for (const vault of VAULTS) mkdirSync(site.vault(vault), { recursive: true });
    for (const person of Object.keys(FOUNDERS)) succeeded(site.makeIdentity(person));
    succeeded(
      site.keyrite(["init", "--site", site.site, ...initOptions(site, { module: module.path })]),
    );
    if (module !== SOFTHSM) handOn(site, module.variables);
    return;
  }
  const [before, ceremony] = BEFORE[stage];
  cpSync(stageFolder(before, module), folder, { recursive: true });
  succeeded(site.rehearse(ceremony));
}

/** Has site.yaml hand variables on to the module's process. */
export function handOn(site: RehearsedSite, variables: readonly string[]): void {
  const text = readFileSync(site.file("site.yaml"), "utf8");
  const environment = `profile: softhsm, environment: [${variables.join(", ")}],`;
  writeFileSync(site.file("site.yaml"), text.replace("profile: softhsm,", environment));
}

/** The options of `init` for this site's founders and one token. */
export function initOptions(
  site: RehearsedSite,
  { origin = ORIGIN, policy = join(CEREMONIES, "policy.yaml"), module = SOFTHSM.path } = {},
): readonly string[] {
  const founders = Object.entries(FOUNDERS).flatMap(([person, role]) => [
    ...["--founder", `${join(site.medium(person), "keyrite", "card.json")}=${role}`],
    ...["--medium", `${person}=../media/${person}`],
  ]);
  const tokens = TOKENS.flatMap((name) => ["--token", `${name}=soft`]);
  const hsm = ["--module", `soft=softhsm:${module}`, ...tokens];
  const vaults = VAULTS.flatMap((name) => ["--vault", `${name}=../vaults/${name}`]);
  return ["--origin", origin, "--policy", policy, ...founders, ...hsm, ...vaults];
}

export function succeeded(ran: Ran): Ran {
  assert.equal(ran.code, 0, ran.stderr);
  return ran;
}

/** Asserts a refusal: its code, the exit code of that word, its words, and that a hint was given. */
export function refused(ran: Ran, code: ErrorCode, ...words: readonly (string | RegExp)[]): Ran {
  assert.ok(ran.stderr.includes(`(${code}, exit ${exitOf(code)})`), `${code}:\n${ran.stderr}`);
  assert.equal(ran.code, exitOf(code));
  for (const word of words) assert.match(ran.stderr, new RegExp(word));
  assert.match(ran.stderr, /^ {2}hint: /m, "a refusal says what to do next");
  return ran;
}

function exitOf(code: ErrorCode): number {
  return EXIT[code.slice(0, code.indexOf(".")) as keyof typeof EXIT];
}

/** The newest entry of a type; that there is one is asserted. */
export function lastOf(site: RehearsedSite, type: Entry["type"]): Entry {
  const last = site.entries().findLast((entry) => entry.type === type);
  assert.ok(last, `the ledger holds no ${type}`);
  return last;
}

/** The message of an error that an entry recorded. */
export function messageIn(entry: Entry): string {
  const message = entry.data["message"];
  assert.ok(typeof message === "string", `entry ${entry.seq} has a message`);
  return message;
}
