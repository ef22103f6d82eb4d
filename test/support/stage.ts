/**
 * A site in a folder of its own, with people, a token in memory and a clock that the test moves: the
 * real engine over the real ledger, and everything the owner of the host could do behind its back.
 */

import assert from "node:assert/strict";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ACTIONS } from "../../src/actions/index.ts";
import { outbox, siteFiles } from "../../src/cli/site-files.ts";
import { makeVaults } from "../../src/cli/vaults.ts";
import { abandonOpen } from "../../src/ceremony/abandon.ts";
import {
  vocabularyOf,
  type Action,
  type Participant,
  type Vocabulary,
} from "../../src/ceremony/action.ts";
import { readBindings } from "../../src/ceremony/bindings.ts";
import type { Closing } from "../../src/ceremony/closing.ts";
import { Conductor, type Conducted } from "../../src/ceremony/conduct.ts";
import { custodyDigest } from "../../src/ceremony/custody-json.ts";
import type { Hall } from "../../src/ceremony/hall.ts";
import type { HistoryFold } from "../../src/ceremony/history-fold.ts";
import type { History } from "../../src/ceremony/history.ts";
import { planOfOpen } from "../../src/ceremony/plan-rebuild.ts";
import { planScript, type Plan, type Planning } from "../../src/ceremony/plan.ts";
import { readPolicy } from "../../src/ceremony/policy.ts";
import type { DraftParts } from "../../src/ceremony/record.ts";
import { Recorder, type Attached } from "../../src/ceremony/recorder.ts";
import { readScript, scriptRefused } from "../../src/ceremony/script.ts";
import type { Role } from "../../src/ceremony/words.ts";
import { decodeEntry, type Entry } from "../../src/ledger/entry.ts";
import { LedgerStore } from "../../src/ledger/store.ts";
import { sha256Hex, utf8 } from "../../src/lib/encoding.ts";
import { openMedium, type Medium } from "../../src/people/medium.ts";
import { fakeRig } from "./fake-hsm.ts";
import { keepLedger } from "./kept-ledgers.ts";
import { seededRandom, type TestPerson } from "./identities.ts";
import { testClock } from "./ledger-fixture.ts";
import { planInputOf } from "./stage-planning.ts";
import {
  draftOf,
  foldLedger,
  makeVaultFolders,
  moduleDigests,
  openLedger,
  stageFolder,
  vaultsOf,
  writeSite,
  type NewSite,
} from "./stage-site.ts";
import { StageConsole, type Cast } from "./stage-console.ts";

export type { Cast } from "./stage-console.ts";

/** What makes one run differ from the next. */
export interface RunOptions {
  readonly set?: Readonly<Record<string, string>>;
  /** Parts of the hall that the test puts in place of the real ones. */
  readonly hall?: Partial<Hall>;
}

type SiteOptions = Parameters<typeof writeSite> extends [string, ...infer R] ? R : never;

export class Stage {
  readonly folder: string;
  /** Folder of each vault; they lie beside the site. */
  readonly vaults: ReadonlyMap<string, string>;
  readonly site: NewSite;
  /** Wall clock and monotonic clock in milliseconds; both stand still until moved. */
  readonly clock = {
    time: testClock().time,
    mono: 0,
    now: (): number => this.clock.time,
    monotonic: (): number => this.clock.mono,
  };
  readonly rig = fakeRig();
  software = { name: "keyrite", version: "0.0.0", sha256: sha256Hex("the build") };
  actions: readonly Action[] = ACTIONS;
  /** Files by the paths that `set` gives. */
  readonly lent = new Map<string, Uint8Array>();
  /** Name of an input file that somebody swapped after it was read. */
  changed: string | undefined;
  /** Of the newest run. */
  console = new StageConsole({ present: {} });
  #ledger: LedgerStore;
  #fold: HistoryFold;
  #ceremonies = 0;

  private constructor(folder: string, site: NewSite, time?: number) {
    this.folder = folder;
    this.site = site;
    this.vaults = makeVaultFolders(folder);
    if (time !== undefined) this.clock.time = time;
    this.#ledger = openLedger(folder, this.clock);
    this.#fold = foldLedger(this.#ledger, this.site, this.#vocabulary());
  }

  /** A new site with these founders; nothing is recorded in it yet. */
  static async create(...site: SiteOptions): Promise<Stage> {
    const folder = stageFolder();
    return new Stage(folder, await writeSite(folder, ...site));
  }

  /** The same site once more, with a blank token: what happens on one is unknown to the other. */
  fork(): Stage {
    const folder = stageFolder();
    cpSync(this.folder, folder, { recursive: true });
    cpSync(vaultsOf(this.folder), vaultsOf(folder), { recursive: true });
    return new Stage(folder, this.site, this.clock.time);
  }

  get ledger(): LedgerStore {
    return this.#ledger;
  }

  get history(): History {
    return this.#fold.history;
  }

  /** Digest of custody: unchanged means that nothing was believed. */
  get custody(): string {
    return custodyDigest(this.history.custody);
  }

  /** `index code: text` of everything that was found. */
  get findings(): readonly string[] {
    return this.history.findings.map(({ code, seq, text }) => `${seq} ${code}: ${text}`);
  }

  entries(): readonly Entry[] {
    return [...this.#ledger.entries()].map(decodeEntry);
  }

  person(name: string): TestPerson {
    const person = this.site.people.get(name);
    if (person === undefined) throw new Error(`${name} is not among the people of the stage`);
    return person;
  }

  medium(person: string): Medium {
    return openMedium(join(this.folder, "media", person), person);
  }

  /** Files in the outboxes of all ceremonies. */
  issued(): readonly string[] {
    const folder = join(this.folder, "outbox");
    if (!existsSync(folder)) return [];
    return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((f) =>
      f.includes("."),
    );
  }

  planning(yaml: string, set: Readonly<Record<string, string>> = {}): Planning {
    const reading = readScript(utf8(yaml), "script.yaml");
    if (!reading.ok) return reading;
    return planScript(planInputOf(this, reading.script, set));
  }

  plan(yaml: string, set: Readonly<Record<string, string>> = {}): Plan {
    const planning = this.planning(yaml, set);
    if (planning.ok) return planning.plan;
    throw scriptRefused("script.yaml", planning.objections);
  }

  /** Plans and conducts a script, an hour after whatever happened before. */
  async run(yaml: string, cast: Cast, options: RunOptions = {}): Promise<Conducted> {
    this.clock.time += 3_600_000;
    this.console = new StageConsole(cast);
    const plan = this.plan(yaml, options.set);
    const hall = { ...this.hall(), ...options.hall };
    const id = this.ceremonyId(plan.script.name);
    return new Conductor(hall, this.recorder(), plan, id).conduct();
  }

  /** Abandons the open ceremony. */
  async abandon(cast: Cast): Promise<Closing> {
    const { open } = this.history;
    assert.ok(open);
    this.console = new StageConsole(cast);
    return abandonOpen(this.hall(), this.recorder(), open, this.#participants(cast));
  }

  /** Goes on with the open ceremony in a new process, as it were: nothing of the old one is left. */
  async resume(cast: Cast, options: Pick<RunOptions, "hall"> = {}): Promise<Conducted> {
    const { open } = this.judge();
    assert.ok(open);
    this.clock.time += 60_000;
    this.console = new StageConsole(cast);
    const hall = { ...this.hall(), ...options.hall };
    const plan = planOfOpen(hall, this.recorder(), open, this.#modules());
    return new Conductor(hall, this.recorder(), plan, open.id).resume(this.#participants(cast));
  }

  #participants({ present }: Cast): readonly Participant[] {
    return Object.entries(present).flatMap(([person, role]) => {
      const enrolled = this.history.custody.people.get(person);
      return enrolled === undefined ? [] : [{ person, role: role as Role, card: enrolled.card }];
    });
  }

  ceremonyId(script: string): string {
    this.#ceremonies += 1;
    const letters = [
      this.#ledger.size / 26,
      this.#ledger.size,
      this.#ceremonies / 26,
      this.#ceremonies,
    ];
    return `20261123-${script}-${letters.map((n) => String.fromCharCode(97 + (Math.floor(n) % 26))).join("")}`;
  }

  /** What records, where a test puts another in place. */
  makeRecorder = (ledger: LedgerStore, fold: HistoryFold): Recorder => new Recorder(ledger, fold);

  recorder(): Recorder {
    return this.makeRecorder(this.#ledger, this.#fold);
  }

  /** What the host's owner can do: an entry signed with the ledger's key alone. Returns its index. */
  append(parts: DraftParts, attached: readonly Attached[] = []): number {
    return this.recorder().append(parts, attached);
  }

  /** Judges the ledger anew from its bytes, as the next command and every auditor do. */
  judge(): History {
    this.#ledger.close();
    this.#ledger = openLedger(this.folder, this.clock);
    this.#fold = foldLedger(this.#ledger, this.site, this.#vocabulary());
    return this.history;
  }

  /** Puts a ledger of these entries, all signed anew with the ledger's key, in place of this one. */
  rewrite(entries: readonly Entry[]): History {
    const attachments = [...this.#ledger.attachments()];
    const cosignatures = [...this.#ledger.cosignatures()];
    this.#ledger.close();
    rmSync(this.#ledger.path);
    LedgerStore.create(this.#ledger.path, this.site.genesis.origin);
    const clock = { time: 0, now: () => clock.time, monotonic: () => 0 };
    const ledger = openLedger(this.folder, clock);
    for (const entry of entries) {
      clock.time = Date.parse(entry.time);
      ledger.append([draftOf(entry)], attachments.splice(0));
    }
    for (const { size, line } of cosignatures) {
      if (size <= ledger.size) ledger.addCosignatures(size, [line]);
    }
    ledger.close();
    return this.judge();
  }

  /** The parts a ceremony is conducted with. */
  hall(): Hall {
    const policyBytes = readFileSync(join(this.folder, "policy.yaml"));
    return {
      genesis: this.site.genesis,
      genesisBytes: this.site.genesisBytes,
      policy: readPolicy(policyBytes, "policy.yaml"),
      policyBytes,
      bindings: readBindings(readFileSync(join(this.folder, "site.yaml")), this.folder),
      ledger: this.#ledger,
      console: this.console,
      terminal: { begin: () => undefined, bytes: () => utf8(this.console.shown.join("\n")) },
      hsm: this.rig.hsm,
      clock: this.clock,
      random: seededRandom(`${this.folder} ${this.#ledger.size}`),
      vocabulary: this.#vocabulary(),
      software: this.software,
      medium: (person) => Promise.resolve(this.medium(person)),
      files: siteFiles(this.folder),
      outbox: (ceremony) => outbox(this.folder, ceremony),
      vaults: makeVaults(this.folder, this.vaults),
      publicKeysFromNewProcess: (...token) => this.rig.hsm.publicKeys(...token),
      changedInput: () => this.changed,
      interrupted: () => false,
    };
  }

  #modules(): Readonly<Record<string, string>> {
    return moduleDigests(this.hall().bindings);
  }

  #vocabulary(): Vocabulary {
    return vocabularyOf(this.actions);
  }

  remove(): void {
    this.#ledger.close();
    // Stages with actions of their own speak a vocabulary that no other verifier knows.
    if (this.actions === ACTIONS) keepLedger(this.#ledger.path, this.findings);
    this.rig.remove();
    rmSync(this.folder, { recursive: true });
    rmSync(vaultsOf(this.folder), { recursive: true });
  }
}
